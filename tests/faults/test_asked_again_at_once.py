"""A command that comes before a run on its code has cleaned up: none is refused, and each asks about the text put back.

The commands are sent at set points of the conversation (with the Stop, at the closing message, amid the edit that takes
the answer back), so that each finds the ended run still cleaning up, on a machine of any speed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import FIXED, GOOD, SRC, messages, stopped, until
from scripted_provider import answer, stall
from server import Stage, pick, stage

from editor import Buffer

DRAFTED = "```python\ndef mean(xs):\n    # one\n    # two\n    # three\n    return sum(xs)\n"
"""The start of an answer that has more lines than the code it is about."""
OTHER_GOOD = "```python\ndef other():\n    return 2\n```"
OTHER_FIXED = SRC.replace("return 1", "return 2")
SHOWN = types.WINDOW_SHOW_MESSAGE


class Scene:
    """One document, of which one function is being fixed by an answer that never ends."""

    def __init__(self, s: Stage, name: str) -> None:
        self.s = s
        self.name = name
        self.buffer: Buffer = s.editor.open(s.write(name, SRC), "python")
        self.replies: list[asyncio.Future[Any]] = []
        self._sent = 0

    async def begin(self, entry: types.CodeAction | None = None) -> None:
        """Start a fix; go on once its answer has begun, and is in the text where this client takes drafts."""
        s, asked, before = self.s, len(self.s.upstream.requests), self.buffer.text
        s.upstream.script(stall(DRAFTED))
        self.send(entry or self.command())
        await s.upstream.seen(asked + 1)
        await until(lambda: any("answering" in str(each) for each in s.editor.seen.progress[-1:]))
        if s.editor.streams:
            await until(lambda: self.buffer.text != before and "# three" in self.buffer.text)

    def command(self, part: str = "def mean", **more: Any) -> types.CodeAction:
        """Return a menu's entry with the cursor at a part of the text, of the version that the editor has."""
        start = self.buffer.text.index(part)
        return self.entry(start, start, **more)

    def entry(self, start: int, end: int, **more: Any) -> types.CodeAction:
        """Return a menu's entry for a selection."""
        where = self.range(start, end)
        argument = {"action": "fix", "uri": self.buffer.uri, "version": self.buffer.version, "range": where} | more
        return types.CodeAction("Fix", command=types.Command("Fix", "tuppence.run", arguments=[argument]))

    def range(self, start: int, end: int) -> dict[str, Any]:
        """Return a selection as JSON."""
        found = self.s.editor.range(self.buffer.text, start, end)
        return {
            "start": {"line": found.start.line, "character": found.start.character},
            "end": {"line": found.end.line, "character": found.end.character},
        }

    def diagnostic(self, part: str) -> dict[str, Any]:
        """Return a tool's diagnostic on a part of the text, with a fix for that text."""
        start = self.buffer.text.index(part)
        where = self.range(start, start + len(part))
        fix = {"edits": [{"range": where, "newText": "0"}]}
        return {"range": where, "message": f"about {part}", "severity": 1, "source": "lint", "data": fix}

    def stop(self) -> None:
        """Press Stop."""
        argument = {"uri": self.buffer.uri}
        self.send(types.CodeAction("Stop", command=types.Command("Stop", "tuppence.stop", arguments=[argument])))

    def send(self, entry: types.CodeAction) -> str:
        """Send a command, and return the id of its request."""
        self._sent += 1
        identity = f"{self.name} {self._sent}"
        self.replies.append(self.s.editor.start(entry, identity))
        return identity

    def amid_the_taking_back(self, happens: Callable[[], object]) -> None:
        """Let something happen once: when the edit that takes the answer back has come, before it is applied."""

        def shown(method: str, _params: Any) -> None:
            if method == "tuppence/edit":
                self.s.editor.on_shown = lambda _method, _params: None
                happens()

        self.s.editor.on_shown = shown

    async def over(self) -> None:
        """Wait for the replies to all commands."""
        await asyncio.wait_for(asyncio.gather(*self.replies, return_exceptions=True), 60)

    def prompts(self, since: int) -> list[Any]:
        """Return what the requests from that one on asked."""
        return [each.body["messages"] for each in self.s.upstream.requests[since:]]


@contextmanager
def locked(s: Stage) -> Iterator[None]:
    """Keep the ledger locked, as another program does: what a run's end reads of it is waited for."""
    path = s.home / "data" / "tuppence" / "ledger.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def check(scene: Scene, before: tuple[int, int], text: str = FIXED) -> None:
    """Check that the last command was carried out, on the text that was put back, and that nothing was refused.

    :param before: how many requests and messages there were when the stopped run began.
    """
    asked, told = before
    await scene.over()
    await until(lambda: [each for each in messages(scene.s)[told:] if each.startswith("Fixed")])
    assert scene.buffer.text == text
    # Of a locked ledger another sentence tells.
    closings = [each.split(" ")[0] for each in messages(scene.s)[told:] if not each.startswith("Another program")]
    assert closings == ["Stopped:", "Fixed"], messages(scene.s)[told:]
    assert len(scene.s.upstream.requests) == asked + 2
    if text == FIXED:
        first, second = scene.prompts(asked)
        assert first == second, "the second question is the first one, byte for byte"


def counts(s: Stage) -> tuple[int, int]:
    """Return how many requests arrived and how many messages were shown."""
    return len(s.upstream.requests), len(messages(s))


@pytest.mark.fault("life cycle", "asked again while a stopped run cleans up")
@pytest.mark.parametrize("streams", [pytest.param(False, marks=pytest.mark.long), True])
async def test_a_stopped_run_refuses_nothing(tmp_path: Path, *, streams: bool, record_property: Any) -> None:
    async with stage(tmp_path, streams=streams) as s:
        # At the word: the ledger is locked, so that the accounts are not read yet.
        scene = Scene(s, "word.py")
        before = counts(s)
        await scene.begin()
        s.upstream.script(answer(GOOD))

        def send_at_the_word(method: str, params: Any, scene: Scene = scene) -> None:
            if method == SHOWN and params.message.startswith("Stopped"):
                scene.send(scene.command())

        s.editor.on_shown = send_at_the_word
        with locked(s):
            scene.stop()
            await until(lambda: len(s.upstream.requests) == before[0] + 2)
        s.editor.on_shown = lambda _method, _params: None
        await check(scene, before)
        # With the Stop, in one breath; once with a cursor that the text put back does not reach to.
        for name, part in (("breath.py", "def mean"), ("tail.py", "return sum(xs)")):
            scene = Scene(s, name)
            before = counts(s)
            await scene.begin()
            s.upstream.script(answer(GOOD))
            entry = scene.command(part)
            scene.stop()
            scene.send(entry)
            await check(scene, before)
        # About the code below, in whose lines the answer's ones are counted too.
        scene = Scene(s, "below.py")
        before = counts(s)
        await scene.begin()
        s.upstream.script(answer(OTHER_GOOD))
        entry = scene.command("return 1", diagnostics=[scene.diagnostic("return 1")])
        scene.stop()
        scene.send(entry)
        await check(scene, before, OTHER_FIXED)
        assert "about return 1" in str(scene.prompts(-1))
        # Twice: one of the two is carried out, the other is beside a run that nobody stopped.
        scene = Scene(s, "twice.py")
        before = counts(s)
        await scene.begin()
        s.upstream.script(answer(GOOD))
        entry = scene.command()
        scene.stop()
        scene.send(entry)
        scene.send(entry)
        await scene.over()
        assert scene.buffer.text == FIXED
        assert len(s.upstream.requests) == before[0] + 2
        assert sum("still at work" in each for each in messages(s)[before[1] :]) == 1
        assert [each.outcome for each in s.entries()] == ["cancelled", "kept"] * 5
        record_property("cases", 5)


@pytest.mark.fault("life cycle", "asked again while a stopped run cleans up")
async def test_what_comes_amid_the_taking_back(tmp_path: Path, record_property: Any) -> None:
    async with stage(tmp_path, streams=True) as s:
        # Of the version before the edit that takes the answer back.
        scene = Scene(s, "amid.py")
        before = counts(s)
        await scene.begin()
        s.upstream.script(answer(GOOD))
        scene.amid_the_taking_back(lambda: scene.send(scene.command("# two")))
        scene.stop()
        await check(scene, before)
        # A command that waits can be cancelled; it has asked for nothing.
        scene = Scene(s, "cancelled.py")
        before = counts(s)
        await scene.begin()
        scene.amid_the_taking_back(lambda: s.editor.cancel(scene.send(scene.command())))
        scene.stop()
        await scene.over()
        await until(lambda: stopped(s)[1:])
        assert (scene.buffer.text, len(s.upstream.requests)) == (SRC, before[0] + 1)
        assert len(s.entries()) == 3
        # The document is closed while the command waits.
        scene = Scene(s, "closed.py")
        before = counts(s)
        await scene.begin()

        def send_and_close() -> None:
            scene.send(scene.command())
            s.editor.close(scene.buffer)

        scene.amid_the_taking_back(send_and_close)
        scene.stop()
        await scene.over()
        assert messages(s)[-1] == "The document is not open any more. Open it and try again."
        assert len(s.upstream.requests) == before[0] + 1
        record_property("cases", 3)


@pytest.mark.long
@pytest.mark.fault("life cycle", "asked again while a stopped run cleans up")
async def test_what_is_about_text_that_is_taken_back_is_not_asked(tmp_path: Path, record_property: Any) -> None:
    async with stage(tmp_path, streams=True) as s:
        refused: tuple[Callable[[Scene], types.CodeAction], ...] = (
            lambda scene: scene.command(diagnostic=scene.diagnostic("# two")),
            lambda scene: scene.command(version=1),
            lambda scene: scene.command(range={"start": {"line": "0", "character": 0}}),
        )
        changed = "The document changed after the menu was opened."
        says = ("The diagnostic was about text that was taken back.", changed, changed)
        for number, (entry, start) in enumerate(zip(refused, says, strict=True)):
            scene = Scene(s, f"refused{number}.py")
            before = counts(s)
            await scene.begin()
            sent = entry(scene)
            scene.stop()
            scene.send(sent)
            await scene.over()
            assert messages(s)[-1].startswith(start), messages(s)[before[1] :]
            assert (scene.buffer.text, len(s.upstream.requests)) == (SRC, before[0] + 1)
        # What it is only told of besides is left out.
        scene = Scene(s, "besides.py")
        before = counts(s)
        await scene.begin()
        besides = [scene.diagnostic("# two"), scene.diagnostic("return 1"), scene.diagnostic("def other")]
        entry_ = scene.command("return 1", diagnostics=besides)
        scene.stop()
        s.upstream.script(answer(OTHER_GOOD))
        scene.send(entry_)
        await scene.over()
        assert "about # two" not in str(scene.prompts(-1))
        assert "about return 1" in str(scene.prompts(-1))
        record_property("cases", 4)


@pytest.mark.fault("life cycle", "asked again while a stopped run cleans up")
@pytest.mark.parametrize("streams", [pytest.param(False, marks=pytest.mark.long), True])
async def test_an_answer_can_be_asked_again_at_once(tmp_path: Path, *, streams: bool, record_property: Any) -> None:
    async with stage(tmp_path, streams=streams) as s:
        # At the closing message of the answer itself: it is remembered by then.
        scene = Scene(s, "again.py")
        s.upstream.script(answer(GOOD))
        runs: list[str] = []

        def shown(method: str, params: Any) -> None:
            if method == SHOWN and params.message.startswith("Fixed"):
                s.editor.on_shown = lambda _method, _params: None
                runs.append(params.message)
                scene.replies.append(asyncio.ensure_future(s.editor.menu(scene.buffer, 5)))

        s.editor.on_shown = shown
        scene.send(scene.command())
        await until(lambda: runs)
        await scene.over()
        menu = scene.replies[-1].result()
        assert not [each.title for each in menu if each.title.startswith("Stop")]
        again = pick(menu, "Again with a better model")
        # Asked again, stopped, and asked again in one breath.
        before = counts(s)
        await scene.begin(again)
        s.upstream.script(answer(GOOD.replace("    return", "    # It divides.\n    return")))
        scene.stop()
        scene.send(again)
        await scene.over()
        await until(lambda: len([each for each in messages(s) if each.startswith("Fixed")]) == 2)
        assert "# It divides." in scene.buffer.text
        first, second = scene.prompts(before[0])
        assert first == second
        record_property("cases", 2)
