"""What a model wrote cannot link, load, run or hide anything, however it arrives."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tuppence.core.answer.markdown import Cleaner, clean, plain
from tuppence.core.answer.markdown_inline import Inline

NASTY = st.sampled_from(
    [
        *"`~[]()<>!\\:&*_-#\"' \t\n",
        *(
            "```",
            "``",
            "~~~",
            "[a](b)",
            "![a](b)",
            "<b>",
            "</b>",
            "<img src=x>",
            "<!--",
            "-->",
            "http://e.vil",
            "www.e.vil",
        ),
        *(
            "a@b.cd",
            "command:x",
            "[a]: b",
            "[a][b]",
            "    ",
            "  ",
            "- ",
            "1. ",
            "> ",
            "x",
            "é",
            "\u202e",
            "\u200b",
            "\r\n",
        ),
        *("\r", "&lt;", "<http://e.vil>", "](", "word ", "\n\n", "   ", "```py\n", "\n```\n", "\\`", "\\["),
    ]
)
FORBIDDEN = {"link_open", "image", "html_inline", "html_block"}
HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f\x00]")
ADDRESS = re.compile(r"(?:https?|ftp)://\w|www\.\w|[\w.+-]+@[\w-]+\.\w")
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(markdown: str) -> list[Token]:
    return [each for token in READER.parse(markdown) for each in (token, *(token.children or ()))]


def check(markdown: str, expected: str) -> None:
    assert clean(markdown) == expected


def test_prose_and_code_are_left_alone() -> None:
    text = (
        "# Title\n\nIt *is* **so**: `a[0](x) < b` and a[1], 3 < 4, x <= y.\n\n- one\n  - two [ ]\n\n"
        "```python\nx = '<b>' # [a](b)\n```\n\n| a | b |\n|---|---|\n"
    )
    check(text, text)


def test_links_become_their_text() -> None:
    check("see [the docs](https://e.vil/a_(b)) now", "see the docs now")
    check('[run](command:x "a ) title") [a `]` b](<u v>)', "run a `]` b")
    check("[a [b](c) d](e)", "a b d")
    check("<https://e.vil> and <a@b.cd>", "`https://e.vil` and `a@b.cd`")
    check("Go to https://e.vil/x_y, or www.e.vil.", "Go to `https://e.vil/x_y`, or `www.e.vil`.")
    check("**https://e.vil**", "**`https://e.vil`**")


def test_references_become_inert() -> None:
    check("[text][ref] and a[0][1]\n\n[ref]: /x", "[text]\\[ref] and a[0]\\[1]\n\n[ref]\\: /x")


def test_images_become_their_alternative_text() -> None:
    check("a ![cat](https://e.vil/x.png) b ![](y) c", "a cat b  c")
    check("[![alt](img)](url)", "alt")
    check("![x](data:image/png;base64," + "A" * 50_000 + ") end", "x end")


def test_html_becomes_text() -> None:
    check("a <img src=x onerror=y> b", "a &lt;img src=x onerror=y> b")
    check("<script>\nalert()\n</script>", "&lt;script>\nalert()\n&lt;/script>")
    check("List<String> \\<b>", "List&lt;String> \\&lt;b>".replace("\\&", "&"))


def test_nothing_safe_adds_up_to_something_unsafe() -> None:
    check("ht[](x)tp://e.vil", "`http://e.vil`")
    check("[x]![](y)(http://e.vil)", "[x]\\(`http://e.vil`)")
    check("~~[~](x)\n<img>", "~\\~\\~\n&lt;img>")
    check("`a`[](x)`b`", "`a` `b`")


def test_a_code_span_does_not_cross_a_line() -> None:
    check("a ` b\nc ` <img src=x> ` d", "a \\` b\nc ` <img src=x> ` d")
    assert not {token.type for token in tokens(clean("a ` b\nc ` <img src=x> ` d"))} & FORBIDDEN


def test_hidden_characters_go_from_code_too() -> None:
    check("a\u202eb\u200bc\ufeff\U000e0041 `x\u2066y`\n```\nz\u200d\n```", "abc `xy`\n```\nz\n```")


def test_a_fence_in_a_list_ends_with_it() -> None:
    check("- a\n  ```\n  x\n<img>", "- a\n  ```\n  x\n  ```\n&lt;img>")
    check("- a\n  ```\n  x\n```\nb", "- a\n  ```\n  x\n  ```\nb")


def test_an_open_fence_is_closed() -> None:
    check("```\nx", "```\nx\n```")
    check("```py\nx\n", "```py\nx\n```")


def test_what_is_safe_comes_at_once() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("The function ") == "The function "
    assert cleaner.feed("mean ret") == "mean "
    assert cleaner.feed("urns [a") == "returns "
    assert cleaner.feed(" link](http") == ""
    assert cleaner.feed("s://e.vil) to ") == "a link to "
    assert cleaner.feed("`x") == ""
    assert cleaner.feed("` it.") == "`x` "
    assert cleaner.finish() == "it."


@pytest.mark.parametrize("opening", ["[", "`", "![a](", "<", "[`"])
def test_a_construct_that_never_ends_costs_little(opening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cleaner, looked = Cleaner(), list[int]()
    read = Inline._read

    def counted(self: Inline) -> str:
        looked.append(self._size)
        return read(self)

    monkeypatch.setattr(Inline, "_read", counted)
    for _ in range(20_000):
        cleaner.feed("abc ")
        cleaner.feed(opening)
        opening = ""
    cleaner.finish()
    print(f"{sum(looked)} characters looked at of {4 * 20_000}")
    assert sum(looked) < 300_000, "each character is looked at about once"


def test_plain() -> None:
    assert plain("It **is** [bad](http://e.vil), see `x`\n![img](y) <https://e.vil>\u202e") == (
        "It is bad, see `x` img https://e.vil"
    )
    assert plain("`__init__` takes **kwargs and 2**3**4") == "`__init__` takes **kwargs and 2**3**4"


@settings(max_examples=1500, deadline=None)
@given(st.lists(NASTY, max_size=25).map("".join))
@example("- a\n  ```\n  code\n<img src=x>")
@example("text\n      ```\n<img>")
@example("a\n~~~\n<b>\n  ~~~ \u00a0\n<i>")
def test_a_reader_finds_no_link_image_or_html(markdown: str) -> None:
    cleaned = clean(markdown)
    found = tokens(cleaned)
    assert not {token.type for token in found} & FORBIDDEN
    assert not HIDDEN.search(cleaned)
    text = [token.content for token in found if token.type == "text"]
    assert not any(ADDRESS.search(each) for each in text)


@settings(max_examples=1500, deadline=None)
@given(st.lists(NASTY, max_size=25).map("".join), st.lists(st.integers(1, 6), min_size=1, max_size=10))
def test_pieces_joined_are_the_whole_cleaned(markdown: str, sizes: list[int]) -> None:
    cleaner = Cleaner()
    out, at, turn = "", 0, 0
    while at < len(markdown):
        size = sizes[turn % len(sizes)]
        out += cleaner.feed(markdown[at : at + size])
        at, turn = at + size, turn + 1
    assert out + cleaner.finish() == clean(markdown)


@given(st.lists(st.sampled_from(["`", "[", "x" * 400, "]", "(", ")", "<", ">", " y"]), max_size=12).map("".join))
def test_pieces_joined_are_the_whole_cleaned_beyond_the_window(markdown: str) -> None:
    cleaner = Cleaner()
    out = "".join(cleaner.feed(character) for character in markdown)
    assert out + cleaner.finish() == clean(markdown)
