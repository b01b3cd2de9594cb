"""What a tool said about a piece of the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuppence.core.text import Span

Severity = Literal["error", "warning", "information", "hint"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message about one span, from a language server, a linter or a review."""

    span: Span
    """Where, in code points."""
    message: str
    """What the tool said, plain text."""
    severity: Severity = "error"
    source: str = ""
    """The tool, such as ``ruff``; empty where it gave no name."""
    code: str = ""
    """The tool's rule, such as ``F821``; empty where there is none."""
