"""The table that a choice is made from: what each model may be expected to do, to cost, and why it may not answer.

A row's quality is the expected one; its doubt is shown, and breaks ties. Nothing is chosen here: core/routing/router.py
does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from tuppence.core.actions import Action
from tuppence.core.billing import budget
from tuppence.core.billing.budget import THRIFTY, CallEstimate
from tuppence.core.models.model import EditForm, Model, Premium
from tuppence.core.models.pricing import cost
from tuppence.core.models.usage import Usage, split
from tuppence.core.routing.difficulty import Difficulty
from tuppence.core.routing.feedback import Outcomes
from tuppence.core.routing.quality import UNKNOWN, CodeSignal, Estimate, Judged, QualityModel

THINKING = 4096
"""Answer tokens allowed on top where a model's thinking cannot be switched off."""
_FEW = Outcomes()
_NOTHING = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRequest:
    """What is asked of a model."""

    action: Action
    gain: CodeSignal
    """What the code says: how hard it is, and whom it favours."""
    prompt_tokens: int
    """Estimate of the whole prompt."""
    most_tokens: int = 0
    """Tokens that the prompt has at most, for what a call may cost at most; 0 where only the estimate is known."""
    target_tokens: int | None
    """Estimate of the code that the action is about; None where it is not known."""
    when: datetime
    """Now, with its time zone: prices and retirements depend on it."""
    private: bool = True
    """Whether the code is not known to be public, and so must not go to a ``public_only`` model."""
    warm: Mapping[str, int] = field(default_factory=dict)
    """Prompt tokens that a model's provider probably has in its cache, by the model's name."""
    written: Mapping[str, Usage] = field(default_factory=dict)
    """Prompt tokens that the marks for a model would write to its cache, in their buckets, by the model's name."""
    left: Decimal | None = None
    """What the budgets leave for this request, USD; None where there is no limit."""
    check: str = ""
    """The check of the answer by its name in the prior, where it is not the action's usual one."""
    takes_blocks: bool = True
    """Whether SEARCH/REPLACE blocks can edit the target (core/prompt/edit_blocks.py)."""
    outcomes: Mapping[str, Outcomes] = field(default_factory=dict)
    """What became of earlier answers for this action on this machine, by the model's name."""

    @property
    def difficulty(self) -> Difficulty:
        """How hard the code is; moderate where it is not known."""
        return self.gain.rated


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingPolicy:
    """What the user's configuration says about this choice."""

    quality: float = 0.92
    """How good an answer is wanted, 0 to 1: the prior says what a better one is worth then, and how good it must be."""
    pin: str | None = None
    """The name of the one model to use."""
    exclude: frozenset[str] = frozenset()
    """Names of models never to use."""
    above: str | None = None
    """The name of a model whose answer was not good enough: only better ones are considered."""
    only: str | None = None
    """The name of the one model that the user picked for this request; unlike a pin, it overrules no setting."""
    premium: Premium = "use"
    """Whether premium models are considered; ``request`` considers them, and whoever runs the request asks first."""
    within: Decimal | None = None
    """What an answer may be expected to cost at most, USD; None is no limit."""
    thrifty: bool = False
    """Whether most of a budget is used up: then ``quality`` is THRIFTY at most."""
    own: frozenset[str] = frozenset()
    """Names of the providers in the user's own file: what keeps these from answering is said first."""

    @property
    def wanted(self) -> float:
        """How good an answer is wanted, all in all."""
        return min(self.quality, THRIFTY) if self.thrifty else self.quality


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row of the table that explains a choice."""

    model: Model
    quality: float
    """Expected quality, 0 to 1: what models are compared by."""
    cost: Decimal | None
    """Expected cost of its answer alone, USD; None is unknown."""
    why_not: str = ""
    """Why it may not answer; empty where it may."""
    estimate: Estimate = UNKNOWN
    """The expected quality itself, how far it may be off, and where it comes from."""
    fails: float = 0.0
    """The chance that its answer does not pass its check, so that a better model is asked."""
    edit: EditForm = "whole"
    """The form in which it is asked for a target's new text; ``cost`` and ``fails`` are those of that form."""

    def failing(self, checked: float) -> float:
        """Return the chance that its answer does not pass, where ``checked`` is that of an answer in the right form."""
        return checked if self.edit == "whole" else 1 - (self.model.edit_adherence or 0.0) * (1 - checked)


def candidates(
    models: Iterable[Model],
    need: RoutingRequest,
    ready: Mapping[str, str],
    prior: QualityModel,
    policy: RoutingPolicy,
) -> tuple[Candidate, ...]:
    """Return the table: a row for each model, and for each of its variants at other efforts.

    :param ready: why a provider or a model cannot be asked, by the provider's or the row's name; others can.
    """
    check, judged = prior.check(need.check or need.action.id), Judged()
    rows = []
    for model in (each for row in models for each in row.variants()):
        expected = prior.estimate(model, need.action.id, need.gain, need.outcomes.get(model.row, _FEW), judged)
        quality = expected.compared
        row = Candidate(
            model=model,
            quality=quality,
            cost=cost(usage(model, need, prior), model.price, need.when) if model.price else None,
            why_not=_why_not(model, need, ready, policy) or _over_budget(model, need),
            estimate=expected,
            fails=check.fails(quality),
        )
        rows.append(row)
    return tuple(rows)


def agreed(row: Candidate, policy: RoutingPolicy) -> Candidate:
    """Return the row; with why it may not answer where it would cost more than was agreed to."""
    if row.why_not or policy.within is None or row.cost is None or row.cost <= policy.within:
        return row
    return replace(row, why_not=f"would cost about ${row.cost:.2f}, more than was agreed to")


def usage(model: Model, need: RoutingRequest, prior: QualityModel) -> Usage:
    """Return the tokens that a model's answer may be expected to take."""
    tokens = prior.tokens(model, need.action.id, need.target_tokens)
    effort = model.at_effort.get(model.chosen_effort)
    # Where thinking was measured, the quality is that of thinking; a row that switches it off is priced with it all the
    # same, for what is cheaper without it is also of a quality that nobody measured.
    usual = tokens.thinking
    return asked(model, need, tokens.output, usual if effort is None else effort.thinking)


def asked(model: Model, need: RoutingRequest, output: int, thinking: int = 0) -> Usage:
    """Return the tokens of a request as a model's provider may be expected to count them."""
    name = model.name
    warm, written = need.warm.get(name, 0), need.written.get(name, _NOTHING)
    return split(need.prompt_tokens, warm, written, output=output, thinking=thinking)


def usual_output(need: RoutingRequest) -> int:
    """Return the answer tokens that a usual answer takes, whoever gives it."""
    return need.action.usual_output + round(need.action.echo * (need.target_tokens or 0))


def least_output(need: RoutingRequest) -> int:
    """Return the answer tokens below which asking is pointless."""
    return need.action.least_output + round(need.action.echo * (need.target_tokens or 0))


def allowance(model: Model, need: RoutingRequest, prior: QualityModel) -> int:
    """Return how many answer tokens to allow: generous for the action, within the model's limit and context."""
    tokens = usage(model, need, prior)
    thinking = max(THINKING, 2 * tokens.thinking) if _thinks(model) else 0
    generous = max(3 * usual_output(need) + 256 + thinking, 2 * (tokens.output + tokens.thinking))
    room = model.context - round(need.prompt_tokens * 1.1) - 16
    return max(need.action.least_output, min(model.max_output, room, generous))


def thoughts(model: Model, need: RoutingRequest, prior: QualityModel) -> int:
    """Return how many tokens to allow for thinking, besides those of an answer."""
    return max(THINKING if _thinks(model) else 0, 2 * usage(model, need, prior).thinking)


def bound(model: Model, need: RoutingRequest, output: int) -> Decimal | None:
    """Return what a request with at most so many answer tokens costs at most, USD; None is unknown."""
    if model.price is None:
        return None
    prompt, least = max(need.prompt_tokens, need.most_tokens), least_output(need)
    bid = CallEstimate(model=model.name, price=model.price, prompt=prompt, least=least, most=output, when=need.when)
    return budget.bound(bid, output)


def _thinks(model: Model) -> bool:
    return bool(model.chosen_effort or (model.effort and not model.quirks.thinking_off))


def _why_not(model: Model, need: RoutingRequest, ready: Mapping[str, str], policy: RoutingPolicy) -> str:
    if policy.pin and not model.goes_by(policy.pin):
        return "another model is pinned"
    if policy.exclude and not policy.exclude.isdisjoint((model.name, model.row)):
        return "excluded in the configuration"
    if model.retired(need.when.date()):
        return f"retired on {model.retires_on}"
    if ready and (unready := ready.get(model.provider.name) or ready.get(model.row)):
        return unready
    if policy.premium == "never" and model.tier == "premium" and not policy.pin:
        return 'premium models are switched off (premium = "never")'
    if model.price is None and not policy.pin:
        return "its price is unknown (pin it to use it all the same)"
    if need.private and model.public_only:
        return "may be given public files only (open a folder under `public` in config.toml)"
    if model.context - need.prompt_tokens < least_output(need):
        return f"the prompt of about {need.prompt_tokens} tokens does not fit its context of {model.context}"
    if model.max_output < least_output(need):
        return f"its answers end at {model.max_output} tokens"
    return ""


def _over_budget(model: Model, need: RoutingRequest) -> str:
    """Return why its price is too high, empty where it is not; a pinned model of unknown price passes no budget."""
    if need.left is None:
        return ""
    least = bound(model, need, least_output(need))
    if least is None:
        return "its price is unknown, and there is a budget"
    return (
        f"its answer costs ${least:.4f} at least, and the budget leaves ${need.left:.4f}" if least > need.left else ""
    )
