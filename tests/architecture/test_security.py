"""SECURITY.md names a test behind each promise, and the test exists."""

from __future__ import annotations

import ast
import re

import attacks
import pytest
from paths import ROOT

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.partition("## Not promised")[0].splitlines() if line.startswith("- ")]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`|`(clients/vscode/test/\w+\.test\.ts)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row.split()[1:7]))
def test_each_promise_names_tests_that_exist(row: str) -> None:
    named = TEST.findall(row)
    assert named, f"no test is named behind: {row}"
    for file, name, script in named:
        if script:
            assert (ROOT / script).is_file()
            continue
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}, f"{file}::{name}"


def test_there_are_promises_on_each_kind_of_attack() -> None:
    assert len(ROWS) >= 30
    headings = {line.removeprefix("## ").lower() for line in TEXT.splitlines() if line.startswith("## ")}
    assert set(attacks.SECTIONS) <= headings
