"""The prefix before the cache mark is byte-identical for every action, wire, selection, process and day."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.actions import ACTIONS, EXPLAIN, Action
from tuppence.core.models.model import CacheRules, Model, Provider, Quirks
from tuppence.core.models.usage import estimate
from tuppence.core.prompt.compose import Prompt, TestFile, compose
from tuppence.core.prompt.context import Context, Definition, Question, Surroundings, gather
from tuppence.core.prompt_cache.breakpoints import mark
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span
from tuppence.providers import find_wire

NAMES = [f"f{each}" for each in range(40)]
SOURCE = "import os\n\n\n" + "\n\n".join(f"def {name}(x):\n    # {'why ' * 20}\n    return x\n" for name in NAMES)
TREE = parse(SOURCE, language("python"))
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
ROWS = {
    "anthropic": [Quirks()],
    "openai": [
        Quirks(),
        Quirks(cache_key="prompt_cache_key"),
        Quirks(file_message=True),
        Quirks(cache_mark={"prompt_cache_breakpoint": {"mode": "explicit"}}),
        Quirks(cache_mark={"cache_control": {"type": "ephemeral"}}),
    ],
}
KINDS = [(wire, quirks) for wire, rows in ROWS.items() for quirks in rows]


def model(wire: str, quirks: Quirks) -> Model:
    """Return a row whose cache is explicit where it can be."""
    explicit = wire == "anthropic" or quirks.cache_mark
    return Model(
        provider=Provider("p", wire, "http://127.0.0.1:1"),
        id="m",
        tier="budget",
        quirks=quirks,
        cache=CacheRules("explicit" if explicit else "automatic", 512, ("5m", "1h")),
    )


def context(name: str, home: str, diagnostics: tuple[Diagnostic, ...], definitions: tuple[Definition, ...]) -> Context:
    """Return what is shown for one function of a file that lies in somebody's home."""
    start = SOURCE.index(f"def {name}(")
    block = next(each for each in TREE.blocks() if each.name == name)
    document = Document(f"file://{home}/p/a.py", "python", start, SOURCE)
    question = Question(document, TREE, Target(block.span, name, "function"), diagnostics)
    return gather(question, Surroundings(definitions, "AGENTS.md:\nBe brief."), 20_000)


def texts(body: Any) -> list[str]:
    """Return what a request says, piece by piece, whatever its form."""
    said: list[str] = []
    for holder in (body.get("system", []), *(message["content"] for message in body["messages"])):
        said += [holder] if isinstance(holder, str) else [part["text"] for part in holder]
    return said


def beginning(wire: str, quirks: Quirks, prompt: Prompt) -> tuple[str, str]:
    """Return what a request says before the tail, and all of the body that is not said."""
    row = model(wire, quirks)
    body: Any = dict(find_wire(wire).request(mark(prompt, row, "here", (), NOW), row, None).body)
    whole = "\0".join(texts(body))
    assert whole.endswith(prompt.tail)
    del body["messages"]
    body.pop("system", None)
    return whole.removesuffix(prompt.tail), json.dumps(body)


@pytest.mark.parametrize(("wire", "quirks"), KINDS)
@given(
    st.tuples(
        st.sampled_from(ACTIONS),
        st.sampled_from(NAMES),
        st.sampled_from(["/home/a", "/Users/b c/ü"]),
        st.booleans(),
        st.booleans(),
    )
)
def test_every_request_about_a_file_begins_with_the_same_bytes(
    wire: str, quirks: Quirks, drawn: tuple[Action, str, str, bool, bool]
) -> None:
    action, name, home, told, tested = drawn
    at = SOURCE.index(f"def {name}(")
    said = (Diagnostic(Span(at, at + 3), f"{name} is wrong", "error"),) if told else ()
    uses = (Definition("lib.py", "tidy", "def tidy(x): ..."),) if told else ()
    tests = TestFile("tests/test_a.py", "import os\n", inline=False, source="a.py") if tested else None
    first = compose(EXPLAIN, context("f0", "/home/a", (), ()), 100)
    other = compose(action, context(name, home, said, uses), 100, tests)
    assert beginning(wire, quirks, first) == beginning(wire, quirks, other)
    assert first.tail != other.tail or (action, name, told, tested) == (EXPLAIN, "f0", False, False)


@pytest.mark.parametrize("room", range(-600, 700, 100))
def test_what_is_told_of_a_target_does_not_decide_what_is_shared(room: int) -> None:
    """The file and the conventions come to about seven parts in eight of the budget, a little more or less."""
    conventions = "AGENTS.md:\n" + "Be brief.\n" * 300
    budget = (estimate(SOURCE) + estimate(conventions) + room) * 8 // 7
    plain, told = (
        gather(replace(question(name), diagnostics=said), Surroundings((), conventions), budget)
        for name, said in (("f0", ()), ("f30", diagnostics("f30", 8)))
    )
    assert len(told.diagnostics) == 8
    assert compose(EXPLAIN, plain, 9).shared == compose(EXPLAIN, told, 9).shared


def question(name: str) -> Question:
    block = next(each for each in TREE.blocks() if each.name == name)
    return Question(Document("file:///p/a.py", "python", 1, SOURCE), TREE, Target(block.span, name, "function"))


def diagnostics(name: str, number: int) -> tuple[Diagnostic, ...]:
    at = SOURCE.index(f"def {name}(")
    return tuple(
        Diagnostic(Span(at, at + 3), f"{name} is wrong in way {each} of many", "error") for each in range(number)
    )


@pytest.mark.parametrize(("wire", "quirks"), KINDS)
def test_a_day_changes_no_byte(wire: str, quirks: Quirks) -> None:
    row, prompt = model(wire, quirks), compose(EXPLAIN, context("f3", "/home/a", (), ()), 100)
    bodies = [
        find_wire(wire).request(mark(prompt, row, "here", (), NOW + timedelta(days=days)), row, None).body
        for days in (0, 1, 400)
    ]
    assert bodies[0] == bodies[1] == bodies[2]


def test_a_process_changes_no_byte() -> None:
    program = (
        "import hashlib; from tests.core.prompt import test_stable_prefix as t\n"
        "parts = []\n"
        "for wire, quirks in t.KINDS:\n"
        "    for action in t.ACTIONS:\n"
        "        prompt = t.compose(action, t.context('f7', '/home/a', (), ()), 100)\n"
        "        parts.append(repr(t.beginning(wire, quirks, prompt)))\n"
        "print(hashlib.sha256(''.join(parts).encode()).hexdigest())\n"
    )
    path = os.pathsep.join(each for each in sys.path if each)
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed, "TZ": zone},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(printed) == 1
    assert len(printed.pop()) == 65


@pytest.mark.parametrize("action", ACTIONS)
def test_the_tail_of_an_ordinary_request_is_short(action: Action) -> None:
    prompt = compose(action, context("f3", "/home/a", (), ()), 100)
    assert len(prompt.tail) < 200
    assert "return x" in prompt.tail, "its last line names the target's end"
    assert replace(prompt, tail="").characters > 20 * len(prompt.tail)
