"""A thread that runs jobs one after another, for a database that may block its users.

The thread is a daemon: a process that ends does not wait for a blocked database.
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
        """Run ``work`` after all earlier jobs; return the future of its result at once.

        :param result: the future to use; a job that is canceled before its turn does not run.
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
        """End the thread after all earlier jobs; a later job starts another.

        :param seconds: maximum time to wait for that; None for no limit.
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
            del job  # Objects referenced by the job are released before the next job.
