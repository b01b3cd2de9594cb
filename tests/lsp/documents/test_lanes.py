"""A good file never waits behind hostile ones: shown by the order of replies, while the others are held up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from scenario import until

import tuppence
from tuppence.core.syntax import parser
from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document
from tuppence.lsp.documents import lanes
from tuppence.lsp.documents.lanes import LARGE, Lanes
from tuppence.lsp.documents.store import Documents

GOOD = "def mean(xs):\n    return sum(xs)\n"
FORTY = 40


class HeldUp:
    """Parses of hostile texts, which take more than the usual work and do not end before they are let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.gate = threading.Event()
        self.begun = 0
        self._parse = parser.parse
        monkeypatch.setattr(parser, "parse", self.parse)

    def parse(self, text: str, known: Any, old: Any, edits: Sequence[Any], budget: Any) -> Tree:
        if text.startswith("hostile"):
            if budget is parser.usual_budget:
                return IndentationTree(text, known, parser.TOO_MUCH)
            self.begun += 1
            assert self.gate.wait(60)
            return IndentationTree(text, known, parser.TOO_MUCH)
        return self._parse(text, known, old, edits, budget)


async def test_a_good_file_is_read_while_forty_hostile_ones_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    held, documents = HeldUp(monkeypatch), Documents()
    for number in range(FORTY):
        documents.open(f"file:///{number}.py", "python", 1, f"hostile {number}")
    hostile = [asyncio.create_task(documents.tree(f"file:///{number}.py")) for number in range(FORTY)]
    await until(lambda: held.begun == lanes.WIDTH)
    documents.open("file:///good.py", "python", 1, GOOD)
    tree = await documents.tree("file:///good.py")
    assert [block.name for block in await documents.in_turn("file:///good.py", tree.blocks)] == ["mean"]
    assert not any(task.done() for task in hostile), "the good file was first"
    assert held.begun == lanes.WIDTH, "the others wait for their turn"
    held.gate.set()
    trees = await asyncio.gather(*hostile)
    assert all(each.excess == parser.TOO_MUCH for each in trees)
    assert held.begun == FORTY


async def test_questions_about_hostile_files_wait_among_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    held, documents = HeldUp(monkeypatch), Documents()
    held.gate.set()
    uris = [f"file:///{number}.py" for number in range(FORTY)]
    for uri in uris:
        documents.open(uri, "python", 1, "hostile")
        await documents.tree(uri)
    gate, begun = threading.Event(), []

    def ask() -> None:
        begun.append(1)
        assert gate.wait(60)

    asked = [asyncio.create_task(documents.in_turn(uri, ask)) for uri in uris]
    await until(lambda: len(begun) == lanes.WIDTH)
    documents.open("file:///good.py", "python", 1, GOOD)
    tree = await documents.tree("file:///good.py")
    assert await documents.in_turn("file:///good.py", tree.faults) == 0
    assert len(begun) == lanes.WIDTH
    gate.set()
    await asyncio.gather(*asked)


async def test_a_large_file_goes_to_the_few_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    budgets, parse = [], parser.parse

    def noted(text: str, known: Any, old: Any, edits: Any, budget: Any) -> Tree:
        budgets.append(budget)
        return parse(text, known, old, edits, budget)

    monkeypatch.setattr(parser, "parse", noted)
    documents = Documents()
    documents.open("file:///a.py", "python", 1, "x = 1\n" * (LARGE // 6 + 1))
    documents.open("file:///b.py", "python", 1, GOOD)
    await documents.tree("file:///a.py")
    await documents.tree("file:///b.py")
    assert budgets == [parser.parse_budget, parser.usual_budget]


async def test_definitions_are_found_ahead_once_nobody_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PAUSE", 0.0)
    tree = parser.parse(GOOD, language("python"))
    Lanes().outline_soon(tree)
    await until(lambda: tree.answers)
    stopped = parser.parse(GOOD, language("python"))
    Lanes().outline_soon(stopped).cancel()
    await asyncio.sleep(0.01)
    assert not stopped.answers


async def test_a_parsed_document_counts_its_lines_once() -> None:
    document = Document("file:///a.py", "python", 1, GOOD)
    tree = await Lanes().parse(document, None, (), is_slow=False)
    assert tree.lines.line_starts is document.line_starts


def test_code_takes_the_usual_work() -> None:
    files = sorted(Path(tuppence.__file__).parent.rglob("*.py"))
    assert len(files) > 200
    for file in files[::4]:
        tree = parser.parse(file.read_text("utf-8"), language("python"), budget=parser.usual_budget)
        assert not tree.excess, file


@pytest.mark.parametrize(
    ("text", "language_id"),
    [
        ("const a: Map<A, Array<B>> = b?.c?.d ?? e < f ? 1 : 2;\n" * 500, "typescript"),
        ("fn f(a: Option<Vec<u8>>) -> Result<A, B> { g()?.h()? }\n" * 500, "rust"),
        ('void f() { cout << "a<b" << c; }\n' * 500, "cpp"),
        ("x = [\n" + "    (1, 'a'),\n" * 2_000 + "]\n", "python"),
    ],
)
def test_dense_code_takes_the_usual_work_too(text: str, language_id: str) -> None:
    assert not parser.parse(text, language(language_id), budget=parser.usual_budget).excess
    assert parser.parse(text, language(language_id), budget=lambda _size: 10).excess == parser.TOO_MUCH
