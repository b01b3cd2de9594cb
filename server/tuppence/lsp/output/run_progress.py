"""One run's progress in the editor, for which the run does not wait.

The editor has to agree to a progress before its first line, and each line costs both sides work. So what there is to
show at the beginning is gathered for a moment, a frame of a screen, and goes out beside the run, all of it and in
order: before that, a request is on its way to its provider.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

GATHERED = 0.02
"""Seconds from the beginning for which lines are gathered before they are sent."""


class ProgressChannel(Protocol):
    """One progress at the editor."""

    async def open(self) -> bool:
        """Ask the editor for it and begin it; report whether the editor agreed. Waits for the reply, not forever."""
        ...

    def send(self, line: str) -> None:
        """Show a line."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class NoProgress:
    """Takes the lines of a run where the editor shows no progress."""

    def report(self, line: str) -> None:
        """Show nothing."""

    async def shown(self) -> None:
        """Wait for nothing."""


class RunProgress:
    """A progress from its first moment to ``end``; to be used on the event loop's thread only."""

    def __init__(self, channel: ProgressChannel) -> None:
        """Show a progress soon."""
        self._channel = channel
        self._lines: list[str] = []
        self._agreeing: asyncio.Task[None] | None = None
        self._is_open = False
        self._gathering = asyncio.get_running_loop().call_later(GATHERED, self._agreed)

    def report(self, line: str) -> None:
        """Show a line after those before."""
        self._lines.append(line)
        if self._is_open:
            self._send()

    async def shown(self) -> None:
        """Wait until all lines are sent: what is shown next, elsewhere, is to be seen after them."""
        self._gathering.cancel()
        await asyncio.shield(self._agreed())

    async def end(self) -> None:
        """Send what is left, and end it; the editor's reply is waited for, so that no progress stays open."""
        self._gathering.cancel()
        await self._agreed()
        if self._is_open:
            self._is_open = False
            self._channel.close()

    def _agreed(self) -> asyncio.Task[None]:
        if self._agreeing is None:
            self._agreeing = asyncio.create_task(self._begin())
        return self._agreeing

    async def _begin(self) -> None:
        """Begin it with the lines so far, if the editor agrees."""
        self._is_open = await self._channel.open()
        if self._is_open:
            self._send()

    def _send(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            self._channel.send(line)
