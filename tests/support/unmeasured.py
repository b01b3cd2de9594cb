"""The environment of a process that `make coverage` does not measure."""

from __future__ import annotations

import os


def environment() -> dict[str, str]:
    """Return this process's environment without the variables by which coverage measures its child processes.

    Coverage loads modules of its own in a process that it measures: `asyncio` and `sqlite3` are two of them. So a test
    that looks at what a process has loaded starts it with this environment.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
