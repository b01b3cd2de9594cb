r"""Keys that are in use, found in a text in whatever disguise, and replaced by a mark that names them.

A provider that is asked with a key may send it back: in an error, in an answer, cut by separators, in capitals,
URL-encoded. So what is shown, written down or kept is scanned for the keys in use:

- Only letters and digits count, whatever their case and width, so spaces, dashes, line ends and zero-width characters
  between them hide nothing; nor do accents and escapes (``%41``, ``\u0041``, ``\x41``, ``\101``, ``&#65;``), twice over
  too.
- Base64 (wherever in it the key begins), hexadecimal digits and the reverse order are found as well.
- Of a key, 12 letters and digits in a row are enough (15 in a text of more than 4,096); fewer show too little of it, as
  in the ``sk-a...wxyz`` with which providers name a key.

A text costs one look into a table for each of its letters and digits, however many keys there are. A key of less than
8 letters and digits, or a short word in small letters such as ``not-needed``, is not searched for: such a word is no
secret, and would be found in ordinary sentences.
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
_BRIEF = 4_096
"""Letters and digits of a text up to which each place is looked at, and above which each fourth."""
_KEY_NAMES = ("_API_KEY", "PGPASSWORD")
_LEAST = 8
_LONG = 16
_NOISE = bytes(code for code in range(256) if not (chr(code).isascii() and chr(code).isalnum()))
_LINKS = ("(", "[", ":")
_SIGNS = ("%", "\\", "&#")
"""What every escape begins with."""
_ESCAPE = re.compile(
    r"%(?P<percent>[0-9a-fA-F]{2})|\\u\{(?P<braced>[0-9a-fA-F]{1,6})\}|\\u(?P<u>[0-9a-fA-F]{4})"
    r"|\\U(?P<wide>[0-9a-fA-F]{8})|\\x(?P<x>[0-9a-fA-F]{2})|\\(?P<octal>[0-3][0-7]{2})"
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
        """Return the name of a key that a text holds; empty where it holds none."""
        for key, name in self._exact.items():
            if key in text:
                return name
        for view in _views(text) if self else ():
            if found := self.holds_bare(_bare(view)):
                return found
        return ""

    def holds_bare(self, bare: str) -> str:
        """Return the name of a key that is in small letters and digits alone; empty where none is."""
        needles = self._needles
        for at in _places(bare):
            if (needle := needles.get(bare[at : at + RUN])) is not None:
                return needle.name
        return next((needle.name for needle in self._short.values() if needle.text in bare), "")

    def hide(self, text: str) -> str:
        """Return a text with a mark such as ``[key of ANTHROPIC_API_KEY]`` in the place of each key."""
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
        # Keys in disguises of disguises: rather no text than one with a key in it.
        name = self.holds(text)
        return text if not name else _mark(name)

    def _runs(self, bare: str) -> Iterator[tuple[int, int, str]]:
        """Yield where a bare text has a run of a key, with all around it that the disguised key has there too."""
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
        """Return where keys are in a text, first to last, without overlaps."""
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
        self._bare = self._bare[1 - RUN :] + _bare(piece)
        self._tail = self._tail[-_TAIL:] + piece
        return self._scan.holds_bare(self._bare) or (
            self._scan.holds(self._tail) if _has_escapes(self._tail) or not self._tail.isascii() else ""
        )


def _mark(name: str, after: str = "") -> str:
    """Return the mark that replaces a key; it cannot become the label of a link, whatever follows it."""
    return f"[key of {name}]{' ' if after in _LINKS else ''}"


def _is_secret(key: str, bare: str) -> bool:
    """Report whether a key is long and odd enough that no ordinary sentence holds it."""
    if len(bare) < _LEAST:
        return False
    return len(bare) >= _LONG or any(char.isdigit() for char in key) or (key.lower() != key and key.upper() != key)


def _needles(name: str, key: str, bare: str) -> Iterator[_Needle]:
    """Yield what to search for: runs of a key as it is and of each of its disguises, all of one length."""
    for whole in (bare, bare[::-1], *_disguises(key)):
        for start in range(len(whole) - RUN + 1):
            yield _Needle(whole[start : start + RUN], whole, start, name)


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
        text = unicodedata.normalize("NFKD", text)
    return text.encode("ascii", "ignore").translate(None, _NOISE).lower().decode()


def _views(text: str) -> Iterator[str]:
    """Yield a text as it is, and as it is where its escapes are resolved."""
    yield text
    for _ in range(_DEPTH - 1):
        if not _has_escapes(text):
            return
        text = _ESCAPE.sub(lambda found: _char(found) or found[0], text)
        yield text


def _has_escapes(text: str) -> bool:
    return any(sign in text for sign in _SIGNS)


def _char(found: re.Match[str]) -> str:
    """Return the character that an escape means; empty where it means none."""
    base = {"decimal": 10, "octal": 8}.get(found.lastgroup or "", 16)
    code = int(found[found.lastgroup or "hex"], base)
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


def _places(bare: str) -> range:
    return range(0, len(bare) - RUN + 1, 1 if len(bare) <= _BRIEF else _STEP)


def _grown(bare: str, at: int, needle: _Needle) -> tuple[int, int]:
    """Return where the run around a needle begins and ends."""
    start, inside = at, needle.start
    while start and inside and bare[start - 1] == needle.whole[inside - 1]:
        start, inside = start - 1, inside - 1
    end, inside = at + RUN, needle.start + RUN
    while end < len(bare) and inside < len(needle.whole) and bare[end] == needle.whole[inside]:
        end, inside = end + 1, inside + 1
    return start, end
