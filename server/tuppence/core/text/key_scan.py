r"""Find the API keys in use in a text, also when disguised, and replace each by a mark with its name.

A provider may send a key back in an error or an answer, split by separators, in another case, or URL-encoded. Therefore
everything that is shown or stored is scanned for the keys in use:

- Only letters and digits are compared, regardless of case and width. Spaces, dashes, line endings, zero-width
  characters, accents and (nested) escapes such as ``%41``, ``\u0041``, ``\x41``, ``\101`` and ``&#65;`` hide nothing.
- Base64 (at any alignment), hexadecimal and reversed forms are found too.
- A match needs 12 consecutive letters and digits of a key (15 in a text of more than 4,096). Fewer reveal too little,
  as in ``sk-a...wxyz``, by which providers refer to a key.

The scan makes one table lookup per letter or digit, regardless of the number of keys. Keys with fewer than 8 letters
and digits, and short lowercase words such as ``not-needed``, are not searched for: they are not secret and occur in
ordinary sentences.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RUN = 12
"""Consecutive letters and digits of a key that make a match."""
_STEP = 4
_BRIEF = 4_096
"""Letters and digits of a text up to which every offset is tried; in a longer text every fourth one is."""
_KEY_NAMES = ("_API_KEY", "PGPASSWORD")
_LEAST = 8
_LONG = 16
_NOISE = bytes(code for code in range(256) if not (chr(code).isascii() and chr(code).isalnum()))
_LINKS = ("(", "[", ":")
_SIGNS = ("%", "\\", "&#")
"""The prefixes of all escapes."""
_ESCAPE = re.compile(
    r"%(?P<percent>[0-9a-fA-F]{2})|\\u\{(?P<braced>[0-9a-fA-F]{1,6})\}|\\u(?P<u>[0-9a-fA-F]{4})"
    r"|\\U(?P<wide>[0-9a-fA-F]{8})|\\x(?P<x>[0-9a-fA-F]{2})|\\(?P<octal>[0-3][0-7]{2})"
    r"|&#(?:[xX](?P<hex>[0-9a-fA-F]{1,6})|(?P<decimal>[0-9]{1,7}));?"
)
_DEPTH = 3
"""How many levels of nested escapes are resolved."""
_TAIL = 256
"""Characters of a stream that are buffered, because an escape may be split between pieces."""


@dataclass(frozen=True, slots=True)
class _Needle:
    """A substring of a normalized key or of one of its encodings."""

    text: str
    whole: str
    """The normalized encoding that contains it."""
    start: int
    """Its offset in ``whole``."""
    name: str


class KeyScan:
    """Scans text for the keys in use, which are known to the user by name."""

    def __init__(self, keys: Iterable[tuple[str, str]] = ()) -> None:
        """Take pairs of a name, such as ``MINE_API_KEY``, and a key; skip keys too short to be secret."""
        self._needles: dict[str, _Needle] = {}
        self._short: dict[str, _Needle] = {}
        self._exact: dict[str, str] = {}
        for name, key in keys:
            bare = _bare(key)
            if not _is_secret(key, bare):
                continue
            if len(bare) < RUN:
                self._exact.setdefault(key, name)
                self._short.setdefault(bare, _Needle(bare, bare, 0, name))
            for needle in _needles(name, key, bare):
                self._needles.setdefault(needle.text, needle)

    def __bool__(self) -> bool:
        return bool(self._needles or self._exact)

    def holds(self, text: str) -> str:
        """Return the name of a key in a text; empty if there is none."""
        for key, name in self._exact.items():
            if key in text:
                return name
        for view in _views(text) if self else ():
            if found := self.holds_bare(_bare(view)):
                return found
        return ""

    def holds_bare(self, bare: str) -> str:
        """Return the name of a key in a normalized text; empty if there is none."""
        needles = self._needles
        for at in _places(bare):
            if (needle := needles.get(bare[at : at + RUN])) is not None:
                return needle.name
        return next((needle.name for needle in self._short.values() if needle.text in bare), "")

    def hide(self, text: str) -> str:
        """Return a text with each key replaced by a mark such as ``[key of ANTHROPIC_API_KEY]``."""
        if not self.holds(text):
            return text
        for key, name in self._exact.items():
            pieces = text.split(key)
            text = pieces[0] + "".join(_mark(name, each[:1]) + each for each in pieces[1:])
        for _ in range(_DEPTH + 1):
            spans = self._spans(text)
            if not spans:
                return text
            for start, end, name in reversed(spans):
                text = text[:start] + _mark(name, text[end : end + 1]) + text[end:]
        # Keys in nested encodings: dropping the text is safer than showing a key.
        name = self.holds(
            text
        )  # pragma: no cover - each round resolves one level, and there are more rounds than levels
        return text if not name else _mark(name)  # pragma: no cover - no text is known that needs it

    def _runs(self, bare: str) -> Iterator[tuple[int, int, str]]:
        """Yield the span and name of each match in a normalized text, extended as far as it equals the key."""
        done = 0
        for at in _places(bare):
            needle = self._needles.get(bare[at : at + RUN])
            if needle is not None and at + RUN > done:
                start, done = _grown(bare, at, needle)
                yield start, done, needle.name
        for needle in self._short.values():
            for found in re.finditer(re.escape(needle.text), bare):
                yield found.start(), found.end(), needle.name

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """Return the spans and names of the keys in a text, in order, without overlaps."""
        found: list[tuple[int, int, str]] = []
        for depth in range(_DEPTH):
            bare, places = _placed(text, depth)
            found += [(places[at][0], places[end - 1][1], name) for at, end, name in self._runs(bare)]
            if found:
                break
        merged: list[tuple[int, int, str]] = []
        for start, end, name in sorted(found):
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
            else:
                merged.append((start, end, name))
        return merged


def environment_scan(environ: Mapping[str, str]) -> KeyScan:
    """Return a scan for all keys in environment variables, for use before it is known which are in use."""
    return KeyScan((name, key) for name, key in environ.items() if name.endswith(_KEY_NAMES))


class StreamedScan:
    """Finds keys in streamed text, also when split between pieces. The work for a piece is linear in its length."""

    def __init__(self, scan: KeyScan) -> None:
        self._scan = scan
        self._bare = ""
        self._tail = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; return the name of the key that it completes, or an empty string."""
        if not self._scan:
            return ""
        self._bare = self._bare[1 - RUN :] + _bare(piece)
        self._tail = self._tail[-_TAIL:] + piece
        return self._scan.holds_bare(self._bare) or (
            self._scan.holds(self._tail) if _has_escapes(self._tail) or not self._tail.isascii() else ""
        )


def _mark(name: str, after: str = "") -> str:
    """Return the mark that replaces a key; it cannot become a link label, whatever follows."""
    return f"[key of {name}]{' ' if after in _LINKS else ''}"


def _is_secret(key: str, bare: str) -> bool:
    """Return whether a key is long and unusual enough not to occur in ordinary sentences."""
    if len(bare) < _LEAST:
        return False
    return len(bare) >= _LONG or any(char.isdigit() for char in key) or (key.lower() != key and key.upper() != key)


def _needles(name: str, key: str, bare: str) -> Iterator[_Needle]:
    """Yield the substrings to search for, all of one length, of a key and each of its encodings."""
    for whole in (bare, bare[::-1], *_disguises(key)):
        for start in range(len(whole) - RUN + 1):
            yield _Needle(whole[start : start + RUN], whole, start, name)


def _disguises(key: str) -> Iterator[str]:
    """Yield the normalized encodings of a key: base64 at each alignment, and hexadecimal."""
    data = key.encode("utf-8", "surrogatepass")
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data).decode()
        yield _bare(coded[(0, 2, 3)[shift] : len(coded) - 4 if (len(data) + shift) % 3 else len(coded)])
    yield data.hex()


def _bare(text: str) -> str:
    """Return the normalized form of a text: its letters and digits in lower case."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return text.encode("ascii", "ignore").translate(None, _NOISE).lower().decode()


def _views(text: str) -> Iterator[str]:
    """Yield a text unchanged, and with its escapes resolved at each level."""
    yield text
    for _ in range(_DEPTH - 1):
        if not _has_escapes(text):
            return
        text = _ESCAPE.sub(lambda found: _char(found) or found[0], text)
        yield text


def _has_escapes(text: str) -> bool:
    return any(sign in text for sign in _SIGNS)


def _char(found: re.Match[str]) -> str:
    """Return the character of an escape; empty if it is invalid."""
    base = {"decimal": 10, "octal": 8}.get(found.lastgroup or "", 16)
    code = int(found[found.lastgroup or "hex"], base)
    return chr(code) if code <= 0x10FFFF else ""  # noqa: PLR2004 - the last code point


def _placed(text: str, depth: int) -> tuple[str, Sequence[tuple[int, int]]]:
    """Return the normalized text, and the start and end offset in the original of each of its characters."""
    pieces = [(char, at, at + 1) for at, char in enumerate(text)]
    for _ in range(depth):
        text = "".join(char for char, _start, _end in pieces)
        resolved: list[tuple[str, int, int]] = []
        done = 0
        for found in _ESCAPE.finditer(text):
            if char := _char(found):
                resolved += pieces[done : found.start()]
                resolved.append((char, pieces[found.start()][1], pieces[found.end() - 1][2]))
                done = found.end()
        pieces = resolved + pieces[done:]
    placed = [(each, start, end) for char, start, end in pieces for each in _bare(char)]
    return "".join(each for each, _, _ in placed), [(start, end) for _, start, end in placed]


def _places(bare: str) -> range:
    return range(0, len(bare) - RUN + 1, 1 if len(bare) <= _BRIEF else _STEP)


def _grown(bare: str, at: int, needle: _Needle) -> tuple[int, int]:
    """Return the start and end of the match around a needle."""
    start, inside = at, needle.start
    while start and inside and bare[start - 1] == needle.whole[inside - 1]:
        start, inside = start - 1, inside - 1
    end, inside = at + RUN, needle.start + RUN
    while end < len(bare) and inside < len(needle.whole) and bare[end] == needle.whole[inside]:
        end, inside = end + 1, inside + 1
    return start, end
