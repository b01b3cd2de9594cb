"""Run Python tests with the project's own Python and pytest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tuppence.sandbox.interpreter import environment, find_interpreter, module_of, seen_by
from tuppence.sandbox.order import Place
from tuppence.sandbox.runner import End, TrialInput

_STUB = """\
import importlib


def test_that_the_tested_file_can_be_imported():
    importlib.import_module("{module}")
"""
_ENDS: Mapping[int, End] = {0: "passed", 5: "no test"}
"""Exit statuses of pytest."""


class _Pytest:
    """pytest in one copy of a project."""

    name = "pytest"
    wants: Sequence[str] = ()
    addresses = 1

    def __init__(self, python: str, root: Path, place: Place, source: Path) -> None:
        self._python = python
        self._root = root
        self._place = place
        self._source = source

    def command(self, tests: Path, names: Sequence[str]) -> list[str]:
        # The project's options may enable coverage or parallel runs, or select other tests.
        options = ("-q", "--no-header", "--tb=short", "-o", "addopts=", "-x", "-p", "no:cacheprovider")
        return [self._python, "-m", "pytest", *options, *([f"{tests}::{name}" for name in names] or [str(tests)])]

    def environment(self) -> Mapping[str, str]:
        return environment(self._root, self._source, self._place)

    def visible(self) -> Mapping[Path, Path]:
        return seen_by(self._python, self._root, self._place)

    def stub(self, tests: Path) -> tuple[Path, str]:
        text = _STUB.format(module=module_of(self._source, self._place.origin))
        return tests.with_name("test_tuppence_stub.py"), text

    def ended(self, status: int, said: str) -> End:
        del said
        return _ENDS.get(status, "failed")

    def complaint(self, said: str) -> str:
        found = re.search(r"^(?:FAILED|ERROR) \S+? - (.+)$", said, re.MULTILINE)
        found = found or re.search(r"^E\s+(\S.*)$", said, re.MULTILINE)
        found = found or re.search(r"(No module named .+)$", said, re.MULTILINE)
        return found[1] if found else ""

    def spoilt(self, code: str) -> str:
        return f'raise RuntimeError("this file was loaded")\n{code}'

    def is_own(self, said: str) -> str:
        missing = re.search(r"No module named '([^'.]+)", said)
        if missing is None:
            return ""
        project = self._place.origin
        module, folders = missing[1], (project, project / "src", *self._source.parents)
        inside = (folder for folder in folders if folder.is_relative_to(project))
        own = any((folder / module).is_dir() or (folder / f"{module}.py").is_file() for folder in inside)
        return module if own else ""


def pytest(case: TrialInput, place: Place) -> _Pytest | str:
    """Return the runner for a project's Python tests, or a sentence that says why there is none."""
    python = find_interpreter(case.root)
    source = place.origin / case.source.relative_to(case.root)
    return _Pytest(python, case.root, place, source) if python else "there is no Python to run them with"
