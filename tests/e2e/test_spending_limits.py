"""A budget in the real server: reservations, shortened and refused requests, and the messages about them."""

from __future__ import annotations

import html
import re
import stat
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import FIXED, GOOD, SRC, messages
from scripted_provider import answer
from server import CONFIG, Stage, pick, stage

from tuppence.core.billing.entry import Entry, money
from tuppence.core.models.usage import Usage
from tuppence.ledger import Ledger
from tuppence.ledger.process import me
from tuppence.ledger.schema import moment, packed

DEAR = CONFIG.replace("input = 0.15, output = 0.60, cache_read = 0.015, cache_write = 0.19", "input = 1, output = 10")


async def fix(s: Stage) -> str:
    """Ask to fix the example's first function, and return its new text."""
    buffer = s.editor.open(s.write("stats.py", SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    return buffer.text


def sent(s: Stage) -> list[int]:
    """Return the answer tokens that each request allowed."""
    return [each.body["max_tokens"] for each in s.upstream.requests]


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_without_a_budget_nothing_is_shortened(tmp_path: Path, wire: str) -> None:
    async with stage(tmp_path, config=DEAR, wire=wire) as s:
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert sent(s)[0] > 400
        assert s.editor.seen.costs[-1].budget is None


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_an_answer_is_allowed_no_more_than_is_left(tmp_path: Path, wire: str) -> None:
    async with stage(tmp_path, config=DEAR, wire=wire) as free:
        free.upstream.says(GOOD)
        await fix(free)
        usual = sent(free)[0]
    (tmp_path / "second").mkdir()
    async with stage(tmp_path / "second", config=DEAR, extra="[budget]\nday = 0.006\n", wire=wire) as s:
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert 64 <= sent(s)[0] < usual
        left = s.editor.seen.costs[-1].budget
        assert (left.limit.usd, left.period) == ("0.006", "today")
        (entry,) = s.entries()
        assert entry.cost is not None
        assert Decimal(left.left.usd) == Decimal("0.006") - entry.cost
        assert entry.project == "project"


@pytest.mark.parametrize("period", ["request", "session", "day", "month"])
async def test_at_a_limit_it_refuses_with_the_line_that_raises_it(tmp_path: Path, period: str) -> None:
    async with stage(tmp_path, config=DEAR, extra=f"[budget]\n{period} = 0.001\n") as s:
        assert await fix(s) == SRC
        assert s.upstream.requests == []
        told = messages(s)[-1]
        assert "Your budget of $0.0010" in told
        raised = re.search(rf"write `({period} = [0-9.]+)` or more under \[budget\]", told)
        assert raised, told
        (entry,) = s.entries()
        assert (entry.cost, entry.outcome, entry.usage) == (Decimal(0), "failed", None)
        s.config.write_text(s.config.read_text().replace(f"{period} = 0.001", raised[1]))
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED


async def test_a_climb_stops_at_the_limit_and_says_both(tmp_path: Path) -> None:
    async with stage(tmp_path, config=DEAR, extra="[budget]\nrequest = 0.008\n") as s:
        s.upstream.says("I cannot help with that.", usage=Usage(fresh=900, output=9))
        assert await fix(s) == SRC
        assert len(s.upstream.requests) == 1
        assert "small: " in messages(s)[-1]
        assert "Your budget of $0.0080 for one request would be passed" in messages(s)[-1]
        assert [each.outcome for each in s.entries()] == ["failed check", "failed"]


async def test_a_ledger_that_cannot_be_read_stops_only_who_has_a_budget(tmp_path: Path) -> None:
    (tmp_path / "home" / "data" / "tuppence" / "ledger.sqlite3").mkdir(parents=True)
    async with stage(tmp_path, config=DEAR, extra="[budget]\nday = 5\n") as s:
        assert await fix(s) == SRC
        assert s.upstream.requests == []
        assert "Your budget cannot be checked, so nothing is sent. The ledger " in " ".join(messages(s))


async def test_a_dead_servers_reservation_is_entered_by_the_next_server(tmp_path: Path) -> None:
    async with stage(tmp_path, config=DEAR) as s:
        s.upstream.says(GOOD)
        await fix(s)
        place = Path(tmp_path / "home" / "data" / "tuppence" / "ledger.sqlite3")
    ledger = Ledger(place)
    before = ledger.entries()
    hold = held(before[0])
    ledger._do("write", lambda connection: connection.execute(*hold))
    assert len(ledger.entries()) == 1
    async with stage(tmp_path, config=DEAR) as s:
        s.upstream.script(answer(GOOD))
        await fix(s)
        lost = s.entries()[1]
        assert (lost.run, lost.estimated, lost.cost) == ("abandoned", True, Decimal("0.5"))
    ledger.close()


def held(like: Entry) -> tuple[str, tuple[Any, ...]]:
    """Return the statement that leaves a reservation of a process that is gone."""
    lost = replace(like, run="abandoned", cost=Decimal("0.5"), estimated=True)
    values = ("x", "abandoned", lost.session, moment(lost.at), "0.5", me().host, 2**22 + 1, "", packed(lost))
    return (
        "INSERT INTO hold (id, run, session, at, bound, host, pid, born, entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    )


async def test_the_editor_is_given_the_report_as_a_page(tmp_path: Path) -> None:
    async with stage(tmp_path, config=DEAR) as s:
        s.upstream.says(GOOD)
        await fix(s)
        params = types.ExecuteCommandParams("tuppence.cost", [{"show": True}])
        told = await s.editor.client.workspace_execute_command_async(params)
        assert told is not None
        path = s.home / "cache" / "tuppence" / "cost.html"
        assert Path(told["path"]) == path
        assert s.editor.seen.documents[-1] == path.as_uri()
        check_page(path, s.entries()[0])


def check_page(path: Path, entry: Entry) -> None:
    """Hold the page against the one request there was."""
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.glob("*.html")] == ["cost.html"]
    assert f"<b>{html.escape(money(entry.cost))}</b><span>spent in 1 requests" in path.read_text("utf-8")


async def test_a_report_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "home" / "cache" / "tuppence" / "cost.html").mkdir(parents=True)
    async with stage(tmp_path) as s:
        params = types.ExecuteCommandParams("tuppence.cost")
        assert await s.editor.client.workspace_execute_command_async(params) is None
        assert re.search(
            r"The page .*cost\.html could not be written: Is a directory\. Check the folder\.", messages(s)[-1]
        )
