"""Convert the indentation unit of a reply: four spaces become the file's tabs or two spaces.

The depth of a line never changes. It is counted in the reply's unit, relative to the indentation that all lines of the
reply share, and written in the file's unit. Columns beyond a whole number of units stay, and a line that is aligned
with the text after an open bracket stays aligned. Moving the whole reply is the task of core/answer/reindent.py.

The file's unit is that of the target, or that of the document if the target shows too little. Nothing changes if either
unit is uncertain, if a line mixes tabs and spaces in the wrong order, or if the reply has lines that the target has
below its margin and the conversion does not make more of them equal to the target's.

A line that begins inside a string literal, such as a line of a docstring, is text. It stays unless it equals a line of
the target once it is converted. So an unchanged docstring does not change; a new one may be indented in another unit,
but is exactly what the model wrote. Languages in which indentation is content (Markdown, YAML, Makefiles) are left
alone, and so are those in which this module can't tell multi-line strings from code.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from tuppence.core.answer.reindent import leading
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.parser import Tree, parse
from tuppence.core.text.diff import common_ends
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.core.text.lines import split

_PLAIN = frozenset({"csharp", "kotlin", "scala", "swift", "dart", "zig", "css", "lua", "php", "ruby", "elixir"})
"""Languages that are converted although there is no grammar for them."""
_LONG = re.compile(r"<<[-~]?[\"'\w]|\[=*\[|%[qQwWiIr]?[({\[|]|^=begin", re.MULTILINE)
"""Matches what may begin a multi-line string in one of these languages."""
_BRACKET = re.compile(r"[()\[\]{}]")
_CLOSES = {")": "(", "]": "[", "}": "{"}
_NOWHERE = -2
"""A column with which no line is aligned."""
_WIDEST = 8
_FEW = 4
"""A line of one kind of white space is ignored if more than this many times as many lines have the other kind."""
_SURE = 2
"""Number of inward steps of one width that make it certain; one more is required if the target's unit differs from
the document's."""


def to_file_unit(lines: Sequence[str], document: Document, target: Span, language: Language) -> list[str] | None:
    """Return the reply's lines indented in the file's unit; None if they already are, or if a unit is uncertain."""
    if language.grammar is None and language.id not in _PLAIN:
        return None
    newline = document.newline
    reply = newline.join(lines)
    after = apply(document.text, [Edit(target, reply)])
    tree = parse(after, language)
    place = Span(target.start, target.start + len(reply))
    mine = _Layout([(line, newline) for line in lines], tree, place)
    if not any(mine.leads[at] for at in mine.code) or (language.grammar is None and _is_unclear(tree, place)):
        return None
    before = parse(document.text, language)
    block = _layout(before, target)
    unit = _file_unit(block, before)
    conversion = _conversion(mine, block, unit) if unit else None
    converted = conversion.lines(mine, block) if conversion else None
    if converted is None or converted == list(lines):
        return None
    moved = parse(apply(document.text, [Edit(target, newline.join(converted))]), language)
    return converted if moved.faults() <= tree.faults() else None


def may_differ(lines: Sequence[str], document: Document, target: Span) -> bool:
    """Report whether a reply may be indented in another unit than the file, judged from its lines without parsing."""
    step = _usual_step(lines)
    if not step:
        return False
    file = _usual_step([line for line, _ in split(document.slice(target))])
    return step != (file or _usual_step([line for line, _ in split(document.text)]))


def _usual_step(lines: Sequence[str]) -> str:
    """Return the white space by which lines most often step inward; empty if no line does."""
    leads = [leading(line) for line in lines if line.strip()]
    steps = Counter(two.removeprefix(one) for one, two in pairwise(leads) if two.startswith(one) and two != one)
    return max(steps, key=lambda step: steps[step], default="")


class _Layout:
    """The indentation of a range of whole lines."""

    def __init__(self, ended: Sequence[tuple[str, str]], tree: Tree, place: Span) -> None:
        self.lines = lines = [line for line, _ in ended]
        self.leads = [leading(line) for line in lines]
        starts = list(accumulate((len(line) + len(ending) for line, ending in ended[:-1]), initial=place.start))
        strings, comments = tree.strings(place), tree.comments(place)
        self.text = {at for at, start in enumerate(starts) if _begun(strings, start)}
        """Indexes of the lines that begin inside a string."""
        self.code = [at for at, line in enumerate(lines) if line.strip() and at not in self.text]
        """Indexes of the other lines that are not blank."""
        self.aligned = _aligned(self.lines, starts, sorted((*strings, *comments)))
        """Maps each line that is aligned with the text after an open bracket to the line of that bracket."""
        said = {at for at, start in enumerate(starts) if _begun(comments, start)}
        self._steps = [self.leads[at] for at in self.code if at not in said and at not in self.aligned]
        self.base = _shared([self.leads[at] for at in self.code])
        """The indentation that all lines of code share."""

    def votes(self) -> Counter[str]:
        """Count the inward steps by their unit; for tabs, count the lines that begin with one."""
        tabs = sum(lead.startswith("\t") for lead in self._steps)
        spaces = sum(lead.startswith(" ") for lead in self._steps)
        if tabs > _FEW * spaces:
            return Counter({"\t": tabs})
        if spaces <= _FEW * tabs:
            return Counter()
        steps = (len(two) - len(one) for one, two in pairwise(self._steps) if "\t" not in one + two)
        return Counter(" " * step for step in steps if step > 0)

    def inner(self) -> set[str]:
        """Return the lines of code that are deeper than the base, without the base indentation."""
        lines = (self.lines[at].removeprefix(self.base).rstrip() for at in self.code)
        return {line for line in lines if line[:1] in (" ", "\t") and any(map(str.isalnum, line))}


@dataclass(frozen=True, slots=True)
class _Conversion:
    """A conversion from one unit to another."""

    unit: str
    new_unit: str
    base: str
    new_base: str

    def lines(self, reply: _Layout, block: _Layout) -> list[str] | None:
        """Return the reply's lines in the new unit; None if a line can't be converted, or if that is no improvement."""
        texts = {block.lines[at].removeprefix(block.base) for at in block.text}
        leads: dict[int, str] = {}
        result = list(reply.lines)
        for at in range(len(result)):
            line, lead = reply.lines[at], reply.leads[at]
            if not line.strip():
                continue
            new = self._lead(lead)
            if at in reply.text:
                known = new is not None and (new + line[len(lead) :]).removeprefix(self.new_base) in texts
                result[at] = f"{new}{line[len(lead) :]}" if known else line
                continue
            if (opening := reply.aligned.get(at)) is not None and opening in leads:
                new = leads[opening] + " " * (len(lead) - len(reply.leads[opening]))
            if new is None:
                return None
            leads[at] = new
            result[at] = new + line[len(lead) :]
        return result if self._is_better(result, reply, block.inner()) else None

    def _lead(self, lead: str) -> str | None:
        inner = lead.removeprefix(self.base)
        if not lead.startswith(self.base):
            return None
        if self.unit == "\t":
            depth = len(inner) - len(inner.lstrip("\t"))
            rest = inner[depth:]
        else:
            depth = len(inner) // len(self.unit)
            rest = inner[depth * len(self.unit) :]
        if "\t" in rest or (self.unit != "\t" and "\t" in inner):
            return None
        return self.new_base + self.new_unit * depth + rest

    def _is_better(self, result: Sequence[str], reply: _Layout, theirs: set[str]) -> bool:
        """Report whether more lines now equal the target's; if no line has content in common, the units decide."""
        was = sum(reply.lines[at].removeprefix(self.base).rstrip() in theirs for at in reply.code)
        now = sum(result[at].removeprefix(self.new_base).rstrip() in theirs for at in reply.code)
        contents = {line.strip() for line in theirs}
        if now > was or any(reply.lines[at].strip() in contents for at in reply.code):
            return now > was
        votes = reply.votes()
        return self.unit[0] != self.new_unit[0] or (votes[self.unit] >= _SURE and not votes[self.new_unit])


def _layout(tree: Tree, span: Span) -> _Layout:
    """Return the layout of a span of whole lines of a parsed text."""
    return _Layout(split(tree.text[span.start : span.end]), tree, span)


def _file_unit(block: _Layout, tree: Tree) -> str | None:
    """Return the file's unit, None if it is uncertain."""
    votes = block.votes()
    own, document = _unit(votes), _unit(_layout(tree, Span(0, len(tree.text))).votes())
    if own is None or own == document:
        return document
    if document is None or own[0] != document[0]:
        return own if own == "\t" or votes[own] >= _SURE else document
    return own if votes[own] > _SURE else None


def _unit(votes: Counter[str]) -> str | None:
    """Return the most frequent unit, the smaller of two, if at least half of the steps have it."""
    if not votes:
        return None
    unit = max(votes, key=lambda each: (votes[each], -len(each)))
    width = len(unit)
    is_one = unit == "\t" or 1 < width <= _WIDEST
    return unit if is_one and 2 * votes[unit] >= votes.total() else None


def _conversion(reply: _Layout, block: _Layout, unit: str) -> _Conversion | None:
    """Return the conversion of a reply to the file's unit; None if its own unit is uncertain, or already the file's."""
    own = _unit(reply.votes())
    depth = _depth(block.base, unit)
    if own is None and depth and reply.base and reply.base[0] != unit[0]:
        own = reply.base[: len(reply.base) // depth]
        own = own if own == "\t" or 1 < len(own) <= _WIDEST else None
    if own is None or own == unit:
        return None
    if not reply.base or reply.base == block.base:
        return _Conversion(own, unit, reply.base, reply.base)
    if depth and reply.base == own * depth:
        return _Conversion(own, unit, reply.base, block.base)
    return None


def _depth(base: str, unit: str) -> int | None:
    """Return an indentation's depth in units, None if it is not a whole number of them."""
    many = len(base) // len(unit)
    return many if unit * many == base else None


def _begun(spans: Sequence[Span], offset: int) -> bool:
    """Report whether one of some sorted spans begins before an offset and ends after it."""
    at = bisect_right(spans, offset, key=lambda span: span.start) - 1
    at -= at >= 0 and spans[at].start == offset
    return at >= 0 and offset < spans[at].end


def _shared(leads: Sequence[str]) -> str:
    if not leads:
        return ""
    low, high = min(leads), max(leads)
    return low[: common_ends(low, high)[0]]


def _aligned(lines: Sequence[str], starts: Sequence[int], texts: Sequence[Span]) -> dict[int, int]:
    """Map each line that begins directly below the text after an open bracket to that bracket's line."""
    found: dict[int, int] = {}
    stack: list[tuple[str, int, int]] = []
    for at, (line, start) in enumerate(zip(lines, starts, strict=True)):
        if stack and line.strip() and len(leading(line)) == stack[-1][2] + 1:
            found[at] = stack[-1][1]
        for bracket in _BRACKET.finditer(line):
            if _begun(texts, start + bracket.start()):
                continue
            if bracket[0] not in _CLOSES:
                # Lines below a bracket that ends its line are indented, not aligned.
                column = bracket.start() if line[bracket.end() :].strip() else _NOWHERE
                stack.append((bracket[0], at, column))
            elif stack and stack[-1][0] == _CLOSES[bracket[0]]:
                stack.pop()
    return found


def _is_unclear(tree: Tree, place: Span) -> bool:
    """Report whether the place, in a language without a grammar, may contain a multi-line string."""
    texts = (*tree.strings(place), *tree.comments(place))
    done, parts = place.start, []
    for span in sorted(texts):
        parts.append(tree.text[done : span.start])
        done = max(done, span.end)
    rest = "".join((*parts, tree.text[done : place.end]))
    return bool(_LONG.search(rest)) or any(mark in rest for mark in "\"'`")
