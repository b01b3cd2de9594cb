"""Replace secrets by placeholders in all text of one request, and restore them.

A secret is replaced wherever it occurs, not only where it was found, by a placeholder of equal length, so offsets are
valid in both texts. A short secret is replaced only where it is a separate word. Overlapping secrets are replaced
completely.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tuppence.core.secrets.placeholder import placeholder
from tuppence.core.text.key_scan import RUN, KeyScan

DISTINCT = 16
"""Minimum code points of a secret that is replaced inside longer words too."""
_SHORT = 8
_GRAM = 8
"""Consecutive code points of a long placeholder that cannot be a coincidence."""
_BRIEF = 6
"""Consecutive code points of a short placeholder that cannot be a coincidence."""
_SEED = 3
_ALIKE = 0.7
"""Minimum share of equal code points by which a word counts as an altered short placeholder."""
_PIECE = 12
"""Minimum code points of a part of a secret that is replaced in a message."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A secret and its placeholder."""

    value: str = field(repr=False)
    placeholder: str
    """Has the length of the value."""
    kind: str
    keep: int = 0
    """Number of leading code points that are public and equal in both."""


@dataclass(frozen=True)
class Replacements:
    """The secrets of one request, without duplicates."""

    all: tuple[Replacement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The secrets, longest first."""
        return tuple(sorted((each.value for each in self.all), key=len, reverse=True))

    @cached_property
    def _longest_first(self) -> tuple[Replacement, ...]:
        return tuple(sorted(self.all, key=lambda each: (-len(each.value), each.value)))

    def masked(self, text: str) -> str:
        """Return a text with each secret replaced by its placeholder."""
        return _rewritten(text, ((each.value, each.placeholder) for each in self._longest_first))

    def masked_in_pieces(self, text: str) -> str:
        """Return a text with secrets, and parts of secrets, replaced."""
        text = self.masked(text)
        pieces: list[tuple[str, str]] = []
        for each in self._longest_first:
            longest = _common(each, text)
            pieces += [(each.value[start:end], each.placeholder[start:end]) for start, end in longest]
        return _rewritten(text, sorted(set(pieces), key=lambda piece: -len(piece[0]))) if pieces else text

    def restored(self, text: str) -> str:
        """Return a text with each placeholder replaced by its secret."""
        return _rewritten(text, ((each.placeholder, each.value) for each in self._longest_first))

    def has_piece(self, text: str) -> bool:
        """Return whether a text has a placeholder, a part of one, or an altered one. Case is ignored.

        A part counts only if it is too long to be a coincidence.
        """
        folded = text.lower()
        seeds = self._seeds
        for grams, size in ((self._grams, _GRAM), (self._brief, _BRIEF)):
            if grams and any(run in grams for run in _runs(folded, size)):
                return True
        if not seeds:
            return False
        return any(
            _is_like(folded, at - offset, short)
            for at in range(len(folded) - _SEED + 1)
            for short, offset in seeds.get(folded[at : at + _SEED], ())
        )

    def is_disguised(self, text: str) -> bool:
        """Return whether a text has a placeholder split by symbols, in base64, in hexadecimal or reversed."""
        return bool(self._scan.holds(text))

    @cached_property
    def _scan(self) -> KeyScan:
        private = ((each.kind, each.placeholder[each.keep :]) for each in self.all)
        return KeyScan((kind, text) for kind, text in private if sum(map(str.isalnum, text)) >= RUN)

    @cached_property
    def _grams(self) -> frozenset[str]:
        """The substrings that identify a long placeholder."""
        return self._known_by(_GRAM, lambda private: len(private) >= DISTINCT)

    @cached_property
    def _brief(self) -> frozenset[str]:
        """The substrings that identify a part of a short placeholder; a few digits could be a coincidence."""
        return frozenset(
            run for run in self._known_by(_BRIEF, lambda private: len(private) < DISTINCT) if not run.isdigit()
        )

    def _known_by(self, size: int, is_meant: Callable[[str], bool]) -> frozenset[str]:
        known = {run for each in self.all for run in _runs(each.value.lower(), size)}
        private = (each.placeholder[each.keep :].lower() for each in self.all)
        return frozenset(run for text in private if is_meant(text) for run in _runs(text, size) if run not in known)

    @cached_property
    def _seeds(self) -> dict[str, list[tuple[str, int]]]:
        """Substrings that survive in an altered short placeholder, each with the placeholders and their offsets."""
        seeds: dict[str, list[tuple[str, int]]] = {}
        for each in self.all:
            private = each.placeholder[each.keep :].lower()
            if len(private) < DISTINCT:
                for offset, run in enumerate(_runs(private, min(_SEED, len(private)))):
                    seeds.setdefault(run, []).append((private, offset))
        return seeds

    def of(self, text: str) -> Replacements:
        """Return the replacements of the secrets in a text."""
        return Replacements(tuple(each for each in self.all if next(occurrences(text, each.value), None) is not None))


def replacements(found: Iterable[tuple[str, str, int]], salt: bytes, is_taken: Callable[[str], bool]) -> Replacements:
    """Return a replacement for each secret.

    :param found: tuples of a secret, its kind and its number of public leading code points.
    :param is_taken: returns whether a document contains a candidate, which cannot be a placeholder then.
    :raises Unsearchable: a secret has no possible placeholder.
    """
    values: dict[str, tuple[str, int]] = {}
    for value, kind, keep in found:
        values.setdefault(value, (kind, keep))
    used: dict[str, str] = {}
    chosen: set[str] = set()
    for value in sorted(values):
        keep = values[value][1]

        def is_refused(text: str, value: str = value, keep: int = keep) -> bool:
            return text in values or text in chosen or _is_near(text, value, keep) or is_taken(text)

        used[value] = placeholder(value, keep, salt, is_refused)
        chosen.add(used[value])
    return Replacements(tuple(Replacement(value, used[value], *values[value]) for value in values))


def occurrences(text: str, value: str) -> Iterator[int]:
    """Yield the offsets of a value in a text; of a short one only as a separate word."""
    at = text.find(value)
    while at >= 0:
        if not needs_word(value) or not (
            _is_word(text, at - 1, value[0]) or _is_word(text, at + len(value), value[-1])
        ):
            yield at
        at = text.find(value, at + len(value))


def needs_word(value: str) -> bool:
    """Return whether a value is short enough to be part of an ordinary word, so it must match a whole word."""
    return len(value) < DISTINCT and (value.isalpha() or len(value) < _SHORT)


def _is_word(text: str, at: int, edge: str) -> bool:
    """Return whether a neighboring code point continues the word at the value's edge."""
    return 0 <= at < len(text) and (edge.isalnum() or edge == "_") and (text[at].isalnum() or text[at] == "_")


def _rewritten(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a text with the first text of each pair replaced by the second; earlier pairs take precedence.

    Where matches overlap, the remaining part of a later one is replaced too.
    """
    places: list[tuple[int, str]] = []
    for old, new in pairs:
        places += ((at, new) for at in occurrences(text, old))
    if not places:
        return text
    out, done = list(text), bytearray(len(text))
    for at, new in places:
        if not any(done[at : at + len(new)]):
            out[at : at + len(new)] = new
        else:
            for offset, each in enumerate(new):
                if not done[at + offset]:
                    out[at + offset] = each
        done[at : at + len(new)] = b"\1" * len(new)
    return "".join(out)


def _common(each: Replacement, text: str) -> Iterator[tuple[int, int]]:
    """Yield the longest prefixes and suffixes of a secret that occur in a text."""
    value, at = each.value, each.keep
    size = len(value)
    while at + _PIECE <= size:
        if value[at : at + _PIECE] not in text:
            at += 1
            continue
        end = at + _PIECE
        while end < size and value[at : end + 1] in text:
            end += 1
        yield at, end
        at = end


def _runs(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(len(text) - size + 1))


def _is_like(text: str, start: int, short: str) -> bool:
    """Return whether the text at an offset equals a short placeholder, or nearly does."""
    if start < 0:
        return False
    window = text[start : start + len(short)]
    return sum(one == other for one, other in zip(window, short, strict=False)) >= _ALIKE * len(short)


def _is_near(text: str, value: str, keep: int) -> bool:
    """Return whether a candidate is too similar to its secret to be a placeholder."""
    private, rest = text[keep:].lower(), value[keep:].lower()
    return sum(one == other for one, other in zip(private, rest, strict=True)) >= _ALIKE * len(rest)
