"""The bar: four actions x two wires x four languages, through a real client: the right text, place and cost."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from sample_projects import CASES, PYTHON, Case
from scripted_provider import Reply, Seen, Talk, events
from server import Stage, pick, stage

from editor import Buffer
from tuppence.core.models.usage import Usage

KEY = "key-of-a-test"
CONFIG = """
[providers.mine]
wire = "{wire}"
base_url = "{base}"
key_env = "KEY_OF_MINE"
[[models]]
id = "small"
provider = "mine"
tier = "budget"
price = {{ input = 3, output = 15, cache_read = 0.3, cache_write = 3.75 }}
context = 128000
max_output = 8192
cache = {{ mode = "explicit", minimum = 16 }}
"""
RULES = "Figures are in cents.\n"


@dataclass(frozen=True)
class Bill:
    """What one answer reports, and what that costs at 3, 15, 0.3 and 3.75 dollars a million, reckoned by hand."""

    usage: Usage
    cost: str
    shown: str


BILLS = {
    "anthropic": {
        "explain": Bill(Usage(fresh=40, cache_read=1100, output=210), "0.0036", "$0.0036"),
        "review": Bill(Usage(fresh=1, cache_read=0, output=40), "0.000603", "$0.0006"),
        "fix": Bill(Usage(fresh=1200, cache_read=800, cache_write=300, output=150), "0.007215", "$0.0072"),
        "tests": Bill(Usage(fresh=51, cache_read=1100, cache_write=7, output=333), "0.00550425", "$0.0055"),
    },
    "openai": {
        "explain": Bill(Usage(fresh=77, cache_read=None, output=33), "0.000726", "$0.0007"),
        "review": Bill(Usage(fresh=1, cache_read=1, output=0, thinking=9), "0.0001383", "$0.0001"),
        "fix": Bill(Usage(fresh=1000, cache_read=512, output=90, thinking=60), "0.0054036", "$0.0054"),
        "tests": Bill(Usage(fresh=13, cache_read=1536, cache_write=100, output=401), "0.0068898", "$0.0069"),
    },
}
TOTALS = {"anthropic": Decimal("0.01692225"), "openai": Decimal("0.0131577")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.language)
@pytest.mark.parametrize("wire", ["anthropic", "openai"])
async def test_four_actions(wire: str, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_MINE", KEY)
    async with stage(tmp_path, wire=wire, config=CONFIG) as s:
        buffer = opened(s, case)
        await explains(s, case, buffer)
        await reviews(s, case, buffer)
        await fixes(s, case, buffer)
        prefixes = {prefix(seen) for seen in s.upstream.requests}
        await generates(s, case, buffer)
        assert len(s.upstream.requests) == 4
        assert len(prefixes) == 1, "requests about one file must share their first bytes"
        for seen in s.upstream.requests:
            check_request(seen, case, tmp_path)
        check_accounts(s, BILLS[wire], TOTALS[wire])


def opened(s: Stage, case: Case) -> Buffer:
    """Write the project and open its source."""
    for name, text in {**case.others, "AGENTS.md": RULES}.items():
        s.write(name, text)
    return s.editor.open(s.write(case.name, case.source), case.language)


async def ask(s: Stage, title: str, buffer: Buffer, action: str, text: str, **context: Any) -> str:
    """Pick an entry of the menu on the wrong line; return the closing message."""
    wire = s.upstream.requests[0].wire if s.upstream.requests else None
    before = len(s.editor.seen.messages)
    cursor = context.pop("at", 0)
    entry = pick(await s.editor.menu(buffer, cursor, **context), title)
    usages = BILLS["anthropic" if "anthropic" in s.config.read_text() else "openai"]
    s.upstream.says(text, usage=usages[action].usage, wire=wire)
    assert await s.editor.run(entry) is None
    [message] = s.editor.seen.messages[before:]
    assert message.type == types.MessageType.Info
    return message.message


def shown(s: Stage, action: str) -> str:
    """Return the price as the closing message shows it."""
    return BILLS[s.upstream.requests[0].wire][action].shown


async def explains(s: Stage, case: Case, buffer: Buffer) -> None:
    at = buffer.text.index(case.wrong)
    dirty = "`mean` adds up.\n\n![x](https://e.example/p.png) <img src=x> [docs](https://e.example) [go](command:rm)\n"
    said = await ask(s, "Explain `mean`", buffer, "explain", dirty, at=at)
    assert said == f"Explained `mean`: small, {shown(s, 'explain')} (mentions the code)."
    [uri] = s.editor.seen.documents
    assert stored(uri) == ("# Explain `mean`\n\n`mean` adds up.\n\nx &lt;img src=x> docs go\n", 0o600)
    assert buffer.text == case.source


async def reviews(s: Stage, case: Case, buffer: Buffer) -> None:
    answer = f"severity: error\nline: `{case.wrong}`\nproblem: The name is unknown.\n---\n"
    answer += f"severity: hint\nline: `{header(case)}`\nproblem: It says **too** little.\n"
    said = await ask(s, "Review `mean`", buffer, "review", answer, at=buffer.text.index(case.wrong))
    assert said == f"Reviewed `mean`: small, 2 findings, {shown(s, 'review')} (quotes the code)."
    found = s.editor.seen.diagnostics[buffer.uri]
    assert [(each.message, each.severity) for each in found] == [
        ("The name is unknown.", types.DiagnosticSeverity.Error),
        ("It says too little.", types.DiagnosticSeverity.Hint),
    ]
    assert [text_at(s, buffer, each.range) for each in found] == [case.wrong, header(case)]
    assert buffer.text == case.source
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index(case.wrong)), "Clear all"))


async def fixes(s: Stage, case: Case, buffer: Buffer) -> None:
    at, version = buffer.text.index(case.wrong), buffer.version
    diagnostic = types.Diagnostic(
        range=s.editor.range(buffer.text, at, at + len(case.wrong)),
        message=case.message,
        source="a language server",
        severity=types.DiagnosticSeverity.Error,
    )
    title = f"Fix: {case.message.rstrip('.')}"
    said = await ask(s, title, buffer, "fix", case.fix, at=at, diagnostics=[diagnostic])
    proved = "parses, ruff finds no new error" if case.language == "python" else "it parses; nothing else was checked"
    assert said == f"Fixed `mean`: small, {shown(s, 'fix')} ({proved})."
    assert buffer.text == case.fixed
    [edit] = s.editor.seen.edits
    assert edit.edit.changes is None
    [change] = edit.edit.document_changes or ()
    assert isinstance(change, types.TextDocumentEdit)
    assert (change.text_document.uri, change.text_document.version) == (buffer.uri, version)
    assert buffer.undo == [case.source], "one undo takes all of it back"


async def generates(s: Stage, case: Case, buffer: Buffer) -> None:
    s.editor.seen.edits.clear()
    said = await ask(s, "Generate tests for `mean`", buffer, "tests", case.tests, at=buffer.text.index(header(case)))
    assert said == f"Wrote tests for `mean`: small, {shown(s, 'tests')} (it parses; nothing else was checked)."
    uri = (s.root / case.test_file).as_uri()
    assert s.editor.buffers[uri].text == case.tested
    assert len(s.editor.seen.edits) == 1
    assert s.editor.seen.documents[-1] == uri


def stored(uri: str) -> tuple[str, int]:
    """Return a file's text, and who may read it."""
    path = Path(uri.removeprefix("file://"))
    return path.read_text(), path.stat().st_mode & 0o777


def text_at(s: Stage, buffer: Buffer, where: types.Range) -> str:
    """Return the text of a range, reckoned by the editor."""
    start, end, _ = s.editor._span(buffer.text, where, "")
    return buffer.text[start:end]


def header(case: Case) -> str:
    """Return the line on which ``mean`` starts."""
    return next(line for line in case.source.splitlines() if "mean(" in line)


def prefix(seen: Seen) -> str:
    """Return all that precedes what differs between two requests, the cache's mark included."""
    body = seen.body
    if seen.wire == "anthropic":
        return json.dumps([body["system"], body["messages"][0]["content"][:-1]])
    system, user = body["messages"]
    *shared, tail = user["content"]
    assert tail["text"].startswith("Task: ")
    return json.dumps([system, shared])


def said_to(seen: Seen) -> tuple[str, str]:
    """Return the system text and the user's text of a request."""
    body = seen.body
    if seen.wire == "anthropic":
        return body["system"][0]["text"], "".join(block["text"] for block in body["messages"][0]["content"])
    system, user = body["messages"]
    if isinstance(user["content"], str):
        return system["content"], user["content"]
    return system["content"][0]["text"], "".join(part["text"] for part in user["content"])


def check_request(seen: Seen, case: Case, tmp_path: Path) -> None:
    """Hold a request against what it must and must not say."""
    system, user = said_to(seen)
    action = user.partition("Task: ")[2].partition("\n")[0]
    source = case.fixed if action == "tests" else case.source
    assert user.count(source) == 1, "the file is there once, byte for byte"
    assert user.startswith(
        "Conventions of the project:\n\n```text\nAGENTS.md:\nFigures are in cents.\n```\n\nThe file:"
    )
    assert f"## Task {action}" in system
    assert "Target: function `mean`, lines " in user
    assert f"\n{header(case)}\n" in user.partition("Target: ")[2]
    assert (case.message in user) == (action == "fix")
    assert case.elsewhere in user.partition("Definitions that the target uses:")[2]
    assert (case.test_file in user) == (action == "tests" and case.language != "rust")
    everything = json.dumps(seen.body)
    assert str(tmp_path) not in everything
    assert tmp_path.name not in everything
    assert (seen.body["model"], seen.body["stream"]) == ("small", True)
    marks = [at for at, block in enumerate(seen.body["messages"][-1]["content"]) if "cache_control" in block]
    assert marks == [0, 1], "marks stand after the conventions and the file, never after the tail"
    if seen.wire == "anthropic":
        assert (seen.headers["x-api-key"], seen.headers.get("authorization")) == (KEY, None)
        assert seen.body["max_tokens"] > 0
    else:
        assert (seen.headers["authorization"], seen.headers.get("x-api-key")) == (f"Bearer {KEY}", None)
        assert seen.body["stream_options"] == {"include_usage": True}


def check_accounts(s: Stage, bills: dict[str, Bill], total: Decimal) -> None:
    """Hold the ledger and what the editor was told of it against the bills."""
    entries = {entry.action: entry for entry in s.entries()}
    assert len(s.entries()) == len(entries) == 4
    for action, bill in bills.items():
        entry = entries[action]
        assert (entry.usage, entry.cost, entry.estimated) == (bill.usage, Decimal(bill.cost), False)
        assert (entry.model, entry.provider, entry.outcome) == ("small", "mine", "kept")
    assert sum(Decimal(bill.cost) for bill in bills.values()) == total
    assert Decimal(s.editor.seen.costs[-1].session.usd) == total


@pytest.mark.parametrize("wire", ["anthropic", "openai"])
async def test_each_finding_appears_while_the_answer_still_streams(
    wire: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_OF_MINE", KEY)
    first = f"severity: error\nline: `{PYTHON.wrong}`\nproblem: One.\n---\n"
    second = "severity: warning\nline: `total = 0`\nproblem: Two.\n```\n    total = 0.0\n```\n---\n"
    async with stage(tmp_path, wire=wire, config=CONFIG) as s:
        buffer = opened(s, PYTHON)
        go_on = [asyncio.Event(), asyncio.Event()]
        s.upstream.script(held([first, second, "severity: hint\nline: `def mean(values):`\nproblem: Three."], go_on))
        entry = pick(await s.editor.menu(buffer, buffer.text.index(PYTHON.wrong)), "Review")
        running = asyncio.create_task(s.editor.run(entry))
        for count, event in enumerate(go_on, 1):
            await shows(s, buffer, count)
            assert not running.done()
            event.set()
        await running
        found = s.editor.seen.diagnostics[buffer.uri]
        assert [each.message for each in found] == ["One.", "Two.", "Three."]
        lines = [text_at(s, buffer, each.range) for each in found]
        assert lines == [PYTHON.wrong, "total = 0", "def mean(values):"]
        fix = pick(await s.editor.menu(buffer, buffer.text.index("total = 0")), "Apply: Two.")
        await s.editor.run(fix)
        assert buffer.text == PYTHON.source.replace("total = 0\n", "total = 0.0\n")
        assert len(s.upstream.requests) == 1, "a quick fix costs no call"


async def test_what_the_model_did_not_see_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_OF_MINE", KEY)
    filler = "".join(f"\n\ndef f{n}():\n    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n" for n in range(500))
    case = replace(PYTHON, source=PYTHON.source + filler, fixed=PYTHON.fixed + filler)
    async with stage(tmp_path, config=CONFIG.replace("128000", "10000")) as s:
        buffer = opened(s, case)
        said = await ask(s, "Fix `mean`", buffer, "fix", case.fix, at=buffer.text.index(case.wrong))
        assert buffer.text == case.fixed
        assert "The project's conventions were left out: there was no room for them." in said
        assert "of the file's 3515 lines, those far from the target, were left out." in said
        _, user = said_to(s.upstream.requests[0])
        assert "lines left out ..." in user
        assert "Round half to even" in user, "what is told beside the file has a room of its own"
        assert len(user) < len(case.source)
        assert "line 10, error (ruff F821): Undefined name `vals`" in user, "the linter was asked"


def held(parts: list[str], go_on: list[asyncio.Event]) -> Reply:
    """Answer in parts, each held back until an event says so."""

    async def play(talk: Talk) -> None:
        await talk.head()
        whole = events(talk.seen.wire, "\0".join(parts), size=1)
        waiting = iter(go_on)
        for event in whole:
            if b"\\u0000" in event:
                await next(waiting).wait()
            else:
                await talk.chunk(event)
        await talk.end()

    return Reply(play)


async def shows(s: Stage, buffer: Buffer, count: int) -> None:
    """Wait until so many findings are shown, a minute at most."""
    async with asyncio.timeout(60):
        while len(s.editor.seen.diagnostics.get(buffer.uri, ())) != count:  # noqa: ASYNC110 - the editor tells nobody
            await asyncio.sleep(0.005)
