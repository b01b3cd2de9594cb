"""Merge the import lines of an answer into the file's own imports.

Only real import statements of the file's language are taken; all else is skipped, so that an answer cannot smuggle in
code beside the target. Existing code is not moved, sorted or removed: a name is added to a statement that already
imports from its module if the line has room, and any other import becomes a line of its own after the last import.
Sorting imports is the formatter's task.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from textwrap import dedent

from tuppence.core.syntax.import_statements import Imported, ImportStatement, ImportStyle
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diff import backwards
from tuppence.core.text.document import Document, Edit, Span, apply

_WIDTH = 88
"""Maximum width in columns of a one-line statement that is extended."""


@dataclass(frozen=True, slots=True)
class _Merge:
    """The state of one merge."""

    style: ImportStyle
    there: tuple[ImportStatement, ...]
    """The file's import statements."""
    insertions: dict[int, str] = field(default_factory=dict)
    """The insertions so far, by offset."""

    def add(self, at: int, text: str) -> None:
        """Insert text after the earlier insertions at this offset."""
        self.insertions[at] = self.insertions.get(at, "") + text

    def width(self, statement: ImportStatement) -> int:
        """Return the current length of a one-line statement, insertions included."""
        inside = (text for at, text in self.insertions.items() if statement.span.start <= at <= statement.span.end)
        return len(statement.text) + sum(map(len, inside))

    def joined(self, each: Imported) -> bool:
        """Add a name to the first statement that has room for it; report whether one had."""
        for statement in self.there:
            insertion = self.style.join(statement, each)
            if insertion is None:
                continue
            if "\n" in statement.text or self.width(statement) + len(insertion[1]) <= _WIDTH:
                self.add(*insertion)
                return True
        return False


def merge(document: Document, tree: Tree, lines: str) -> tuple[Edit, ...]:
    """Return the insertions that add the import lines to the file; none if it has all of them.

    The insertions are in order and refer to the current document. A file that parsed still parses afterwards.
    """
    edits = insertions(document, tree, lines)
    if edits and tree.sound():
        after = parse(apply(document.text, edits), tree.language, tree, backwards(edits))
        return edits if after.sound() else ()
    return edits


def insertions(document: Document, tree: Tree, lines: str) -> tuple[Edit, ...]:
    """Return the insertions as :func:`merge` does, for a caller that itself checks whether the file still parses."""
    language, style = tree.language, tree.language.import_style
    there = (
        ImportStatement(span, document.slice(span), style.parse(document.slice(span)))
        for span in tree.import_statements()
    )
    state = _Merge(style, tuple(there))
    known = {each for statement in state.there for each in statement.brings}
    fresh: list[str] = []
    for statement in _wanted(lines, language):
        brings = style.parse(statement)
        lacking = tuple(each for each in brings if not style.covers(known, each))
        known.update(lacking)
        rest = tuple(each for each in lacking if not state.joined(each))
        if rest:
            fresh.append(statement if rest == brings else style.write(statement, rest))
    _place(document, tree, state, fresh)
    return tuple(Edit(Span(at, at), text) for at, text in sorted(state.insertions.items()))


def _wanted(lines: str, language: Language) -> list[str]:
    """Return the import statements among the lines."""
    text = dedent(lines.replace("\r\n", "\n").replace("\r", "\n")).strip("\n") + "\n"
    text = language.import_style.completed(text)
    tree = parse(text, language)
    statements = [text[span.start : span.end].rstrip() for span in tree.import_statements()]
    return [each for each in statements if _is_import_alone(each, language)]


def _is_import_alone(statement: str, language: Language) -> bool:
    """Report whether a statement parses or, if no grammar reads it, looks like nothing but an import."""
    if not language.import_style.is_parsed:
        return re.fullmatch(r"[^;()]*(\([^;()]*\))?;?", statement) is not None
    return parse(language.import_style.standalone(statement), language).sound()


def _place(document: Document, tree: Tree, state: _Merge, fresh: list[str]) -> None:
    """Insert new statements: ``__future__`` imports first, the others after the last import."""
    newline = document.newline
    future = [re.sub(r"\n", newline, each) for each in fresh if each.startswith("from __future__")]
    others = [re.sub(r"\n", newline, each) for each in fresh if not each.startswith("from __future__")]
    if not state.there:
        if fresh:
            _place_first(document, tree, state, (*future, *others))
        return
    if future:
        state.add(state.there[0].span.start, "".join(each + newline for each in future))
    if others:
        last = document.line_at(state.there[-1].span.end)
        state.add(document.line_span(last).end, "".join(newline + each for each in others))


def _place_first(document: Document, tree: Tree, state: _Merge, statements: tuple[str, ...]) -> None:
    """Insert the file's first imports, with a blank line on each side that has code."""
    newline, at = document.newline, tree.import_place()
    text = "".join(each + newline for each in statements)
    before, after = document.text[:at], document.text[at:]
    if before and not before.endswith(("\n", "\r")):
        text = newline + newline + text
    elif before.strip() and document.slice(document.line_span(document.line_at(at) - 1)).strip():
        text = newline + text
    if after and after[0] not in "\r\n":
        text += newline
    state.add(at, text)
