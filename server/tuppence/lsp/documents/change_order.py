"""Changes that arrive in another order than they were made in, put right.

Helix (25.01) sends each notification from a task of its own, and those of keys that follow fast overtake one another:
the change that made version 5 came before those of 1 and 2, and whoever applies it there has another text than the
user. As each of its changes makes the next version, a gap is seen, and waited for. It does skip versions at times (a
completion that was shown and taken back), so the wait is short; then what is there is taken in order.

Nothing here knows what a change says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 0.2
"""Seconds to wait for a version that is missing; those that were overtaken come within a few milliseconds."""


@dataclass(slots=True)
class _Gap:
    """What of one document waits for an earlier version."""

    waiting: dict[int, Callable[[], None]] = field(default_factory=dict)
    """By version, what takes it in."""
    timer: asyncio.TimerHandle | None = None


class ChangeReorderer:
    """The changes of all documents; to be used on the event loop's thread only."""

    def __init__(self, version: Callable[[str], int | None]) -> None:
        """Ask ``version`` which version of a document was taken in last; None is not known."""
        self._version = version
        self._gaps: dict[str, _Gap] = {}

    def arrive(self, uri: str, version: int, take: Callable[[], None]) -> None:
        """Call ``take`` when the versions before it were taken, or have kept it waiting for too long."""
        gap = self._gaps.setdefault(uri, _Gap())
        gap.waiting[version] = take
        self._take(uri, gap)

    def forget(self, uri: str) -> None:
        """Drop what waits for a document that was closed or opened anew."""
        gap = self._gaps.pop(uri, None)
        if gap is not None and gap.timer is not None:
            gap.timer.cancel()

    def _take(self, uri: str, gap: _Gap) -> None:
        """Take what is next, as far as it goes; see to the rest later."""
        while gap.waiting:
            first = min(gap.waiting)
            known = self._version(uri)
            if known is not None and first > known + 1:
                if gap.timer is None:
                    gap.timer = asyncio.get_running_loop().call_later(PATIENCE, self._give_up, uri, gap)
                return
            gap.waiting.pop(first)()
        self.forget(uri)

    def _give_up(self, uri: str, gap: _Gap) -> None:
        """Take the first of those that wait without the one before it."""
        gap.timer = None
        gap.waiting.pop(min(gap.waiting))()
        self._take(uri, gap)
