"""Which diagnostics are about how code is written, and which about white space alone."""

from __future__ import annotations

import pytest

from tuppence.core.text.diagnostic import Diagnostic, is_layout, is_remark, rated
from tuppence.core.text.document import Span


def said(source: str, code: str) -> Diagnostic:
    return Diagnostic(Span(0, 1), "Said.", "warning", source, code)


@pytest.mark.parametrize(
    ("source", "code", "layout", "severity"),
    [
        ("Ruff", "E302", True, "information"), ("ruff", "W291", True, "information"),
        ("ruff", "E501", False, "information"),
        ("ruff", "F401", False, "warning"), ("ruff", "F821", False, "error"), ("ruff", "", False, "error"),
        ("flake8", "E302", True, "warning"), ("pylsp", "W391", True, "warning"), ("pyright", "E302", False, "warning"),
        ("flake8", "E3021x", False, "warning"), ("pycodestyle", "W605", False, "warning"),
    ],
)  # fmt: skip
def test_a_diagnostic_is_rated_by_its_tool_and_its_rule(source: str, code: str, *, layout: bool, severity: str) -> None:
    diagnostic = said(source, code)
    assert is_layout(diagnostic) is layout
    assert rated(diagnostic).severity == severity
    assert is_remark(diagnostic) is (severity == "information")
