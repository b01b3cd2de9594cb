"""A simulated editor and its user, for tests in virtual time. It keeps its own record of who changed what.

Messages to and from the server are delayed but stay in order. The editor accepts an edit only for its current version,
and applies it completely. It asserts at once that none of these happens: two edits in flight, an edit outside the
target, an edit after the user typed in the target, an edit that removes what the user typed.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lsprotocol import types
from pygls.protocol import default_converter
from virtual_time import Line

from tuppence.core.text.document import Document, Edit, Span, apply
from tuppence.lsp.documents.capabilities import ClientCapabilities
from tuppence.lsp.documents.convert import Encoding, from_range, to_range
from tuppence.lsp.documents.store import Documents
from tuppence.lsp.output.client import REPLY

URI = "file:///a.py"
MINE = "ñ"
"""Everything that the user types contains this letter, and no other text does."""
Deed = Literal["above", "below", "at the start", "at the end", "inside", "undo", "tidy", "save", "close"]
Tells = Literal["before the reply", "after the reply", "when it pauses", "in pieces"]
_CONVERTER = default_converter()  # type: ignore[no-untyped-call]  # pygls does not annotate it


@dataclass
class Manner:
    """The behavior of this editor."""

    streams: bool
    tells: Tells
    delay: float
    """The longest delay of a message in seconds."""
    says: bool | None = None
    """The editor's reply to each edit; None for a truthful one."""
    refuses: frozenset[int] = frozenset()
    """The numbers of the edits that it rejects."""
    encoding: Encoding = Encoding.Utf16

    @property
    def hangs(self) -> bool:
        """Whether its reply may come after the server's time limit; what it shows after that comes too late."""
        return self.delay > REPLY


@dataclass
class Desk:
    """The editor, an ``EditSink`` for the writer."""

    manner: Manner
    text: str
    region: Span | None
    """The target; None after the user changed it."""
    dice: random.Random
    documents: Documents = field(default_factory=Documents)
    version: int = 1
    is_open: bool = True
    sent: list[tuple[int, int]] = field(default_factory=list)
    """For each accepted edit, the number of changes and their size in bytes as JSON."""
    taken: list[tuple[Edit, ...]] = field(default_factory=list)
    refused: int = 0
    is_ambiguous: bool = False
    """Whether the user undid something, or only deleted something in the target. The server may be about to do the
    same, so that it is impossible to tell whose edit it was."""
    deeds: list[Deed] = field(default_factory=list)
    """The actions that the user performed."""

    def __post_init__(self) -> None:
        lags = self.manner.tells == "when it pauses"
        self.capabilities = ClientCapabilities(
            name="fake",
            apply_edit=True,
            document_changes=True,
            streams=self.manner.streams,
            lagging_version=lags,
        )
        self.encoding = self.manner.encoding
        self.documents.open(URI, "python", 1, self.text)
        self._up, self._down = Line(), Line()
        self._under_way = 0
        self._arrived = 0
        self._before: list[str] = []
        self._pool: list[types.TextDocumentContentChangeEvent] = []
        self._drafted = False

    # What the writer calls.

    async def apply(self, edit: types.WorkspaceEdit, label: str) -> bool:
        """Answer ``workspace/applyEdit``."""
        assert label
        [change] = edit.document_changes or ()
        assert isinstance(change, types.TextDocumentEdit)
        return await self._take(change.text_document.version, change.edits)

    async def draft(self, params: dict[str, object]) -> bool:
        """Answer ``tuppence/edit``."""
        edits: Any = params["edits"]
        assert isinstance(params["version"], int)
        assert params["first"] is not self._drafted
        self._drafted = True
        return await self._take(params["version"], edits)

    async def _take(self, version: int | None, edits: Any) -> bool:
        assert self._under_way == 0, "one edit at a time"
        assert version is not None
        self._under_way += 1
        reply: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._down.send(self._wait(), lambda: self._look(version, edits, reply))
        try:
            async with asyncio.timeout(REPLY):
                return await asyncio.shield(reply)
        except TimeoutError:
            return False
        finally:
            self._under_way -= 1

    def _wait(self) -> float:
        return self.dice.random() * self.manner.delay

    # The server's edits.

    def _look(self, version: int, edits: Any, reply: asyncio.Future[bool]) -> None:
        self._arrived += 1
        takes = self.is_open and version == self.version and self._arrived - 1 not in self.manner.refuses
        says = takes if self.manner.says is None else self.manner.says
        self.refused += not takes
        if self.manner.tells != "before the reply":
            self._up.send(self._wait(), lambda: _answer(reply, says))
        if takes:
            self._accept(edits)
        if self.manner.tells == "before the reply":
            self._up.send(self._wait(), lambda: _answer(reply, says))

    def _accept(self, text_edits: Any) -> None:
        now = Document(URI, "python", self.version, self.text)
        edits = tuple(Edit(from_range(now, each.range, self.encoding), each.new_text) for each in text_edits)
        for edit in edits:
            assert MINE not in self.text[edit.span.start : edit.span.end], "nothing is lost that the person typed"
        if not self.is_ambiguous:
            assert self.region is not None, "nothing is written where the person typed"
            narrow = (_without_half_endings(edit, self.text, self.region) for edit in edits)
            assert all(self.region.covers(edit.span) for edit in narrow), "nothing is written outside the target"
        size = len(json.dumps(_CONVERTER.unstructure(text_edits), ensure_ascii=False).encode())
        self.sent.append((len(edits), size))
        self.taken.append(edits)
        grown = sum(len(edit.text) - len(edit.span) for edit in edits)
        self._change(edits)
        self.region = Span(self.region.start, self.region.end + grown) if self.region is not None else None

    # The person's edits.

    def do(self, deed: Deed) -> None:
        """Perform an action of the user, if there is room for it."""
        if not self.is_open:
            return
        region = self.region
        match deed:
            case "close":
                self.is_open, self.region = False, None
                self._up.send(self._wait(), lambda: self.documents.close(URI))
            case "undo":
                if self._before:
                    self._edit_to(self._before.pop())
            case "tidy":
                self._tidy()
            case "save":
                pass  # The server does not need this notification.
            case _ if region is not None:
                self._type_near(deed, region)
        self.deeds.append(deed)

    def _type_near(self, deed: Deed, region: Span) -> None:
        match deed:
            case "above":
                self._type(Span(0, region.start))
            case "below":
                self._type(Span(region.end, len(self.text)))
            case "at the start":
                self._edit([Edit(Span(region.start, region.start), self._words())])
            case "at the end":
                self._edit([Edit(Span(region.end, region.end), self._words())])
            case _ if len(region) > 1:
                self._type(Span(region.start + 1, region.end - 1))

    def _words(self) -> str:
        return self.dice.choice([MINE, f"{MINE}🐍", f"{MINE}\n", f"\n{MINE}", f"{MINE}\r\n", f"    {MINE}"])

    def _type(self, room: Span) -> None:
        """Type somewhere in this span, possibly replacing some of it."""
        one, two = sorted(self.dice.randint(room.start, room.end) for _ in range(2))
        one, two = self._whole(one), self._whole(two)
        two = one if self.dice.random() < 0.6 else min(two, one + 12)
        self._edit([Edit(Span(one, self._whole(two)), self._words() if self.dice.random() < 0.8 else "")])

    def _whole(self, at: int) -> int:
        """Return the nearest position that an editor allows: none is between CR and LF."""
        return at - 1 if self.text[at - 1 : at + 1] == "\r\n" else at

    def _tidy(self) -> None:
        """Delete trailing whitespace, as a formatter does when a file is saved."""
        edits: list[Edit] = []
        document = Document(URI, "python", self.version, self.text)
        for line in range(document.line_count):
            span = document.line_span(line)
            kept = len(document.slice(span).rstrip(" \t"))
            if kept < len(span):
                edits.append(Edit(Span(span.start + kept, span.end), ""))
        self._edit(edits)

    def _edit_to(self, text: str) -> None:
        old, new = self.text, text
        shorter = min(len(old), len(new))
        head = next((at for at in range(shorter) if old[at] != new[at]), shorter)
        head -= "\r\n" in (old[head - 1 : head + 1], new[head - 1 : head + 1])
        shorter -= head
        tail = next((at for at in range(shorter) if old[-1 - at] != new[-1 - at]), shorter)
        cut = (old[len(old) - tail - 1 : len(old) - tail + 1], new[len(new) - tail - 1 : len(new) - tail + 1])
        tail -= tail > 0 and "\r\n" in cut
        if old != new:
            self._edit([Edit(Span(head, len(old) - tail), new[head : len(new) - tail])], undo=True)

    def _edit(self, edits: Sequence[Edit], *, undo: bool = False) -> None:
        """Apply an edit of the user, and update the target by the rules for it."""
        if not edits:
            return
        for edit in sorted(edits, key=lambda each: each.span, reverse=True):
            if self.region is None:
                break
            if edit.span.end <= self.region.start:
                by = len(edit.text) - len(edit.span)
                self.region = Span(self.region.start + by, self.region.end + by)
            elif edit.span.start < self.region.end:
                self.region = None
                self.is_ambiguous = self.is_ambiguous or MINE not in edit.text
        self._change(edits)
        if undo:
            self.is_ambiguous = True
            self._before.pop()

    def _change(self, edits: Sequence[Edit]) -> None:
        """Apply the edits, last to first, and notify the server in this editor's manner."""
        self._before.append(self.text)
        events: list[types.TextDocumentContentChangeEvent] = []
        for edit in sorted(edits, key=lambda each: (each.span.start, each.span.end))[::-1]:
            before = Document(URI, "python", self.version, self.text)
            events.append(types.TextDocumentContentChangePartial(to_range(before, edit.span, self.encoding), edit.text))
            self.text = apply(self.text, [edit])
        half = len(events) // 2 if self.manner.tells == "in pieces" else 0
        if self.manner.tells == "when it pauses":
            self.version += 1
            self._pool += events
            self._up.send(0.1 + self._wait(), self._flush)
            return
        for some in filter(None, (events[:half], events[half:])):
            self.version += 1
            self._tell(self._wait(), self.version, some)

    def _tell(self, delay: float, version: int, events: list[types.TextDocumentContentChangeEvent]) -> None:
        self._up.send(delay, lambda: _ignore(self.documents.change(URI, version, events, self.encoding)))

    def _flush(self) -> None:
        """Send all changes since the last notification, as Eglot does when its user pauses."""
        events, self._pool = self._pool, []
        if events:
            self.documents.change(URI, self.version, events, self.encoding)


def _answer(reply: asyncio.Future[bool], says: bool) -> None:  # noqa: FBT001 - what the editor says
    if not reply.done():
        reply.set_result(says)


def _ignore(_result: object) -> None:
    """Discard the result of a callback."""


def _without_half_endings(edit: Edit, text: str, region: Span) -> Edit:
    """Return an edit without the half of a CRLF outside the region, if the edit replaces it by itself.

    LSP has no position between CR and LF, so an edit up to there has to include the other half.
    """
    start, end, new = edit.span.start, edit.span.end, edit.text
    if end == region.end + 1 and text[region.end - 1 : end] == "\r\n" and new.endswith("\n"):
        end, new = end - 1, new[:-1]
    if start == region.start - 1 and text[start : region.start + 1] == "\r\n" and new.startswith("\r"):
        start, new = start + 1, new[1:]
    return Edit(Span(start, end), new)
