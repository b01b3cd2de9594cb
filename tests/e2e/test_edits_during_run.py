"""The effect of the user's other actions on a running answer: the table in docs/meanwhile.md."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import gated, messages, said, stopped, until
from server import Stage, pick, stage

from editor import Buffer

TARGET = "def mean(xs):\n    total = sum(xs)  \n    return total / len(x)\n"
SRC = f"import os   \n\n\n{TARGET}\n\ndef other():\n    return 1  \n"
NEW = "def mean(xs):\n    if not xs:\n        return 0\n    total = sum(xs)\n    return total / len(xs)\n"
GOOD = f"```python\n{NEW}```"
FIXED = SRC.replace(TARGET, NEW)
HALF = "def mean(xs):\n    if not xs:\n        return 0\n"

streaming = pytest.mark.parametrize("streams", [True, False], ids=["live", "final"])


@asynccontextmanager
async def under_way(tmp_path: Path, *, streams: bool) -> AsyncIterator[tuple[Stage, Buffer]]:
    """Halt an answer in its middle: live, when a part of it stands in the text. Then let it end."""
    async with stage(tmp_path, streams=streams) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        gate = asyncio.Event()
        s.upstream.script(gated(GOOD, gate, halt=9))
        future = s.editor.start(pick(await s.editor.menu(buffer, SRC.index("mean")), "Fix"), "run-1")
        await until((lambda: HALF in buffer.text) if streams else (lambda: said(s, "answering")))
        yield s, buffer
        gate.set()
        await asyncio.wait_for(future, 60)
        await until(lambda: messages(s))


def tidy(s: Stage, buffer: Buffer, first: int, last: int) -> str:
    """Format some lines when the file is saved, as editors do: one change in several places; return the new text."""
    text, at, edits = buffer.text, 0, []
    for number, line in enumerate(text.splitlines(keepends=True)):
        blank = len(line.rstrip("\n")) - len(line.rstrip())
        if blank and first <= number <= last:
            edits.append((at + len(line.rstrip()), at + len(line.rstrip()) + blank, ""))
        at += len(line)
    assert edits
    s.editor._change(buffer, edits)
    save(s, buffer)
    return buffer.text


def save(s: Stage, buffer: Buffer) -> None:
    """Save."""
    s.editor.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(buffer.uri)))


@streaming
async def test_another_buffer_gets_nothing_of_it(tmp_path: Path, *, streams: bool) -> None:
    async with under_way(tmp_path, streams=streams) as (s, buffer):
        other = s.editor.open(s.write("other.py", SRC), "python")
        s.editor.type(other, 0, 0, "# mine\n")
    assert buffer.text == FIXED
    assert other.text == f"# mine\n{SRC}"


@streaming
async def test_a_save_changes_nothing(tmp_path: Path, *, streams: bool) -> None:
    async with under_way(tmp_path, streams=streams) as (s, buffer):
        save(s, buffer)
    assert buffer.text == FIXED
    assert len(buffer.undo) == 1


@streaming
async def test_a_formatter_elsewhere_is_kept_and_the_answer_lands(tmp_path: Path, *, streams: bool) -> None:
    async with under_way(tmp_path, streams=streams) as (s, buffer):
        tidy(s, buffer, 0, 0)
        tidied = tidy(s, buffer, buffer.text.count("\n") - 1, 99)
        s.editor.type(buffer, 0, 0, "# mine\n")
    assert buffer.text == f"# mine\n{FIXED.replace('os   ', 'os').replace('return 1  ', 'return 1')}"
    assert "return 1\n" in tidied
    assert len(s.editor.seen.edits) == 1, "the rest came as one edit"


@streaming
async def test_a_formatter_in_the_target_ends_it(tmp_path: Path, *, streams: bool) -> None:
    async with under_way(tmp_path, streams=streams) as (s, buffer):
        text = tidy(s, buffer, 0, 99)
        await until(lambda: stopped(s))
    assert buffer.text == text
    assert "total = sum(xs)\n" in text
    assert stopped(s)[0].endswith("Its text changed meanwhile and stays as you left it.")
    assert [each.outcome for each in s.entries()] == ["cancelled"]


async def test_typing_in_an_answer_that_has_landed_is_work_on_it(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        features = s.editor.client.protocol.fm._features
        take = features["workspace/applyEdit"]

        async def slow(params: Any) -> Any:
            taken = take(params)
            at = buffer.text.index("if not xs")
            s.editor.type(buffer, at, at, "assert True\n    ")
            await s.editor.menu(buffer, 0)  # Its reply proves that the server has heard of the typing.
            return taken

        features["workspace/applyEdit"] = slow
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("mean")), "Fix"))
        assert buffer.text == FIXED.replace("if not xs", "assert True\n    if not xs")
        assert messages(s)[-1].startswith("Fixed `mean`: small, ")
        assert [each.outcome for each in s.entries()] == ["kept"]
        assert not stopped(s)


async def test_an_undo_takes_the_stream_back_and_ends_it(tmp_path: Path) -> None:
    async with under_way(tmp_path, streams=True) as (s, buffer):
        assert buffer.undo == [SRC]
        drafts = len(s.editor.seen.drafts)
        s.editor.type(buffer, 0, len(buffer.text), buffer.undo[0])
        await until(lambda: stopped(s))
    assert buffer.text == SRC
    assert (len(s.editor.seen.drafts), len(s.editor.seen.edits)) == (drafts, 0)


@streaming
async def test_a_close_ends_it_and_nothing_is_sent_any_more(tmp_path: Path, *, streams: bool) -> None:
    async with under_way(tmp_path, streams=streams) as (s, buffer):
        text, drafts = buffer.text, len(s.editor.seen.drafts)
        s.editor.close(buffer)
        await until(lambda: stopped(s))
    assert stopped(s)[0].endswith("Its document was closed.")
    assert buffer.text == text
    assert (len(s.editor.seen.drafts), len(s.editor.seen.edits)) == (drafts, 0)


@streaming
async def test_put_back_is_exact_whatever_lies_between(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("mean")), "Fix"))
        assert buffer.text == FIXED
        s.editor.type(buffer, 0, 0, "# above 🐍\r\n")
        tidy(s, buffer, 1, 1)
        s.editor.type(buffer, len(buffer.text), len(buffer.text), "# the end")
        at = buffer.text.index("return total")
        await s.editor.run(pick(await s.editor.menu(buffer, at), "Put back"))
        assert buffer.text == f"# above 🐍\r\n{SRC.replace('os   ', 'os')}# the end"
