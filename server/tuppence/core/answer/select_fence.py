"""Choose which of several code fences of a reply replaces the target, if that is certain.

A model that was asked for one fence may first quote the faulty code in a fence, afterwards show how to use its code, or
offer two solutions. Applying the wrong fence would destroy the target, so:

- A fence whose lines equal the target's, blank lines and indentation aside, is a quotation and not a candidate.
- Of the others, the first one that defines the target is taken (:mod:`tuppence.core.answer.extract_target`), and a note
  says that there were several. A fence that only quotes a run of the target's lines, whose caption announces the old
  code, or that differs from the target only in comments, is taken last.
- If no fence defines the target, one is certain if it is the only candidate, if only it has all names that the target's
  lines define, or, if they define none, if only it begins with the target's first line.

If no fence is certain, the parts have no code, and :mod:`tuppence.core.checks.structure` reports that. Import fences
are not considered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuppence.core.answer.extract_target import Extract, TargetExtractor
from tuppence.core.answer.reindent import Indentation
from tuppence.core.answer.reply import Fence, Parts
from tuppence.core.pauses import pause
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.core.text.lines import split

_OLD = re.compile(
    r"\b(?:before|original(?:ly)?|old|current(?:ly)?|existing|buggy|faulty|broken|incorrect|wrong|vorher|bisher\w*"
    r"|alt(?:er|e|es)?|avant|actuel\w*|antes|anterior|prima)\b|修改前|原来|原始|変更前|元の|수정 전|до изменен",
    re.IGNORECASE,
)
"""Matches a caption that announces the old code. It only decides between fences that each define the target."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The code of a reply that replaces the target."""

    parts: Parts
    """The reply's parts with only that code fence, or with none and ``unclear`` set."""
    extract: Extract | None = None
    """The extract of the fence; None without a fence or without an extractor."""


def select_fence(parts: Parts, document: Document, target: Span, extractor: TargetExtractor | None = None) -> Selection:
    """Return the code fence that is meant to replace the target."""
    code = [fence for fence in parts.fences if not fence.imports]
    if not code:
        return Selection(parts)
    filled = list({_bare(fence.text): fence for fence in reversed(code) if fence.text.strip()}.values())[::-1]
    old = _bare(document.slice(target))
    candidates = [fence for fence in filled if _bare(fence.text) != old] or filled[:1] or code[:1]
    if extractor is None:
        return Selection(_with(parts, _certain(candidates, document, target, None)))
    pause()
    extracts = [(fence, extractor.extract(_lines(fence), fence.indent)) for fence in candidates]
    pause()
    complete = [(fence, extract) for fence, extract in extracts if extract.is_complete]
    if not complete:
        one = _certain(candidates, document, target, extractor.tree)
        extract = next((extract for fence, extract in extracts if fence is one), None)
        return Selection(_with(parts, one), extract)
    real = [each for each in complete if not _is_quotation(each[0], document, target)]
    real = [each for each in real if _says_more(each[0], document, target)] or real
    fence, extract = (real or complete)[0]
    if len(real) > 1:
        note = f"offers {len(real)} versions, of which the first one was taken"
        extract = replace(extract, notes=(*extract.notes, note))
    return Selection(_with(parts, fence), extract)


class Quotation:
    """Tracks, line by line, whether a fence so far only quotes consecutive lines of the target."""

    def __init__(self, block: Sequence[str]) -> None:
        self._block = _filled(block)
        self._ends: list[int] | None = None
        self._count = 0

    @property
    def holds(self) -> bool:
        """Whether all lines taken are consecutive lines of the target; also True before the first line."""
        return self._ends is None or bool(self._ends)

    @property
    def begins(self) -> bool:
        """Whether the lines taken may be the beginning of the target."""
        return self._ends is None or self._ends[:1] == [self._count]

    def take(self, line: str) -> None:
        """Take the fence's next line."""
        line = line.strip()
        if not line or not self.holds:
            return
        self._count += 1
        if self._ends is None:
            self._ends = [at for at, each in enumerate(self._block, 1) if each == line]
        else:
            self._ends = [at + 1 for at in self._ends if at < len(self._block) and self._block[at] == line]


def definitions(tree: Tree, span: Span) -> list[Block]:
    """Return the outermost named definitions that lie entirely within a span."""
    outermost: list[Block] = []
    for block in tree.definitions(span):
        inside = block.name and block.kind != "block"
        if inside and not (outermost and outermost[-1].span.covers(block.span)):
            outermost.append(block)
    return outermost


def _with(parts: Parts, one: Fence | None) -> Parts:
    fences = tuple(fence for fence in parts.fences if fence.imports or fence is one)
    return replace(parts, fences=fences, unclear=one is None)


def _says_more(fence: Fence, document: Document, target: Span) -> bool:
    """Report whether a fence differs from the target by more than comments."""
    mark = language(document.language).line_comment
    return _code(_lines(fence), mark) != _code([text for text, _ in split(document.slice(target))], mark)


def _is_quotation(fence: Fence, document: Document, target: Span) -> bool:
    """Report whether a fence holds only consecutive lines of the target, or its caption announces the old code."""
    quotation = Quotation([text for text, _ in split(document.slice(target))])
    for line in _lines(fence):
        quotation.take(line)
    return quotation.holds or _OLD.search(fence.caption) is not None


def _code(lines: Sequence[str], mark: str) -> list[str]:
    """Return the lines without comments and white space; a comment mark inside a string also cuts its line."""
    bare = ("".join(line.partition(mark)[0].split()) for line in lines)
    return [line for line in bare if line]


def _certain(fences: list[Fence], document: Document, target: Span, tree: Tree | None) -> Fence | None:
    if len(fences) == 1:
        return fences[0]
    old = document.slice(target)
    tree = tree or parse(document.text, language(document.language))
    if names := {block.name for block in definitions(tree, target)}:
        fits = [fence for fence in fences if names <= _defined(fence, document, target, tree)]
    else:
        fits = [fence for fence in fences if _bare(fence.text)[:1] == _bare(old)[:1]]
    return fits[0] if len(fits) == 1 else None


def _defined(fence: Fence, document: Document, target: Span, old: Tree) -> set[str]:
    """Return the names that a fence defines when it is in the target's place."""
    block = [line for line, _ in split(document.slice(target))]
    lines = Indentation(block, fence.indent).move(_lines(fence))
    new = document.newline.join(lines)
    edit = Edit(target, new)
    tree = parse(apply(document.text, [edit]), old.language, old, [edit])
    place = Span(target.start, target.start + len(new))
    return {block.name for block in tree.blocks() if place.start <= block.span.start < place.end}


def _lines(fence: Fence) -> list[str]:
    return [line for line, _ in split(fence.text)]


def _bare(text: str) -> tuple[str, ...]:
    return tuple(_filled([line for line, _ in split(text)]))


def _filled(lines: Sequence[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]
