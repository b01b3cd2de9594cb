"""Make untrusted text safe to display: no hidden characters, no terminal escapes, no links.

Text from a repository, a model, a provider or another tool passes ``shown`` before it reaches an editor's window or a
terminal. A message that quotes such text uses ``quoted``: short, on one line, between quotation marks that the text
cannot close.

Hidden characters are those of :mod:`tuppence.core.text.hidden`. Characters that a script or an emoji needs stay: a
joiner after a virama or between letters of a cursive script, and the parts of an emoji sequence.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 200
"""Default limit of a quotation in code points."""

_PLAIN = re.compile(r"[\x20-\x7e]*")
_LINE_END = re.compile(r"\r\n?|\n")
_JOINERS = "\u200c\u200d"
_CURSIVE = frozenset({"ARABIC", "SYRIAC", "MANDAIC", "NKO", "MONGOLIAN", "ADLAM", "SOGDIAN", "MANICHAEAN"})
_BRAHMIC = frozenset(
    {"DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM", "SINHALA",
     "KHMER", "MYANMAR", "TIBETAN", "BALINESE", "JAVANESE"}
)  # fmt: skip
_CLOSING = {"“": "”", "«": "»"}
_SEEN = 8
"""How many times the limit of a quotation is read, because most of the text may be white space."""
_VIRAMA = 9
"""The canonical combining class of a virama."""
_FLAGS = frozenset(
    "".join(chr(0xE0000 + ord(each)) for each in name) + "\U000e007f" for name in ("gbeng", "gbsct", "gbwls")
)
"""The tag sequences of the flags of England, Scotland and Wales."""
_FLAG, _FLAG_TAGS = "\U0001f3f4", 6
_FLAG_END = "\U000e007f"
_NEEDABLE = re.compile("[\u180b-\u180f\u200c\u200d\ufe0e\ufe0f\U000e0061-\U000e007f]+")
_KEYCAP = "\u20e3"
_FIRST_SYMBOL = "\u2190"
_SYMBOLS = frozenset("\u00a9\u00ae\u203c\u2049\u2122\u2139")
"""Characters below U+2190 that can be an emoji."""

# VS Code makes links of [text](href) with href of http, https, command or file; others of any address. An index and
# a call, as in `f(x)[0](y)`, hold no character that an address needs, and stay.
_LINK = re.compile(r"\](\n*)\((?![^\][(){}<>:/\\.#?%&@|\n]*\))")


def shown(text: str, *, lines: bool = False) -> str:
    """Return a text that is safe to display: hidden characters as escapes, and no link other than a bare URL.

    Harmless text is unchanged, and the function is idempotent.

    :param lines: whether several lines can be shown. If so, line endings become LF and a tab four spaces; otherwise
        each becomes a space.
    """
    if _PLAIN.fullmatch(text):
        return _unlinked(text) if "](" in text else text
    text = _LINE_END.sub("\n" if lines else " ", text)
    text = text.replace("\t", "    " if lines else " ")
    return _unlinked(_visible(text))


def quoted(words: str, limit: int = LONGEST, mark: str = '"') -> str:
    """Return untrusted text as a quotation: on one line, between marks that it cannot close, shortened with ``…``.

    :param limit: maximum code points of the text, without the marks and the ``…``.
    :param mark: the opening mark: a quotation mark, a backtick or ``“``.
    """
    end = _CLOSING.get(mark, mark)
    line = short(words, limit)
    for each in {mark, end}:
        line = line.replace(each, "'")
    return f"{mark}{line}{end}"


def short(words: str, limit: int = LONGEST) -> str:
    """Return untrusted text on one line, shortened with ``…``, without quotation marks."""
    line = " ".join(shown(words[: _SEEN * limit]).split())
    return line if len(line) <= limit and len(words) <= _SEEN * limit else line[:limit].rstrip() + "…"


def _unlinked(text: str) -> str:
    return _LINK.sub(r"] \1(", text) if "]" in text else text


def _visible(text: str) -> str:
    """Return a text with each hidden character escaped, except those that a neighboring character needs."""
    from tuppence.core.text.hidden import hidden, is_hidden  # Imported late: only unusual text needs it.

    if next(hidden(text), None) is None:
        return text
    escapes = {ord(char): _escape(char) for char in set(text) if is_hidden(char) and not _NEEDABLE.match(char)}
    return _NEEDABLE.sub(_needed, text.translate(escapes))


def _needed(found: re.Match[str]) -> str:
    """Return a run of hidden characters, each unchanged or escaped."""
    text, made = found.string, ""
    for at in range(found.start(), found.end()):
        if made.endswith(_FLAG_END):
            break  # This ends the sequence.
        before = text[at - 1 : at] if not made or made.endswith(text[at - 1]) else ""
        if at == found.start() and before == _FLAG and text[at : at + _FLAG_TAGS] in _FLAGS:
            made = text[at : at + _FLAG_TAGS]
        else:
            made += text[at] if _is_needed(text[at], before, text[at + 1 : at + 2]) else _escape(text[at])
    rest = text[found.start() + _FLAG_TAGS : found.end()] if made.endswith(_FLAG_END) else ""
    return made + "".join(map(_escape, rest))


def _is_needed(char: str, before: str, after: str) -> bool:
    """Return whether a hidden character is needed between its neighbors; an empty neighbor was escaped."""
    if not before:
        return False
    if char in "\ufe0e\ufe0f":
        return _is_symbol(before) or (before in "0123456789#*" and after == _KEYCAP)
    if "\u180b" <= char <= "\u180f":
        return _script(before) == "MONGOLIAN" and unicodedata.category(before) == "Lo"
    if char not in _JOINERS:
        return False
    if unicodedata.combining(before) == _VIRAMA or (after and unicodedata.combining(after) == _VIRAMA):
        return unicodedata.category(before)[0] in "LM" and _script(before) in _BRAHMIC
    if char == "\u200d" and (_is_symbol(before) or before == "\ufe0f" or _is_skin(before)):
        return bool(after) and _is_symbol(after)
    script = _script(before)
    if script not in _CURSIVE | _BRAHMIC or unicodedata.category(before)[0] not in "LM":
        return False
    if char == "\u200d" and script in _CURSIVE:
        return True  # A single letter in the form that it has inside a word.
    return bool(after) and _script(after) == script and unicodedata.category(after)[0] in "LM"


def _is_symbol(char: str) -> bool:
    """Return whether a character can begin an emoji, judged by its category."""
    return char in _SYMBOLS or (char >= _FIRST_SYMBOL and unicodedata.category(char) in {"So", "Sm", "Cn", "Po"})


def _is_skin(char: str) -> bool:
    return "\U0001f3fb" <= char <= "\U0001f3ff"


def _script(char: str) -> str:
    return unicodedata.name(char, "").partition(" ")[0]


def _escape(char: str) -> str:
    code = ord(char)
    if code < 1 << 8:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"
