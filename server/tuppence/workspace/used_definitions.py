"""The definitions elsewhere in the project that a target uses, found through its file's imports.

A name that a module only passes on is followed two files further. Definitions in the target's own file are not
returned: the file itself is shown. Names are matched as words; nothing is resolved as a compiler would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tuppence.core.prompt.context import Definition
from tuppence.core.prompt.excerpt import signature
from tuppence.core.syntax.import_statements import Imported
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Span
from tuppence.workspace import files
from tuppence.workspace.import_resolution import Lead, leads

_MOST = 24
"""Definitions of one request."""
_MOST_FILES = 60
_STEPS = 2
"""How often a name that is only passed on is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What is looked for, and where."""

    tree: Tree
    """The file that the target stands in."""
    span: Span
    """The target."""
    text: str
    """What the target says."""
    path: Path
    """Where that file lies, resolved."""
    root: Path
    roots: Sequence[Path]
    """The folders that are open; nothing outside them is read."""
    readable: Callable[[Path], Path | None]
    """Returns the real place of a file that may be looked into, None for any other."""


def definitions(search: Search) -> tuple[Definition, ...]:
    """Return what the target uses, most used first."""
    names = search.tree.names(search.span)
    found: dict[tuple[Path, Span], tuple[int, Definition]] = {}
    style = search.tree.language.import_style
    imported = (each for each in _imported(search.tree) if style.uses(names, each))
    for lead in islice(leads(style, imported, search.path, search.root), _MOST_FILES):
        for path, tree, block, name in _matching(search, lead, names, _STEPS):
            often = len(re.findall(rf"(?<![\w$]){re.escape(name)}(?![\w$])", search.text))
            shown = Definition(path.relative_to(search.root).as_posix(), block.name, signature(tree, block))
            found.setdefault((path, block.span), (often, shown))
    ranked = sorted(found.values(), key=lambda each: (-each[0], each[1].path, each[1].name))
    return tuple(definition for _, definition in ranked[:_MOST])


def _matching(search: Search, lead: Lead, names: frozenset[str], steps: int) -> Iterator[tuple[Path, Tree, Block, str]]:
    """Yield each definition of a file that is used, with the name that the target calls it by."""
    place = search.readable(lead.path) if lead.path != search.path else None
    tree = files.tree(place, search.roots, str(lead.path)) if place else None
    if tree is None:
        return
    wanted = {name: name for name in names} if lead.names is None else dict(lead.names)
    missing = {there: here for there, here in wanted.items() if here in names}
    for block in _outer(tree):
        name = re.split(r"[.:]+", block.name)[-1]
        if name in wanted and wanted[name] in names:
            missing.pop(name, None)
            yield lead.path, tree, block, wanted[name]
    if not missing or not steps or not tree.language.import_style.passes_on:
        return
    passed_on = [each for each in _imported(tree) if each.local in missing or (each.name == "*" and not each.alias)]
    for each in leads(tree.language.import_style, passed_on, lead.path, search.root):
        further = tuple((there, missing[here]) for there, here in each.names or () if here in missing)
        follow = Lead(each.path, further if each.names else tuple(missing.items()))
        yield from _matching(search, follow, names, steps - 1)


def _outer(tree: Tree) -> Iterator[Block]:
    """Yield the definitions that other files can see: not those inside a function or a class."""
    end = 0
    for block in tree.blocks():
        if block.span.start < end:
            continue
        if block.kind == "impl":
            continue
        if block.kind != "module":
            end = block.span.end
        yield block


def _imported(tree: Tree) -> Iterator[Imported]:
    """Yield what a file imports, a Rust file's modules and a TypeScript file's passed-on exports included."""
    style = tree.language.import_style
    for span in tree.import_statements():
        yield from style.parse(tree.text[span.start : span.end])
    yield from style.other_imports(tree.text)
