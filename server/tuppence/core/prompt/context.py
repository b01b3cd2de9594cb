"""The context for the model: the target in its file, diagnostics, definitions from elsewhere, conventions.

What does not fit is cut, and ``Context.cut`` lists each cut. Content that requests share is cut in this order: the
project's conventions; top-level definitions of the file far from the target, the farthest first, down to their headers;
then all lines far from the target. Content of this request alone has an eighth of the room to itself, plus what the
rest leaves unused: definitions from other files, the least used cut first. The target is never cut: if it does not fit
by itself, the request raises Unfit. Two requests about one file that fits get the same bytes, whatever their targets.
"""

from __future__ import annotations

from dataclasses import dataclass

from tuppence.core.models.usage import estimate, estimate_length
from tuppence.core.prompt.excerpt import excerpt
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Block, Tree, once_per_tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document
from tuppence.errors import Unfit

_NAMED = 3
"""Left out definitions that are named to the user; the others are counted."""
_MOVING = 8
"""The fraction of the budget, 1/8, that neither the file nor the conventions may use."""
_FRAME = 40
"""Tokens that the words around a block take: a fence, a heading, a path."""
LEAST = 150
"""Tokens from which on a block may end before a definition that stands in no other."""
MOST = 350
"""Tokens from which on it may end before any definition."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition from elsewhere in the project that the target uses."""

    path: str
    """Relative to the project, with ``/``."""
    name: str
    text: str
    """Its signature and documentation."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The parts of the project that are relevant to the target."""

    definitions: tuple[Definition, ...] = ()
    """Most used first."""
    conventions: str = ""
    """Excerpts of the project's own rules; the same bytes for every request."""


@dataclass(frozen=True, slots=True)
class Question:
    """The request for which the context is gathered."""

    document: Document
    tree: Tree
    target: Target
    diagnostics: tuple[Diagnostic, ...] = ()
    """All that may matter; those that do not touch the target are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The content shown to the model."""

    document: Document
    language: Language
    target: Target
    diagnostics: tuple[Diagnostic, ...]
    """Those that touch the target, in its order."""
    file: str
    """The file's text as sent; a comment says how many lines were left out where."""
    breaks: tuple[int, ...] = ()
    """Offsets in ``file`` at which it may be split into blocks for the provider's cache. Empty if lines were left
    out: which ones depends on the target, so no other request shares the text."""
    definitions: tuple[Definition, ...] = ()
    conventions: str = ""
    cut: tuple[str, ...] = ()
    """What was left out, one sentence each, for the user."""


def gather(question: Question, surroundings: Surroundings, budget_tokens: int) -> Context:
    """Return what fits into the budget, in tokens.

    :raises Unfit: the target and its diagnostics do not fit by themselves.
    """
    document, target = question.document, question.target
    diagnostics = _touching(question)
    fixed = sum(estimate(each.message) + _FRAME // 2 for each in diagnostics) + _FRAME
    least = fixed + estimate(document.slice(target.span))
    if least > budget_tokens:
        lines = document.line_at(target.span.end) - document.line_at(target.span.start) + 1
        raise Unfit(
            f"{_called(target)} has {lines} line{'s' * (lines != 1)}, about {least} tokens: more than the "
            f"{budget_tokens} that there is room for.",
            "Select a smaller part.",
        )
    # What differs between two requests must not decide what they share: it has a room of its own, as far as it can.
    room = budget_tokens - max(fixed, budget_tokens // _MOVING)
    whole = estimate(document.text)
    conventions, definitions, cut = surroundings.conventions, surroundings.definitions, []
    if whole + _conventions(conventions) > room and conventions:
        conventions = ""
    definitions = _fitting(definitions, budget_tokens - fixed - min(whole, room) - _conventions(conventions))
    if len(definitions) < len(surroundings.definitions):
        cut.append(_lacking(surroundings.definitions[len(definitions) :]))
    if conventions != surroundings.conventions:
        cut.append("The project's conventions were left out: there was no room for them.")
    file, left_out = excerpt(document, question.tree, target.span, room)
    if left_out:
        cut.append(f"{left_out} of the file's {document.line_count} lines, those far from the target, were left out.")
    return Context(
        document=document,
        language=question.tree.language,
        target=target,
        diagnostics=diagnostics,
        file=file,
        breaks=() if left_out else breaks(question.tree),
        definitions=definitions,
        conventions=conventions,
        cut=tuple(cut),
    )


def _touching(question: Question) -> tuple[Diagnostic, ...]:
    found = {each for each in question.diagnostics if each.span.touches(question.target.span)}
    return tuple(sorted(found, key=lambda each: (each.span, each.message, each.code)))


def _conventions(text: str) -> int:
    return estimate(text) + _FRAME if text else 0


def _fitting(definitions: tuple[Definition, ...], room: int) -> tuple[Definition, ...]:
    """Return the first definitions, as many as fit."""
    for count, each in enumerate(definitions):
        room -= estimate(each.path + each.text) + _FRAME
        if room < 0:
            return definitions[:count]
    return definitions


def _lacking(definitions: tuple[Definition, ...]) -> str:
    names = ", ".join(f"`{each.name}`" for each in definitions[:_NAMED])
    more = f" and {len(definitions) - _NAMED} more" if len(definitions) > _NAMED else ""
    return f"Definitions from other files were left out: {names}{more}."


def _called(target: Target) -> str:
    return f"`{target.name}`" if target.name else "The selection"


def outline(tree: Tree) -> None:
    """Find out ahead, once for a tree, what each request about it asks of all its definitions."""
    tree.import_statements()
    breaks(tree)


@once_per_tree
def breaks(tree: Tree) -> tuple[int, ...]:
    """Return the offsets, each at the start of a line, at which the text may be cut."""
    found: list[int] = []
    last = outer = 0
    for block in tree.blocks():
        start = _line_start(tree, block)
        size = estimate_length(start - last)
        if size >= (LEAST if block.span.start >= outer else MOST):
            found.append(start)
            last = start
        outer = max(outer, block.span.end)
    return tuple(found)


def _line_start(tree: Tree, block: Block) -> int:
    """Return where the lines of a definition begin, the comment above it among them."""
    first = min(block.span.start, block.doc.start) if block.doc else block.span.start
    return tree.lines.line_starts[tree.lines.line_at(first)]
