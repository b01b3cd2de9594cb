"""What the tests in VS Code stand on: texts, answers that wait for their cue, and a profile that knows our server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripted_provider import Reply, Talk, events, in_thread
from tests.editors.session import Bench
from tests.editors.vscode.window import CODE, LENS, NOTICE, STATUS, Window, until

PICTURES = os.environ.get("TUPPENCE_PICTURES")
"""A folder for pictures of the editor; without it none is kept. Read before any test gets an environment of its own."""

CONFIG = """
[providers.mine]
wire = "openai"
base_url = "{base}"
[providers.guarded]
wire = "openai"
base_url = "{base}"
key_env = "GUARDED_API_KEY"
[actions.review]
model = "guarded/strict"
[[models]]
id = "kimi-k2.6"
provider = "mine"
tier = "budget"
price = {{ input = 0.60, output = 2.50, cache_read = 0.15 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.8, fix = 0.8, tests = 0.8, review = 0.8 }}
[[models]]
id = "claude-opus-5-5"
provider = "mine"
tier = "premium"
price = {{ input = 4, output = 20, cache_read = 0.2 }}
context = 200000
max_output = 32000
ability = {{ explain = 0.82, fix = 0.82, tests = 0.82, review = 0.82 }}
[[models]]
id = "strict"
provider = "guarded"
tier = "budget"
price = {{ input = 1, output = 2 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.5, fix = 0.5, tests = 0.5, review = 0.5 }}
"""

HEAD = '''"""What orders are worth."""


'''
BEFORE = """def total(orders, rate):
    sum = 0
    for order in orders:
        price = order["price"]
        count = order["count"]
        sum = sum + price * count
    if rate == None:
        rate = 0
    sum = sum + sum * rate
    return round(sum)
"""
AFTER = """def total(orders, rate=None):
    worth = 0
    for order in orders:
        price = order["price"]
        count = order["count"]
        worth += price * count
    if rate is None:
        rate = 0
    worth += worth * rate
    return round(worth, 2)
"""
TAIL = """

def largest(orders):
    # 😀 The note stands here.
    return max(orders, key=lambda order: order["price"])
"""
CUT = "worth += worth"
"""What an answer is stopped before in most tests."""
HALF = HEAD + AFTER[: AFTER.index(f"    {CUT}")] + BEFORE[BEFORE.index("    sum = sum + sum") :] + TAIL
"""The text by then."""
SOURCE = HEAD + BEFORE + TAIL
FIXED = HEAD + AFTER + TAIL
LINE = HEAD.count("\n") + 1
"""Where the function stands that is asked about."""
NOTE = SOURCE[: SOURCE.index("stands here")].count("\n") + 1


def fenced(code: str) -> str:
    """Return code as a model answers with it."""
    return f"```python\n{code.removesuffix(chr(10))}\n```"


@dataclass
class Cue:
    """An answer that stops right before a piece of its text until it is let through."""

    text: str
    before: str = CUT
    """The piece that it stops before."""
    pace: float = 0.01
    """Seconds between two characters or so."""
    reached: threading.Event = field(default_factory=threading.Event)
    given: threading.Event = field(default_factory=threading.Event)
    closed: threading.Event = field(default_factory=threading.Event)
    """Set when the client left before the end."""
    resumed: float = math.inf
    """When it went on, by the monotonic clock."""
    ended: float = math.inf
    """When all of it was sent."""

    def give(self) -> None:
        """Let it go on."""
        self.given.set()

    def reply(self) -> Reply:
        """Return it as a scripted reply."""

        async def play(talk: Talk) -> None:
            pieces = events(talk.seen.wire, self.text, size=4)
            cut = self.text.index(self.before) // 4 + 1
            try:
                await talk.head()
                await _send(talk, pieces[:cut], self.pace)
                self.reached.set()
                while not self.given.is_set():  # noqa: ASYNC110 - the event belongs to the test's thread
                    await asyncio.sleep(0.01)
                self.resumed = time.monotonic()
                await _send(talk, pieces[cut:], self.pace)
                await talk.end()
                self.ended = time.monotonic()
            except (ConnectionError, asyncio.CancelledError):
                self.closed.set()
                raise

        return Reply(play)


async def _send(talk: Talk, pieces: list[bytes], pace: float) -> None:
    for piece in pieces:
        await talk.chunk(piece)
        await asyncio.sleep(pace)


@dataclass
class Desk:
    """An editor at work in a project."""

    window: Window
    bench: Bench
    seconds: float = 0.0
    """From an empty profile to the first fix in the text."""
    alone: float = 0.0
    """Those of them in which the editor started, until it showed the file and the extension's first sign."""

    def visit(self, name: str, text: str = SOURCE) -> Path:
        """Write a file of the project and open it."""
        path = self.bench.write(name, text)
        self.window.open(path)
        return path

    def fix(self) -> None:
        """Ask for a fix of the function."""
        self.pick("Fix")

    def begin(self, cue: Cue) -> None:
        """Ask for a fix, and wait until all stands in the text that comes before the cut."""
        self.bench.upstream.script(cue.reply())
        self.fix()
        self.window.wait(CODE, "if rate is None")

    def pick(self, entry: str) -> None:
        """Put the cursor on the function's name and choose from the menu."""
        self.window.go(LINE, 6)
        self.window.pick(entry)

    def settle(self) -> None:
        """Wait until the server is there and nothing is under way."""
        self.window.wait(STATUS, "saved")

    def answered(self) -> None:
        """Wait until an answer stands in the text and is offered for keeping."""
        self.window.wait(LENS, "Keep")

    def closed(self, cue: Cue) -> None:
        """Wait until the connection to the model is closed before the answer's end, and nothing is under way."""
        until(cue.closed.is_set, "the connection to be closed")
        self.settle()

    def forget(self) -> None:
        """Clear the kept answers, with which an earlier test or attempt would spare the model a question."""
        self.window.command("Tuppence: Forget Kept Answers")
        self.window.wait(NOTICE, "Forgot ")

    def shot(self, name: str) -> None:
        """Keep a picture, where pictures are wanted."""
        if PICTURES:
            self.window.shot(Path(PICTURES) / f"{name}.png")

    def tidy(self, name: str) -> None:
        """Save and close everything for the next test; leave a picture for whoever looks why one failed."""
        self.window.shot(self.window.profile.parent / f"{name}.png")
        self.bench.upstream.unscript()
        self.window.press("Escape", "Escape")
        self.window.command("Notifications: Clear All")
        self.window.command("File: Save All")
        self.window.command("View: Close All Editors")
        self.window.gone(".tab")


@contextlib.contextmanager
def set_out(folder: Path) -> Iterator[Bench]:
    """Set out a project with a model server; its settings name a program that leaves a trace where it is run."""
    root, home = folder / "project", folder / "home"
    (root / ".git").mkdir(parents=True)
    (root / ".vscode").mkdir()
    home.mkdir()
    trace = folder / "was-run"
    stranger = folder / "stranger"
    stranger.write_text(f"#!/bin/sh\ntouch {trace}\n", encoding="utf-8")
    stranger.chmod(0o755)
    named = {f"tuppence.server.{name}": str(stranger) for name in ("path", "python", "config")}
    (root / ".vscode" / "settings.json").write_text(json.dumps(named), encoding="utf-8")
    with in_thread() as upstream:
        yield Bench(root, home, upstream)
    assert not trace.exists(), "the project's settings chose what runs"


def machine(config: Path) -> dict[str, str]:
    """Return the settings of a machine that has the server already."""
    program = Path(sys.executable).parent / "tuppence"
    return {"tuppence.server.path": str(program), "tuppence.server.config": str(config)}
