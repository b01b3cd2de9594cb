"""Two servers on one ledger with a hard cap: together they end at or under it, also when they are killed at any moment.

What counts is what the upstream bills, which is counted there, request by request: a request that was begun is billed
in full, whether or not anybody was left to read its answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from scripted_provider import Reply, ScriptedUpstream, Seen, answer
from server import CONFIG, environment, pick

import postgresql
from editor import Editor
from tuppence.core.billing.entry import add
from tuppence.core.models.usage import Usage
from tuppence.ledger import Ledger

CAP = Decimal("0.01")
REQUESTS = 200
KILLED = 3
"""How often each of two servers is killed."""
INPUT, OUTPUT = Decimal("0.15"), Decimal("0.60")
BUDGET = f"[budget]\nday = {CAP}\n"
ONE = CONFIG.partition('[[models]]\nid = "big"')[0]


@dataclass
class Till:
    """An upstream that bills every request that it begins to answer."""

    chance: random.Random
    longest: int
    """Tokens of the longest answer."""
    delay: float
    """Seconds between two pieces of an answer."""
    billed: list[Decimal] = field(default_factory=list)

    def reply(self, seen: Seen) -> Reply:
        """Bill a request and answer it: a little more prompt than we reckon with, an answer of any allowed length."""
        characters = sum(len(str(each["content"])) for each in seen.body["messages"])
        output = self.chance.randint(1, min(self.longest, seen.body["max_tokens"]))
        usage = Usage(fresh=characters * 10 // 31, cache_read=0, output=output)
        self.billed.append((usage.fresh * INPUT + usage.output * OUTPUT) / 1_000_000)
        words = "It gives a number back. " * self.chance.randint(1, 4)
        return answer(words, usage=usage, delay=self.delay)

    @property
    def total(self) -> Decimal:
        """What it bills, USD."""
        return add(self.billed)


@dataclass
class Street:
    """What both servers stand on."""

    folder: Path
    till: Till
    upstream: ScriptedUpstream
    ledger: Ledger

    @property
    def home(self) -> Path:
        """The home of the user of both."""
        return self.folder / "home"

    def editor(self, name: str) -> Editor:
        """Return an editor with a server of its own, in a project of its own."""
        root = self.folder / name
        root.mkdir(exist_ok=True)
        config = self.folder / "config.toml"
        editor = Editor([sys.executable, "-m", "tuppence", "serve", "--config", str(config)], root)
        editor.environment = environment(self.home)
        return editor


@contextlib.asynccontextmanager
async def street(folder: Path, till: Till, where: str = "") -> AsyncIterator[Street]:
    """Set up the upstream, the configuration and the ledger, a file of the user's own unless another is named."""
    async with ScriptedUpstream() as upstream:
        upstream.always(till.reply)
        text = f'ledger = "{where}"\n{BUDGET}' + ONE.format(wire="openai", base=upstream.openai)
        (folder / "config.toml").write_text(text, encoding="utf-8")
        ledger = Ledger(where or folder / "home" / "data" / "tuppence" / "ledger.sqlite3")
        yield Street(folder, till, upstream, ledger)
        ledger.close()


async def explain(editor: Editor, number: int) -> None:
    """Ask about code that nobody asked about before."""
    path = editor.root / f"f{number}.py"
    path.write_text(f"def f{number}():\n    return {number}\n", encoding="utf-8")
    buffer = editor.open(path, "python")
    await editor.run(pick(await editor.menu(buffer, 5), "Explain"))


def chance(seed: int) -> random.Random:
    """Return the same chances in each run."""
    return random.Random(seed)  # noqa: S311 - nothing secret


@pytest.mark.timeout(300)
async def test_two_servers_end_at_or_under_their_cap(tmp_path: Path) -> None:
    async with street(tmp_path, Till(chance(1), 400, 0.001)) as s:
        await both(s, REQUESTS)
        entered = check(s)
        assert entered == s.till.total, "nothing was killed, so nothing is an estimate"


@pytest.mark.timeout(300)
async def test_two_servers_of_a_team_end_at_or_under_their_cap(tmp_path: Path, postgres: str) -> None:
    async with street(tmp_path, Till(chance(4), 2000, 0.001), postgresql.emptied(postgres)) as s:
        await both(s, 40)
        assert check(s) == s.till.total


async def both(s: Street, count: int) -> None:
    """Let two servers answer so many requests each, side by side."""
    async with s.editor("a") as first, s.editor("b") as second:
        await asyncio.gather(_ask(first, 0, count), _ask(second, 0, count))
        assert "Your budget of $0.0100 today would be passed" in first.seen.messages[-1].message
        assert len(s.ledger.entries()) == 2 * count


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [2, pytest.param(3, marks=pytest.mark.long)])
async def test_servers_that_are_killed_at_random_moments_end_at_or_under_their_cap(tmp_path: Path, seed: int) -> None:
    moments = chance(seed)
    async with street(tmp_path, Till(chance(seed), 400, 0.03)) as s:

        async def live(name: str) -> None:
            for life in range(KILLED):
                async with s.editor(name) as editor:
                    await explain(editor, 1000 * life)
                    asking = asyncio.ensure_future(_ask(editor, 1000 * life + 1, REQUESTS))
                    await asyncio.wait([asking], timeout=moments.uniform(0.01, 1.0))
                    editor.process.kill()
                    asking.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await asking
            async with s.editor(name) as editor:
                await _ask(editor, 1000 * KILLED, REQUESTS)

        await asyncio.gather(live("a"), live("b"))
        s.ledger.recover(max(each.at for each in s.ledger.entries()))
        check(s)


async def _ask(editor: Editor, start: int, count: int) -> None:
    for number in range(start, start + count):
        await explain(editor, number)


def check(s: Street) -> Decimal:
    """Hold the ledger and the bills against the cap; return what was entered."""
    entries = s.ledger.entries()
    entered = add(each.cost for each in entries)
    estimates = sum(each.estimated for each in entries)
    print(
        f"cap ${CAP}: billed ${s.till.total} ({100 * s.till.total / CAP:.1f} %) for {len(s.till.billed)} requests, "
        f"entered ${entered} ({100 * entered / CAP:.1f} %), {estimates} estimates"
    )
    assert max(s.till.total, entered) <= CAP
    assert min(s.till.total, entered) >= CAP * 6 / 10
    assert s.ledger.spent("", "", entries[-1].at.astimezone()).day == entered
    return entered
