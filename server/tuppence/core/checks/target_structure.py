"""Check that an edit preserves the structure of the file: the same definitions, at the same depth, each once.

The target's place must contain the target once, with its name and inside the definitions that enclosed it; new
definitions may be beside or inside it. Imports, a package clause or an enclosing header must not be there, the members
of a class must remain, and the code after the target must be enclosed as before. Definitions are compared by names and
headers, so the checks hold for every language with a row in :mod:`tuppence.core.syntax.languages`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tuppence.core.answer.import_lines import file_head
from tuppence.core.answer.target_definition import TargetDefinition, header, last_name, own_definition, path
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import CONTAINERS, Block, Tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Span
from tuppence.core.text.shown_text import quoted

GROWTH, ROOM = 4, 120
"""A target of n lines may become at most ``GROWTH`` * n + ``ROOM`` lines."""
_REMOVES = re.compile(
    r"unused|never (?:used|read|called)|not accessed|unreachable|redefin|redeclar|duplicate|remove|F811", re.IGNORECASE
)
"""Matches diagnostics that justify removing a definition."""
_CURLY = re.compile("[\u2018-\u201f]")
_ENTITY = re.compile(r"&(?P<name>lt|gt|amp|quot|apos|nbsp);")
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class StructureFindings:
    """The result of checking the structure of an edited file."""

    reason: str = ""
    """A sentence on why the edit is rejected; empty if it is not."""
    doubts: tuple[str, ...] = ()
    """Doubts: clauses whose subject is the answer."""


def structure_findings(
    old: Tree, new: Tree, target: Target, place: Span, diagnostics: Collection[Diagnostic]
) -> StructureFindings:
    """Check what a new text in a target's place does to the structure of its file.

    :param old: the parse of the current file.
    :param new: the parse of the file with the new text, without merged imports.
    :param place: the span of the new text in it.
    """
    may_remove = any(_REMOVES.search(f"{each.message} {each.code}") for each in diagnostics)
    own = own_definition(old, target.span, target.name)
    checks = (
        _too_long(old, new, target.span, place),
        _file_lines(old, new, target, place),
        _odd_signs(old, new, target.span, place),
        _defined_otherwise(own, new, place, diagnostics) if own and not may_remove else "",
        _moved(old, new, target.span, place),
        "" if may_remove else _lost_members(old, new, target.span, place, own),
    )
    if reason := next(filter(None, checks), ""):
        return StructureFindings(reason)
    return StructureFindings(doubts=tuple(_header_doubts(own, new, place)) if own else ())


def _too_long(old: Tree, new: Tree, target: Span, place: Span) -> str:
    was, now = (text.count("\n") + 1 for text in (old.lines.slice(target), new.lines.slice(place)))
    return f"The answer has {now} lines instead of {was}." if now > GROWTH * was + ROOM else ""


def _moved(old: Tree, new: Tree, target: Span, place: Span) -> str:
    """Return a sentence if the target, or the code after it, is enclosed by other definitions than before."""
    if _around(old, target) != _around(new, place):
        return "The answer closes or opens a definition that encloses what was to be changed."
    rest = len(new.text) - place.end
    gap = rest - len(new.text[place.end :].lstrip())
    follows = place.end + gap
    behind = target.end + gap
    if follows < len(new.text) and _around(old, Span(behind, behind + 1)) != _around(new, Span(follows, follows + 1)):
        return "With the answer, the code behind what was to be changed would become a part of it."
    return ""


def _file_lines(old: Tree, new: Tree, target: Target, place: Span) -> str:
    """Return a sentence if a line that belongs at the top of a file is in the target's place."""
    if not target.name and not target.within:
        return ""
    language = new.language
    there = {line.strip() for line in old.lines.slice(target.span).splitlines()}
    may_import = language.import_style.is_python or language.id == "rust"
    inside = [each.span for each in new.definitions(place) if each.name]
    first, last = new.lines.line_at(place.start), new.lines.line_at(max(place.start, place.end - 1))
    for line in range(first, last + 1):
        span = new.lines.line_span(line)
        text = new.lines.slice(span).strip()
        is_inside = bool(target.within and not target.name) or any(each.covers(span) for each in inside)
        is_file_line = text not in there and file_head([text], language).end and not (may_import and is_inside)
        if is_file_line and _is_code(new, span):
            return f"The answer has a line in it that belongs to the top of a file: {quoted(text, 80, '“')}."
    return ""


def _odd_signs(old: Tree, new: Tree, target: Span, place: Span) -> str:
    """Return a sentence if new code outside strings and comments has characters of web pages, such as entities.

    ``&lt;`` may be the address of ``lt`` in C, so an entity counts only if its name is not a word of the file.
    """
    if new.language.grammar is None:
        return ""
    text, there = new.lines.slice(place), old.lines.slice(target)
    for pattern, name in ((_CURLY, "curly quotation marks"), (_ENTITY, "HTML entities")):
        if not pattern.search(text) or pattern.search(there):
            continue
        texts = (*new.strings(place), *new.comments(place))
        for found in pattern.finditer(text):
            at = found.start() + place.start
            is_text = any(each.start <= at < each.end for each in texts)
            if not is_text and not (found.lastgroup and re.search(rf"\b{found['name']}\b", old.text)):
                return f"The answer has {name} in its code."
    return ""


def _is_code(tree: Tree, span: Span) -> bool:
    """Report whether a line is parsed as an import or a package clause, and not as text in a string."""
    enclosing = tree.statement(span)
    whole = tree.lines.slice(enclosing) if enclosing else ""
    quoted = whole[: max(0, span.start - enclosing.start)] if enclosing else ""
    return not any(quoted.count(mark) % 2 for mark in ('"""', "'''", "`"))


def _defined_otherwise(own: TargetDefinition, new: Tree, place: Span, diagnostics: Collection[Diagnostic]) -> str:
    """Return a sentence if the target's place does not define the target, once and with its name."""
    blocks = new.definitions(place)
    found = [each for each in blocks if own.accepts(new, each, in_place=True)]
    enclosing = {*own.path} & {last_name(each.name) for each in blocks if each.kind in CONTAINERS and each.name}
    if enclosing - own.inner_names:
        return f"The answer repeats `{min(enclosing)}`, which encloses what was to be changed."
    if len(found) > own.count:
        return f"The answer defines `{own.name}` {len(found)} times."
    if found or any(re.search(rf"(?<!\w){re.escape(own.name)}(?!\w)", each.message) for each in diagnostics):
        return ""
    name = re.escape(own.name)
    if re.search(rf"(?<!\w){name}\s*(?::[^=\n]+)?=(?!=)", new.lines.slice(place)):
        return ""
    others = [each for each in blocks if each.name]
    if others and last_name(others[0].name) == own.name:
        other = ".".join((*path(new, others[0]), own.name))
        return f"The answer defines `{other}`, a {others[0].kind}, instead of `{own.title}`, a {own.block.kind}."
    instead = f"defines `{others[0].name}` instead of `{own.name}`" if others else f"does not define `{own.name}`"
    return f"The answer {instead}."


def _lost_members(old: Tree, new: Tree, target: Span, place: Span, own: TargetDefinition | None) -> str:
    """Return a sentence if a container, or a target of several definitions, lost definitions without replacement."""
    if own is not None and own.block.kind not in CONTAINERS:
        return ""
    was, now = (Counter(_members(tree, span)) for tree, span in ((old, target), (new, place)))
    gone, added = list((was - now).elements()), sum((now - was).values())
    if len(gone) <= added:
        return ""
    names = [each[-1] for each in gone]
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"The answer leaves out {shown}{more}."


def _members(tree: Tree, span: Span) -> Iterator[tuple[str, ...]]:
    """Yield the qualified names of the definitions in a span, except those inside a function."""
    functions: list[Block] = []
    for block in tree.definitions(span):
        if any(each.span.covers(block.span) for each in functions):
            continue
        if block.kind in ("function", "method"):
            functions.append(block)
        if block.name and block.kind not in ("block", "prototype"):
            yield (*path(tree, block), last_name(block.name))


def _header_doubts(own: TargetDefinition, new: Tree, place: Span) -> Iterator[str]:
    """Yield clauses about removed text before the target's name: decorators, attributes, ``export``, ``public``."""
    found = [each for each in new.definitions(place) if own.accepts(new, each, in_place=True)]
    block = own.choose(new, found)
    if block is None:
        return
    was, now = (each.partition(own.name)[0].split() for each in (own.header, header(new, block)))
    gone = Counter(was) - Counter(now)
    if gone:
        words = " ".join(word for word in was if word in gone)
        yield f"drops {quoted(words, 80, '“')} before the name"


def _around(tree: Tree, span: Span) -> list[str]:
    return [header(tree, each) for each in tree.around(span) if each.name]
