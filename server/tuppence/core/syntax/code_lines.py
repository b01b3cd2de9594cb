"""The lines of a piece of code, each split into code, code without string contents, and comment.

With a grammar, comments and strings are nodes. Without one, they are found line by line, by the language's comment mark
and by quotation marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.syntax import grammars
from tuppence.core.syntax.parser import SyntaxTree
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Span

_LINE = re.compile(r"\r\n|\n|\r")
_SAYS = re.compile(r"\w|[\"'`]")
_CLOSES = re.compile(r"(?:end|fi|done|esac)\W*")
"""Matches words that close a block, as a bracket does."""
_INSIDE = (
    *("string_content", "string_fragment", "multiline_string_fragment", "raw_string_content"),
    *("interpreted_string_literal_content", "raw_string_literal_content"),
)
"""The grammars' node types of the text in a string, without interpolated code."""
_BLANK = re.compile(r"[^\r\n]")


@dataclass(frozen=True, slots=True)
class CodeLine:
    """One line of code."""

    text: str
    """The line without its ending."""
    code: str
    """The code: ``text`` with comments and docstrings replaced by spaces."""
    bare: str
    """The code with the contents of strings also replaced by spaces."""
    note: str
    """The comment with its marks, if the line contains nothing else; otherwise empty."""

    @property
    def key(self) -> str:
        """The code without white space."""
        return "".join(self.code.split())

    @property
    def is_code(self) -> bool:
        """Whether the line has a word, a number or a string, and so is more than the end of a block."""
        return _SAYS.search(self.code) is not None and not _CLOSES.fullmatch(self.key)


def code_lines(tree: Tree, span: Span) -> tuple[CodeLine, ...]:
    """Return the lines of a span of whole lines, in order."""
    text = tree.text[span.start : span.end]
    if not isinstance(tree, SyntaxTree):
        return tuple(_line_without_grammar(line, tree) for line in _LINE.split(text))
    comments = _nodes(tree, [each for each in tree.language.comments.split() if "comment" in each], span)
    blocks = tree.definitions(span) if tree.language.docstring else ()
    docs = [block.doc for block in blocks if block.doc is not None]
    code = _blanked(text, span, (*comments, *docs))
    bare = _blanked(code, span, _nodes(tree, _INSIDE, span))
    return tuple(_lines(text, code, bare, _kept(text, span, comments)))


def _lines(*texts: str) -> Iterator[CodeLine]:
    for text, code, bare, notes in zip(*map(_LINE.split, texts), strict=True):
        # JSX encloses comments in braces.
        note = notes.strip() if "".join(code.split()) in ("", "{}") else ""
        yield CodeLine(text, code, bare, note)


def _nodes(tree: SyntaxTree, types: Sequence[str], span: Span) -> tuple[Span, ...]:
    assert tree.language.grammar is not None
    known = grammars.known_types(tree.language.grammar, tuple(types))
    return tree.queried(f"[{' '.join(f'({each})' for each in known)}] @it", span) if known else ()


def _blanked(text: str, span: Span, gone: Sequence[Span]) -> str:
    """Return the text of a span with other spans replaced by spaces, except for line endings."""
    pieces: list[str] = []
    done = 0
    for start, end in _within(gone, span):
        pieces += (text[done:start], _BLANK.sub(" ", text[max(done, start) : end]))
        done = max(done, end)
    return "".join((*pieces, text[done:]))


def _kept(text: str, span: Span, shown: Sequence[Span]) -> str:
    """Return the text of a span with everything but other spans replaced by spaces."""
    blank = _BLANK.sub(" ", text)
    pieces: list[str] = []
    done = 0
    for start, end in _within(shown, span):
        pieces += (blank[done:start], text[max(done, start) : end])
        done = max(done, end)
    return "".join((*pieces, blank[done:]))


def _within(spans: Sequence[Span], span: Span) -> list[tuple[int, int]]:
    """Return the ranges of spans relative to another span, in order."""
    return sorted((max(0, each.start - span.start), max(0, each.end - span.start)) for each in spans)


def _line_without_grammar(line: str, tree: Tree) -> CodeLine:
    code, mark, quote, at = list(line), tree.language.line_comment, "", 0
    bare = list(line)
    last = {each: line.rfind(each) for each in "\"'`"}
    while at < len(line):
        character = line[at]
        if quote:
            escaped = character == "\\"
            quote = "" if character == quote else quote
            if quote:
                bare[at : at + 1 + escaped] = " " * len(bare[at : at + 1 + escaped])
            at += escaped
        elif character in "\"'`":
            # An unclosed apostrophe does not start a string.
            quote = character if last[character] > at else ""
        elif line.startswith(mark, at):
            code[at:] = bare[at:] = " " * (len(line) - at)
            break
        at += 1
    rest = "".join(code)
    return CodeLine(line, rest, "".join(bare), line.strip() if not rest.strip() else "")
