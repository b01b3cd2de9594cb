"""The policy toward providers as a run's user sees it: reasons, sentences, Stop and the ledger, on both wires."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scenario import GOOD
from scripted_provider import ScriptedUpstream, WireName, answer, error, stall
from server import CONFIG
from tests.engine.test_run import lodging, question

from tuppence.core.actions import EXPLAIN
from tuppence.core.events import ModelChosen, RunFinished, StatusLine
from tuppence.core.models.time_limits import TimeLimits
from tuppence.engine.hover import authorize
from tuppence.engine.receipt import Receipt
from tuppence.engine.run import run
from tuppence.engine.session import Session
from tuppence.errors import NoModel

WIRES: tuple[WireName, ...] = ("openai", "anthropic")
ALONE = CONFIG.partition('[[models]]\nid = "big"')[0]
"""A configuration with one model."""
OTHER = """
[providers.other]
wire = "openai"
base_url = "{other}"
[[models]]
id = "third"
provider = "other"
tier = "budget"
price = {{ input = 0.3, output = 1.2 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.8, fix = 0.8, tests = 0.8, review = 0.8 }}
"""


@dataclass
class Run:
    """One run, as its user sees it."""

    session: Session
    name: str
    lines: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    done: RunFinished | None = None
    receipt: Receipt = field(init=False)

    def __post_init__(self) -> None:
        self.receipt = Receipt(run=self.name, session="s", action="fix", language="python")

    async def go(self, **how: Any) -> Run:
        """Ask, and take all that happens."""
        asked = question(run=self.name, bypass_cache=True, **how)
        async with aclosing(run(asked, self.session, self.receipt)) as happened:
            async for event in happened:
                match event:
                    case StatusLine():
                        self.lines.append(event.text)
                    case ModelChosen():
                        self.reasons.append(event.route.line)
                    case RunFinished():
                        self.done = event
        return self


async def until_said(asked: Run, part: str) -> None:
    """Wait until a progress line has that part."""
    async with asyncio.timeout(60):
        while not any(part in line for line in asked.lines):  # noqa: ASYNC110 - the run says nothing of it otherwise
            await asyncio.sleep(0.002)


async def stopped(task: asyncio.Task[Run]) -> None:
    """Press Stop, and wait for the end of the run."""
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()


@pytest.mark.fault("policy", "Stop stops a run in each wait before its request")
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("at_once = 1\n", "Waiting for a turn at mine: "),
        ("", "for mine's limit of requests a minute"),
        ("", "Waiting for mine's limit of 1 requests at the same time"),
    ],
    ids=["a turn", "a limit", "a width"],
)
async def test_stop_before_the_request(tmp_path: Path, wire: WireName, setting: str, line: str) -> None:
    limit = "concurrent_requests" if "same time" in line else "requests_per_minute"
    limits = f"rate_limits = {{{{ {limit} = 1 }}}}\n" if not setting else ""
    config = ALONE.replace('base_url = "{base}"\n', f'base_url = "{{base}}"\n{setting}') + limits
    async with lodging(tmp_path, config, wire) as (session, server):
        server.always(stall())
        first, second = Run(session, "first"), Run(session, "second")
        ahead = asyncio.create_task(first.go())
        await server.seen()
        behind = asyncio.create_task(second.go())
        await until_said(second, line)
        await stopped(behind)
        assert len(server.requests) == 1
        await stopped(ahead)
        third = asyncio.create_task(Run(session, "third").go())
        if limit == "concurrent_requests" or setting:
            await server.seen(2)
        await stopped(third)
        entries = {each.run: each for each in session.ledger.entries()}
        assert (entries["second"].outcome, entries["second"].cost) == ("cancelled", Decimal(0))
        assert entries["second"].usage is None


@pytest.mark.fault("policy", "Stop stops a run whose reservation waits for the ledger")
@pytest.mark.parametrize("wire", WIRES)
async def test_stop_in_a_reservations_wait(tmp_path: Path, wire: WireName) -> None:
    async with lodging(tmp_path, ALONE, wire) as (session, server):
        asked, free = threading.Event(), threading.Event()
        reserve = session.ledger.reserve

        def slow(claim: Any) -> Any:
            asked.set()
            assert free.wait(60)
            return reserve(claim)

        session.ledger.reserve = slow  # type: ignore[method-assign]  # as where another process holds the ledger
        waiting = asyncio.create_task(Run(session, "r").go())
        assert await asyncio.to_thread(asked.wait, 60)
        await stopped(waiting)
        free.set()
        assert not server.requests
        [entry] = await asyncio.to_thread(session.ledger.entries)
        assert (entry.outcome, entry.cost) == ("cancelled", Decimal(0))
        session.ledger.reserve = reserve  # type: ignore[method-assign]
        server.always(answer(GOOD))
        done = (await Run(session, "next").go()).done
        assert done is not None
        assert done.answer is not None


@pytest.mark.fault("policy", "what rests is named in the reason, and another model answers")
@pytest.mark.parametrize("wire", WIRES)
async def test_what_rests_is_named_in_the_reason(tmp_path: Path, wire: WireName) -> None:
    async with ScriptedUpstream() as other:
        config = ALONE + OTHER.replace("{other}", other.openai)
        async with lodging(tmp_path, config, wire) as (session, server):
            server.always(error(529, retry_after="0"))
            other.always(answer(GOOD))
            first = await Run(session, "first").go()
            assert first.done is not None
            assert first.done.model == "third"
            assert len(server.requests) == 3
            second = await Run(session, "second").go()
            assert second.done is not None
            assert second.done.model == "third"
            assert len(server.requests) == 3, "it rests"
            assert "small could not answer a moment ago, and rests for " in second.reasons[0]


@pytest.mark.fault("policy", "the only model is asked all the same, and the reason says that it rests")
@pytest.mark.parametrize("wire", WIRES)
async def test_the_only_model(tmp_path: Path, wire: WireName) -> None:
    async with lodging(tmp_path, ALONE, wire) as (session, server):
        server.script(error(429, retry_after="3600"), answer(GOOD))
        first = await Run(session, "first").go()
        assert first.done is not None
        assert first.done.answer is None
        assert "Try again in about an hour, or choose another model." in first.done.why
        second = await Run(session, "second").go()
        assert second.done is not None
        assert second.done.answer is not None
        rests = "small could not answer a moment ago, and rests for about an hour, and is asked all the same"
        assert rests in second.reasons[0]
        assert [(each.outcome, each.cost is not None) for each in session.ledger.entries()] == [
            ("failed", True),
            ("kept", True),
        ]


def _ask_once_all_wait(session: Session, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send no request before so many wait for their turn: one that comes after a failure is not spared for it."""
    admission, batches = type(session.providers).admission, type(session.upstream).batches
    made, are_made = [0], asyncio.Event()

    def counted(*arguments: Any) -> Any:
        made[0] += 1
        if made[0] == number:
            are_made.set()
        return admission(*arguments)

    async def later(*arguments: Any) -> Any:
        await are_made.wait()
        async with aclosing(batches(*arguments)) as found:
            async for each in found:
                yield each

    monkeypatch.setattr(type(session.providers), "admission", counted)
    monkeypatch.setattr(type(session.upstream), "batches", later)


@pytest.mark.fault("policy", "a burst at a server that is not there: one sentence each, few connections, nothing owed")
@pytest.mark.parametrize("wire", WIRES)
async def test_a_burst_at_a_server_that_is_not_there(
    tmp_path: Path, wire: WireName, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ScriptedUpstream() as gone:
        base = getattr(gone, wire)
    config = ALONE.replace("{base}", base)
    async with lodging(tmp_path, config, wire) as (session, _):
        _ask_once_all_wait(session, 12, monkeypatch)
        runs = await asyncio.gather(*(Run(session, str(each)).go() for each in range(12)))
        for each in runs:
            assert each.done is not None
            assert each.done.answer is None
            assert f"mine cannot be reached at {base}." in each.done.why
        spared = [each for each in runs if each.done and "another request failed there a moment ago" in each.done.why]
        assert len(spared) == 8
        entries = session.ledger.entries()
        assert [(each.outcome, each.cost, each.usage) for each in entries] == [("failed", Decimal(0), None)] * 12
        assert not session.providers.queue(session.config().models[-1]).waiting


@pytest.mark.fault("policy", "a silent provider: asked once, the time named, an estimate entered")
@pytest.mark.parametrize("wire", WIRES)
async def test_a_silent_provider(tmp_path: Path, wire: WireName) -> None:
    config = ALONE.replace('base_url = "{base}"\n', 'base_url = "{base}"\ntimeouts = {{ first_word = 1 }}\n')
    async with lodging(tmp_path, config, wire) as (session, server):
        server.always(stall())
        done = (await Run(session, "r").go()).done
        assert done is not None
        assert done.answer is None
        assert done.why.startswith("mine did not begin to answer within 1 s.")
        assert len(server.requests) == 1
        [entry] = session.ledger.entries()
        assert (entry.outcome, entry.estimated) == ("failed", True), "it may be charged for"


@pytest.mark.fault("policy", "a hover asks nobody that rests")
async def test_a_hover_asks_nobody_that_rests(tmp_path: Path) -> None:
    async with lodging(tmp_path, "hover_cap = 1\n" + ALONE) as (session, server):
        server.always(error(529, retry_after="0"))
        asked = question(action=EXPLAIN)
        assert (await authorize(asked, session)).model.id == "small"
        await Run(session, "r").go()
        with pytest.raises(NoModel, match="Not asked by itself: small could not answer a moment ago, and rests for "):
            await authorize(asked, session)


@pytest.mark.fault("policy", "the general time-outs hold for a session's providers")
async def test_general_time_outs_hold(tmp_path: Path) -> None:
    config = "timeouts = {{ first_word = 7, total = 9 }}\n" + ALONE
    async with lodging(tmp_path, config) as (session, _):
        found = session.config()
        mine = found.providers["mine"].timeouts
        assert mine.over(found.timeouts) == TimeLimits(5, 7, 60, 9)
        assert replace(mine, total=3).over(found.timeouts).total == 3
