"""Every error that a person may be shown: one sentence that says what is wrong, one that says what to do about it.

    TuppenceError
    ├── ConfigError     the user's configuration has mistakes; all of them at once
    ├── Unfit           this document or selection cannot be worked on (binary, too large, empty, not a text document)
    ├── NoModel         no model in the tier table may answer this
    ├── Refused         the provider will not serve this request: key, credit, unknown model, bad request
    ├── Busy            the provider cannot serve it now: rate limit, overload, time-out, refused connection
    ├── Broken          an answer that makes no sense: not the protocol, cut off, or an error object of no known kind
    ├── Stale           the document moved under the answer; the text was left as it is
    └── OverBudget      a limit that the user set would be passed

Foreign exceptions are mapped to these at the seam where they arise: httpx in :mod:`tuppence.upstream`, SQLite and
PostgreSQL in :mod:`tuppence.ledger`, files in :mod:`tuppence.config` and :mod:`tuppence.workspace`. Nothing here
formats an error for an editor or a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass

MISTAKES = 20
"""Mistakes of a configuration that its error names."""


class TuppenceError(Exception):
    """An error with a message for the user."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One mistake in a configuration file."""

    line: int
    """Line in the file, from 1; 0 where the mistake has no line."""
    what: str
    """What is wrong, including the configuration key."""
    remedy: str
    """What to write instead."""


class ConfigError(TuppenceError):
    """The configuration has mistakes; ``mistakes`` holds all by their lines, the message the first of them."""

    def __init__(self, path: str, mistakes: tuple[Mistake, ...]) -> None:
        self.path = path
        self.mistakes = tuple(sorted(mistakes))
        lines = [f"{path}:{mistake.line}: {mistake.what} {mistake.remedy}".rstrip() for mistake in self.mistakes]
        more = len(lines) - MISTAKES
        super().__init__("\n".join([*lines[:MISTAKES], *([f"{path}: and {more} more."] if more > 0 else [])]))


class Unfit(TuppenceError):
    """This document or selection cannot be worked on."""


class NoModel(TuppenceError):
    """No model in the tier table may answer this."""


class Refused(TuppenceError):
    """The provider will not serve this request, however often it is asked."""


class Busy(TuppenceError):
    """The provider cannot serve this request now; ``after`` is the wait in seconds that it asked for, if it did."""

    def __init__(self, message: str, remedy: str = "", *, after: float | None = None) -> None:
        super().__init__(message, remedy)
        self.after = after


class Broken(TuppenceError):
    """An answer that makes no sense."""


class Stale(TuppenceError):
    """The document moved under the answer."""


class OverBudget(TuppenceError):
    """A limit that the user set would be passed."""
