"""Decide whether an invisible character is needed: in an emoji, or in a script that joins letters.

A directional mark is needed if it is single and near a letter that is written from right to left.

Sources: UTS 51 (emoji-data.txt, Unicode 16), UAX 31 (joiners in Arabic and Indic words), StandardizedVariants.txt.
Scripts are approximated by Unicode blocks, which is precise enough for joiners.
"""

from __future__ import annotations

import re
import unicodedata

_PICTURES = (
    "\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u2388\u23cf\u23e9-\u23f3\u23f8-\u23fa"
    "\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705\u2708-\u2712\u2714"
    "\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757\u2763-\u2767\u2795-\u2797\u27a1"
    "\u27b0\u27bf\u2934\u2935\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001f0ff"
    "\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171\U0001f17e\U0001f17f\U0001f18e\U0001f191-\U0001f19a"
    "\U0001f1ad-\U0001f1e5\U0001f201-\U0001f20f\U0001f21a\U0001f22f\U0001f232-\U0001f23a\U0001f23c-\U0001f23f"
    "\U0001f249-\U0001f3fa\U0001f400-\U0001f53d\U0001f546-\U0001f64f\U0001f680-\U0001f6ff\U0001f774-\U0001f77f"
    "\U0001f7d5-\U0001f7ff\U0001f80c-\U0001f80f\U0001f848-\U0001f84f\U0001f85a-\U0001f85f\U0001f888-\U0001f88f"
    "\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945\U0001f947-\U0001faff\U0001fc00-\U0001fffd"
)
"""The property Extended_Pictographic."""
_PICTURE = re.compile(f"[{_PICTURES}]")
_SKIN = "\U0001f3fb-\U0001f3ff"
_BEFORE_ZWJ = re.compile(f"[{_PICTURES}][\ufe0f{_SKIN}]?$")
_FLAG = re.compile(
    "\U0001f3f4(?:{})\U000e007f".format(
        "|".join("".join(chr(0xE0000 + ord(letter)) for letter in name) for name in ("gbeng", "gbsct", "gbwls"))
    )
)
"""The flags of England, Scotland and Wales, the subdivision flags that Unicode recommends for general interchange."""
_LONGEST_FLAG = 7
_JOINED = (
    "\u0600-\u08ff\ufb50-\ufdff\ufe70-\ufefc"  # Arabic, Syriac, Mandaic, N'Ko, Thaana
    "\u0900-\u0dff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\u19e0-\u19ff\u1a20-\u1aaf\u1b00-\u1bff\u1c00-\u1c4f"
    "\u1cd0-\u1cff\ua840-\ua87f\ua8e0-\ua8ff\ua930-\ua9ff\uaa60-\uaa7f\uaae0-\uaaff\uabc0-\uabff"  # Indic and its kin
    "\U00010a00-\U00010aff\U00010d00-\U00010d3f\U00010f30-\U00010f6f\U00011000-\U00011aff\U0001e900-\U0001e95f"
)
"""Scripts in which a joiner changes how letters join or form conjuncts."""
_IS_JOINED = re.compile(f"[{_JOINED}]")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1980-\u19ff\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf]"
)
"""Scripts without spaces between words, in which a zero-width space allows a line break."""
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_MARKS = "\u200e\u200f\u061c"
"""Directional marks. Near right-to-left letters they have no more effect than those letters."""
_BESIDE = 3
"""Maximum distance in code points between a directional mark and its letter."""
_ENDS = re.compile("[\"'`\n\r]")
_MONGOLIAN = re.compile("[\u1820-\u18aa]")


def is_needed(text: str, at: int) -> bool:
    """Return whether the invisible character at an offset is needed there.

    A joiner or variation selector after another one is not, so a sequence of them cannot encode a message.
    """
    character, before, after = text[at], text[max(0, at - 8) : at], text[at + 1 : at + 2]
    match character:
        case "\u200e" | "\u200f" | "\u061c":
            return _is_beside_right_to_left(text, at)
        case "\u200d" | "\u200c":
            if character == "\u200d" and _BEFORE_ZWJ.search(before) and _PICTURE.match(after):
                return True
            return _joins(before, after, character)
        case "\u200b":
            return bool(_UNSPACED.fullmatch(_base(before)) and _UNSPACED.match(after))
        case "\ufe0e" | "\ufe0f":
            is_keycap = before[-1:] in tuple("0123456789#*") and after == "\u20e3" and character == "\ufe0f"
            return is_keycap or _PICTURE.fullmatch(before[-1:]) is not None
        case "\ufe00" | "\ufe01" | "\ufe02":
            last = before[-1:]
            is_symbol = character == "\ufe00" and last != "" and unicodedata.category(last) == "Sm"
            return is_symbol or _IDEOGRAPH.fullmatch(last) is not None
        case "\u180b" | "\u180c" | "\u180d" | "\u180e" | "\u180f":
            return _MONGOLIAN.fullmatch(before[-1:]) is not None
        case "\u2800":
            return any("\u2801" <= each <= "\u28ff" for each in text[max(0, at - 64) : at + 65])
    return _is_tag(text, at, character)


def _is_tag(text: str, at: int, character: str) -> bool:
    """Return whether a character is an ideographic variation selector, or a tag of a flag."""
    if "\U000e0100" <= character <= "\U000e01ef":
        return _IDEOGRAPH.fullmatch(text[max(0, at - 1) : at]) is not None
    if "\U000e0000" <= character <= "\U000e007f":
        flags = _FLAG.finditer(text, max(0, at - _LONGEST_FLAG), at + _LONGEST_FLAG)
        return any(flag.start() < at < flag.end() for flag in flags)
    return False


def _joins(before: str, after: str, joiner: str) -> bool:
    """Return whether a joiner is between letters of a script that needs it.

    A zero-width joiner may also end a word, as in the Arabic abbreviation for Hijri years.
    """
    if not _IS_JOINED.fullmatch(_base(before)) or before[-1:] in "\u200c\u200d":
        return False
    ends_word = joiner == "\u200d" and not (after.isalnum() or after in "\u200b\u200c\u200d\u2060\ufeff")
    return bool(_IS_JOINED.match(after)) or ends_word or after == ""


def _is_beside_right_to_left(text: str, at: int) -> bool:
    """Return whether a directional mark is single and near a right-to-left letter of the text."""
    before = _ENDS.split(text[max(0, at - _BESIDE) : at])[-1]
    after = _ENDS.split(text[at + 1 : at + 1 + _BESIDE])[0]
    near = before + after
    return not any(each in _MARKS for each in near) and any(
        unicodedata.bidirectional(each) in ("R", "AL") for each in near
    )


def _base(before: str) -> str:
    """Return the last character that is not a combining mark; empty if none is near."""
    return next((each for each in reversed(before) if unicodedata.category(each) != "Mn"), before[-1:])
