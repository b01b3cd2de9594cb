"""The labeled functions, and the figures that are taken of how a number orders them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from zlib import crc32

from benchmarks.routing.measure import spearman

HERE = Path(__file__).parent
MARK = "@@@ "
"""Begins the line above each function: its id, then the editor's name of its language."""
TRIVIAL, MODERATE, HARD = 1.5, 2.5, 4.0
"""Labels up to which a function is trivial, and from which it is moderate and hard."""


@dataclass(frozen=True, slots=True)
class LabeledFunction:
    """One function, and how hard it is to a reader: 1 is read at sight, 5 needs a specialist."""

    id: str
    language: str
    code: str
    first: int
    second: int
    """The label of the second reading, of a shuffled sheet without ids and labels."""
    third: int
    """The label of a reader who did not know the functions, of such a sheet; nothing is chosen by it."""
    reason: str
    """Of the first reading."""

    @property
    def label(self) -> float:
        """The mean of the author's two readings."""
        return (self.first + self.second) / 2

    @property
    def held_out(self) -> bool:
        """Whether nothing was chosen by it: the id decides, which was there before anything was counted."""
        return crc32(self.id.encode()) % 2 == 1

    @property
    def level(self) -> str:
        """The level that the label means."""
        if self.label < MODERATE:
            return "simple"
        return "moderate" if self.label < HARD else "hard"


def functions() -> list[LabeledFunction]:
    """Return the whole set, in the order of the files."""
    first = {row[0]: (int(row[1]), row[2]) for row in _rows("first_reading.tsv")}
    second, third = ({row[0]: int(row[1]) for row in _rows(f"{name}_reading.tsv")} for name in ("second", "third"))
    found = []
    for path in sorted((HERE / "functions").glob("*.txt")):
        for part in path.read_text(encoding="utf-8").split(MARK)[1:]:
            head, _, code = part.partition("\n")
            name, language = head.split()
            found.append(
                LabeledFunction(name, language, code, first[name][0], second[name], third[name], first[name][1])
            )
    assert len(found) == len(first) == len(second) == len(third)
    return found


def kappa(one: Sequence[int], two: Sequence[int]) -> float:
    """Return how far two readings agree beyond chance, the square of a difference being its weight; 1 is wholly."""
    pairs = list(zip(one, two, strict=True))
    seen = fmean((a - b) ** 2 for a, b in pairs)
    by_chance = fmean((a - b) ** 2 for a in one for b in two)
    return 1 - seen / by_chance


def order(some: Sequence[LabeledFunction], number: Callable[[LabeledFunction], float]) -> float:
    """Return Spearman's correlation of a number with the labels, -1 to 1."""
    return spearman([number(each) for each in some], [each.label for each in some])


def pairs_in_order(some: Sequence[LabeledFunction], number: Callable[[LabeledFunction], float]) -> float:
    """Return the share of pairs of a trivial and a hard function that a number puts in order; a tie is none."""
    trivial = [number(each) for each in some if each.label <= TRIVIAL]
    hard = [number(each) for each in some if each.label >= HARD]
    return fmean(low < high for low in trivial for high in hard)


def _rows(name: str) -> list[list[str]]:
    return [line.split("\t") for line in (HERE / name).read_text(encoding="utf-8").splitlines()]
