"""Which model answers, why, and the ladder above it: the adequate model with the least expected cost.

A model is adequate when the quality that may be counted on is at least ``quality`` times the best available; of the
best itself no more is taken off than a measured model's doubt, so that doubt never makes a cheaper one look good
enough. The order of a list never decides anything; ties go to the faster model.

The expected cost includes an escalation: a run calls the first model and, when its answer fails the check, the next
better one once. So it is the cost of the first call plus the chance of a failed check times the cost of the next.
Unknown prices come last, never as free. :mod:`tuppence.core.routing.candidates` says what a model is expected to do and
to cost, and core/routing/edit_form.py in which form it is asked for an edit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tuppence.core.billing.entry import money
from tuppence.core.models.model import Model
from tuppence.core.routing import no_model
from tuppence.core.routing.candidates import (
    Candidate,
    RoutingPolicy,
    RoutingRequest,
    agreed,
    candidate,
    usual_output,
    with_benchmark,
)
from tuppence.core.routing.edit_form import in_cheaper_form
from tuppence.core.routing.quality import QualityModel

_ROUND = 3
"""From this factor on prices are compared in whole numbers."""
_USUAL = RoutingPolicy()
_NOTHING = Decimal(0)
_UNKNOWN = 2


@dataclass(frozen=True, slots=True)
class Route:
    """The choice."""

    model: Model
    quality: float
    expected_cost: Decimal | None
    """Of the whole ladder, USD; None where the first model's price is unknown."""
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
    """How close to the best expected quality a model had to come."""
    told: str = ""
    """What the end of the run must say of how it came to this one; empty for an ordinary choice."""

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
    """Return the cheapest adequate model for a need.

    :param models: the tier table.
    :param ready: why a provider or a model cannot be asked, by the provider's or the row's name (no key, waiting after
        a failure); others can.
    :raises Nobody: none is eligible; the sentence says what would make one so.
    """
    rows = tuple(candidate(each, need, ready, prior, policy) for model in models for each in model.variants())
    formed = tuple(agreed(each, policy) for each in in_cheaper_form(rows, need, prior))
    table = with_benchmark(formed, need, prior)
    fit = [each for each in table if not each.why_not]
    if policy.above and not policy.only:
        fit = _better(fit, table, policy.above)
    adequate = _adequate(fit, policy)
    if not adequate:
        raise no_model.none(need, table, policy, ready)
    rank = ranking(fit)
    ranked = sorted(adequate, key=lambda each: (*rank(each), _seconds(each.model, need), each.model.name))
    first = ranked[0]
    best = max((each for each in fit if each.cost is not None), key=_worth, default=first)
    return Route(
        model=first.model,
        quality=first.quality,
        expected_cost=expected(first, fit) if first.cost is not None else None,
        ladder=(first.model, *(each.model for each in above(first, fit))),
        spare=tuple(each.model for each in ranked[1:]),
        best=best.model,
        reason=_reason(first, best, need, policy),
        table=table,
        wanted=policy.wanted,
    )


def _adequate(fit: Sequence[Candidate], policy: RoutingPolicy) -> list[Candidate]:
    """Return those that may answer first: the model that was picked, else all that are good enough."""
    if policy.only:
        return [each for each in fit if each.model.name == policy.only]
    top = max((each.quality for each in fit), default=0.0)
    return [each for each in fit if each.quality >= policy.wanted * top]


def better(route: Route, name: str) -> Candidate | None:
    """Return whom the same question would go to if the answer of a model was not good enough, None for nobody."""
    fit = _better([each for each in route.table if not each.why_not and each.cost is not None], route.table, name)
    top = max((each.quality for each in fit), default=0.0)
    adequate = [each for each in fit if each.quality >= route.wanted * top]
    rank = ranking(fit)
    return min(adequate, key=lambda each: (*rank(each), each.model.name), default=None)


def _better(fit: Sequence[Candidate], table: Sequence[Candidate], name: str) -> list[Candidate]:
    floor = next((each.quality for each in table if each.model.name == name), 0.0)
    return [each for each in fit if each.model.name != name and each.quality > floor]


def _seconds(model: Model, need: RoutingRequest) -> float:
    """Return about how long an answer takes; a model without figures is taken for an ordinary one."""
    return (model.seconds_to_first_token or 1.0) + usual_output(need) / (model.tokens_per_second or 60.0)


def _worth(each: Candidate) -> tuple[float, Decimal]:
    return (each.quality, -(each.cost or Decimal(0)))


def _reason(first: Candidate, best: Candidate, need: RoutingRequest, policy: RoutingPolicy) -> str:
    rated = f"{need.action.id} rated {need.difficulty}"
    if policy.thrifty:
        rated = f"{rated}; thrifty, because most of a budget is used"
    if policy.pin:
        return f"{first.model.title} is pinned; {rated}"
    if policy.only:
        return f"{first.model.title} was picked; {rated}"
    if best.model.name == first.model.name:
        return f"{rated}; no other model would do better"
    gain = 100 * (best.quality / first.quality - 1) if first.quality else 0.0
    return f"{rated}; {best.model.title} would add {gain:.0f} %{_times(first.cost, best.cost)}"


def _times(cheap: Decimal | None, dear: Decimal | None) -> str:
    if not cheap or dear is None:
        return ""
    factor = dear / cheap
    return f" for {factor:.0f}x the price" if factor >= _ROUND else f" for {factor:.1f}x the price"


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


def expected(row: Candidate, fit: Sequence[Candidate]) -> Decimal:
    """Return the cost of a first try and of the climb that may follow, USD; unknown prices count as nothing here."""
    return _expected(row, _climbs(fit))


def ranking(fit: Sequence[Candidate]) -> Callable[[Candidate], tuple[int, Decimal]]:
    """Return a sort key for who answers first: by expected cost, then those that another beats, then unknown prices."""
    beaten, climbs = _beaten(fit), _climbs(fit)

    def rank(row: Candidate) -> tuple[int, Decimal]:
        group = _UNKNOWN if row.cost is None else int(row.model.name in beaten)
        return group, _expected(row, climbs)

    return rank


def _climbs(fit: Sequence[Candidate]) -> Mapping[float, Decimal]:
    """Return the cost of the first rung above each quality: the cheapest of the better ones; nothing above the best."""
    cheapest: dict[float, Decimal] = {}
    for row in fit:
        if row.cost is not None:
            cheapest[row.quality] = min(row.cost, cheapest.get(row.quality, row.cost))
    found: dict[float, Decimal] = {}
    least: Decimal | None = None
    for quality in sorted({row.quality for row in fit}, reverse=True):
        found[quality] = _NOTHING if least is None else least
        if (here := cheapest.get(quality)) is not None:
            least = here if least is None else min(least, here)
    return found


def _expected(row: Candidate, climbs: Mapping[float, Decimal]) -> Decimal:
    return (row.cost or _NOTHING) + Decimal(repr(round(row.fails, 6))) * climbs[row.quality]


def _beaten(fit: Sequence[Candidate]) -> frozenset[str]:
    """Return the names of those beside whom another is as good for less, or better for no more.

    That the climb from such a one would be to a cheap model must not make it look cheap itself.
    """
    found: set[str] = set()
    best, least = -1.0, _NOTHING
    priced = (row for row in fit if row.cost is not None)
    for row in sorted(priced, key=lambda row: (row.cost or _NOTHING, -row.quality)):
        if row.quality > best:
            best, least = row.quality, row.cost or _NOTHING
        elif (row.quality, row.cost) != (best, least):
            found.add(row.model.name)
    return frozenset(found)
