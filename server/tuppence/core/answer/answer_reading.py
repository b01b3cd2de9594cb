"""A parse of an answer, in the target's place or as a separate file, and what it contains besides the target."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.answer.import_lines import file_head, is_comment
from tuppence.core.answer.reindent import leading
from tuppence.core.answer.target_definition import WORD, TargetDefinition, last_name, path
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Span

_SHOWN = 3
"""Maximum number of names that a note lists; the rest are counted."""
_CLOSING = ("}", ")", "]")
_BINDS = re.compile(r"[^=\n(]{0,400}?(?<!\w)([^\W\d][\w$]*+)\s*+(?::[^=\n]{0,400}+)?(?<![=!<>+*/%&|^-])=(?![=>])")
"""Matches a line that assigns a value to a name."""


@dataclass(frozen=True, slots=True)
class Found:
    """The target's definition within a reading."""

    block: Block
    first: int
    """The first line of the definition including its decorators, as an index into the reading's lines."""
    lines: tuple[int, ...]
    """The definition's lines, and those of the new definitions and constants at its depth that it uses; sorted."""


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """An answer, parsed in one way."""

    tree: Tree
    place: Span
    """The span of the answer in the parsed text."""
    lines: tuple[str, ...]
    """The answer's lines, one for each line of the place."""
    imports: str
    """The import statements at the top of the answer, one per line."""
    is_in_place: bool
    """True if the answer was parsed in the target's place, False if it was parsed as a separate file."""
    is_part: bool
    """Whether ``lines`` is only a part of the answer."""

    def find(self, own: TargetDefinition) -> Found | None:
        """Return the target's definition, or None if the reading has none or several possible ones."""
        blocks = self.tree.definitions(self.place)
        found = [each for each in blocks if own.accepts(self.tree, each, in_place=self.is_in_place)]
        block = own.choose(self.tree, found)
        if block is None or not self._is_alone_in_its_lines(block):
            return None
        rows = self._rows(block)
        rows = range(rows.start, self._with_comments(rows))
        lines = set(rows)
        for each in self._helpers(block, [each for each in blocks if each not in found], own):
            own_rows = set(self._rows(each))
            lines |= own_rows | set(self.comment_above(min(own_rows)))
        lines |= set(self._constants(rows.start, lines, own))
        return Found(block, rows.start, tuple(sorted(lines)))

    def _helpers(self, block: Block, others: Sequence[Block], own: TargetDefinition) -> Iterator[Block]:
        """Yield the new sibling definitions that a definition uses, directly or through one of the others."""
        if not others:
            return
        beside, known = path(self.tree, block), own.names_in_file
        rest = [
            each
            for each in others
            if each.name
            and last_name(each.name) not in known
            and path(self.tree, each) == beside
            and self._is_alone_in_its_lines(each)
        ]
        used = self._words(self._rows(block))
        while more := [each for each in rest if last_name(each.name) in used]:
            for each in more:
                rest.remove(each)
                used |= self._words(self._rows(each))
                yield each

    def other_owner(self, own: TargetDefinition) -> str:
        """Return the full name of a definition that has the target's name but a different owner.

        :returns: an empty string if the target itself is present, if no definition has its name, or if the text does
            not parse.
        """
        if not self.tree.sound():
            return ""
        named = [each for each in self.tree.definitions(self.place) if last_name(each.name) == own.name]
        if not named or any(own.accepts(self.tree, each, in_place=False) for each in named):
            return ""
        return ".".join((*path(self.tree, named[0]), own.name))

    def _with_comments(self, rows: range) -> int:
        """Return the index after a definition and the comments below it that are indented deeper than it."""
        end, depth = rows.stop, len(leading(self.lines[rows.start]))
        for at in range(rows.stop, len(self.lines)):
            line = self.lines[at]
            if not line.strip():
                continue
            if len(leading(line)) <= depth or not is_comment(line.strip(), self.tree.language):
                break
            end = at + 1
        return end

    def comment_above(self, line: int) -> Iterator[int]:
        """Yield the lines of the comment right above a line, from the last one up."""
        language, at = self.tree.language, line - 1
        in_block = at >= 0 and self.lines[at].rstrip().endswith("*/")
        while at >= 0 and (in_block or is_comment(self.lines[at].strip(), language)):
            yield at
            in_block = in_block and not self.lines[at].lstrip().startswith("/*")
            at -= 1

    def missing(self, kept: Collection[int], dropped: Sequence[int], file: str) -> str:
        """Return a name that the kept lines use and that only a dropped line defines; empty if there is none.

        Names in the file and in the imports are known. A name that is bound in the body of another function, or in
        top-level code after the definition (an example of its use), does not count as defined.
        """
        there = set(WORD.findall(file))
        imported = set(WORD.findall(self.imports))
        new = self._words(kept) - there - imported
        if not new:
            return ""
        blocks = [each for each in self.tree.definitions(self.place) if each.name]
        inside = {at for each in blocks if each.kind in ("function", "method") for at in self._rows(each)}
        classes = {at for each in blocks if each.kind not in ("function", "method") for at in self._rows(each)}
        last = max(kept)
        head = file_head(self.lines, self.tree.language).end
        for each in blocks:
            if last_name(each.name) in new and not set(self._rows(each)) & set(kept):
                return last_name(each.name)
        for at in dropped:
            is_usage = at > last and at not in classes
            if at < head or at in inside or is_usage or is_comment(self.lines[at].strip(), self.tree.language):
                continue
            if found := sorted(new & set(WORD.findall(self.lines[at]))):
                return found[0]
        return ""

    def notes(self, file: Tree, kept: Collection[int]) -> Iterator[str]:
        """Yield a clause listing the other definitions that the answer changes, and a clause listing the new ones."""
        there = {last_name(each.name) for each in file.blocks()} if self.is_in_place else set[str]()
        texts: dict[tuple[str, ...], set[str]] = {}
        for each in file.blocks():
            texts.setdefault((*path(file, each), each.name), set()).add(_bare(file, each))
        changed: list[str] = []
        added: list[str] = []
        for each in self.tree.definitions(self.place):
            rows = set(self._rows(each))
            if not each.name or rows & set(kept):
                continue
            key = (*path(self.tree, each), each.name)
            if key in texts and not self.is_in_place:
                if _bare(self.tree, each) not in texts[key]:
                    changed.append(each.name)
            elif last_name(each.name) not in there:
                added.append(each.name)
        if changed:
            yield f"also changes {_listed(changed)}, which was not applied"
        if added:
            yield f"also defines {_listed(added)}, which was not applied"

    def _constants(self, first: int, kept: Collection[int], own: TargetDefinition) -> Iterator[int]:
        """Yield the lines above the definition, at its depth, that assign a new name that the definition uses."""
        used, depth = self._words(kept), leading(self.lines[first])
        for at in range(first - 1, -1, -1):
            line = self.lines[at]
            binds = _BINDS.match(line.strip()) if leading(line) == depth and at not in kept else None
            if binds and binds[1] in used and binds[1] not in own.words_in_file:
                end = at + 1
                while end < first and (
                    leading(self.lines[end]) > leading(line) or self.lines[end].strip()[:1] in _CLOSING
                ):
                    end += 1
                yield from range(at, end)

    def _words(self, rows: Collection[int]) -> set[str]:
        return {word for at in rows for word in WORD.findall(self.lines[at])}

    def _rows(self, block: Block) -> range:
        """Return the lines of a definition as indexes into the reading's lines."""
        lines = self.tree.lines
        base = lines.line_at(self.place.start)
        return range(
            lines.line_at(block.span.start) - base, lines.line_at(max(block.span.start, block.span.end - 1)) - base + 1
        )

    def _is_alone_in_its_lines(self, block: Block) -> bool:
        lines = self.tree.lines
        whole = lines.whole_lines(block.span)
        around = self.tree.text[whole.start : block.span.start] + self.tree.text[block.span.end : whole.end]
        return not around.strip(" \t;,") or around.strip().startswith((self.tree.language.line_comment, ";", ","))


def _bare(tree: Tree, block: Block) -> str:
    return "".join(tree.text[block.span.start : block.span.end].split())


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
