"""The prompt: a byte-stable prefix, then a short moving tail.

The order is constant system text, project conventions, the file, and only then what differs between two requests
about one file. Providers' caches match exact prefixes, so nothing that moves (a date, a path outside the project, a
cursor, a random delimiter) stands before the tail. The text of the blocks is composed in this file; how a mark is
written on the wire is the wire's affair.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is sent, before a wire puts it into words."""

    system: str
    """Constant for every request of this version of tuppence."""
    shared: tuple[str, ...]
    """Blocks that requests about one file share, most stable first; a cache mark goes after the last."""
    tail: str
    """What differs: the action, where, diagnostics, definitions from elsewhere."""
    max_output: int
    """Answer tokens to allow, thinking included."""
