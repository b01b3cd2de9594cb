"""The server with counters for its work and its objects, for tests that check that neither grows.

    python counted_server.py FILE serve --config CONFIG

On SIGUSR1 it collects garbage and writes the counts as JSON to FILE.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
from asyncio import events
from collections import Counter
from pathlib import Path
from typing import Any

from tuppence.cli import main
from tuppence.core.syntax import grammars

WORK: Counter[str] = Counter()
"""The work done so far, by kind."""


def count(owner: Any, name: str, kind: str) -> None:
    """Count the calls of a function."""
    function = getattr(owner, name)

    def counting(*arguments: Any, **more: Any) -> Any:
        WORK[kind] += 1
        return function(*arguments, **more)

    setattr(owner, name, counting)


def report(file: Path) -> None:
    """Write the counts atomically."""
    gc.collect()
    descriptors = Path("/proc/self/fd")
    links = [os.readlink(each) for each in descriptors.iterdir() if each.is_symlink()]  # noqa: PTH115 - as bytes of /proc
    found = {
        "work": dict(WORK),
        "tasks": len(asyncio.all_tasks(events._get_running_loop())),
        "threads": threading.active_count(),
        "sockets": sum(each.startswith("socket:") for each in links),
        "files": sum(each.startswith("/") and not each.startswith("/proc") for each in links),
        "objects": len(gc.get_objects()),
        "resident": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
    }
    part = file.with_suffix(".part")
    part.write_text(json.dumps(found))
    part.replace(file)


if __name__ == "__main__":
    place = Path(sys.argv.pop(1))
    count(events.Handle, "_run", "callbacks")
    count(grammars, "parse", "parses")
    signal.signal(signal.SIGUSR1, lambda *_: report(place))
    sys.exit(main())
