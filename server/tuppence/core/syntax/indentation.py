"""Parse a text without a grammar by its indentation and, if that gives no structure, by its brackets.

A block is a line and the deeper lines below it. Texts that are too large for a grammar are parsed this way too. Above
``BRACKETS`` code points, brackets are not examined.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Span

BRACKETS = 500_000
_DEFINES = re.compile(
    r"\s*+(?:(?:pub|public|private|protected|internal|static|final|abstract|override|export|default|async|local|open|"
    r"data|sealed|inline|virtual|extern|suspend|partial)\s++)*+"
    r"(?P<word>defmodule|defmacrop?|defp?|function|func|fun|fn|sub|proc|procedure|class|module|struct|interface|trait|"
    r"impl|enum|object|protocol|namespace|record|type)\b\s*(?P<name>[\w.:$?!]+)?"
)
_KINDS = {"class": "class", "object": "class", "record": "class", "protocol": "interface", "defmodule": "module"}
_SAME = frozenset({"module", "namespace", "struct", "interface", "trait", "impl", "enum", "type"})
_NAMED = re.compile(r"\s*+(?:(?:local|const|let|var|my|our)\s+)?([A-Za-z_$][\w.$]*+)\s*+(?:=|:|\(\)\s*\{)")
_CLOSES = re.compile(r"\s*+(?:[)\]}]|end\b|fi\b|done\b|esac\b|</)")
_CONTINUES = re.compile(r"\s*+(?:(?:\}\s*+)?(?:else|elsif|elif|catch|rescue|finally|ensure|except)\b|[{(]\s*$)")
_NAME = re.compile(r"[^\W\d]\w*")
_FEATURES = {
    "loops": re.compile(r"\b(?:for|foreach|while|until|loop|repeat|each)\b"),
    "branches": re.compile(r"\b(?:if|elif|elsif|elseif|unless|case|when|cond|match|switch)\b"),
    "async": re.compile(r"\b(?:async|await|coroutine|spawn|suspend)\b"),
    "try": re.compile(r"\b(?:try|rescue|catch|pcall)\b"),
    "closures": re.compile(r"(?:\bfn\b|\blambda\b|->|=>|\bfunction\s*\()"),
    "calls": re.compile(r"\b[^\W\d]\w*+\("),
}
_PAIRS = {")": "(", "]": "[", "}": "{"}
_STRINGS = r'"(?:\\.|[^"\\\n])*+"|' + r"'(?:\\.|[^'\\\n])*+'|`(?:\\.|[^`\\])*+`" + r"|\\[\\\"'`]"
"""Text in quotation marks, and an escaped mark, which opens nothing: otherwise each mark would be tried up to the
end of its line."""


class IndentationTree(Tree):
    """A text parsed by indentation and brackets."""

    _looked = 0
    """Number of lines examined while searching upwards."""

    def faults(self) -> int:
        """Return the number of unmatched brackets."""
        return len(self._brackets.lonely)

    def sound(self, span: Span | None = None) -> bool:
        """Report whether every bracket is matched."""
        return not any(span is None or span.start <= each < span.end for each in self._brackets.lonely)

    def enclosing(self, span: Span) -> Block | None:
        """Return the definition around the span, else the smallest indented block, else the innermost brackets."""
        first, last = self._line_at(span.start), self._line_at(max(span.start, span.end - 1))
        smallest: Block | None = None
        for line in self._headers(first):
            block = self._block(line)
            if block is None or self._line_at(block.span.end) < last:
                continue
            if _DEFINES.match(self._line(line)):
                return block
            smallest = smallest or block
        return smallest or self._bracketed(span)

    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks whose first line looks like a definition."""
        return self._blocks

    def import_statements(self) -> tuple[Span, ...]:
        """Return the unindented lines before the first definition that look like imports."""
        pattern = re.compile(self.language.import_line)
        found: list[Span] = []
        for line in range(self.lines.line_count):
            text = self._line(line)
            if pattern.match(text):
                found.append(self._span(line))
            elif found and _DEFINES.match(text):
                break
        return tuple(found)

    def import_place(self) -> int:
        """Return the offset after the comments at the top."""
        for line, start in enumerate(self.lines.line_starts):
            text = self._line(line)
            if not text.startswith(("#!", self.language.line_comment)):
                return start
        return len(self.text)

    def statement(self, span: Span) -> Span | None:
        """Return the top-level block that contains the span, None if there is none."""
        for line in reversed(self._headers(self._line_at(span.start))):
            block = self._block(line)
            if block is not None and block.span.covers(span):
                return block.span
        return None

    def names(self, span: Span) -> frozenset[str]:
        """Return every word inside the span."""
        return frozenset(_NAME.findall(self.text, span.start, span.end))

    def strings(self, span: Span) -> tuple[Span, ...]:
        """Return the texts in quotation marks of any kind."""
        return tuple(each for is_comment, each in self._marked if not is_comment and _share(each, span))

    def comments(self, span: Span) -> tuple[Span, ...]:
        """Return the comments: after the language's comment mark, and between ``/*`` and ``*/``."""
        return tuple(each for is_comment, each in self._marked if is_comment and _share(each, span))

    def counts(self, span: Span) -> Mapping[str, int]:
        """Count features by keywords, and nesting by indentation."""
        text = self.text[span.start : span.end]
        lines = [line for line in text.splitlines() if line.strip()]
        depths = sorted({_indent(line) for line in lines})
        counts = {name: len(pattern.findall(text)) for name, pattern in _FEATURES.items()}
        counts |= {"lines": len(lines), "depth": max(0, len(depths) - 2)}
        return {name: count for name, count in counts.items() if count}

    def _headers(self, line: int) -> list[int]:
        """Return the first lines of the blocks around a line, innermost first; the line itself may be one."""
        while line > 0 and self._depths[line] < 0:
            line -= 1
        if self._depths[line] < 0:
            return []
        found = [line]
        closing = _CLOSES.match(self._line(line)) or _CONTINUES.match(self._line(line))
        while self._depths[line] > 0 or closing:
            above = self._above(line, can_be_as_deep=bool(closing))
            if above < 0:
                break
            found.append(above)
            line = above
            closing = _CONTINUES.match(self._line(line))
        return found

    def _block(self, line: int) -> Block | None:
        """Return the block that begins with a line: the deeper lines below it, and the line that closes it."""
        if line not in self._found:
            self._found[line] = self._block_at(line)
        return self._found[line]

    def _block_at(self, line: int) -> Block | None:
        depths, depth = self._depths, self._depths[line]
        body, end = -1, line
        for below in range(line + 1, self.lines.line_count):
            here = depths[below]
            if here > depth:
                if body < 0:
                    body = below
                end = below
            elif here >= 0:
                text = self._line(below)
                continues = _CONTINUES.match(text)
                if here < depth or not (continues or _CLOSES.match(text)):
                    break
                end = below
                if body >= 0 and not continues:
                    break
        return None if body < 0 else self._made(line, body, end)

    def _made(self, line: int, body: int, end: int) -> Block:
        first, text = self._span(line), self._line(line)
        header = self.text[first.start : self._span(body - 1).end].rstrip("{( \t\r\n")
        defines, assigned = _DEFINES.match(text), _NAMED.match(text)
        if defines:
            word = defines["word"]
            kind = _KINDS.get(word, word if word in _SAME else "function")
            name, at = (defines["name"] or "").rstrip(":"), defines.start("name")
        else:
            kind, name, at = ("block", assigned[1], assigned.start(1)) if assigned else ("block", "", 0)
        return Block(
            span=Span(first.start, self._span(end).end),
            name=name,
            kind=kind,
            header=Span(first.start, first.start + len(header)),
            named=Span(first.start + at, first.start + at + len(name)) if name else None,
        )

    def _bracketed(self, span: Span) -> Block | None:
        """Return the innermost pair of brackets over several lines, together with its first line."""
        pairs = [pair for pair in self._brackets.pairs if pair.covers(span)]
        for pair in pairs:
            first, last = self._line_at(pair.start), self._line_at(pair.end)
            if first < last:
                return self._made(first, first + 1, last)
        return None

    def _line_at(self, offset: int) -> int:
        return self.lines.line_at(offset)

    def _line(self, line: int) -> str:
        return self._rows[line]

    def _span(self, line: int) -> Span:
        return self.lines.line_span(line)

    @cached_property
    def _blocks(self) -> tuple[Block, ...]:
        lines = (line for line in range(self.lines.line_count) if _DEFINES.match(self._line(line)))
        return tuple(block for block in map(self._block, lines) if block is not None)

    @cached_property
    def _marked(self) -> list[tuple[bool, Span]]:
        """The strings and comments, each with whether it is a comment; empty for a text that is too large."""
        if len(self.text) > BRACKETS:
            return []
        marks = _marks(self.language.line_comment).finditer(self.text)
        shown = (found for found in marks if not found.group().startswith("\\"))
        return [(found["comment"] is not None, Span(*found.span())) for found in shown]

    @cached_property
    def _depths(self) -> list[int]:
        """The indentation of each line; -1 for a blank line."""
        return [_indent(row) if row.strip() else -1 for row in self._rows]

    def _above(self, line: int, *, can_be_as_deep: bool) -> int:
        """Return the nearest line above with less indentation, or also with equal indentation if allowed; else -1.

        The first searches examine only the lines in between. Once they have examined as many lines as the text has in
        total, the table for all lines is computed.
        """
        if self._looked > self.lines.line_count:
            less, same = self._all_above[line]
            return same if can_be_as_deep and same >= 0 else less
        depths, most = self._depths, self._depths[line] - (not can_be_as_deep)
        found = next((at for at in range(line - 1, -1, -1) if 0 <= depths[at] <= most), -1)
        self._looked += line - found
        return found

    @cached_property
    def _all_above(self) -> list[tuple[int, int]]:
        """For each line, the nearest line above with less indentation, and the nearest with no more; else -1.

        If a line of equal indentation comes first, it is the second of the two; otherwise both are one line.
        """
        found: list[tuple[int, int]] = []
        outer: list[int] = []
        for line, depth in enumerate(self._depths):
            if depth < 0:
                found.append((-1, -1))
                continue
            while outer and self._depths[outer[-1]] > depth:
                outer.pop()
            same = outer[-1] if outer else -1
            if same >= 0 and self._depths[same] == depth:
                outer.pop()
            found.append((outer[-1] if outer else -1, same))
            outer.append(line)
        return found

    @cached_property
    def _found(self) -> dict[int, Block | None]:
        """The blocks found so far, by their first line."""
        return {}

    @cached_property
    def _rows(self) -> list[str]:
        starts = (*self.lines.line_starts, len(self.text))
        return [self.text[start:end].rstrip("\r\n") for start, end in pairwise(starts)]

    @cached_property
    def _brackets(self) -> Brackets:
        if len(self.text) > BRACKETS:
            return Brackets((), ())
        return match(self.text, self.language.line_comment)


@lru_cache(maxsize=32)
def _marks(line_comment: str) -> re.Pattern[str]:
    """Return the pattern of comments and strings; an unclosed one extends to the end of the text."""
    block = _block_comment(line_comment)
    triple = "|".join(rf"{mark * 3}(?:\\.|(?!{mark * 3}).)*+(?:{mark * 3})?" for mark in "\"'")
    return re.compile(rf"(?P<comment>{block}{re.escape(line_comment)}[^\n]*)|{triple}|{_STRINGS}", re.DOTALL)


def _share(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _indent(line: str) -> int:
    """Return the indentation of a line, with a tab counted as eight columns."""
    lead = line[: len(line) - len(line.lstrip())].expandtabs(8)
    return len(lead)


@dataclass(frozen=True, slots=True)
class Brackets:
    """The brackets of a text."""

    pairs: tuple[Span, ...]
    """Spans from the opening bracket to after the closing one, in order of their ends: inner before outer."""
    lonely: tuple[int, ...]
    """Offsets of unmatched brackets."""


def match(text: str, line_comment: str) -> Brackets:
    """Match the brackets of a text."""
    stack: list[tuple[str, int]] = []
    pairs: list[Span] = []
    lonely: list[int] = []
    for found in _pattern(line_comment).finditer(text):
        mark, offset = found.group(), found.start()
        if mark in _PAIRS.values():
            stack.append((mark, offset))
        elif mark in _PAIRS:
            if stack and stack[-1][0] == _PAIRS[mark]:
                pairs.append(Span(stack.pop()[1], offset + 1))
            else:
                lonely.append(offset)
    return Brackets(tuple(pairs), tuple(sorted((*lonely, *(offset for _, offset in stack)))))


@lru_cache(maxsize=32)
def _pattern(line_comment: str) -> re.Pattern[str]:
    block = _block_comment(line_comment)
    return re.compile(rf"{block}{re.escape(line_comment)}[^\n]*|{_STRINGS}|[()\[\]{{}}]", re.DOTALL)


def _block_comment(line_comment: str) -> str:
    """Return the pattern of ``/* */`` if the language has it; an unclosed one extends to the end of the text."""
    return r"/\*(?:[^*]|\*(?!/))*+(?:\*/)?|" if line_comment in ("//", "/*", "--") else ""
