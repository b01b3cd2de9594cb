"""Who would answer each task: the product's own choice on a prior that has not seen the task, at any quality.

The candidates are the product's, priced by its own table, and so is the weighing. The command puts every 37th task to
``choose`` itself at several qualities, and ends with an error where another model or another quality comes out.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from benchmarks.routing.checks import Sharpness
from benchmarks.routing.data import MODELS, Task
from benchmarks.routing.fit import PENALTIES, Listed, fit
from tuppence.config import load
from tuppence.core.actions import find_action
from tuppence.core.models.model import Model, Quirks
from tuppence.core.models.pricing import cost
from tuppence.core.models.usage import Usage, estimate
from tuppence.core.routing.candidates import Candidate, RoutingPolicy, RoutingRequest, candidates
from tuppence.core.routing.quality import QualityModel, canonical, from_json
from tuppence.core.routing.router import by_value, weighing

WHEN = datetime(2026, 11, 30, 12, tzinfo=UTC)
"""The moment whose prices apply: the day on which those of the eight models were read."""
FOLDS = 5
Fitting = Callable[[Sequence[Task]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Offer:
    """What the router sees of one task: each model's row of the table."""

    task: Task
    rows: tuple[Candidate, ...]
    """In the order of MODELS."""
    need: RoutingRequest
    """What the router was asked."""
    prior: QualityModel
    """What it knew, which is nothing of this task."""

    def pick(self, quality: float) -> int:
        """Return the index of the model that answers at a ``quality``."""
        names = [each.model.name for each in self.rows]
        ranked = by_value(self.rows, weighing(self.need, self.prior, RoutingPolicy(quality=quality)), self.need)
        return names.index(ranked[0].model.name)


def table() -> tuple[Model, ...]:
    """Return the product's rows of the measured models, each at its own maker; thinking as it was when measured.

    All of them may answer, as they did then: one was retired by its maker since.
    """
    rows = {canonical(model.id): model for model in load().models if model.provider.name != "openrouter"}
    return tuple(replace(rows[canonical(name)], quirks=Quirks(), retires_on=None) for name in MODELS)


def spent(task: Task, index: int, models: Sequence[Model]) -> float:
    """Return what a model's recorded answer costs at our prices, USD."""
    price = models[index].price
    assert price is not None
    usage = Usage(fresh=round(task.input[index]), output=round(task.output[index]))
    return float(cost(usage, price, WHEN) or 0)


def need(task: Task, prior: QualityModel) -> RoutingRequest:
    """Return what the router is asked; the source is no part of it."""
    action = find_action(task.action)
    assert action is not None
    target = estimate(task.code) if task.code else None
    tokens = prior.usual[action.id].input if target is None else 60 + target
    gain = prior.gain(action.id, task.language, task.code)
    return RoutingRequest(action=action, gain=gain, prompt_tokens=tokens, target_tokens=target, when=WHEN)


def offer(task: Task, prior: QualityModel, models: Sequence[Model]) -> Offer:
    """Return a task's table."""
    asked = need(task, prior)
    return Offer(task, candidates(models, asked, {}, prior, RoutingPolicy()), asked, prior)


def folds(tasks: Iterable[Task], seed: int = 0, parts: int = FOLDS) -> Mapping[str, int]:
    """Return the fold of each group."""
    groups = sorted({task.group for task in tasks})
    random.Random(seed).shuffle(groups)  # noqa: S311 - a split that can be repeated
    return {group: index % parts for index, group in enumerate(groups)}


def is_asked(task: Task) -> bool:
    """Report whether the editor offers what a task asks for."""
    return task.action != "other"


def unseen(
    tasks: Sequence[Task],
    fold: Mapping[str, int],
    fitting: Fitting,
    models: Sequence[Model],
    only: Callable[[Task], bool] = is_asked,
) -> list[Offer]:
    """Return the offers of the tasks that are looked at, each from a prior fitted to the other folds."""
    found: list[Offer] = []
    for number in sorted(set(fold.values())):
        prior = from_json(fitting([task for task in tasks if fold[task.group] != number]))
        held = [task for task in tasks if fold[task.group] == number and only(task)]
        found += [offer(task, prior, models) for task in held]
    return sorted(found, key=lambda each: each.task.id)


def plain(
    edits: Mapping[str, Mapping[str, bool]], rows: Iterable[Model], sharp: Mapping[str, Sharpness]
) -> Mapping[float, Fitting]:
    """Return, for each penalty, the fit as a function of the tasks alone, without what a better answer is worth."""
    checks = {name: each.written for name, each in sharp.items()}
    listed = _listed(rows)

    def fitting(penalty: float) -> Fitting:
        return lambda tasks: {**fit(tasks, edits, listed, penalty), "checks": checks, "presets": {}}

    return {penalty: fitting(penalty) for penalty in PENALTIES}


def _listed(rows: Iterable[Model]) -> Listed:
    # A model's own maker goes before others that serve it.
    makers_last = sorted(rows, key=lambda each: each.provider.name != "openrouter")
    by_name = {canonical(model.id): model for model in makers_last}
    known = {name: model.benchmarks for name, model in by_name.items()}
    return Listed(
        figures={name: each["aider_polyglot"] for name, each in known.items() if "aider_polyglot" in each},
        prices={name: (each.tier, float(each.price.base.output)) for name, each in by_name.items() if each.price},
        heirs=heirs(by_name),
    )


def heirs(rows: Mapping[str, Model]) -> dict[str, str]:
    """Return the measured model that followed each model which was not measured, by canonical names."""
    measured = {canonical(name) for name in MODELS}
    found: dict[str, str] = {}
    for name in sorted(measured & set(rows)):
        former = rows[name].predecessor
        while former is not None and canonical(former.figures_id) not in measured:
            found[canonical(former.figures_id)] = name
            former = former.predecessor
    return found
