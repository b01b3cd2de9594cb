"""Helpers for tests of a run in progress: an example, waiting for a condition, and an answer that pauses."""

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
    """Wait until ``find`` returns something. The limit is a minute, enough for a machine of any speed."""
    async with asyncio.timeout(60):
        while not (found := find()):  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.002)
    return found


def messages(s: Stage) -> list[str]:
    """Return the messages shown to the user."""
    return [each.message for each in s.editor.seen.messages]


def stopped(s: Stage) -> list[str]:
    """Return the closing messages of stopped runs."""
    return [each for each in messages(s) if each.startswith("Stopped")]


def lines(s: Stage) -> list[str]:
    """Return the lines of progress."""
    return [each["message"] for each in s.editor.seen.progress if each["kind"] == "report"]


def said(s: Stage, part: str) -> bool:
    """Return whether the latest line of the latest progress contains this part."""
    newest = (s.editor.seen.progress or [{}])[-1]
    return newest.get("kind") == "report" and part in newest["message"]


def gated(text: str, gate: asyncio.Event, halt: int = 1) -> Reply:
    """Send this many events of an answer, and continue when the gate opens."""

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
