"""Restore the order of changes that arrive out of order.

Helix (25.01) sends each notification from its own task, and notifications for keys in quick succession overtake one
another: the change for version 5 arrived before those for 1 and 2. Applying changes as they arrive then gives a text
different from the user's. As each change of Helix increments the version, a gap is detected, and the later changes
wait. Helix sometimes skips versions (a completion that was shown and withdrawn), so the wait is short; after that, the
waiting changes are applied in order.

The content of a change is irrelevant here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

PATIENCE = 0.2
"""Seconds to wait for a missing version; changes that were overtaken arrive within a few milliseconds."""


@dataclass(slots=True)
class _Gap:
    """The changes of one document that wait for an earlier version."""

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
        """Discard the waiting changes of a document that was closed or reopened."""
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
