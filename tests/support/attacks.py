"""The table of attacks on what SECURITY.md promises: ``make security`` runs the marked tests and prints it."""

from __future__ import annotations

from case_table import CaseTable

SECTIONS = (
    "keys",
    "workspace files",
    "what leaves",
    "what comes back",
    "sandbox",
    "local surfaces",
    "hostile sizes",
    "extension",
    "supply chain",
)
"""The parts of the server that the attacks aim at, in the order of the table."""


def table() -> CaseTable:
    """Return an empty table of attacks."""
    return CaseTable("attack", "attacked", SECTIONS)
