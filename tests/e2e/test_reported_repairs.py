"""Repairs of a model's reply are named in the message that reports the result."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario import messages
from server import pick, stage

from tuppence.core.answer.patch import Patch
from tuppence.core.text.document import Document, Span
from tuppence.lsp.features.messages import _REPAIRS

SRC = "class Stats:\n    def mean(self, xs):\n        return sum(xs) / len(x)\n"
FIXED = SRC.replace("len(x)", "len(xs)")
METHOD = FIXED.removeprefix("class Stats:\n")
MARGIN = METHOD.replace("\n    ", "\n").removeprefix("    ")


@pytest.mark.parametrize("streams", [True, False], ids=["live", "final"])
@pytest.mark.parametrize(
    ("code", "newline", "said"),
    [
        (METHOD, "\n", ""),
        (MARGIN, "\n", "; indentation set to the file's"),
        (METHOD, "\r\n", "; line endings set to the file's"),
        (MARGIN, "\r\n", "; indentation set to the file's; line endings set to the file's"),
    ],
)
async def test_the_closing_message_names_each_repair(
    tmp_path: Path, *, streams: bool, code: str, newline: str, said: str
) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = s.editor.open(s.write("stats.py", SRC.replace("\n", newline)), "python")
        s.upstream.says(f"```python\n{code}```")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("return")), "Fix"))
        assert buffer.text == FIXED.replace("\n", newline)
        assert messages(s)[-1].endswith(f"(parses, ruff finds no new error{said}).")


def test_each_repair_has_its_words() -> None:
    document = Document("file:///a.py", "python", 1, "")
    patch = Patch(document, Span(0, 0))
    patch.feed("```python\nx = 1\n```")
    patch.finish()
    assert patch.repairs == ("final newline",)
    forms = {"blocks", "diff", "JSON", "line numbers", "rest of the answer"}
    signs = {"byte order mark", "spaces", "HTML entities", "quotation marks"}
    assert set(_REPAIRS) == {"indentation", "line ending", "final newline", *forms, *signs}
