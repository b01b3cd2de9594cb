"""Model servers on the user's own machine: asked about once, given nothing before the yes, noticed when they come."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Self

import pytest
from lsprotocol import types
from scenario import messages, until
from scripted_provider import Reply, ScriptedUpstream, Seen, answer, raw
from server import Stage, pick, stage, titles

from tuppence import local
from tuppence.errors import Broken
from tuppence.local.registry import LOOK_AGAIN, LocalModels

OLLAMA = local.DiscoveredServer("ollama", "http://127.0.0.1:11434/v1", ("qwen3:4b",), 8192)
BARE = local.DiscoveredServer("llamacpp", "http://127.0.0.1:8080/v1", (), None)


class Machine:
    """What listens on this machine, and how often somebody looked."""

    def __init__(self, *servers: local.DiscoveredServer) -> None:
        self.servers = servers
        self.looks = 0
        self.time = 0.0

    async def find(self) -> tuple[local.DiscoveredServer, ...]:
        """Look."""
        self.looks += 1
        return self.servers

    def neighbourhood(self) -> LocalModels:
        """Return a new server's view of it."""
        return LocalModels({}, self.find, lambda: self.time)


async def names(rows: Awaitable[tuple[object, ...]]) -> list[str]:
    return [str(getattr(row, "name", "")) for row in await rows]


async def test_an_answer_is_remembered_by_the_next_server() -> None:
    machine = Machine(OLLAMA, BARE)
    first = machine.neighbourhood()
    assert await first.unapproved() == (OLLAMA,)  # The other one has no model to ask.
    assert await names(first.rows()) == []
    first.allow(OLLAMA)
    assert await names(first.rows()) == ["ollama/qwen3:4b"]
    second = machine.neighbourhood()
    assert await second.unapproved() == ()
    assert await names(second.rows()) == ["ollama/qwen3:4b"]
    second.refuse(OLLAMA)
    third = machine.neighbourhood()
    assert await third.unapproved() == ()
    assert await names(third.rows()) == []


async def test_a_server_that_comes_or_goes_is_noticed_without_a_search_for_each_request() -> None:
    machine = Machine()
    here = machine.neighbourhood()
    for _ in range(5):
        assert await names(here.rows()) == []
    assert machine.looks == 1
    machine.servers = (OLLAMA,)
    # Where nobody else may answer, it is looked for at once.
    assert await here.unapproved() == (OLLAMA,)
    here.allow(OLLAMA)
    assert await names(here.rows()) == ["ollama/qwen3:4b"]
    assert machine.looks == 2
    # Otherwise now and then, beside a request and not in its way.
    machine.servers = ()
    machine.time += LOOK_AGAIN + 1
    assert await names(here.rows()) == ["ollama/qwen3:4b"]
    await asyncio.sleep(0)
    assert await names(here.rows()) == []
    assert machine.looks == 3
    await here.close()


async def test_an_answer_that_cannot_be_kept_holds_for_this_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    machine = Machine(OLLAMA)
    here = machine.neighbourhood()
    assert await here.unapproved() == (OLLAMA,)
    with pytest.raises(Broken, match="cannot be used"):
        here.allow(OLLAMA)
    assert await names(here.rows()) == ["ollama/qwen3:4b"]
    assert await here.unapproved() == ()
    assert await machine.neighbourhood().unapproved() == (OLLAMA,)


# --- through the real server, at the usual port ---

SRC = "def mean(xs):\n    return sum(xs) / len(xs)\n"
QUESTION = (
    "Ollama listens at http://127.0.0.1:11434/v1 (qwen3:4b). May tuppence send it the code that you ask about? "
    "Any program at that port would receive it."
)
TAGS = {"models": [{"name": "qwen3:4b", "details": {"family": "qwen3"}}]}


class Ollama(ScriptedUpstream):
    """An Ollama with one model, at its usual port."""

    async def __aenter__(self) -> Self:
        self.port = local.PORTS["ollama"]
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.always(_reply)
        return self

    @property
    def asked(self) -> list[Seen]:
        """What it was given of anybody's source."""
        return [seen for seen in self.requests if seen.body is not None]


def _reply(seen: Seen) -> Reply:
    known = {"/api/version": {"version": "0.12.0"}, "/api/tags": TAGS, "/api/ps": {"models": []}}
    if seen.path in known:
        return raw([json.dumps(known[seen.path]).encode()], headers={"content-type": "application/json"})
    return answer("`mean` averages `xs`.")


@pytest.fixture
def _free() -> None:
    """Skip where somebody's own Ollama runs, which these tests must not talk to."""
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.connect(("127.0.0.1", local.PORTS["ollama"]))
        pytest.skip("a real server holds Ollama's port")


async def explain(s: Stage) -> None:
    buffer = next(iter(s.editor.buffers.values()), None) or s.editor.open(s.write("a.py", SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 4), "Explain"))


async def until_asked(s: Stage, run: Callable[[], Awaitable[None]]) -> None:
    """Run an action until the person is asked: a busy machine may not find Ollama in a search of 0.5 s."""
    while not s.editor.seen.questions:
        await run()


async def explain_twice(s: Stage) -> list[asyncio.Task[None]]:
    """Start two runs; return them once the person was asked a second time, or both are over."""
    runs = [asyncio.create_task(explain(s)) for _ in range(2)]
    await until(lambda: len(s.editor.seen.questions) == 2 or all(run.done() for run in runs))
    return runs


@contextlib.asynccontextmanager
async def without_keys(tmp_path: Path) -> AsyncIterator[tuple[Stage, Ollama]]:
    async with Ollama() as ollama, stage(tmp_path, config="") as s:
        yield s, ollama


def pending(s: Stage) -> Callable[[str | None], None]:
    """Let the person think about the question; return what gives the answer at last."""
    given: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()

    async def think(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
        s.editor.seen.questions.append(params.message)
        picked = await given
        return types.MessageActionItem(picked) if picked else None

    s.editor.client.protocol.fm.features[types.WINDOW_SHOW_MESSAGE_REQUEST] = think
    return given.set_result


@pytest.mark.usefixtures("_free")
async def test_nothing_is_sent_before_the_yes_and_a_run_that_waits_for_it_can_be_stopped(tmp_path: Path) -> None:
    async with without_keys(tmp_path) as (s, ollama):
        # Put aside: nobody may answer, and the next request asks again.
        await until_asked(s, lambda: explain(s))
        assert s.editor.seen.questions == [QUESTION]
        assert messages(s)[-1].startswith("Could not explain `mean`. No model may answer this: ")

        # Left unanswered: two runs wait for the one question, and each can be stopped.
        answered = pending(s)
        (buffer,) = s.editor.buffers.values()
        runs = await explain_twice(s)
        while len(s.editor.seen.questions) < 2:
            runs = await explain_twice(s)
        await asyncio.sleep(0.05)
        for _ in runs:
            menu = await s.editor.menu(buffer, 4)
            assert titles(menu)[0] == "Stop: Explain `mean`"
            await s.editor.run(menu[0])
            await until(lambda: any(run.done() for run in runs))
        await asyncio.wait_for(asyncio.gather(*runs), 60)
        assert messages(s)[-2:] == ["Stopped: Explain `mean`."] * 2
        assert [entry.outcome for entry in s.entries()][-2:] == ["cancelled"] * 2
        assert len(s.editor.seen.questions) == 2
        assert ollama.asked == []

        # The answer still counts when it comes.
        answered("Use it")
        allowed = s.home / "state" / "tuppence" / "allowed-servers.json"
        await until(allowed.exists)
        await explain(s)
        assert len(s.editor.seen.questions) == 2
        assert messages(s)[-1].startswith("Explained `mean`: qwen3:4b, $0")
        assert len(ollama.asked) == 1
        assert "authorization" not in ollama.asked[0].headers

    async with without_keys(tmp_path) as (s, ollama):
        buffer = s.editor.open(s.write("b.py", SRC.replace("mean", "average")), "python")
        while not ollama.asked:
            await s.editor.run(pick(await s.editor.menu(buffer, 4), "Review"))
        assert s.editor.seen.questions == []


@pytest.mark.usefixtures("_free")
async def test_a_no_is_remembered_too(tmp_path: Path) -> None:
    for questions in (1, 0):
        async with without_keys(tmp_path) as (s, ollama):
            s.editor.answer = lambda _params: "Never"
            if questions:
                await until_asked(s, lambda: explain(s))
            await explain(s)
            await explain(s)
            assert len(s.editor.seen.questions) == questions
            assert "No model may answer this" in messages(s)[-1]
            assert ollama.asked == []


@pytest.mark.usefixtures("_free")
async def test_whoever_has_a_key_is_asked_only_about_a_server_that_was_pinned(tmp_path: Path) -> None:
    async with Ollama() as ollama, stage(tmp_path) as s:
        s.upstream.says("`mean` averages.")
        await explain(s)
        assert s.editor.seen.questions == []
        text = s.config.read_text()
        s.config.write_text(text + '[actions.explain]\nmodel = "ollama/qwen3:4b"\n')
        s.editor.answer = lambda _params: "Use it"
        (buffer,) = s.editor.buffers.values()
        s.editor.type(buffer, 0, 0, "# another question\n")
        s.editor.type(buffer, buffer.text.index("sum"), buffer.text.index("sum"), "1 * ")

        async def explain_sum() -> None:
            await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("sum")), "Explain"))

        await until_asked(s, explain_sum)
        assert len(s.editor.seen.questions) == 1
        assert [seen.body["model"] for seen in ollama.asked] == ["qwen3:4b"]
        assert len(s.upstream.requests) == 1
