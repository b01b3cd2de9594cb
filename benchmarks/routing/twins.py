"""Counts the problems whose tasks lie on both sides of a split: what is fitted to one of them is judged on another.

A problem is known by its number in its set, or by its code. Solutions of one DebugBench problem are kept together by
the data's own groups, so they are never on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.routing.data import Task

_NUMBERS = (
    ("HumanEval", re.compile(r"_HumanEval_(\d+)|_hex_\w+/(\d+)$")),
    ("MBPP", re.compile(r"_mbpp_(?:[a-z]+_)?(\d+)$")),
    ("LiveCodeBench", re.compile(r"_lcb_(?:testgen_)?(\w+)$")),
)
"""By set, how the id of a task names the problem."""
_SAME = "the same code, without blanks"
_BLANKS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Twins:
    """The problems of one kind that lie on both sides."""

    problems: int
    judged: int
    """Their tasks of the four actions."""
    actions: tuple[str, ...]
    """The actions of these tasks, sorted."""
    fitted: int
    """Their other tasks, which only take part in the models' standing over all sources."""


def twins(tasks: Sequence[Task], fold: Mapping[str, int]) -> Mapping[str, Twins]:
    """Return the problems with tasks in several folds, by the set that numbers them or by how they are known.

    :param fold: the fold of each group.
    """
    kinds: dict[str, dict[str, list[Task]]] = {name: {} for name in (*(name for name, _ in _NUMBERS), _SAME)}
    for task in tasks:
        for name, pattern in _NUMBERS:
            if found := pattern.search(task.id):
                kinds[name].setdefault(next(each for each in found.groups() if each is not None), []).append(task)
        if task.code:
            kinds[_SAME].setdefault(_BLANKS.sub("", task.code), []).append(task)
    return {name: _counted(problems, fold) for name, problems in kinds.items()}


def _counted(problems: Mapping[str, Sequence[Task]], fold: Mapping[str, int]) -> Twins:
    split = [own for own in problems.values() if len({fold[task.group] for task in own}) > 1]
    judged = [task for own in split for task in own if task.action != "other"]
    every = sum(map(len, split))
    return Twins(len(split), len(judged), tuple(sorted({task.action for task in judged})), every - len(judged))
