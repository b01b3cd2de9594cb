"""No callback of a server's event loop does too much: every server that ``stage`` starts is watched for it.

``watch`` adds to a server's environment what makes its interpreter load ``slow_callbacks_hook/sitecustomize.py``, which
notes slow callbacks; ``unexpected`` reads the notes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CALLS = 60_000
"""Calls and returns of a callback, of Python's functions and of C's: 10 to 15 milliseconds on a machine that does
nothing else. ``initialize`` needs the most after the server is made: 51,000."""
SECONDS = 0.25
"""Processor time of a callback: for long work inside one call into C, such as a search in megabytes, which no count
shows. It is wide because work takes longer where two threads share a core, or a virtual machine does not get its core:
a callback of 11 milliseconds was seen to take 53."""
HOOK = Path(__file__).with_name("slow_callbacks_hook")


@dataclass(frozen=True)
class Allowed:
    """A callback that may take longer, so often in the life of one server."""

    pattern: str
    """Searched for in each function that ran."""
    times: int
    reason: str


ALLOWED = (
    Allowed(r":_serve_streams\b", 1, "The server is made before it is asked anything: no one waits for anything else."),
)


def watch(environment: dict[str, str], folder: Path) -> Path:
    """Have servers with this environment, which is changed, watched.

    :returns: the path of their notes: a file for each process, whose number is added to the name.
    """
    notes = folder / "slow-callbacks.jsonl"
    for each in _files(notes):  # Those of a server before this one, in the same folder.
        each.unlink()
    paths = [str(HOOK), *filter(None, [environment.get("PYTHONPATH", "")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment |= {
        "SLOW_CALLBACKS_FILE": str(notes),
        "SLOW_CALLBACKS_CALLS": str(CALLS),
        "SLOW_CALLBACKS_SECONDS": str(SECONDS),
    }
    return notes


def unexpected(notes: Path) -> list[str]:
    """Return the slow callbacks that no server may have: calls, milliseconds, and the functions that ran."""
    found: list[str] = []
    for each in _files(notes):
        noted = [json.loads(line) for line in each.read_text(encoding="utf-8").splitlines()]
        found += beyond_allowance(noted)
    return found


def _files(notes: Path) -> list[Path]:
    return sorted(notes.parent.glob(f"{notes.name}.*"))


def beyond_allowance(noted: Sequence[tuple[int, float, list[str]]]) -> list[str]:
    """Return the notes, as sentences, that no allowance is left for."""
    left = {allowed: allowed.times for allowed in ALLOWED}
    found: list[str] = []
    for calls, milliseconds, names in noted:
        fitting = (each for each in left if left[each] and any(re.search(each.pattern, name) for name in names))
        allowed = next(fitting, None)
        if allowed is not None:
            left[allowed] -= 1
        else:
            found.append(f"{calls} calls and {milliseconds} ms in {' > '.join(names)}")
    return found
