"""Names that join an import statement which the file already has, and statements written for what no other takes.

Each way of joining is an insertion into the statement's text; None says that this statement cannot take the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tuppence.core.syntax.import_statements import Imported
from tuppence.core.syntax.language import ImportStyle, Language
from tuppence.core.text.document import Span

Insertion = tuple[int, str]
"""Where, as an offset in the file, and what."""
_GO_SPEC = re.compile(r'^[ \t]*(?:[\w.]+[ \t]+)?"([^"]+)"[^\n\r]*', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """An import statement of the file."""

    span: Span
    text: str
    brings: tuple[Imported, ...]


def join(statement: Statement, each: Imported, language: Language) -> Insertion | None:
    """Return the insertion by which a statement takes another name; None where it cannot."""
    ways: dict[ImportStyle, Callable[[Statement, Imported], Insertion | None]] = {
        "python": _python,
        "es": _es,
        "go": _go,
    }
    way = ways.get(language.import_style)
    return way(statement, each) if way else None


def written(statement: str, rest: tuple[Imported, ...], language: Language) -> str:
    """Return a statement that brings in only some of the names of another."""
    match language.import_style:
        case "python":
            if rest[0].name:
                return f"from {rest[0].module} import {', '.join(map(_named, rest))}"
            return "import " + ", ".join(_aliased(each.module, each) for each in rest)
        case "es":
            return _es_written(statement, rest)
        case "go":
            lines = [f'{each.alias} "{each.module}"'.strip() for each in rest]
            return f"import {lines[0]}" if len(lines) == 1 else "import (\n\t" + "\n\t".join(lines) + "\n)"
        case "rust":
            paths = (_aliased(f"{each.module}::{each.name}" if each.name else each.module, each) for each in rest)
            return "\n".join(f"use {path};" for path in paths)
        case _:
            return statement


def _named(each: Imported) -> str:
    return _aliased(each.name, each)


def _aliased(name: str, each: Imported) -> str:
    return f"{name} as {each.alias}" if each.alias else name


def _python(statement: Statement, each: Imported) -> Insertion | None:
    """Extend ``from m import a``; a statement with a comment, a backslash or ``*`` takes nothing."""
    text = statement.text
    if not each.name or each.name == "*" or re.search(r"[#*\\]", text) or not text.startswith("from "):
        return None
    if not statement.brings or statement.brings[0].module != each.module:
        return None
    closing = text.rfind(")")
    return (statement.span.end, f", {_named(each)}") if closing < 0 else _before(statement, closing, _named(each))


def _es(statement: Statement, each: Imported) -> Insertion | None:
    """Extend ``import { a } from "m"``; ``import type`` and ``require`` take nothing."""
    text = statement.text
    if each.name in {"", "*", "default"} or not re.match(r"import\s+(?!type\b)", text):
        return None
    closing = text.rfind("}")
    if closing < 0 or not statement.brings or statement.brings[0].module != each.module or "//" in text[:closing]:
        return None
    return _before(statement, closing, _named(each))


def _before(statement: Statement, closing: int, name: str) -> Insertion:
    """Return the insertion of a name before a closing bracket, in the manner of the names before it."""
    head = statement.text[:closing].rstrip()
    at = statement.span.start + len(head)
    comma = head.endswith((",", "{", "("))
    if "\n" not in head:
        return (at, f" {name}") if comma else (at, f", {name}")
    last = head[head.rfind("\n") + 1 :]
    lead = last[: len(last) - len(last.lstrip())]
    newline = "\r\n" if "\r\n" in head else "\n"
    return (at, f"{newline}{lead}{name},") if comma else (at, f",{newline}{lead}{name}")


def _es_written(statement: str, rest: tuple[Imported, ...]) -> str:
    found = re.search(r"\s+(from|=)\s*(require\s*\(\s*)?[\"'`].*", statement, re.DOTALL)
    if found is None or found[1] == "=":
        return statement
    names = [_named(each) for each in rest if each.name not in {"", "*", "default"}]
    clause = [each.alias for each in rest if each.name == "default"]
    clause += [f"* as {each.alias}" for each in rest if each.name == "*"]
    clause += [f"{{ {', '.join(names)} }}"] if names else []
    head = "import type" if re.match(r"import\s+type\b", statement) else "import"
    return f"{head} {', '.join(clause)} {found[0].lstrip()}"


def _go(statement: Statement, each: Imported) -> Insertion | None:
    """Extend ``import (...)``: in order within the group of its kind, the standard library or not."""
    text = statement.text
    opening = text.find("(")
    if opening < 0 or each.module == "C" or "\n" not in text:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    specs = list(_GO_SPEC.finditer(text))
    same = [spec for spec in specs if _domestic(spec[1]) == _domestic(each.module)]
    smaller = [spec for spec in same if spec[1] < each.module]
    if smaller:
        at = smaller[-1].end()
    elif same:
        at = same[0].start() - len(newline)
    else:
        at = opening + 1 if _domestic(each.module) or not specs else specs[-1].end()
    name = f'{each.alias} "{each.module}"'.strip()
    return statement.span.start + at, f"{newline}\t{name}"


def _domestic(module: str) -> bool:
    """Report whether a Go package is of the standard library: its first element has no dot."""
    return "." not in module.partition("/")[0]
