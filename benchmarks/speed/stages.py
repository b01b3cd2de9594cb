"""What each stage between a question and its request costs: ``python -m benchmarks.speed.stages``.

The request is prepared in this process. A figure is processor time of the stage's own thread, a median over requests
each of which is about a new version of the text, so a busy machine hardly changes it. A stage inside another one is
part of that one's figure too. Below the table is how often work was handed to another thread: each time costs a wait,
of a tenth of a millisecond where nothing else runs and of milliseconds on a busy machine.
"""

from __future__ import annotations

import asyncio
import functools
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STAGES = {
    "parse, from the version before": "tuppence.core.syntax.parser:parse",
    "the definitions of the file": "tuppence.core.syntax.parser:SyntaxTree.blocks",
    "the definitions around, the conventions": "tuppence.workspace.workspace:Workspace.surroundings",
    "the context": "tuppence.core.prompt.context:gather",
    "  of it, where the file may be cut": "tuppence.core.prompt.context:breaks",
    "the prompt, composed": "tuppence.engine.prepare:compose",
    "secrets": "tuppence.engine.prepare:disclose",
    "  of it, the search of one text": "tuppence.engine.disclosure.disclosure:SecretScanner.find",
    "the most tokens that it can be": "tuppence.engine.prepare:measure",
    "the router's question": "tuppence.engine.prepare:_need",
    "  of it, how hard the code is": "tuppence.core.routing.quality:QualityModel.gain",
    "the router's choice": "tuppence.engine.choice:choose",
    "what the project can import": "tuppence.engine.prepare:_grounds",
    "cache marks": "tuppence.engine.prompt_cache:PromptCache.marked",
    "the body, encoded": "tuppence.providers.openai:request",
}
"""Each stage and the function that is it."""
HANDED = {"another thread, besides the ledger's": "asyncio.base_events:BaseEventLoop.run_in_executor"}
"""What hands work over."""
SIZES = {300: 38, 2_000: 250}
TIMES = 15


async def main() -> None:
    """Print a table in Markdown."""
    sys.path[:0] = [str(ROOT / each) for each in ("tests/support", "demo")]
    columns = [await measured(count) for count in SIZES.values()]
    print("| stage | " + " | ".join(f"{lines:,} lines, ms" for lines in SIZES) + " |")
    print("|---|" + "--:|" * len(SIZES))
    for label in (*STAGES, "all of it, in all threads"):
        print(f"| {label} | " + " | ".join(f"{column.get(label, 0.0):.1f}" for column in columns) + " |")
    for label in HANDED:
        print(f"Handed to {label}: {columns[0][label] / 1000:.0f} times")


async def measured(count: int) -> dict[str, float]:
    """Return the milliseconds of each stage for a text of so many definitions."""
    from scripted_provider import in_thread, stall
    from server import CONFIG, environment

    from benchmarks.speed.requests import text_of
    from tuppence.config import Watched
    from tuppence.engine.open_session import open_session

    with tempfile.TemporaryDirectory() as name, in_thread() as upstream:
        folder = Path(name)
        os.environ.update(environment(folder / "home"))
        (folder / "project").mkdir()
        (folder / "config.toml").write_text(CONFIG.format(wire="openai", base=upstream.openai), encoding="utf-8")
        upstream.always(stall("```python\n"))
        session, _ = open_session(Watched(folder / "config.toml"), [folder / "project"], lambda _path: None, {})
        text, rounds = text_of(count), list[dict[str, float]]()
        old, edits = None, ()
        with _timed() as spent:
            for number in range(TIMES + 3):
                spent.clear()
                began = time.process_time()
                old, edits, text = await _one(session, folder / "project" / "a.py", text, number, (old, edits))
                rounds.append({**spent, "all of it, in all threads": time.process_time() - began})
        await session.close()
        await session.upstream.close()
        session.ledger.close()
    return {
        label: statistics.median(each.get(label, 0.0) for each in rounds[3:]) * 1000
        for label in (*STAGES, *HANDED, "all of it, in all threads")
    }


async def _one(session: Any, path: Path, text: str, number: int, before: Any) -> Any:
    """Ask once, up to the request; return the tree, and the next version's edit and text."""
    from tuppence.core import actions
    from tuppence.core.syntax import parser
    from tuppence.core.syntax.languages import language
    from tuppence.core.syntax.target import find_target
    from tuppence.core.text.diagnostic import Diagnostic
    from tuppence.core.text.document import Document, Edit, Span, apply
    from tuppence.engine.request import Request, open_receipt
    from tuppence.engine.run import run

    tree = parser.parse(text, language("python"), *before)
    document = Document(path.as_uri(), "python", number, text)
    at = text.index(f"def f{number}(") + len("def ")
    target = find_target(document, tree, Span(at, at))
    assert target is not None
    said = Diagnostic(span=Span(at, at), severity="error", message="undefined name")
    request = Request(
        run=f"run{number}", action=actions.FIX, document=document, tree=tree, target=target, path=path,
        diagnostics=(said,),
    )  # fmt: skip
    sent = asyncio.Event()
    batches = session.upstream.batches
    try:
        session.upstream.batches = _noted(batches, sent)
        steps = run(request, session, open_receipt(request, session))
        going = asyncio.create_task(_exhaust(steps))
        await sent.wait()
        going.cancel()
        with suppress(asyncio.CancelledError):
            await going
    finally:
        session.upstream.batches = batches
    where = text.index("print", len(text) // 2)
    edit = Edit(Span(where, where), "x")
    return tree, (edit,), apply(text, (edit,))


async def _exhaust(steps: Any) -> None:
    async for _ in steps:
        pass


def _noted(answer: Callable[..., Any], sent: asyncio.Event) -> Callable[..., Any]:
    """Return what answers as before, and sets the event once the request is on its way."""

    async def noted(*arguments: Any) -> Any:
        async for piece in answer(*arguments):
            sent.set()
            yield piece

    return noted


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Add up the processor time of each stage while the block runs."""
    spent: dict[str, float] = defaultdict(float)
    undo = []
    for label, name in (STAGES | HANDED).items():
        module, _, path = name.partition(":")
        owner: Any = import_module(module)
        *outer, last = path.split(".")
        for each in outer:
            owner = getattr(owner, each)
        plain = getattr(owner, last)
        setattr(owner, last, (_counted if label in HANDED else _added)(plain, label, spent))
        undo.append((owner, last, plain))
    try:
        yield spent
    finally:
        for owner, last, plain in undo:
            setattr(owner, last, plain)


def _counted(plain: Callable[..., Any], label: str, counts: dict[str, float]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def counted(*arguments: Any, **named: Any) -> Any:
        counts[label] += 1
        return plain(*arguments, **named)

    return counted


def _added(plain: Callable[..., Any], label: str, spent: dict[str, float]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return plain(*arguments, **named)
        finally:
            spent[label] += time.thread_time() - began

    return timed


if __name__ == "__main__":
    asyncio.run(main())
