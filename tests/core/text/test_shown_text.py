"""Text from others, as shown to the user: no hidden characters and no links; harmless text is unchanged."""

from __future__ import annotations

import re
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tuppence.core.text.hidden import is_hidden
from tuppence.core.text.shown_text import quoted, short, shown

# The pattern by which VS Code finds links in a notification (src/vs/base/common/linkedText.ts), flags g and i.
VSCODE = re.compile(r"\[([^\]]+)\]\(((?:https?://|command:|file:)[^)\s]+)(?: ([\"'])(.+?)(\3))?\)", re.IGNORECASE)
# What CommonMark takes for the middle of an inline link with an address in it.
MARKDOWN = re.compile(r"\]\([ \t\n]*<?[a-z]*[:/.\\#]", re.IGNORECASE)
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u2065\u2800\u3164\uffa0\ufff0\U000e0000\U000e0041\U000e01ef"
LINKS = [
    "[Read the guide](command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22x%22%7D)",
    "[Retry](https://evil.example/a)",
    "[Retry](HTTPS://evil.example/a)",
    "[Retry](CoMmAnD:x)",
    "[open](file:///etc/passwd)",
    '[a](command:x "a title")',
    "[a](command:x 'a title')",
    "[a[b](command:x)",
    "[a](vscode://settings/x)",
    "[a](//evil.example)",
    "[a](evil.example)",
    "[a]( command:x)",
    "[a](<command:x>)",
    "[a](\ncommand:x)",
    "[a]\n(command:x)",
    "![a](https://evil.example/p.png)",
    "[![a](https://evil.example/p.png)](command:x)",
    "[a](command:f(x))",
    "[a](#command:x)",
    "[a](%63ommand:x)",
    "[a](&#99;ommand:x)",
    "]](command:x)",
    "[a\\](command:x)",
    "[a](command\\:x)",
    "[a](mailto:x@evil.example)",
    "[a](javascript:alert(1))",
    "[a](data:text/html,x)",
    "[a](\u200bcommand:x)",
    "[a]\u200b(command:x)",
]
HARMLESS = [
    "f(x)[0](y)",
    "handlers[name](event, *args)",
    "fn[T]() and a[i](j + 1, k='z')",
    "Fixed `mean`: claude-sonnet-4-6, $0.0129 (parses, diagnostic gone).",
    "Undefined name `x`; see https://docs.example/rules?a=b#F821 (ruff).",
    'a[0] = {"b": [1, 2]}',
    "%s %d %{foo} $(icon) \\n \\u202e [bold]x[/bold] <b>&amp;</b>",
    "Gr\u00f6\u00dfe, na\u00efve, \u0141\u00f3d\u017a, \u03b1\u03b2\u03b3, \u041f\u0440\u0438\u0432\u0435\u0442",
    "\u65e5\u672c\u8a9e\u3068\u4e2d\u6587\u3001\ud55c\uad6d\uc5b4\u3000\u5168\u89d2",
    "e\u0301 a\u0308 \u0e01\u0e33 combining marks",
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0646\u0645\u06cc\u200c\u062f\u0627\u0646\u0645",
    "\u0647\u200d. \u0661\u0663\u0667\u0666",
    "\u0915\u094d\u200d\u0937 \u0930\u094d\u200d\u092f \u0915\u094d\u200c\u0937",
    "\u09b0\u200d\u09cd\u09af \u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0d28\u0d4d\u200d",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f469\U0001f3fd\u200d\U0001f4bb",
    "\u2764\ufe0f \u2764\ufe0f\u200d\U0001f525 1\ufe0f\u20e3 #\ufe0f\u20e3 \u00a9\ufe0f \u2122\ufe0f \u203c\ufe0f",
    "\U0001f3f3\ufe0f\u200d\U0001f308 \U0001f3f4\u200d\u2620\ufe0f \U0001f1e9\U0001f1ea",
    "\U0001f937\U0001f3fb\u200d\u2642\ufe0f",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "\u1820\u180b\u1837 \u06dd\u0660 \u0600\u0661",
    "\xa0\u2003\u202f spaces that are seen",
]


def hidden_in(text: str) -> list[str]:
    """Return the characters of a text that nobody sees, by Unicode's own words, but those that others need."""
    return [
        f"U+{ord(char):04X}"
        for char in text
        if (unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in "\u0600\u06dd\u200c\u200d")
        or char in INVISIBLE
    ]


@pytest.mark.attack("what comes back", "a link in a message")
def test_no_link_is_left(record_property: Any) -> None:
    record_property("cases", len(LINKS) * 3)
    for link in LINKS:
        for words in (link, f"see {link} now", f"[x{link}{link}"):
            for made in (shown(words), shown(words, lines=True), quoted(words), short(words)):
                for seen in (made, made.replace("\n", " "), made.replace("\n", "")):
                    assert not VSCODE.search(seen), words
                    assert not MARKDOWN.search(seen), words


@pytest.mark.attack("what comes back", "a hidden character in a message")
def test_every_character_that_hides_is_made_visible(record_property: Any) -> None:
    every = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in {"Cc", "Cf", "Cs", "Zl", "Zp", "Co"}
    ]
    attacks = [
        char
        for char in (*every, *INVISIBLE)
        if char not in "\t\r\n"
        and char not in "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    ]
    record_property("cases", sum(unicodedata.category(char) not in {"Co", "Cs"} for char in attacks))
    assert len(attacks) > 140_000 - 3_000
    text = "x".join(attacks)
    made = shown(f"a{text}b", lines=True)
    assert made.isascii()
    assert made.isprintable()
    assert made.count("\\") == len(attacks)


@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_text_stays(text: str) -> None:
    assert shown(text) == text
    assert shown(text, lines=True) == text


TAGS = {f"U+{0xE0000 + ord(char):04X}" for char in "gbenscltw\x7f"}
"""What the flags of England, Scotland and Wales are made of."""
PIECES = ["command:", "](", "https://", "file:", "[a](command:b)", "[a", "b)"]
ODD = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from("[]()<>:/ \n\r\t\"'ab\x1b\x9b\u202e\u200d\u200c\ufe0f"),
        st.sampled_from("\U000e0067\U000e007f\U0001f3f4\U0001f469\u094d\u0915\u0645"),
    ),
    max_size=60,
)


@given(text=st.lists(st.one_of(ODD, st.sampled_from([*LINKS, *PIECES])), max_size=8).map("".join), lines=st.booleans())
@example(text="]\r\n(command:x)", lines=True)
@example(text="[a](command:\u202ex)", lines=False)
def test_any_text_is_safe_and_stays_so(text: str, lines: bool) -> None:  # noqa: FBT001 - given by Hypothesis
    made = shown(text, lines=lines)
    assert shown(made, lines=lines) == made
    assert not VSCODE.search(made)
    assert not VSCODE.search(made.replace("\n", " "))
    left = set(hidden_in(made.replace("\n", "") if lines else made))
    assert left <= TAGS
    assert lines or "\n" not in made
    visible = [
        char for char in text if char.isprintable() and char not in " \u2800" and unicodedata.category(char) != "Mn"
    ]
    rest = iter(made)
    assert all(char in rest for char in visible if char not in "\u115f\u1160\u3164\uffa0")


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_plain_text_is_changed_where_it_would_be_a_link_alone(text: str) -> None:
    assert shown(text).replace("] (", "](") == text.replace("] (", "](")


@pytest.mark.attack("what comes back", "words that leave their quotation")
def test_a_quotation_is_short_on_one_line_and_closed(record_property: Any) -> None:
    words = ['a" and now "b', "a” said “b", "a` `b", "x" * 9999, "a\n\n\nb", "\n" * 9999 + "late", "\u202e" * 500, ""]
    record_property("cases", len(words) * 3)
    for each in words:
        for mark, end in (('"', '"'), ("`", "`"), ("“", "”")):
            made = quoted(each, 40, mark)
            assert len(made) <= 40 + len(mark) + len(end) + 1
            assert made.startswith(mark)
            assert made.endswith(end)
            assert not set(made[1:-1]) & {mark, end, "\n"}
    assert quoted("Überlauf in\tZeile 3") == '"Überlauf in Zeile 3"'


@pytest.mark.attack("hostile sizes", "a long text that a person is to see")
@pytest.mark.parametrize("unit", ["](", "[a](", "]\n", "[", "\u202e", "\u200d", "\U0001f3f4\U000e0067", "a[0](b", "(:"])
def test_a_long_text_is_made_safe_too(unit: str) -> None:
    text = unit * (64 * 1024 // len(unit))
    made = shown(text, lines=True)
    assert not VSCODE.search(made[:2000])
    assert len(made) <= 12 * len(text)


@pytest.mark.attack("what comes back", "a character that hides in code alone")
def test_what_hides_in_code_hides_in_a_message_and_nothing_else_does(record_property: Any) -> None:
    every = [chr(code) for code in range(sys.maxunicode + 1) if chr(code) not in "\t\r\n[]()"]
    hides = [each for each in every if is_hidden(each)]
    record_property("cases", sum(unicodedata.category(each) not in {"Co", "Cs"} for each in hides))
    made = shown("x".join(["", *hides, ""]))
    assert made.isascii()
    assert made.count("\\") == len(hides)
    seen = "".join(each for each in every if not is_hidden(each))
    assert shown(seen) == seen
