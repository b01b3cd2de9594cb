"""Mined cases: a function as a package's release has it, and as its next release has it.

Each is one change alone: the rest of the file is as in the older release. So a case says whether its new text needs
what other changes of the file bring in (``leans``): alone, as an answer has to stand, such a text would be wrong.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher

from tuppence.core.syntax.languages import by_suffix, language
from tuppence.core.syntax.packages import Packages, normal
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.syntax.python_ast import flaw
from tuppence.core.syntax.target import Target, find_target
from tuppence.core.syntax.tree import CONTAINERS, Block
from tuppence.core.text.document import Document, Edit, Span, apply

LINES = range(4, 201)
"""How long the functions are, before and after."""
SMALL = 12
"""Lines that a small change takes away and brings in, at most: what a fix usually comes to."""
MEMBERS = 4
"""Functions that a class has at least for it to lose two of them."""
REPEATED = 12
"""Import statements of the file that a reply repeats, at most."""
FILES = 60
"""Changed files of a package that are read, drawn at random: a few hundred functions are enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One function, and what it is to become."""

    package: str
    path: str
    document: Document
    """As the older release has it."""
    target: Target
    """As :func:`~tuppence.core.syntax.target.find_target` gives it, with the cursor on the name."""
    code: str
    """The target's new text: whole lines, without the last line's ending."""
    body: tuple[int, int]
    """The lines of ``code`` that are its body, from 0, half-open; without its docstring and its closing line."""
    imports: str = ""
    """Import lines that the new text needs and the file lacks."""
    needs: str = ""
    """Import statements that the file has and the new text uses."""
    leans: bool = False
    """Whether the new text uses a name that other changes of the file bring in."""
    wrapper: str = ""
    """The lines at which the class, or what else holds the target, begins; empty where nothing does."""
    wrapper_name: str = ""
    neighbor: str = ""
    """Another function of the file, at the same depth."""
    impostor: tuple[str, str] | None = None
    """Another class's beginning, and its other method of the target's name."""
    doc: str = ""
    """The comment right above the target, as whole lines."""
    members: tuple[Span, ...] = ()
    """For a class: where in ``code`` its functions are, whole lines."""
    packages: Packages | None = None

    @property
    def key(self) -> str:
        """What tells it from every other case."""
        return f"{self.package}:{self.path}:{self.wrapper_name}:{self.target.name}:{self.target.span.start}"

    @property
    def old(self) -> str:
        """The target's text."""
        return self.document.slice(self.target.span)

    @property
    def expected(self) -> str:
        """The whole text with the new one in the target; without new imports."""
        return apply(self.document.text, [Edit(self.target.span, self.code)])

    @property
    def is_class(self) -> bool:
        """Whether the target is a class, of which two methods can be lost."""
        return bool(self.members)

    @property
    def is_small(self) -> bool:
        """Whether little is changed, as by a fix."""
        old, new = self.old.split("\n"), self.code.split("\n")
        codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        return sum((b - a) + (d - c) for tag, a, b, c, d in codes if tag != "equal") <= SMALL


def cases(package: str, older: Mapping[str, str], newer: Mapping[str, str], seed: int) -> Iterator[Case]:
    """Yield the functions that two releases have with different texts, and the classes with several functions.

    :param older: the older release's texts, by path.
    """
    had = _packages({**older, **newer})
    paths = sorted(path for path in older.keys() & newer.keys() if older[path] != newer[path])
    random.Random(seed).shuffle(paths)  # noqa: S311 - a choice of samples, no secrets
    paths = paths[:FILES]
    methods = _methods({path: newer[path] for path in paths})
    for path in paths:
        for case in _of_file(path, older[path], newer[path]):
            yield replace(case, package=package, packages=had, impostor=_impostor(case, methods))


def chosen(found: list[Case], limit: int, seed: int) -> list[Case]:
    """Return so many cases at most, drawn at random, with as many of each package as can be had."""
    dice = random.Random(seed)  # noqa: S311 - a choice of samples, no secrets
    by_package: dict[str, list[Case]] = defaultdict(list)
    for case in sorted(found, key=lambda each: each.key):
        by_package[case.package].append(case)
    for each in by_package.values():
        dice.shuffle(each)
    taken: list[Case] = []
    while len(taken) < limit and any(by_package.values()):
        for each in by_package.values():
            if each and len(taken) < limit:
                taken.append(each.pop())
    return taken


def _of_file(path: str, old: str, new: str) -> Iterator[Case]:
    known = by_suffix(path)
    before, after = parse(old, known), parse(new, known)
    if not (isinstance(before, SyntaxTree) and isinstance(after, SyntaxTree) and before.sound() and after.sound()):
        return
    document, now = Document(f"file:///{path}", known.id, 1, old), Document("", known.id, 1, new)
    theirs, ours = _named(after), _named(before)
    for name, (block, around) in ours.items():
        other = theirs.get(name)
        if other is None or block.named is None:
            continue
        is_class = block.kind in ("class", "impl", "interface") and bool(block.name)
        if not is_class and block.kind in {*CONTAINERS, "type", "macro", "prototype"}:
            continue
        target = find_target(document, before, Span(block.named.start, block.named.start))
        lines = document.whole_lines(block.span)
        if target is None or target.span != lines or target.name != block.name:
            continue
        code = now.slice(now.whole_lines(other[0].span))
        was = document.slice(lines)
        if was == code or margin(was) != margin(code) or not all(len(t.split("\n")) in LINES for t in (was, code)):
            continue
        made = Case(package="", path=path, document=document, target=target, code=code, body=(0, 0))
        if (parsed := _parsed(made, block, is_class=is_class)) is not None:
            needed, used = _new_imports(before, after, code), _used_imports(before, code)
            yield replace(
                parsed,
                imports=needed,
                needs=used,
                leans=_leans(code, needed, old, new),
                wrapper=_beginning(document, around[-1]) if around else "",
                wrapper_name=around[-1].name if around else "",
                neighbor=_neighbor(document, before, block),
                doc=_doc(document, block),
            )


def _parsed(case: Case, block: Block, *, is_class: bool) -> Case | None:
    """Return the case with what its new text holds; None where the text as it would be does not parse."""
    known = language(case.document.language)
    text = case.expected
    tree = parse(text, known)
    if not tree.sound() or (known.id == "python" and flaw(text) is not None):
        return None
    place = Span(case.target.span.start, case.target.span.start + len(case.code))
    inside = [each for each in tree.blocks() if place.covers(each.span) and each.name == block.name]
    if not inside or tree.lines.whole_lines(inside[0].span) != place:
        return None
    it, lines = inside[0], tree.lines
    first = lines.line_at(place.start)
    begin = lines.line_at(max(it.header.end - 1, it.header.start)) + 1
    if it.doc is not None and it.doc.start >= it.header.end:
        begin = lines.line_at(it.doc.end - 1) + 1
    elif known.id != "python" and (opened := text.find("{", it.header.end, it.span.end)) >= 0:
        begin = lines.line_at(opened) + 1
    end = lines.line_at(place.end) + (known.id == "python")
    if begin >= end and not is_class:
        return None
    members = _members(case, tree.blocks(), it) if is_class else ()
    if is_class and len(members) < MEMBERS:
        return None
    moved = tuple(Span(each.start - place.start, each.end - place.start) for each in members)
    return replace(case, body=(begin - first, max(begin, end) - first), members=moved)


def _members(case: Case, blocks: tuple[Block, ...], outer: Block) -> tuple[Span, ...]:
    lines = Document("", case.document.language, 1, case.expected)
    found = [each for each in blocks if outer.span.covers(each.span) and each.span != outer.span]
    direct = [each for each in found if not any(other != each and other.span.covers(each.span) for other in found)]
    return tuple(lines.whole_lines(each.span) for each in direct if each.kind in ("function", "method"))


def margin(text: str) -> int:
    """Return how deep a text's first line is, in characters."""
    return len(text) - len(text.lstrip(" \t"))


def _leans(code: str, imports: str, old: str, new: str) -> bool:
    elsewhere = new.replace(code, "")
    return bool(_words(code) & (_words(elsewhere) - _words(f"{old}\n{imports}")))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", text)) - {"import", "from", "as", "const", "require", "type", "use", "crate"}


def _named(tree: SyntaxTree) -> dict[str, tuple[Block, tuple[Block, ...]]]:
    """Return definitions by the names around them, with what is around them.

    Those that share a name are left out, and those inside a function.
    """
    found: dict[str, tuple[Block, tuple[Block, ...]]] = {}
    often: set[str] = set()
    around: list[Block] = []
    for block in tree.blocks():
        while around and not around[-1].span.covers(block.span):
            around.pop()
        outer = tuple(around)
        around.append(block)
        if any(each.kind not in CONTAINERS for each in outer):
            continue
        name = ".".join(f"{each.kind} {_header(tree, each)}" for each in outer) + f".{block.name}"
        (often.add(name) if name in found else found.setdefault(name, (block, outer)))
    return {name: each for name, each in found.items() if name not in often and each[0].name}


def _header(tree: SyntaxTree, block: Block) -> str:
    """Return what a container is known by: an impl's whole header, since its name may be another's too."""
    return " ".join(tree.text[block.header.start : block.header.end].split()) if block.kind == "impl" else block.name


def _beginning(document: Document, block: Block) -> str:
    """Return the lines at which a block begins, up to the brace that opens its body."""
    at = block.header.end
    if document.language != "python":
        at = document.text.find("{", at, block.span.end)
    return document.slice(document.whole_lines(Span(block.header.start, max(at, block.header.start) + 1)))


def _neighbor(document: Document, tree: SyntaxTree, block: Block) -> str:
    lines = document.whole_lines(block.span)
    deep = margin(document.slice(lines))
    for each in tree.blocks():
        text = document.slice(document.whole_lines(each.span))
        alike = each.kind in ("function", "method") and each.name and each.name != block.name
        if alike and margin(text) == deep and len(text.split("\n")) in LINES:
            return text
    return ""


def _doc(document: Document, block: Block) -> str:
    if block.doc is None or block.doc.end > block.span.start:
        return ""
    return document.slice(document.whole_lines(block.doc))


def _imports(tree: SyntaxTree) -> list[str]:
    return [tree.text[each.start : each.end].strip() for each in tree.import_statements()]


def _used_imports(tree: SyntaxTree, code: str) -> str:
    """Return the import statements that bring in a name which the code uses, a few of them at most."""
    style, words = tree.language.import_style, _words(code)
    used = [each for each in _imports(tree) if any(style.uses(words, one) for one in style.parse(each))]
    return "\n".join(used[:REPEATED])


def _new_imports(before: SyntaxTree, after: SyntaxTree, code: str) -> str:
    """Return statements that bring in what the code uses, the newer file imports, and the older one does not."""
    style, words = before.language.import_style, _words(code)
    there = {one for each in _imports(before) for one in style.parse(each)}
    found = []
    for each in _imports(after):
        brings = style.parse(each)
        lacking = tuple(one for one in brings if not style.covers(there, one) and style.uses(words, one))
        if lacking:
            found.append(each if lacking == brings else style.write(each, lacking))
    return "\n".join(found)


def _methods(texts: Mapping[str, str]) -> dict[str, list[tuple[str, str, str]]]:
    """Return each method's class's name, that class's beginning, and the method's text, by the method's name."""
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for path, text in sorted(texts.items()):
        tree = parse(text, by_suffix(path))
        document = Document("", tree.language.id, 1, text)
        if not isinstance(tree, SyntaxTree):
            continue
        for block, outer in _named(tree).values():
            if outer and outer[-1].kind in ("class", "impl") and block.kind in ("function", "method"):
                lines = document.slice(document.whole_lines(block.span))
                if len(lines.split("\n")) in range(4, 40):
                    found[block.name].append((outer[-1].name, _beginning(document, outer[-1]), lines))
    return found


def _impostor(case: Case, methods: Mapping[str, list[tuple[str, str, str]]]) -> tuple[str, str] | None:
    if not case.wrapper or case.is_class:
        return None
    others = (each for each in methods.get(case.target.name, ()) if each[0] != case.wrapper_name)
    return next(((head, text) for _, head, text in others if text not in (case.code, case.old)), None)


def _packages(texts: Mapping[str, str]) -> Packages:
    names: set[str] = set()
    for path, text in texts.items():
        names.update(part.partition(".")[0] for part in path.split("/"))
        names.update(re.findall(r"^\s*(?:from|import)\s+(\w+)", text, re.MULTILINE))
        names.update(re.findall(r"(?:from|require\()\s*['\"]([^'\"./][^'\"]*)['\"]", text))
        names.update(re.findall(r"^\s*(?:[\w.]+\s+)?\"([\w.-]+/[^\"\s]+)\"$", text, re.MULTILINE))
    return Packages(frozenset(normal(name) for name in names), complete=True)
