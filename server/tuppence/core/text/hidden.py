"""Find, name and escape characters that are invisible or change how other characters are displayed.

They are found by Unicode category (``unicodedata``), by the property Default_Ignorable_Code_Point
(DerivedCoreProperties.txt of Unicode 16), and by a list of blank letters and symbols.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["called", "hidden", "is_hidden", "visible"]

_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""C0 and C1 controls except tab, line feed and carriage return."""
_FORMATS = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U00013430-\U0001343f\U000e0000-\U000e0fff"
)
"""Ignorable characters and display controls, including U+FFFC OBJECT REPLACEMENT CHARACTER."""
_BLANKS = "\u2800\U0001d159\U00013441\U00013442\U00016fe4"
"""Blank letters and symbols: a Braille cell, a null notehead, hieroglyph blanks, a Khitan filler."""
_NO_CHARACTERS = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)
)
"""Surrogates and noncharacters."""
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
_HIDDEN = re.compile(f"[{_CONTROLS}{_FORMATS}{_BLANKS}{_NO_CHARACTERS}{_PRIVATE}]")
_NAMES = {
    "\0": "NULL",
    "\b": "BACKSPACE",
    "\v": "LINE TABULATION",
    "\f": "FORM FEED",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x9b": "CONTROL SEQUENCE INTRODUCER",
}
"""Names of control characters from NameAliases.txt, because UnicodeData.txt has none."""


def hidden(text: str) -> Iterator[re.Match[str]]:
    """Yield a match for each hidden character of a text."""
    return _HIDDEN.finditer(text)


def is_hidden(character: str) -> bool:
    """Return whether a character is invisible or changes how others are displayed; tabs and line endings are not."""
    return _HIDDEN.match(character) is not None


def called(character: str) -> str:
    """Return a character's code point and name: ``U+202E RIGHT-TO-LEFT OVERRIDE``."""
    code = ord(character)
    if name := _NAMES.get(character) or unicodedata.name(character, ""):
        return f"U+{code:04X} {name}"
    category = unicodedata.category(character)
    kinds = {"Cc": "a control character", "Co": "a private-use character", "Cs": "half of a surrogate pair"}
    return f"U+{code:04X}, {kinds.get(category, 'no assigned character')}"


def visible(text: str) -> str:
    """Return a text with each hidden character replaced by its code point: ``<U+202E>``."""
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
