"""One run's progress in the editor, which the run never waits for.

The editor has to agree to a progress before its first line, and each line costs both sides work. So what there is to
show is gathered for a moment, a frame of a screen, and goes out beside the run, all of it and in order: before that, a
request is on its way to its provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from lsprotocol import types

from tuppence.lsp.protocol.lifecycle import Protocol

GATHERED = 0.02
"""Seconds for which lines are gathered before they are sent."""


class RunProgress:
    """A progress from its first moment to ``end``; to be used on the event loop's thread only."""

    def __init__(
        self,
        protocol: Protocol,
        is_done: Callable[[Awaitable[object]], Awaitable[bool]],
        title: str,
        cancel: Callable[[], None],
    ) -> None:
        """Show a progress soon.

        :param is_done: waits for the editor's reply to a request, not forever; returns whether it was no error.
        :param cancel: called when the person cancels the progress.
        """
        self._protocol = protocol
        self._is_done = is_done
        self._title = title
        self._cancel = cancel
        self._token = f"tuppence-{uuid4()}"
        self._lines: list[str] = []
        self._agreeing: asyncio.Task[bool] | None = None
        self._sending: asyncio.TimerHandle | None = None
        self._send_soon()

    def report(self, line: str) -> None:
        """Show a line after those before."""
        self._lines.append(line)
        self._send_soon()

    async def end(self) -> None:
        """Send what is left, and end it; the editor's reply is waited for, so that no progress stays open."""
        if self._sending is not None:
            self._sending.cancel()
        if await self._agreed():
            self._flush()
            self._protocol.progress.end(self._token, types.WorkDoneProgressEnd())

    def _send_soon(self) -> None:
        if self._sending is None:
            self._sending = asyncio.get_running_loop().call_later(GATHERED, self._send)

    def _send(self) -> None:
        self._sending = None
        task = self._agreed()
        if task.done() and not task.cancelled() and task.result():
            self._flush()

    def _agreed(self) -> asyncio.Task[bool]:
        if self._agreeing is None:
            self._agreeing = asyncio.create_task(self._begin())
        return self._agreeing

    async def _begin(self) -> bool:
        """Ask the editor for a progress and begin it with the lines so far; return whether it agreed."""
        progress = self._protocol.progress
        if not await self._is_done(progress.create_async(self._token)):
            return False
        self._protocol.on_progress_cancel(self._token, self._cancel)
        progress.begin(self._token, types.WorkDoneProgressBegin(title=self._title, cancellable=True))
        self._flush()
        return True

    def _flush(self) -> None:
        lines, self._lines = self._lines, []
        for line in lines:
            report = types.WorkDoneProgressReport(message=line, cancellable=True)
            self._protocol.progress.report(self._token, report)
