"""Changes that the ledger could not take, stored in a file beside it, so that they survive the end of the process.

Each line is one change, in order. Each change has an id known to the ledger, so that entering a file twice changes
nothing. A file belongs to one process; once that process has ended, another server enters the file.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

from tuppence.core.billing.budget import CallEstimate, Limits, Spent, offer
from tuppence.core.billing.entry import Entry, Outcome
from tuppence.ledger import queries, reservations, schema
from tuppence.ledger.process import Process, gone, me
from tuppence.ledger.schema import Connection
from tuppence.ledger.unwritable import attempt

Change = Mapping[str, str]
"""A change as it is written to a file: the result of ``lost``, ``settled``, ``released`` or ``ended``."""
_FORMAT = 1
_MARK = ".unwritten-"
_LEFT = "left"
"""Replaces the start time of the owner: no process has it, so the file has no owner."""


def lost(hold: str, entry: Entry, bid: CallEstimate) -> Change:
    """Return the change for a reservation that could not be made: the entry to add if the cost is never reported."""
    granted = offer(bid, Limits(), Spent())
    usage = None if entry.usage is None else replace(entry.usage, output=granted.tokens)
    entry = replace(entry, cost=granted.bound, listed=granted.bound, usage=usage)
    return {"lost": schema.packed(entry), "hold": hold}


def settled(hold: str, entry: Entry) -> Change:
    """Return the change that records what a call cost."""
    return {"settled": schema.packed(entry), "hold": hold}


def released(hold: str) -> Change:
    """Return the change that removes a reservation."""
    return {"released": hold}


def ended(run: str, outcome: Outcome) -> Change:
    """Return the change that records the outcome of a run."""
    return {"outcome": outcome, "run": run}


@dataclass(frozen=True, slots=True)
class TakenIn:
    """The result of entering the files of ended processes."""

    entries: int = 0
    """Number of requests entered."""
    damaged: tuple[Path, ...] = ()
    """New paths of files with unreadable lines, which were moved aside."""
    refused: tuple[Path, ...] = ()
    """Files with changes that the ledger does not take: moved aside under these names."""


class UnwrittenFile:
    """The file of this process; safe to share between threads."""

    def __init__(self, place: Path) -> None:
        """Choose a unique file name; nothing is written yet.

        :param place: the path from which the name is derived, such as the ledger's file.
        """
        self.path = place.with_name(f"{place.name}{_MARK}{uuid4().hex[:12]}.jsonl")
        self._lines: list[str] = []
        self._lock = threading.Lock()

    def write(self, changes: Sequence[Change]) -> None:
        """Store exactly these changes; an empty sequence removes the file.

        :raises OSError: the file could not be written.
        """
        lines = [json.dumps(dict(each)) for each in changes]
        with self._lock:
            if lines == self._lines:
                return
            if not lines:
                self.path.unlink(missing_ok=True)
            elif self._lines and lines[: len(self._lines)] == self._lines:
                self._append(lines[len(self._lines) :])
            else:
                self._replace(lines)
            self._lines = lines

    def hand_over(self) -> None:
        """Release the file, so that another session of this or any process may enter it.

        :raises OSError: the file could not be written.
        """
        with self._lock:
            if self._lines:
                self._replace(self._lines, replace(me(), born=_LEFT))

    def _append(self, lines: list[str]) -> None:
        with self.path.open("a", encoding="ascii") as file:
            file.write("".join(f"{each}\n" for each in lines))

    def _replace(self, lines: list[str], owner: Process | None = None) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        whose = asdict(owner or me())
        first = json.dumps({"format": _FORMAT, "columns": list(schema.COLUMNS), "at": _now(), **whose})
        part = self.path.with_suffix(".part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write("".join(f"{each}\n" for each in (first, *lines)))
            part.replace(self.path)
        except OSError:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def abandoned(place: Path, now: datetime) -> list[Path]:
    """Return the files beside a ledger whose processes have ended, oldest first."""
    with suppress(OSError):
        found = place.parent.glob(f"{_escaped(place.name)}{_MARK}*.jsonl")
        return sorted((each for each in found if _is_abandoned(each, now)), key=lambda each: each.stat().st_mtime)
    return []


def read(path: Path) -> tuple[list[Change], bool]:
    """Return the changes in a file, and whether every line was readable; the last line may be cut off.

    :raises OSError: the file could not be read.
    """
    lines = path.read_text("ascii", "replace").splitlines()[1:]
    changes: list[Change] = []
    whole = True
    for number, line in enumerate(lines, 1):
        change = _change(line)
        if change is not None:
            changes.append(change)
        elif number < len(lines):
            whole = False
    return changes, whole


def done_with(path: Path, *, whole: bool, now: datetime) -> Path | None:
    """Remove a file that was taken in; one that was not taken in whole is moved aside, and its new name returned."""
    with suppress(OSError):
        if whole:
            path.unlink()
            return None
        aside = path.with_suffix(f".damaged-{now.astimezone(UTC):%Y%m%dT%H%M%S%fZ}")
        path.rename(aside)
        return aside
    return None


def enter(connection: Connection, changes: Sequence[Change]) -> tuple[int, bool]:
    """Enter the changes of a file; return how many requests those were, and whether the ledger took every change.

    How a run ended is not entered where one of its requests was not taken: it would be said of another request.
    """
    entered: set[str] = set()
    refused_runs: set[str] = set()
    all_taken = True
    dropped = {each["released"] for each in changes if "released" in each}
    known = {each["hold"] for each in changes if "settled" in each}
    for change in changes:
        hold = change.get("hold", "")
        if "settled" in change or ("lost" in change and hold not in known | dropped):
            entry = schema.unpacked(change.get("settled") or change["lost"])
            if attempt(connection, partial(reservations.settle, connection, hold, entry)):
                entered.add(hold)
            else:
                all_taken = False
                refused_runs.add(entry.run)
        elif "released" in change:
            reservations.release(connection, change["released"])
        elif "outcome" in change and change["run"] not in refused_runs:
            outcome: Outcome = change["outcome"]  # type: ignore[assignment]  # checked as it was read
            all_taken &= attempt(connection, partial(queries.change_outcome, connection, change["run"], outcome))
    return len(entered), all_taken


def _change(line: str) -> Change | None:
    """Return the change in a line; None if it is invalid."""
    try:
        found: Any = json.loads(line)
        if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
            return None
        for kind in ("lost", "settled"):
            if kind in found:
                schema.unpacked(found[kind])
                return found if found.get("hold") else None
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError):
        return None
    if "outcome" in found:
        return found if found["outcome"] in get_args(Outcome) and "run" in found else None
    return found if "released" in found else None


def _is_abandoned(path: Path, now: datetime) -> bool:
    """Report whether a file's process has ended; False for a file in another version's format."""
    try:
        with path.open(encoding="ascii", errors="replace") as file:
            owner = json.loads(file.readline())
        since = datetime.fromisoformat(owner["at"])
        process = Process(str(owner["host"]), int(owner["pid"]), str(owner["born"]))
        known = owner["format"] == _FORMAT and tuple(owner["columns"]) in schema.PACKED
        return known and since.tzinfo is not None and gone(process, since, now)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False


def _escaped(name: str) -> str:
    return "".join(f"[{each}]" if each in "*?[" else each for each in name)


def _now() -> str:
    return datetime.now(UTC).isoformat()
