r"""Keys that are in use, found in a text in whatever disguise, and replaced by a mark that names them.

A provider that is asked with a key may send it back: in an error, in an answer, cut by separators, in capitals,
URL-encoded. So what is shown, written down or kept is scanned for the keys in use:

- Only letters and digits count, whatever their case and width, so spaces, dashes, line ends and zero-width characters
  between them hide nothing; nor do escapes (``%41``, ``\u0041``, ``\x41``, ``&#65;``), twice over too.
- Base64, hexadecimal digits and the reverse order of a whole key are found as well.
- Of a key, 15 letters and digits in a row are enough, and 12 at its beginning; fewer show too little of it, as in the
  ``sk-a...wxyz`` with which providers name a key.

A text of n characters costs one pass for each 4 characters of a key, each a search for a fixed string. A key of less
than 8 letters and digits, or a short word in small letters such as ``not-needed``, is not searched for: such a word is
no secret, and would be found in ordinary sentences.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RUN = 12
"""Letters and digits of a key that are searched for at a time."""
_STEP = 4
_KEY_NAMES = ("_API_KEY", "PGPASSWORD")
_LEAST = 8
_LONG = 16
_NOISE = re.compile(r"[^0-9A-Za-z]+")
_ESCAPE = re.compile(
    r"%(?P<percent>[0-9a-fA-F]{2})|\\u\{?(?P<u>[0-9a-fA-F]{4,6})\}?|\\x(?P<x>[0-9a-fA-F]{2})"
    r"|&#(?:[xX](?P<hex>[0-9a-fA-F]{1,6})|(?P<decimal>[0-9]{1,7}));?"
)
_DEPTH = 3
"""How often escapes of escapes are resolved."""
_TAIL = 256
"""Characters of a stream that are kept as they came: an escape may be cut, or written in several pieces."""


@dataclass(frozen=True, slots=True)
class _Needle:
    """A piece of a disguised key, of letters and digits in small letters."""

    text: str
    whole: str
    """The disguise that it is a piece of."""
    start: int
    """Where it begins in ``whole``."""
    name: str


class KeyScan:
    """What a text is scanned for: the keys in use, by the names that a person knows them by."""

    def __init__(self, keys: Iterable[tuple[str, str]] = ()) -> None:
        """Take the keys, each after its name, such as ``MINE_API_KEY``; one too short to be a secret is left out."""
        self._needles: tuple[_Needle, ...] = ()
        self._exact: tuple[tuple[str, str], ...] = ()
        needles: dict[str, _Needle] = {}
        exact: dict[str, str] = {}
        for name, key in keys:
            bare = _bare(key)
            if not _is_secret(key, bare):
                continue
            if len(bare) < RUN:
                exact.setdefault(key, name)
            for needle in _needles(name, key, bare):
                needles.setdefault(needle.text, needle)
        self._needles = tuple(needles.values())
        self._exact = tuple(exact.items())

    def __bool__(self) -> bool:
        return bool(self._needles or self._exact)

    def holds(self, text: str) -> str:
        """Return the name of a key that a text holds; empty where it holds none."""
        for key, name in self._exact:
            if key in text:
                return name
        for view in _views(text) if self._needles else ():
            if found := self.holds_bare(_bare(view)):
                return found
        return ""

    def holds_bare(self, bare: str) -> str:
        """Return the name of a key that is in small letters and digits alone; empty where none is."""
        return next((needle.name for needle in self._needles if needle.text in bare), "")

    def hide(self, text: str) -> str:
        """Return a text with a mark such as ``[key of ANTHROPIC_API_KEY]`` in the place of each key."""
        if not self.holds(text):
            return text
        for key, name in self._exact:
            text = text.replace(key, _mark(name))
        for _ in range(_DEPTH + 1):
            spans = self._spans(text)
            if not spans:
                return text
            for start, end, name in reversed(spans):
                text = text[:start] + _mark(name) + text[end:]
        # Keys in disguises of disguises: rather no text than one with a key in it.
        name = self.holds(text)
        return text if not name else _mark(name)

    def _spans(self, text: str) -> list[tuple[int, int, str]]:
        """Return where keys are in a text, first to last, without overlaps."""
        found: list[tuple[int, int, str]] = []
        for depth in range(_DEPTH):
            bare, places = _placed(text, depth)
            for needle in self._needles:
                found += [(places[at][0], places[end - 1][1], needle.name) for at, end in _runs(bare, needle)]
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
    """Return what finds the keys of an environment, for a time before it is known which of them are in use."""
    return KeyScan((name, key) for name, key in environ.items() if name.endswith(_KEY_NAMES))


class StreamedScan:
    """Finds a key in a text that comes in pieces, wherever it is cut; each piece costs what its own length costs."""

    def __init__(self, scan: KeyScan) -> None:
        self._scan = scan
        self._bare = ""
        self._tail = ""

    def feed(self, piece: str) -> str:
        """Take the next piece; return the name of the key that it completes, empty where it completes none."""
        if not self._scan:
            return ""
        self._bare = self._bare[-2 * RUN :] + _bare(piece)
        self._tail = self._tail[-_TAIL:] + piece
        return self._scan.holds_bare(self._bare) or self._scan.holds(self._tail)


def _mark(name: str) -> str:
    return f"[key of {name}]"


def _is_secret(key: str, bare: str) -> bool:
    """Report whether a key is long and odd enough that no ordinary sentence holds it."""
    if len(bare) < _LEAST:
        return False
    return len(bare) >= _LONG or any(char.isdigit() for char in key) or (key.lower() != key and key.upper() != key)


def _needles(name: str, key: str, bare: str) -> Iterator[_Needle]:
    """Yield what to search for: runs of a key as it is, and a piece of each of its whole disguises."""
    last = len(bare) - RUN
    for start in (*range(0, max(last, 0), _STEP), *((last,) if last >= 0 else ())):
        yield _Needle(bare[start : start + RUN], bare, start, name)
    if last < 0:
        yield _Needle(bare, bare, 0, name)
    for disguise in _disguises(key):
        yield _Needle(disguise[: 2 * RUN], disguise, 0, name)
    if len(bare) >= RUN:
        yield _Needle(bare[::-1], bare[::-1], 0, name)


def _disguises(key: str) -> Iterator[str]:
    """Yield the encodings of a whole key, bare: what base64 makes of it wherever it begins, and hexadecimal digits."""
    data = key.encode("utf-8", "surrogatepass")
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data).decode()
        yield _bare(coded[(0, 2, 3)[shift] : len(coded) - 4 if (len(data) + shift) % 3 else len(coded)])
    yield data.hex()


def _bare(text: str) -> str:
    """Return the letters and digits of a text, in small letters."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _NOISE.sub("", text).lower()


def _views(text: str) -> Iterator[str]:
    """Yield a text as it is, and as it is where its escapes are resolved."""
    yield text
    for _ in range(_DEPTH - 1):
        if not _ESCAPE.search(text):
            return
        text = _ESCAPE.sub(lambda found: _char(found) or found[0], text)
        yield text


def _char(found: re.Match[str]) -> str:
    """Return the character that an escape means; empty where it means none."""
    code = int(found["decimal"]) if found["decimal"] else int(found[found.lastgroup or "hex"], 16)
    return chr(code) if code <= 0x10FFFF else ""  # noqa: PLR2004 - the last code point


def _placed(text: str, depth: int) -> tuple[str, Sequence[tuple[int, int]]]:
    """Return a text bare, and for each of its characters where it begins and ends in the text as it is."""
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


def _runs(bare: str, needle: _Needle) -> Iterator[tuple[int, int]]:
    """Yield where a bare text has a needle, with all around it that the disguised key has there too."""
    at = bare.find(needle.text)
    while at >= 0:
        start, inside = at, needle.start
        while start and inside and bare[start - 1] == needle.whole[inside - 1]:
            start, inside = start - 1, inside - 1
        end, inside = at + len(needle.text), needle.start + len(needle.text)
        while end < len(bare) and inside < len(needle.whole) and bare[end] == needle.whole[inside]:
            end, inside = end + 1, inside + 1
        yield start, end
        at = bare.find(needle.text, at + 1)
