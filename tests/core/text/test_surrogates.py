"""Characters that came in two halves: put together however they were cut, from the wire to the document."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scenario import FIXED, SRC
from scripted_provider import ScriptedUpstream, answer
from server import pick, stage

from tuppence.core.models.model import Model, Provider
from tuppence.core.prompt.compose import Prompt
from tuppence.core.text.surrogates import Joining
from tuppence.providers import ProviderEvent, Stop, Text, Thinking, wire_names
from tuppence.upstream import ModelClient


def halves(text: str) -> str:
    """Return a text as JavaScript has it: each character outside the Basic Multilingual Plane as two."""
    data = text.encode("utf-16-le", "surrogatepass")
    return "".join(data[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(data), 2))


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["a\ud83d", "\ude00b"], "a😀b"),
        (["\ud83d\ude00"], "😀"),
        (["\ud83d", "", "\ude00"], "😀"),
        (["a\ud83d"], "a\ufffd"),
        (["a\ud83d", "b"], "a\ufffdb"),
        (["\ude00\ud83d"], "\ufffd\ufffd"),
        (["\ud83d", "\ud83d\ude00"], "\ufffd😀"),
    ],
)
def test_halves_become_whole_and_lone_ones_are_said_to_be_lost(pieces: list[str], expected: str) -> None:
    joining = Joining()
    assert "".join([*map(joining.feed, pieces), joining.finish()]) == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]) | st.sampled_from("😀🐍é")), st.integers(1, 5))
@example("😀🐍", 1)
def test_no_text_is_changed_by_being_cut(text: str, size: int) -> None:
    joining, cut = Joining(), halves(text)
    pieces = [joining.feed(cut[at : at + size]) for at in range(0, len(cut), size)]
    whole = "".join([*pieces, joining.finish()])
    assert whole == text
    assert all(piece.encode() for piece in pieces if piece), "a piece with half a character in it can't be written"


@pytest.mark.parametrize("wire", wire_names())
async def test_both_wires_bring_whole_characters(wire: str) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.script(answer(halves("ab😀c") + "\ud83d", size=3, thinking=halves("😀")))
        base = upstream.openai if wire == "openai" else upstream.anthropic
        model = Model(provider=Provider("acme", wire, base, None), id="m-1", tier="budget")
        asked = ModelClient()
        try:
            came = [each async for each in asked.answer(Prompt("Be brief.", ("x",), "Explain.", 100), model, None)]
        finally:
            await asked.close()
    events: list[ProviderEvent] = [each for each in came if isinstance(each, Text | Thinking | Stop)]
    assert "".join(each.text for each in events if isinstance(each, Text)) == "ab😀c\ufffd"
    assert "".join(each.text for each in events if isinstance(each, Thinking)) == "😀"
    assert isinstance(events[-1], Stop), "what was held back comes before the end"


@pytest.mark.parametrize("streams", [True, False])
async def test_a_fix_whose_emoji_comes_in_two_halves(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.script(answer(halves("```python\ndef mean(xs):  # 😀\n    return sum(xs) / len(xs)\n```"), size=1))
        await asyncio.wait_for(s.editor.run(pick(await s.editor.menu(buffer, 10), "Fix")), 60)
        assert buffer.text == FIXED.replace("mean(xs):", "mean(xs):  # 😀")
        assert [each.outcome for each in s.entries()] == ["kept"]
