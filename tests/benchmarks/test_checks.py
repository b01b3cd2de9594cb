"""The benchmark of the checks: which answers it counts as good, which faults it plants, and the results of both."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.checks import planted, real
from benchmarks.checks.__main__ import Tally
from benchmarks.checks.sample import FIX, Outcome, Sample, judged, whole

from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Document

OLD = '''\
import json


def load(path, strict=False):
    """Read the settings."""
    limit = 30
    kind = "rows"
    step = 4
    seen = []
    with open(path) as file:
        text = file.read()
    if text == None:
        raise ValueError(path)
    rows = json.loads(text)
    for row in rows:
        print(row, limit, kind, step)
        seen.append(row)
    return seen


def count(path, most):
    found = load(path)
    return min(len(found), most)
'''
DICE = random.Random(1)  # noqa: S311 - a choice of samples


def changed(new: str) -> list[Sample]:
    return list(real.changes({"a/b.py": OLD}, {"a/b.py": new}))


async def test_a_change_of_a_release_is_an_answer() -> None:
    new = OLD.replace("json.loads(text)", "json.loads(os.fspath(text))").replace(
        "import json", "import json\nimport os"
    )
    [sample] = changed(new)
    assert (sample.target.name, sample.imports) == ("load", "import os")
    assert await judged(sample) == Outcome(fit=True, check="", doubt=False, why="")
    assert not changed(OLD)
    assert not changed(OLD.replace("count(", "number(")), "it stands in one of them only"
    helped = OLD.replace("json.loads(text)", "_read(text)").replace("def count", "def _read(text): ...\n\n\ndef count")
    assert not changed(helped), "it would not stand alone"


async def test_fixes_of_ruffs_are_answers_and_can_be_spoilt(tmp_path: Path) -> None:
    # An unsafe fix is none; of the safe ones here, only one is inside the function.
    text = OLD.replace("text == None", "not (text in (0, None))")
    fixes = list(real.fixes(tmp_path, {"a/b.py": text}, random.Random(1)))  # noqa: S311 - a choice of samples
    [fix] = [each for each in fixes if each.chosen and each.chosen.code == "E713"]
    assert (await judged(fix)).fit
    given = planted.draft(fix, DICE)
    assert given is not None
    found = {what: await judged(sample) for what, sample in planted.planted(given)}
    assert set(found) == {*planted.INSTEAD, *planted.BESIDE}
    missed = {what for what, outcome in found.items() if outcome.fit}
    assert missed <= {
        "fix + all local names changed",
        "fix + one constant changed",
        "fix + a comment at each statement",
        "fix + one operator or condition changed",
        "fix + one statement gone",
    }
    assert found["silenced: `# noqa`"].check == "slop guard"
    assert found["fix + a name misspelt"].check == "ruff: something new"


async def test_what_is_counted() -> None:
    document = Document("file:///b.py", "python", 1, OLD)
    block = next(each for each in parse(OLD, language("python")).blocks() if each.name == "count")
    sample = Sample(
        action=FIX, document=document, target=whole(document, block), code="def count(path, most):\n    pass"
    )
    tally = Tally()
    tally.enter(await judged(sample))
    assert tally.row("gone") == "| gone | 1 | 1 (100.0%) | 0 | slop guard 1 |"
