"""The tests of this folder run in virtual time: however busy the machine is, no wait of the code under test ends early.

A coroutine that waits for what never comes fails at once, unless a time-out of its own ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from virtual_time import Clockwork


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], Any]]:
    """Give each asynchronous test a loop whose clock jumps to the next timer."""
    return {"virtual": Clockwork}
