"""A reply, chunk by chunk, becomes edits of the lines that it replaces.

Invariants, each a property test over random documents, replies and chunkings:

- The text applied is the text that the model sent, its fence and stray prose aside, but for the repairs that
  ``repairs`` names: *indentation* (core/answer/reindent.py says when), *line ending* (the document's, where the reply
  has another; a line that stays keeps its own), *final newline* (a document that was empty gets a last line ending).
  Blank lines at the end are as much text as any: without them a new function would stick to the next one.
- Where a reply holds several fences of code, only the one that is certain to be meant replaces the target
  (core/answer/select_fence.py), and of that one, with an extractor, only what is the target
  (core/answer/extract_target.py).
  Live, lines that may only be quoted from the target's midst change nothing before another line comes, and where all
  of a fence was a quotation, the next one is followed in its stead; what comes after any other waits for the end.
- All live edits, made in order, give the same text as ``final()`` and as the document with ``replacement`` in the
  target. Nothing outside the target is touched, or looked at.
- Edits are of whole lines, and lines that stay are not in them. A chunk costs the same on a file of any length.
- Two line endings never become one. Where some lines end at a lone CR and others with LF, nothing streams, and the
  target is replaced whole.
- The live edits are only a promise until ``finish``; ``restore`` takes back whatever stands, at any moment.

Nothing here knows an editor, and nothing judges the code (core/checks/structure.py). Lines marked as imports are left
in ``parts`` for core/answer/merge_imports.py.
"""

from __future__ import annotations

from dataclasses import replace

from tuppence.core.answer.extract_target import Extract, TargetExtractor
from tuppence.core.answer.forms.plain_code import as_code
from tuppence.core.answer.reindent import Indentation
from tuppence.core.answer.reply import Fence, Opening, Parts, Reply, replacement
from tuppence.core.answer.select_fence import Quotation, select_fence
from tuppence.core.answer.streaming_diff import Follower
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diff import backwards, line_edits
from tuppence.core.text.document import Document, Edit, Span, apply, together
from tuppence.core.text.lines import split


class Patch:
    """Takes the chunks of one reply and says what to change in one target."""

    def __init__(self, document: Document, target: Span, extractor: TargetExtractor | None = None) -> None:
        """Take the whole lines to be replaced, without the ending of the last; empty inserts.

        :param extractor: takes the target out of an answer that is more than it; without one, all of a fence is used.
        """
        self._document = document
        self._target = target
        self._start = target.start
        self._original = document.slice(target)
        self._fresh = not document.text
        self._outside = (document.text[: target.start][-1:], document.text[target.end :][:1])
        self._extractor = extractor
        self._is_mixed = document.is_mixed
        self._newline = document.newline
        self._lines = split(self._original)
        self._block = [text for text, _ in self._lines]
        self._reply = Reply()
        self._fence = self._newest = -1
        self._begin("")
        self._live: str | None = None
        self._parts: Parts | None = None
        self._replacement = self._original
        self._final: tuple[Edit, ...] = ()
        self._repairs: tuple[str, ...] = ()
        self._edited: Tree | None = None

    @property
    def replacement(self) -> str:
        """The text that stands in the target in the end; the original text until ``finish``."""
        return self._replacement

    @property
    def repairs(self) -> tuple[str, ...]:
        """The names of the repairs made, known after ``finish``."""
        return self._repairs

    @property
    def edited(self) -> Tree | None:
        """The document with the replacement, where it was parsed already."""
        return self._edited

    @property
    def parts(self) -> Parts:
        """The reply, taken apart, with no other code and imports than what is meant for the file; finishes."""
        self.finish()
        assert self._parts is not None
        return self._parts

    @property
    def region(self) -> Span:
        """Where the target stands after the live edits so far."""
        length = self._follower.length if self._live is None else len(self._live)
        return Span(self._start, self._start + length)

    def feed(self, chunk: str) -> tuple[Edit, ...]:
        """Take the next chunk; return edits for a live client, each relative to the text after the one before."""
        edits: list[Edit] = []
        for line in self._reply.feed(chunk):
            if line.fence is not None and not line.fence.imports and not self._is_mixed:
                edits += self._turn_to(line.fence)
                edits += self._take(line.text) if line.fence.number == self._fence else ()
        return tuple(edits)

    def finish(self) -> tuple[Edit, ...]:
        """Take the end of the reply; return the live edits that are left. Finishing again returns none."""
        if self._live is not None:
            return ()
        live = self._follower.text
        parts = self._reply.finish()
        if self._extractor is not None:
            parts = as_code(parts, self._document, self._target)
        chosen = select_fence(parts, self._document, self._target, self._extractor)
        self._parts = chosen.parts
        code, _ = replacement(self._parts)
        if code is not None and chosen.extract is not None:
            self._parts = _extracted(self._parts, code, chosen.extract)
            self._edited = chosen.extract.edited
            self._settle(code, chosen.extract)
        elif code is not None:
            self._settle(code)
        self._live = self._replacement
        return self._between(live, self._replacement)

    def final(self) -> tuple[Edit, ...]:
        """Return the edits of the original document, for a client that gets them at once; finishes."""
        self.finish()
        return self._final

    def restore(self) -> tuple[Edit, ...]:
        """Return live edits that put the original back from what stands now; nothing can be fed afterwards."""
        live = self._follower.text if self._live is None else self._live
        self._live = self._original
        return self._between(live, self._original)

    def _begin(self, indent: str) -> None:
        """Follow a fence from its beginning."""
        self._follower = Follower(self._lines, self._newline, self._start)
        self._indentation = Indentation(self._block, indent)
        self._quotation = Quotation(self._block)
        self._waiting: list[str] = []
        self._begun = 0
        self._is_target = None if self._extractor else True

    def _turn_to(self, fence: Opening) -> tuple[Edit, ...]:
        """Follow the first fence of code, and another one where all before it only quoted the target."""
        is_new, self._newest = fence.number > self._newest, fence.number
        if not is_new or (self._fence >= 0 and not self._quotation.holds):
            return ()
        live = self._follower.text
        self._fence = fence.number
        self._begin(fence.indent)
        return self._between(live, self._original)

    def _take(self, line: str) -> list[Edit]:
        if self._is_target is None and self._extractor is not None:
            self._is_target = self._extractor.may_begin(line)
        self._quotation.take(line)
        self._indentation.feed(line)
        self._waiting.append(line)
        # What may only quote a later part of the target waits for a line that shows that it does not. And blank lines
        # wait for the line after them, because what looks like one may only end a fence.
        quotes = self._quotation.holds and not self._quotation.begins
        if quotes or not self._is_target or self._indentation.shift is None or not line.strip():
            return []
        edits: list[Edit] = []
        for moved in self._indentation.moved(self._waiting, self._begun):
            edits += self._follower.take(moved)
        self._begun += sum(bool(each.strip()) for each in self._waiting)
        self._waiting = []
        return edits

    def _settle(self, code: Fence, extract: Extract | None = None) -> None:
        """Decide what stands in the target in the end."""
        sent = split(code.text)
        lines = [text for text, _ in sent]
        ended = [*lines, ""] if self._fresh and lines[-1].strip() else lines
        moved = list(extract.lines) if extract else Indentation(self._block, code.indent).move(ended)
        edits = line_edits(self._original, moved, self._newline)
        if self._is_mixed and edits:
            text = apply(self._original, edits)
            text = "\r\n".join(moved) if self._joins(text, moved) else text
            edits = (Edit(Span(0, len(self._original)), text),)
        self._replacement = apply(self._original, edits)
        # Two insertions around an empty last line are at one place, and not every editor keeps their order.
        self._final = together(self._placed(edits))
        endings = zip(split(self._replacement)[:-1], sent[:-1], strict=False)
        is_part = extract is not None and extract.is_part
        repairs = {
            "indentation": moved != ended and not (is_part and set(moved) <= set(lines)),
            "rest of the answer": is_part,
            "line ending": any(stands != came for (_, stands), (_, came) in endings),
            "final newline": ended != lines,
        }
        form = self._parts.form if self._parts else ""
        named = extract.repairs if extract else ()
        self._repairs = (*([form] if form else ()), *named, *(name for name, made in repairs.items() if made))

    def _joins(self, text: str, lines: list[str]) -> bool:
        """Report whether a CR would come to stand before an LF: in the text, or where it meets what is around it."""
        before, after = self._outside
        meets = (before == "\r" and text.startswith("\n")) or (after == "\n" and text.endswith("\r"))
        return meets or [line for line, _ in split(text)] != lines

    def _between(self, old: str, new: str) -> tuple[Edit, ...]:
        """Return live edits from one text of the region to another, in an order in which they can be made."""
        edits = line_edits(old, [text for text, _ in split(new)], self._newline)
        if apply(old, edits) != new:
            # Where line endings are mixed, lines that are alike can end differently.
            edits = (Edit(Span(0, len(old)), new),)
        return backwards(self._placed(edits))

    def _placed(self, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        """Return edits of the region's text as edits of the document."""
        by = self._start
        return tuple(Edit(Span(edit.span.start + by, edit.span.end + by), edit.text) for edit in edits)


def _extracted(parts: Parts, code: Fence, extract: Extract) -> Parts:
    """Return the parts of a reply with what was taken out of its code in the place of that code."""
    taken = replace(code, text="\n".join(extract.lines), implicit=code.implicit and not extract.is_complete)
    fences = tuple(taken if fence is code else fence for fence in parts.fences)
    if extract.imports:
        fences = (*fences, Fence("imports", extract.imports, closed=True))
    return replace(parts, fences=fences, refused=extract.refused, notes=extract.notes)
