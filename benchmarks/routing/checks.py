"""How sharp the product's checks are: what share of bad answers they find, and of good ones they send up by mistake.

Public results rarely come with the answers themselves, so little can be shown, and what cannot is taken to find
nothing. Tests that are run: from CRUXEval's programs, whose right outcome is known, and the product's own mutants of
them. Those programs are run here, in a child process with limits.

An edit that does not parse is the exception: ``REFUSED`` and ``MISTAKEN`` are a recorded measurement, which this
command only copies. They were counted once, on 2026-11-21, in the answers of three models that waynchi/editbench holds
at commit 2ecd131. ``--data`` has EDIT-Bench's results and no answers, and what counted them was not kept, so ``finds``
of "fix" in the weights is not computed anew. How often right programs are refused is, from CRUXEval's.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuppence.core.checks.mutation import mutants
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.python_ast import flaw
from tuppence.core.text.document import Span, apply

REFUSED: Mapping[str, tuple[int, int]] = {
    "gpt-4o-mini": (2, 244),
    "qwen3-coder-flash": (18, 231),
    "llama-3.3-70b-instruct": (28, 242),
}
"""By model, as recorded (see above): edits that do not parse, of those that fail their tests."""
MISTAKEN = 1
"""Edits of one model that pass their tests and do not parse, at most; recorded with the others."""
_RUNNER = Path(__file__).with_name("runner.py")
_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Sharpness:
    """What is known of one check."""

    finds: float
    """The share of bad answers that fail it."""
    alarms: float
    """The share of good answers that fail it."""
    origin: str
    """Where the two come from, or why they are 0."""

    @property
    def written(self) -> dict[str, float | str]:
        """The check as it stands in the weights."""
        return {"finds": self.finds, "alarms": self.alarms, "from": self.origin}


def measure(folder: Path, edits: Mapping[str, Mapping[str, bool]]) -> Mapping[str, Sharpness]:
    """Return every check of the product, by its name in the prior."""
    programs = _programs(folder)
    unknown = Sharpness(0.0, 0.0, "no public answers come with their words and who was wrong")
    return {"explain": unknown, "review": unknown, "tests": unknown, "fix": _parsing(programs, edits)} | {
        "tests, run": _running(programs)
    }


def _parsing(programs: Sequence[Mapping[str, str]], edits: Mapping[str, Mapping[str, bool]]) -> Sharpness:
    refused, wrong = (sum(each[part] for each in REFUSED.values()) for part in range(2))
    right = sum(sum(edits[name].values()) for name in REFUSED)
    python = language("python")
    sound = [program["code"] for program in programs]
    false = sum(parse(code, python).faults() > 0 or flaw(code) is not None for code in sound)
    alarms = (MISTAKEN * len(REFUSED) + false) / (right + len(sound))
    origin = (
        f"{refused} of {wrong} wrong edits of EDIT-Bench do not parse; of the right ones {MISTAKEN} a model at most, "
        f"and {false} of {len(sound)} right programs of CRUXEval are refused"
    )
    return Sharpness(round(refused / wrong, 4), round(alarms, 4), origin)


def _running(programs: Sequence[Mapping[str, str]]) -> Sharpness:
    """Measure tests of one assertion each: right ones, and those that expect what a mutant would return."""
    questions = []
    for program in programs:
        code = program["code"]
        made = mutants(code, Span(0, len(code)))
        if made:
            questions.append(
                {
                    "codes": [code, *(apply(code, [each.edit]) for each in made)],
                    "call": program["input"],
                    "output": program["output"],
                }
            )
    run = subprocess.run(
        [sys.executable, "-s", "-P", str(_RUNNER)],
        # Sets are written in the order of their hashes, which must be the same every time.
        env={"PYTHONHASHSEED": "0"},
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=True,
    )
    rows = [row for row in json.loads(run.stdout) if row["passes"]]
    unnoticed = sum(not row["caught"] for row in rows)
    wrong = sum(row["wrong"] for row in rows)
    found = sum(row["found"] for row in rows)
    origin = (
        f"of {wrong} tests of CRUXEval's programs that expect what a mutant returns {found} fail when they are run; of "
        f"{len(rows)} right ones, of one assertion each, {unnoticed} catch no mutant"
    )
    return Sharpness(round(found / wrong, 4), round(unnoticed / len(rows), 4), origin)


def _programs(folder: Path) -> Sequence[Mapping[str, str]]:
    with gzip.open(folder / "cruxeval_problems.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]
