"""What became of replies, counted: by shape and by language, and held against the bars."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.answers.pipeline import Outcome
from benchmarks.answers.rendering import Group, Shape

NAMES = {"python": "Python", "typescript": "TypeScript", "go": "Go", "rust": "Rust", "java": "Java", "cpp": "C++"}
"""The languages, in the order of the tables."""


@dataclass(slots=True)
class Count:
    """What became of the replies of one shape."""

    fates: Counter[str] = field(default_factory=Counter)
    doubted: int = 0
    """Of those that were kept, whatever their fate is called."""
    strayed: int = 0
    """Of those that were kept: the live edits gave another text."""
    by_language: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def enter(self, outcome: Outcome) -> None:
        """Count one more."""
        self.fates[outcome.fate] += 1
        self.by_language[outcome.language][outcome.fate] += 1
        self.doubted += bool(outcome.doubts)
        self.strayed += not outcome.is_live_right
        if outcome.fate == "kept" and not outcome.doubts:
            self.fates["silent"] += 1
            self.by_language[outcome.language]["silent"] += 1

    @property
    def all(self) -> int:
        """How many replies there were."""
        return sum(self.fates[fate] for fate in ("exact", "layout", "refused", "damaged", "kept"))


@dataclass(frozen=True, slots=True)
class Bar:
    """What is due, and what was reached."""

    what: str
    share: float
    due: float | None
    """None where nothing is due: the figure is for a person to read."""
    at_least: bool
    of: int
    """How many replies the share is of."""

    @property
    def is_met(self) -> bool:
        """Whether it was reached; of no replies it is not."""
        if self.due is None:
            return True
        return bool(self.of) and (self.share >= self.due if self.at_least else self.share <= self.due)

    @property
    def row(self) -> str:
        """A line of a table."""
        sign = "at least" if self.at_least else "at most"
        due = f"{sign} {self.due:.0%} | {'yes' if self.is_met else 'no'}" if self.due is not None else "- | -"
        return f"| {self.what} | {self.share:.1%} of {self.of:,} | {due} |"


def counted(outcomes: Iterable[Outcome]) -> dict[str, Count]:
    """Return the counts by the shapes' titles."""
    found: dict[str, Count] = defaultdict(Count)
    for outcome in outcomes:
        found[outcome.shape].enter(outcome)
    return found


def bars(counts: Mapping[str, Count], shapes: Sequence[Shape], change: str) -> list[Bar]:
    """Return what is due, and what was reached.

    :param change: the title of the shape of people's own changes that stand alone.
    """
    own = counts.get(change, Count())
    right, other = _sum(counts, shapes, "right"), _sum(counts, shapes, "recoverable")
    bad, harmful = _sum(counts, shapes, "bad"), _sum(counts, shapes, "harmful")
    good = _joined([own, right, other])
    everything = _joined([good, bad, harmful])
    return [
        _bar("right answers in the form that the prompt asks for: landed exactly", right, ("exact",), 0.99),
        _bar("people's own changes that stand alone: landed exactly", own, ("exact",), 0.98),
        _bar("right answers in another form: taken", other, ("exact", "layout"), 0.90),
        _bar("right answers that damage the document", good, ("damaged",), 0.0, at_least=False),
        _bar("bad answers kept", bad, ("kept",), 0.02, at_least=False),
        _bar("harmful answers kept without a doubt", harmful, ("silent",), None, at_least=False),
        Bar("live edits that give another text", _share(everything.strayed, everything), 0.0, False, everything.all),  # noqa: FBT003
    ]


def _bar(what: str, count: Count, fates: Sequence[str], due: float | None, *, at_least: bool = True) -> Bar:
    return Bar(what, _share(sum(count.fates[fate] for fate in fates), count), due, at_least, count.all)


def _share(part: int, count: Count) -> float:
    return part / count.all if count.all else 0.0


def _sum(counts: Mapping[str, Count], shapes: Sequence[Shape], group: Group) -> Count:
    return _joined([counts[each.title] for each in shapes if each.group == group and each.title in counts])


def _joined(counts: Sequence[Count]) -> Count:
    total = Count()
    for each in counts:
        total.fates += each.fates
        total.doubted += each.doubted
        total.strayed += each.strayed
    return total
