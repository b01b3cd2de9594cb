"""What happens between a question and its request is done in few threads, one after another, and once."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_run import Engine, engine
from scenario import GOOD, SRC
from scripted_provider import answer, error, hang_up

from tuppence.core.actions import EXPLAIN
from tuppence.core.answer_builder import AnswerBuilder
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Span
from tuppence.engine import answer_cache, attempt, prepare
from tuppence.engine.admission import fair_share
from tuppence.engine.admission.fair_share import FairShare
from tuppence.engine.answer_cache import surroundings
from tuppence.engine.choice import choice
from tuppence.engine.disclosure.guarded_answer import guarded
from tuppence.errors import NoModel
from tuppence.upstream.exchange import Exchange

SAID = Diagnostic(span=Span(5, 5), severity="error", message="undefined name")
"""A diagnostic, without which the linter would be asked first."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the work that is handed to threads, requests that are sent and builders that are made, in order."""
    found: list[str] = []
    hand = asyncio.BaseEventLoop.run_in_executor

    def handed(self: Any, executor: Any, work: Callable[..., Any], *arguments: Any) -> Any:
        # asyncio.to_thread runs the work in a context.
        inner = work.args[0] if isinstance(work, functools.partial) else work
        found.append(getattr(inner, "__name__", repr(inner)))
        return hand(self, executor, work, *arguments)

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", handed)

    def note(owner: Any, name: str, word: str) -> None:
        plain = getattr(owner, name)

        @functools.wraps(plain)
        def noted(*arguments: Any, **more: Any) -> Any:
            found.append(word)
            return plain(*arguments, **more)

        monkeypatch.setattr(owner, name, noted)

    note(Exchange, "_post", "-> request")
    return found


async def asked(it: Engine, steps: list[str], **how: Any) -> list[str]:
    """Ask twice; return the steps of the second time, when everything is loaded."""
    for each in ("r1", "r2"):
        steps.clear()
        it.server.script(answer(GOOD))
        ran = await it.fix(each, diagnostics=(SAID,), **how)
        assert ran.text != SRC, ran.said
    return list(steps)


async def test_a_request_is_prepared_in_one_thread_and_written_in_another(tmp_path: Path, steps: list[str]) -> None:
    async with engine(tmp_path) as it:
        found = await asked(it, steps)
        assert found[: found.index("-> request")] == ["_planned", "_written"]
        assert found[found.index("-> request") + 1] == "guarded", "no request waits for the builder of its answer"


async def test_a_prompt_that_is_another_than_the_measured_one_is_measured_in_a_thread(
    tmp_path: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = prepare.prompt

    def longer(*arguments: Any) -> Any:
        made = plain(*arguments)
        return replace(made, tail=f"{made.tail}\n")

    monkeypatch.setattr(attempt, "prompt", longer)
    async with engine(tmp_path) as it:
        found = await asked(it, steps)
        assert found[: found.index("-> request")] == ["_planned", "measure", "_written"]


async def test_each_smaller_context_takes_one_more_thread_and_looks_around_once(
    tmp_path: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, tried = [0], [0]

    def around(*arguments: Any) -> Any:
        looked[0] += 1
        return surroundings(*arguments)

    def chosen(*arguments: Any) -> Any:
        tried[0] += 1
        return None if tried[0] % 2 else choice(*arguments)

    async def nobody(*_arguments: Any) -> Any:
        raise NoModel("nobody has room")

    monkeypatch.setattr(prepare, "surroundings", around)
    monkeypatch.setattr(prepare, "choice", chosen)
    monkeypatch.setattr(prepare, "last_resort", nobody)
    async with engine(tmp_path) as it:
        found = await asked(it, steps)
    assert found[: found.index("-> request")] == ["_planned", "_planned", "_written"]
    assert looked == [2], "once for each of the two questions"


async def test_a_request_that_is_refused_has_no_answer_to_build(
    tmp_path: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[AnswerBuilder]()

    def noted(*arguments: Any) -> AnswerBuilder:
        made.append(guarded(*arguments))
        return made[-1]

    monkeypatch.setattr(attempt, "guarded", noted)
    async with engine(tmp_path) as it:
        await asked(it, steps)
        assert len(made) == 2, "one for each answer, however many pieces it has"
        it.server.script(hang_up())
        it.server.script(answer(GOOD))
        await it.fix("r3", diagnostics=(SAID,))
        assert len(made) == 3
        it.server.script(error(401, "no such key"))
        ran = await it.fix("r4", diagnostics=(SAID,))
        assert ran.text == SRC
        assert len(made) == 3


async def test_an_explanation_is_looked_for_once(tmp_path: Path, steps: list[str]) -> None:
    async with engine(tmp_path) as it:
        for each in ("r1", "r2"):
            steps.clear()
            it.server.script(answer("It averages."))
            await it.fix(each, action=EXPLAIN, better_than="" if each == "r1" else "mine/none")
        found = list(steps)
        assert found[: found.index("-> request")] == ["look", "_planned", "_written"]


async def test_an_explanation_of_another_quality_is_looked_for_too(
    tmp_path: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_cache, "usual_quality", lambda _request, _session: 0.5)
    async with engine(tmp_path) as it:
        it.server.script(answer("It averages."))
        await it.fix("r1", action=EXPLAIN, better_than="mine/none")
        assert steps[:4] == ["look", "_planned", "lookup", "_written"]


async def test_no_step_of_a_request_begins_while_a_hover_is_computed(
    tmp_path: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_share, "HELD", 60.0)
    before = copy_context()
    async with engine(tmp_path) as it:
        await asked(it, steps)
        steps.clear()
        it.server.script(answer(GOOD))
        with it.session.fair_share.in_front():
            fixing = asyncio.create_task(it.fix("r3", diagnostics=(SAID,)), context=before)
            for _ in range(200):
                await asyncio.sleep(0)
            assert steps == []
        assert (await fixing).text != SRC
        assert steps[0] == "_planned"


async def test_the_checks_of_a_request_pause(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paused = list[int]()
    monkeypatch.setattr(FairShare, "pause", lambda _: paused.append(threading.get_ident()))
    async with engine(tmp_path) as it:
        it.server.script(answer(GOOD))
        assert (await it.fix(diagnostics=(SAID,))).text != SRC
    assert len([each for each in paused if each != threading.get_ident()]) >= 20
