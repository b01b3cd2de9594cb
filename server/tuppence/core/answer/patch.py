"""Convert a reply, chunk by chunk, into edits of the lines that it replaces.

Invariants, each a property test over random documents, replies and chunkings:

- The applied text is what the model sent, without its fence and stray prose, except for the repairs listed in
  ``repairs``: *indentation* (core/answer/reindent.py), *line ending* (the document's, if the reply has another; an
  unchanged line keeps its own), *final newline* (a document that was empty gets a last line ending). Blank lines at the
  end are text too: without them a new function would touch the next one.
- If a reply has several code fences, only the one that is certainly meant replaces the target
  (core/answer/select_fence.py); with an extractor, only the target is taken from it (core/answer/extract_target.py).
  While streaming, lines that may be a quotation from the middle of the target wait for another line. If a whole fence
  was a quotation, the next one is streamed instead; fences after any other wait for the end.
- All live edits, applied in order, give the text of ``final()``, which is the document with ``replacement`` in the
  target. Text outside the target is neither changed nor read.
- Edits cover whole lines, and no unchanged lines. The cost of a chunk does not depend on the length of the file.
- Two line endings never merge into one. If some lines end at a lone CR and others at LF, nothing is streamed, and the
  target is replaced as a whole.
- Live edits are provisional until ``finish``; ``restore`` takes them back at any time.

This module knows nothing of editors and does not judge code (core/checks/structure.py). Lines marked as imports are
left in ``parts`` for core/answer/merge_imports.py.
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
    """Converts the chunks of one reply into edits of one target."""

    def __init__(self, document: Document, target: Span, extractor: TargetExtractor | None = None) -> None:
        """Take the span to replace: whole lines, without the last line ending; an empty span inserts.

        :param extractor: takes the target out of an answer that contains more; without it, all of a fence is used.
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
        """The target's final text; before ``finish``, its original text."""
        return self._replacement

    @property
    def repairs(self) -> tuple[str, ...]:
        """The names of the repairs made; empty before ``finish``."""
        return self._repairs

    @property
    def edited(self) -> Tree | None:
        """The parse of the document with the replacement; None if it was not parsed."""
        return self._edited

    @property
    def parts(self) -> Parts:
        """The parts of the reply, with only the code and imports meant for the file; this finishes the patch."""
        self.finish()
        assert self._parts is not None
        return self._parts

    @property
    def region(self) -> Span:
        """The target's span after the live edits so far."""
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
        """Take the end of the reply; return the remaining live edits. A second call returns none."""
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
        """Return edits of the original document, for a client that applies them at once; this finishes the patch."""
        self.finish()
        return self._final

    def restore(self) -> tuple[Edit, ...]:
        """Return live edits that restore the original text; nothing can be fed afterwards."""
        live = self._follower.text if self._live is None else self._live
        self._live = self._original
        return self._between(live, self._original)

    def _begin(self, indent: str) -> None:
        """Begin to stream a fence."""
        self._follower = Follower(self._lines, self._newline, self._start)
        self._indentation = Indentation(self._block, indent)
        self._quotation = Quotation(self._block)
        self._waiting: list[str] = []
        self._begun = 0
        self._is_target = None if self._extractor else True

    def _turn_to(self, fence: Opening) -> tuple[Edit, ...]:
        """Stream the first code fence, or a later one if all before it only quoted the target."""
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
        # Lines that may quote a later part of the target wait for a line that does not. Blank lines wait for the next
        # line, because what looks like one may be the end of a fence.
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
        """Set the target's final text, the final edits and the repairs."""
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
        # Two insertions around an empty last line are at one offset, and not every editor applies them in order.
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
        """Report whether a CR would come before an LF, within the text or where it meets the surrounding text."""
        before, after = self._outside
        meets = (before == "\r" and text.startswith("\n")) or (after == "\n" and text.endswith("\r"))
        return meets or [line for line, _ in split(text)] != lines

    def _between(self, old: str, new: str) -> tuple[Edit, ...]:
        """Return live edits from one text of the region to another, in an order in which they can be applied."""
        edits = line_edits(old, [text for text, _ in split(new)], self._newline)
        if apply(old, edits) != new:
            # If line endings are mixed, equal lines can end differently.
            edits = (Edit(Span(0, len(old)), new),)
        return backwards(self._placed(edits))

    def _placed(self, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
        """Return edits of the region's text as edits of the document."""
        by = self._start
        return tuple(Edit(Span(edit.span.start + by, edit.span.end + by), edit.text) for edit in edits)


def _extracted(parts: Parts, code: Fence, extract: Extract) -> Parts:
    """Return the parts of a reply with its code replaced by the extract, whose imports become a fence of their own."""
    taken = replace(code, text="\n".join(extract.lines), implicit=code.implicit and not extract.is_complete)
    fences = tuple(taken if fence is code else fence for fence in parts.fences)
    if extract.imports:
        fences = (*fences, Fence("imports", extract.imports, closed=True))
    return replace(parts, fences=fences, refused=extract.refused, notes=extract.notes)
