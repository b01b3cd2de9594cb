"""How often drafts go to the editor: as they come while one answer streams, spaced where several do.

A draft costs both sides the same work however much text it holds, so where several answers stream at once, fewer drafts
with more text leave time for what the person does meanwhile. One answer alone never waits.
"""

from __future__ import annotations

import asyncio

GAP = 0.002
"""Seconds between two drafts, of whichever answers: four answers have a draft each in 8 milliseconds."""
RECENT = 0.25
"""Seconds after its last draft in which an answer counts as one that streams."""


class StreamPace:
    """Gives the answers that stream at once their turns, in the order in which they ask."""

    def __init__(self) -> None:
        self._drafted: dict[str, float] = {}
        self._next = 0.0

    async def turn(self, run: str) -> bool:
        """Wait until a run may send its next draft; return whether it waited, so that there may be more to send."""
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
