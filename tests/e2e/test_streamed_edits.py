"""A client that takes a stream of edits: batches one at a time whose sum is the answer, one undo step, never a loss."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from scenario import gated, messages, said, stopped, until
from scripted_provider import Reply, Talk, events, stall
from server import Stage, pick, stage

from editor import Buffer

SRC = (
    "import os\n\n\ndef mean(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total / len(x)\n\n\n"
    "def other():\n    return 1\n"
)
NEW = (
    "def mean(xs):\n    if not xs:\n        return 0\n    total = 0\n    for x in xs:\n        total += x\n"
    "    return total / len(xs)\n"
)
FIXED = f"{SRC[:11]}\n{NEW}\n\ndef other():\n    return 1\n"
GOOD = f"```python\n{NEW}```"


class Taker:
    """Notes how the batches come, and in which order with the replies to them."""

    def __init__(self, s: Stage) -> None:
        self.s = s
        self.at_once = 0
        self.most = 0
        draft = s.editor.client.protocol.fm._features["tuppence/edit"]

        async def slow(params: Any) -> Any:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
            await asyncio.sleep(0.01)
            self.at_once -= 1
            return draft(params)

        s.editor.client.protocol.fm._features["tuppence/edit"] = slow


def slowly(text: str, delay: float = 0.015) -> Reply:
    """Answer line by line."""

    async def play(talk: Talk) -> None:
        await talk.head()
        for event in events(talk.seen.wire, text, size=12):
            await talk.chunk(event)
            await asyncio.sleep(delay)
        await talk.end()

    return Reply(play)


async def fix(s: Stage, buffer: Buffer) -> None:
    """Pick Fix at the first function and wait for its end."""
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Fix"))


@pytest.mark.parametrize("text", [SRC, SRC.replace("\n", "\r\n").replace("os", "os  # 🐍")])
async def test_the_batches_make_the_answer_one_at_a_time_in_one_undo_step(tmp_path: Path, text: str) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", text), "python")
        taker = Taker(s)
        s.upstream.script(slowly(GOOD))
        await fix(s, buffer)
        newline = "\r\n" if "\r\n" in text else "\n"
        assert buffer.text == FIXED.replace("\n", newline).replace("os", "os  # 🐍" if "🐍" in text else "os")
        drafts = s.editor.seen.drafts
        assert len(drafts) > 1
        assert [each.first for each in drafts] == [True] + [False] * (len(drafts) - 1)
        assert [each.version for each in drafts] == list(range(1, len(drafts) + 1))
        assert {each.uri for each in drafts} == {buffer.uri}
        assert len({each.run for each in drafts}) == 1
        assert taker.most == 1
        assert buffer.undo == [text]
        assert not s.editor.seen.edits
        assert [each.outcome for each in s.entries()] == ["kept"]


async def test_imports_come_in_the_same_stream(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(slowly(f"{GOOD}\n```imports\nimport math\n```"))
        await fix(s, buffer)
        assert buffer.text == FIXED.replace("import os\n", "import os\nimport math\n")
        assert buffer.undo == [SRC]
        assert not s.editor.seen.edits


async def test_after_typing_elsewhere_the_rest_comes_as_one_edit(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        gate = asyncio.Event()
        s.upstream.script(gated(GOOD, gate, halt=16))
        future = s.editor.start(pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Fix"), "run-1")
        await until(lambda: s.editor.seen.drafts)
        s.editor.type(buffer, 0, 0, "# mine\n")
        await asyncio.sleep(0.05)
        drafts = len(s.editor.seen.drafts)
        gate.set()
        await asyncio.wait_for(future, 60)
        assert buffer.text == f"# mine\n{FIXED}"
        assert len(s.editor.seen.drafts) == drafts
        assert len(s.editor.seen.edits) == 1


async def test_typing_before_the_first_batch_does_no_harm_to_the_stream(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        gate = asyncio.Event()
        s.upstream.script(gated(GOOD, gate))
        future = s.editor.start(pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Fix"), "run-1")
        await s.upstream.seen(1)
        s.editor.type(buffer, 0, 0, "# mine\n")
        await s.editor.menu(buffer, 0)  # Its reply proves that the server has heard of the typing.
        gate.set()
        await asyncio.wait_for(future, 60)
        assert buffer.text == f"# mine\n{FIXED}"
        # An answer that is whole before its first batch is sent comes as one edit; either way it is one step of undo.
        assert bool(s.editor.seen.drafts) != bool(s.editor.seen.edits)
        assert buffer.undo == [SRC, f"# mine\n{SRC}"]


async def test_typing_in_the_target_leaves_everything_as_it_stands(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(stall(GOOD[:70]))
        future = s.editor.start(pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Fix"), "run-1")
        await until(lambda: "if not xs" in buffer.text)
        at = buffer.text.index("total += x")
        s.editor.type(buffer, at, at, "my_")
        text = buffer.text
        await asyncio.wait_for(future, 60)
        assert buffer.text == text
        assert "if not xs" in text
        assert "my_total += x" in text
        assert stopped(s)[0].endswith("Its text changed meanwhile and stays as you left it.")
        await asyncio.wait_for(s.upstream.requests[0].closed.wait(), 60)
        assert [each.outcome for each in s.entries()] == ["cancelled"]


async def test_a_stop_takes_the_draft_back_in_the_same_undo_step(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(stall(GOOD[:70]))
        future = s.editor.start(pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Fix"), "run-1")
        await until(lambda: "if not xs" in buffer.text)
        await s.editor.run((await s.editor.menu(buffer, 0))[0])
        await asyncio.wait_for(future, 60)
        assert buffer.text == SRC
        assert buffer.undo == [SRC]
        assert not s.editor.seen.edits


async def test_a_failed_check_takes_the_draft_back_and_the_better_model_streams(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        texts: list[str] = []
        s.editor.on_shown = lambda method, _params: texts.append(buffer.text) if method == "tuppence/edit" else None
        s.upstream.script(
            slowly("```python\ndef mean(xs):\n    if not xs:\n        return (0\n    total"), slowly(GOOD)
        )
        await fix(s, buffer)
        assert buffer.text == FIXED
        # Each text is the one before a batch: drafted, taken back, drafted anew.
        assert SRC in texts[1:]
        assert any("return (0" in text for text in texts)
        assert [each.first for each in s.editor.seen.drafts].count(True) == 1
        assert buffer.undo == [SRC]
        assert not s.editor.seen.edits
        assert [(each.model, each.outcome) for each in s.entries()] == [("small", "failed check"), ("big", "kept")]


async def test_a_client_that_refuses_a_batch_gets_one_edit(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.editor.client.protocol.fm._features["tuppence/edit"] = lambda _params: {"applied": False}
        s.upstream.script(slowly(GOOD))
        await fix(s, buffer)
        assert buffer.text == FIXED
        assert len(s.editor.seen.edits) == 1


async def test_final_edits_can_be_wished_for(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True, extra='edits = "final"\n') as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(slowly(GOOD))
        await fix(s, buffer)
        assert buffer.text == FIXED
        assert not s.editor.seen.drafts
        assert len(s.editor.seen.edits) == 1


async def test_an_explanation_begins_anew_with_the_better_model_and_ends_once(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.says("The function `mean` is", finish="length")
        s.upstream.says("The function `mean` divides a sum.")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Explain"))
        pieces = s.editor.seen.explanations
        [restart] = [at for at, each in enumerate(pieces) if getattr(each, "restart", False)]
        assert "".join(each.markdown for each in pieces[:restart]).startswith("The function `mean`")
        assert "".join(each.markdown for each in pieces[restart:]).strip() == "The function `mean` divides a sum."
        assert [each.done for each in pieces] == [False] * (len(pieces) - 1) + [True]
        assert messages(s)[0].startswith("Explained `mean`: big")


async def test_an_explanation_that_is_stopped_ends(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(stall("The function `mean` is good. It divides.\n\nThen"))
        future = s.editor.start(pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Explain"), "run-1")
        await until(lambda: s.editor.seen.explanations)
        assert said(s, "small is answering")
        await s.editor.run((await s.editor.menu(buffer, 0))[0])
        await asyncio.wait_for(future, 60)
        assert [each.done for each in s.editor.seen.explanations].count(True) == 1
        assert s.editor.seen.explanations[-1].done
