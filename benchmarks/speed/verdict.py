"""The verdict on an edit after the stream's end, and how long a parse keeps other threads from running."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator

from benchmarks.speed.figure import Figure, collected, milliseconds
from tuppence.core.actions import FIX
from tuppence.core.answer_builder import Task, builder_for
from tuppence.core.checks.slop import Evidence
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span
from tuppence.engine.request import Request
from tuppence.engine.verify import why_not

_ROW = "def f{0}(a, b):\n    x = a + b\n    for each in range(x):\n        print(each)\n    return x\n\n\n\n"
_TARGET = "def mean(xs):\n    return sum(xs) / len(x)"
_REPLY = "```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```\n"
_IMPORTS = "```imports\nfrom math import nan\n```\n"


def measure() -> Iterator[Figure]:
    """Measure all of it."""
    with collected():
        for lines in (2_000, 20_000):
            task, request = _asked(lines)
            for what, reply in (("", _REPLY), (" with an import", _REPLY + _IMPORTS)):
                spent: list[float] = []
                taken = milliseconds(lambda: spent.append(_verdict(task, request, reply)), 7)  # noqa: B023 - called at once
                yield Figure(f"{lines:,} lines: the verdict on an edit{what}", taken, "ms")
                yield Figure("  of it, the processor's time", statistics.median(spent[1:]) * 1000, "ms")
        text = _text(20_000)
        held = [_longest_hold(lambda: parse(text, language("python"))) for _ in range(9)]
        yield Figure("20,000 lines: the longest hold of the lock in a parse", statistics.median(held) * 1000, "ms")
        idle = [_longest_hold(lambda: time.sleep(0.1)) for _ in range(9)]
        yield Figure("  the same where nothing is parsed", statistics.median(idle) * 1000, "ms")


def _text(lines: int) -> str:
    half = "".join(map(_ROW.format, range(lines // 16)))
    return f"import os\n\n\n{half}{_TARGET}\n\n\n{half}print(os, mean)\n"


def _asked(lines: int) -> tuple[Task, Request]:
    text, known = _text(lines), language("python")
    document, tree, start = Document("file:///a.py", "python", 1, text), parse(text, known), text.index(_TARGET)
    tree.blocks()  # The prompt was made of them.
    at = text.index("len(x)") + len("len(")
    about = Diagnostic(Span(at, at + 1), "Undefined name `x`", "error", "Ruff", "F821")
    target = Target(Span(start, start + len(_TARGET)), "mean", "function")
    evidence = Evidence((about,), "", Packages(frozenset({"os"}), complete=True))
    task = Task(action=FIX, document=document, tree=tree, language=known, target=target, evidence=evidence)
    return task, Request(run="", action=FIX, document=document, tree=tree, target=target, path=None, diagnostic=about)


def _verdict(task: Task, request: Request, reply: str) -> float:
    """Judge an answer as it is judged once it is there, but for ruff's part; return the seconds of processor time."""
    began = time.thread_time()
    builder = builder_for(task)
    builder.feed(reply)
    _, answer = builder.finish("end")
    if not answer.verdict.fit or answer.edited is None or why_not(request, answer.edited):
        raise RuntimeError(f"a good answer was refused: {answer.verdict}")
    return time.thread_time() - began


def _longest_hold(work: Callable[[], object]) -> float:
    """Return the longest time, in seconds, in which a thread that always wants to run did not while another worked."""
    longest, ended = 0.0, threading.Event()

    def run() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not ended.is_set():
            time.sleep(0)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    other = threading.Thread(target=run)
    other.start()
    try:
        work()
    finally:
        ended.set()
        other.join()
    return longest
