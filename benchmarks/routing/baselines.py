"""The alternatives that the product is held against, each as simple as it is usually built."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.routing.data import BEST, MODELS, SMALL, Task
from benchmarks.routing.policy import FOLDS

_WORDS = re.compile(r"[^\W\d]\w*|\d+|[^\w\s]")
_RIDGE = 1.5
"""The penalty of the ridge on TF-IDF."""
_SIDES = 4
"""Length is cut into so many parts of equal size."""
_CODE = ("function", "class", "def", "import", "return", "async", "await", "bug", "error", "test", "refactor", "api")
_SIMPLE = ("what is", "define", "hello", "thanks", "explain simply")
_TECHNICAL = ("algorithm", "architecture", "concurrency", "distributed", "optimization", "complexity", "database")
_REASONING = ("step by step", "prove", "analyze", "reason", "derive")
_ASKED = {
    "explain": "Explain what this code does.",
    "fix": "Fix the bug in this code.",
    "tests": "Write unit tests for this code.",
    "review": "Review and refactor this code.",
}


def worthiest(expected: Sequence[float], costs: Sequence[float], worth: float) -> int:
    """Return the model with the largest expected score less expected cost divided by worth: the product's policy."""
    return max(range(len(MODELS)), key=lambda index: expected[index] - costs[index] / worth)


def oracle(task: Task, costs: Sequence[float]) -> int:
    """Return the cheapest of the models that did best: nobody can know it."""
    best = max(task.scores)
    return min((index for index in range(len(MODELS)) if task.scores[index] == best), key=lambda index: costs[index])


def tables(tasks: Sequence[Task], fold: Mapping[str, int]) -> Mapping[str, Sequence[float]]:
    """Return each task's mean scores by its action and whether there is code, from the other folds."""
    return _means(tasks, fold, lambda task: (task.action, task.code is not None))


def lengths(tasks: Sequence[Task], fold: Mapping[str, int]) -> Mapping[str, Sequence[float]]:
    """Return the same by the length of the code alone."""
    known = sorted(len(task.code) for task in tasks if task.code)
    edges = [known[number * len(known) // _SIDES] for number in range(1, _SIDES)]
    return _means(tasks, fold, lambda task: None if task.code is None else sum(len(task.code) > edge for edge in edges))


def tfidf_gains(tasks: Sequence[Task], fold: Mapping[str, int]) -> list[float]:
    """Return the gain of the best over the small model as a ridge on TF-IDF of words and pairs of words foresees it."""
    gains = np.array([[task.scores[BEST] - task.scores[SMALL]] for task in tasks])
    return [float(each) for each in _foreseen(tasks, fold, gains)[:, 0]]


def tfidf(tasks: Sequence[Task], fold: Mapping[str, int]) -> Mapping[str, Sequence[float]]:
    """Return each task's scores as a ridge on TF-IDF foresees them within its action, for every model at once.

    Without code there are no words: then they are the action's means, as the table by action has them.
    """
    found = dict(tables(tasks, fold))
    for action in sorted({task.action for task in tasks if task.code}):
        own = [task for task in tasks if task.code and task.action == action]
        foreseen = _foreseen(own, fold, np.array([task.scores for task in own]))
        found |= {task.id: [float(each) for each in row] for task, row in zip(own, foreseen, strict=True)}
    return found


def _foreseen(tasks: Sequence[Task], fold: Mapping[str, int], wanted: Any) -> Any:
    """Return what a ridge on TF-IDF that was fitted to the other folds expects, a row for each task."""
    bags = [_bag(task.code or "") for task in tasks]
    found = np.zeros_like(wanted)
    for number in range(FOLDS):
        held = np.array([fold[task.group] == number for task in tasks])
        known = [bag for bag, out in zip(bags, held, strict=True) if not out]
        seen: dict[str, int] = {}
        for bag in known:
            for word in bag:
                seen[word] = seen.get(word, 0) + 1
        places = {word: index for index, word in enumerate(sorted(word for word, count in seen.items() if count > 1))}
        rows = _weighted(bags, places, np.array([np.log((1 + len(known)) / (1 + seen[word])) + 1 for word in places]))
        mean = wanted[~held].mean(axis=0)
        kernel = rows[~held] @ rows[~held].T + _RIDGE * np.eye(len(known))
        found[held] = mean + rows[held] @ rows[~held].T @ np.linalg.solve(kernel, wanted[~held] - mean)
    return found


def select_model(task: Task) -> int:
    """Choose as the founding documents do: by the kind of task, and the last of its three where nobody says how hard.

    The last is called the cheapest; for tests it is the dearest. The documents' models stand here for their kin among
    the measured ones: GPT-4o for gpt-5.4, Qwen 2.5 Coder for Qwen3-Max, the small ones for kimi-k2.5.
    """
    kin = {"explain": "kimi-k2.5", "fix": "Qwen3-Max", "tests": "gpt-5.4", "review": "kimi-k2.5"}
    return MODELS.index(kin[task.action])


def complexity(task: Task) -> int:
    """Choose by the published rules of LiteLLM's complexity router: weighted signs of length and of words.

    Length counts 0.10, code words 0.30, reasoning 0.25, technical words 0.25, simple ones -0.05, several steps 0.03
    and questions 0.02; from 0.15, 0.35 and 0.60 on the tier is medium, complex and reasoning.
    """
    text = f"{_ASKED[task.action]}\n{task.code or ''}".lower()
    tokens = len(text) / 4
    length = -1.0 if tokens < 15 else 1.0 if tokens > 400 else 0.0  # noqa: PLR2004 - its own numbers
    score = 0.10 * length + 0.30 * _sign(text, _CODE) + 0.25 * _sign(text, _REASONING)
    score += 0.25 * _sign(text, _TECHNICAL) - 0.05 * _sign(text, _SIMPLE)
    score += 0.03 * (re.search(r"first.*then|step \d", text) is not None) + 0.02 * (text.count("?") > 3)  # noqa: PLR2004
    order = (SMALL, MODELS.index("kimi-k2.5"), MODELS.index("claude-sonnet-4-6"), BEST)
    return order[sum(score >= edge for edge in (0.15, 0.35, 0.60))]


def _sign(text: str, words: Sequence[str]) -> float:
    """Return half for one sign of a kind, and all for two."""
    return min(2, sum(re.search(rf"\b{word}\b", text) is not None for word in words)) / 2


def _means(tasks: Sequence[Task], fold: Mapping[str, int], kind: Any) -> Mapping[str, Sequence[float]]:
    found: dict[str, Sequence[float]] = {}
    for number in range(FOLDS):
        rows: dict[object, list[tuple[float, ...]]] = {}
        for task in tasks:
            if fold[task.group] != number:
                rows.setdefault(kind(task), []).append(task.scores)
        means = {key: [float(each) for each in np.mean(each_rows, axis=0)] for key, each_rows in rows.items()}
        found |= {task.id: means[kind(task)] for task in tasks if fold[task.group] == number}
    return found


def _bag(code: str) -> dict[str, int]:
    words = _WORDS.findall(code)
    found: dict[str, int] = {}
    for each in (*words, *(f"{one} {two}" for one, two in pairwise(words))):
        found[each] = found.get(each, 0) + 1
    return found


def _weighted(bags: Sequence[Mapping[str, int]], places: Mapping[str, int], idf: Any) -> Any:
    rows = np.zeros((len(bags), len(places)))
    for index, bag in enumerate(bags):
        for word, count in bag.items():
            if word in places:
                rows[index, places[word]] = 1 + np.log(count)
    rows *= idf
    return rows / np.maximum(1e-9, np.linalg.norm(rows, axis=1))[:, None]
