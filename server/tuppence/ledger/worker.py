"""One thread that does one thing after the other, for a database that may make its users wait.

The thread is a daemon: a process that ends does not wait for what hangs in a database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")
_Job = Callable[[], None]


class Worker:
    """A thread that is started by its first job; safe to use from all threads."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @property
    def is_here(self) -> bool:
        """Whether the caller runs in this worker's thread."""
        return threading.current_thread() is self._thread

    def submit(self, work: Callable[[], _T], result: Future[_T] | None = None) -> Future[_T]:
        """Do something after all that was asked before; return its result's future at once.

        :param result: the future to use; what is canceled before its turn is not done.
        """
        given: Future[_T] = Future() if result is None else result

        def job() -> None:
            if not given.set_running_or_notify_cancel():
                return
            try:
                found = work()
            except BaseException as error:  # noqa: BLE001 - the error is given to those who wait for the result
                given.set_exception(error)
            else:
                given.set_result(found)

        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, args=(self._jobs,), name=self._name, daemon=True)
                self._thread.start()
            self._jobs.put(job)
        return given

    def close(self, seconds: float | None = None) -> None:
        """End the thread after all that was asked before; a later job starts another.

        :param seconds: how long to wait for that at most; None for any time.
        """
        with self._starting:
            thread, self._thread = self._thread, None
            if thread is None:
                return
            self._jobs.put(None)
            self._jobs = SimpleQueue()
        thread.join(seconds)

    @staticmethod
    def _run(jobs: SimpleQueue[_Job | None]) -> None:
        while (job := jobs.get()) is not None:
            job()
            del job  # What a job held is let go before the next one comes.
