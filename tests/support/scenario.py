"""What tests of a run under way share: an example, waiting for something, an answer that halts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from scripted_provider import Reply, Talk, events
from server import Stage

_T = TypeVar("_T")
SRC = "def mean(xs):\n    return sum(xs) / len(x)\n\n\ndef other():\n    return 1\n"
GOOD = "```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```"
FIXED = SRC.replace("len(x)", "len(xs)")


async def until(find: Callable[[], _T | None]) -> _T:
    """Wait until something is there; a minute means that it never comes, on a machine of any speed."""
    async with asyncio.timeout(60):
        while not (found := find()):  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.002)
    return found


def messages(s: Stage) -> list[str]:
    """Return what the person was told."""
    return [each.message for each in s.editor.seen.messages]


def stopped(s: Stage) -> list[str]:
    """Return the closing messages of stopped runs."""
    return [each for each in messages(s) if each.startswith("Stopped")]


def lines(s: Stage) -> list[str]:
    """Return the lines of progress."""
    return [each["message"] for each in s.editor.seen.progress if each["kind"] == "report"]


def said(s: Stage, part: str) -> bool:
    """Report whether the newest line of the newest progress holds that part."""
    newest = (s.editor.seen.progress or [{}])[-1]
    return newest.get("kind") == "report" and part in newest["message"]


def gated(text: str, gate: asyncio.Event, halt: int = 1) -> Reply:
    """Send so many events of an answer, and go on when the gate opens."""

    async def play(talk: Talk) -> None:
        await talk.head()
        every = events(talk.seen.wire, text)
        for event in every[:halt]:
            await talk.chunk(event)
        await gate.wait()
        for event in every[halt:]:
            await talk.chunk(event)
        await talk.end()

    return Reply(play)
