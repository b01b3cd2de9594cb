"""The pace of drafts to the editor: immediate while one answer streams, spaced while several do.

A draft costs both sides about the same, however much text it contains. So if several answers stream at one time, fewer
drafts with more text leave time for the user's own actions. A single answer never waits.
"""

from __future__ import annotations

import asyncio

GAP = 0.002
"""Seconds between two drafts of any answers: four answers send a draft each within 8 milliseconds."""
RECENT = 0.25
"""Seconds after its last draft during which an answer counts as streaming."""


class StreamPace:
    """Schedules the drafts of answers that stream at one time, in the order of their requests."""

    def __init__(self) -> None:
        self._drafted: dict[str, float] = {}
        self._next = 0.0

    async def turn(self, run: str) -> bool:
        """Wait until a run may send its next draft; return whether it waited, so that there may be more text."""
        clock = asyncio.get_running_loop().time
        now = clock()
        if any(now - at > RECENT for at in self._drafted.values()):
            self._drafted = {each: at for each, at in self._drafted.items() if now - at <= RECENT}
        self._drafted[run] = now
        if len(self._drafted) == 1:
            return False
        due = max(now, self._next)
        self._next = due + GAP
        if due == now:
            return False
        await asyncio.sleep(due - now)
        self._drafted[run] = clock()
        return True
