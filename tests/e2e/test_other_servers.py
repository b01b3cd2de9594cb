"""Diagnostics of the editor's other servers: an answer in the text is checked with them, then kept or taken back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import messages, stopped, until
from scripted_provider import answer
from server import Stage, pick, stage

from editor import Buffer, Editor
from tuppence.lsp.features import other_servers

SRC = "func mean(xs []int) int {\n\treturn sum(xs) / size\n}\n"
GOOD = "```go\nfunc mean(xs []int) int {\n\treturn sum(xs) / len(xs)\n}\n```"
WORSE = GOOD.replace("len(xs)", "length")
SAME = GOOD.replace("len(xs)", "size + 0")
FIXED = SRC.replace("size", "len(xs)")
KNOWN = ("size", "length", "broken")
Judge = Callable[[str], list[str]]


def undefined(text: str) -> list[str]:
    """Return the names that a language server would not know."""
    return [name for name in KNOWN if name in text]


@dataclass
class Servers:
    """The other servers of a scripted client, and how it tells of them."""

    buffer: Buffer | None = None
    judge: Judge = undefined
    delay: float = 0.05
    """Seconds after a change in which they speak."""
    source: str = "compiler"
    asked: list[Any] = field(default_factory=list)
    judged: int = 0
    words: list[types.Diagnostic] = field(default_factory=list)
    repeats: bool = False
    """Whether they say the same again, whatever the text has become."""
    reply: Callable[[dict[str, Any]], Any] = lambda reply: reply

    def speak(self, editor: Editor, buffer: Buffer) -> None:
        """Judge the text as it is."""
        self.judged = buffer.version
        if self.repeats:
            return
        self.words = [
            types.Diagnostic(
                editor.range(buffer.text, at, at + len(name)),
                f"undefined: {name}",
                source=self.source,
                severity=types.DiagnosticSeverity.Error,
            )
            for name in self.judge(buffer.text)
            for at in [buffer.text.index(name)]
        ]

    async def work(self, editor: Editor) -> None:
        """Judge each version some time after it came."""
        while True:
            await asyncio.sleep(0.005)
            buffer = self.buffer
            if buffer is not None and self.judged != buffer.version:
                version = buffer.version
                await asyncio.sleep(self.delay)
                if buffer.version == version:
                    self.speak(editor, buffer)


@asynccontextmanager
async def telling(tmp_path: Path, servers: Servers, **how: Any) -> AsyncIterator[tuple[Stage, Buffer]]:
    """Start everything with a client that tells what its servers say."""
    own = {"stream": 1, "diagnostics": 1} | how.pop("own", {})

    def announce(editor: Editor) -> None:
        editor.capabilities.experimental = {"tuppence": own}

        def diagnostics(params: Any) -> Any:
            servers.asked.append(params)
            assert servers.buffer is not None
            return servers.reply(
                {"version": servers.buffer.version, "judged": servers.judged, "diagnostics": servers.words}
            )

        editor.client.feature("tuppence/diagnostics")(diagnostics)

    async with stage(tmp_path, streams=True, before=announce, **how) as s:
        buffer = servers.buffer = s.editor.open(s.write("mean.go", SRC), "go")
        servers.speak(s.editor, buffer)
        working = asyncio.create_task(servers.work(s.editor))
        try:
            yield s, buffer
        finally:
            working.cancel()


async def fix(s: Stage, servers: Servers) -> None:
    """Let a person fix what the servers said first."""
    assert servers.buffer is not None
    at = servers.buffer.text.index("size")
    await s.editor.run(pick(await s.editor.menu(servers.buffer, at, diagnostics=servers.words), "Fix: undefined"))


async def looked_at(s: Stage, buffer: Buffer, servers: Servers) -> asyncio.Future[Any]:
    """Start a good fix and return its future once it stands in the text and the servers are asked about it."""
    s.upstream.script(answer(GOOD))
    menu = await s.editor.menu(buffer, buffer.text.index("size"), diagnostics=servers.words)
    future: asyncio.Future[Any] = s.editor.start(pick(menu, "Fix: undefined"), "run-1")
    await until(lambda: len(servers.asked) > 1 and buffer.text == FIXED)
    return future


def outcomes(s: Stage) -> list[tuple[str, str]]:
    return [(each.model, each.outcome) for each in s.entries()]


async def test_a_good_answer_is_kept_and_the_diagnostic_said_to_be_gone(tmp_path: Path) -> None:
    servers = Servers()
    async with telling(tmp_path, servers) as (s, buffer):
        s.upstream.script(answer(GOOD))
        await fix(s, servers)
        assert buffer.text == FIXED
        assert messages(s)[-1].endswith("(parses, diagnostic gone).")
        assert outcomes(s) == [("small", "kept")]
        assert buffer.undo == [SRC]
        # The first question, before anything is written, waits for nobody.
        assert [hasattr(each, "wait") for each in servers.asked][:2] == [False, True]
        assert {each.uri for each in servers.asked} == {buffer.uri}
        assert servers.asked[0].version == 1


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (WORSE, "It adds a new problem in line 2: “undefined: length” (compiler)"),
        (SAME, "The problem to fix is still there: “undefined: size” (compiler)"),
    ],
)
async def test_a_bad_word_takes_the_answer_back_and_a_better_model_is_asked(tmp_path: Path, bad: str, why: str) -> None:
    servers = Servers()
    async with telling(tmp_path, servers) as (s, buffer):
        s.upstream.script(answer(bad), answer(GOOD))
        began = time.monotonic()
        await fix(s, servers)
        assert time.monotonic() - began > other_servers.PATIENCE, "a bad word is not believed at once"
        assert buffer.text == FIXED
        assert outcomes(s) == [("small", "failed check"), ("big", "kept")]
        assert f"(parses, diagnostic gone); asked after small, whose answer was rejected: {why}" in messages(s)[-1]


async def test_where_the_better_answer_is_no_better_the_text_is_as_it_was(tmp_path: Path) -> None:
    servers = Servers()
    async with telling(tmp_path, servers) as (s, buffer):
        s.upstream.script(answer(WORSE), answer(SAME))
        await fix(s, servers)
        assert buffer.text == SRC
        assert outcomes(s) == [("small", "failed check"), ("big", "failed check")]
        assert "The text is as it was." in messages(s)[-1]


async def test_what_is_said_of_a_half_written_text_is_not_believed(tmp_path: Path) -> None:
    servers = Servers(delay=0.1)
    async with telling(tmp_path, servers) as (s, buffer):

        def late(_text: str) -> list[str]:
            # The first word on the answer is still of an older text, the second one is right.
            servers.judge = undefined
            servers.judged = 0
            return ["return"]

        s.upstream.script(answer(GOOD))
        await s.editor.menu(buffer, 0)
        first = servers.words
        servers.judge = late
        assert first
        await fix(s, servers)
        assert buffer.text == FIXED
        assert outcomes(s) == [("small", "kept")]


async def test_servers_that_say_nothing_prove_nothing(tmp_path: Path) -> None:
    servers = Servers(delay=60)
    async with telling(tmp_path, servers) as (s, buffer):
        s.upstream.script(answer(GOOD))
        await fix(s, servers)
        # The deadline is that of a first word, not that of a bad one, and no question is asked after it.
        waits = [each.wait / 1000 for each in servers.asked if hasattr(each, "wait")]
        assert max(waits) <= other_servers.FIRST * other_servers.SLOWEST < other_servers.PATIENCE
        assert len(waits) * other_servers.PAUSE <= max(waits) + other_servers.PAUSE
        assert buffer.text == FIXED
        assert messages(s)[-1].endswith("(it parses; nothing else was checked).")


async def test_a_tool_that_waits_for_a_save_is_not_taken_for_a_bad_word(tmp_path: Path) -> None:
    servers = Servers(source="rustc")
    async with telling(tmp_path, servers) as (s, buffer):
        stays = servers.words
        servers.repeats = True
        s.upstream.script(answer(GOOD))
        await fix(s, servers)
        assert servers.words is stays
        assert buffer.text == FIXED
        assert messages(s)[-1].endswith("(it parses; nothing else was checked).")


@pytest.mark.parametrize(
    "reply",
    [
        lambda _reply: None,
        lambda reply: reply | {"version": None},
        lambda reply: reply | {"diagnostics": [{"range": "here"}]},
        lambda reply: reply | {"diagnostics": None},
        lambda _reply: ["nothing"],
    ],
)
async def test_a_client_that_talks_nonsense_is_not_listened_to(tmp_path: Path, reply: Callable[[Any], Any]) -> None:
    servers = Servers(reply=reply)
    async with telling(tmp_path, servers) as (s, buffer):
        s.upstream.script(answer(WORSE))
        await fix(s, servers)
        assert buffer.text == SRC.replace("size", "length")
        assert messages(s)[-1].endswith("(it parses; nothing else was checked).")


async def test_a_client_that_did_not_announce_it_is_not_asked(tmp_path: Path) -> None:
    servers = Servers()
    async with telling(tmp_path, servers, own={"diagnostics": 0}) as (s, _buffer):
        s.upstream.script(answer(WORSE))
        await fix(s, servers)
        assert servers.asked == []
        assert outcomes(s) == [("small", "kept")]


async def test_nor_is_one_that_gets_its_edits_at_the_end(tmp_path: Path) -> None:
    servers = Servers()
    async with telling(tmp_path, servers, extra='edits = "final"\n') as (s, _buffer):
        s.upstream.script(answer(WORSE))
        await fix(s, servers)
        assert servers.asked == []
        assert outcomes(s) == [("small", "kept")]


async def test_who_types_in_the_answer_while_it_is_looked_at_has_kept_it(tmp_path: Path) -> None:
    servers = Servers(delay=60)
    async with telling(tmp_path, servers) as (s, buffer):
        future = await looked_at(s, buffer, servers)
        s.editor.type(buffer, buffer.text.index("len"), buffer.text.index("len"), "my")
        await asyncio.wait_for(future, 60)
        assert buffer.text == FIXED.replace("len", "mylen")
        assert not stopped(s)
        assert outcomes(s) == [("small", "kept")]


async def test_a_stop_while_it_is_looked_at_puts_the_text_back(tmp_path: Path) -> None:
    servers = Servers(delay=60)
    async with telling(tmp_path, servers) as (s, buffer):
        future = await looked_at(s, buffer, servers)
        await s.editor.run((await s.editor.menu(buffer, 0))[0])
        await asyncio.wait_for(future, 60)
        assert buffer.text == SRC
        assert stopped(s)
        assert outcomes(s) == [("small", "cancelled")]


async def test_an_answer_in_place_of_another_is_held_against_the_text_with_that_one(tmp_path: Path) -> None:
    servers = Servers()
    other = FIXED.replace("sum(xs)", "total(xs)")
    async with telling(tmp_path, servers) as (s, buffer):
        s.upstream.script(answer(GOOD))
        await fix(s, servers)
        await until(lambda: servers.judged == buffer.version)
        s.upstream.script(answer(SAME))
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("len")), "Again"))
        assert buffer.text == FIXED, "what the first answer had solved is there again, so that answer is"
        assert "It adds a new problem in line 2: “undefined: size” (compiler)" in messages(s)[-1]
        s.upstream.script(answer(GOOD.replace("sum(xs)", "total(xs)")))
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("len")), "Again"))
        assert buffer.text == other
        assert messages(s)[-1].endswith("(parses, no new error in the editor).")
        assert outcomes(s) == [("small", "kept"), ("big", "failed check"), ("big", "kept")]
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("len")), "Put back"))
        assert buffer.text == SRC


async def test_an_answer_that_is_there_already_is_not_looked_at(tmp_path: Path) -> None:
    servers = Servers()
    async with telling(tmp_path, servers) as (s, buffer):
        s.upstream.script(answer(GOOD))
        await fix(s, servers)
        asked = len(servers.asked)
        servers.judge = lambda _text: ["return"]
        s.upstream.script(answer(GOOD))
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("len")), "Again"))
        assert messages(s)[-1].startswith("big agrees; nothing to change")
        assert [hasattr(each, "wait") for each in servers.asked[asked:]] == [False], "what was said before, no more"
        assert buffer.text == FIXED
        assert buffer.undo == [SRC]
