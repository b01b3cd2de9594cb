"""Which marks leave the least to be written again when the file was edited before its next request.

An edit is not known before it comes, but where it may come is: at the target, which a fix is about to change; where
the last one was; or anywhere in the file. The next request may also be about another file, and then has only what
stands before this one in common. Whatever comes, the prompt is read as far as the last entry before it. What is
weighed is therefore an expectation, and nothing here asks how a mark is written, or what it costs
(core/prompt_cache/breakpoints.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

AT_TARGET = 0.3
"""How likely the next change is in the block of the target ..."""
AT_LAST_EDIT = 0.15
"""... and in the block where the last one was; what is left is spread over the file by length."""
ELSEWHERE = 0.1
"""How likely the next request is about another file."""
DOUBT = 0.3
"""How likely a mark inside of what is only read keeps an entry: by the letter of Anthropic's documentation each mark
writes one, but nobody says so of what is not written."""
_ROUNDS = 2
"""How often each mark is tried elsewhere once all stand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What is known of a prompt's blocks before its marks are set."""

    tokens: Sequence[int]
    """To the end of each block, from the prompt's start."""
    file_at: int
    """The file's first block."""
    target_at: int
    """The block of the target."""
    edited_at: int | None
    """The first block that changed since the last request about the file."""
    left: Mapping[int, float]
    """The share of its life that an entry at a block's end has left."""
    least: int
    """Tokens under which nothing is kept."""


def choose(prospect: Prospect, most: int, among: Collection[int]) -> list[int]:
    """Return up to so many blocks to mark beside the last one, those that keep most first.

    :param among: where the first of them must stand, if anywhere; empty is anywhere.
    """
    last = len(prospect.tokens) - 1
    free = [at for at in range(last) if prospect.tokens[at] >= prospect.least]
    likely = weights(prospect)
    chosen: list[int] = []
    for _ in range(most):
        bound = [at for at in free if at in among] if among and not chosen else free
        if (best := _best(prospect, likely, chosen, bound)) is None:
            break
        chosen.append(best)
    first = 1 if among else 0
    for _ in range(_ROUNDS):
        for index in range(first, len(chosen)):
            others = [*chosen[:index], *chosen[index + 1 :]]
            best = _best(prospect, likely, others, free)
            chosen[index] = chosen[index] if best is None else best
    return chosen


def _best(prospect: Prospect, likely: Sequence[float], chosen: Sequence[int], free: Sequence[int]) -> int | None:
    """Return the block which, marked beside those that are, adds most to what may be expected to be read."""
    sure = {**prospect.left, **{at: _after(prospect, at) for at in chosen}}
    read = list(
        accumulate(
            enumerate(prospect.tokens),
            lambda before, block: before + sure.get(block[0], 0.0) * (block[1] - before),
            initial=0.0,
        )
    )
    # What one more token read before a block is worth: it counts until a later entry takes its place.
    worth = [0.0]
    for at in range(len(likely) - 1, -1, -1):
        worth.append(likely[at] + (1 - sure.get(at, 0.0)) * worth[-1])
    worth.reverse()
    gains = {
        at: (_after(prospect, at) - sure.get(at, 0.0)) * (prospect.tokens[at] - read[at]) * worth[at + 1]
        for at in free
        if at not in chosen
    }
    return max(gains, key=lambda at: gains[at], default=None)


def _after(prospect: Prospect, at: int) -> float:
    """Return how likely an entry stands at a block's end once it was marked."""
    return 1.0 if at in prospect.left or at > max(prospect.left, default=-1) else DOUBT


def weights(prospect: Prospect) -> list[float]:
    """Return how likely the next change is in each block."""
    tokens = prospect.tokens
    lengths = [0] * prospect.file_at + [end - start for start, end in pairwise(tokens[prospect.file_at - 1 :])]
    edited = prospect.edited_at
    rest = 1 - AT_TARGET - ELSEWHERE - (0 if edited is None else AT_LAST_EDIT)
    found = [rest * length / max(sum(lengths), 1) for length in lengths]
    for at, weight in ((prospect.target_at, AT_TARGET), (prospect.file_at, ELSEWHERE), (edited, AT_LAST_EDIT)):
        if at is not None and at < len(found):
            found[at] += weight
    return found
