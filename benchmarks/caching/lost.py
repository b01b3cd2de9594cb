"""Where each token goes that an ideal prefix cache would have served and a marked one did not.

    python -m benchmarks.caching.lost

The sittings of recorded.py again, for the rows that have marks. Shares are of what the ideal cache serves.
"""

from __future__ import annotations

import asyncio
import statistics
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.caching.published import Block, Ideal, Marked, size, tokens
from benchmarks.caching.recorded import CASES, SITTINGS, Case, Result, measure
from benchmarks.caching.sitting import plan

KINDS = ("below the minimum", "expired", "no mark before the edit", "in the edited block", "in the tail")


def account(result: Result, cache: Marked) -> Counter[str]:
    """Return the lost tokens of a sitting by what lost them, and what the ideal cache would have served ("ideal")."""
    ideal, lost = Ideal(), Counter[str]()
    for pieces, at in result.bodies:
        common = ideal.common(pieces)
        ever = size(pieces[: cache.ever(pieces)])
        read = cache.take(pieces, at).cache_read or 0
        ideal.take(pieces, at)
        lost["ideal"] += tokens(common)
        lost.update(_split(pieces, common, (read, max(read, ever)), cache.minimum))
    return lost


def _split(pieces: tuple[Block, ...], common: int, reached: tuple[int, int], minimum: int) -> dict[str, int]:
    """Return what one request lost.

    :param reached: tokens that were read, and tokens to the end of the last entry that there ever was.
    """
    read, ever = reached
    ends = [0]
    for piece in pieces[:-1]:
        ends.append(ends[-1] + len(piece.text))
    shared = tokens(min(common, ends[-1]))
    whole = tokens(max(end for end in ends if end <= common))
    below = whole if whole < minimum else 0
    steps = {
        "expired": ever - read,
        "no mark before the edit": max(whole - below - ever, 0),
        "below the minimum": max(below - ever, 0),
        "in the edited block": shared - max(whole, read),
        "in the tail": tokens(common) - shared,
    }
    return {name: max(count, 0) for name, count in steps.items()}


async def main(cases: Iterable[Case] = CASES) -> None:
    """Print the table."""
    print(f"{'':31}{'read':>8}" + "".join(f"{kind:>25}" for kind in KINDS))
    for case in cases:
        if not isinstance(case.cache(), Marked):
            continue
        found: list[Counter[str]] = []
        for seed in range(1, SITTINGS + 1):
            with TemporaryDirectory() as folder:
                result = await measure(case, plan("moving on", seed), Path(folder))
            cache = case.cache()
            assert isinstance(cache, Marked)
            found.append(account(result, cache))
        shares = {kind: statistics.mean(each[kind] / each["ideal"] for each in found) for kind in KINDS}
        print(f"{case.name + case.note:31}{1 - sum(shares.values()):8.1%}", end="")
        print("".join(f"{shares[kind]:25.2%}" for kind in KINDS), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
