"""A project's own rules, as short excerpts that are the same for every request.

The files are those that people write for agents and newcomers, in this order; a file that says the same as one before
it (a link, a copy) is passed over. They are the project's words, not the user's: whoever shows them to a model must
mark them as data.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tuppence.workspace import files

SOURCES = (
    ("AGENTS.md", 3000),
    ("CLAUDE.md", 3000),
    (".github/copilot-instructions.md", 2000),
    ("CONTRIBUTING.md", 1500),
    (".editorconfig", 600),
)
"""Files and how many characters of each are shown."""
MOST = 6000
"""Characters of all excerpts together."""


def excerpts(root: Path, readable: Callable[[Path], Path | None]) -> str:
    """Return the excerpts, each under its file's name; empty where there are none.

    :param readable: returns the real place of a file that may be read, None for any other.
    """
    pieces: list[str] = []
    seen: set[str] = set()
    room = MOST
    for name, most in SOURCES:
        path = root / name
        # Most projects have one of them, and to judge a path takes many times as long as to see that nothing is there.
        place = readable(path) if os.path.lexists(path) else None
        text = (files.read_place(place, (root,)) or "").replace("\r\n", "\n").strip() if place else ""
        if not text or text in seen:
            continue
        seen.add(text)
        shown = _start(text, min(most, room))
        if shown:
            pieces.append(f"{name}:\n{shown}")
            room -= len(shown)
    return "\n\n".join(pieces)


def _start(text: str, most: int) -> str:
    """Return the first whole lines of a text."""
    if len(text) <= most:
        return text
    cut = text[:most].rpartition("\n")[0].rstrip()
    return f"{cut}\n..." if cut else ""
