"""Ruff, run as a program on the buffer, with the project's own settings: what it says, its own safe fixes, its layout.

Nothing is written to disk; it reads the buffer from standard input.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

from tuppence.core.pauses import pause
from tuppence.core.text.diagnostic import Diagnostic, is_layout, is_ruff, rated
from tuppence.core.text.document import Document, Edit, Span
from tuppence.linters.process import CouldNotRun, run

_MARK = "\ufeff"
_FAILED = 2
"""Ruff's exit status where it could not do what it was asked for."""
_SHARE = 100
"""Number of diagnostics that are read between two pauses."""


async def safe_fix(document: Document, diagnostic: Diagnostic, path: Path | None) -> tuple[Edit, ...]:
    """Return the edits of the linter's own safe fix for a diagnostic, none where it has none.

    :param diagnostic: one that the user chose; a fix for anything else is not touched. Another linter's is taken where
        it is on layout, whose rules ruff knows by the same names.
    """
    if document.language != "python" or not (is_ruff(diagnostic) or is_layout(diagnostic)):
        return ()
    arguments = ["--select", diagnostic.code] if diagnostic.code else []
    try:
        if edits := _fitting(document, diagnostic, await _check(document, path, arguments)):
            return edits
        if not is_layout(diagnostic):
            return ()
        # Many rules on layout are ruff's only on trial.
        return _fitting(document, diagnostic, await _check(document, path, ["--preview", *arguments]))
    except CouldNotRun:
        return ()


async def laid_out(document: Document, lines: Span, path: Path | None) -> str | None:
    """Return a Python document with some of its lines as ruff formats them, quotes aside; None where it cannot."""
    first, last = document.line_at(lines.start), document.line_at(lines.end)
    width = len(document.slice(document.line_span(last)))
    arguments = [f"--range={first + 1}:1-{last + 1}:{width + 1}", "--config", 'format.quote-style="preserve"']
    try:
        out = await _ruff(document, path, ["format", *arguments])
        return out.decode() if out else None
    except (CouldNotRun, UnicodeDecodeError):
        return None


async def lint(document: Document, path: Path | None) -> tuple[Diagnostic, ...]:
    """Return what ruff says about a Python document with the project's own settings; nothing for other languages.

    Nothing too where ruff cannot run: the check of the answer says so (linters/recheck.py).
    """
    try:
        return await speak(document, path) or ()
    except CouldNotRun:
        return ()


async def speak(document: Document, path: Path | None, code: str = "") -> tuple[Diagnostic, ...] | None:
    """Return what ruff says; None where it has nothing to say, because the document is none for it.

    :param code: a rule that is asked too, whatever the project's settings say.
    :raises CouldNotRun: ruff failed.
    """
    if document.language != "python":
        return None
    arguments = [f"--extend-select={code}"] if code else []
    if (entries := await _check(document, path, arguments)) is None:
        return None
    return await asyncio.to_thread(_diagnostics, document, entries)


def _diagnostics(document: Document, entries: list[dict[str, Any]]) -> tuple[Diagnostic, ...]:
    found: list[Diagnostic] = []
    for at in range(0, len(entries), _SHARE):
        pause()
        found += (rated(_diagnostic(document, entry)) for entry in entries[at : at + _SHARE])
    return tuple(found)


def _diagnostic(document: Document, entry: dict[str, Any]) -> Diagnostic:
    span = span_of(document, entry["location"], entry["end_location"])
    return Diagnostic(span, entry["message"], source="ruff", code=entry.get("code") or "")


def _fitting(document: Document, diagnostic: Diagnostic, said: list[dict[str, Any]] | None) -> tuple[Edit, ...]:
    """Return the safe fix of the entry that is the diagnostic."""
    entries = [entry for entry in said or () if entry.get("code") == diagnostic.code]
    spans = [span_of(document, entry["location"], entry["end_location"]) for entry in entries]
    # The editor's diagnostic may be of a version that is older by a keystroke, so one that only touches will do.
    near = [entry for entry, span in zip(entries, spans, strict=True) if span.touches(diagnostic.span)]
    same = [entry for entry, span in zip(entries, spans, strict=True) if span == diagnostic.span]
    return next((edits for entry in same or near if (edits := edits_of(document, entry))), ())


def edits_of(document: Document, entry: dict[str, Any]) -> tuple[Edit, ...]:
    """Return an entry's fix where ruff, with the project's settings, marks it safe."""
    fix = entry.get("fix")
    if not fix or fix.get("applicability") != "safe":
        return ()
    edits = fix["edits"]
    return tuple(Edit(span_of(document, each["location"], each["end_location"]), each["content"]) for each in edits)


async def _check(document: Document, path: Path | None, arguments: list[str]) -> list[dict[str, Any]] | None:
    """Let ruff look at the buffer; return what it says, None for a text that it cannot be given.

    :raises CouldNotRun: it failed.
    """
    out = await _ruff(document, path, ["check", "--output-format", "json", *arguments])
    if out is None:
        return None
    try:
        entries = await asyncio.to_thread(json.loads, out)  # Up to 4 MB, for a file with many mistakes.
    except ValueError as error:
        raise CouldNotRun("ruff", "what it says is no JSON") from error
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else None


async def _ruff(document: Document, path: Path | None, arguments: list[str]) -> bytes | None:
    """Run ruff on the buffer; return what it writes, None for a text that it cannot be given.

    :raises CouldNotRun: it cannot be run, or it failed.
    """
    # What belongs to no project gets ruff's own settings, not those of the folder that the editor was started in.
    place = ["--stdin-filename", str(path)] if path else ["--isolated", "--stdin-filename", "buffer.py"]
    try:
        text = document.text.encode()
    except UnicodeEncodeError:  # Half a surrogate pair: ruff reads UTF-8 only.
        return None
    done = await run("ruff", [_program(), *arguments, "--no-cache", *place, "-"], text)
    if done.status not in range(_FAILED):
        raise CouldNotRun("ruff", done.complaint.replace("ruff failed Cause: ", "") or f"it ended with {done.status}")
    return done.out


@cache
def _program() -> str:
    """Return the path of the installed ruff.

    :raises CouldNotRun: it is not installed.
    """
    from ruff import find_ruff_bin

    try:
        return str(find_ruff_bin())
    except FileNotFoundError as error:
        raise CouldNotRun("ruff", "it is not installed") from error


def span_of(document: Document, start: dict[str, int], end: dict[str, int]) -> Span:
    """Convert ruff's rows and columns, which count from 1 and in code points, a byte order mark aside."""
    first = _offset(document, start)
    return Span(first, max(first, _offset(document, end)))


def _offset(document: Document, place: dict[str, int]) -> int:
    row = place["row"] - 1
    if row >= document.line_count:
        return len(document.text)
    mark = 1 if row == 0 and document.text.startswith(_MARK) else 0
    return min(len(document.text), document.line_starts[row] + mark + place["column"] - 1)
