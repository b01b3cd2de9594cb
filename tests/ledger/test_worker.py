"""A worker does one thing after the other, and what was given up before its turn is not done."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from functools import partial

import pytest

from tuppence.ledger.worker import Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("test-worker")
    yield made
    made.close()


def test_jobs_are_done_in_their_order_in_one_thread_of_its_name(worker: Worker) -> None:
    seen: list[tuple[int, str]] = []

    def note(at: int) -> None:
        seen.append((at, threading.current_thread().name))

    for each in [worker.submit(partial(note, at)) for at in range(20)]:
        each.result()
    assert seen == [(at, "test-worker") for at in range(20)]


def test_what_is_canceled_before_its_turn_is_not_done(worker: Worker) -> None:
    begin, done = threading.Event(), list[str]()
    first = worker.submit(begin.wait)
    second = worker.submit(lambda: done.append("canceled"))
    third = worker.submit(lambda: done.append("wanted"))
    assert second.cancel()
    begin.set()
    third.result()
    assert (first.result(), done) == (True, ["wanted"])
    with pytest.raises(CancelledError):
        second.result()


def test_an_error_goes_to_those_who_wait_and_the_next_job_is_done(worker: Worker) -> None:
    def fail() -> None:
        raise KeyboardInterrupt

    problem = worker.submit(fail)
    assert worker.submit(lambda: 7).result() == 7
    assert isinstance(problem.exception(), KeyboardInterrupt)


def test_a_result_goes_into_the_future_that_is_given(worker: Worker) -> None:
    given: Future[int] = Future()
    assert worker.submit(lambda: 5, given) is given
    assert given.result() == 5


def test_only_its_own_thread_is_here(worker: Worker) -> None:
    assert not worker.is_here
    assert worker.submit(lambda: worker.is_here).result()
    assert not worker.is_here


def test_one_that_never_began_is_closed_without_a_thread() -> None:
    before = threading.active_count()
    worker = Worker("test-worker")
    worker.close()
    worker.close()
    assert threading.active_count() == before


def test_closing_waits_for_what_was_asked_and_a_later_job_begins_another_thread(worker: Worker) -> None:
    done: list[int] = []
    for at in range(50):
        worker.submit(partial(done.append, at))
    worker.close()
    assert done == list(range(50))
    assert all(each.name != "test-worker" for each in threading.enumerate())
    assert worker.submit(lambda: "again").result() == "again"
