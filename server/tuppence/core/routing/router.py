"""Which model answers, why, and the ladder above it: the adequate model whose answer is worth most for its cost.

A model is adequate when its expected quality reaches the action's floor; where none does, the best one answers. Among
the adequate, the one with the largest difference of expected quality and expected cost divided by worth is chosen. What
a better answer is worth (core/routing/worth.py) does not depend on the models that there are, so a model that is not
chosen changes nothing. One that another beats, being better for no more or as good for less, is never chosen. The order
of a list decides nothing: ties go to the surer figure, then to the faster model.

No climb is priced in, because few wrong answers fail a check. Tests that are run are the exception: there the cheapest
adequate model is first, and the climb that may follow is part of the cost. For a few plain lines the top tier is never
asked first. Unknown prices come last, never as free. :mod:`tuppence.core.routing.candidates` says what a model is
expected to do and to cost, and core/routing/edit_form.py in which form it is asked for an edit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction

from tuppence.core.billing.entry import money
from tuppence.core.models.model import Model
from tuppence.core.routing import no_model
from tuppence.core.routing.candidates import Candidate, RoutingPolicy, RoutingRequest, agreed, candidates, usual_output
from tuppence.core.routing.edit_form import in_cheaper_form
from tuppence.core.routing.quality import RUN, QualityModel
from tuppence.core.routing.worth import Bar, length_factor

_ROUND = 3
"""From this factor on prices are compared in whole numbers."""
_USUAL = RoutingPolicy()
_NOTHING = Decimal(0)
_TOP = "premium"


@dataclass(frozen=True, slots=True)
class Weighing:
    """How the rows of one request are compared."""

    bar: Bar
    few_lines: bool = False
    """Whether the top tier is not asked by itself, because the code is a few plain lines."""

    def adequate(self, row: Candidate) -> bool:
        """Report whether a row's expected quality reaches the floor."""
        return row.quality >= self.bar.floor

    def value(self, row: Candidate) -> tuple[Fraction, Fraction]:
        """Return what a row's answer is worth for its cost; larger is better."""
        return self.bar.value(row.quality, Fraction(row.cost or _NOTHING))

    def first(self, rows: Sequence[Candidate]) -> list[Candidate]:
        """Return the rows that may answer first: of those that no other one beats, the adequate, else the best.

        For few lines it is those below the top tier; where there is none, the cheapest.
        """
        kept = unbeaten(rows)
        top = kept[-1].quality if kept else 0.0
        adequate = [each for each in kept if self.adequate(each)] or [each for each in kept if each.quality == top]
        if not self.few_lines:
            return adequate
        lower = [each for each in adequate if each.model.tier != _TOP]
        return lower or [each for each in adequate if each.quality == adequate[0].quality]


@dataclass(frozen=True, slots=True)
class Route:
    """The choice."""

    model: Model
    quality: float
    expected_cost: Decimal | None
    """Of its answer, and of tests that are run the climb that may follow, USD; None where the price is unknown."""
    ladder: tuple[Model, ...]
    """The first model and those above it, each better than the one before."""
    spare: tuple[Model, ...]
    """Other adequate models, for when the first one's provider cannot answer."""
    best: Model
    """The best eligible model: what saving is measured against."""
    reason: str
    """One line for the user."""
    table: tuple[Candidate, ...] = field(repr=False, default=())
    wanted: float = 1.0
    """How good an answer was wanted, as RoutingPolicy has it."""
    told: str = ""
    """What the end of the run must say of how it came to this one; empty for an ordinary choice."""
    weighing: Weighing = field(repr=False, default=Weighing(Bar(0.0, None)))
    """How the rows of the table were compared."""

    @property
    def line(self) -> str:
        """The choice as the user reads it: who answers, for about how much, and why."""
        price = "" if self.expected_cost is None else f", {money(self.expected_cost)}"
        return f"{self.model.title}{price}: {self.reason}"

    def row(self, name: str) -> Candidate | None:
        """Return the row of the model of that name, or None."""
        return next((each for each in self.table if each.model.name == name), None)


def choose(
    need: RoutingRequest,
    models: Iterable[Model],
    ready: Mapping[str, str],
    prior: QualityModel,
    policy: RoutingPolicy = _USUAL,
) -> Route:
    """Return the adequate model whose answer is worth most for its cost.

    :param models: the tier table.
    :param ready: why a provider or a model cannot be asked, by the provider's or the row's name (no key, waiting after
        a failure); others can.
    :raises NoEligibleModel: none is eligible; the sentence says what would make one so.
    """
    rows = in_cheaper_form(candidates(models, need, ready, prior, policy), need, prior)
    table = tuple(agreed(each, policy) for each in rows)
    fit = [each for each in table if not each.why_not]
    if policy.above and not policy.only:
        fit = _better(fit, table, policy.above)
    picked = [each for each in fit if each.model.name == policy.only] if policy.only else fit
    if not picked:
        raise no_model.none(need, table, policy, ready)
    compared = weighing(need, prior, policy)
    ranked = by_value(picked, compared, need)
    first = ranked[0]
    best = max((each for each in fit if each.cost is not None), key=_best_for_least, default=first)
    return Route(
        model=first.model,
        quality=first.quality,
        expected_cost=_expected_cost(first, fit, need),
        ladder=(first.model, *(each.model for each in above(first, fit))),
        spare=tuple(each.model for each in ranked[1:] if compared.adequate(each)),
        best=best.model,
        reason=_reason(first, best, need, policy),
        table=table,
        wanted=policy.wanted,
        weighing=compared,
    )


def weighing(need: RoutingRequest, prior: QualityModel, policy: RoutingPolicy) -> Weighing:
    """Return how the rows of a request are compared."""
    gain = need.gain
    bar = prior.bar(need.action.id, policy.wanted)
    bar = bar.scaled(gain.stake * length_factor(need.target_tokens), gain.shift)
    asked_for = policy.pin or policy.only or policy.above or bar.worth is None
    if need.check == RUN and bar.worth is not None:
        # What fails shows when the tests are run, so the cheapest is tried first.
        bar = replace(bar, worth=Fraction(0))
    return Weighing(bar, gain.plain and not asked_for)


def by_value(rows: Sequence[Candidate], compared: Weighing, need: RoutingRequest) -> list[Candidate]:
    """Return the rows by who should answer: those that may be first, then the other ones, then unknown prices."""
    priced = [each for each in rows if each.cost is not None]
    first = set(map(id, compared.first(priced)))
    values, cheapness = map(_whole, zip(*map(compared.value, rows), strict=True)) if rows else ((), ())

    def key(index: int) -> tuple[bool, bool, bool, int, int, float, float, str]:
        row = rows[index]
        late = compared.few_lines and row.model.tier == _TOP
        return (
            row.cost is None,
            id(row) not in first,
            late,
            -values[index],
            -cheapness[index],
            row.estimate.doubt,
            _seconds(row.model, need),
            row.model.name,
        )

    return [rows[index] for index in sorted(range(len(rows)), key=key)]


def _whole(values: Sequence[Fraction]) -> list[int]:
    """Return whole numbers in the proportion of the values: they compare as exactly, and many times as fast."""
    unit = math.lcm(*(each.denominator for each in values))
    return [each.numerator * (unit // each.denominator) for each in values]


def better(route: Route, name: str) -> Candidate | None:
    """Return whom the same question would go to if the answer of a model was not good enough; None where none is."""
    fit = _better([each for each in route.table if not each.why_not and each.cost is not None], route.table, name)
    compared = replace(route.weighing, few_lines=False)
    return min(
        compared.first(fit), key=lambda each: (*(-part for part in compared.value(each)), each.model.name), default=None
    )


def _better(fit: Sequence[Candidate], table: Sequence[Candidate], name: str) -> list[Candidate]:
    floor = next((each.quality for each in table if each.model.name == name), 0.0)
    return [each for each in fit if each.model.name != name and each.quality > floor]


def _seconds(model: Model, need: RoutingRequest) -> float:
    """Return about how long an answer takes; a model without figures is taken for an ordinary one."""
    return (model.seconds_to_first_token or 1.0) + usual_output(need) / (model.tokens_per_second or 60.0)


def _best_for_least(each: Candidate) -> tuple[float, Decimal]:
    return (each.quality, -(each.cost or Decimal(0)))


def _reason(first: Candidate, best: Candidate, need: RoutingRequest, policy: RoutingPolicy) -> str:
    rated = f"{need.action.id} rated {need.difficulty}"
    if policy.thrifty:
        rated = f"{rated}; thrifty, because most of a budget is used"
    if policy.pin:
        return f"{first.model.title} is pinned; {rated}"
    if policy.only:
        return f"{first.model.title} was picked; {rated}"
    if best.quality <= first.quality:
        return f"no other model would do better; {rated}"
    gain = 100 * (best.quality / first.quality - 1) if first.quality else 100.0
    good = "is tried first, and its tests are run" if need.check == RUN else "is good enough here"
    cost = _compared(first.cost, best.cost)
    return f"{first.model.title} {good}; {best.model.title} would cost {cost} for about {gain:.0f} % more; {rated}"


def _compared(cheap: Decimal | None, dear: Decimal | None) -> str:
    if not cheap or dear is None:
        return money(dear)
    factor = dear / cheap
    return f"{factor:.0f}x" if factor >= _ROUND else f"{factor:.1f}x"


def above(first: Candidate, fit: Sequence[Candidate]) -> list[Candidate]:
    """Return the rungs above a model: by rising cost, each of higher quality than all before it."""
    rungs: list[Candidate] = []
    best = first.quality
    priced = (row for row in fit if row.cost is not None and row.quality > first.quality)
    for row in sorted(priced, key=lambda row: (row.cost or _NOTHING, -row.quality, row.model.name)):
        if row.quality > best:
            best = row.quality
            rungs.append(row)
    return rungs


def _expected_cost(first: Candidate, fit: Sequence[Candidate], need: RoutingRequest) -> Decimal | None:
    if first.cost is None:
        return None
    return with_climb(first, fit) if need.check == RUN else first.cost


def with_climb(row: Candidate, fit: Sequence[Candidate]) -> Decimal:
    """Return the cost of a first try and of the climb that may follow, USD: to the cheapest of the better ones."""
    costs = [each.cost for each in fit if each.cost is not None and each.quality > row.quality]
    return (row.cost or _NOTHING) + Decimal(repr(round(row.fails, 6))) * min(costs, default=_NOTHING)


def unbeaten(rows: Iterable[Candidate]) -> list[Candidate]:
    """Return the rows of known price that no other one beats, by rising cost; equal ones are all kept.

    One row beats another when it is as good for less, or better for no more.
    """
    kept: list[Candidate] = []
    priced = (row for row in rows if row.cost is not None)
    for row in sorted(priced, key=lambda row: (row.cost or _NOTHING, -row.quality)):
        if not kept or row.quality > kept[-1].quality or (row.quality, row.cost) == (kept[-1].quality, kept[-1].cost):
            kept.append(row)
    return kept
