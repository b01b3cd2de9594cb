"""Extract the target from an answer that contains more than the target.

A model that was asked for one function may answer with the whole file, with the class around the function, with imports
or a package clause on top, or with an example of its use below. The answer is parsed, and the definition that has the
target's name, kind and enclosing definitions is extracted, together with the new definitions and constants next to it
that it uses. Import lines are returned separately, for the file's import block. Other changes in the answer are named
in a note and not applied.

A definition with another name is never extracted and never renamed. A target without a name, and text without a
grammar, are located by the surrounding lines that the answer repeats (:mod:`tuppence.core.answer.neighbor_lines`). If
nothing can be extracted, the answer is returned unchanged, and :mod:`tuppence.core.checks.target_structure` judges it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain

from tuppence.core.answer.answer_reading import AnswerReading, Found
from tuppence.core.answer.forms.plain_code import may_be_code
from tuppence.core.answer.forms.search_replace import may_become_search_replace
from tuppence.core.answer.import_lines import file_head, is_comment
from tuppence.core.answer.indent_unit import may_differ, to_file_unit
from tuppence.core.answer.neighbor_lines import between_neighbors
from tuppence.core.answer.reindent import Indentation, leading
from tuppence.core.answer.repairs import repaired
from tuppence.core.answer.target_definition import own_definition
from tuppence.core.pauses import pause
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.core.text.lines import split

_HEADERS = 4
"""Maximum number of header-like lines from which a reading of the answer starts."""
_ATTRIBUTE = re.compile(r"\s*(?:@(?!@)|#\[|\[\[)")


@dataclass(frozen=True, slots=True)
class Extract:
    """The part of an answer that replaces the target."""

    lines: tuple[str, ...]
    """The target's new lines, at their final depth."""
    imports: str = ""
    """The import statements that the answer had beside the target, one per line; empty if there are none."""
    notes: tuple[str, ...] = ()
    """What was not applied: one clause each, with the answer as its implied subject."""
    refused: str = ""
    """A sentence that says why no part of the answer can be used; empty if a part can."""
    is_complete: bool = False
    """Whether the lines define the target or, for a target without a name, begin as it does."""
    is_part: bool = False
    """Whether the answer contained more than these lines and imports."""
    repairs: tuple[str, ...] = ()
    """The names of the repairs that were made."""
    edited: Tree | None = field(default=None, compare=False)
    """The parse of the file with these lines in the target's place; None if it was not parsed."""


class TargetExtractor:
    """Extracts one target from answers."""

    def __init__(self, document: Document, tree: Tree, target: Target) -> None:
        self._document = document
        self.tree = tree
        self._span = target.span
        self._block = [text for text, _ in split(document.slice(target.span))]
        self._first = next((line for line in self._block if line.strip()), "")
        self._own = own_definition(tree, target.span, target.name)

    def extract(self, lines: Sequence[str], indent: str = "") -> Extract:
        """Return the part of an answer that replaces the target.

        :param lines: the lines of the answer's code.
        :param indent: the white space before the code fence.
        """
        language = self.tree.language
        if self._is_in_item(lines, indent):
            lines, indent = [line.removeprefix(indent) for line in lines], ""
        lines, repairs = repaired(list(lines), self._document, self._span, language)
        pause()
        if may_differ(lines, self._document, self._span):
            lines = to_file_unit(lines, self._document, self._span, language) or lines
        return replace(self._extract(lines, Indentation(self._block, indent).move(lines)), repairs=repairs)

    def _is_in_item(self, lines: Sequence[str], indent: str) -> bool:
        """Report whether a fence and all its code are indented, as in a list item, and deeper than the target."""
        filled = [line for line in lines if line.strip()]
        is_inside = bool(indent and filled) and all(line.startswith(indent) for line in filled)
        return is_inside and leading(filled[0]) != leading(self._first)

    def _extract(self, lines: Sequence[str], placed: list[str]) -> Extract:
        if self._own is not None:
            plain = self._in_place(placed)
            if (found := plain.find(self._own)) and (extract := self._whole(plain, found)):
                return extract if self._is_at_depth(placed) else self._moved(lines, extract)
            alone = self._alone(lines)
            if other := alone.other_owner(self._own):
                return Extract(tuple(placed), refused=f"The answer changes `{other}`, not `{self._own.title}`.")
            # Given half a file, a grammar may drop what it cannot place, such as a decorator.
            parts = self._partial_readings(lines)
            for reading in chain((alone,), parts) if alone.tree.sound() else chain(parts, (alone,)):
                if (found := reading.find(self._own)) and (extract := self._taken(reading, found)):
                    return extract
        if self._own is None or self.tree.language.grammar is None:
            return self._between_neighbors(lines, placed)
        return Extract(tuple(placed))

    def may_begin(self, line: str) -> bool | None:
        """Return whether the target's text may begin with this line of an answer; None if the next line must decide.

        Other answers are not shown before they are complete.
        """
        text, language = line.strip(), self.tree.language
        if text == self._first.strip():
            return True
        if not text or is_comment(text, language) or _ATTRIBUTE.match(line):
            return None
        if not may_be_code(text) or file_head([line], language).end:
            return False
        if may_become_search_replace(text):
            return None
        if self._own is not None:
            return re.search(rf"(?<!\w){re.escape(self._own.name)}(?!\w)", text) is not None
        return text not in self._above

    @cached_property
    def _above(self) -> frozenset[str]:
        """The lines above the target that contain a letter or digit, stripped."""
        above = self._document.text[: self._span.start]
        return frozenset(each for text, _ in split(above) if any(map(str.isalnum, each := text.strip())))

    def _partial_readings(self, lines: Sequence[str]) -> Iterator[AnswerReading]:
        """Yield readings in the target's place of an answer without its first lines."""
        head = file_head(lines, self.tree.language)
        for start in dict.fromkeys((*([head.end] if head.end else ()), *self._header_lines(lines), 0)):
            rest = lines[start:]
            while rest and not rest[0].strip():
                rest = rest[1:]
            yield self._in_place(self._at_depth(rest), head.imports, is_part=start > 0)

    def _in_place(self, placed: Sequence[str], imports: str = "", *, is_part: bool = False) -> AnswerReading:
        text = self._document.newline.join(placed)
        edit = Edit(self._span, text)
        tree = parse(apply(self._document.text, (edit,)), self.tree.language, self.tree, (edit,))
        place = Span(self._span.start, self._span.start + len(text))
        return AnswerReading(tree, place, tuple(placed), imports, is_in_place=True, is_part=is_part)

    def _alone(self, lines: Sequence[str]) -> AnswerReading:
        depths = [leading(line) for line in lines if line.strip()]
        common = min(depths, key=len, default="")
        text = "\n".join(line.removeprefix(common) for line in lines)
        tree = parse(text, self.tree.language)
        imports = "\n".join(text[span.start : span.end].rstrip() for span in tree.import_statements())
        return AnswerReading(tree, Span(0, len(text)), tuple(lines), imports, is_in_place=False, is_part=True)

    def _header_lines(self, lines: Sequence[str]) -> list[int]:
        """Return the indexes of lines where the target's definition, decorators included, may begin."""
        assert self._own is not None
        named = self._own.block.named or self._own.block.span
        header = self._document.slice(self._document.line_span(self._document.line_at(named.start))).strip()
        start = header.partition(self._own.name)[0].split()[:1]
        above = self._document.text[self._own.block.span.start : named.start].splitlines()[:-1]
        known = {line.strip() for line in above}
        word = re.compile(rf"(?<![\w.]){re.escape(self._own.name)}(?!\w)")
        found: list[int] = []
        for at, line in enumerate(lines):
            if line.strip() == header or (start and line.split()[:1] == start and word.search(line)):
                first = at
                while first and (_ATTRIBUTE.match(lines[first - 1]) or lines[first - 1].strip() in known):
                    first -= 1
                found.append(first)
        return found[:_HEADERS]

    def _whole(self, reading: AnswerReading, found: Found) -> Extract | None:
        """Return the whole answer if every line of it is needed, else None."""
        kept = {*found.lines, *self._comment(reading, found)}
        is_whole = all(at in kept or not line.strip() for at, line in enumerate(reading.lines))
        return Extract(reading.lines, is_complete=True, edited=reading.tree) if is_whole else None

    def _is_at_depth(self, lines: Sequence[str]) -> bool:
        first = next((line for line in lines if line.strip()), "")
        return leading(first) == leading(self._first)

    def _moved(self, lines: Sequence[str], extract: Extract) -> Extract:
        """Return the whole answer moved to the target's depth, or ``extract`` if the definition is not found there."""
        assert self._own is not None
        reading = self._in_place(self._at_depth(lines))
        found = reading.find(self._own)
        return (found and self._whole(reading, found)) or extract

    def _taken(self, reading: AnswerReading, found: Found) -> Extract | None:
        """Return the extract of a reading; None if it is not the target in its place, or adds parse errors."""
        assert self._own is not None
        kept = sorted({*found.lines, *self._comment(reading, found)})
        dropped = [at for at, line in enumerate(reading.lines) if line.strip() and at not in set(kept)]
        lines = self._at_depth(_joined(reading.lines, kept))
        edited = self._in_place(lines)
        if edited.find(self._own) is None or edited.tree.faults() > self.tree.faults():
            return None
        file = self._document.text
        if missing := reading.missing(kept, dropped, file):
            why = f"The answer uses `{missing}`, which it defines outside of what it was asked for."
            return Extract(tuple(lines), refused=why, is_part=True)
        notes = tuple(reading.notes(self.tree, kept))
        return Extract(tuple(lines), reading.imports, notes, is_complete=True, is_part=True, edited=edited.tree)

    def _comment(self, reading: AnswerReading, found: Found) -> Iterator[int]:
        """Yield the lines of the comment directly above the definition that belong to it.

        The file may have its own comment above the target, outside the target's span. If the answer repeats that
        comment, applying it would duplicate the comment.
        """
        language = self.tree.language
        if self._has_comment_above() and not is_comment(self._first.strip(), language):
            return
        name = self._document.uri.rpartition("/")[2]
        for at in reading.comment_above(found.first):
            text = reading.lines[at].strip()
            if not (at == 0 and name and text.rstrip(" */->").endswith(name)):
                yield at

    def _has_comment_above(self) -> bool:
        line = self._document.line_at(self._span.start)
        above = self._document.slice(self._document.line_span(line - 1)).strip() if line else ""
        return is_comment(above, self.tree.language) or above.endswith("*/")

    def _at_depth(self, lines: Sequence[str]) -> list[str]:
        """Return the lines, moved so that the first filled line is as deep as the target's first filled line."""
        here, there = leading(next((line for line in lines if line.strip()), "")), leading(self._first)
        if here == there:
            return list(lines)
        return [there + line[len(here) :] if line.strip() and line.startswith(here) else line for line in lines]

    def _between_neighbors(self, lines: Sequence[str], placed: list[str]) -> Extract:
        cut = between_neighbors(self._document, self._span, lines)
        first = next((line.strip() for line in lines if line.strip()), "")
        if cut is None:
            return Extract(tuple(placed), is_complete=bool(first) and first == self._first.strip())
        taken = lines[cut[0] : cut[1]]
        moved = Indentation(self._block).move(taken)
        imports = file_head(lines[: cut[0]], self.tree.language).imports
        return Extract(tuple(moved), imports, is_complete=True, is_part=True)


def _joined(lines: Sequence[str], kept: Sequence[int]) -> list[str]:
    """Return the kept lines. If lines between two of them were dropped, blank lines above the second stay."""
    joined: list[str] = []
    last = None
    for at in kept:
        if last is not None and at > last + 1:
            above = at
            while above - 1 > last and not lines[above - 1].strip():
                above -= 1
            joined += lines[above:at]
        joined.append(lines[at])
        last = at
    while joined and not joined[0].strip():
        joined.pop(0)
    while joined and not joined[-1].strip():
        joined.pop()
    return joined
