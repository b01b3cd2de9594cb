"""``python -m benchmarks.answers``: what becomes of real changes in every shape in which models answer.

Two releases each of some public packages are downloaded by pip and npm into a folder that is gone afterwards; nothing
of them is run, kept or shipped. The exit code is 1 where a bar is missed, or a language has too few cases.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.answers import releases, report
from benchmarks.answers.mine import Case, cases, chosen
from benchmarks.answers.pipeline import Outcome, judge
from benchmarks.answers.rendering import Shape
from benchmarks.answers.shapes import CHANGE, LEANING, RECOVERABLE, RIGHT, plain
from benchmarks.answers.spoilt import BAD, HARMFUL
from benchmarks.answers.tally import NAMES, bars, counted

SHAPES: tuple[Shape, ...] = (CHANGE, LEANING, *RIGHT, *RECOVERABLE, *BAD, *HARMFUL)
LIMIT, CLASSES, CHANGES = 20, 10, 3
"""Functions of each language that are answered in all shapes, classes, and how many times as many people's changes."""
LEAST = 20
"""Functions that each language must have."""
SEED = 20_261
PAGE = Path(__file__).resolve().parents[2] / "docs" / "answers.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and return 1 where a bar is missed."""
    given = _parser().parse_args(arguments)
    began = time.monotonic()
    with TemporaryDirectory() as folder:
        found = list(_mined(given.keep or Path(folder), given.languages, given.processes))
    work = list(_work(found, given.limit, given.shape or given.show))
    with ProcessPoolExecutor(given.processes) as pool:
        outcomes = [each for some in pool.map(partial(_judged), work, chunksize=2) for each in some]
    counts = counted(outcomes)
    if given.show:
        _show(outcomes, given.show, given.examples)
    reached = [each for each in bars(counts, SHAPES, CHANGE.title) if each.of or not (given.shape or given.show)]
    text = f"{report.summary(reached)}\n\n{report.tables(counts, SHAPES, given.languages)}"
    print(text)
    few = _few(work, given)
    print(f"\nTook {time.monotonic() - began:.0f} s for {len(outcomes):,} replies.")
    if given.write:
        report.write(PAGE, text)
    return int(bool(few) or not all(each.is_met for each in reached))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answers", description=__doc__)
    parser.add_argument("--languages", nargs="*", default=[*NAMES], choices=[*NAMES], help="which languages")
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help="functions of each language")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where downloads stay, to be used again")
    parser.add_argument("--shape", nargs="*", metavar="WORDS", help="only shapes whose title has these words")
    parser.add_argument("--show", nargs="*", metavar="WORDS", help="print failures of the shapes with these words")
    parser.add_argument("--examples", type=int, default=3, metavar="N", help="how many failures of each shape")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at once")
    parser.add_argument("--write", action="store_true", help=f"write the tables into {PAGE.parent.name}/{PAGE.name}")
    return parser


def _mined(folder: Path, languages: Sequence[str], processes: int) -> Iterator[Case]:
    """Yield the cases of all packages that can be had; say which cannot."""
    wanted = [
        replace(each, languages=tuple(language for language in each.languages if language in languages))
        for each in releases.PACKAGES
        if set(each.languages) & set(languages)
    ]
    with ProcessPoolExecutor(processes) as pool:
        for package, some in zip(wanted, pool.map(partial(_of_package, folder), wanted), strict=True):
            if some is None:
                print(f"Not to be had here, so left out: {package.title} ({package.registry}).", flush=True)
            yield from some or ()


def _of_package(folder: Path, package: releases.Package) -> list[Case] | None:
    both = releases.read(package, folder)
    return None if both is None else list(cases(package.name, *both, SEED))


_SPOILT = ("bad", "harmful")
Work = tuple[Case, tuple[str, ...]]
"""A case, and the titles of the shapes to answer it in."""


def _work(found: Sequence[Case], limit: int, words: Sequence[str] | None) -> Iterator[Work]:
    titles = [each for each in SHAPES if not words or any(word in each.title for word in words)]
    by_language: dict[str, list[Case]] = defaultdict(list)
    for case in found:
        by_language[case.document.language].append(case)
    for some in by_language.values():
        functions = [case for case in some if not case.is_class]
        alone = [case for case in functions if not case.leans]
        small = [case for case in alone if case.is_small]
        good = [each.title for each in titles if each.group in ("right", "recoverable")]
        bad = [each.title for each in titles if each.group in ("bad", "harmful") and not each.classes]
        parts = (
            ([case for case in small if not case.imports], limit, good),
            ([case for case in small if case.imports], limit // 2, good),
            (alone, limit, bad),
            ([case for case in some if case.is_class], CLASSES, [each.title for each in titles if each.classes]),
            (alone, limit * CHANGES, [each.title for each in titles if each is CHANGE]),
            ([case for case in functions if case.leans], limit, [each.title for each in titles if each is LEANING]),
        )
        for fits, many, shapes in parts:
            yield from ((case, tuple(shapes)) for case in chosen(fits, many, SEED) if shapes)


def _judged(work: Work) -> list[Outcome]:
    case, titles = work
    shapes = [each for each in SHAPES if each.title in titles]
    spoils = any(each.group in _SPOILT for each in shapes)
    if spoils and judge(CHANGE, case, plain(case), random.Random(SEED)).fate == "refused":  # noqa: S311 - chunks
        return []  # What is refused anyway says nothing of what was spoilt in it.
    outcomes = []
    for shape in shapes:
        if case.imports and not shape.imports and shape.group not in _SPOILT:
            continue
        dice = random.Random(f"{SEED}:{case.key}:{shape.title}")  # noqa: S311 - chunks, no secrets
        reply = shape.render(case, dice)
        if reply is None:
            continue
        outcome = judge(shape, case, reply, dice)
        if shape.group == "harmful" and outcome.doubts:
            good = judge(CHANGE, reply.case or case, plain(reply.case or case), dice)
            outcome = replace(outcome, doubts=tuple(each for each in outcome.doubts if each not in good.doubts))
        outcomes.append(outcome)
    return outcomes


def _few(work: Sequence[Work], given: argparse.Namespace) -> list[str]:
    """Return the languages with too few cases, and say so."""
    few = []
    for each in given.languages:
        many = len({case.key for case, _ in work if case.document.language == each and not case.is_class})
        if many < min(LEAST, given.limit):
            few.append(each)
            print(f"These are too few functions in {NAMES[each]}: {many}; at least {LEAST} are due.")
    return few


def _show(outcomes: Sequence[Outcome], words: Sequence[str], many: int) -> None:
    """Print failures: of right shapes what did not land exactly, of bad ones what was kept."""
    shown: dict[str, int] = defaultdict(int)
    for each in outcomes:
        if not any(word in each.shape for word in words):
            continue
        group = next(shape.group for shape in SHAPES if shape.title == each.shape)
        good = ("refused", "exact") if group in ("bad", "harmful") else ("exact",)
        if (each.fate in good and each.is_live_right) or shown[each.shape] >= many or each.seen is None:
            continue
        shown[each.shape] += 1
        old, reply, result = each.seen
        print(f"=== {each.shape}: {each.fate}; {each.case} ({each.language})")
        print(f"=== why: {each.why or '-'}; doubts: {'; '.join(each.doubts) or '-'}; live right: {each.is_live_right}")
        print(f"--- old\n{old}\n--- reply\n{reply}\n--- result\n{result}\n")


if __name__ == "__main__":
    sys.exit(main())
