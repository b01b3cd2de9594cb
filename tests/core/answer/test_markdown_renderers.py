"""Markdown from a model in the renderers of editors: nothing in it is active, and all of its text is visible."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import pytest
from renderers import NAMES, alive, html_of, read

from tuppence.core.answer.markdown import Cleaner, clean

CASES = 20_000
PARTS = (
    *"`~[]()<>!\\:&*_-#\"' \t\n|=+$@^{}/.",
    *(
        "```",
        "``",
        "~~~",
        "~~",
        "`````",
        "```py\n",
        "\n```\n",
        "\n~~~\n",
        "\\`",
        "\\[",
        "\\<",
        "\\\n",
        "  \n",
        "` ",
        " `",
    ),
    *(
        "[a](b)",
        "![a](http://e.vil/x.png)",
        "[a]: http://e.vil",
        "[a]:\n http://e.vil",
        "[a][b]",
        "[a]",
        "[^1]",
        "[^1]: x",
    ),
    *(
        "<b>",
        "</b>",
        "<img src=x>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?x",
        "?>",
        "<!DOCTYPE x>",
        "<script>",
        "<details>",
    ),
    *(
        "http://e.vil",
        "https://e.vil/?a=b",
        "www.e.vil",
        "a@b.cd",
        "mailto:a@b.cd",
        "command:x",
        "ftp://x.y",
        "//e.vil",
    ),
    *(
        "e.com",
        "main.py",
        "<http://e.vil>",
        "<command:x>",
        "](",
        "](http://e.vil)",
        "[x](command:tuppence.run?1)",
        "][",
    ),
    *("&lt;", "&#91;", "&#x5d;", "&lbrack;", "&lpar;", "&grave;", "&#96;", "&#x202e;", "&NewLine;", "&Tab;", "&amp;"),
    *("    ", "  ", "- ", "1. ", "2) ", "> ", "\n\n", "   ", "---", "\n---\n", "\n===\n", "***", "# ", "- [ ] ", "\t"),
    *("x", "é", "word ", "\u202e", "\u200b", "\r\n", "\r", "\u2028", "\x85", "\x0b", "\xa0", "$", "$$", "$(zap)"),
    *(
        "| a | b |\n",
        "|---|---|\n",
        "-|-\n",
        ":-\n",
        "| `a | <b>` |\n",
        "`a|b`",
        "`a`",
        "``a`b``",
        "*a*",
        "**",
        "__",
        "~x~",
    ),
    *("`<img src=x>`", "`[a](http://e.vil)`", "`![a](http://e.vil)`", "`a*`", "`a_ <b>`", "`a~`", "{.x}", "::: x\n"),
)
"""What texts are made of: notation, what is dangerous in it, and what renderers read in different ways."""
GIVEN = (
    "~`![x](https://e.vil/p.png?leak=1)`",
    "[x\n~~~]: y\n![a](https://e.vil/p.png)\n~~~",
    "~`[Next](command:tuppence.run?1)`",
    # marked looks for the end of emphasis inside code that is longer than one backtick.
    "*x ``a* <img src=y>`` z",
    "_x ``a_ ![y](https://e.vil/y)`` z",
    # A bracket in a bracket may hold a lone backtick, to marked.
    "[ [ `] x](https://e.vil)`",
    "![ [ `] x](https://e.vil/p.png)`",
    # A table is split before code is read.
    "| a | b |\n|---|---|\n| `x | <img src=y>` |",
    "a|b\n-|-\n`x | <img src=y>`",
    "`a | ![x](https://e.vil/p.png)`\n:-",
    "> a|b\n> -|-\n> `x | <img src=y>`",
    # What looks like a tag or a link to marked hides where code begins.
    "a < `b > *` <img src=x> ` c*",
    "[`](x) *` <img src=x> `*",
    # A fence that one renderer ends earlier, opens later or does not see.
    "```\n```~~\n<img src=x>\n```",
    "~~~\n~~~~ \t\n<img src=x>",
    "- a\n      ```\n<img src=x>\n      ```",
    "a\n    ```\n<img src=x>\n    ```",
    "- ```\n<img src=x>\n  ```",
    "-\t```\n\t<img src=x>\n\t```",
    "1. a\n\n    ```\n  <img src=x>\n    ```",
    "> ```\n<img src=x>\n> ```",
    "> > ```\n> <img src=x>",
    "```\n\u00a0```\n<img src=x>\n```",
    "```\x0b\n<img src=x>\n```\x0b\n<img src=x>",
    "``` `\n<img src=x>\n```",
    "# ```\n<img src=x>\n```",
    "- - - ```\n<img src=x>",
    "[a]: <\n```\n<img src=x>\n```\n>",
    "[a]: x '\n```\n<img src=x>\n```\n'",
    "| a |\n|---|\n```\n<img src=x>\n```",
    "<!--\n```\n-->\n<img src=x>\n```\n",
    "<pre>\n```\n</pre>\n<img src=x>\n```",
    "---\nx: <img src=x>\n---\n",
    "$`x$ <img src=x>`",
    "$$\n```\n$$\n<img src=x>\n```",
    "\\\\`<img src=x>`",
    "`\\` <img src=x> `",
    "&#96;<img src=x>&#96; &lt;img src=x> &#60;img src=x>",
    "&#91;a](https://e.vil) &#33;[a](https://e.vil) [a&#93;(https://e.vil)",
    "&lt\\;img src=x> &[](y)lt;img src=x>",
    "ht[](x)tp://e.vil w[](x)ww.e.vil a[](x)@b.cd",
    "www.e.vil`x` e.com\\-x main.py__ e.com[a](b)www.e.vil",
    "[a](javascript:alert(1)) [a](<java\nscript:x>) [a]( \n x)",
    "[a\n](https://e.vil) ![a\n](https://e.vil) [a](\nhttps://e.vil)",
    "[a][]\n\n[a]: https://e.vil\n\n[^a]\n\n[^a]: https://e.vil",
    "<https://e.vil\n> <a@b.cd> <command:x>",
    "<a\nhref=https://e.vil>x</a> <img\nsrc=x>",
    "x\n===\n<img src=x>\n---",
    "*[HTML]: x\n:::\n<img src=x>\n:::",
    "`" * 3000 + "<img src=x>" + "`" * 2999,
    "> " * 300 + "<img src=x>",
    "- " * 300 + "[a](https://e.vil)",
)
"""Ways round what was there before, and their kin."""


def made(chance: random.Random) -> str:
    return "".join(chance.choice(PARTS) for _ in range(chance.randint(1, 18)))


def pieces(text: str, chance: random.Random) -> str:
    """Return what comes of a text that arrives in small pieces."""
    cleaner, out, at = Cleaner(), "", 0
    while at < len(text):
        size = chance.randint(1, 7)
        out += cleaner.feed(text[at : at + size])
        at += size
    return out + cleaner.finish()


@pytest.mark.slow
@pytest.mark.attack("what comes back", "random Markdown, in every renderer")
def test_nothing_in_random_markdown_lives(record_property: Callable[[str, object], None]) -> None:
    chance = random.Random(20_260)  # noqa: S311 - the texts are to be the same in each run
    texts = [made(chance) for _ in range(CASES)]
    cleaned = [clean(text) for text in texts]
    found = [
        (text, safe, name, tag)
        for text, safe, each in zip(texts, cleaned, html_of(cleaned), strict=True)
        for name, html in zip(NAMES, each, strict=True)
        if (tag := alive(html))
    ]
    assert not found, found[:3]
    record_property("cases", CASES)


@pytest.mark.attack("what comes back", "random Markdown, in pieces")
def test_pieces_of_random_markdown_are_the_whole_cleaned(record_property: Callable[[str, object], None]) -> None:
    chance = random.Random(20_261)  # noqa: S311
    texts = [*GIVEN, *(made(chance) for _ in range(4000))]
    assert not [text for text in texts if pieces(text, chance) != clean(text)]
    record_property("cases", len(texts))


@pytest.mark.attack("what comes back", "ways round a renderer's reading")
def test_no_known_way_round_lives(record_property: Callable[[str, object], None]) -> None:
    texts = [
        before + text + behind
        for text in GIVEN
        for before in ("", "x\n", "- x\n", "> x\n")
        for behind in ("", "\n\ny `z`")
    ]
    found = [
        (text, name, tag)
        for text, each in zip(texts, html_of([clean(text) for text in texts]), strict=True)
        for name, html in zip(NAMES, each, strict=True)
        if (tag := alive(html))
    ]
    assert not found, found[:3]
    record_property("cases", len(texts))


def test_the_renderers_and_the_look_at_their_html_find_what_lives() -> None:
    texts = ["<img src=x>", "![a](b)", "[a](b)", "<https://e.vil>", "www.evil.com", "<b onclick=x>y</b>", "<!-- x"]
    shown = html_of(texts)
    for text, each in zip(texts, shown, strict=True):
        assert alive(each[0]), text
        assert alive(each[2]), text
    assert not any(
        alive(html) for html in html_of(["# a\n\n- *b* `<img>`\n\n| c |\n|---|\n| d |\n\n```py\n<x>\n```"])[0]
    )


USEFUL = {
    "prose": (
        "# What it does\n\n`mean` divides the **sum** by the *count*; see `stats.mean(xs)[0]`. It's O(n²) & slow.\n\n"
        "## Details\n\n1. Reads `xs`.\n2. Divides:\n   - by `len(xs)`, or\n   - by 1.\n\n> Note: 3 < 4 and a > b.\n"
    ),
    "code": 'Use it:\n\n```python\nif a < b:\n    print(f"<{a}>")  # [x](y)\n```\n\nand\n'
    "\n~~~sh\necho $(ls | wc -l) `date`\n~~~\n",
    "code in lists": "1. First:\n   ```go\n   m := map[string][]int{}\n   ```\n2. Then\n   - a\n"
    "     ```rust\n     fn f<'a>(x: &'a str) {}\n     ```\n   - b\n",
    "generics": "`vector<int>` and `Map<String, List<T>>`, `&'a mut T`, `a[i](j)`, `x: int | None`, "
    "`fn<T>(t: T) -> T`.",
    "table": "| name | what |\n|:-----|-----:|\n| `a\\|b` | one, or *two* |\n| `c[0](d)` | 3 |\n",
    "paths": "In `~/.config/x.toml` or C:\\Users\\me\\x.txt, lib/main.py, setup.py and https://docs.example.com/a_b?c=d.",
    "math": "It takes $O(n \\log n)$ steps, ~10 ms, 5 % of $100, 2*3*4 and x_1 + y_2; (a, b) -> [c, d].",
    "shell": "Run `FOO=$(cat x | grep -v '<y>')` or `a && b || c`; then `echo \"${HOME}\"`.",
    "indexing": "The element xs[0][1], the set {1, 2}, the list [a, b], *args and **kwargs, f(x)[y], 2**3.",
    "escapes": "A \\*literal\\* star, \\`tick\\`, &lt;tag&gt; &amp; &copy; and a\\_b.",
}
"""What models write."""


@pytest.mark.parametrize("text", USEFUL.values(), ids=USEFUL)
def test_a_person_reads_the_words_in_their_order(text: str) -> None:
    before, after = html_of([text, clean(text)])
    for name, old, new in zip(NAMES, before, after, strict=True):
        assert squeezed(read(new)) == squeezed(read(old)), name


def test_code_blocks_are_shown_byte_for_byte() -> None:
    code = "\tif a < b:\n\n  x = `y`  \n    ```py\n\n# [z](w) &lt; \\* ~~~\n- [ ] <!-- | -->\n\tend"
    texts = [f"{lead}```py\n{code}\n```" for lead in ("", "text\n", "1. item\n\n\n", "| a |\n|---|\n")]
    inner = "\n".join(f"   {line}" if line else "" for line in code.split("\n"))
    texts += [f"1. item\n   ```py\n{inner}\n   ```\n2. next", f"- ```py\n{inner.replace('   ', '  ', 1)}\n  ```"][:1]
    for each in html_of([clean(text) for text in texts]):
        for html in each:
            found = re.search(r'<pre><code class="language-py">(.*?)\n?</code></pre>', html, re.DOTALL)
            assert found
            # marked makes spaces of a tab at the beginning of a line, whoever wrote it.
            assert code_of(found[1]).replace("    ", "\t") == code.replace("    ", "\t")


def code_of(html: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        html = html.replace(entity, character)
    return html


def squeezed(text: str) -> str:
    """Return a text without white space: where a word is code, some renderers put a space and some do not."""
    return "".join(text.split())
