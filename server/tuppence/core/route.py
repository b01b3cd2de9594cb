"""Which model answers: the cheapest in expectation among the adequate ones, why, and the ladder above it.

A model's expected quality comes from its measured ability for the action; where nobody measured one it comes from
published benchmarks or, failing those, from its tier, both lowered by a doubt, so that no signal never reads as good.
A harder request takes more from a weaker model than from a stronger one. A model is adequate when its expected quality
is at least ``quality`` times the best available. The order of a list never decides anything; ties go to the faster.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from tuppence.core.actions import Action
from tuppence.core.difficulty import Difficulty
from tuppence.core.models import Model, Tier
from tuppence.core.usage import Usage, cost
from tuppence.errors import NoModel

_TIER_QUALITY: Mapping[Tier, float] = {
    "premium": 0.62,
    "workhorse": 0.56,
    "specialised": 0.50,
    "budget": 0.45,
    "local": 0.30,
}
"""Expected quality of a model that nobody measured, by tier; a prior, lowered further by the doubt."""
_ROUND = 3
"""From this factor on prices are compared in whole numbers."""
_DOUBT = 0.06
_CHECK_CATCHES = 0.35
"""The share of bad answers that a check finds, and so sends up the ladder; parse checks find few, test runs most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What is asked of a model."""

    action: Action
    difficulty: Difficulty
    prompt_tokens: int
    """Estimate of the whole prompt."""
    target_tokens: int
    """Estimate of the code that the action is about."""
    when: datetime
    """Now, with its time zone: prices and retirements depend on it."""
    private: bool = False
    """Whether the file must not go to a ``public_only`` model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user's configuration says about this choice."""

    quality: float = 0.97
    """How close to the best expected quality the first model must come."""
    pin: str | None = None
    """The name of the one model to use."""
    exclude: frozenset[str] = frozenset()
    """Names of models never to use."""
    above: str | None = None
    """The name of a model whose answer was not good enough: only better ones are considered."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of the table that explains a choice."""

    model: Model
    quality: float
    """Expected quality, 0 to 1."""
    cost: Decimal | None
    """Expected cost of its answer alone, USD; None is unknown."""
    why_not: str = ""
    """Why it may not answer; empty where it may."""


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


def choose(need: Need, models: Iterable[Model], ready: Mapping[str, str], wish: Wish = Wish()) -> Route:
    """Return the cheapest adequate model for a need.

    :param models: the tier table.
    :param ready: why a provider cannot be asked, by provider name (no key, waiting after a failure); others can.
    :raises NoModel: none is eligible; the sentence says what would make one so.
    """
    table = tuple(_candidate(model, need, ready, wish) for model in models)
    fit = [row for row in table if not row.why_not]
    if wish.above:
        fit = _better(fit, table, wish.above)
    if not fit:
        raise _none(table, wish)
    top = max(row.quality for row in fit)
    adequate = [row for row in fit if row.quality >= wish.quality * top or row.model.name == wish.pin]
    ranked = sorted(adequate, key=lambda row: (*_expected(row, fit), _seconds(row.model, need), row.model.name))
    first = ranked[0]
    ladder = (first.model, *(row.model for row in _above(first, fit)))
    best = max((row for row in fit if row.cost is not None), key=_worth, default=first)
    total = _expected(first, fit)[1] if first.cost is not None else None
    return Route(
        model=first.model,
        quality=first.quality,
        expected_cost=total,
        ladder=ladder,
        spare=tuple(row.model for row in ranked[1:]),
        best=best.model,
        reason=_reason(first, best, need, wish),
        table=table,
        wanted=wish.quality,
    )


def expected_usage(need: Need) -> Usage:
    """Return the tokens that a usual answer takes, nothing cached."""
    return Usage(
        fresh=need.prompt_tokens, output=need.action.usual_output + round(need.action.echo * need.target_tokens)
    )


def quality(model: Model, action: str, difficulty: float) -> float:
    """Return the quality to expect of a model's answer, 0 to 1."""
    ability = model.ability.get(action)
    if ability is None:
        ability = max(0.0, _prior(model) - _DOUBT)
    return ability * (1 - 0.4 * difficulty * (1 - ability))


def _prior(model: Model) -> float:
    figures = [model.benchmarks[name] for name in ("aider_polyglot", "swe_bench") if name in model.benchmarks]
    base = _TIER_QUALITY[model.tier]
    # A benchmark moves the tier's figure by at most a quarter of the way: other tasks, other prompts, often old.
    return base if not figures else 0.75 * base + 0.25 * max(figures) / 100


def _candidate(model: Model, need: Need, ready: Mapping[str, str], wish: Wish) -> Candidate:
    usage = expected_usage(need)
    price = cost(usage, model.price, need.when) if model.price else None
    return Candidate(
        model, quality(model, need.action.id, need.difficulty.value), price, _why_not(model, need, ready, wish)
    )


def _why_not(model: Model, need: Need, ready: Mapping[str, str], wish: Wish) -> str:
    if wish.pin and model.name != wish.pin:
        return "another model is pinned"
    if model.name in wish.exclude:
        return "excluded in the configuration"
    if model.retired(need.when.date()):
        return f"retired on {model.retires_on}"
    if model.provider.name in ready:
        return ready[model.provider.name]
    if model.price is None and not wish.pin:
        return "its price is unknown (pin it to use it all the same)"
    if need.private and model.public_only:
        return "may be given public files only"
    room = model.context - need.prompt_tokens
    if room < need.action.least_output + round(need.action.echo * need.target_tokens):
        return f"the prompt of about {need.prompt_tokens} tokens does not fit its context of {model.context}"
    if model.max_output < need.action.least_output + round(need.action.echo * need.target_tokens):
        return f"its answers end at {model.max_output} tokens"
    return ""


def _better(fit: Sequence[Candidate], table: Sequence[Candidate], name: str) -> list[Candidate]:
    floor = next((row.quality for row in table if row.model.name == name), 0.0)
    return [row for row in fit if row.model.name != name and row.quality > floor]


def _above(first: Candidate, fit: Sequence[Candidate]) -> list[Candidate]:
    """Return the rungs above a model: by rising cost, each of higher quality than all before it."""
    rungs: list[Candidate] = []
    best = first.quality
    priced = (row for row in fit if row.cost is not None and row.quality > first.quality)
    for row in sorted(priced, key=lambda row: (row.cost or Decimal(0), -row.quality, row.model.name)):
        if row.quality > best:
            best = row.quality
            rungs.append(row)
    return rungs


def _expected(row: Candidate, fit: Sequence[Candidate]) -> tuple[int, Decimal]:
    """Return a sort key: unknown price last, then the cost of the first try and of the climb that it may need."""
    if row.cost is None:
        return (1, Decimal(0))
    above = _above(row, fit)
    climb = above[0].cost if above else None
    fails = Decimal(repr(round((1 - row.quality) * _CHECK_CATCHES, 6)))
    return (0, row.cost + fails * (climb or Decimal(0)))


def _seconds(model: Model, need: Need) -> float:
    """Return about how long an answer takes; a model without figures is taken for an ordinary one."""
    return (model.seconds_to_first_token or 1.0) + expected_usage(need).output / (model.tokens_per_second or 60.0)


def _worth(row: Candidate) -> tuple[float, Decimal]:
    return (row.quality, -(row.cost or Decimal(0)))


def _reason(first: Candidate, best: Candidate, need: Need, wish: Wish) -> str:
    rated = f"{need.action.id} rated {need.difficulty}"
    if wish.pin:
        return f"{first.model.id} is pinned; {rated}"
    if best.model.name == first.model.name:
        return f"{rated}; no other model would do better"
    gain = 100 * (best.quality / first.quality - 1) if first.quality else 0.0
    return f"{rated}; {best.model.id} would add {gain:.0f} %{_times(first.cost, best.cost)}"


def _times(cheap: Decimal | None, dear: Decimal | None) -> str:
    if not cheap or dear is None:
        return ""
    factor = dear / cheap
    return f" for {factor:.0f}x the price" if factor >= _ROUND else f" for {factor:.1f}x the price"


def _none(table: Sequence[Candidate], wish: Wish) -> NoModel:
    if not table:
        return NoModel("There is no model in the tier table.", "Run `tuppence local install`, or set a provider's key.")
    if wish.pin:
        why_not = next((row.why_not for row in table if row.model.name == wish.pin), None)
        if why_not is None:
            return NoModel(f"The pinned model {wish.pin} is not in the tier table.", "Correct `model` in config.toml.")
        return NoModel(f"The pinned model {wish.pin} may not answer: {why_not.rstrip('.')}.", "No other one is asked.")
    if wish.above and all(row.why_not or row.model.name == wish.above for row in table):
        return NoModel(f"There is no better model than {wish.above} that may be asked.", "Set another provider's key.")
    why = itertools.groupby(sorted(row.why_not for row in table if row.why_not))
    commonest = [
        reason for reason, _ in sorted(((key, len(list(rows))) for key, rows in why), key=lambda pair: -pair[1])
    ]
    if not commonest:
        return NoModel(f"There is no better model than {wish.above}.", "")
    return NoModel(
        f"No model may answer this: {'; '.join(reason.rstrip('.') for reason in commonest[:3])}.",
        "Set a provider's key, or run `tuppence local install` to try without one; `tuppence models` shows the table.",
    )


def better(route: Route, name: str) -> Candidate | None:
    """Return whom the same question would go to if the answer of a model was not good enough, None for nobody."""
    fit = _better([row for row in route.table if not row.why_not and row.cost is not None], route.table, name)
    top = max((row.quality for row in fit), default=0.0)
    adequate = [row for row in fit if row.quality >= route.wanted * top]
    return min(adequate, key=lambda row: (*_expected(row, fit), row.model.name), default=None)
