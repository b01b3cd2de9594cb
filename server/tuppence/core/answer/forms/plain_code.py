"""Convert a reply in any form (code, SEARCH/REPLACE blocks, a diff, JSON, numbered lines) to the target's new code.

A model is asked for the code itself, or for SEARCH/REPLACE blocks inside a long target; some models answer in another
form regardless. This module converts every form to code, so that later steps need not distinguish them. Blocks and
diffs are applied to the current text if each hunk occurs in it exactly once. A diff that changes a line outside the
target is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from tuppence.core.answer.forms.json_code import code_in_json
from tuppence.core.answer.forms.line_numbers import without_line_numbers
from tuppence.core.answer.forms.search_replace import apply_blocks, looks_like_search_replace, read_blocks
from tuppence.core.answer.forms.unified_diff import MalformedDiff, apply_diff, looks_like_diff
from tuppence.core.answer.reply import Fence, Parts, words
from tuppence.core.text.document import Document, Span
from tuppence.core.text.lines import split

_FORM = re.compile(r"@@|[-+<>=|{\[]|\[?L?\d+[\]:.|\s]|diff |\*\*\*|Index: ")
"""Matches the first line of a diff, a block, JSON or a numbered line."""
_DIFFS = frozenset({"diff", "patch", "udiff"})
"""Info words of a fence that holds a diff."""


def as_code(parts: Parts, document: Document, target: Span) -> Parts:
    """Return the parts of a reply with fences that hold the code itself, whatever form the reply has."""
    code = [fence for fence in parts.fences if not fence.imports]
    blocks = [fence for fence in code if looks_like_search_replace(fence.text, document.text)]
    if blocks:
        return _applied(parts, blocks, "blocks", lambda text: _with_blocks(text, document, target))
    diffs = [fence for fence in code if _is_diff(fence, document)]
    if diffs:
        return _applied(parts, diffs, "diff", lambda text: _with_diff(text, document, target))
    read = [(fence, "") if fence.imports else _unwrapped(fence, document, target) for fence in parts.fences]
    return replace(parts, fences=tuple(fence for fence, _ in read), form=next((form for _, form in read if form), ""))


def may_be_code(line: str) -> bool:
    """Report whether the first filled line of a fence may be code rather than the start of another form."""
    return _FORM.match(line.strip()) is None


def _applied(parts: Parts, fences: Sequence[Fence], form: str, read: Callable[[str], str]) -> Parts:
    """Return the parts with all code replaced by one fence: the target's text after the edits."""
    imports = tuple(fence for fence in parts.fences if fence.imports)
    if not all(fence.closed for fence in fences):
        return replace(parts, fences=(*fences, *imports), form=form)
    try:
        text = read("\n".join(fence.text for fence in fences))
    except ValueError as error:
        return replace(parts, fences=imports, form=form, refused=str(error))
    return replace(parts, fences=(Fence("", text, closed=True), *imports), form=form)


def _with_blocks(text: str, document: Document, target: Span) -> str:
    """Return the target's text after SEARCH/REPLACE blocks.

    :raises MalformedBlocks: the blocks cannot be read, or cannot be applied with certainty.
    """
    return apply_blocks(document.slice(target), read_blocks(text), document.newline)


def _with_diff(text: str, document: Document, target: Span) -> str:
    """Return the target's text after a diff of its file.

    :raises MalformedDiff: the diff cannot be read or applied with certainty, or changes text outside the target.
    """
    after = apply_diff(document.text, text)
    above, below = document.text[: target.start], document.text[target.end :]
    if not (after.startswith(above) and after.endswith(below) and len(after) >= len(above) + len(below)):
        raise MalformedDiff("The answer's diff changes lines outside of what it was asked for.")
    return after[len(above) : len(after) - len(below)]


def _is_diff(fence: Fence, document: Document) -> bool:
    is_named = bool(words(fence.info) & _DIFFS) and document.language not in _DIFFS
    return is_named or looks_like_diff(fence.text, document.text)


def _unwrapped(fence: Fence, document: Document, target: Span) -> tuple[Fence, str]:
    """Return a fence with its code unwrapped, and the name of the form; an empty name if it was plain code."""
    original = document.slice(target)
    if (code := code_in_json(fence.text, original, document.language)) is not None:
        return replace(fence, text=code, implicit=False), "JSON"
    lines = [line for line, _ in split(fence.text)]
    bare = without_line_numbers(lines, [line for line, _ in split(original)])
    return (fence, "") if bare is None else (replace(fence, text="\n".join(bare)), "line numbers")
