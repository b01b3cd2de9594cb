"""Fixes that are there already, so that no model need be asked: tier 0.

A linter's own safe fix; a fix that the tool which complained sent along with the diagnostic, if it does no harm; the
layout of a few lines, where the complaint is of white space alone. Only ever for the diagnostic that the user chose.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuppence.core.checks.diagnostic_diff import EditUnderReview, silenced
from tuppence.core.checks.verdict import Verdict
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.python_ast import means_the_same
from tuppence.core.text.diagnostic import Diagnostic, is_layout, is_ruff
from tuppence.core.text.diff import single_edit
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.linters.recheck import recheck
from tuppence.linters.ruff import laid_out, safe_fix

_FARTHEST = 40
"""Lines that a fix which was sent along may lie away from its diagnostic, unless it is among the file's first lines."""
_MOST = 20
"""The most edits in such a fix."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A fix that costs nothing."""

    edits: tuple[Edit, ...]
    tool: str
    """The tool that made it, such as ``ruff``."""
    proved: str
    """The reason to trust it."""


async def ready_fix(document: Document, chosen: Diagnostic, path: Path | None) -> Ready | None:
    """Return a fix that needs no model, or None."""
    if edits := await safe_fix(document, chosen, path):
        return Ready(edits, "ruff", "the linter's own safe fix")
    if edits := await _sent_along(document, chosen, path):
        return Ready(edits, chosen.source or "its tool", "the fix that came with the diagnostic")
    if document.language == "python" and is_layout(chosen) and (edits := await _layout(document, chosen.span, path)):
        return Ready(edits, "ruff", "layout alone")
    return None


async def _sent_along(document: Document, chosen: Diagnostic, path: Path | None) -> tuple[Edit, ...]:
    """Return the edits that came with a diagnostic where they fit the text, and no check speaks against them."""
    # Ruff sends unsafe ones too, and does not say which; it was asked for its safe ones.
    if is_ruff(chosen) or not 0 < len(chosen.fix) <= _MOST or not _is_near(document, chosen):
        return ()
    try:
        after = apply(document.text, chosen.fix)
    except ValueError:
        return ()
    if after == document.text or silenced(document, after, (chosen,)):
        return ()
    row = language(document.language)
    if parse(after, row).faults() > parse(document.text, row).faults():
        return ()
    case = EditUnderReview(chosen=chosen, target=document.whole_lines(chosen.span), name="", edits=chosen.fix)
    verdict = await recheck(Verdict.accepted("parses"), case, document, path)
    return chosen.fix if verdict.fit else ()


def _is_near(document: Document, chosen: Diagnostic) -> bool:
    """Report whether a fix belongs where its diagnostic is: one made for an older text lies elsewhere."""
    line = document.line_at(chosen.span.start)
    lines = [document.line_at(edit.span.start) for edit in chosen.fix]
    here = document.whole_lines(chosen.span)
    touches = any(edit.span.touches(here) for edit in chosen.fix)
    return touches and all(abs(each - line) <= _FARTHEST or each <= _FARTHEST for each in lines)


async def _layout(document: Document, place: Span, path: Path | None) -> tuple[Edit, ...]:
    """Return the one edit that lays out the lines of a place, none where that would change more than white space."""
    after = await laid_out(document, document.whole_lines(place), path)
    if after is None or after == document.text or not means_the_same(document.text, after):
        return ()
    return single_edit(document.text, after)
