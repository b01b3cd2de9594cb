"""``python -m benchmarks.checks``: what the checks refuse of real changes, and what they find of bad answers.

The packages are downloaded into a folder that is gone afterwards; nothing of them is shipped.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.properties import replay

from benchmarks.checks import planted, real
from benchmarks.checks.sample import Outcome, Sample, judged

PYPI = (*(f"{name}=={','.join(versions)}" for name, versions in replay.PYPI.items()), "networkx==3.2.1,3.3")
NPM = tuple(f"{name}@{','.join(versions)}" for name, versions in replay.NPM.items())
EACH, FIXES, CHANGES = 20, 300, 150
"""Bad answers of each kind, fixes of ruff's, and changes from one release to the next."""
SEED = 20_260


@dataclass(slots=True)
class Tally:
    """What became of answers of one kind."""

    all: int = 0
    doubts: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def enter(self, outcome: Outcome) -> None:
        """Count one more."""
        self.all += 1
        self.doubts += outcome.doubt
        if not outcome.fit:
            self.refused[outcome.check] += 1

    def row(self, what: str) -> str:
        """Return a line of a table."""
        count = self.refused.total()
        by = ", ".join(f"{check} {many}" for check, many in self.refused.most_common()) or "-"
        return f"| {what} | {self.all:,} | {count:,} ({count / max(1, self.all):.1%}) | {self.doubts:,} | {by} |"


def main() -> int:
    """Measure, print the tables, and return 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.checks", description=__doc__)
    parser.add_argument("--packages", nargs="*", default=PYPI, metavar="NAME==OLD,NEW,...", help="from PyPI, by pip")
    parser.add_argument("--npm", nargs="*", default=NPM, metavar="NAME@OLD,NEW,...", help="by npm; none without npm")
    parser.add_argument("--each", type=int, default=EACH, metavar="N", help="bad answers of each kind")
    parser.add_argument("--fixes", type=int, default=FIXES, metavar="N", help="how many of ruff's fixes")
    parser.add_argument("--changes", type=int, default=CHANGES, metavar="N", help="how many of each two releases")
    parser.add_argument("--show", action="store_true", help="print each real change that was refused, and why")
    arguments = parser.parse_args()
    began = time.monotonic()
    releases = replay.Releases(_versions(arguments.packages, "=="), _versions(arguments.npm, "@"))
    with TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), releases, arguments))
    print(f"\nTook {time.monotonic() - began:.0f} s.")
    return 0


async def _measure(folder: Path, releases: replay.Releases, arguments: argparse.Namespace) -> None:
    dice = random.Random(SEED)  # noqa: S311 - a choice of samples, no secrets
    good: dict[str, Tally] = defaultdict(Tally)
    fixes: list[Sample] = []
    for name, older, newer in releases.read(folder):
        changes = list(real.changes(older, newer))
        dice.shuffle(changes)
        tally = good[f"a release's own changes ({_kind(older)})"]
        await _count(tally, changes[: arguments.changes], name, arguments)
        fixes += real.fixes(folder / "linted" / name, older, dice)
    dice.shuffle(fixes)
    await _count(good["ruff's safe fixes"], fixes[: arguments.fixes], "ruff", arguments)
    print("| good answers | judged | refused | kept with a doubt | refused by |\n|---|---|---|---|---|")
    print("\n".join(tally.row(what) for what, tally in good.items()), flush=True)
    bad: dict[str, Tally] = {what: Tally() for what in (*planted.INSTEAD, *planted.BESIDE)}
    for what, sample in _spoilt(fixes, dice):
        if all(tally.all >= arguments.each for tally in bad.values()):
            break
        if bad[what].all < arguments.each:
            bad[what].enter(await judged(sample))
    print("\n| bad answers | judged | found | kept with a doubt | found by |\n|---|---|---|---|---|")
    print("\n".join(tally.row(what) for what, tally in bad.items()))
    print(_sum(bad.values()).row("all"))


async def _count(tally: Tally, samples: Iterable[Sample], name: str, arguments: argparse.Namespace) -> None:
    for sample in samples:
        outcome = await judged(sample)
        tally.enter(outcome)
        if arguments.show and not outcome.fit:
            rule = sample.chosen.code if sample.chosen else ""
            print(f"{name}: {sample.document.uri} {sample.target.name} {rule}: {outcome.why}")


def _spoilt(fixes: Iterable[Sample], dice: random.Random) -> Iterator[tuple[str, Sample]]:
    for sample in fixes:
        if given := planted.draft(sample, dice):
            yield from planted.planted(given)


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for each in tallies:
        total.all, total.doubts = total.all + each.all, total.doubts + each.doubts
        total.refused += each.refused
    return total


def _kind(texts: Iterable[str]) -> str:
    return "Python" if any(path.endswith(".py") for path in texts) else "JavaScript and TypeScript"


def _versions(given: Iterable[str], mark: str) -> dict[str, tuple[str, ...]]:
    pairs = (each.rpartition(mark) for each in given)
    return {name: tuple(versions.split(",")) for name, _, versions in pairs}


if __name__ == "__main__":
    sys.exit(main())
