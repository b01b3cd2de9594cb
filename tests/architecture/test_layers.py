"""The structure, enforced: who may import whom, who may meet which part of the outside world, how long a file is."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest
from paths import PACKAGE

FLOORS = (
    ("errors",),
    ("core",),
    ("providers", "reporting", "sqlite_file", "clock"),
    ("config", "credentials", "workspace", "local", "cache", "ledger", "upstream", "linters", "sandbox"),
    ("prefixes", "experience"),
    ("house", "account", "statement"),
    ("truth",),
    ("plan", "till"),
    ("judging", "keeping", "hearing"),
    ("offering", "permission", "way", "proving", "renewing"),
    ("run",),
    ("opening",),
    ("editor",),
    ("cli",),
    ("__main__",),
)
OUTSIDE = {
    "httpx": {"upstream/", "local/"},
    "httpcore": {"upstream/"},
    "httpx_sse": {"upstream/"},
    "cachetools": {"cache/answers.py"},
    "pygls": {"editor/"},
    "lsprotocol": {"editor/"},
    "cattrs": {"editor/"},
    "ruff": {"linters/"},
    "sqlite3": {"sqlite_file.py", "ledger/sqlite.py", "cache/"},
    "psycopg": {"ledger/postgres.py"},
    "tomllib": {"config/"},
    "keyring": {"credentials.py"},
    "genai_prices": {"config/list_prices.py"},
    "pathspec": {"workspace/"},
    "tree_sitter": {
        "core/syntax/parser.py",
        "core/syntax/grammars.py",
        "core/syntax/definitions.py",
        "core/routing/features.py",
    },
    "xllamacpp": {"local/"},
    "rich": {"cli/"},
    "argparse": {"cli/"},
    "subprocess": {"local/"},
    "socket": {"local/", "sandbox/"},
    "platformdirs": {"config/", "local/", "ledger/", "cache/", "editor/"},
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


def test_every_floor_stands_in_the_architecture() -> None:
    said = (PACKAGE.parent.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    missing = [name for names in FLOORS for name in names if not re.search(rf"`{name}(?:\.py|/)?`", said)]
    assert missing == ["__main__"]


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
def test_a_file_keeps_to_its_floor(path: Path) -> None:
    here = path.relative_to(PACKAGE)
    if here.name == "__init__.py" and len(here.parts) == 1:
        return
    floor = _floor(here.parts[0].removesuffix(".py"))
    for module in _imports(path):
        top, *rest = module.split(".")
        if top != "tuppence":
            _check_outside(here, top)
        elif rest and rest[0] != "__version__":
            same_folder = len(here.parts) > 1 and rest[0] == here.parts[0]
            assert same_folder or _floor(rest[0]) < floor, f"{here} imports {module}: not a lower floor"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_one_subject(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300, "split it: a file of more than 300 lines has more than one subject"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


def _floor(name: str) -> int:
    for level, names in enumerate(FLOORS):
        if name in names:
            return level
    raise AssertionError(f"{name} stands on no floor: add it to FLOORS and to ARCHITECTURE.md")


def _imports(path: Path) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import hides its floor"
            module = node.module or ""
            found += [f"{module}.{alias.name}" for alias in node.names] if module == "tuppence" else [module]
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
