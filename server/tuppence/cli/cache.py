"""``tuppence cache``: the prompt-cache hits of the last requests, and the cached answers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuppence.cache import AnswerStore, Traces
from tuppence.cache.traces import REMEMBERED
from tuppence.cli._terminal import console, safe, say_json
from tuppence.core.prompt_cache.state import Trace

HELP = "show what requests found in the prompt caches, and why; clear the kept answers"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--last", type=_count, default=10, metavar="N", help="the last N requests (default 10)")
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--json", action="store_true", help="print the same as JSON")
    way.add_argument("--clear", action="store_true", help="forget the kept answers and these requests")


def run(arguments: argparse.Namespace) -> int:
    """Print the report, or clear the file, and return the exit code."""
    answers = AnswerStore()
    terminal = console()
    try:
        if arguments.clear:
            count = answers.clear() if answers.path.exists() else 0
            terminal.print(f"Forgot {count} kept {'answer' if count == 1 else 'answers'}.")
            return 0
        # Showing the cache must not create its file.
        traces = Traces(answers.file).all()[-arguments.last :] if answers.path.exists() else ()
        count, size = answers.size() if answers.path.exists() else (0, 0)
    finally:
        answers.close()
    if arguments.json:
        kept = {"answers": count, "bytes": size, "path": str(answers.path)}
        say_json({"requests": [_row(each) for each in traces], "kept": kept})
        return 0
    show(traces, terminal)
    terminal.print(f"Kept answers: {count}, {size / 1e6:.1f} MB in {answers.path}", soft_wrap=True)
    return 0


def show(traces: Sequence[Trace], console: Console) -> None:
    """Print the last requests, newest first."""
    if not traces:
        console.print("No request is remembered.")
        return
    table = Table(title="Last requests", title_justify="left", box=None, pad_edge=False)
    for name in ("when", "action", "file", "model", "from the cache"):
        table.add_column(name, justify="right" if name == "from the cache" else "left", no_wrap=name != "model")
    table.add_column("why")
    for trace in reversed(traces):
        model = trace.model.rpartition("/")[2]
        row = (f"{trace.at.astimezone():%d %b %H:%M}", trace.action, trace.name, model, share(trace))
        table.add_row(*(Text(safe(cell)) for cell in row), Text(safe(trace.why)))
    console.print(table)


def share(trace: Trace) -> str:
    """Return in words what share of the prompt was read from the cache."""
    if trace.prompt is None or trace.read is None:
        return "unknown"
    return f"{trace.read} of {trace.prompt}"


def _row(trace: Trace) -> dict[str, Any]:
    return {
        "at": trace.at.isoformat(),
        "run": trace.run,
        "action": trace.action,
        "file": trace.name,
        "model": trace.model,
        "prompt": trace.prompt,
        "read": trace.read,
        "written": trace.written,
        "expected": trace.expected,
        "blocks": [{"name": link.name, "tokens": link.tokens, "digest": link.digest} for link in trace.links],
        "marks": list(trace.held),
        "why": trace.why,
    }


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= REMEMBERED:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of requests: write 1 to {REMEMBERED}')
    return int(text)
