"""The impure part of checking and fixing: the project's own linter, run as a program.

Tier 0 lives here: where the linter that spoke has a fix of its own that it marks safe, no model is asked. Only ruff is
known so far. Nothing is written to disk; the linter reads the buffer from standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from tuppence.core.diagnostic import Diagnostic
from tuppence.core.text import Document, Edit, Span

SECONDS = 5.0
"""How long a linter may take; a usual run is over after ten milliseconds."""


async def safe_fix(document: Document, diagnostic: Diagnostic, path: Path | None) -> tuple[Edit, ...]:
    """Return the edits of the linter's own safe fix for a diagnostic, none where it has none.

    :param diagnostic: one that the user chose; a fix for anything else is not touched.
    """
    if document.language != "python" or not _ruff_said(diagnostic):
        return ()
    arguments = ["--select", diagnostic.code] if diagnostic.code else []
    for entry in await _ruff(document, path, arguments):
        fix = entry.get("fix")
        if not fix or fix.get("applicability") != "safe" or entry.get("code") != diagnostic.code:
            continue
        if _span(document, entry["location"], entry["end_location"]).touches(diagnostic.span):
            return tuple(
                Edit(_span(document, edit["location"], edit["end_location"]), edit["content"]) for edit in fix["edits"]
            )
    return ()


async def lint(document: Document, path: Path | None) -> tuple[Diagnostic, ...]:
    """Return what ruff says about a Python document with the project's own settings; nothing for other languages."""
    if document.language != "python":
        return ()
    return tuple(
        Diagnostic(
            span=_span(document, entry["location"], entry["end_location"]),
            message=entry["message"],
            severity="error" if not entry.get("code") or entry["code"].startswith(("F8", "E9")) else "warning",
            source="ruff",
            code=entry.get("code") or "",
        )
        for entry in await _ruff(document, path, [])
    )


def _ruff_said(diagnostic: Diagnostic) -> bool:
    return "ruff" in diagnostic.source.lower()


async def _ruff(document: Document, path: Path | None, arguments: list[str]) -> list[dict[str, Any]]:
    """Run ruff on the buffer; a linter that fails has nothing to say, and a model is asked instead."""
    from ruff import find_ruff_bin

    name = str(path) if path else "buffer.py"
    command = ["check", "--no-cache", "--output-format", "json", "--stdin-filename", name, *arguments, "-"]
    try:
        process = await asyncio.create_subprocess_exec(
            find_ruff_bin(),
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return []
    try:
        out, _ = await asyncio.wait_for(process.communicate(document.text.encode()), SECONDS)
    except TimeoutError:
        return []
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    try:
        entries = json.loads(out)
    except ValueError:
        return []
    return [entry for entry in entries if isinstance(entry, dict)]


def _span(document: Document, start: dict[str, int], end: dict[str, int]) -> Span:
    """Convert ruff's rows and columns, which count from 1 and in code points."""
    first = _offset(document, start)
    return Span(first, max(first, _offset(document, end)))


def _offset(document: Document, place: dict[str, int]) -> int:
    row = place["row"] - 1
    if row >= document.line_count:
        return len(document.text)
    return min(len(document.text), document.line_starts[row] + place["column"] - 1)
