"""A language is one row: added to a copy of the package, its code is found, named in the prompt, and tested."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from extended_package import extended
from server import pick, stage, titles

from editor import Editor


@dataclass(frozen=True)
class Added:
    """A language that the table does not have."""

    row: str
    id: str
    source: str
    code: str
    tests: str
    """Where the project's tests of that source go."""
    test: str


NIM = Added(
    row='    _plain("nim, Nim", ".nim", "#", Habits(("t{stem}{suffix}",))),',
    id="nim",
    source="figures.nim",
    code="const limit = 3\n\nproc double*(x: int): int =\n  result = x + x\n\nproc half*(x: int): int =\n  x div 2\n",
    tests="tests/tfigures.nim",
    test='import unittest\n\ntest "double":\n  check double(2) == 4\n',
)
STARLARK = Added(
    row='    replace(_PYTHON, name="Starlark", ids=("starlark",), suffixes=(".bzl",), tests=Habits(folder="spec")),',
    id="starlark",
    source="figures.bzl",
    code="LIMIT = 3\n\ndef double(x):\n    return x + x\n\ndef half(x):\n    return x // 2\n",
    tests="spec/test_figures.bzl",
    test="from figures import double\n\n\ndef test_double():\n    assert double(2) == 4\n",
)


@pytest.mark.parametrize("added", [NIM, STARLARK], ids=["without a grammar", "with a grammar that is there"])
async def test_a_row_alone_is_a_language(added: Added, tmp_path: Path) -> None:
    package = extended(
        tmp_path / "package", "core/syntax/languages.py", "LANGUAGES: tuple[Language, ...] = (", added.row
    )

    def use(editor: Editor) -> None:
        assert editor.environment is not None
        editor.environment["PYTHONPATH"] = str(package)

    async with stage(tmp_path, before=use) as s:
        buffer = s.editor.open(s.write(added.source, added.code), added.id)
        menu = await s.editor.menu(buffer, added.code.index("x + x"))
        assert "Fix `double`" in titles(menu)
        s.upstream.says(f"```{added.id}\n{added.test}```\n")
        await s.editor.run(pick(menu, "Generate tests for `double`"))
        [seen] = s.upstream.requests
        _, user = seen.body["messages"]
        prompt = str(user["content"])
        assert f"The file:\n\n```{added.id}\n{added.code}```" in prompt
        assert f"The tests go into the new file {added.tests};" in prompt
        [message] = s.editor.seen.messages
        assert message.message.startswith("Wrote tests for `double`: small, ")
        assert s.editor.buffers[(s.root / added.tests).as_uri()].text == added.test
