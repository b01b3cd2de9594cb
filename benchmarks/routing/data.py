"""Reads the public results that the prior is fitted to: eight models on some seven thousand tasks.

What a router may know of a task is its action, language and code. Its source and its group are for splitting only.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MODELS = (
    "claude-opus-4-6",
    "claude-sonnet-4-6",
    "gpt-5.4",
    "glm-5",
    "kimi-k2.5",
    "MiniMax-M2.7",
    "Qwen3-Max",
    "qwen3.5-plus",
)
BEST, SMALL = MODELS.index("claude-opus-4-6"), MODELS.index("Qwen3-Max")
ACTIONS = ("explain", "fix", "tests", "review")
_ACTION = {
    "code_understanding": "explain",
    "bug_fixing": "fix",
    "test_generation": "tests",
    "code_refactoring": "review",
}
_PYTHON = re.compile(r"^\s*def \w+\(|\bself\b", re.MULTILINE)
_CPP = re.compile(r"\bpublic:|\bprivate:|vector<|#include|\bauto |unordered_|\w+&\s+\w|\bint\s+\w+\(.*&|->|::")
_CHARACTERS = 3.2
"""Characters of code to a token; fitted to the recorded totals of models that answer briefly."""


@dataclass(frozen=True, slots=True)
class Task:
    """One task and how each model did."""

    id: str
    action: str
    """One of ACTIONS, or ``other`` for what the editor does not offer."""
    source: str
    """The benchmark that it comes from. Never shown to a router."""
    group: str
    """Tasks of one group stay on one side of a split."""
    language: str
    """The editor's name of it."""
    code: str | None
    scores: tuple[float, ...]
    """By model, 0 to 1."""
    input: tuple[float, ...]
    """Prompt tokens by model; the dimension's mean, shared out by the length of the code."""
    output: tuple[float, ...]
    """Answer tokens by model, thinking included: the recorded total less the prompt."""


def read(folder: Path) -> tuple[Task, ...]:
    """Return every task of the data set."""
    texts = {row["task_id"]: row["code"] for row in _lines(folder / "texts.jsonl.gz")}
    groups: Mapping[str, str] = json.loads((folder / "debugbench_groups.json").read_text("utf-8"))
    prompts = _prompts(folder / "token_profile.csv")
    rows: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    with gzip.open(folder / "results.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            rows[row["task_id"]][row["model"]] = row
    usual = _usual_length(rows, texts)
    return tuple(
        _task(name, tuple(each[model] for model in MODELS), texts.get(name), groups, (prompts, usual))
        for name, each in rows.items()
    )


def read_edits(folder: Path) -> Mapping[str, Mapping[str, bool]]:
    """Return who passed which edit of EDIT-Bench: model to problem to verdict."""
    found: dict[str, dict[str, bool]] = defaultdict(dict)
    with gzip.open(folder / "editbench_results.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["model"]][row["problem_id"]] = row["pass"] == "1"  # noqa: S105 - a verdict
    return found


def read_hopeless(folder: Path) -> float:
    """Return the share of the wrong edits of EDIT-Bench that pass none of their tests."""
    with gzip.open(folder / "editbench_results.csv.gz", "rt", encoding="utf-8") as file:
        rates = [float(row["test_rate"]) for row in csv.DictReader(file)]
    return sum(rate == 0 for rate in rates) / sum(rate < 1 for rate in rates)


def read_edit_groups(folder: Path) -> Mapping[str, int]:
    """Return the group of near-twins that each edit of EDIT-Bench belongs to."""
    with gzip.open(folder / "editbench_groups.json.gz", "rt", encoding="utf-8") as file:
        groups: dict[str, int] = json.load(file)
    return groups


def _lines(path: Path) -> Iterable[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _prompts(path: Path) -> Mapping[tuple[str, str], float]:
    with path.open(encoding="utf-8") as file:
        return {(row["dimension"], row["model"]): float(row["mean_input_tokens"]) for row in csv.DictReader(file)}


def _usual_length(rows: Mapping[str, Mapping[str, Mapping[str, str]]], texts: Mapping[str, str]) -> Mapping[str, float]:
    """Return the mean length of a dimension's code, in tokens."""
    lengths: dict[str, list[float]] = defaultdict(list)
    for name, each in rows.items():
        if name in texts:
            lengths[each[MODELS[0]]["dimension"]].append(len(texts[name]) / _CHARACTERS)
    return {dimension: sum(found) / len(found) for dimension, found in lengths.items()}


def _task(
    name: str,
    rows: Sequence[Mapping[str, str]],
    code: str | None,
    groups: Mapping[str, str],
    lengths: tuple[Mapping[tuple[str, str], float], Mapping[str, float]],
) -> Task:
    dimension, source = rows[0]["dimension"], rows[0]["source"]
    prompts, usual = lengths
    more = 0.0 if code is None else len(code) / _CHARACTERS - usual[dimension]
    asked = tuple(max(20.0, prompts[dimension, model] + more) for model in MODELS)
    totals = (float(row["total_tokens"]) for row in rows)
    return Task(
        id=name,
        action="explain" if source == "cruxeval" else _ACTION.get(dimension, "other"),
        source=source,
        group=groups.get(name, name),
        language=_language(source, code),
        code=code,
        scores=tuple(float(row["score"]) for row in rows),
        input=asked,
        output=tuple(max(5.0, total - prompt) for total, prompt in zip(totals, asked, strict=True)),
    )


def _language(source: str, code: str | None) -> str:
    """Return the code's language, which the data does not name."""
    if code is None or source in {"cruxeval", "he", "humaneval"}:
        return "python"
    if source == "bugs2fix":
        return "java"
    if _PYTHON.search(code):
        return "python"
    return "cpp" if _CPP.search(code) else "java"
