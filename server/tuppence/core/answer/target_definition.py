"""The definition that is the target, and which definition of an answer may replace it.

Two definitions match if their names, their kinds (functions and methods, or classes and similar containers) and the
names of the enclosing definitions agree. An answer may leave out the enclosing definitions, but not change them: a
method of another class is another method.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Span

_FUNCTIONS = frozenset({"function", "method", "prototype", "macro"})
_CLASSES = frozenset({"class", "struct", "enum", "type", "interface"})
_RECEIVER = re.compile(r"func\s*\(\s*(?:\w+\s+)?\*?\s*(\w+)")
WORD = re.compile(r"[^\W\d][\w$]*")
"""A word of code."""
_GENERIC = re.compile(r"[<\[].*", re.DOTALL)


class TargetDefinition:
    """The definition that is the target."""

    def __init__(self, tree: Tree, block: Block) -> None:
        self._tree = tree
        self.block = block
        self.name = last_name(block.name)
        self.path = path(tree, block)
        self.header = header(tree, block)
        self._around = _headers_around(tree, block)
        inside = tree.definitions(block.span)
        self.inner_names = frozenset(last_name(each.name) for each in inside)
        """The names of the definitions inside it, its own included."""
        self.count = sum(self.accepts(tree, each, in_place=True) for each in inside)
        """Number of definitions in its span with its name, kind and owner: itself, and overloads around it."""

    @property
    def title(self) -> str:
        """Its full name with the enclosing definitions, separated by dots."""
        return ".".join((*self.path, self.name))

    @cached_property
    def words_in_file(self) -> frozenset[str]:
        """The words of the target's file."""
        return frozenset(WORD.findall(self._tree.text))

    @cached_property
    def names_in_file(self) -> frozenset[str]:
        """The names of all definitions in the target's file."""
        return frozenset(last_name(each.name) for each in self._tree.blocks())

    def accepts(self, tree: Tree, block: Block, *, in_place: bool) -> bool:
        """Report whether a definition of an answer may be the target.

        :param in_place: whether the answer was parsed in the target's place, within all enclosing definitions.
        """
        if last_name(block.name) != self.name or family(block.kind) != family(self.block.kind):
            return False
        there = path(tree, block)
        return there == self.path if in_place else not there or there == self.path[-len(there) :]

    def choose(self, tree: Tree, found: Sequence[Block]) -> Block | None:
        """Return the one of several definitions that is the target; None if that is not certain.

        Overloads, and a property with its setter, share a name. A definition whose header equals that of another
        definition of the file is that other one.
        """
        if len(found) <= 1:
            return found[0] if found else None
        rest = [each for each in found if header(tree, each) == self.header]
        if not rest:
            others = self._others()
            rest = [each for each in found if header(tree, each) not in others]
        if len(rest) > 1:
            rest = [each for each in rest if self._is_enclosed_alike(tree, each)]
        return rest[0] if len(rest) == 1 else None

    def _others(self) -> set[str]:
        return {
            header(self._tree, each)
            for each in self._tree.blocks()
            if each.name == self.block.name and each.span != self.block.span and path(self._tree, each) == self.path
        }

    def _is_enclosed_alike(self, tree: Tree, block: Block) -> bool:
        around = _headers_around(tree, block)
        return bool(around) and around == self._around[-len(around) :]


def own_definition(tree: Tree, target: Span, name: str) -> TargetDefinition | None:
    """Return the definition of a target of whole lines by its name; None if there is none."""
    if not name:
        return None
    found = next((each for each in tree.definitions(target) if each.name == name), None)
    return TargetDefinition(tree, found) if found else None


def path(tree: Tree, block: Block) -> tuple[str, ...]:
    """Return the names of the enclosing definitions, outermost first; Go receivers and C++ owners count."""
    names = [name for each in tree.around(block.span) for name in _names(each.name)]
    if tree.language.id == "go" and (receiver := _RECEIVER.match(header(tree, block))):
        names.append(receiver[1])
    return (*names, *_names(block.name)[:-1])


def header(tree: Tree, block: Block) -> str:
    """Return a definition's header including its decorators, with white space collapsed to single spaces."""
    return " ".join(tree.text[block.span.start : block.header.end].split())


def last_name(name: str) -> str:
    """Return a definition's own name, without its owner and type parameters."""
    return next(iter(_names(name)[-1:]), "")


def family(kind: str) -> str:
    """Return the family of a kind: ``function`` for functions and methods, ``class`` for classes and structs."""
    return "function" if kind in _FUNCTIONS else "class" if kind in _CLASSES else kind


def _names(name: str) -> list[str]:
    """Return the parts of a name: ``Foo::bar`` has two, ``Bar<T>`` has one."""
    if name.startswith(("operator", "~", "(")):
        return [name]
    parts = _GENERIC.sub("", name).split("::") if "<" in name or "[" in name else name.split("::")
    return [part.strip() for part in parts if part.strip()]


def _headers_around(tree: Tree, block: Block) -> tuple[str, ...]:
    return tuple(header(tree, each) for each in tree.around(block.span))
