"""The tests of this folder run on a loop with real sockets and a virtual clock: a busy machine makes no time-out early.

A test must not wait for a process on it (``virtual_time.Sockets``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from virtual_time import Sockets


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], Any]]:
    """Give each asynchronous test a loop whose clock jumps to the next timer once nothing happens."""
    return {"virtual": Sockets}
