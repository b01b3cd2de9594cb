"""The import styles, one per language family.

A row of :mod:`tuppence.core.syntax.languages` names its style, so a language of a known family needs no code.
:mod:`tuppence.core.answer.merge_imports` merges the imports of a reply with these styles, and
:mod:`tuppence.workspace.import_resolution` finds the files of the imports.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator

from tuppence.core.syntax.import_statements import Imported, ImportStatement, ImportStyle, Insertion

__all__ = ["ES", "GO", "INCLUDE", "JAVA", "LINE", "PYTHON", "RUST"]

_QUOTED = r"""["'`]([^"'`]+)["'`]"""
_COMMENT = re.compile(r"//[^\n]*|/\*(?:[^*/]|\*(?!/)|/(?!\*))*+\*/", re.DOTALL)
_ES_FROM = re.compile(rf"import\s+(?:type\s+)?(?P<clause>.*?)\s*from\s*{_QUOTED}", re.DOTALL)
_ES_BARE = re.compile(rf"import\s*{_QUOTED}")
_ES_REQUIRE = re.compile(rf"(?:const|let|var)\s+(?P<clause>.*?)\s*=\s*require\s*\(\s*{_QUOTED}\s*\)", re.DOTALL)
_ES_STATEMENT = re.compile(
    r"\bimport\s(?:(?!\bimport\s|from\s*+['\"])[^;'\"`()])*+from\s*+(['\"])[^'\"\n]*+\1"
    r"|\b(?:const|let|var)\s(?:(?!\b(?:const|let|var)\s)[^;=])*+=\s*+(?:await\s++)?(?:require|import)\s*+\([^()]*+\)"
)
"""A match contains no start of another statement, so that a series of such starts is read only once."""
_ES_EXPORT = re.compile(r"^export\s++(?:type\s++)?((?:\*|\{[^{}]*+\})\s*+from\s*[\"'][^\"']+[\"'])", re.MULTILINE)
_ES_STRING = re.compile(r""""(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""")
_ES_NO_PACKAGE = (".", "/", "#", "@/", "~", "src/")
"""Prefixes of module names that are files of the project."""
_ES_PACKAGE = re.compile(r"@[\w.~-]+/[\w.~-]+|\w[\w.~-]*")
"""Matches a possible package name; ``$lib`` and ``virtual:x`` belong to frameworks."""
_NODE = (
    "assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain "
    "events fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl "
    "stream string_decoder sys test timers tls trace_events tty url util v8 vm wasi worker_threads zlib"
)
"""Modules of Node.js, separated by spaces."""
_GO_PACKAGE = re.compile(r"(?:(?<![\w.])(?P<alias>[\w.]++)\s++)?" + _QUOTED)
"""Matches one package anywhere in a statement."""
_GO_PACKAGE_LINE = re.compile(r'^[ \t]*(?:[\w.]+[ \t]+)?"([^"]+)"[^\n\r]*', re.MULTILINE)
"""Matches the whole line of one package in a block."""
_RUST_MOD = re.compile(r"^[ \t]*(?:pub(?:\([^)\n]*+\))?[ \t]++)?mod[ \t]+(\w+)[ \t]*;", re.MULTILINE)
_RUST_DEEPEST = 20
"""Maximum nesting depth of braces in a Rust use tree."""


class PythonImports(ImportStyle):
    """``import a`` and ``from a import b``."""

    name = "python"
    is_python = True
    standard_modules = sys.stdlib_module_names
    separator = "."
    blank_lines = 2
    names_are_unique = True
    passes_on = True

    def _imports(self, statement: str) -> Iterator[Imported]:
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

    def join(self, statement: ImportStatement, imported: Imported) -> Insertion | None:
        """Extend ``from m import a``; statements with a comment, a backslash or ``*`` are not extended."""
        text = statement.text
        if imported.name in {"", "*"} or re.search(r"[#*\\]", text) or not text.startswith("from "):
            return None
        if not statement.brings or statement.brings[0].module != imported.module:
            return None
        closing, name = text.rfind(")"), _aliased(imported.name, imported)
        return (statement.span.end, f", {name}") if closing < 0 else _before_bracket(statement, closing, name)

    def write(self, statement: str, rest: tuple[Imported, ...]) -> str:  # noqa: ARG002 - the names say it all
        """Return a statement that imports only some of the names of another statement."""
        if rest[0].name:
            return f"from {rest[0].module} import {', '.join(_aliased(each.name, each) for each in rest)}"
        return "import " + ", ".join(_aliased(each.module, each) for each in rest)

    def _is_named(self, names: Collection[str], imported: Imported) -> bool:
        return (imported.local or imported.module.partition(".")[0]) in names

    def package_of(self, module: str) -> str:
        """Return the package to install for a module; empty if none is needed."""
        root = module.partition(".")[0]
        return "" if root in self.standard_modules else root


class EsImports(ImportStyle):
    """``import`` and ``require`` of JavaScript and TypeScript."""

    name = "es"
    is_javascript = True
    packages_are_exact = True
    standard_modules = frozenset(_NODE.split())
    statement_pattern = _ES_STATEMENT
    string_pattern = _ES_STRING
    names_are_unique = True
    passes_on = True

    def _imports(self, statement: str) -> Iterator[Imported]:
        text = _COMMENT.sub("", statement) if "://" not in statement else statement
        text = " ".join(text.split())  # Otherwise each of many blanks would be a possible position of "from".
        if found := _ES_FROM.match(text):
            yield from _es_names(found["clause"], found[2], "default")
        elif bare := _ES_BARE.match(text):
            yield Imported(bare[1])
        elif required := _ES_REQUIRE.match(text):
            yield from _es_names(required["clause"], required[2], "")

    def other_imports(self, text: str) -> Iterator[Imported]:
        """Yield what a file re-exports from another one: ``export { a } from "m"``."""
        for found in _ES_EXPORT.finditer(text):
            yield from self.parse(f"import {found[1]}")

    def join(self, statement: ImportStatement, imported: Imported) -> Insertion | None:
        """Extend ``import { a } from "m"``; ``import type`` and ``require`` are not extended."""
        text = statement.text
        if imported.name in {"", "*", "default"} or not re.match(r"import\s+(?!type\b)", text):
            return None
        closing = text.rfind("}")
        if closing < 0 or not statement.brings or statement.brings[0].module != imported.module:
            return None
        if "//" in text[:closing]:
            return None
        return _before_bracket(statement, closing, _aliased(imported.name, imported))

    def write(self, statement: str, rest: tuple[Imported, ...]) -> str:
        """Return a statement that imports only some of the names of another statement."""
        found = re.search(r"(?<!\s)\s+(from|=)\s*+(require\s*+\(\s*+)?[\"'`].*", statement, re.DOTALL)
        if found is None:
            return statement
        if found[1] == "=":
            taken = re.match(r"(?:const|let|var)\s*(\{[^{}]*\})", statement)
            bound = ", ".join(f"{each.name}: {each.alias}" if each.alias else each.name for each in rest)
            return f"{statement[: taken.start(1)]}{{ {bound} }}{statement[taken.end(1) :]}" if taken else statement
        names = [_aliased(each.name, each) for each in rest if each.name not in {"", "*", "default"}]
        clause = [each.alias for each in rest if each.name == "default"]
        clause += [f"* as {each.alias}" for each in rest if each.name == "*"]
        clause += [f"{{ {', '.join(names)} }}"] if names else []
        head = "import type" if re.match(r"import\s+type\b", statement) else "import"
        return f"{head} {', '.join(clause)} {found[0].lstrip()}"

    def _is_named(self, names: Collection[str], imported: Imported) -> bool:
        return imported.local in names

    def package_of(self, module: str) -> str:
        """Return the package to install for a module, with its scope; empty if none is needed."""
        if module.startswith(_ES_NO_PACKAGE) or ":" in module:
            return ""
        first, *rest = module.split("/")
        root = f"{first}/{rest[0]}" if first.startswith("@") and rest else first
        return "" if root in self.standard_modules or not _ES_PACKAGE.fullmatch(root) else root


class GoImports(ImportStyle):
    """``import "a"`` and blocks of them."""

    name = "go"
    names_are_unique = True
    packages_are_exact = True
    packages_nest = True

    def _imports(self, statement: str) -> Iterator[Imported]:
        text = re.sub(r"//[^\n]*", "", statement).removeprefix("import").lstrip(" (\n\t\r")
        for found in _GO_PACKAGE.finditer(text):
            yield Imported(found[2], "", found["alias"] or "")

    def join(self, statement: ImportStatement, imported: Imported) -> Insertion | None:
        """Extend ``import (...)``: in order among the packages of its kind, the standard library's or others."""
        text = statement.text
        opening = text.find("(")
        if opening < 0 or imported.module == "C" or "\n" not in text:
            return None
        newline = "\r\n" if "\r\n" in text else "\n"
        lines = list(_GO_PACKAGE_LINE.finditer(text))
        is_standard = not self.package_of(imported.module)
        alike = [line for line in lines if (not self.package_of(line[1])) == is_standard]
        smaller = [line for line in alike if line[1] < imported.module]
        if smaller:
            at = smaller[-1].end()
        elif alike:
            at = alike[0].start() - len(newline)
        else:
            at = opening + 1 if is_standard or not lines else lines[-1].end()
        return statement.span.start + at, f"{newline}\t{_go_package(imported)}"

    def write(self, statement: str, rest: tuple[Imported, ...]) -> str:  # noqa: ARG002 - the names say it all
        """Return a statement that imports only some of the packages of another statement."""
        lines = [_go_package(each) for each in rest]
        return f"import {lines[0]}" if len(lines) == 1 else "import (\n\t" + "\n\t".join(lines) + "\n)"

    def _is_named(self, names: Collection[str], imported: Imported) -> bool:
        return (imported.alias or imported.module.rpartition("/")[2]) in names or imported.alias == "."

    def package_of(self, module: str) -> str:
        """Return the path of a package to install, whose first element has a dot; else empty.

        The module to install is a prefix of that path, which only the manifest tells.
        """
        return module if "." in module.partition("/")[0].lstrip(".") else ""

    def completed(self, lines: str) -> str:
        """Return import lines with a package clause, and with ``import`` before the bare packages of a quoted block."""
        if "(" not in lines:
            lines = re.sub(r'^[ \t]*+((?:[\w.]++[ \t]++)?"[^"\n]++")[ \t]*$', r"import \1", lines, flags=re.MULTILINE)
        return f"package p\n{lines}"

    def standalone(self, statement: str) -> str:
        """Return a file with a package clause and a statement."""
        return f"package p\n{statement}\n"


class RustImports(ImportStyle):
    """``use a::b`` and ``extern crate``."""

    name = "rust"
    standard_modules = frozenset({"std", "core", "alloc", "proc_macro", "test", "crate", "self", "super"})
    separator = "::"
    statement_pattern = re.compile(r"\buse\s[^;]+;")
    names_are_unique = True
    passes_on = True
    has_wildcards = True

    def _imports(self, statement: str) -> Iterator[Imported]:
        text = " ".join(_COMMENT.sub("", statement).split()).rstrip("; ")
        text = re.sub(r"^(pub(\([^)]*\))? )?(use|extern crate) ", "", text)
        for path in _rust_paths(text.replace("\n", " ")):
            taken, _, alias = path.partition(" as ")
            module, _, name = taken.strip().rpartition("::")
            yield Imported(module or name, name if module else "", alias.strip())

    def other_imports(self, text: str) -> Iterator[Imported]:
        """Yield the modules that a file declares in separate files: ``mod a;``."""
        return (Imported("self", found[1]) for found in _RUST_MOD.finditer(text))

    def write(self, statement: str, rest: tuple[Imported, ...]) -> str:  # noqa: ARG002 - the names say it all
        """Return statements that import only some of the names of another statement, one per name."""
        paths = (_aliased(f"{each.module}::{each.name}" if each.name else each.module, each) for each in rest)
        return "\n".join(f"use {path};" for path in paths)

    def package_of(self, module: str) -> str:
        """Return the crate to install for a path; empty if none is needed, or if the path is a type's."""
        root = module.partition("::")[0]
        return "" if root in self.standard_modules or not root.islower() else root


class JavaImports(ImportStyle):
    """``import a.B;``."""

    name = "java"
    separator = "."
    statement_pattern = re.compile(r"^\s*import\s[^;]+;", re.MULTILINE)
    has_wildcards = True

    def _imports(self, statement: str) -> Iterator[Imported]:
        text = " ".join(statement.rstrip("; \r\n").split()).removeprefix("import ")
        module, _, name = text.rpartition(".")
        yield Imported(module, name)

    def _is_named(self, names: Collection[str], imported: Imported) -> bool:
        return imported.name in names or imported.module.startswith("static ")


class IncludeImports(ImportStyle):
    """``#include`` of C and C++."""

    name = "include"
    passes_on = True

    def _imports(self, statement: str) -> Iterator[Imported]:
        found = re.match(r"""#\s*include\s*([<"][^>"]+[>"])""", statement)
        yield Imported(found[1] if found else " ".join(statement.split()))

    def covers(self, known: Collection[Imported], imported: Imported) -> bool:
        """Report whether a header is already included, in quotes or in angle brackets."""
        return imported in known or any(imported.module[1:-1] == other.module[1:-1] for other in known)


class LineImports(ImportStyle):
    """The imports of any other language, as plain lines of text."""

    name = "line"
    is_parsed = False

    def _imports(self, statement: str) -> Iterator[Imported]:
        yield Imported(" ".join(statement.split()))


PYTHON, ES, GO, RUST = PythonImports(), EsImports(), GoImports(), RustImports()
JAVA, INCLUDE, LINE = JavaImports(), IncludeImports(), LineImports()


def _split(names: str) -> list[str]:
    return [" ".join(part.split()) for part in names.split(",") if part.strip()]


def _aliased(name: str, imported: Imported) -> str:
    return f"{name} as {imported.alias}" if imported.alias else name


def _before_bracket(statement: ImportStatement, closing: int, name: str) -> Insertion:
    """Return the insertion of a name before a closing bracket, in the layout of the names before it."""
    head = statement.text[:closing].rstrip()
    at = statement.span.start + len(head)
    comma = head.endswith((",", "{", "("))
    if "\n" not in head:
        return (at, f" {name}") if comma else (at, f", {name}")
    last = head[head.rfind("\n") + 1 :]
    lead = last[: len(last) - len(last.lstrip())]
    newline = "\r\n" if "\r\n" in head else "\n"
    return (at, f"{newline}{lead}{name},") if comma else (at, f",{newline}{lead}{name}")


def _es_names(clause: str, module: str, bare: str) -> Iterator[Imported]:
    """Yield the names of an import clause; ``bare`` is the imported name of a name outside braces."""
    braces = re.search(r"\{([^{}]*+)\}", clause)
    for part in _split(re.sub(r"\{[^{}]*+\}", "", clause)):
        if part.startswith("*"):
            yield Imported(module, "*", part.partition(" as ")[2].strip())
        else:
            yield Imported(module, bare, part)
    for part in _split(braces[1]) if braces else ():
        name, _, alias = re.sub(r"\s*:\s*|\s+as\s+", " as ", part.removeprefix("type ")).partition(" as ")
        yield Imported(module, name.strip(), alias.strip())


def _go_package(imported: Imported) -> str:
    return f'{imported.alias} "{imported.module}"'.strip()


def _rust_paths(tree: str, depth: int = 0) -> Iterator[str]:
    """Yield each path of a Rust use tree: ``a::{b, c::{d, self}}`` is ``a::b``, ``a::c::d`` and ``a::c``.

    A subtree deeper than ``_RUST_DEEPEST`` is one path.
    """
    tree = tree.strip()
    opening = tree.find("{")
    if opening < 0 or depth >= _RUST_DEEPEST:
        yield tree
        return
    prefix, inner = tree[:opening], tree[opening + 1 : tree.rfind("}")]
    for part in _outside_braces(inner):
        for path in _rust_paths(part, depth + 1):
            yield prefix.removesuffix("::") if path == "self" else prefix + path


def _outside_braces(text: str) -> Iterator[str]:
    """Yield the parts of a text between commas outside braces."""
    depth, start = 0, 0
    for index, character in enumerate((*text, ",")):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if part := text[start:index].strip():
                yield part
            start = index + 1
