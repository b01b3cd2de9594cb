"""Insert new tests into the file that they belong in, as that file is now.

A model is asked to write only new code. Additional code is handled by its purpose: a package clause that the file has
is skipped, imports at the top of the code are merged into the file's imports, a definition that the file has word for
word is not written again, and new members of an existing class or test module are added at its end. Existing code is
neither moved nor changed. A definition that would shadow one of the file's is reported to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import ClassVar

from tuppence.core.answer import merge_imports
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.tree import CONTAINERS, Block, Tree
from tuppence.core.text.document import Document, Edit, Span, apply, together

INLINE_BLOCK = "tests"
"""Name of the block in a source file that holds its tests, used if the language keeps tests there and none exists
yet."""
_PACKAGE = re.compile(r"^[ \t]*package[ \t]+[\w.]+[ \t]*;?[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Brought:
    """The result of inserting new tests into a file."""

    edits: tuple[Edit, ...]
    """Edits of the test file, in order and at least one. The last one is where the code goes."""
    again: tuple[str, ...]
    """Names that the file defines already and that the new code defines differently."""


def bring(document: Document, known: Language, written: NewTests) -> Brought:
    """Return the edits that add code and its imports to a document."""
    code = _lf(written.code).strip("\n")
    if not document.text.strip():
        newline = "\r\n" if "\r\n" in written.code else "\n"
        text = _new(code, written.imports, known).replace("\n", newline)
        return Brought((Edit(Span(0, len(document.text)), text),), ())
    work = _Bringing(_whole(document, known), inline=bool(written.inside))
    work.begin(code, written)
    return work.done()


def added(document: Document, known: Language, written: NewTests) -> tuple[Edit, ...]:
    """Return only the edits of :func:`bring`."""
    return bring(document, known, written).edits


def module_of_tests(tree: Tree, name: str = "") -> Block | None:
    """Return the test block of a source file: the one with that name, else the first that is marked as tests."""
    modules = [block for block in tree.blocks() if block.kind == "module"]
    mark = tree.language.tests.module[0].partition("\n")[0]
    marked = (each for each in modules if mark and tree.text.startswith(mark, each.span.start))
    return next((each for each in modules if name and each.name == name), None) or next(marked, None)


def packaged(code: str, source: Document, known: Language) -> str:
    """Return the code of a new file, with the source's package clause if the language needs one and it has none."""
    clause = _PACKAGE.search(_lf(source.text))
    if "package" not in known.preamble or clause is None or _PACKAGE.search(code) or not code.strip():
        return code
    return f"{clause.group().strip()}\n\n{code.lstrip()}"


@dataclass(frozen=True, slots=True)
class _Room:
    """A place where code can be added: a whole file, or one block of it."""

    document: Document
    tree: Tree
    body: Span
    """The span at whose end code is added."""
    block: Block | None = None

    @property
    def lead(self) -> str:
        """The indentation of its lines."""
        if self.block is None:
            return ""
        inside = re.search(r"^([ \t]*)\S", self.text, re.MULTILINE)
        if inside is not None:
            return inside[1]
        line = self.document.slice(self.document.line_span(self.document.line_at(self.block.span.start)))
        outer = line[: len(line) - len(line.lstrip())]
        return outer + ("\t" if outer.startswith("\t") else "    ")

    @property
    def text(self) -> str:
        """Its current text."""
        return self.document.slice(self.body)

    def inside(self, block: Block) -> _Room | None:
        """Return the room inside one of its blocks; None if the block has no lines of its own."""
        document, end = self.document, block.span.end
        first = document.line_at(max(block.header.start, block.header.end - 1))
        if document.slice(Span(block.header.end, document.line_span(first).end)).strip() not in {"", "{", ":"}:
            return None
        start = document.full_line_span(first).end
        closing = document.line_span(document.line_at(end - 1)).start
        if document.text[closing:end].strip() == "}":
            end = closing
        return replace(self, body=Span(start, end), block=block) if start <= end else None

    def blocks(self) -> Iterator[Block]:
        """Yield its outermost definitions."""
        end = self.body.start
        for block in self.tree.blocks():
            if block.span.start >= end and self.body.covers(block.span) and block != self.block:
                end = block.span.end
                yield block

    def words(self, block: Block) -> list[str]:
        """Return the words of a definition, for comparison regardless of layout."""
        return self.document.slice(block.span).split()

    def append(self, code: str) -> Edit:
        """Return an edit that appends code to it."""
        document, newline = self.document, self.document.newline
        at = len(document.text[: self.body.end].rstrip())
        at = document.line_span(document.line_at(at)).end
        text = newline.join(self.lead + each if each.strip() else each for each in code.strip("\n").split("\n"))
        return Edit(Span(at, at), newline * (self._gap() + 1) + text + (newline if at == len(document.text) else ""))

    def merged(self, lines: str) -> tuple[Edit, ...]:
        """Return the edits that merge import lines into it."""
        inner = replace(self.document, text=self.text)
        edits = merge_imports.merge(inner, parse(inner.text, self.tree.language), lines)
        return tuple(_deeper(inner, edit, self.body.start, self.lead) for edit in edits)

    def _gap(self) -> int:
        """Return the number of blank lines above added code: as many as above the last definition in the file."""
        if self.block is not None:
            return 1 if self.text.strip() else 0
        last = max((_start(block) for block in self.blocks()), default=0)
        above = _lf(self.document.text[:last])
        blank = above[len(above.rstrip()) :].count("\n") - 1
        return blank if above.strip() and blank > 0 else self.tree.language.import_style.blank_lines


@dataclass(slots=True)
class _Bringing:
    """The state of one insertion."""

    file: _Room
    inline: bool
    """Whether the file is the tested source itself, so that only its test module may grow."""
    edits: list[Edit] = field(default_factory=list)
    again: list[str] = field(default_factory=list)

    def begin(self, code: str, written: NewTests) -> None:
        """Add code to the file, or to its test module."""
        if not self.inline:
            self._bring(self.file, code, written.imports)
            return
        known = self.file.tree.language
        module = module_of_tests(self.file.tree, written.inside)
        if module is None:
            if (rest := self._without_twins(self.file, code)).strip():
                self.edits.append(self.file.append(_module(rest, written.imports, known)))
        elif (room := self.file.inside(module)) is not None:
            around, inside = _apart(code, known)
            self._bring(room, f"{self._without_twins(self.file, around)}\n{inside}", written.imports)
        else:
            self.again.append(module.name)

    def done(self) -> Brought:
        """Return the result."""
        end = len(self.file.document.text)
        return Brought(together(self.edits) or (Edit(Span(end, end), ""),), tuple(self.again))

    def _bring(self, room: _Room, code: str, lines: str) -> None:
        if not room.text.strip():
            self.edits.append(room.append(_new(code, lines, room.tree.language)))
            return
        if room.block is None or room.block.kind == "module":
            code, lifted = _headless(code, room.tree.language)
            self.edits += room.merged(f"{lifted}{_lf(lines)}")
        rest = self._without_twins(room, code)
        if rest.strip():
            self.edits.append(room.append(rest))

    def _without_twins(self, room: _Room, code: str) -> str:
        """Return the code without definitions that the room has; new members of its classes are added to the room."""
        known = room.tree.language
        sheet = _whole(Document("", known.id, None, code), known)
        there = {_called(block): block for block in room.blocks() if block.name}
        gone: list[Edit] = []
        for block in sheet.blocks():
            twin = there.get(_called(block))
            if twin is None or not (sheet.words(block) == room.words(twin) or self._grown(sheet, block, room, twin)):
                self.again += [block.name] if twin and known.import_style.names_are_unique else []
                continue
            gone.append(Edit(Span(_start(block), block.span.end), ""))
        return apply(code, gone)

    def _grown(self, sheet: _Room, block: Block, room: _Room, twin: Block) -> bool:
        """Add the members of a class to the existing class; report whether that was possible."""
        new, old = sheet.inside(block), room.inside(twin)
        if block.kind not in CONTAINERS or new is None or old is None or (self.inline and room.block is None):
            return False
        self._bring(old, _outdented(new.text, new.lead), "")
        return True


def _whole(document: Document, known: Language) -> _Room:
    return _Room(document, parse(document.text, known), Span(0, len(document.text)))


def _new(code: str, lines: str, known: Language) -> str:
    """Return the text of a new file."""
    if known.import_style.is_python and lines.strip() and re.match(r"@|(async\s+)?def\b|class\b", code):
        code = "\n\n" + code
    fresh = _whole(Document("", known.id, None, code + "\n"), known)
    return apply(fresh.text, fresh.merged(_lf(lines))).lstrip("\n")


def _module(code: str, lines: str, known: Language) -> str:
    """Return the code as a test module that contains its imports, for a source file without one."""
    code, lifted = _headless(code, known)
    code = code.strip("\n")
    if module_of_tests(parse(code, known)) is None:
        opening, closing = known.tests.module
        body = "\n".join(f"    {each}" if each.strip() else each for each in code.split("\n"))
        code = f"{opening}\n\n{body}\n{closing}"
    fresh = _whole(Document("", known.id, None, code), known)
    module = module_of_tests(fresh.tree)
    room = fresh.inside(module) if module else None
    return apply(code, room.merged(lifted + _lf(lines))) if room else code


def _apart(code: str, known: Language) -> tuple[str, str]:
    """Return the code around the code's own test module, and the code in it; without a module, all of it is inside."""
    sheet = _whole(Document("", known.id, None, code), known)
    module = module_of_tests(sheet.tree)
    room = sheet.inside(module) if module else None
    if module is None or room is None:
        return "", code
    return code[: module.span.start] + code[module.span.end :], _outdented(room.text, room.lead)


def _headless(code: str, known: Language) -> tuple[str, str]:
    """Return the code without its package clause and top-level imports, and those imports."""
    if "package" in known.preamble:
        code = _PACKAGE.sub("", code, count=1)
    sheet = Document("", known.id, None, code)
    lifted: list[str] = []
    gone: list[Edit] = []
    for span in parse(code, known).import_statements():
        lines = sheet.whole_lines(span)
        if sheet.slice(lines).strip().rstrip(";") == sheet.slice(span).strip().rstrip(";"):
            lifted.append(sheet.slice(span) + "\n")
            gone.append(Edit(lines, ""))
    return apply(code, gone), "".join(lifted)


def _deeper(inner: Document, edit: Edit, by: int, lead: str) -> Edit:
    """Return an edit of a block's body as an edit of the file, with its whole lines indented."""
    at = edit.span.start
    first = r"|\A(?=[^\r\n])" if at == inner.line_span(inner.line_at(at)).start else ""
    text = re.sub(rf"(?<=\n)(?=[^\r\n]){first}", lead, edit.text)
    return Edit(Span(at + by, edit.span.end + by), text)


def _called(block: Block) -> tuple[str, str]:
    """Return the key by which definitions are matched: name and kind, with functions and methods alike."""
    return block.name, block.kind if block.kind in CONTAINERS else ""


def _start(block: Block) -> int:
    return min(block.span.start, block.doc.start) if block.doc else block.span.start


def _outdented(text: str, lead: str) -> str:
    return re.sub(rf"^{lead}", "", text, flags=re.MULTILINE)


def _lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, slots=True)
class NewTests:
    """Code for another file or place than the target: tests, in a new or an extended file."""

    path: str
    """Absolute path of the file."""
    code: str
    """The code to append."""
    imports: str
    """The import lines that the code needs."""
    inside: str
    """Name of the block to whose end the code is appended, such as ``tests``; empty for the end of the file."""


@dataclass(frozen=True, slots=True)
class TestLocation:
    """The place of generated tests."""

    __test__: ClassVar[bool] = False  # pytest would collect a class of this name

    path: str
    """Absolute path of the test file."""
    document: Document
    """The test file as it is now; empty if it is new."""
    is_new: bool
    block: str = ""
    """Name of the block to whose end tests are appended in a source file; empty for the end of the file."""
