"""The whole engine, patch and writer together, under a person who does anything at any moment: no document is damaged.

Each example is one document, one target, one or two replies in chunks, an editor with its manners and its slow wires,
and a person. What must never happen is asserted by the editor (person.py) the moment that it happens; here, what must
stand there in the end. ``make test-long`` draws more of them.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_editor import Deed, Desk, Manner, Tells
from strategies import EXAMPLES, TALLY, Case, cases, expect_sent, replies
from virtual_time import run

from tuppence.core.answer.patch import Patch
from tuppence.core.text.diff import common_ends
from tuppence.core.text.document import Edit
from tuppence.core.text.lines import split
from tuppence.errors import Stale
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.output.regions import line_changes
from tuppence.lsp.output.writer import Writer

RUNS = EXAMPLES or 1000
Ending = Literal["kept", "climbed", "stopped", "put back later"]
DEEDS: tuple[Deed, ...] = ("above", "below", "at the start", "at the end", "inside", "undo", "tidy", "save", "close")


@dataclass
class Play:
    """One example."""

    case: Case
    second: str
    """The better model's reply."""
    manner: Manner
    deeds: list[tuple[float, Deed]]
    """What the person does, and when, in seconds."""
    ending: Ending
    seed: int
    """Of all that is not worth to be drawn: the moments and places."""


@st.composite
def plays(draw: st.DrawFn) -> Play:
    case = draw(cases())
    document, target, _, _ = case
    block = [line for line, _ in split(document.slice(target))]
    ending: Ending = draw(st.sampled_from(["kept", "climbed", "stopped", "put back later"]))
    tells: Tells = draw(
        st.sampled_from(["before the reply", "before the reply", "after the reply", "when it pauses", "in pieces"])
    )
    manner = Manner(
        streams=draw(st.booleans()),
        tells=tells,
        delay=draw(st.sampled_from([0.0, 0.02, 0.2, 4.0, 30.0])),
        says=draw(st.sampled_from([None, None, True])),
        refuses=frozenset(draw(st.lists(st.integers(0, 5), max_size=1)))
        if draw(st.integers(0, 4)) == 4
        else frozenset(),
        encoding=draw(st.sampled_from([Encoding.Utf8, Encoding.Utf16, Encoding.Utf32])),
    )
    deeds = draw(st.lists(st.tuples(st.floats(0, 2, width=16), st.sampled_from(DEEDS)), max_size=5))
    second = draw(replies(block)) if ending == "climbed" else ""
    return Play(case, second, manner, sorted(deeds), ending, draw(st.integers(0, 2**32)))


class Performed:
    """What is left after a play."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.document, self.target, _, self.size = play.case
        self.dice = random.Random(play.seed)  # noqa: S311 - moments and places, no secrets
        self.desk = Desk(play.manner, self.document.text, self.target, self.dice)
        self.patch = Patch(self.document, self.target)
        self.wanted = ""
        self.stale = ""
        self.last = self.document.slice(self.target).splitlines()
        """The lines of the last draft."""
        self.shown = 0
        """The size of the lines that are in a draft and were not in the one before, in bytes."""
        self.intended = {self.document.slice(self.target)}

    async def perform(self) -> None:
        """Do what lsp/features/run_view.py does with a reply, while the person does what they like."""
        person = asyncio.create_task(self._live())
        self.writer = Writer(self.desk, self.document, self.target, "run")
        guard = asyncio.create_task(self.writer.touched.wait())
        work = asyncio.create_task(self._work())
        await asyncio.wait({guard, work}, return_when=asyncio.FIRST_COMPLETED)
        if guard.done() and not work.done():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await self._restore()
        guard.cancel()
        await person
        if work.done() and not work.cancelled():
            work.result()
            if self.play.ending == "put back later" and not self.stale:
                await self._restore(later=True)
        await asyncio.sleep(60)  # Whatever is still on its way arrives.
        self.writer.close()

    async def _live(self) -> None:
        now = 0.0
        for at, deed in self.play.deeds:
            await asyncio.sleep(at - now)
            now = at
            self.desk.do(deed)

    async def _work(self) -> None:
        await self._answer(self.play.case[2])
        if self.play.ending == "stopped":
            await self._restore()
            return
        if self.play.ending == "climbed":
            await self._restore()
            self.stale = ""
            self.patch = Patch(self.document, self.target)
            await self._answer(self.play.second)
        expect_sent(self.patch, self.document, self.target)
        self.wanted = self.patch.replacement
        self.intended.add(self.wanted)
        try:
            await self.writer.keep(self.patch.final(), "Fix")
        except Stale as stale:
            await self._restore()
            self.stale = str(stale)

    async def _answer(self, reply: str) -> None:
        for at in range(0, len(reply), self.size):
            self._show(self.patch.feed(reply[at : at + self.size]))
            await asyncio.sleep(self.dice.random() * 0.1)
        self._show(self.patch.finish())

    def _show(self, edits: tuple[Edit, ...]) -> None:
        if self.play.manner.streams:
            self.writer.draft(edits)
            self.intended.add(self.writer._target.wanted)
            self._note(self.writer._target.wanted)

    def _note(self, draft: str) -> None:
        lines = draft.splitlines()
        head, tail = common_ends(self.last, lines)
        self.shown += sum(len(line.encode()) + 1 for line in lines[head : len(lines) - tail])
        self.last = lines

    async def _restore(self, *, later: bool = False) -> None:
        self.wanted = self.document.slice(self.target)
        try:
            await (self.writer.restore_later() if later else self.writer.restore())
        except Stale as stale:
            self.stale = str(stale)

    @property
    def is_plain(self) -> bool:
        """Whether nothing got in the way of the answer, and its document can be edited in pieces."""
        is_quiet = not self.desk.deeds and not self.desk.refused and not self.stale and not self.play.manner.hangs
        return self.play.ending == "kept" and is_quiet and not self.document.is_mixed

    @property
    def changed(self) -> int:
        """How many bytes the lines have that come in."""
        edits = line_changes(self.document, self.wanted, self.target, "")
        return sum(len(edit.text.encode()) for edit in edits)

    @property
    def needed(self) -> int:
        """How many bytes the edits have to bring in.

        Drafts show lines at the place that they seem to have. Where lines go, or another fence than the first is the
        answer, which may be the text as it was, it is another place, or none: then each line that was drafted counts.
        """
        before, after = (Counter(each.splitlines()) for each in (self.document.slice(self.target), self.wanted))
        self._note(self.wanted)
        return max(self.changed, self.shown) if before - after or not self.changed else self.changed

    @property
    def is_excused(self) -> bool:
        """Whether there is a reason for which the editor may be left without the answer."""
        manner = self.play.manner
        return bool(manner.refuses) or manner.delay > 1 or self.desk.region is None


@settings(max_examples=RUNS, deadline=None)
@given(plays())
def test_no_document_is_damaged_whatever_happens(play: Play) -> None:
    performed = Performed(play)
    TALLY.checked += 1
    TALLY.damaged += 1
    run(performed.perform())
    desk = performed.desk
    if desk.region is not None and not desk.is_ambiguous:
        stands = desk.text[desk.region.start : desk.region.end]
        assert stands in performed.intended
        if performed.stale:
            assert performed.is_excused, performed.stale
        elif not play.manner.hangs:
            assert stands == performed.wanted
        if performed.is_plain:
            assert sum(size for _, size in desk.sent) <= 1.5 * performed.needed + 200 * sum(
                many for many, _ in desk.sent
            )
        where = performed.writer.target
        assert where == desk.region or (where is None and performed.is_excused) or play.manner.hangs
    TALLY.damaged -= 1
