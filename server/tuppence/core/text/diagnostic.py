"""A tool's diagnostic about a span of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from tuppence.core.text.document import Edit, Span

Severity = Literal["error", "warning", "information", "hint"]
_RUFF_ERRORS = ("E9", "F7", "F811", "F82")
"""Rules of ruff that find what cannot work: syntax, names defined twice or not at all; a remark has no code."""
_RUFF_STYLE = re.compile(
    r"(?:E[1235]|W|Q|COM|I|ISC|D"  # how it is laid out and documented
    r"|SIM|RET|UP|C4|PLR|PERF|FURB|PIE|TC|ANN|N|EM|TRY|FLY|ICN|PTH)\d"  # how else the same could be written
)
"""Rules of ruff on how code is written, not on what it does: a good fix often moves one such remark to another."""
_PYCODESTYLE = re.compile(r"(?:E[123]|W[23])\d+$")
_LINTERS = ("flake8", "pycodestyle", "pylsp", "ruff")


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message about one span, from a language server, a linter or a review."""

    span: Span
    """Where, in code points."""
    message: str
    """The tool's message, as plain text."""
    severity: Severity = "error"
    source: str = ""
    """The tool, such as ``ruff``; empty where it gave no name."""
    code: str = ""
    """The tool's rule, such as ``F821``; empty if it gives none."""
    fix: tuple[Edit, ...] = ()
    """The edits by which the tool itself would fix it, where it sent them along; not known to be safe."""


def is_ruff(diagnostic: Diagnostic) -> bool:
    """Report whether ruff said it, whichever of its servers passed it on."""
    return "ruff" in diagnostic.source.lower()


def rated(diagnostic: Diagnostic) -> Diagnostic:
    """Return a diagnostic with the severity that it has for us: ruff's server calls all that it says a warning."""
    if not is_ruff(diagnostic):
        return diagnostic
    code = diagnostic.code or "E9"
    severity: Severity = "warning"
    if code.startswith(_RUFF_ERRORS):
        severity = "error"
    elif _RUFF_STYLE.match(code):
        severity = "information"
    return diagnostic if severity == diagnostic.severity else replace(diagnostic, severity=severity)


def is_remark(diagnostic: Diagnostic) -> bool:
    """Report whether it is ruff's on how code is written, not on what it does."""
    return is_ruff(diagnostic) and rated(diagnostic).severity == "information"


def is_layout(diagnostic: Diagnostic) -> bool:
    """Report whether it complains of white space alone, by a rule of pycodestyle's."""
    return any(name in diagnostic.source.lower() for name in _LINTERS) and bool(_PYCODESTYLE.match(diagnostic.code))
