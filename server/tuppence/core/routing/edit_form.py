"""In which form a model is asked for a target's new text: all of it, or SEARCH/REPLACE blocks inside of the target.

A small fix of a long function, answered whole, is the function at the price of output; blocks hold the change alone.
But blocks can be malformed, which fails the check: then the next better model is asked, as after any failed check, or
the user asks again where there is none. So a model is asked for blocks only where its row says that it can write them,
and where they cost less than the whole, with what malformed ones cost.

How long either answer is was measured by ``python -m benchmarks.edit_form`` on 1,210 definitions that releases of
public packages changed; the blocks have one line that stays on either side of each change. A release changes more of a
definition than a fix does, so blocks are expected to be longer than they will be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tuppence.core.models.pricing import cost
from tuppence.core.models.usage import at_most, estimate
from tuppence.core.prompt.edit_blocks import BLOCKS
from tuppence.core.routing.candidates import Candidate, RoutingRequest, bound, least_output, usage
from tuppence.core.routing.quality import QualityModel

_WHOLE, _BLOCKS = (8, 1.004), (131, 0.116)
"""Answer tokens: a constant, and what each token of the target adds."""
_ASKING = estimate(BLOCKS)
_ASKING_AT_MOST = at_most(BLOCKS)


def whole_tokens(target: int) -> int:
    """Return how many tokens the whole new text of a target of so many tokens takes."""
    return _line(_WHOLE, target)


def block_tokens(target: int) -> int:
    """Return how many tokens blocks take on average in a target of so many tokens."""
    return _line(_BLOCKS, target)


def in_cheaper_form(table: Sequence[Candidate], need: RoutingRequest, prior: QualityModel) -> tuple[Candidate, ...]:
    """Return the table, each row with the cheaper form of its answer, and with that form's cost and chance to fail.

    What a malformed answer costs is the cost of the cheapest better row that may answer, or, without one, of the
    model's own whole answer.
    """
    return tuple(_formed(row, table, need, prior) if _may_use_blocks(row, need) else row for row in table)


def _may_use_blocks(row: Candidate, need: RoutingRequest) -> bool:
    model = row.model
    if model.edit != "blocks" or model.quirks.brief or row.cost is None:
        return False
    return need.action.shape == "replacement" and need.takes_blocks and bool(need.target_tokens)


def _formed(row: Candidate, table: Sequence[Candidate], need: RoutingRequest, prior: QualityModel) -> Candidate:
    model, target = row.model, need.target_tokens or 0
    price = model.price
    assert price is not None, "the row has a cost"
    usual = usage(model, need, prior)
    # Measured answers grow with the root of the target's length; a whole one is never shorter than the code in it.
    whole = replace(usual, output=max(usual.output, whole_tokens(target)))
    # What a model writes beside the code is written in either form.
    shorter = whole.output - whole_tokens(target) + block_tokens(target)
    blocks = replace(usual, fresh=usual.fresh + _ASKING, output=shorter)
    all_of_it, changes = cost(whole, price, need.when), cost(blocks, price, need.when)
    better = (each.cost for each in table if not each.why_not and each.quality > row.quality and each.cost is not None)
    # The other rows' costs are those of answers as they were measured, and so must this one be.
    held = replace(blocks, output=min(usual.output, shorter))
    formed = replace(row, edit="blocks", cost=cost(held, price, need.when))
    formed = replace(formed, fails=formed.failing(row.fails))
    malformed = Decimal(repr(round(formed.fails - row.fails, 6)))
    pays = changes + malformed * min(better, default=all_of_it) < all_of_it
    return formed if pays and _affordable(row, need) else row


def _affordable(row: Candidate, need: RoutingRequest) -> bool:
    """Report whether what the budget leaves pays the words that ask for blocks too."""
    if need.left is None:
        return True
    most = max(need.prompt_tokens, need.most_tokens) + _ASKING_AT_MOST
    least = bound(row.model, replace(need, most_tokens=most), least_output(need))
    return least is not None and least <= need.left


def _line(figures: tuple[int, float], target: int) -> int:
    base, slope = figures
    return round(base + slope * target)
