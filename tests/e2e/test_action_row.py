"""An action is one row: added to the table alone, it works from the menu to the ledger, on both wires.

The rows are added in a program that the server, and the command line, are started by, before anything reads the table.
"""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scenario import messages
from server import Stage, environment, pick, stage, titles

from editor import Buffer, Editor
from tuppence.core.actions import ACTIONS
from tuppence.core.models.usage import Usage

PROGRAM = """
import sys
from tuppence.core import actions

def row(**fields):
    actions.ACTIONS = (*actions.ACTIONS, actions.Action(brief="Do it.", least_output=20, usual_output=100, **fields))

row(id="document", verb="Document", past="Documented", kind="refactor.rewrite.document", shape="replacement",
    instruction="Write the target's docstring. Answer with one fenced code block that holds the new target.", echo=1.1)
row(id="outline", verb="Outline", past="Outlined", kind="source.outline", shape="markdown",
    instruction="Say in one line what the target does.", measured_as="explain")
row(id="audit", verb="Audit", past="Audited", kind="source.audit", shape="findings",
    instruction="Report what is unsafe in the target. " + actions.FORMAT)

from tuppence.cli import main
sys.exit(main())
"""
ADDED = ("document", "outline", "audit")
SRC = "def mean(xs):\n    return sum(xs) / len(xs)\n"
DOCUMENTED = 'def mean(xs):\n    """Return the arithmetic mean of xs."""\n    return sum(xs) / len(xs)\n'
FINDING = "severity: warning\nline: `    return sum(xs) / len(xs)`\nproblem: An empty list divides by zero.\n"
USAGE = Usage(fresh=1000, cache_read=0, output=100)
COST = Decimal("0.00021")
"""1000 tokens at 0.15 and 100 at 0.60 dollars a million."""
EXTRA = '[actions.document]\nmodel = "mine/small"\n'


def added(editor: Editor) -> None:
    """Start the server by the program that adds the rows."""
    python, module, name, *arguments = editor.command
    assert (module, name) == ("-m", "tuppence")
    editor.command = [python, "-c", PROGRAM, *arguments]


async def ask(s: Stage, buffer: Buffer, title: str, text: str) -> str:
    """Pick an entry of the menu and return the closing message."""
    s.upstream.says(text, usage=USAGE)
    before = len(messages(s))
    await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("sum")), title))
    [message] = messages(s)[before:]
    return message


def read(uri: str) -> str:
    return Path(uri.removeprefix("file://")).read_text()


def terminal(s: Stage, *arguments: str) -> str:
    """Return what a command of the program prints."""
    command = [sys.executable, "-c", PROGRAM, *arguments, "--config", str(s.config)]
    done = subprocess.run(command, env=environment(s.home), cwd=s.root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_a_row_alone_is_an_action(wire: str, tmp_path: Path) -> None:
    async with stage(tmp_path, wire=wire, extra=EXTRA, before=added) as s:
        initialized = s.editor.initialized
        assert initialized is not None
        told: Any = initialized.capabilities.experimental
        rows = told["tuppence"]["actions"]
        assert [each["id"] for each in rows] == [*(each.id for each in ACTIONS), *ADDED]
        row = {"id": "outline", "verb": "Outline", "kind": "source.outline", "shape": "markdown"}
        assert row in rows
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        shown = titles(await s.editor.menu(buffer, SRC.index("sum")))
        assert shown[len(ACTIONS) :] == ["Document `mean`", "Outline `mean`", "Audit `mean`"]

        said = await ask(s, buffer, "Outline", "`mean` adds up `xs` and divides by their number.")
        assert said == "Outlined `mean`: small, $0.0002 (mentions the code)."
        [uri] = s.editor.seen.documents
        assert "`mean` adds up `xs`" in read(uri)
        await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("sum")), "Outline"))
        assert messages(s)[-1].startswith("Outlined `mean`: small, kept, $0")
        said = await ask(s, buffer, "Audit", FINDING)
        assert said == "Audited `mean`: small, 1 finding, $0.0002 (quotes the code)."
        [finding] = s.editor.seen.diagnostics[buffer.uri]
        assert (finding.message, finding.code) == ("An empty list divides by zero.", "audit")
        said = await ask(s, buffer, "Document", f"```python\n{DOCUMENTED}```")
        assert said.startswith("Documented `mean`: small, $0.0002 (parses")
        assert buffer.text == DOCUMENTED
        assert buffer.undo == [SRC]

        tails = [json.dumps(seen.body) for seen in s.upstream.requests]
        assert all(
            f"Task: {action}" in tail for action, tail in zip(("outline", "audit", "document"), tails, strict=True)
        )
        assert all("## Task document\\nWrite the target's docstring." in tail for tail in tails)
        assert [(each.action, each.model, each.outcome, each.cost) for each in s.entries()] == [
            (action, "small", "kept", cost)
            for action, cost in (("outline", COST), ("outline", Decimal(0)), ("audit", COST), ("document", COST))
        ]
        assert s.editor.seen.costs[-1].last.action == "document"

        check_command_line(s)


def check_command_line(s: Stage) -> None:
    """Hold the commands of a terminal against what was asked."""
    report = json.loads(terminal(s, "cost", "--json"))
    assert {each["name"]: each["usd"] for each in report["window"]["by"]["action"]}.keys() >= set(ADDED)
    assert terminal(s, "route", "stats.py:1-2", "--action", "document").startswith("Document `mean`: ")
    lines = "".join(
        json.dumps({"id": each, "action": each, "language": "python", "code": SRC}) + "\n" for each in ADDED
    )
    command = [sys.executable, "-c", PROGRAM, "route", "--jsonl", "--config", str(s.config)]
    done = subprocess.run(command, env=environment(s.home), input=lines, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["id"], "error" in each) for each in answers] == [(each, False) for each in ADDED], done.stdout
