"""The runs under way: each a task of our own, so that ending one really ends it.

pygls answers a cancelled command and lets its coroutine run on, and so keep paying. Here a run is a task in a table;
the Stop action, the progress's cancel and ``$/cancelRequest`` all cancel that task, and the shutdown cancels them all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from uuid import uuid4


@dataclass(eq=False, slots=True)
class Running:
    """One run under way."""

    uri: str
    """The document that it was started in."""
    title: str
    """What it does, as the menu called it: ``Fix `mean```."""
    id: str = field(default_factory=lambda: uuid4().hex)
    """Names it in the ledger, in commands and to a live client."""
    task: asyncio.Task[None] | None = None
    stopped: bool = False
    """Whether the person asked for its end."""

    def stop(self) -> None:
        """End it; its connection is closed as the cancellation passes."""
        self.stopped = True
        if self.task is not None:
            self.task.cancel()


class Runs:
    """The table of runs under way."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}

    def start(self, running: Running, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start a run's work as a task of its own."""
        task = asyncio.get_running_loop().create_task(work, name=f"tuppence run {running.id}")
        running.task = task
        self._running[running.id] = running
        task.add_done_callback(lambda _task: self._running.pop(running.id, None))
        return task

    def at(self, uri: str) -> tuple[Running, ...]:
        """Return the runs under way in a document, newest first."""
        return tuple(running for running in reversed(self._running.values()) if running.uri == uri)

    def stop(self, identity: str) -> bool:
        """Stop a run; report whether there was one of that id."""
        running = self._running.get(identity)
        if running is not None:
            running.stop()
        return running is not None

    async def stop_all(self) -> None:
        """Stop everything and wait until it has cleaned up."""
        tasks = [running.task for running in self._running.values() if running.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
