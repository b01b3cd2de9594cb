"""A server that sends one line without end: a sentence, the text as it was, an estimate in the ledger."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import pytest
from scenario import messages
from scripted_provider import Reply, Talk
from server import pick, stage

SRC = "def mean(xs):\n    return sum(xs) / len(x)\n"


async def flood(talk: Talk) -> None:
    """Send a line until nobody takes it any more."""
    await talk.head()
    await talk.chunk(b"data: ")
    for piece in repeat(b"x" * 65_536):
        await talk.chunk(piece)


@pytest.mark.attack("what comes back", "a line without end")
async def test_an_endless_line_ends_in_a_sentence_and_is_entered_as_an_estimate(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        s.upstream.script(Reply(flood), Reply(flood))  # The better model is asked as well.
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("sum")), "Fix"))
        said = messages(s)[-1]
        assert "sent more than 8 MB without a break. Ask again, or choose another model." in said
        assert buffer.text == SRC
        entries = s.entries()
        assert [each.outcome for each in entries] == ["failed", "failed"]
        assert all(each.estimated and each.cost is not None and each.cost > 0 for each in entries)
        # The server goes on.
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("sum")), "Fix"))
        assert buffer.text == SRC.replace("len(x)", "len(xs)")
