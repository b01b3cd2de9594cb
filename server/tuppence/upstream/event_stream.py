"""Server-sent events out of the texts in which they come, all that one text completes at once.

The libraries that read such a stream wait for each event, and for each line of it, which takes longer than all else
that is done for a short one. tests/upstream/test_event_stream.py holds this one to httpx_sse.
"""

from __future__ import annotations

from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One event."""

    name: str
    """``message`` where the stream gives none."""
    data: str
    """Its lines of data, joined by line feeds."""


class EventStream:
    """Takes the texts of one stream, wherever they are cut; each character is looked at a bounded number of times."""

    def __init__(self) -> None:
        self._line: list[str] = []
        """The beginning of a line whose end has not come yet."""
        self._ended_by_cr = False
        self._name = ""
        self._data: list[str] = []

    def feed(self, text: str) -> list[ServerSentEvent]:
        """Take the next text and return the events that it completes."""
        if self._ended_by_cr and text:
            text = text.removeprefix("\n")  # The second half of a CRLF.
            self._ended_by_cr = False
        if "\r" in text:
            self._ended_by_cr = text[-1] == "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        first, *lines = text.split("\n")
        self._line.append(first)
        if not lines:
            return []
        complete = ["".join(self._line), *lines]
        self._line = [complete.pop()]
        events: list[ServerSentEvent] = []
        for line in complete:
            if line:
                self._take(line)
            elif self._name or self._data:
                events.append(ServerSentEvent(self._name or "message", "\n".join(self._data)))
                self._name, self._data = "", []
        return events

    def _take(self, line: str) -> None:
        """Take in a line that is not blank; comments and unknown fields say nothing."""
        field, _, value = line.partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
        elif field == "event":
            self._name = value.removeprefix(" ")
