"""Parts of a document that are being written, and edits on their way to the editor.

Only computes how spans move when an edit is applied; nothing is sent here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from tuppence.core.answer.earlier import EarlierPart
from tuppence.core.text.diff import common_ends, differences, longer_ends
from tuppence.core.text.document import Document, Edit, Span, apply, shift, together
from tuppence.core.text.lines import split

_PIECES = 50
"""Maximum number of pieces in which one edit may arrive."""


class FoundLines:
    """The lines of a text; it is split once, when the first line is looked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines: dict[str, frozenset[str]] = {}

    def hold(self, line: str, newline: str) -> bool:
        """Report whether a line with its ending is one of them; the last one counts as ended by ``newline``."""
        if newline not in self._lines:
            self._lines[newline] = frozenset(_pieces(self._text, newline))
        return line in self._lines[newline]


@dataclass(slots=True, eq=False)
class Region:
    """A part of the document that an answer changes."""

    span: Span | None
    """Its current span; None once the user or another run changed it."""
    asked: str
    """Its text in the document of the request."""
    wanted: str
    """The text that it is to contain."""
    earlier: EarlierPart | None = None
    """The part of an earlier answer that it contains at first; None without an earlier answer."""
    _lines: FoundLines | None = field(default=None, init=False)

    @property
    def found(self) -> str:
        """Its text when the run began, which a failed run restores."""
        return self.asked if self.earlier is None else self.earlier.text

    @property
    def found_lines(self) -> FoundLines:
        """The lines of that text."""
        if self._lines is None:
            self._lines = FoundLines(self.found)
        return self._lines

    @property
    def first(self) -> str:
        """Its text before any answer, which Put back restores."""
        return self.asked if self.earlier is None else self.earlier.before


@dataclass(frozen=True, slots=True)
class Change:
    """An edit of one region, relative to the current text."""

    region: Region
    edit: Edit


class PendingEdits:
    """Changes that were sent together and are not in the document yet."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self.landed = False
        """Whether the document contains them."""
        self.overtaken = False
        """Whether another edit came first; then an editor that checks versions refuses these."""
        self._changes: tuple[Change, ...] | None = tuple(changes)
        self._seen: tuple[Change, ...] = ()
        self._settled = asyncio.Event()

    def find(self, text: str, edits: Sequence[Edit]) -> range | None:
        """Return the range of received edits that are these changes, None if none are.

        An editor may report its user's edits and these changes together, in any order, and one change in several
        pieces. Neovim applies edits from last to first, and may report the last ones in a separate notification
        (https://github.com/neovim/neovim/blob/v0.10.4/runtime/lua/vim/lsp/util.lua).
        """
        texts = [text]
        if (own := self._changes) is not None and tuple(edits) == _one_by_one(own):
            self._seen = own
            return range(len(edits))
        # Texts are long and a global replacement is many edits, so a text is built only if its length is the expected
        # one.
        lengths = list(accumulate(map(_growth, edits), initial=len(text)))
        changes = self._changes
        for first in range(len(edits)):
            if changes is None:
                return None
            for some in _endings(changes):
                length = lengths[first] + sum(_growth(change.edit) for change in some)
                fits = [last for last in range(first + 1, len(lengths)) if lengths[last] == length]
                if not fits:
                    continue
                _go_on(texts, edits, fits[-1])
                expected = apply(texts[first], (change.edit for change in some))
                if last := next((last for last in fits if texts[last] == expected), None):
                    self._changes, self._seen = changes, some
                    return range(first, last)
            changes = _moved(changes, edits[first])
        return None

    def overtake(self, edit: Edit) -> None:
        """Adjust the changes to another edit."""
        self.overtaken = True
        self._changes = _moved(self._changes, edit) if self._changes is not None else None
        self._settled.set()

    def land(self, regions: Iterable[Region]) -> None:
        """Record that the document contains what ``find`` found, and move the regions accordingly."""
        for region in regions:
            region.span = _after(region, self._seen)
        # The remaining changes are above those that arrived, so they have not moved.
        self._changes = tuple(change for change in self._changes or () if change not in self._seen)
        if not self._changes:
            self.landed = True
            self._settled.set()

    def give_up(self) -> None:
        """Record that the changes will not arrive."""
        self._changes = None
        self._settled.set()

    async def wait(self, seconds: float) -> None:
        """Wait until the state changes, at most ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._settled.wait()
        self._settled.clear()


def _one_by_one(changes: Sequence[Change]) -> tuple[Edit, ...]:
    """Return changes in the order in which they can be made one after the other; none where two are at one place."""
    if len({change.edit.span for change in changes}) < len(changes):
        return ()
    return tuple(sorted((change.edit for change in changes), key=lambda edit: edit.span, reverse=True))


def _go_on(texts: list[str], edits: Sequence[Edit], last: int) -> None:
    """Append the texts that the edits produce, up to edit ``last``."""
    for edit in edits[len(texts) - 1 : last]:
        texts.append(texts[-1][: edit.span.start] + edit.text + texts[-1][edit.span.end :])


def _endings(changes: tuple[Change, ...]) -> Iterator[tuple[Change, ...]]:
    """Yield all changes in order, then without the first, without the first two, and so on."""
    ordered = tuple(sorted(changes, key=lambda change: change.edit.span))
    for first in range(min(len(ordered), _PIECES)):
        yield ordered[first:]


def _moved(changes: tuple[Change, ...], edit: Edit) -> tuple[Change, ...] | None:
    """Return changes adjusted to another edit, None if it overlaps one."""
    moved: list[Change] = []
    for change in changes:
        span = shift(change.edit.span, edit)
        if span is None:
            return None
        moved.append(Change(change.region, Edit(span, change.edit.text)))
    return tuple(moved)


def _after(region: Region, changes: Sequence[Change]) -> Span | None:
    """Return a region's span after changes whose spans refer to the text before all of them."""
    if region.span is None:
        return None
    own = sum(_growth(each.edit) for each in changes if each.region is region)
    before = (each for each in changes if each.region is not region and each.edit.span.end <= region.span.start)
    start = region.span.start + sum(_growth(each.edit) for each in before)
    return Span(start, start + len(region.span) + own)


def _growth(edit: Edit) -> int:
    return len(edit.text) - len(edit.span)


def held(asked: Document, part: EarlierPart) -> Region:
    """Return the region of a part of an earlier answer.

    :param asked: the original document of the request.
    """
    return Region(part.span, asked.slice(part.place), part.text, part)


def rewritten(
    regions: Sequence[Region], edits: Sequence[Edit], asked: Document, now: Document
) -> tuple[list[Region], list[Edit]] | None:
    """Return an earlier answer's regions with the new edits applied, and the edits outside them.

    Text of the earlier answer that the edits do not contain is removed; a region that the user changed since is not.

    :param asked: the original document of the request.
    :param now: the document in the editor.
    :return: None if an edit touches a part that was changed since.
    """
    whole, rest = list(regions), list[Edit]()
    for edit in edits:
        touched = [each for each in whole if each.earlier and each.earlier.place.touches(edit.span)]
        if not touched:
            rest.append(edit)
        elif (one := _joined(touched, edit.span, asked, now)) is None:
            return None
        else:
            whole = [one, *(each for each in whole if each not in touched)]
    for each in whole:
        if each.earlier is not None and each.span is not None:
            inside = [edit for edit in edits if each.earlier.place.covers(edit.span)]
            each.wanted = apply(each.asked, _within(inside, each.earlier.place))
    return whole, rest


def _joined(regions: Sequence[Region], span: Span, asked: Document, now: Document) -> Region | None:
    """Return one region for everything that an edit of the original touches; None if it was changed since."""
    parts = [(each.earlier, each.span) for each in regions if each.earlier is not None and each.span is not None]
    if len(parts) < len(regions):
        return None
    parts.sort(key=lambda each: each[0].place)
    (first, begin), (last, finish) = parts[0], parts[-1]
    place = Span(min(first.place.start, span.start), max(last.place.end, span.end))
    start, end = begin.start - (first.place.start - place.start), finish.end + (place.end - last.place.end)
    text, before = (
        apply(asked.slice(place), _within((Edit(part.place, value) for part, value in values), place))
        for values in ([(part, part.text) for part, _ in parts], [(part, part.before) for part, _ in parts])
    )
    if start < 0 or now.text[start:end] != text:
        return None
    return held(asked, EarlierPart(Span(start, end), text, before, place))


def _within(edits: Iterable[Edit], place: Span) -> list[Edit]:
    """Return edits relative to the start of a span."""
    return [Edit(Span(each.span.start - place.start, each.span.end - place.start), each.text) for each in edits]


def difference(document: Document, text: str, span: Span | None = None) -> tuple[Edit, ...]:
    """Return one edit of only the changed lines that gives a span, or the whole text, a new text; none if equal."""
    span = Span(0, len(document.text)) if span is None else span
    old = document.slice(span)
    if old == text:
        return ()
    olds, news = old.splitlines(keepends=True), text.splitlines(keepends=True)
    first, last = common_ends(olds, news)
    head = sum(map(len, olds[:first]))
    tail = sum(map(len, olds[len(olds) - last :]))
    return (Edit(Span(span.start + head, span.end - tail), text[head : len(text) - tail]),)


def line_changes(
    document: Document, text: str, span: Span, asked: str | FoundLines, known: tuple[int, int] = (0, 0)
) -> tuple[Edit, ...]:
    """Return the minimal edits of whole lines that give a span a new text, in order, all relative to the document.

    :param asked: the text that was there when the question was asked, or its lines.
    :param known: so many code points are certain to be equal at the start of what is there and of ``text``, and so many
        at their ends; the steps grow with the rest.
    """
    if document.is_mixed:
        return (Edit(span, text),) if document.slice(span) != text else ()
    head, tail = _common_lines(document, span, text, known)
    span, text = Span(span.start + head, span.end - tail), text[head : len(text) - tail]
    if not span and not text:
        return ()
    newline, found = document.newline, FoundLines(asked) if isinstance(asked, str) else asked
    olds, news = _pieces(document.slice(span), newline), _pieces(text, newline)
    starts = list(accumulate(map(len, olds), initial=span.start))
    edits: list[Edit] = []
    for first, last, low, high in differences(olds, news):
        new, back = "".join(news[low:high]), 0
        is_tail = last == len(olds)
        if low == high and first and (is_tail or not found.hold(olds[first - 1], newline)):
            # The removed lines were rewritten above. Removing them with the line ending before them leaves a cursor in
            # them on their replacements, instead of the line below.
            back = _back(olds[first - 1], olds[last - 1])
        if is_tail and low < high:
            new = newline + new if first == last else new
            new = new.removesuffix(newline)
        start, end = starts[first] - back, min(starts[last] - back, span.end)
        edits.append(Edit(Span(min(start, span.end), end), new))
    return together(edits)


def _common_lines(document: Document, span: Span, new: str, known: tuple[int, int]) -> tuple[int, int]:
    """Return the lengths of the whole lines, but one, that a span and a text share at their starts and at their ends.

    A draft changes little of a text, so only the lines between need a search for minimal edits.
    """
    old, start = document.text, span.start
    head, tail = longer_ends(old, span, new, known)
    # A line feed ends a line in both texts, whatever follows it.
    head = max(old.rfind("\n", start, max(start, old.rfind("\n", start, start + head))) + 1 - start, 0)
    after = old.find("\n", span.end - tail, span.end)
    return head, span.end - after - 1 if after >= 0 else 0


def _pieces(text: str, newline: str) -> list[str]:
    """Return the lines of a text with their endings, with an ending added to the last one."""
    lines = split(text)
    return [line + ending for line, ending in lines[:-1]] + [lines[-1][0] + newline]


def _back(before: str, last: str) -> int:
    """Return the length of the line ending before the removed lines if their last line has an equal one, else 0."""
    ending = split(before)[0][1]
    return len(ending) if ending == split(last)[0][1] else 0
