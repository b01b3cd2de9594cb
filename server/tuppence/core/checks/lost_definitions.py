"""Check whether an answer removed code instead of fixing it, or repeats a definition from elsewhere in the file.

Definitions are matched by their names and the names around them. A body is emptied if it did something and now does
nothing. A definition is removed if it was in the target, exists nowhere now, and the file still uses its name. It is
lost if the target held definitions and its replacement holds none. A shorter body that does the same work is fine.

An answer can also return more than was asked for: the target and its neighbor, which the file would then hold twice.
Two definitions are duplicates if their headers are equal, word for word, inside the same outer definitions; the headers
of overloads differ.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tuppence.core.answer.select_fence import definitions
from tuppence.core.checks import suppressions
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Span

_LEAST = 2
"""Minimum number of lines of code of the old body."""
_NOTHING = re.compile(
    r"pass|\.\.\.|return(?:None|null|nil|undefined|False|True|false|true|0|\[\]|\{\}|\"\"|'')?"
    r"|raiseNotImplementedError(?:\(.*\))?|thrownew\w*Error\(.*\)|(?:todo|unimplemented|panic)!?\(.*\)"
    r"|thrownewUnsupportedOperationException\(.*\)|NotImplemented|None",
)
_Header = tuple[str, ...]


def emptied(before: Tree, after: Tree, target: Span) -> str:
    """Return the name of a definition in the target whose body now does nothing; empty if there is none."""
    now = dict(_named(after))
    for name, block in _named(before):
        other = now.get(name)
        if other is None or not target.covers(block.span):
            continue
        if len(_body(before, block)) >= _LEAST and _is_nothing(_body(after, other)):
            return block.name
    return ""


def taken(before: Tree, after: Tree, target: Span) -> str:
    """Return the name of a removed definition of the target that the file still uses; empty if there is none."""
    there = {block.name for block in after.blocks()}
    rest = f"{before.text[: target.start]}\n{before.text[target.end :]}"
    for block in before.blocks():
        if block.name in there or not block.name or not target.covers(block.span):
            continue
        word = re.compile(rf"(?<!\w){re.escape(block.name)}(?!\w)")
        # It may now be an import, an assignment or a parameter.
        bound = rf"import\b[^\n]*{word.pattern}|{word.pattern}\s*(?::[^=\n]+)?[:=]"
        if word.search(rest) and not re.search(bound, after.text):
            return block.name
    return ""


def lost(before: Tree, after: Tree, target: Span, place: Span) -> str:
    """Return the name of a definition in the target if the replacement defines nothing; otherwise empty.

    :param place: the span of the target's new text.
    """
    gone = definitions(before, target)
    if not gone or any(place.start <= other.span.start < place.end for other in after.blocks()):
        return ""
    word = rf"(?<!\w)(?:{'|'.join(re.escape(block.name) for block in gone)})(?!\w)"
    bound = re.search(rf"{word}\s*(?::[^=\n]+)?[:=]", after.text[place.start : place.end])
    return "" if bound or re.search(rf"import\b[^\n]*{word}", after.text) else gone[0].name


def _named(tree: Tree) -> Iterator[tuple[tuple[str, ...], Block]]:
    """Yield the functions and methods whose qualified names are unique."""
    found: list[tuple[tuple[str, ...], Block]] = []
    around: list[Block] = []
    for block in tree.blocks():
        while around and not around[-1].span.covers(block.span):
            around.pop()
        around.append(block)
        if block.name and block.kind in ("function", "method"):
            found.append((tuple(each.name for each in around), block))
    often = Counter(name for name, _ in found)
    yield from ((name, block) for name, block in found if often[name] == 1)


def _body(tree: Tree, block: Block) -> list[str]:
    """Return the lines of code in a body, without white space and its docstring."""
    text = tree.text[block.header.end : block.span.end]
    if block.doc is not None and block.header.end <= block.doc.start:
        text = tree.text[block.header.end : block.doc.start] + tree.text[block.doc.end : block.span.end]
    lines = suppressions.code(text.strip().strip(":{}").splitlines(), tree.language)
    return [bare for line in lines if (bare := line.rstrip(";")) and not re.fullmatch(r"[\W_]", bare)]


def _is_nothing(body: list[str]) -> bool:
    return not body or (len(body) == 1 and _NOTHING.fullmatch(body[0]) is not None)


def duplicated_definition(before: Tree, after: Tree, target: Span) -> str:
    """Return the name of a definition outside the target that the answer writes again; empty if there is none."""
    if not isinstance(after, type(before)):
        return ""
    old = list(_headers(before))
    was = Counter(header for _, header in old)
    elsewhere = {header for block, header in old if not target.covers(block.span)}
    now = list(_headers(after))
    counts = Counter(header for _, header in now)
    return next((block.name for block, each in now if each in elsewhere and counts[each] > was[each]), "")


def _headers(tree: Tree) -> Iterator[tuple[Block, _Header]]:
    """Yield each named definition with its header and the headers around it."""
    around: list[tuple[int, _Header]] = []
    for block in tree.blocks():
        while around and around[-1][0] <= block.span.start:
            around.pop()
        outer = around[-1][1] if around else ()
        header = (*outer, " ".join(tree.text[block.span.start : block.header.end].split()))
        around.append((block.span.end, header))
        if block.name and block.kind != "block":
            yield block, header
