"""The table of faults that the server must survive: ``make faults`` runs the marked tests and prints it."""

from __future__ import annotations

from case_table import CaseTable

SECTIONS = ("provider", "policy", "life cycle", "client", "soak")
"""The part of the system that fails, in the order of the table."""


def table() -> CaseTable:
    """Return an empty table of faults."""
    return CaseTable("fault", "fault", SECTIONS)
