"""What an import statement brings in, and how another name is added to it, by the language's import style.

:func:`read` yields one :class:`Imported` for each name. :func:`join` returns an insertion into a statement, or None
where the statement cannot take the name. :mod:`tuppence.core.answer.merge_imports` merges a reply's imports with these,
and :mod:`tuppence.workspace.import_resolution` finds the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tuppence.core.syntax.languages import ImportStyle, Language
from tuppence.core.text.document import Span

_QUOTED = r"""["'`]([^"'`]+)["'`]"""
_ES_FROM = re.compile(rf"import\s+(?:type\s+)?(?P<what>.*?)\s*from\s*{_QUOTED}", re.DOTALL)
_ES_BARE = re.compile(rf"import\s*{_QUOTED}")
_ES_REQUIRE = re.compile(rf"(?:const|let|var)\s+(?P<what>.*?)\s*=\s*require\s*\(\s*{_QUOTED}\s*\)", re.DOTALL)
_GO_SPEC = re.compile(r"(?:(?P<alias>[\w.]+)\s+)?" + _QUOTED)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
Insertion = tuple[int, str]
"""Where, as an offset in the file, and what."""
_GO_SPEC_LINE = re.compile(r'^[ \t]*(?:[\w.]+[ \t]+)?"([^"]+)"[^\n\r]*', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Imported:
    """One thing that an import statement brings in."""

    module: str
    """The module, package, path or header, as the statement writes it."""
    name: str = ""
    """The name taken from it; empty for the module itself, ``*`` for all names, ``default`` for a default export."""
    alias: str = ""
    """What the file calls it where that differs."""

    @property
    def local(self) -> str:
        """The name under which the file knows it; empty where it brings in none of its own."""
        return self.alias or (self.name if self.name not in {"*", "default"} else "")


def read_imports(statement: str, language: Language) -> tuple[Imported, ...]:
    """Return what a statement brings in, in its order; one whole-line entry where the style has no names."""
    readers: dict[ImportStyle, Callable[[str], Iterator[Imported]]] = {
        "python": _python,
        "es": _es,
        "go": _go,
        "rust": _rust,
        "java": _java,
        "include": _include,
        "line": _line,
    }
    return tuple(readers[language.import_style](statement))


def _python(statement: str) -> Iterator[Imported]:
    text = re.sub(r"#[^\n]*", "", statement)
    text = " ".join(text.replace("\\\n", " ").replace("(", " ").replace(")", " ").split())
    if text.startswith("from "):
        module, _, names = text[5:].partition(" import ")
        for part in _split(names):
            name, _, alias = part.partition(" as ")
            yield Imported(module.strip().replace(" ", ""), name.strip(), alias.strip())
    else:
        for part in _split(text.removeprefix("import ")):
            module, _, alias = part.partition(" as ")
            yield Imported(module.strip(), "", alias.strip())


def _es(statement: str) -> Iterator[Imported]:
    text = _COMMENT.sub("", statement) if "://" not in statement else statement
    found = _ES_FROM.match(text)
    if found is None:
        bare, required = _ES_BARE.match(text), _ES_REQUIRE.match(text)
        if bare is not None:
            yield Imported(bare[1])
        elif required is not None:
            yield from _es_names(required["what"], required[2], "")
        return
    yield from _es_names(found["what"], found[2], "default")


def _es_names(what: str, module: str, bare: str) -> Iterator[Imported]:
    """Yield the names of an import clause; ``bare`` is what a name outside braces stands for."""
    braces = re.search(r"\{(.*?)\}", what, re.DOTALL)
    for part in _split(re.sub(r"\{.*?\}", "", what, flags=re.DOTALL)):
        if part.startswith("*"):
            yield Imported(module, "*", part.partition(" as ")[2].strip())
        else:
            yield Imported(module, bare, part)
    for part in _split(braces[1]) if braces else ():
        name, _, alias = re.sub(r"\s*:\s*|\s+as\s+", " as ", part.removeprefix("type ")).partition(" as ")
        yield Imported(module, name.strip(), alias.strip())


def _go(statement: str) -> Iterator[Imported]:
    for found in _GO_SPEC.finditer(re.sub(r"//[^\n]*", "", statement).removeprefix("import").lstrip(" (\n\t\r")):
        yield Imported(found[2], "", found["alias"] or "")


def _rust(statement: str) -> Iterator[Imported]:
    text = " ".join(_COMMENT.sub("", statement).split()).rstrip("; ")
    text = re.sub(r"^(pub(\([^)]*\))? )?(use|extern crate) ", "", text)
    for path in _expanded(text.replace("\n", " ")):
        taken, _, alias = path.partition(" as ")
        module, _, name = taken.strip().rpartition("::")
        yield Imported(module or name, name if module else "", alias.strip())


def _expanded(tree: str) -> Iterator[str]:
    """Yield each path of a Rust use tree: ``a::{b, c::{d, self}}`` is ``a::b``, ``a::c::d`` and ``a::c``."""
    tree = tree.strip()
    opening = tree.find("{")
    if opening < 0:
        yield tree
        return
    prefix, inner = tree[:opening], tree[opening + 1 : tree.rfind("}")]
    for part in _outside_braces(inner):
        for path in _expanded(part):
            yield prefix.removesuffix("::") if path == "self" else prefix + path


def _outside_braces(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for index, character in enumerate((*text, ",")):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if part := text[start:index].strip():
                yield part
            start = index + 1


def _java(statement: str) -> Iterator[Imported]:
    text = " ".join(statement.rstrip("; \r\n").split()).removeprefix("import ")
    module, _, name = text.rpartition(".")
    yield Imported(module, name)


def _include(statement: str) -> Iterator[Imported]:
    found = re.match(r"""#\s*include\s*([<"][^>"]+[>"])""", statement)
    yield Imported(found[1] if found else " ".join(statement.split()))


def _line(statement: str) -> Iterator[Imported]:
    yield Imported(" ".join(statement.split()))


def _split(names: str) -> list[str]:
    return [" ".join(part.split()) for part in names.split(",") if part.strip()]


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """An import statement of the file."""

    span: Span
    text: str
    brings: tuple[Imported, ...]


def join(statement: ImportStatement, each: Imported, language: Language) -> Insertion | None:
    """Return the insertion by which a statement takes another name; None where it cannot."""
    ways: dict[ImportStyle, Callable[[ImportStatement, Imported], Insertion | None]] = {
        "python": _join_python,
        "es": _join_es,
        "go": _join_go,
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


def _join_python(statement: ImportStatement, each: Imported) -> Insertion | None:
    """Extend ``from m import a``; a statement with a comment, a backslash or ``*`` takes nothing."""
    text = statement.text
    if not each.name or each.name == "*" or re.search(r"[#*\\]", text) or not text.startswith("from "):
        return None
    if not statement.brings or statement.brings[0].module != each.module:
        return None
    closing = text.rfind(")")
    return (statement.span.end, f", {_named(each)}") if closing < 0 else _before(statement, closing, _named(each))


def _join_es(statement: ImportStatement, each: Imported) -> Insertion | None:
    """Extend ``import { a } from "m"``; ``import type`` and ``require`` take nothing."""
    text = statement.text
    if each.name in {"", "*", "default"} or not re.match(r"import\s+(?!type\b)", text):
        return None
    closing = text.rfind("}")
    if closing < 0 or not statement.brings or statement.brings[0].module != each.module or "//" in text[:closing]:
        return None
    return _before(statement, closing, _named(each))


def _before(statement: ImportStatement, closing: int, name: str) -> Insertion:
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


def _join_go(statement: ImportStatement, each: Imported) -> Insertion | None:
    """Extend ``import (...)``: in order within the group of its kind, the standard library or not."""
    text = statement.text
    opening = text.find("(")
    if opening < 0 or each.module == "C" or "\n" not in text:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    specs = list(_GO_SPEC_LINE.finditer(text))
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
