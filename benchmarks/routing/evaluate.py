"""Holds the product's choice against the alternatives, on tasks that its prior has not seen.

Every policy gives each task one model. The product's is the choice of ``tuppence route`` itself, on a prior fitted to
the other folds; tasks of one problem lie in one fold. The alternatives that learn, learn on the same folds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from benchmarks.routing import baselines
from benchmarks.routing.data import ACTIONS, BEST, MODELS, SMALL, Task
from benchmarks.routing.hardness import Hardness, compared
from benchmarks.routing.measure import apgr, bins, calibration_error, interval, on_hull
from benchmarks.routing.policy import Fitting, Offer, folds, need, offer, spent, table, unseen
from benchmarks.routing.tier_shares import tier_shares
from benchmarks.routing.twins import Twins, twins
from tuppence.config.settings import PRESETS
from tuppence.core.models.model import Model
from tuppence.core.routing.candidates import RoutingPolicy
from tuppence.core.routing.quality import QualityModel, from_json
from tuppence.core.routing.router import choose

PAIR = ("cruxeval", "debugbench", "bugs2fix")
"""Sources over which the order within an action is judged."""
SEEDS = 3
THREE, FOUR = "explain, fix, review, with code", "four actions, with code"
"""The sets of tasks for which the worth was chosen, and these with tests."""
BALANCED = PRESETS["balanced"]
Policy = Callable[[Offer], int]


@dataclass(frozen=True, slots=True)
class Score:
    """What a policy comes to, as shares of always asking Opus 4.6."""

    quality: float
    cost: float
    low: float
    """The bootstrap's 95 % interval of ``quality``."""
    high: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a source came to, with a prior that was fitted without it: mean scores."""

    best: float
    """The product's at quality 1."""
    balanced: float
    """The product's with the balanced preset."""
    low: float
    """The bootstrap's 95 % interval of ``balanced``."""
    high: float
    cost: float
    """What that cost, as a share of always asking Opus 4.6."""
    opus: float
    """Always asking Opus 4.6."""
    top: float
    """The best single model's, known afterwards."""
    tasks: int


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for one part of a split, on the inner folds of the other parts."""

    penalty: float
    worth: Mapping[str, float]
    """USD by action, for the preset balanced."""


@dataclass(slots=True)
class Found:
    """Everything that was measured."""

    scores: dict[tuple[str, str], Score] = field(default_factory=dict)
    """By policy and set of tasks."""
    curves: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    """(cost, quality) by policy, for the three actions with code."""
    orders: dict[str, dict[str, float]] = field(default_factory=dict)
    """APGR by predictor and source."""
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    """The bootstrap's 95 % interval of the product's, by source."""
    reliability: dict[str, list[tuple[float, float, int]]] = field(default_factory=dict)
    errors: dict[str, float] = field(default_factory=dict)
    """Expected calibration error by action."""
    hardness: Mapping[str, Hardness] = field(default_factory=dict)
    """By action and source; and of all together."""
    left_out: dict[str, LeftOut] = field(default_factory=dict)
    """By action and source."""
    chosen: dict[int, list[Chosen]] = field(default_factory=dict)
    """By split, for each of its parts."""
    splits: dict[tuple[str, int], Score] = field(default_factory=dict)
    """The preset balanced, by set of tasks and split."""
    twins: Mapping[str, Twins] = field(default_factory=dict)
    """The problems on both sides of the first split, by the set that numbers them or by how they are known."""
    tiers: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """The share of four actions' tasks with code that a tier answers, by preset and tier."""
    milliseconds: tuple[float, float] = (0.0, 0.0)
    """Of the processor for a decision: the median and the 99th percentile."""


def evaluate(tasks: Sequence[Task], fitting: Fitting) -> Found:
    """Measure everything."""
    models, found = table(), Found()
    fold = folds(tasks)
    offers = unseen(tasks, fold, _noting(fitting, found.chosen.setdefault(0, [])), models)
    _same_as_the_product(offers[::37], models)
    costs = {each.task.id: tuple(spent(each.task, index, models) for index in range(len(MODELS))) for each in offers}
    policies = _policies(offers, costs, fold, models)
    for name, chosen in sets(offers).items():
        for policy, pick in policies.items():
            found.scores[policy, name] = _score(chosen, pick, costs)
        ours = found.scores["tuppence", name]
        found.scores["random mixing at our cost", name] = _mixed(chosen, ours, costs)
        found.scores["a model for each action, by hindsight", name] = _by_hindsight(chosen, ours, costs)
    main = sets(offers)[THREE]
    found.curves = _curves(main, costs)
    _orders(tasks, fitting, offers, found)
    _calibrate(main, found)
    found.hardness = compared(offers)
    found.twins = twins(tasks, fold)
    found.tiers = tier_shares(sets(offers)[FOUR], {name: preset(name) for name in PRESETS})
    _leave_out(tasks, fitting, models, found)
    found.milliseconds = _time(tasks, fitting, models)
    return found


def sets(offers: Sequence[Offer]) -> Mapping[str, Sequence[Offer]]:
    """Return the sets of tasks that are judged, by name."""
    coded = [each for each in offers if each.task.code]
    bare = [each for each in offers if not each.task.code]
    return {
        THREE: [each for each in coded if each.task.action != "tests"],
        FOUR: coded,
        "explain, fix, review, without code": [each for each in bare if each.task.action != "tests"],
        "four actions, without code": bare,
    } | {f"{action}, with code": [each for each in coded if each.task.action == action] for action in ACTIONS}


def preset(name: str) -> Policy:
    """Return the product's choice under a preset."""
    return lambda each: each.pick(PRESETS[name])


def _always(index: int) -> Policy:
    return lambda _: index


def _policies(
    offers: Sequence[Offer], costs: Mapping[str, Sequence[float]], fold: Mapping[str, int], models: Sequence[Model]
) -> dict[str, Policy]:
    learned = baselines.tables([each.task for each in offers], fold)
    lengths = baselines.lengths([each.task for each in offers], fold)
    words = baselines.tfidf([each.task for each in offers], fold)
    fixed = {f"always {model}": _always(index) for index, model in enumerate(MODELS)}
    return {
        **fixed,
        "the table by action": _by_worth(learned),
        "length alone": _by_worth(lengths),
        "TF-IDF": _by_worth(words),
        "select_model of the documents": lambda each: baselines.select_model(each.task),
        "LiteLLM's complexity rules": lambda each: baselines.complexity(each.task),
        **{("tuppence" if name == "balanced" else f"tuppence, {name}"): preset(name) for name in PRESETS},
        "tuppence, without the language": lambda each: offer(replace(each.task, language=""), each.prior, models).pick(
            BALANCED
        ),
        "oracle": lambda each: baselines.oracle(each.task, costs[each.task.id]),
    }


def _by_worth(expected: Mapping[str, Sequence[float]]) -> Policy:
    """Return the product's policy at the balanced preset, on what something else expects of the models."""

    def pick(each: Offer) -> int:
        worth = float(each.prior.bar(each.task.action, BALANCED).worth or 0)
        return baselines.worthiest(expected[each.task.id], [float(row.cost or 0) for row in each.rows], worth)

    return pick


def _score(chosen: Sequence[Offer], pick: Policy, costs: Mapping[str, Sequence[float]]) -> Score:
    picks = [(each.task, pick(each)) for each in chosen]
    rows = [
        (task.scores[index], task.scores[BEST], costs[task.id][index], costs[task.id][BEST]) for task, index in picks
    ]
    low, high = interval(rows, _quality)
    return Score(_quality(rows), sum(row[2] for row in rows) / sum(row[3] for row in rows), low, high)


def _quality(rows: Sequence[tuple[float, ...]]) -> float:
    return sum(row[0] for row in rows) / sum(row[1] for row in rows)


def _mean(rows: Sequence[tuple[float, ...]]) -> float:
    return sum(row[0] for row in rows) / len(rows)


def _mixed(chosen: Sequence[Offer], ours: Score, costs: Mapping[str, Sequence[float]]) -> Score:
    """Return what mixing fixed models at random gives for what the product costs."""
    best = sum(each.task.scores[BEST] for each in chosen)
    dear = sum(costs[each.task.id][BEST] for each in chosen)
    points = [
        (
            sum(costs[each.task.id][index] for each in chosen) / dear,
            sum(each.task.scores[index] for each in chosen) / best,
        )
        for index in range(len(MODELS))
    ]
    quality = on_hull(points, ours.cost)
    return Score(quality, ours.cost, quality, quality)


def _by_hindsight(chosen: Sequence[Offer], ours: Score, costs: Mapping[str, Sequence[float]]) -> Score:
    """Return the best that one model for each action reaches for no more than the product costs, known afterwards."""
    best = sum(each.task.scores[BEST] for each in chosen)
    dear = sum(costs[each.task.id][BEST] for each in chosen)
    sums: dict[str, list[tuple[float, float]]] = {}
    for action in sorted({each.task.action for each in chosen}):
        own = [each for each in chosen if each.task.action == action]
        sums[action] = [
            (
                sum(each.task.scores[index] for each in own) / best,
                sum(costs[each.task.id][index] for each in own) / dear,
            )
            for index in range(len(MODELS))
        ]
    ways = ([sum(parts) for parts in zip(*way, strict=True)] for way in product(*sums.values()))
    within = [(score, -cost) for score, cost in ways if cost <= ours.cost + 1e-9]
    score, cost = max(within, default=(0.0, 0.0))
    return Score(score, -cost, score, score)


def _curves(chosen: Sequence[Offer], costs: Mapping[str, Sequence[float]]) -> dict[str, list[tuple[float, float]]]:
    best = sum(each.task.scores[BEST] for each in chosen)
    dear = sum(costs[each.task.id][BEST] for each in chosen)

    def point(picks: Sequence[int]) -> tuple[float, float]:
        pairs = list(zip(chosen, picks, strict=True))
        return (
            sum(costs[each.task.id][index] for each, index in pairs) / dear,
            sum(each.task.scores[index] for each, index in pairs) / best,
        )

    marks = [0.5 + 0.02 * step for step in range(26)]
    return {
        "tuppence, one quality for all": [point([each.pick(mark) for each in chosen]) for mark in marks],
        "tuppence's presets": [point([preset(name)(each) for each in chosen]) for name in PRESETS],
        "each model alone": [point([index] * len(chosen)) for index in range(len(MODELS))],
    }


def _noting(fitting: Fitting, chosen: list[Chosen]) -> Fitting:
    """Return the fit; each time it notes what was chosen."""

    def fitted(tasks: Sequence[Task]) -> dict[str, Any]:
        weights = fitting(tasks)
        worth = {action: rows[-1][2] for action, rows in weights["presets"].items()}
        chosen.append(Chosen(weights["penalty"], worth))
        return weights

    return fitted


def _orders(tasks: Sequence[Task], fitting: Fitting, first: Sequence[Offer], found: Found) -> None:
    """Measure on several splits how well the gain of Opus 4.6 over Qwen3-Max is foreseen within a source, and balanced.

    :param first: the offers of the first split.
    """
    models = table()
    drawn: dict[str, dict[str, list[float]]] = {}
    for seed in range(SEEDS):
        fold = folds(tasks, seed)
        noting = _noting(fitting, found.chosen.setdefault(seed, []))
        offers = first if not seed else unseen(tasks, fold, noting, models)
        costs = {
            each.task.id: tuple(spent(each.task, index, models) for index in range(len(MODELS))) for each in offers
        }
        for name in (THREE, FOUR):
            found.splits[name, seed] = _score(sets(offers)[name], preset("balanced"), costs)
        offers = [each for each in offers if each.task.code]
        for source in PAIR:
            own = [each for each in offers if each.task.source == source]
            weak, strong = [each.task.scores[SMALL] for each in own], [each.task.scores[BEST] for each in own]
            predicted = {
                "tuppence": [_gain(each) for each in own],
                "TF-IDF": baselines.tfidf_gains([each.task for each in own], fold),
                "length": [float(len(each.task.code or "")) for each in own],
                "oracle": [high - low for low, high in zip(weak, strong, strict=True)],
            }
            for name, gains in predicted.items():
                drawn.setdefault(name, {}).setdefault(source, []).append(apgr(gains, weak, strong))
            if not seed:
                rows = list(zip(predicted["tuppence"], weak, strong, strict=True))
                found.spans[source] = interval(rows, lambda some: apgr(*zip(*some, strict=True)))
    found.orders = {
        name: {source: statistics.mean(each) for source, each in row.items()} for name, row in drawn.items()
    }


def _gain(each: Offer) -> float:
    return each.rows[BEST].estimate.quality - each.rows[SMALL].estimate.quality


def _calibrate(chosen: Sequence[Offer], found: Found) -> None:
    for action in ("explain", "fix", "review"):
        own = [each for each in chosen if each.task.action == action]
        pairs = [
            (row.estimate.quality, score)
            for each in own
            for row, score in zip(each.rows, each.task.scores, strict=True)
        ]
        found.reliability[action], found.errors[action] = bins(pairs), calibration_error(pairs)


def _leave_out(tasks: Sequence[Task], fitting: Fitting, models: Sequence[Model], found: Found) -> None:
    sources = sorted({(task.action, task.source) for task in tasks if task.action != "other"})
    for action, source in sources:
        own = [task for task in tasks if (task.action, task.source) == (action, source)]
        groups = {task.group for task in own}
        prior = from_json(fitting([task for task in tasks if task.source != source and task.group not in groups]))
        found.left_out[f"{action}: {source}"] = _left_out(own, prior, models)


def _left_out(own: Sequence[Task], prior: QualityModel, models: Sequence[Model]) -> LeftOut:
    names = [model.name for model in models]
    needs = [need(task, prior) for task in own]

    def picks(quality: float) -> list[int]:
        wish = RoutingPolicy(quality=quality)
        return [names.index(choose(each, models, {}, prior, wish).model.name) for each in needs]

    def mean(chosen: Sequence[int]) -> float:
        return statistics.mean(task.scores[index] for task, index in zip(own, chosen, strict=True))

    def cost(chosen: Sequence[int]) -> float:
        return sum(spent(task, index, models) for task, index in zip(own, chosen, strict=True))

    every = [[index] * len(own) for index in range(len(MODELS))]
    balanced = picks(BALANCED)
    low, high = interval([(task.scores[index],) for task, index in zip(own, balanced, strict=True)], _mean)
    return LeftOut(
        best=mean(picks(1.0)),
        balanced=mean(balanced),
        low=low,
        high=high,
        cost=cost(balanced) / cost(every[BEST]),
        opus=mean(every[BEST]),
        top=max(map(mean, every)),
        tasks=len(own),
    )


def _time(tasks: Sequence[Task], fitting: Fitting, models: Sequence[Model]) -> tuple[float, float]:
    prior = from_json(fitting(tasks))
    measured = []
    for task in [each for each in tasks if each.code and each.action != "other"]:
        began = time.process_time()
        choose(need(task, prior), models, {}, prior, RoutingPolicy())
        measured.append(1000 * (time.process_time() - began))
    measured.sort()
    return statistics.median(measured), measured[int(0.99 * len(measured))]


def _same_as_the_product(offers: Sequence[Offer], models: Sequence[Model]) -> None:
    """Hold the bar that is drawn in policy.py against the product's choice for the same request."""
    names = [model.name for model in models]
    for each in offers:
        for quality in (0.0, 0.5, *PRESETS.values(), 0.97):
            route = choose(each.need, models, {}, each.prior, RoutingPolicy(quality=quality))
            picked = each.pick(quality)
            ours, theirs = (names[picked], each.rows[picked].quality), (route.model.name, route.quality)
            if ours != theirs:
                raise AssertionError(f"{each.task.id} at {quality}: {theirs}, and not {ours}")
