"""Check whether tests use their target, and whether they import it from a module of the project.

A name in a comment, a title or an import does not count as use. Python is checked by syntax, including the fixtures and
helpers of the test file; other languages by their words outside comments and strings. A module counts as foreign only
if neither the tested file's path nor any file or package of the project has its name.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages, is_new, normal

_BLOCK = r"/\*.*?\*/"
_WORD = re.compile(r"[^\W\d][\w$]*")
_PATH = re.compile(r"[\w.:/-]+")
_SETUP = re.compile(r"set_?up", re.IGNORECASE)
_PAGES = re.compile(r"karma|jasmine|qunit|mocha|web_test_runner")
_GLOBAL = re.compile(r"\b(?:globalThis|global|window)\b")
_MODULE = re.compile(r"\bexport\b|\bmodule\.exports\b|\bexports\.|\brequire\s*\(|^[^\S\n]*+import\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TestedTarget:
    """The definition that tests must use."""

    name: str
    """The name that the target defines."""
    names: frozenset[str]
    """The names of the target and its enclosing classes; the tests must use one of them."""
    is_class: bool
    """Whether one of the names is a class, whose instances may come from anywhere."""
    uri: str
    """The URI of the tested file."""
    packages: Packages | None = None
    """What the project can import; None if unknown."""


def python_uses(code: ast.Module, text: ast.Module, tested: TestedTarget) -> bool:
    """Report whether new Python tests use one of the names: directly, by a helper, or possibly by a fixture."""
    inner = {name: code for node in text.body for name, code in _defined(node)}
    used = _used(code)
    waiting = [name for name in inner if name in used or _SETUP.match(name)]
    seen: set[str] = set()
    while waiting:
        if (name := waiting.pop()) not in seen:
            seen.add(name)
            more = _used(inner[name])
            waiting += [each for each in inner if each in more]
            used |= more
    renamed = {each.asname for each in _aliases(text) if each.name in tested.names and each.asname}
    if used & (tested.names | renamed):
        return True
    # A fixture from another file may return an instance of the class.
    return tested.is_class and bool(_asked_for(code) - set(inner))


def words_use(code: str, source: str, known: Language, tested: TestedTarget) -> bool:
    """Report whether new tests in a language other than Python use one of the names, also under an alias.

    Names that a JavaScript module does not export cannot be imported, so for them any mention in the tests counts.
    """
    style = known.import_style
    if style.is_javascript and _MODULE.search(source) and not any(_exports(source, name) for name in tested.names):
        return bool({*_WORD.findall(code)} & tested.names)
    pattern = style.statement_pattern
    statements = [found.group() for found in pattern.finditer(uncommented(code, known))] if pattern else []
    there = (each for statement in statements for each in style.parse(statement.strip()))
    renamed = {each.local for each in there if each.name in tested.names and each.alias}
    bare = unquoted(pattern.sub("", uncommented(code, known)) if pattern else uncommented(code, known), known)
    return bool({*_WORD.findall(bare)} & (tested.names | renamed))


def unbound(text: str, source: str, known: Language, tested: TestedTarget) -> str:
    """Return a name that JavaScript tests use although their file, a module, does not bind it; empty if none."""
    is_module = _MODULE.search(source) or _MODULE.search(text) or _knows_modules(tested.packages)
    if not known.import_style.is_javascript or not is_module or _GLOBAL.search(text):
        return ""
    bare = unquoted(uncommented(text, known), known)
    for name in sorted(tested.names):
        each = rf"(?<![\w$.'\"`]){re.escape(name)}(?![\w$])"
        binds = (
            rf"\b(?:import|const|let|var)\b[^;=]*{each}",
            rf"\b(?:function\s*\*?|class)\s*{each}",
            rf"{each}\s*=(?!=)",
            rf"\([^()]*{each}[^()]*\)\s*(?:=>|:|\{{)",
        )
        if re.search(rf"{each}(?!\s*:)", bare) and not any(re.search(bind, bare) for bind in binds):
            return name
    return ""


def _exports(source: str, name: str) -> bool:
    """Report whether a JavaScript module exports a name; statements may lack a semicolon."""
    each = re.escape(name)
    given = (
        rf"export\s+(?:default\s+)?(?:abstract\s+|async\s+)?(?:function\s*\*?|class|const|let|var)\s+{each}\b",
        rf"export\s*\{{[^}}]*\b{each}\b",
        rf"export\s+default\b[^\n]*\b{each}\b",
        rf"\bexports(?:\.\w+|\[[^\n]*\])?\s*=[^\n{{]*(?:\b{each}\b|\{{[^}}]*\b{each}\b)",
        rf"\bexports\.{each}\b",
    )
    return any(re.search(way, source) for way in given)


def _knows_modules(packages: Packages | None) -> bool:
    """Report whether a project's tests are certainly modules: it has a manifest, and no browser test runner."""
    return packages is not None and packages.complete and not any(_PAGES.search(each) for each in packages.names)


def unbound_in_python(text: ast.Module, tested: TestedTarget) -> str:
    """Return a name of the target that Python code uses but never binds; empty if none, or with ``import *``."""
    used: set[str] = set()
    bound: set[str] = set()
    for node in ast.walk(text):
        match node:
            case ast.Name(name, ast.Load()):
                used.add(name)
            case ast.Name(name) | ast.arg(name) | ast.alias(_, str(name)):
                bound.add(name)
            case ast.alias("*"):
                return ""
            case ast.alias(name):
                bound.add(name.partition(".")[0])
            case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) | ast.ClassDef(name):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound.add(name)
            case ast.Global(names) | ast.Nonlocal(names):
                bound.update(names)
            case _:
                pass
    # A method may share its name with a built-in function.
    there = bound | (set(dir(builtins)) if len(tested.names) > 1 else set())
    return min((used - there) & tested.names, default="")


def astray(code: str, tree: ast.Module, known: Language, tested: TestedTarget) -> tuple[str, str]:
    """Return a name of the target and the foreign module from which new tests import it; empty strings otherwise."""
    found: list[tuple[str, str]] = []
    style = known.import_style
    if style.is_python:
        found = list(_taken(tree, tested.names))
    elif style.is_javascript and style.statement_pattern is not None:
        statements = (each.group() for each in style.statement_pattern.finditer(uncommented(code, known)))
        taken = (each for statement in statements for each in style.parse(statement))
        found = [(each.local, each.module) for each in taken if {each.name, each.local} & tested.names]
    if found and all(_is_elsewhere(module, known, tested) for _, module in found):
        return found[0]
    return "", ""


def uncommented(code: str, known: Language) -> str:
    """Return code without its comments."""
    string = known.import_style.string_pattern
    block = f"|{_BLOCK}" if known.line_comment == "//" else ""
    pattern = re.compile(rf"(?P<kept>{string.pattern})|{re.escape(known.line_comment)}[^\n]*{block}", re.DOTALL)
    return pattern.sub(lambda found: found["kept"] or " ", code)


def unquoted(code: str, known: Language) -> str:
    """Return code with its strings emptied, except for subscript keys and strings that interpolate values."""
    string = known.import_style.string_pattern
    return re.sub(
        rf"(?<=\[){string.pattern}(?=\])|{string.pattern}",
        lambda found: found.group() if "{" in found.group() or _is_key(found) else '""',
        code,
    )


def _is_key(found: re.Match[str]) -> bool:
    return found.string[: found.start()].endswith("[") and found.string[found.end() :].startswith("]")


def _used(tree: ast.AST) -> set[str]:
    """Return the names that code reads, and those in dotted strings such as patch targets; imports do not count."""
    used: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(name, ast.Load()) | ast.Attribute(attr=name) | ast.arg(name):
                used.add(name)
            case ast.Constant(str(text)) if _PATH.fullmatch(text):
                used.update(re.split(r"[.:/]", text))
            case _:
                pass
    return used


def _defined(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names and nodes that a statement defines, including methods of classes; tests are left out."""
    match node:
        case ast.FunctionDef(name) | ast.AsyncFunctionDef(name) if not name.startswith("test"):
            yield name, node
        case ast.ClassDef(name, body=body):
            if not name.startswith("Test"):
                yield name, node
            yield from (each for inner in body for each in _defined(inner))
        case ast.Assign(targets, value):
            yield from ((each.id, value) for each in targets if isinstance(each, ast.Name))
        case ast.AnnAssign(ast.Name(name), value=ast.expr() as value):
            yield name, value
        case _:
            pass


def _asked_for(code: ast.Module) -> set[str]:
    """Return the parameters of tests that no decorator names, without the common built-in fixtures."""
    asked: set[str] = set()
    for node in ast.walk(code):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            named = {name for each in node.decorator_list for name in _texts(each)}
            asked |= {each.arg for each in node.args.args} - named
    return asked - {"self", "cls", "tmp_path", "capsys", "caplog", "monkeypatch", "request", "tmpdir", "recwarn"}


def _texts(node: ast.AST) -> Iterator[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield from _WORD.findall(each.value)


def _aliases(tree: ast.Module) -> Iterator[ast.alias]:
    return (each for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names)


def _taken(tree: ast.Module, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the names that Python code imports, each with its module, for both kinds of import."""
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module, aliases, level):
                module = "." * (level or 0) + (module or "")
                yield from ((each.name, module) for each in aliases if each.name in names)
            case ast.Import(aliases):
                modules |= {each.asname or each.name: each.name for each in aliases}
            case _:
                pass
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in names and ast.unparse(node.value) in modules:
            yield node.attr, modules[ast.unparse(node.value)]


def _is_elsewhere(module: str, known: Language, tested: TestedTarget) -> bool:
    """Report whether the tested file is certainly not reachable through a module."""
    path = [normal(each.partition(".")[0]) for each in unquote(tested.uri).split("/")]
    own, stem = {*path}, path[-1]
    style = known.import_style
    parts = [normal(each.partition(".")[0]) for each in module.lstrip(".").split(style.separator) if each.strip(".")]
    packages = tested.packages
    there = own | (packages.names if packages else frozenset[str]())
    if not parts or stem in parts:
        return False
    if style.is_python and parts[0] in style.standard_modules and not module.startswith("."):
        return parts[0] not in there
    if packages is None:
        return False
    if style.is_python:
        is_own = module.startswith(".") or parts[0] in own
        return not {*parts} <= there if is_own else is_new(module, known, packages)
    if module.startswith("."):
        return parts[-1] not in there
    return packages.complete and not module.startswith("@") and is_new(module, known, packages)
