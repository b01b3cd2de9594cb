"""No callback of a server's event loop takes long: every server that ``stage`` starts is watched for it.

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

BOUND = 0.020
"""Seconds of processor time. No callback takes 10 milliseconds on a machine that does nothing else. Where two threads
share a core, and its caches, the same work took up to 1.8 times as long (``initialize`` 29 and 52 ms, on two processors
with 20 processes that wanted one)."""
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
    Allowed(r":_receive_all\b", 1, "`initialize`: pygls makes converters for all types in its parameters and result."),
    Allowed(
        r":create_server\.<locals>\.|:_take_\w+\.<locals>\.",
        1,
        "The first handler that runs opens the session: the configuration is read and checked, once.",
    ),
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
    environment |= {"SLOW_CALLBACKS_FILE": str(notes), "SLOW_CALLBACKS_BOUND": str(BOUND)}
    return notes


def unexpected(notes: Path, *more: Allowed) -> list[str]:
    """Return the slow callbacks that no server may have: milliseconds, and the functions that ran.

    :param more: what one test allows beside ``ALLOWED``.
    """
    found: list[str] = []
    for each in _files(notes):
        noted = [json.loads(line) for line in each.read_text(encoding="utf-8").splitlines()]
        found += beyond_allowance(noted, *more)
    return found


def _files(notes: Path) -> list[Path]:
    return sorted(notes.parent.glob(f"{notes.name}.*"))


def beyond_allowance(noted: Sequence[tuple[float, list[str]]], *more: Allowed) -> list[str]:
    """Return the notes, as sentences, that no allowance is left for."""
    left = {allowed: allowed.times for allowed in (*ALLOWED, *more)}
    found: list[str] = []
    for milliseconds, names in noted:
        fitting = (each for each in left if left[each] and any(re.search(each.pattern, name) for name in names))
        allowed = next(fitting, None)
        if allowed is not None:
            left[allowed] -= 1
        else:
            found.append(f"{milliseconds} ms in {' > '.join(names)}")
    return found
