"""A second look at an answer that edits Python: ruff, on the text as it was and as it would be.

It works on the would-be text, so it serves every editor, whatever that has applied or not. A linter that fails or is
too slow has nothing to say: then nothing is claimed, and a doubt says that it could not run.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from tuppence.core.checks.diagnostic_diff import EditUnderReview, ToolReport, compare, with_diagnostics
from tuppence.core.checks.verdict import Verdict
from tuppence.core.text.diagnostic import Diagnostic, is_ruff
from tuppence.core.text.document import Document, apply
from tuppence.linters.process import CouldNotRun
from tuppence.linters.ruff import speak


async def recheck(verdict: Verdict, case: EditUnderReview, document: Document, path: Path | None) -> Verdict:
    """Return the verdict on an answer with what ruff found out; for other languages than Python as it was."""
    after = replace(document, text=apply(document.text, case.edits))
    code = case.chosen.code if case.chosen and is_ruff(case.chosen) else ""
    try:
        was, now = await asyncio.gather(speak(document, path, code), speak(after, path, code))
    except CouldNotRun as error:
        return replace(verdict, doubts=(*verdict.doubts, str(error)))
    if was is None or now is None:
        return verdict
    case = replace(case, chosen=_as_ruff_says(case.chosen, was))
    change = await asyncio.to_thread(compare, case, ToolReport(document, was), ToolReport(after, now))
    return with_diagnostics(verdict, change, case.chosen, "ruff finds no new error")


def _as_ruff_says(chosen: Diagnostic | None, said: tuple[Diagnostic, ...]) -> Diagnostic | None:
    """Return ruff's own words for what another tool said: an error at the very same place is the same error."""
    if chosen is None or is_ruff(chosen):
        return chosen
    same = (each for each in said if each.severity == "error" and each.span == chosen.span)
    return next(same, chosen)
