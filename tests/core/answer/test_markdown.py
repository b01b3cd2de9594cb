"""What a model wrote cannot link, load, run or hide anything, however it arrives."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tuppence.core.answer import markdown_inline
from tuppence.core.answer.markdown import LONGEST, LONGEST_LINE, Cleaner, clean, plain

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
        "# Title\n\nIt *is* **so**: `a[0](x) < b` and a[1] or a[0][i], x >= y, R&D, a && b, &mut x, C:\\Users\\x.\n\n"
        "- one\n  - two [ ]\n    3. [x]\n\n> a *quote*\n> - of `b`\n\nTitle\n===\n\n"
        "```python\nx = '<b>' # [a](b)\n```\n\n| a | b |\n|---|:-:|\n| `c` | d |\n\n"
        "1. a\n\n   ```c++\n   \tx\n\n   y\n   ```\n"
    )
    check(text, text)


def test_links_become_their_text() -> None:
    check("see [the docs](https://e.vil/a_(b)) now", "see the docs now")
    check('[run](command:x "a ) title") [a `]` b](<u v>)', 'run title") a `]` b')
    check("[a [b](c) d](e)", "a b d")
    check("call a[i](j, k)", "call a&#91;i](j, k)")
    check("<https://e.vil> and <a@b.cd>", "`https://e.vil` and `a@b.cd`")
    check("Go to https://e.vil/x_y, or www.e.vil.", "Go to `https://e.vil/x_y`, or `www.e.vil`.")
    check("**https://e.vil** (see main.py)", "**`https://e.vil`** (see `main.py`)")


def test_references_become_inert() -> None:
    check("[text][ref] and a[0][1]\n\n[ref]: /x", "[text][ref] and a[0][1]\n\n&#91;ref]: /x")


def test_images_become_their_alternative_text() -> None:
    check("a ![cat](https://e.vil/x.png) b ![](y) c", "a cat b  c")
    check("[![alt](img)](url)", "alt")
    check("![x](data:image/png;base64," + "A" * 50_000 + ") end", "x end")


def test_html_becomes_text() -> None:
    check("a <img src=x onerror=y> b", "a &lt;img src=x onerror=y> b")
    check("<script>\nalert()\n</script>", "&lt;script>\nalert()\n&lt;/script>")
    check("List<String> \\<b> &lt;c> 3 < 4", "List&lt;String> &lt;b> &lt;c> 3 &lt; 4")


def test_nothing_safe_adds_up_to_something_unsafe() -> None:
    check("ht[](x)tp://e.vil", "`http://e.vil`")
    check("[x]![](y)(http://e.vil)", "&#91;`x](http://e.vil)`")
    check("~~[~](x)\n<img>", "\\~\\~\\~\n&lt;img>")
    check("`a`[](x)`b`", "`ab`")
    check("&[](x)lt;b> &[](x)#x202e; &lt\\;", "&amp;lt;b> &amp;#x202e; &lt&#59;")


def test_a_code_span_does_not_cross_a_line() -> None:
    check("a ` b\nc ` <img src=x> ` d", "a &#96; b\nc `<img src=x>` d")
    assert not {token.type for token in tokens(clean("a ` b\nc ` <img src=x> ` d"))} & FORBIDDEN


def test_code_is_written_in_one_form() -> None:
    check("``a`b`` and ```c```", "`a`&#96;`b` and `c`")
    check("`` `x` ``", "&#96;`x`&#96;")
    check("`a\\` `\\`", "` a\\ ` ` \\ `")
    check("| `a|b` |\n|---|\n| ``c|d`` |", "| `a`&#124;`b` |\n|---|\n| `c`&#124;`d` |")
    check("`int | None` is no table", "`int | None` is no table")


def test_a_table_begins_only_below_a_row() -> None:
    check("`a|b`\n-|-\nx", "`a|b`\n\\-|-\nx")
    check("a\n---\nb\n\n---", "a\n***\nb\n\n***")


def test_hidden_characters_go_from_code_too() -> None:
    check("a\u202eb\u200bc\ufeff\U000e0041 `x\u2066y`\n```\nz\u200d\n```", "abc `xy`\n\n```\nz\n```")
    check("a&#x202e;b&rlm;c&ZeroWidthSpace;d", "abcd")


def test_code_in_a_list_stays_in_it() -> None:
    check("- a\n  ```\n  x\n<img>\n  ```\nb", "- a\n\n  ```\n  x\n  <img>\n  ```\nb")
    check(
        "1. a\n   - b\n     ```sh\n     x\n\n       y\n     ```\n2. c",
        "1. a\n   - b\n\n     ```sh\n     x\n\n       y\n     ```\n2. c",
    )
    check("- ```py\n  x\n  ```", "- ```py\n  x\n  ```")
    check("> ```\n> x\n> ```\n> y", "```\nx\n```\n> y")


def test_code_that_looks_like_its_own_end_gets_a_longer_fence() -> None:
    check("```\na\n````b\nc\n```", "```\na\n```\n\n`````\n````b\nc\n`````")
    check("~~~\n```\n~~~", "```\n```\n\n````\n```\n````")


def test_a_fence_says_nothing_that_a_renderer_draws() -> None:
    check("```mermaid\nx\n```", "```\nx\n```")
    check("```c++ title=x\nx\n```", "```c++\nx\n```")


def test_an_open_fence_is_closed() -> None:
    check("```\nx", "```\nx\n```")
    check("```py\nx\n", "```py\nx\n```")


def test_what_is_safe_comes_at_once() -> None:
    cleaner = Cleaner()
    assert cleaner.feed("The function ") == "The function "
    assert cleaner.feed("mean ret") == "mean "
    assert cleaner.feed("urns `x") == "returns "
    assert cleaner.feed(" y` it") == "`x y` "
    assert cleaner.feed(" [a link](http") == "it "
    assert cleaner.feed("s://e.vil) to ") == ""
    assert cleaner.feed("\n- the en") == "a link to \n- the "
    assert cleaner.feed("d\n```py\nx = ") == "end\n\n```py\n"
    assert cleaner.feed("1\n") == "x = 1\n"
    assert cleaner.finish() == "```"


@pytest.mark.attack("hostile sizes", "a text longer than a person reads")
def test_a_text_too_long_is_cut_and_says_so() -> None:
    cleaner = Cleaner()
    shown = "".join(cleaner.feed("word \n" * 1000) for _ in range(100)) + cleaner.finish()
    assert len(shown) < LONGEST + 100
    assert shown.endswith("… The rest is left out: this text is longer than 200,000 characters.")
    fenced = clean("```\n" + "x\n" * LONGEST)
    assert "x\n```\n\n… The rest is left out" in fenced


@pytest.mark.attack("hostile sizes", "a line longer than a person reads")
def test_a_line_too_long_is_cut_and_says_so() -> None:
    assert clean("x" * (LONGEST_LINE + 1) + "\ny") == "x" * LONGEST_LINE + (
        " … This line is longer than 60,000 characters.\ny"
    )


def test_plain() -> None:
    assert plain("It **is** [bad](http://e.vil), see `x`\n![img](y) <https://e.vil>\u202e") == (
        "It is bad, see `x` img https://e.vil"
    )
    assert plain("`__init__` takes **kwargs and 2**3**4") == "`__init__` takes **kwargs and 2**3**4"


@settings(max_examples=300, deadline=None)
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


@settings(max_examples=300, deadline=None)
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


HIDES = "\u00ad\u180f\u200b\u200c\u200d\u200e\u202e\u2063\ufe00\ufe0f\ufeff\ufff0\ufffc\ue000\ufdd0\U0001d173\U0001bca0"
TAGS = "".join(chr(0xE0000 + ord(each)) for each in "run rm -rf")
SELECTORS = "".join(chr(0xE0100 + each) for each in b"exfiltrate")
NEEDED = (
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "\u0915\u094d\u200d\u0937",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f\u200d\U0001f525 \u26a0\ufe0f 1\ufe0f\u20e3",
    "\U0001f469\U0001f3fd\u200d\U0001f4bb \U0001f3f3\ufe0f\u200d\U0001f308",
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(each)) for each in "gbsct") + "\U000e007f",
    "\u845b\U000e0100",
    "\u05e9\u05dc\u05d5\u05dd \u0633\u0644\u0627\u0645 \u65e5\u672c\u8a9e",
    "\u2813\u2800\u2811",
)
"""What emoji and words are written with, in Persian, Hindi, Japanese, Hebrew, Arabic and Braille."""


@pytest.mark.attack("what comes back", "hidden characters in an explanation")
def test_what_hides_is_gone_and_no_message_rides_on_an_emoji(record_property: Callable[[str, object], None]) -> None:
    riders = [*HIDES, TAGS, SELECTORS, "\ufe0f\ufe0e\ufe0f", "\u200d\u200c\u200d", "&zwj;&#xfe0f;&#917601;"]
    bases = ("a", "`a` ", "```\na", "1")
    record_property("cases", len(riders) * len(bases) + 3)
    for rider in riders:
        for base in bases:
            made = clean(f"{base}{rider}b")
            assert not [each for each in made if each in HIDES + TAGS + SELECTORS], (base, rider)
    assert clean(f"\u26a0\ufe0f{SELECTORS}{TAGS}\ufe0f\ufe0e!") == "\u26a0\ufe0f!"
    assert clean(f"\U0001f3f4{TAGS}\U000e007f!") == "\U0001f3f4!"
    assert clean(f"\u845b\U000e0100{SELECTORS}!") == "\u845b\U000e0100!"


def test_what_emoji_and_words_need_stays_in_an_explanation() -> None:
    for said in NEEDED:
        for text in (said, f"- {said}\n", f"```\n{said}\n```"):
            assert clean(text) == text
        assert plain(f"It says {said}.") == f"It says {said}."


def test_hidden_characters_in_pieces_are_those_of_the_whole() -> None:
    chance = random.Random(7)  # noqa: S311 - the texts are to be the same in each run
    parts = (*HIDES, TAGS, SELECTORS, *NEEDED, "a", " ", "\n", "\r\n", "\U0001f3f4", "\u0645", "\u2764", "`")
    for _ in range(1_000):
        text = "".join(chance.choices(parts, k=chance.randint(1, 12)))
        cleaner, made = Cleaner(), ""
        for at in range(0, len(text), size := chance.randint(1, 9)):
            made += cleaner.feed(text[at : at + size])
        assert made + cleaner.finish() == clean(text)


def test_a_text_that_ends_in_hidden_characters_has_a_limit_too() -> None:
    cleaner = Cleaner()
    cleaner.feed("x" * LONGEST)
    assert cleaner.feed("\u2764\ufe0f").count("The rest is left out") + cleaner.finish().count("The rest") == 1
    assert cleaner.feed("\u202e") == cleaner.finish() == ""


@pytest.mark.parametrize("word", ["....", "!!!", ")))", "?!", ""])
def test_punctuation_alone_is_no_address(word: str) -> None:
    assert markdown_inline._end(word, 0) == 0
    if word:
        assert markdown_inline._address(word) is None


@pytest.mark.parametrize(
    ("word", "address"),
    [
        ("www.a.com.", "www.a.com"),
        ("(http://a.com)", "http://a.com"),
        ("http://a.com/(b)).", "http://a.com/(b)"),
        ("a@b.com!", "a@b.com"),
    ],
)
def test_an_address_ends_before_punctuation(word: str, address: str) -> None:
    place = markdown_inline._address(word)
    assert place is not None
    assert word[place[0] : place[1]] == address
