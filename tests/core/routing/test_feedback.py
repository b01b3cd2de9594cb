"""What happened on this machine: read from the ledger now and then, folded into the choice, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from scenario import FIXED, GOOD, SRC
from server import CONFIG, pick, stage

from tuppence.core.billing.entry import Entry, Outcome
from tuppence.core.routing.feedback import Outcomes, learn, learned
from tuppence.engine.feedback import AGAIN, Experience
from tuppence.ledger import Ledger

ENTRY = Entry(
    run="r", session="s", at=datetime(2026, 11, 21, tzinfo=UTC), action="fix", language="python", provider="mine",
    model="small", tier="budget", usage=None, cost=Decimal(0), estimated=False, difficulty=None, outcome="kept",
    best_cost=None, reason="", seconds=1.0,
)  # fmt: skip
CLOSE = CONFIG.replace("fix = 0.82", "fix = 0.805")
"""Two models whose measured abilities for a fix hardly differ."""


def entries(**counts: int) -> list[Entry]:
    """Return so many entries of each outcome, whose name has ``_`` for a blank."""
    words: dict[str, Outcome] = {
        "kept": "kept", "undone": "undone", "failed_check": "failed check", "failed": "failed", "stale": "stale",
        "cancelled": "cancelled",
    }  # fmt: skip
    return [replace(ENTRY, outcome=words[name]) for name, count in counts.items() for _ in range(count)]


def test_outcomes_are_counted_by_action_and_model() -> None:
    found = learn(
        [*entries(kept=3, undone=2, failed_check=1), replace(ENTRY, action="tests"), replace(ENTRY, model="x")]
    )
    one = found["fix"]["mine/small"]
    assert (one.kept, one.undone, one.failed) == (3, 2, 1)
    assert (found["fix"]["mine/x"].kept, found["tests"]["mine/small"].kept) == (1, 1)
    assert learn([]) == {}


def test_a_model_is_compared_with_the_others_of_this_machine() -> None:
    other = [replace(each, model="other") for each in entries(kept=5, undone=75)]
    found = learn([*entries(kept=80), *other])["fix"]
    assert found["mine/small"].usual == (5 + 16) / (80 + 20)
    assert found["mine/other"].usual == (80 + 16) / (80 + 20)
    assert learn(entries(undone=80))["fix"]["mine/small"].usual == 0.8


def test_as_many_that_were_put_back_as_kept_are_outcomes_too() -> None:
    assert learn(entries(kept=1, undone=1))["fix"]["mine/small"].number == 2
    assert learn(entries(undone=1, failed_check=1))["fix"]["mine/small"].number == 2


@pytest.mark.parametrize(
    ("outcomes", "quality", "doubt"),
    [
        (Outcomes(), 0.5, 0.01),
        (Outcomes(kept=1, usual=0.9), 0.5, 0.01),
        (Outcomes(undone=9, usual=0.9), 0.5, 0.01),
        (Outcomes(kept=9, undone=1, usual=0.88), 0.5 + 0.02 / 7, 0.01),
        (Outcomes(kept=29, usual=0.0), 0.51, 0.01),
        (Outcomes(undone=29, usual=0.9), 0.49, 0.01),
        (Outcomes(kept=30, usual=0.0), 0.53, 0.01 * 2 / 3),
        (Outcomes(kept=20, undone=5, failed=6, usual=0.0), 0.55, 0.01 * 60 / 91),
        (Outcomes(kept=60, usual=0.5), 0.75, 0.005),
        (Outcomes(undone=600, usual=0.9), 0.01, 0.01 * 60 / 660),
        (Outcomes(kept=600, usual=0.1), 0.99, 0.01 * 60 / 660),
    ],
)
def test_how_far_outcomes_move_an_estimate(outcomes: Outcomes, quality: float, doubt: float) -> None:
    assert learned(0.5, 0.01, outcomes) == pytest.approx((quality, doubt))


def test_what_says_nothing_of_a_model_is_left_out() -> None:
    assert learn(entries(failed=5, stale=5, cancelled=5)) == {}


async def test_the_ledger_is_read_at_most_once_a_minute_and_beside_the_requests(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    now = 0.0
    here = Experience(lambda: now)
    assert await here.of("fix", ledger) == {}
    ledger.add(ENTRY)
    now = AGAIN - 1
    assert await here.of("fix", ledger) == {}
    now = AGAIN + 1
    assert await here.of("fix", ledger) == {}, "the reading is made beside the request"
    assert here._reading is not None
    await here._reading
    assert (await here.of("fix", ledger))["mine/small"].kept == 1
    ledger.close()


async def test_a_ledger_that_cannot_be_read_teaches_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    broken = Ledger(tmp_path / "file" / "ledger.sqlite3")
    assert await Experience().of("fix", broken) == {}


@pytest.mark.parametrize(("counts", "answers"), [({"kept": 80}, "small"), ({"undone": 80}, "big")])
async def test_a_model_whose_answers_are_put_back_loses_its_place(
    tmp_path: Path, counts: dict[str, int], answers: str
) -> None:
    path = tmp_path / "home" / "data" / "tuppence" / "ledger.sqlite3"
    ledger = Ledger(path)
    for entry in entries(**counts):
        ledger.add(entry)
    ledger.close()
    async with stage(tmp_path, config=CLOSE) as s:
        s.upstream.says(GOOD)
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == FIXED
        assert [each.body["model"] for each in s.upstream.requests] == [answers]
