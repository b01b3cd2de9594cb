"""What happens to documents, folders and the configuration while an answer is on its way, through the real server.

One server meets all of it, one case after the other. After each case its text is unchanged or exactly the answer, one
sentence closed the run, the ledger has one entry more, a hover is answered meanwhile, and nothing is left open.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import FIXED, GOOD, SRC, gated, messages, until
from scripted_provider import answer
from server import Stage, pick, stage, titles

from editor import Buffer

OTHER = "def other():\n    return 1\n"
OTHER_GOOD = f"```python\n{OTHER.replace('return 1', 'return 2')}```"
AT_ONCE = 4
CLOSED = "Its document was closed."


class Bench:
    """One server, in which one case follows another."""

    def __init__(self, s: Stage) -> None:
        self.s = s
        self.cases = 0
        self.quiet = s.editor.open(s.write("quiet.py", SRC), "python")
        """A document that nothing happens to: its hover is asked for amid every case."""

    def open(self, name: str) -> Buffer:
        """Open the example under a name of its own."""
        return self.s.editor.open(self.s.write(name, SRC), "python")

    async def begin(self, buffer: Buffer, start: int = 5, text: str = GOOD) -> tuple[Any, asyncio.Event]:
        """Start a fix whose answer halts amid its text; return the command's reply, to come, and the gate."""
        gate, asked = asyncio.Event(), len(self.s.upstream.requests)
        entry = pick(await self.s.editor.menu(buffer, start), "Fix")
        self.s.upstream.script(gated(text, gate, halt=4))
        self.cases += 1
        reply = self.s.editor.start(entry, f"case-{self.cases}")
        await self.s.upstream.seen(asked + 1)
        await until(lambda: any("Asking" in str(each) for each in self.s.editor.seen.progress))
        return reply, gate

    async def meanwhile(self, happens: Callable[[Buffer], Any], name: str, start: str = "Fixed `mean`") -> Buffer:
        """Let something happen to a document amid an answer; return the document as it is after the run."""
        buffer, said, entered = self.open(name), len(closings(self.s)), len(self.s.entries())
        reply, gate = await self.begin(buffer)
        happened = happens(buffer)
        if isinstance(happened, Awaitable):
            await happened
        assert "Explain `mean`" in (await self.s.editor.hover(self.quiet, 4) or "")
        gate.set()
        await reply
        told = await until(lambda: closings(self.s)[said:])
        assert len(told) == 1
        assert told[0].startswith(start), told
        assert len(self.s.entries()) == entered + 1
        return buffer


def closings(s: Stage) -> list[str]:
    """Return the messages that closed a run."""
    return [each for each in messages(s) if each.startswith(("Fixed", "Could not fix", "Stopped"))]


@asynccontextmanager
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Open a server, and hold it after all cases against what it had open after the first one."""
    async with stage(tmp_path) as s:
        b = Bench(s)
        await b.meanwhile(lambda _buffer: None, "first.py")
        files, sockets = held(s.pid)
        yield b
        assert "Traceback" not in "".join((*messages(s), *s.editor.seen.logs, s.editor.seen.errors))
        await until(lambda: held(s.pid)[0] <= files)
        # One connection for each of the four requests at once may stay open for the next ones.
        await until(lambda: held(s.pid)[1] <= sockets + AT_ONCE)
        costs = {each.run: each.cost for each in s.entries()}
        assert len(costs) == len(s.entries()), "each run has one entry"
        assert all(cost is not None for cost in costs.values())


def held(pid: int) -> tuple[int, int]:
    """Return how many files and how many sockets a process has open; none where the system does not say."""
    folder = Path(f"/proc/{pid}/fd")
    if not folder.is_dir():
        return (0, 0)
    found = [str(each.readlink()) for each in folder.iterdir() if each.is_symlink()]
    return (sum(each.startswith("/") for each in found), sum(each.startswith("socket:") for each in found))


@pytest.mark.fault("life cycle", "a document or folder changes amid an answer")
async def test_whatever_happens_to_a_document_amid_an_answer(tmp_path: Path, record_property: Any) -> None:
    async with bench(tmp_path) as b:
        s, cases = b.s, 0

        def close(buffer: Buffer) -> None:
            s.editor.close(buffer)

        async def stops(happens: Callable[[Buffer], Any], name: str) -> Buffer:
            found = await b.meanwhile(happens, name, "Stopped: Fix `mean`")
            assert CLOSED in closings(s)[-1]
            assert s.entries()[-1].outcome == "cancelled"
            assert s.entries()[-1].estimated
            return found

        assert (await stops(close, "closed.py")).text == SRC

        def reopen(buffer: Buffer) -> None:
            s.editor.close(buffer)
            s.editor.open(Path(buffer.uri.removeprefix("file://")), "python")

        buffer = await stops(reopen, "reopened.py")
        assert s.editor.buffers[buffer.uri].text == SRC

        def rename(buffer: Buffer) -> None:
            old = Path(buffer.uri.removeprefix("file://"))
            s.editor.close(buffer)
            old.rename(old.with_name("new_name.py"))
            renamed = types.FileRename(old.as_uri(), old.with_name("new_name.py").as_uri())
            s.editor.client.workspace_did_rename_files(types.RenameFilesParams([renamed]))
            s.editor.open(old.with_name("new_name.py"), "python")

        buffer = await stops(rename, "old_name.py")
        assert s.editor.buffers[buffer.uri.replace("old_name", "new_name")].text == SRC

        def language(buffer: Buffer) -> None:
            s.editor.close(buffer)
            s.editor.open(Path(buffer.uri.removeprefix("file://")), "plaintext")

        buffer = await stops(language, "language.py")
        assert s.editor.buffers[buffer.uri].text == SRC

        def delete(buffer: Buffer) -> None:
            Path(buffer.uri.removeprefix("file://")).unlink()
            deleted = types.FileDelete(buffer.uri)
            s.editor.client.workspace_did_delete_files(types.DeleteFilesParams([deleted]))

        assert (await b.meanwhile(delete, "deleted.py")).text == FIXED, "it is open, and the editor's to save"

        def delete_and_close(buffer: Buffer) -> None:
            delete(buffer)
            s.editor.close(buffer)

        assert (await stops(delete_and_close, "gone.py")).text == SRC

        def take_folder_away(_buffer: Buffer) -> None:
            folder = types.WorkspaceFolder(s.root.as_uri(), s.root.name)
            event = types.WorkspaceFoldersChangeEvent(added=[], removed=[folder])
            s.editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
            shutil.rmtree(s.root)

        assert (await b.meanwhile(take_folder_away, "in_folder.py")).text == FIXED
        s.root.mkdir()

        def type_elsewhere(buffer: Buffer) -> None:
            s.editor.type(buffer, len(SRC), len(SRC), "# mine\n")

        assert (await b.meanwhile(type_elsewhere, "typed.py")).text == FIXED + "# mine\n"
        cases = 8
        record_property("cases", cases)


@pytest.mark.fault("life cycle", "configuration replaced by garbage amid an answer")
async def test_a_run_goes_on_with_the_configuration_that_it_began_with(tmp_path: Path, record_property: Any) -> None:
    async with bench(tmp_path) as b:
        s, good = b.s, b.s.config.read_text(encoding="utf-8")
        garbage = {
            "noise": b"\xff\xfe\x00\x80" * 50,
            "nothing": b"",
            "no TOML": b"[[[",
            "all wrong": b'preset = 3\n[budget]\nday = "much"\n[providers.mine]\nwire = "morse"\n',
            "gone": None,
            "a folder": None,
        }
        for number, (kind, content) in enumerate(garbage.items()):

            def replace(_buffer: Buffer, kind: str = kind, content: bytes | None = content) -> None:
                s.config.unlink()
                if content is not None:
                    s.config.write_bytes(content)
                elif kind == "a folder":
                    s.config.mkdir()

            told = len(messages(s))
            assert (await b.meanwhile(replace, f"config{number}.py")).text == FIXED, kind
            assert len(s.upstream.requests) == number + 2
            # Each is said once, when something is asked next, and nothing of it is a traceback.
            for _ in range(2):
                await s.editor.hover(b.quiet, 4)
            said = [each for each in messages(s)[told:] if str(s.config) in each]
            assert len(said) == (0 if kind == "nothing" else 1), (kind, said)
            if kind == "a folder":
                s.config.rmdir()
            s.config.write_text(good, encoding="utf-8")
            os.utime(s.config, ns=(number, 10**18 + number))
            assert await s.editor.hover(b.quiet, 4)
        record_property("cases", len(garbage))


@pytest.mark.fault("life cycle", "several runs at once")
async def test_several_runs_at_once(tmp_path: Path, record_property: Any) -> None:
    async with bench(tmp_path) as b:
        s = b.s
        # Two functions of one file, the later one answered first.
        both = b.open("both.py")
        first, gate = await b.begin(both)
        second, other_gate = await b.begin(both, SRC.index("other"), OTHER_GOOD)
        other_gate.set()
        await second
        gate.set()
        await first
        assert both.text == FIXED.replace("return 1", "return 2")
        # The same function twice: the second is refused, and asks nobody.
        twice = b.open("twice.py")
        first, gate = await b.begin(twice)
        asked = len(s.upstream.requests)
        params = types.ExecuteCommandParams("tuppence.run", [place(twice)])
        await s.editor.client.workspace_execute_command_async(params)
        assert messages(s)[-1].startswith("Fix `mean` is still at work on this code.")
        assert len(s.upstream.requests) == asked
        assert titles(await s.editor.menu(twice, 5))[0].startswith("Stop: Fix `mean`")
        gate.set()
        await first
        assert twice.text == FIXED
        # Ten at once.
        buffers = [b.open(f"ten{number}.py") for number in range(10)]
        entries = [pick(await s.editor.menu(each, 5), "Fix") for each in buffers]
        s.upstream.always(answer(GOOD, delay=0.001))
        replies = [s.editor.start(entry, f"ten-{number}") for number, entry in enumerate(entries)]
        assert "Explain `mean`" in (await s.editor.hover(b.quiet, 4) or "")
        await asyncio.gather(*replies)
        assert [each.text for each in buffers] == [FIXED] * 10
        assert len(closings(s)) == len(s.entries()) == 14
        total = sum((each.cost or Decimal(0) for each in s.entries()), Decimal(0))
        assert Decimal(s.editor.seen.costs[-1].today.usd) == total
        record_property("cases", 12)


def place(buffer: Buffer) -> dict[str, Any]:
    """Return a command's arguments, as of a key binding on the first definition."""
    at = {"line": 0, "character": 5}
    return {"action": "fix", "uri": buffer.uri, "range": {"start": at, "end": at}}
