"""A good file never waits behind hostile ones: shown by the order of replies, while the others are held up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import until

import tuppence
from tuppence.core.syntax import parser
from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document
from tuppence.lsp.documents import lanes
from tuppence.lsp.documents.convert import Encoding
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


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the texts that are parsed, in order; a document is read ahead at once."""
    found, parse = list[str](), parser.parse

    def noted(text: str, *rest: Any) -> Tree:
        found.append(text)
        return parse(text, *rest)

    monkeypatch.setattr(parser, "parse", noted)
    monkeypatch.setattr(lanes, "PAUSE", 0.0)
    return found


def type_in(documents: Documents, version: int) -> None:
    place = types.Position(0, 0)
    change = types.TextDocumentContentChangePartial(types.Range(place, place), f"x{version} = 1\n")
    documents.change("file:///a.py", version, [change], Encoding.Utf16)


async def test_a_version_is_read_ahead_once_for_all_that_was_typed(parses: list[str]) -> None:
    documents, read = Documents(), list[Tree]()
    documents.on_read_ahead = read.append
    documents.open("file:///a.py", "python", 1, GOOD)
    first = await documents.tree("file:///a.py")
    await until(lambda: read == [first])
    assert first.answers, "its definitions were found"
    for version in (2, 3, 4):
        type_in(documents, version)
    await until(lambda: len(read) == 2)
    newest = await documents.tree("file:///a.py")
    assert read[1] is newest
    assert parses == [GOOD, newest.text]
    assert newest.answers


async def test_what_nobody_asked_about_is_not_read_ahead(parses: list[str]) -> None:
    documents = Documents()
    documents.open("file:///a.py", "python", 1, GOOD)
    type_in(documents, 2)
    documents.open("file:///b.py", "python", 1, GOOD)
    await documents.tree("file:///b.py")
    assert parses == [GOOD]
    documents.close("file:///b.py")
    documents.open("file:///a.py", "python", 1, "y = 1\n")
    await documents.tree("file:///a.py")
    type_in(documents, 2)
    documents.close("file:///a.py")
    for _ in range(5):
        await asyncio.sleep(0)
    assert parses == [GOOD, "y = 1\n"], "a closed document is not read"


async def test_a_failed_search_ahead_costs_no_answer(parses: list[str]) -> None:
    documents, failed = Documents(), list[Tree]()

    def fail(tree: Tree) -> None:
        failed.append(tree)
        raise ValueError("cannot be searched")

    documents.on_read_ahead = fail
    documents.open("file:///a.py", "python", 1, GOOD)
    tree = await documents.tree("file:///a.py")
    await until(lambda: failed == [tree])
    assert await documents.tree("file:///a.py") is tree
    assert parses == [GOOD]


class Broken:
    """Parses that wait to be released; the first ``failures`` of them fail then."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
        self.begun, self.gate = 0, threading.Event()
        self._failures, self._parse = failures, parser.parse
        monkeypatch.setattr(parser, "parse", self.parse)

    def parse(self, *arguments: Any) -> Tree:
        self.begun += 1
        is_broken = self.begun <= self._failures
        assert self.gate.wait(60)
        if is_broken:
            raise MemoryError
        return self._parse(*arguments)


@pytest.mark.parametrize("is_over", [True, False], ids=["before a request", "while a request waits for it"])
async def test_a_failed_parse_ahead_costs_no_answer(monkeypatch: pytest.MonkeyPatch, *, is_over: bool) -> None:
    monkeypatch.setattr(lanes, "PAUSE", 0.0)
    documents = Documents()
    documents.open("file:///a.py", "python", 1, GOOD)
    await documents.tree("file:///a.py")
    broken = Broken(monkeypatch, failures=1)
    before = asyncio.all_tasks()
    type_in(documents, 2)
    await until(lambda: broken.begun == 1)
    [ahead] = asyncio.all_tasks() - before
    if is_over:
        broken.gate.set()
        await asyncio.wait([ahead])
    requests = [asyncio.create_task(documents.tree("file:///a.py")) for _ in range(3)]
    await asyncio.sleep(0)
    broken.gate.set()
    trees = await asyncio.gather(*requests)
    assert [each.text for each in trees] == [f"x2 = 1\n{GOOD}"] * 3
    assert isinstance(ahead.exception(), MemoryError)
    assert broken.begun == 2, "three requests share the second parse"


async def test_a_parse_that_always_fails_is_an_error_of_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, documents = Broken(monkeypatch, failures=10), Documents()
    broken.gate.set()
    documents.open("file:///a.py", "python", 1, GOOD)
    requests = [asyncio.create_task(documents.tree("file:///a.py")) for _ in range(3)]
    results = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(each) for each in results] == [MemoryError] * 3
    assert broken.begun == 3


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
