"""Many actions in one server: memory, tasks, sockets, files and the work of an action do not grow.

    python -m pytest -q -s -m long tests/faults/test_soak.py

prints what 2,000 actions take; the usual lane runs 150 of them.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from paths import SUPPORT
from scenario import messages, until
from scripted_provider import Reply, Seen, answer
from server import Stage, pick, stage

from editor import Editor
from tuppence.core.billing.entry import add
from tuppence.core.models.usage import Usage

SRC = "def mean{0}(xs):\n    return sum(xs) / len(x)\n\n\ndef other{0}():\n    return {0}\n"
GOOD = "```python\ndef mean{0}(xs):\n    return sum(xs) / len(xs)\n```"
USAGE = Usage(fresh=130, cache_read=0, output=45)
PRICE = (USAGE.fresh * Decimal("0.15") + USAGE.output * Decimal("0.60")) / 1_000_000
OPEN = 6
"""Connections that the pool may hold more than at the first look: one for each request at once, and its spare."""


@dataclass(frozen=True)
class Look:
    """What a server has done and holds, at one moment."""

    work: Mapping[str, int]
    tasks: int
    threads: int
    sockets: int
    files: int
    objects: int
    resident: int


def counted(editor: Editor, file: Path) -> None:
    """Have a server count its work."""
    editor.command = [sys.executable, str(SUPPORT / "counted_server.py"), str(file), *list(editor.command)[3:]]


async def look(s: Stage, file: Path) -> Look:
    """Ask a server for its counts, once it is at rest."""
    s.entries()
    s.editor.process.send_signal(signal.SIGUSR1)
    return await until(lambda: taken(file))


def taken(file: Path) -> Look | None:
    """Take a server's counts away, once they are there."""
    try:
        found = Look(**json.loads(file.read_text()))
        file.unlink()
    except FileNotFoundError:
        return None
    return found


def reply(seen: Seen) -> Reply:
    """Answer a question about function number n by its fix, or by a text on it."""
    number = int(re.findall(r"def mean(\d+)", str(seen.body["messages"]))[-1])
    words = f"`mean{number}` divides the `sum` of `xs` by their number." if number % 2 else GOOD.format(number)
    return answer(words, usage=USAGE)


async def act(s: Stage, number: int) -> None:
    """Open a file, look at it, ask for something, type, and close it."""
    name, text = f"a{number}.py", SRC.format(number)
    buffer = s.editor.open(s.write(name, text), "python")
    assert await s.editor.hover(buffer, 5) is not None
    verb = ("Fix", "Explain")[number % 2]
    await s.editor.run(pick(await s.editor.menu(buffer, 5), verb))
    assert (buffer.text != text) == (verb == "Fix"), messages(s)[-1]
    s.editor.type(buffer, 0, 0, f"# {number}\n")
    s.editor.close(buffer)
    (s.root / name).unlink()


@pytest.mark.fault("soak", "actions in one server")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process holds")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("warm", "count", "growth"),
    [(50, 50, 4 << 20), pytest.param(700, 650, 8 << 20, marks=pytest.mark.long)],
    ids=["150 actions", "2,000 actions"],
)
async def test_nothing_grows_with_the_actions(
    tmp_path: Path, warm: int, count: int, growth: int, record_property: Any
) -> None:
    file = tmp_path / "counts.json"
    async with stage(tmp_path, before=lambda editor: counted(editor, file)) as s:
        s.upstream.always(reply)
        looks = []
        for begin, end in ((0, warm), (warm, warm + count), (warm + count, warm + 2 * count)):
            for number in range(begin, end):
                await act(s, number)
            looks.append(await look(s, file))
        first, second, third = looks
        print(*looks, sep="\n")
        for kind in first.work:
            before, after = (
                later.work[kind] - earlier.work[kind] for earlier, later in ((first, second), (second, third))
            )
            print(f"{kind}: {before / count:.1f} an action, then {after / count:.1f}")
            assert after <= before * 1.2 + 5, f"{kind} of an action"
        assert third.tasks <= first.tasks
        assert third.threads <= first.threads + 1
        assert third.files <= first.files
        assert third.sockets <= first.sockets + OPEN
        print(f"memory: {(third.resident - first.resident) / count / 2:,.0f} bytes an action, "
              f"{(third.objects - second.objects) / count:.1f} objects")  # fmt: skip
        assert third.resident - second.resident < growth
        entries = s.entries()
        assert len(entries) == len({each.run for each in entries}) == warm + 2 * count
        assert add(each.cost for each in entries) == PRICE * len(entries)
        assert "Traceback" not in "".join((*messages(s), s.editor.seen.errors))
    record_property("cases", warm + 2 * count)


@pytest.mark.fault("soak", "two servers on one ledger")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.long)])
async def test_two_servers_enter_exactly_what_both_spend(tmp_path: Path, count: int, record_property: Any) -> None:
    async with stage(tmp_path, folder="one") as one, stage(tmp_path, folder="two") as two:
        for each in (one, two):
            each.upstream.always(reply)

        async def work(s: Stage, begin: int) -> None:
            for number in range(begin, begin + count):
                await act(s, number)

        await asyncio.gather(work(one, 0), work(two, count))
        entries = one.entries()
        assert len(one.upstream.requests) + len(two.upstream.requests) == 2 * count
        assert len({each.run for each in entries}) == len(entries) == 2 * count
        assert [each.cost for each in entries] == [PRICE] * 2 * count
        assert not any(each.estimated for each in entries)
        assert [Decimal(s.editor.seen.costs[-1].session.usd) for s in (one, two)] == [PRICE * count] * 2
        shown = max(Decimal(s.editor.seen.costs[-1].today.usd) for s in (one, two))
        assert shown == PRICE * 2 * count
    record_property("cases", 2 * count)
