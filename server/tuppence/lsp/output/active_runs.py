"""The active runs, each as a task of its own, so that stopping one really stops it.

pygls answers a cancelled ``workspace/executeCommand`` but lets its coroutine continue, which keeps spending
(https://github.com/openlawlibrary/pygls/blob/v2.1.1/pygls/protocol/json_rpc.py). Here a run is a task in a
table; the Stop action, the progress's cancel button and ``$/cancelRequest`` cancel that task, and the shutdown cancels
all. A task is cancelled once: a second cancel would interrupt the clean-up of the first. A run is over once its closing
message is sent, although its task may still read the accounts: no command waits for it, and no menu offers to stop it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from uuid import uuid4

from tuppence.core.text.document import Span

PATIENCE = 3.0
"""Seconds that runs get at shutdown to restore the text; an editor that has exited will not answer."""


@dataclass(eq=False, slots=True)
class Running:
    """One active run."""

    uri: str
    """The URI of the document in which it was started."""
    title: str
    """Its title in the menu: ``Fix `mean```."""
    id: str = field(default_factory=lambda: uuid4().hex)
    """Its id in the ledger, in commands, and for clients that follow runs."""
    task: asyncio.Task[None] | None = None
    ending: bool = False
    """Whether it was stopped; its clean-up goes on until ``over`` is set."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its text, its menu entries and its closing message are in place, and it changes nothing more."""
    because: str = ""
    """A sentence on why it was stopped; empty if the user stopped it."""
    writes: Callable[[], Span | None] = lambda: None
    """Returns the current span that it will replace; None if it writes nothing there."""
    beside: Callable[[], tuple[Running, ...]] = lambda: ()
    """Returns the other runs in the document."""

    def stop(self, because: str = "") -> None:
        """Stop the run, unless it is over; cancellation also closes its connection."""
        if self.ending or self.over.is_set():
            return
        self.ending = True
        self.because = because
        if self.task is not None:
            self.task.cancel()


class Runs:
    """The table of active runs."""

    def __init__(self) -> None:
        self._running: dict[str, Running] = {}

    def start(self, running: Running, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Start a run's work as a task."""
        task = asyncio.get_running_loop().create_task(work, name=f"tuppence run {running.id}")
        running.task = task
        running.beside = lambda: tuple(each for each in self.at(running.uri) if each is not running)
        self._running[running.id] = running
        task.add_done_callback(lambda _task: self._ended(running))
        return task

    def _ended(self, running: Running) -> None:
        self._running.pop(running.id, None)
        running.over.set()

    def at(self, uri: str) -> tuple[Running, ...]:
        """Return the runs in a document that are not over, newest first."""
        found = (running for running in reversed(self._running.values()) if running.uri == uri)
        return tuple(running for running in found if not running.over.is_set())

    def cleans_up(self, uri: str) -> bool:
        """Return whether a stopped run in a document is not over yet."""
        return any(running.ending for running in self.at(uri))

    async def cleaned_up(self, uri: str) -> None:
        """Wait until every stopped run in a document is over."""
        while stopped := [running for running in self.at(uri) if running.ending]:
            await stopped[0].over.wait()

    def all(self) -> tuple[Running, ...]:
        """Return all runs whose task has not ended."""
        return tuple(self._running.values())

    def stop(self, identity: str) -> bool:
        """Stop a run; report whether there was one with that id."""
        running = self._running.get(identity)
        if running is not None:
            running.stop()
        return running is not None

    async def stop_all(self) -> None:
        """Stop all runs and wait until they have cleaned up."""
        tasks = [running.task for running in self._running.values() if running.task is not None]
        for running in tuple(self._running.values()):
            running.stop()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
