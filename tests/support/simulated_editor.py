"""An editor with a person at it, for tests in clockwork time: it keeps a truth of its own about who changed what.

The wires to and from the server are slow and keep their order. The editor takes an edit only for the version that it
has, and applies it whole; it asserts at once what must never happen: two edits under way, an edit outside the target,
one after the person typed in the target, one that takes away what the person typed.
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
"""Everything that the person types has this letter, and nothing else has."""
Deed = Literal["above", "below", "at the start", "at the end", "inside", "undo", "tidy", "save", "close"]
Tells = Literal["before the reply", "after the reply", "when it pauses", "in pieces"]
_CONVERTER = default_converter()  # type: ignore[no-untyped-call]  # pygls does not annotate it


@dataclass
class Manner:
    """How this editor is."""

    streams: bool
    tells: Tells
    delay: float
    """Seconds that a message takes at most."""
    says: bool | None = None
    """What it says of each edit; None for the truth."""
    refuses: frozenset[int] = frozenset()
    """Which edits it will not take, by their number."""
    encoding: Encoding = Encoding.Utf16

    @property
    def hangs(self) -> bool:
        """Whether it may be slower to reply than anybody waits; what it shows afterwards comes too late."""
        return self.delay > REPLY


@dataclass
class Desk:
    """The editor; an ``EditSink`` for the writer."""

    manner: Manner
    text: str
    region: Span | None
    """Where the target is, None once the person changed it."""
    dice: random.Random
    documents: Documents = field(default_factory=Documents)
    version: int = 1
    is_open: bool = True
    sent: list[tuple[int, int]] = field(default_factory=list)
    """Of each edit that was taken: how many changes, and how many bytes they are as JSON."""
    taken: list[tuple[Edit, ...]] = field(default_factory=list)
    refused: int = 0
    is_ambiguous: bool = False
    """Whether the person undid something, or only took something away in the target: that may be just what the server
    is about to do, and then nobody can tell whose edit it was."""
    deeds: list[Deed] = field(default_factory=list)
    """What the person really did."""

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
            assert all(self.region.covers(edit.span) for edit in edits), "nothing is written outside the target"
        size = len(json.dumps(_CONVERTER.unstructure(text_edits), ensure_ascii=False).encode())
        self.sent.append((len(edits), size))
        self.taken.append(edits)
        grown = sum(len(edit.text) - len(edit.span) for edit in edits)
        self._change(edits)
        self.region = Span(self.region.start, self.region.end + grown) if self.region is not None else None

    # The person's edits.

    def do(self, deed: Deed) -> None:
        """Do something, where there is room for it."""
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
                pass  # A notification that the server does not even need.
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
        """Type somewhere in there, perhaps over something."""
        one, two = sorted(self.dice.randint(room.start, room.end) for _ in range(2))
        one, two = self._whole(one), self._whole(two)
        two = one if self.dice.random() < 0.6 else min(two, one + 12)
        self._edit([Edit(Span(one, self._whole(two)), self._words() if self.dice.random() < 0.8 else "")])

    def _whole(self, at: int) -> int:
        """Return a place that an editor has: none lies between CR and LF."""
        return at - 1 if self.text[at - 1 : at + 1] == "\r\n" else at

    def _tidy(self) -> None:
        """Take away what is blank at the ends of lines, as a formatter does when a file is saved."""
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
        """Make an edit of the person's; follow the target as the rules for it say."""
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
        """Change the text, edits last to first, and tell the server in this editor's manner."""
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
        """Tell of everything since the last time, as eglot does when its user pauses."""
        events, self._pool = self._pool, []
        if events:
            self.documents.change(URI, self.version, events, self.encoding)


def _answer(reply: asyncio.Future[bool], says: bool) -> None:  # noqa: FBT001 - what the editor says
    if not reply.done():
        reply.set_result(says)


def _ignore(_result: object) -> None:
    """Take what a callback has no use for."""
