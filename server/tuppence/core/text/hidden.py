"""Characters that show nothing, or change how others are shown: which they are, what they are called, how to see them.

By Unicode's categories, as ``unicodedata`` has them, and by what categories do not say: the property
Default_Ignorable_Code_Point (DerivedCoreProperties.txt of Unicode 16) and some letters and symbols that are blank.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["called", "hidden", "is_hidden", "visible"]

_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""C0 and C1 but tab, line feed and carriage return."""
_FORMATS = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U00013430-\U0001343f\U000e0000-\U000e0fff"
)
"""What is ignored or steers the display; the last one of U+FFF0 to U+FFFC marks the place of an object."""
_BLANKS = "\u2800\U0001d159\U00013441\U00013442\U00016fe4"
"""Letters and symbols without ink: a Braille cell, a note's head, hieroglyphs, a Khitan filler."""
_NO_CHARACTERS = "\ud800-\udfff\ufdd0-\ufdef" + "".join(
    f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17)
)
"""Halves of characters, and what no character will ever be."""
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
"""Control characters have no name in Unicode; these are their aliases (NameAliases.txt)."""


def hidden(text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of the characters, one each, that show nothing or change how others are shown."""
    return _HIDDEN.finditer(text)


def is_hidden(character: str) -> bool:
    """Report whether a character shows nothing or changes how others are shown; tabs and line ends do not."""
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
    """Return a text with each character that does not show as its code point: ``<U+202E>``."""
    return _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
