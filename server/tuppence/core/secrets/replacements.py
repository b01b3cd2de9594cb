"""Secrets and what takes their place, for all the text of one request.

A value is replaced wherever it occurs, not only where it was found, and by one of its own length, so that every offset
means the same place in both texts. A short value is replaced only where it is a word of its own. Where two values
overlap, no code point of either is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tuppence.core.secrets.placeholder import placeholder
from tuppence.core.text.key_scan import RUN, KeyScan

DISTINCT = 16
"""Code points from which on a value is replaced inside longer words too."""
_SHORT = 8
_GRAM = 8
"""Code points in a row of a long placeholder that are no accident."""
_BRIEF = 6
"""The same for a short placeholder."""
_SEED = 3
_ALIKE = 0.7
"""The part of a short placeholder's code points from which on another word is taken for an altered one."""
_PIECE = 12
"""Code points of a secret that are replaced where a message quotes only a part of it."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """One secret."""

    value: str = field(repr=False)
    placeholder: str
    """As long as the value."""
    kind: str
    keep: int = 0
    """How many of the first code points are public, and the same in both."""


@dataclass(frozen=True)
class Replacements:
    """The secrets of one request, each once."""

    all: tuple[Replacement, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all)

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The secrets themselves, the longest first."""
        return tuple(sorted((each.value for each in self.all), key=len, reverse=True))

    @cached_property
    def _longest_first(self) -> tuple[Replacement, ...]:
        return tuple(sorted(self.all, key=lambda each: (-len(each.value), each.value)))

    def masked(self, text: str) -> str:
        """Return a text with a placeholder for each secret in it."""
        return _rewritten(text, ((each.value, each.placeholder) for each in self._longest_first))

    def masked_in_pieces(self, text: str) -> str:
        """Return a text without its secrets, and without the parts of secrets that a message quotes."""
        text = self.masked(text)
        pieces: list[tuple[str, str]] = []
        for each in self._longest_first:
            longest = _common(each, text)
            pieces += [(each.value[start:end], each.placeholder[start:end]) for start, end in longest]
        return _rewritten(text, sorted(set(pieces), key=lambda piece: -len(piece[0]))) if pieces else text

    def restored(self, text: str) -> str:
        """Return a text with each placeholder turned back into its secret."""
        return _rewritten(text, ((each.placeholder, each.value) for each in self._longest_first))

    def has_piece(self, text: str) -> bool:
        """Report whether a text holds a placeholder, a part of one that is no accident, or one with a changed letter.

        Capitals and small letters count as equal.
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
        """Report whether a text holds a placeholder cut by signs, in base64, as hexadecimal digits or backwards."""
        return bool(self._scan.holds(text))

    @cached_property
    def _scan(self) -> KeyScan:
        private = ((each.kind, each.placeholder[each.keep :]) for each in self.all)
        return KeyScan((kind, text) for kind, text in private if sum(map(str.isalnum, text)) >= RUN)

    @cached_property
    def _grams(self) -> frozenset[str]:
        """The runs by which a long placeholder is known."""
        return self._known_by(_GRAM, lambda private: len(private) >= DISTINCT)

    @cached_property
    def _brief(self) -> frozenset[str]:
        """Those by which a part of a short one is known; a few digits in a row could be an accident."""
        return frozenset(
            run for run in self._known_by(_BRIEF, lambda private: len(private) < DISTINCT) if not run.isdigit()
        )

    def _known_by(self, size: int, is_meant: Callable[[str], bool]) -> frozenset[str]:
        known = {run for each in self.all for run in _runs(each.value.lower(), size)}
        private = (each.placeholder[each.keep :].lower() for each in self.all)
        return frozenset(run for text in private if is_meant(text) for run in _runs(text, size) if run not in known)

    @cached_property
    def _seeds(self) -> dict[str, list[tuple[str, int]]]:
        """The short runs that an altered short placeholder still has, with the placeholder and where they are in it."""
        seeds: dict[str, list[tuple[str, int]]] = {}
        for each in self.all:
            private = each.placeholder[each.keep :].lower()
            if len(private) < DISTINCT:
                for offset, run in enumerate(_runs(private, min(_SEED, len(private)))):
                    seeds.setdefault(run, []).append((private, offset))
        return seeds

    def of(self, text: str) -> Replacements:
        """Return those of the secrets that a text holds."""
        return Replacements(tuple(each for each in self.all if next(occurrences(text, each.value), None) is not None))


def replacements(found: Iterable[tuple[str, str, int]], salt: bytes, is_taken: Callable[[str], bool]) -> Replacements:
    """Return a replacement for each secret.

    :param found: each secret, its kind and how many of its first code points are public.
    :param is_taken: whether a text must not be a placeholder, because a document has it.
    :raises Unsearchable: one has no replacement.
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
    """Yield where a value begins in a text; a short one only where it is a word of its own."""
    at = text.find(value)
    while at >= 0:
        if not needs_word(value) or not (
            _is_word(text, at - 1, value[0]) or _is_word(text, at + len(value), value[-1])
        ):
            yield at
        at = text.find(value, at + len(value))


def needs_word(value: str) -> bool:
    """Report whether a value could be a part of an ordinary word, so that it counts as a word of its own only."""
    return len(value) < DISTINCT and (value.isalpha() or len(value) < _SHORT)


def _is_word(text: str, at: int, edge: str) -> bool:
    """Report whether a neighboring code point makes one word of it and the value's edge."""
    return 0 <= at < len(text) and (edge.isalnum() or edge == "_") and (text[at].isalnum() or text[at] == "_")


def _rewritten(text: str, pairs: Iterable[tuple[str, str]]) -> str:
    """Return a text with each first part of a pair replaced by the second, the earlier pairs first.

    What a later pair has in common with an earlier one is replaced as far as it is left.
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
    """Yield the parts of a secret, as long as they are, that a text quotes: from its start, or up to its end."""
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
    """Report whether what begins at a place is a short placeholder, or nearly so."""
    if start < 0:
        return False
    window = text[start : start + len(short)]
    return sum(one == other for one, other in zip(window, short, strict=False)) >= _ALIKE * len(short)


def _is_near(text: str, value: str, keep: int) -> bool:
    """Report whether a placeholder has more in common with its secret than an altered one has with it."""
    private, rest = text[keep:].lower(), value[keep:].lower()
    return sum(one == other for one, other in zip(private, rest, strict=True)) >= _ALIKE * len(rest)
