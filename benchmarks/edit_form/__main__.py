"""``python -m benchmarks.edit_form``: what whole replacements and SEARCH/REPLACE blocks cost in answer tokens.

The changes are those of definitions between successive releases of public packages, which pip and npm download into a
folder that is gone afterwards; nothing of them is shipped. Ruff's safe fixes of the older releases are measured beside
them, for what a small fix comes to. Tokens are those of ``estimate`` in core/models/usage.py.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from tests.properties import replay

from benchmarks.checks import real
from benchmarks.checks.sample import Sample
from benchmarks.edit_form.blocks import shortest
from tuppence.core.answer.forms.search_replace import MalformedBlocks, apply_blocks, read_blocks
from tuppence.core.models.usage import estimate
from tuppence.core.prompt.compose import fence

PYPI = {**replay.PYPI, "networkx": ("3.2.1", "3.3")}
AROUND = (0, 1, 3)
"""Lines that stay in a search text on either side of those that change, in three measurements."""
FITTED = 1
"""The one of them that core/routing/edit_form.py takes its constants from."""
EDGES = (0, 5, 10, 15, 20, 30, 40, 60, 80, 120, 200, 10_000)
"""Lines of the target that part one row of the table from the next."""
SEED = 20_260
"""Of the choice of fixes."""
INFO = "python"
"""The word after an opening fence."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One change."""

    lines: int
    """Of the target."""
    target: int
    """Tokens, as are the others."""
    whole: int
    blocks: dict[int, int]
    """By the number of lines around a change."""
    applied: frozenset[int]
    """The numbers of lines around a change with which the server makes exactly the new text of the blocks."""
    refused: frozenset[int]
    """Those with which it takes them for malformed."""


def measured(old: str, new: str) -> Measured:
    """Return what a change of a target costs either way."""
    said = {each: "\n".join(map(str, shortest(old, new, each))) for each in AROUND}
    blocks = {each: estimate(fence(text, INFO)) for each, text in said.items()}
    results = {each: _result(old, text) for each, text in said.items()}
    applied = frozenset(each for each, result in results.items() if result == new)
    refused = frozenset(each for each, result in results.items() if result is None)
    return Measured(old.count("\n") + 1, estimate(old), estimate(fence(new, INFO)), blocks, applied, refused)


def _judged(changes: Sequence[Measured]) -> tuple[list[frozenset[int]], list[frozenset[int]]]:
    return [each.applied for each in changes], [each.refused for each in changes]


def _of(sample: Sample) -> Measured:
    return measured(sample.document.slice(sample.target.span), sample.code)


def _result(old: str, text: str) -> str | None:
    """Return what the server makes of blocks, None where it takes them for malformed."""
    try:
        return apply_blocks(old, read_blocks(text))
    except MalformedBlocks:
        return None


def fitted(points: Iterable[tuple[int, int]]) -> tuple[float, float]:
    """Return the constant and the slope of the line of least squares through points."""
    known = list(points)
    middle, mean = fmean(x for x, _ in known), fmean(y for _, y in known)
    slope = sum((x - middle) * (y - mean) for x, y in known) / sum((x - middle) ** 2 for x, _ in known)
    return mean - slope * middle, slope


def table(changes: Sequence[Measured]) -> Iterator[str]:
    """Yield the lines of a Markdown table: the means by the target's length."""
    yield "| lines | changes | target | whole | blocks, 0 around | 1 around | 3 around | blocks shorter (1 around) |"
    yield "|--:|--:|--:|--:|--:|--:|--:|--:|"
    for low, high in pairwise(EDGES):
        found = [each for each in changes if low < each.lines <= high]
        if not found:
            continue
        means = (
            fmean(each.target for each in found),
            fmean(each.whole for each in found),
            *(fmean(each.blocks[around] for each in found) for around in AROUND),
        )
        span = f"{low + 1}-{high}" if high < EDGES[-1] else f"over {low}"
        shorter = fmean(each.blocks[FITTED] < each.whole for each in found)
        figures = " | ".join(f"{mean:,.0f}" for mean in means)
        yield f"| {span} | {len(found)} | {figures} | {shorter:.0%} |"


def main() -> int:
    """Measure, print the table and the lines that fit it, and return 0."""
    argparse.ArgumentParser(prog="python -m benchmarks.edit_form", description=__doc__).parse_args()
    changes: list[Measured] = []
    fixes: list[Measured] = []
    dice = random.Random(SEED)  # noqa: S311 - a choice of samples, no secrets
    with TemporaryDirectory() as folder:
        for name, older, newer in replay.Releases(PYPI, replay.NPM).read(Path(folder)):
            changes += map(_of, real.changes(older, newer))
            fixes += map(_of, real.fixes(Path(folder) / "linted" / name, older, dice))
    print(f"{len(changes):,} definitions that a release changed; means, in tokens.\n")
    print("\n".join(table(changes)), end="\n\n")
    print(f"{len(fixes):,} safe fixes of ruff's; means, in tokens.\n")
    print("\n".join(table(fixes)), end="\n\n")
    base, slope = fitted((each.target, each.whole) for each in changes)
    print(f"whole = {base:.0f} + {slope:.3f} x target")
    for around in AROUND:
        start, share = fitted((each.target, each.blocks[around]) for each in changes)
        cross = (start - base) / (slope - share)
        mark = ", which core/routing/edit_form.py has" if around == FITTED else ""
        print(f"blocks, {around} around = {start:.0f} + {share:.3f} x target; shorter from {cross:.0f} tokens on{mark}")
    for around in AROUND:
        right, refused = (sum(around in found for found in sets) for sets in _judged(changes))
        print(f"blocks, {around} around: {right:,} made exactly the new text, {refused:,} were refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
