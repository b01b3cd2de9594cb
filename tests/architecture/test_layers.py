"""The architecture: allowed imports, access to the outside world, and the length of files."""

from __future__ import annotations

import ast
import graphlib
import re
import sys
from pathlib import Path

import pytest
from paths import PACKAGE, ROOT

LAYERS = (
    ("errors", "clock", "sqlite_file", "regular_files"),
    ("core",),
    ("providers", "reporting"),
    ("config", "credentials", "workspace", "local", "ledger", "cache", "upstream", "linters", "sandbox", "terminal"),
    ("engine",),
    ("lsp",),
    ("cli",),
    ("__main__",),
)
"""A file imports from its own package or from a lower layer; packages of one layer do not import each other."""
ORDER = {
    "core": (
        "pauses", "text", "syntax", "models", "actions", "secrets", "prompt", "prompt_cache", "billing", "routing",
        "answer", "checks", "events", "answer_builder",
    ),
    "lsp": ("documents", "protocol", "output", "features", "service", "server", "clients", "transport"),
}  # fmt: skip
"""Inside these packages a file imports only from its own folder or from one that comes before it."""
UNITS, ARROWS = 24, 75
"""At most so many packages and modules at the top, and so many imports from one of them to another."""
LOOSE = {"__init__", "__main__", "errors", "clock", "sqlite_file", "regular_files", "credentials", "terminal"}
"""The modules that are in no package."""
FILES_IN_A_PACKAGE = 20
LINES_IN_A_FILE, LINES_IN_A_FUNCTION = 400, 60
OUTSIDE = {
    "httpx": {"upstream/", "local/"},
    "httpcore": {"upstream/", "local/loopback_http.py"},
    "anyio": {"local/loopback_http.py"},
    "idna": {"core/models/host.py"},
    "cachetools": {"cache/answers.py", "engine/disclosure/"},
    "pygls": {"lsp/"},
    "lsprotocol": {"lsp/"},
    "cattrs": {"lsp/"},
    "attrs": {"lsp/protocol/"},
    "ruff": {"linters/"},
    "sqlite3": {"sqlite_file.py", "ledger/sqlite.py", "cache/"},
    "psycopg": {"ledger/postgres.py"},
    "tomllib": {"config/", "workspace/"},
    "keyring": {"credentials.py"},
    "genai_prices": {"config/list_prices.py"},
    "re2": {"core/secrets/", "config/"},
    "tree_sitter": {
        "core/syntax/parser.py",
        "core/syntax/grammars.py",
        "core/syntax/definitions.py",
        "core/syntax/shape.py",
        "core/syntax/node_counts.py",
    },
    "xllamacpp": {"local/"},
    "rich": {"cli/"},
    "argparse": {"cli/"},
    "subprocess": {"local/"},
    "socket": {"local/", "sandbox/", "lsp/clients/", "lsp/transport.py"},
    "platformdirs": {"config/", "local/", "ledger/", "cache/", "lsp/", "engine/"},
}
IMPURE = {
    "asyncio", "time", "random", "secrets", "socket", "subprocess", "pathlib", "os", "shutil", "signal", "tempfile",
    "threading", "uuid",
}  # fmt: skip
CLOCK = {"now", "utcnow", "today"}
"""Methods of dates by which a pure function would look at a clock all the same."""
FILES = sorted(PACKAGE.rglob("*.py"))


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 5


def test_architecture_names_every_unit() -> None:
    said = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    missing = [name for names in LAYERS for name in names if not re.search(rf"`{name}(?:\.py|/)?`", said)]
    assert not missing


def test_the_top_of_the_package_is_small() -> None:
    packages = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    modules = {path.stem for path in PACKAGE.glob("*.py")}
    assert modules == LOOSE
    assert len(packages | modules - {"__init__"}) <= UNITS
    arrows = {(_unit(path), target) for path in FILES for target in _targets(path) if target != _unit(path)}
    assert len(arrows) <= ARROWS, sorted(arrows)


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in FILES}), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_a_package_is_small(folder: Path) -> None:
    assert folder.name == "cli" or len(list(folder.glob("*.py"))) <= FILES_IN_A_PACKAGE


def test_no_import_cycle() -> None:
    imports = {_module(path): {name for name in _modules(path) if name != _module(path)} for path in FILES}
    cycle: list[str] = []
    try:
        list(graphlib.TopologicalSorter(imports).static_order())
    except graphlib.CycleError as error:
        cycle = error.args[1]
    assert not cycle


def test_a_type_name_is_unique() -> None:
    found: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(_module(path))
    assert not {name: places for name, places in found.items() if len(places) > 1}


def test_what_may_be_met_is_met_and_every_library_has_its_place() -> None:
    met = {(module.split(".")[0], path.relative_to(PACKAGE).as_posix()) for path in FILES for module in _imports(path)}
    idle = {(top, place) for top, places in OUTSIDE.items() for place in places}
    idle -= {(top, place) for top, place in idle for other, file in met if top == other and file.startswith(place)}
    assert not idle, "take it out of OUTSIDE: nobody there imports it"
    tops = {top for top, _ in met} - sys.stdlib_module_names - {"tuppence"}
    assert tops <= set(OUTSIDE), "say in OUTSIDE where it may be imported"


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: str(path.name))
def test_core_looks_at_no_clock_and_opens_no_file(path: Path) -> None:
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not [each.lineno for each in calls if isinstance(each, ast.Attribute) and each.attr in CLOCK]
    assert not [each.lineno for each in calls if isinstance(each, ast.Name) and each.id in {"open", "print", "input"}]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_from_lower_layers_only(path: Path) -> None:
    here = path.relative_to(PACKAGE)
    for module in _imports(path):
        if not module.startswith("tuppence"):
            _check_outside(here, module.split(".")[0])
    if here.as_posix() == "__init__.py":
        return
    own, order = _unit(path), ORDER.get(_unit(path), ())
    for name in _modules(path):
        unit, *inner = name.split(".")[1:]
        if unit != own:
            assert _layer(unit) < _layer(own), f"{here} imports {name}: not a lower layer"
        elif order and len(here.parts) > 1 and here.name != "__init__.py" and inner:
            mine = here.parts[1].removesuffix(".py")
            assert inner[0] == mine or order.index(inner[0]) < order.index(mine), f"{here} imports {name}: out of order"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_one_subject(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_IN_A_FILE, "split it: a file this long has more than one subject"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LINES_IN_A_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_docstring_names_files_and_modules_that_exist(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    prose = "\n".join(each for each in words if " " in each)
    named = [match[0] for match in re.finditer(r"(?<![\w/.{*-])(?:[a-z_]+/)+[a-z_]+\.py\b", prose)]
    places = (PACKAGE, path.parent, ROOT)
    assert not [name for name in named if not any((place / name).exists() for place in places)]
    assert not [name for name in re.findall(r":mod:`~?(tuppence[\w.]*)`", prose) if not _is_module(name)]


def _layer(name: str) -> int:
    for level, names in enumerate(LAYERS):
        if name in names:
            return level
    raise AssertionError(f"{name} is in no layer: add it to LAYERS and to ARCHITECTURE.md")


def _unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _module(path: Path) -> str:
    """Return the dotted name of a file; a package's is that of its ``__init__``."""
    return ".".join(("tuppence", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def _modules(path: Path) -> set[str]:
    """Return the modules of the package that a file imports: those named, and the ones names are taken from."""
    known = {_module(each) for each in FILES} - {"tuppence"}
    return {name for name in _imports(path) if name in known}


def _targets(path: Path) -> set[str]:
    return {name.split(".")[1] for name in _modules(path)}


def _is_module(name: str) -> bool:
    place = PACKAGE.parent.joinpath(*name.split("."))
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def _imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import hides its layer"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
            found += [name if _is_module(name) else module for name in names]
    return found


def _check_outside(here: Path, top: str) -> None:
    allowed = OUTSIDE.get(top)
    name = here.as_posix()
    if allowed is not None:
        assert any(name.startswith(each) for each in allowed), (
            f"{name} may not import {top}; only {sorted(allowed)} may"
        )
    if here.parts[0] == "core":
        assert top not in IMPURE, f"{name}: core is pure and may not import {top}"
