"""Which of several code fences of a reply is the answer: only where that is certain.

A model that was asked for one fence may quote the faulty line in one first, or show afterwards how to use what it
wrote. The wrong one in the target's place would destroy it, so these are the only ways to be certain:

- All but one are blank, or all say the same.
- The target holds definitions, and one fence alone has all of them when it stands in the target's place.
- The target holds none, and one fence alone begins with the target's first line.
- In either case, a fence that repeats the whole target is a quotation; what is left is judged as above, or is one.

Where it is not certain, the parts have no code, and core/checks/structure.py says so. Fences of imports are not looked
at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tuppence.core.answer.reindent import Indentation
from tuppence.core.answer.reply import Fence, Parts
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.core.text.lines import split


def select_fence(parts: Parts, document: Document, target: Span, tree: Tree | None = None) -> Parts:
    """Return the parts with the one fence of code that is meant to replace the target, or with none and ``unclear``.

    :param tree: the parse of the document, where there is one already.
    """
    code = [fence for fence in parts.fences if not fence.imports]
    if len(code) < 2:  # noqa: PLR2004 - one is no choice
        return parts
    filled = list({_bare(fence.text): fence for fence in reversed(code) if fence.text.strip()}.values())
    one = _certain(filled, document, target, tree) if filled else code[0]
    fences = tuple(fence for fence in parts.fences if fence.imports or fence is one)
    return replace(parts, fences=fences, unclear=one is None)


class Quotation:
    """Tells, line by line, whether a fence has said nothing yet but what stands in the target, just so."""

    def __init__(self, block: Sequence[str]) -> None:
        self._block = _filled(block)
        self._ends: list[int] | None = None
        self._count = 0

    @property
    def holds(self) -> bool:
        """Whether all lines taken stand in the target in this order, with none between them; also where none came."""
        return self._ends is None or bool(self._ends)

    @property
    def begins(self) -> bool:
        """Whether they may be how the target begins."""
        return self._ends is None or self._ends[:1] == [self._count]

    def take(self, line: str) -> None:
        """Take the fence's next line; blank ones, and white space around others, do not count."""
        line = line.strip()
        if not line or not self.holds:
            return
        self._count += 1
        if self._ends is None:
            self._ends = [at for at, each in enumerate(self._block, 1) if each == line]
        else:
            self._ends = [at + 1 for at in self._ends if at < len(self._block) and self._block[at] == line]


def definitions(tree: Tree, span: Span) -> list[Block]:
    """Return the named definitions that lie wholly in a span and in no other one there."""
    outermost: list[Block] = []
    for block in tree.blocks():
        inside = block.name and block.kind != "block" and span.covers(block.span)
        if inside and not (outermost and outermost[-1].span.covers(block.span)):
            outermost.append(block)
    return outermost


def _certain(fences: list[Fence], document: Document, target: Span, tree: Tree | None) -> Fence | None:
    old = document.slice(target)
    fences = [fence for fence in fences if _bare(fence.text) != _bare(old)] if len(fences) > 1 else fences
    if len(fences) == 1:
        return fences[0]
    tree = tree or parse(document.text, language(document.language))
    if names := {block.name for block in definitions(tree, target)}:
        fits = [fence for fence in fences if names <= _defined(fence, document, target, tree)]
    else:
        fits = [fence for fence in fences if _bare(fence.text)[:1] == _bare(old)[:1]]
    return fits[0] if len(fits) == 1 else None


def _defined(fence: Fence, document: Document, target: Span, old: Tree) -> set[str]:
    """Return the names of what a fence defines in the target's place."""
    block = [line for line, _ in split(document.slice(target))]
    lines = Indentation(block, fence.indent).move([line for line, _ in split(fence.text)])
    new = document.newline.join(lines)
    edit = Edit(target, new)
    tree = parse(apply(document.text, [edit]), old.language, old, [edit])
    place = Span(target.start, target.start + len(new))
    return {block.name for block in tree.blocks() if place.start <= block.span.start < place.end}


def _bare(text: str) -> tuple[str, ...]:
    return tuple(_filled([line for line, _ in split(text)]))


def _filled(lines: Sequence[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]
