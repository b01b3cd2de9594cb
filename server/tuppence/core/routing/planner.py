"""Weak-strong pairing: a strong model writes a short plan, and a cheaper one carries it out.

The whole prompt is paid for twice, so it is worth something only where the answer is long. Nobody has measured here
what a pair is worth: half of what the planner is ahead is taken to come across, and so nobody pairs unless the user
says from which difficulty on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product

from tuppence.core.models.model import Model
from tuppence.core.models.pricing import cost
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.candidates import Candidate, RoutingRequest, asked, usage
from tuppence.core.routing.quality import RUN, QualityModel
from tuppence.core.routing.router import Route

SHORT = 200
"""Tokens of a usual plan."""
LONGEST = 500
"""Answer tokens that a plan is allowed, without thinking."""
ACROSS = 0.5
"""The share of the planner's lead that its plan brings across; a guess."""
_ASKED = (
    "Do not do this yourself: another programmer will, who sees the same file and task. Write the plan for it: what is "
    "wrong or wanted, what to change where, and what to look out for, in at most 120 words, without code."
)
_GIVEN = "A colleague has looked at this and advises (check it against the code before you follow it):"


@dataclass(frozen=True, slots=True)
class Pair:
    """Who plans, and who carries it out."""

    planner: Model
    carrier: Model
    quality: float
    """To expect of the carrier with the plan, 0 to 1."""
    cost: Decimal
    """To expect of both calls together and of the climb that may follow, USD."""


def pair(route: Route, need: RoutingRequest, prior: QualityModel) -> Pair | None:
    """Return the cheapest pair that is as good as the model that was chosen, and cheaper; None where there is none.

    Where tests are run, both are compared with the climb that may follow: from the pair, to the model that was chosen.
    """
    alone = route.row(route.model.name)
    if alone is None or alone.cost is None or route.expected_cost is None:
        return None
    fit = [row for row in route.table if not row.why_not and row.cost is not None and not row.model.quirks.brief]
    carriers = [row for row in fit if (row.cost or 0) < alone.cost]
    plans = {row.model.name: _plan(row.model, need, prior) for row in fit}
    check = prior.check(RUN) if need.check == RUN else None
    pairs = []
    for planner, carrier in product(fit, carriers):
        quality = carrier.quality + ACROSS * (planner.quality - carrier.quality)
        if planner.quality > carrier.quality and quality >= alone.quality:
            fails = carrier.failing(check.fails(quality)) if check else 0.0
            climb = Decimal(repr(round(fails, 6))) * alone.cost
            total = plans[planner.model.name] + _carried(carrier, need) + climb
            pairs.append(Pair(planner.model, carrier.model, quality, total))
    worth = [each for each in pairs if each.cost < route.expected_cost]
    return min(worth, key=lambda each: (each.cost, -each.quality, each.planner.name, each.carrier.name), default=None)


def paired(route: Route, found: Pair) -> Route:
    """Return the route on which the carrier answers, and the model that was chosen alone stands above it."""
    return replace(
        route,
        model=found.carrier,
        quality=found.quality,
        expected_cost=found.cost,
        ladder=(found.carrier, *route.ladder),
        reason=f"{route.reason}{_plans(found.planner)}",
    )


def planned(route: Route, planner: Model, plan: str) -> Route:
    """Return the route as it is once the plan is there, or is not to be had."""
    told = f"{planner.title} planned it" if plan.strip() else f"without a plan by {planner.title}"
    return replace(route, reason=f"{route.reason.removesuffix(_plans(planner))}; {told}", told=told)


def to_plan(prompt: Prompt, thoughts: int) -> Prompt:
    """Return the prompt that asks for a plan only; what requests share stays the same bytes.

    :param thoughts: tokens that the planner may think on top.
    """
    most = min(prompt.max_output, LONGEST + thoughts)
    return replace(prompt, tail=f"{prompt.tail}\n\n{_ASKED}", max_output=most)


def with_plan(prompt: Prompt, plan: str) -> Prompt:
    """Return the prompt with a plan at its end, quoted, since its writer read what may lead astray."""
    quoted = "\n".join(f"> {line}" for line in plan.strip().splitlines())
    return replace(prompt, tail=f"{prompt.tail}\n\n{_GIVEN}\n\n{quoted}") if quoted else prompt


def _plans(planner: Model) -> str:
    return f"; {planner.title} plans it"


def _plan(planner: Model, need: RoutingRequest, prior: QualityModel) -> Decimal:
    """Return what a plan may be expected to cost: the whole prompt, a short answer, and the model's usual thinking."""
    assert planner.price is not None
    return cost(asked(planner, need, SHORT, usage(planner, need, prior).thinking), planner.price, need.when)


def _carried(carrier: Candidate, need: RoutingRequest) -> Decimal:
    """Return what carrying a plan out may be expected to cost: an answer, and the plan in the prompt."""
    assert carrier.model.price is not None
    assert carrier.cost is not None
    return carrier.cost + cost(Usage(fresh=SHORT), carrier.model.price, need.when)
