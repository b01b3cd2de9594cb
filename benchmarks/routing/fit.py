"""Fits the prior: what each model can do, how long it answers, and what the code adds to that.

Three parts, each as small as the data allows. A model's base for an action is its standing over all sources, moved
half of the way towards its standing in the action's own: no more than that carries over from one source to another.
What the code adds is a ridge regression on the product's own features, one for each action and model; code of the other
actions stands in it with an addition of zero, so that code unlike what was measured keeps the base. Rows without code
take part in the bases alone. Everything is exact: the same data give the same weights.
"""

from __future__ import annotations

import base64
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

import numpy as np

from benchmarks.routing.data import ACTIONS, MODELS, Task
from tuppence.core.models.usage import estimate
from tuppence.core.routing.features import SIZE, features, profile
from tuppence.core.routing.quality import canonical

AGREE = 2
"""From so many sources of an action on, what all of them say of a model counts for the action."""
LIKENESS = 0.3
"""The penalty on telling code like that which was measured from other code."""
PENALTIES = (1.5, 3.0, 6.0)
"""Penalties on what the code does beside, of which benchmarks/routing/worth.py chooses one inside the folds: at the
first a predicted gain is about as large as the one that comes, the others are more cautious."""
ELSEWHERE = 0.05
"""What a row of another action's code weighs."""
FITTED = ("explain", "fix", "review")
"""Actions whose code is looked at. For tests there are 92 rows of one source, which score a format: the base stands."""
HEIRS = {
    "claude-sonnet-4-5": "claude-sonnet-4-6",
    "kimi-k2-0905": "kimi-k2.5",
    "glm-4-6": "glm-5",
    "gpt-5": "gpt-5.4",
}
"""Models of EDIT-Bench, and those that followed them here: what links the two scales."""
MOST_DOUBLING = 0.01
"""The most that a doubling of the price may say: eight models are few."""
EDITORS = {"gpt-o3-mini": "o3-mini", "gpt-o4-mini": "o4-mini", "mistralai-codestral-2508": "codestral-2508"}
"""Names of EDIT-Bench that nobody sells a model by."""
FEW = 30
"""Tasks with code below which their length says nothing of the answer's."""
_LEVELS = 32767
THINKERS = ("glm-5", "MiniMax-M2.7", "qwen3.5-plus")
"""Models that were measured with their thinking on: their answers, but for tests, take 4 to 15 times the tokens."""

Matrix = Any


@dataclass(frozen=True, slots=True)
class Listed:
    """What the tier table says of models, by their canonical names."""

    figures: Mapping[str, float]
    """Aider's polyglot figures, 0 to 100."""
    prices: Mapping[str, tuple[str, float]]
    """The tier, and the price of an answer in USD per million tokens."""
    heirs: Mapping[str, str]
    """By a model that was not measured, the measured one that followed it, at once or later."""


def fit(
    tasks: Sequence[Task], edits: Mapping[str, Mapping[str, bool]], listed: Listed, penalty: float
) -> dict[str, Any]:
    """Return the content of weights.json, without its provenance and without what a better answer is worth.

    :param edits: who passed which edit of EDIT-Bench.
    :param penalty: one of PENALTIES.
    """
    base = bases(tasks)
    found: dict[str, Any] = {"models": {}, "usual": _usual(tasks), "gain": {}, "penalty": penalty}
    found["published"] = published(edits, listed.figures) | by_price(base, listed.prices)
    found["published"]["heirs"] = {**listed.heirs, **{old: canonical(new) for old, new in HEIRS.items()}}
    for index, model in enumerate(MODELS):
        found["models"][model] = {
            "quality": {action: round(base[action][index], 4) for action in ACTIONS},
            "doubt": {action: round(_doubt(tasks, action, index), 4) for action in ACTIONS},
            "tokens": _tokens(tasks, index),
        }
    pairs = [(found["published"]["edits"][old], found["models"][new]["quality"]["fix"]) for old, new in HEIRS.items()]
    found["published"]["above"] = round(statistics.mean(here - there for there, here in pairs), 3)
    seen = [task for task in tasks if task.code and task.action in ACTIONS]
    vectors = {task.id: vector(task) for task in seen}
    for action in FITTED:
        weights = _ridge(seen, vectors, action, base[action], penalty)
        if weights is not None:
            found["gain"][action] = _packed(weights)
    return found


def bases(tasks: Sequence[Task]) -> Mapping[str, Sequence[float]]:
    """Return each model's quality for an action that may be counted on when nothing is known of the code."""
    sources: dict[tuple[str, str], list[tuple[float, ...]]] = {}
    for task in tasks:
        sources.setdefault((task.action, task.source), []).append(task.scores)
    # A source where every model fails at everything says nothing of who is better.
    means = {key: np.mean(rows, axis=0) for key, rows in sources.items()}
    standings = {key: mean - mean.mean() for key, mean in means.items() if mean.max() > 0}
    general, error = _general(list(standings.values()), [len(sources[key]) for key in standings])
    found: dict[str, Sequence[float]] = {}
    for action in ACTIONS:
        own = [standing - general for key, standing in standings.items() if key[0] == action]
        # An action that no source says anything of is taken for as hard as all tasks are.
        level = float(np.mean([task.scores for task in tasks if task.action == action or not own]))
        found[action] = [float(each) for each in np.clip(level + general - error + _agreed(own), 0.01, 0.99)]
    return found


def _general(standings: Sequence[Matrix], sizes: Sequence[int]) -> tuple[Matrix, Matrix]:
    """Return each model's mean standing over the sources, and its standard error, a source being drawn as one."""
    rows, parts = np.array(standings), np.array(sizes) / sum(sizes)
    mean = parts @ rows
    spread = (parts[:, None] * (rows - mean)) ** 2
    return mean, np.sqrt(spread.sum(axis=0) * len(rows) / max(1, len(rows) - 1))


def _agreed(deviations: Sequence[Matrix]) -> Matrix:
    """Return how far all sources of an action place a model to one side: none where they differ, or there is but one.

    What is seen in one source may be the source's own: no second one says that it belongs to the action.
    """
    if len(deviations) < AGREE:
        return np.zeros(len(MODELS))
    rows = np.array(deviations)
    one_side = np.abs(np.sign(rows).sum(axis=0)) == len(rows)
    return np.where(one_side, np.sign(rows[0]) * np.abs(rows).min(axis=0), 0.0)


def published(edits: Mapping[str, Mapping[str, bool]], figures: Mapping[str, float]) -> dict[str, Any]:
    """Return how the public edits and Aider's figures place models that were not measured here."""
    passed = {
        EDITORS.get(name, canonical(name)): statistics.mean(each.values())
        for name, each in edits.items()
        if len(each) == max(map(len, edits.values())) and not name.endswith("-high")
    }
    both = [(figure, passed[name]) for name, figure in figures.items() if name in passed]
    slope, _ = statistics.linear_regression(*zip(*both, strict=True))
    return {
        "edits": {name: round(passed[name], 3) for name in sorted(passed)},
        "above": 0.0,
        # Fewer right edits at a better figure would be chance.
        "slope": max(0.0, round(slope, 5)),
        "middle": round(statistics.mean(figure for figure, _ in both), 1),
    }


def by_price(base: Mapping[str, Sequence[float]], prices: Mapping[str, tuple[str, float]]) -> dict[str, Any]:
    """Return each tier's usual price, and what each doubling beyond it says of the measured models' quality."""
    tiers: dict[str, list[float]] = {}
    for tier, price in prices.values():
        tiers.setdefault(tier, []).append(price)
    usual = {tier: statistics.median(found) for tier, found in sorted(tiers.items()) if statistics.median(found)}
    means = np.mean([base[action] for action in ACTIONS], axis=0)
    rows: dict[str, list[tuple[float, float]]] = {}
    for index, name in enumerate(MODELS):
        tier, price = prices[canonical(name)]
        rows.setdefault(tier, []).append((math.log2(price), float(means[index])))
    # Within a tier, so that the tiers' own places are not counted twice.
    inner = [(x - fmean(a for a, _ in own), y - fmean(b for _, b in own)) for own in rows.values() for x, y in own]
    slope = sum(x * y for x, y in inner) / sum(x * x for x, _ in inner)
    return {"prices": usual, "doubling": min(MOST_DOUBLING, max(0.0, round(slope, 4)))}


@cache
def vector(task: Task) -> Matrix:
    """Return the product's own features of a task's code, and a constant."""
    assert task.code is not None
    found = np.zeros(SIZE + 1)
    for bucket, value in features(profile(task.language, task.code)).items():
        found[bucket] = value
    found[SIZE] = 1.0
    return found


def _ridge(
    seen: Sequence[Task], vectors: Mapping[str, Matrix], action: str, base: Sequence[float], penalty: float
) -> Matrix | None:
    own = [task for task in seen if task.action == action]
    other = [task for task in seen if task.action != action]
    if not own:
        return None
    rows = np.array([vectors[task.id] for task in (*own, *other)])
    scale = np.sqrt(np.r_[np.ones(len(own)), np.full(len(other), ELSEWHERE)])[:, None]
    above = np.array([task.scores for task in own]) - np.array(base)
    mean = above.mean(axis=0)
    # How like the measured code it is, 0 to 1, and what the code does beside that, which is much noisier.
    like = _solved(rows * scale, scale * np.r_[np.ones(len(own)), np.zeros(len(other))][:, None], LIKENESS)
    beside = np.zeros((len(rows), len(MODELS)))
    beside[: len(own)] = above - mean
    return np.c_[like * mean + _solved(rows * scale, beside * scale, penalty), like]


def _solved(rows: Matrix, wanted: Matrix, penalty: float) -> Matrix:
    return rows.T @ np.linalg.solve(rows @ rows.T + penalty * np.eye(len(rows)), wanted)


def _packed(weights: Matrix) -> dict[str, Any]:
    """Return the weights as whole numbers of 16 bits, model after model, and the size of one."""
    step = float(f"{np.abs(weights).max() / _LEVELS:.4g}")
    whole = np.round(weights.T / step).clip(-_LEVELS, _LEVELS).astype("<i2")
    return {"step": step, "models": list(MODELS), "weights": base64.b64encode(whole.tobytes()).decode("ascii")}


def _doubt(tasks: Sequence[Task], action: str, index: int) -> float:
    """Return the standard error of a model's mean for an action."""
    scores = [task.scores[index] for task in tasks if task.action == action]
    return statistics.stdev(scores) / len(scores) ** 0.5 if len(scores) > 1 else 0.1


def _tokens(tasks: Sequence[Task], index: int) -> dict[str, list[float]]:
    """Return a model's usual prompt, shown answer and thinking by action, in tokens, and the answer's line over length.

    The line is that of answer and thinking together, over the tokens of the code: a start and a slope, both at least 0.
    """
    found: dict[str, list[float]] = {}
    for action in ACTIONS:
        own = [task for task in tasks if task.action == action]
        means = [statistics.mean(task.output[model] for task in own) for model in range(len(MODELS))]
        plain = statistics.median(means[model] for model in range(len(MODELS)) if MODELS[model] not in THINKERS)
        shown = min(means[index], plain) if MODELS[index] in THINKERS else means[index]
        prompt = statistics.mean(task.input[index] for task in own)
        lengths = [(estimate(task.code), task.output[index]) for task in own if task.code]
        found[action] = [round(prompt), round(shown), round(means[index] - shown), *line(lengths)]
    return found


def line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the start and the slope of least squares, neither below 0; both 0 where there are too few points."""
    if len(points) < FEW:
        return 0.0, 0.0
    slope, start = statistics.linear_regression(*zip(*points, strict=True))
    mean = fmean(y for _, y in points)
    if slope < 0:
        return round(mean, 1), 0.0
    if start < 0:
        return 0.0, round(sum(x * y for x, y in points) / sum(x * x for x, _ in points), 3)
    return round(start, 1), round(slope, 3)


def _usual(tasks: Sequence[Task]) -> dict[str, list[float]]:
    """Return the same for a model that was not measured: the median of those that do not think."""
    every = [_tokens(tasks, index) for index in range(len(MODELS)) if MODELS[index] not in THINKERS]
    return {
        action: [
            *(round(statistics.median(each[action][part] for each in every)) for part in range(2)),
            0,
            *(round(statistics.median(each[action][part] for each in every), 3) for part in (3, 4)),
        ]
        for action in ACTIONS
    }
