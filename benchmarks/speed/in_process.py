"""What runs inside the server for each request: the router, the tier table, the edit engine, the open documents."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from lsprotocol import types
from sample_code import definitions, snippets

from benchmarks.speed.figure import Figure, collected, milliseconds
from tuppence import config
from tuppence.cli._route_jsonl import Router
from tuppence.config import load
from tuppence.config.shipped import shipped
from tuppence.core.actions import FIX
from tuppence.core.answer.patch import Patch
from tuppence.core.routing.candidates import RoutingRequest
from tuppence.core.routing.router import choose
from tuppence.core.text.document import Document, Span
from tuppence.credentials import Keys
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.output.regions import line_changes

WHEN = datetime(2026, 11, 21, 12, tzinfo=UTC)
URI = "file:///a.py"


def measure(folder: Path) -> Iterator[Figure]:
    """Measure all of it."""
    with collected():
        yield from _router()
        yield from _route_jsonl(folder)
        yield Figure("the built-in tier table, read", milliseconds(_table), "ms")
        yield from _edits()


def _router() -> Iterator[Figure]:
    """Choose among all rows of the built-in table for real definitions, each the best of five."""
    models, times = load().models, []
    for code in definitions(200):
        took = []
        for _ in range(5):
            began = time.perf_counter()
            gain = shipped().gain("fix", "python", code)
            need = RoutingRequest(action=FIX, gain=gain, prompt_tokens=3000, target_tokens=600, when=WHEN)
            choose(need, models, {}, shipped())
            took.append(time.perf_counter() - began)
        times.append(min(took))
    yield Figure(f"a decision of the router among {len(models)} models, p50", statistics.median(times) * 1000, "ms")
    yield Figure("  p99", sorted(times)[int(0.99 * len(times))] * 1000, "ms")


def _route_jsonl(folder: Path) -> Iterator[Figure]:
    """Answer lines of real 60-line code, twenty at a time."""
    path = folder / "config.toml"
    path.write_text("", encoding="utf-8")
    router = Router(load(path, today=WHEN.date()), Keys({}), shipped(), WHEN)
    actions = ("fix", "explain", "tests", "review")
    asked = [
        json.dumps({"id": number, "action": actions[number % 4], "language": "python", "code": code}).encode()
        for number, code in enumerate(snippets(400))
    ]
    router.answer(asked[0])
    rates = []
    for start in range(0, len(asked), 20):
        began = time.perf_counter()
        answers = [json.dumps(router.answer(each)) for each in asked[start : start + 20]]
        rates.append(len(answers) / (time.perf_counter() - began))
    yield Figure("route --jsonl", statistics.median(rates), "lines/s")


def _table() -> None:
    config.builtin.cache_clear()
    load(today=WHEN.date())


def _edits() -> Iterator[Figure]:
    lines = [f"    value_{number} = compute({number})" for number in range(10_000)]
    text = "\n".join(lines)
    patch = Patch(Document(URI, "python", 1, text), Span(0, len(text)))
    reply = "```python\n" + "\n".join(each if number % 5 else f"{each}  # new" for number, each in enumerate(lines))
    chunks = [reply[at : at + 4] for at in range(0, len(reply), 4)]
    began = time.perf_counter()
    for chunk in chunks:
        patch.feed(chunk)
    each = (time.perf_counter() - began) / len(chunks)
    yield Figure("10,000 lines: a chunk of an answer", each * 1e6, "µs")
    document = Document(URI, "python", 1, f"{text}\n")
    wanted = "\n".join([*lines[:5000], "    other = 1", *lines[5001:], ""])
    batch = milliseconds(lambda: line_changes(document, wanted, Span(0, len(document.text)), document.text))
    yield Figure("10,000 lines: a batch of edits", batch, "ms")
    documents = Documents()
    documents.open(URI, "python", 1, "    value = compute(alpha, beta)  # and so on\n" * 10_000)
    here = types.Range(types.Position(3, 4), types.Position(3, 4))
    change = types.TextDocumentContentChangePartial(range=here, text="x\n")
    taken = milliseconds(lambda: documents.change(URI, 2, [change], Encoding.Utf16))
    yield Figure("10,000 lines: a keystroke taken in", taken, "ms")
