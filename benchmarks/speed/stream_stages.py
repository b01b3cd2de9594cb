"""What each stage of an answer that streams costs: ``python -m benchmarks.speed.stream_stages``.

A figure is processor time of the event loop's thread for one line of the answer, the least of some rounds, so a busy
machine hardly changes it. Each line comes from the provider as an event and a chunk of HTTP of its own: one in each
read, as where one answer streams slowly, and eight in each, as where many do.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LINES = 320
TARGETS = (600, 6_000)
"""Lines of the function that an answer replaces."""
AT_ONCE = (1, 8)
"""Lines in one read."""
ROUNDS = 5


def main() -> None:
    """Print a table in Markdown."""
    sys.path[:0] = [str(ROOT / each) for each in ("server", "tests/support", "demo")]
    print("| stage | " + " | ".join(f"{count} a read, µs" for count in AT_ONCE) + " |")
    print("|---|" + "--:|" * len(AT_ONCE))
    _row("from the socket to the text of the answer", _read)
    _row("from the text to the edits that show it", _built)
    for size in TARGETS:
        _row(f"from the edits to the document that shows them, in {size:,} lines", partial(_drafted, size))


def _row(name: str, work: Callable[[int], Coroutine[Any, Any, float]]) -> None:
    """Print what a stage costs, which returns its seconds for an answer of so many lines a read."""
    least = [min(asyncio.run(work(count)) for _ in range(ROUNDS)) / LINES * 1e6 for count in AT_ONCE]
    print(f"| {name} | " + " | ".join(f"{each:.0f}" for each in least) + " |", flush=True)


async def _read(count: int) -> float:
    """Return the seconds from the socket to the answer's pieces."""
    from tuppence.core.models.model import Model, Provider
    from tuppence.core.prompt.compose import Prompt
    from tuppence.upstream import ModelClient

    async with _provider(count) as port:
        model = Model(provider=Provider("plain", "openai", f"http://127.0.0.1:{port}/v1", None), id="m", tier="budget")
        client, began = ModelClient(), 0.0
        async with aclosing(client.batches(Prompt("s", ("f",), "t", 100), model, None)) as batches:
            async for _ in batches:
                began = began or time.thread_time()
        spent = time.thread_time() - began
        await client.close()
    return spent


@asynccontextmanager
async def _provider(count: int) -> AsyncIterator[int]:
    """Have a process of its own send lines, so many at once, some hundred times a second; give its port."""
    command = [sys.executable, "-m", "benchmarks.speed.plain_provider", str(LINES), "400", str(count)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield int(await process.stdout.readline())
    finally:
        process.kill()
        await process.wait()


def _function(lines: int) -> str:
    return "def f(a, b):\n" + "".join(f"    x{number} = a\n" for number in range(lines)) + "    return a + b\n"


def _answer() -> list[str]:
    return [f"    x{number} = {10**9 + number}\n" for number in range(LINES)]


async def _built(count: int) -> float:
    """Return the seconds from the answer's text to drafts of edits."""
    from tuppence.core.answer.patch import Patch
    from tuppence.core.text.document import Document, Span

    text = _function(TARGETS[0])
    patch = Patch(Document("file:///a.py", "python", 1, text), Span(0, len(text) - 1))
    patch.feed("```python\ndef f(a, b):\n")
    lines = _answer()
    began = time.thread_time()
    for at in range(0, len(lines), count):
        patch.feed("".join(lines[at : at + count]))
    return time.thread_time() - began


async def _drafted(size: int, count: int) -> float:
    """Return the seconds from drafts of edits to a document with them, the editor's own work left out."""
    from lsprotocol import types

    from tuppence.core.answer.patch import Patch
    from tuppence.core.text.document import Span
    from tuppence.lsp.documents.capabilities import ClientCapabilities
    from tuppence.lsp.documents.convert import Encoding
    from tuppence.lsp.documents.store import Documents
    from tuppence.lsp.output.writer import Writer

    class Editor:
        """Takes each draft at once."""

        capabilities = ClientCapabilities(name="plain", apply_edit=True, document_changes=True, streams=True)
        encoding = Encoding.Utf16

        def __init__(self) -> None:
            self.documents = Documents()
            self.documents.open("file:///a.py", "python", 1, text)

        async def draft(self, params: Any) -> bool:
            """Take a draft."""
            changes = [types.TextDocumentContentChangePartial(each.range, each.new_text) for each in params["edits"]]
            self.documents.change("file:///a.py", params["version"] + 1, changes[::-1], self.encoding)
            return True

        async def apply(self, edit: types.WorkspaceEdit, label: str) -> bool:
            """Take nothing: no answer is finished here."""
            raise NotImplementedError(edit, label)

    text = _function(size)
    editor, target = Editor(), Span(0, len(text) - 1)
    document = editor.documents.get("file:///a.py")
    assert document is not None
    patch, lines = Patch(document, target), _answer()
    patch.feed("```python\ndef f(a, b):\n")
    drafts = [patch.feed("".join(lines[at : at + count])) for at in range(0, len(lines), count)]
    writer = Writer(editor, document, target, "run")
    began = time.thread_time()
    for edits in drafts:
        writer.draft(edits)
        for _ in range(6):
            await asyncio.sleep(0)
    spent = time.thread_time() - began
    writer.close()
    return spent


if __name__ == "__main__":
    main()
