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

_MARK = "\ufeff"
_ERRORS = ("E9", "F811", "F82")
"""Rules of ruff that find what cannot work: syntax, names defined twice or not at all; a remark has no code."""
SECONDS = 5.0
"""How long a linter may take; a usual run is over after ten milliseconds."""


async def safe_fix(document: Document, diagnostic: Diagnostic, path: Path | None) -> tuple[Edit, ...]:
    """Return the edits of the linter's own safe fix for a diagnostic, none where it has none.

    :param diagnostic: one that the user chose; a fix for anything else is not touched.
    """
    if document.language != "python" or not _ruff_said(diagnostic):
        return ()
    arguments = ["--select", diagnostic.code] if diagnostic.code else []
    entries = [entry for entry in await _ruff(document, path, arguments) if entry.get("code") == diagnostic.code]
    spans = [_span(document, entry["location"], entry["end_location"]) for entry in entries]
    # The editor's diagnostic may be of a version that is older by a keystroke, so one that only touches will do.
    near = [entry for entry, span in zip(entries, spans, strict=True) if span.touches(diagnostic.span)]
    same = [entry for entry, span in zip(entries, spans, strict=True) if span == diagnostic.span]
    return next((edits for entry in same or near if (edits := _edits(document, entry))), ())


async def lint(document: Document, path: Path | None) -> tuple[Diagnostic, ...]:
    """Return what ruff says about a Python document with the project's own settings; nothing for other languages."""
    if document.language != "python":
        return ()
    return tuple(
        Diagnostic(
            span=_span(document, entry["location"], entry["end_location"]),
            message=entry["message"],
            severity="error" if (entry.get("code") or "E9").startswith(_ERRORS) else "warning",
            source="ruff",
            code=entry.get("code") or "",
        )
        for entry in await _ruff(document, path, [])
    )


def _edits(document: Document, entry: dict[str, Any]) -> tuple[Edit, ...]:
    """Return an entry's fix where ruff, with the project's settings, marks it safe."""
    fix = entry.get("fix")
    if not fix or fix.get("applicability") != "safe":
        return ()
    edits = fix["edits"]
    return tuple(Edit(_span(document, each["location"], each["end_location"]), each["content"]) for each in edits)


def _ruff_said(diagnostic: Diagnostic) -> bool:
    return "ruff" in diagnostic.source.lower()


async def _ruff(document: Document, path: Path | None, arguments: list[str]) -> list[dict[str, Any]]:
    """Run ruff on the buffer; a linter that fails has nothing to say, and a model is asked instead."""
    from ruff import find_ruff_bin

    # What belongs to no project gets ruff's own settings, not those of the folder that the editor was started in.
    place = ["--stdin-filename", str(path)] if path else ["--isolated", "--stdin-filename", "buffer.py"]
    command = ["check", "--no-cache", "--output-format", "json", *place, *arguments, "-"]
    try:
        text = document.text.encode()
    except UnicodeEncodeError:  # Half a surrogate pair: ruff reads UTF-8 only.
        return []
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
        out, _ = await asyncio.wait_for(process.communicate(text), SECONDS)
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
    """Convert ruff's rows and columns, which count from 1 and in code points, a byte order mark aside."""
    first = _offset(document, start)
    return Span(first, max(first, _offset(document, end)))


def _offset(document: Document, place: dict[str, int]) -> int:
    row = place["row"] - 1
    if row >= document.line_count:
        return len(document.text)
    mark = 1 if row == 0 and document.text.startswith(_MARK) else 0
    return min(len(document.text), document.line_starts[row] + mark + place["column"] - 1)
