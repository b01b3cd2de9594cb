"""The runs under way: each a task of our own, so that ending one really ends it.

pygls answers a cancelled command and lets its coroutine run on, and so keep paying. Here a run is a task in a table;
the Stop action, the progress's cancel and ``$/cancelRequest`` all cancel that task, and the shutdown cancels them all.
A task is cancelled once: a second cancel would break off the clean-up that the first one began. A run that has said how
it ended is over, although its task may still read the accounts: no command waits for it, and no menu offers to stop it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from uuid import uuid4

from tuppence.core.text.document import Span

PATIENCE = 3.0
"""Seconds that runs get at the end to put the text back; an editor that is gone will not answer."""


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
    ending: bool = False
    """Whether it was stopped; its clean-up goes on until ``over``."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once its text, its menu entries and its closing message are in place: it changes nothing more."""
    because: str = ""
    """Why it had to end, a sentence; empty where the person asked for it."""
    writes: Callable[[], Span | None] = lambda: None
    """Gives the part of the document that it will replace, as it lies now; None where it writes nothing there."""
    beside: Callable[[], tuple[Running, ...]] = lambda: ()
    """Gives the other runs in the document."""

    def stop(self, because: str = "") -> None:
        """End it; its connection is closed as the cancellation passes. A run that is over goes on to its end."""
        if self.ending or self.over.is_set():
            return
        self.ending = True
        self.because = because
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
        """Report whether a run in a document was stopped and is not over."""
        return any(running.ending for running in self.at(uri))

    async def cleaned_up(self, uri: str) -> None:
        """Wait until each run in a document that was stopped is over."""
        while stopped := [running for running in self.at(uri) if running.ending]:
            await stopped[0].over.wait()

    def all(self) -> tuple[Running, ...]:
        """Return all runs whose task has not ended."""
        return tuple(self._running.values())

    def stop(self, identity: str) -> bool:
        """Stop a run; report whether there was one of that id."""
        running = self._running.get(identity)
        if running is not None:
            running.stop()
        return running is not None

    async def stop_all(self) -> None:
        """Stop everything and wait until it has cleaned up."""
        tasks = [running.task for running in self._running.values() if running.task is not None]
        for running in tuple(self._running.values()):
            running.stop()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=PATIENCE)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
