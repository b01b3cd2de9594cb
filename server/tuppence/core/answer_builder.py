"""Build an answer from a model's text: one class for each shape of answer.

A builder is fed the text as it streams and returns events that can be shown at once. ``finish`` judges the complete
text and returns the answer with its verdict. No builder applies an edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from tuppence.core.actions import Action, Shape
from tuppence.core.answer import merge_imports
from tuppence.core.answer.extract_target import TargetExtractor
from tuppence.core.answer.insert_tests import Brought, NewTests, TestLocation, bring, packaged
from tuppence.core.answer.markdown import Cleaner
from tuppence.core.answer.patch import Patch
from tuppence.core.answer.reply import Reply, replacement
from tuppence.core.answer.review.findings import Finding, Findings
from tuppence.core.checks import generated_tests, invented_names, lost_code, slop, structure
from tuppence.core.checks.doubts import hidden_characters
from tuppence.core.checks.doubts.imports import import_findings, may_import
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.target_structure import structure_findings
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, EditsDrafted, Event, FindingAdded, MarkdownChunk
from tuppence.core.pauses import pause
from tuppence.core.syntax.code_lines import code_lines
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document, Edit, Span, apply, together

_LARGE = 100_000
"""Maximum number of code points of a document that is parsed to judge a finding's fix: other requests wait
meanwhile."""
StopReason = Literal["end", "length", "refused"]
"""Why the model stopped: it had finished, it reached its output limit, or it refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The inputs of an answer."""

    action: Action
    document: Document
    tree: Tree
    language: Language
    target: Target
    place: TestLocation | None = None
    """Only for actions that write tests."""
    evidence: slop.Evidence = field(default_factory=slop.Evidence)
    """The diagnostics and context of the request, which justify changes."""


class AnswerBuilder(Protocol):
    """Builds one answer from streamed text."""

    def feed(self, chunk: str) -> tuple[Event, ...]:
        """Take a piece of the model's text; return the events to show."""
        ...

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        """Take the end of the text; return the remaining events, and the answer with its verdict."""
        ...


def builder_for(work: Task) -> AnswerBuilder:
    """Return the builder for the shape of the action's answer."""
    makers: dict[Shape, Callable[[Task], AnswerBuilder]] = {
        "markdown": _Explanation,
        "replacement": _Replacement,
        "tests": _Tests,
        "findings": _Review,
    }
    return makers[work.action.shape](work)


class _Explanation:
    def __init__(self, work: Task) -> None:
        self._work = work
        self._cleaner = Cleaner()
        self._text: list[str] = []

    def feed(self, chunk: str) -> tuple[Event, ...]:
        return self._take(self._cleaner.feed(chunk))

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        rest = self._take(self._cleaner.finish())
        markdown = "".join(self._text).strip()
        work = self._work
        verdict = structure.check_explanation(markdown, stop, work.tree.names(work.target.span))
        return rest, Answer(self._compared(verdict, markdown), markdown=markdown)

    def _compared(self, verdict: Verdict, markdown: str) -> Verdict:
        """Return the verdict, updated by whether the names in the explanation occur in the code."""
        work = self._work
        found = invented_names.named(markdown, f"{work.document.text}\n{work.evidence.shown}", work.language)
        if verdict.fit and found.is_invented:
            names = ", ".join(f"`{name}`" for name in sorted(found.nowhere)[:3])
            return Verdict.rejected(f"The answer names code that is absent: {names}.")
        all_there = verdict.fit and verdict.proved != "nothing" and found.there and not found.nowhere
        return replace(verdict, proved="names what is there") if all_there else verdict

    def _take(self, text: str) -> tuple[Event, ...]:
        self._text.append(text)
        return (MarkdownChunk(text),) if text else ()


class _Replacement:
    """Builds the new text of the target, line by line, and the imports that it needs."""

    def __init__(self, work: Task) -> None:
        self._work = work
        extractor = TargetExtractor(work.document, work.tree, work.target)
        self._patch = Patch(work.document, work.target.span, extractor)

    def feed(self, chunk: str) -> tuple[Event, ...]:
        edits = self._patch.feed(chunk)
        return (EditsDrafted(edits),) if edits else ()

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        last = self._patch.finish()
        parts = self._patch.parts
        wanted = "\n".join(fence.text for fence in parts.fences if fence.imports)
        pause()
        edits = self._patch.final()
        alone = edited = EditedText(self._work.document, edits, self._work.tree, self._patch.edited)
        if wanted:
            edited = self._with_imports(alone, wanted)
        pause()
        verdict = structure.check_edit(edited, parts, stop)
        if verdict.fit:
            pause()
            verdict = self._weighed(verdict, edited, alone)
        answer = Answer(verdict, edits=edited.edits, repairs=self._patch.repairs, edited=edited)
        return ((EditsDrafted(last),) if last else ()), answer

    def _weighed(self, verdict: Verdict, edited: EditedText, alone: EditedText) -> Verdict:
        """Return the verdict on edits that parse, with the results of the other checks.

        :param alone: the edited text without the imports that are merged into it.
        """
        work = self._work
        start = work.target.span.start
        place = Span(start, start + len(self._patch.replacement))
        built = structure_findings(work.tree, alone.new, work.target, place, work.evidence.diagnostics)
        if built.reason:
            return Verdict.rejected(built.reason)
        pause()
        unused = slop.is_unused(work.evidence)
        old = code_lines(work.tree, work.target.span)
        pause()
        new = code_lines(alone.new, place)
        pause()
        loss = lost_code.lost(work.tree, old, new, unused=unused)
        if loss.reasons:
            return Verdict.rejected(*loss.reasons)
        pause()
        found = slop.judge(edited, work.target.span, work.evidence)
        if found.is_too_much:
            why = f"The answer is valid code but not useful: it {found.clauses}."
            return Verdict.rejected(why)
        pause()
        imported = import_findings(edited, work.evidence.root)
        if imported.reason:
            return Verdict.rejected(imported.reason)
        doubts = (f"doubt {found.score:g} of {slop.LIMIT:g}: {found.clauses}",) if found.signs else ()
        return replace(
            verdict,
            doubts=(*verdict.doubts, *imported.doubts, *doubts, *loss.doubts, *built.doubts, *self._patch.parts.notes),
        )

    def _with_imports(self, edited: EditedText, lines: str) -> EditedText:
        """Merge import lines into the edited file; an import inside the target becomes part of its replacement."""
        target, edits = self._work.target.span, edited.edits
        grown = len(self._patch.replacement)
        inner: list[Edit] = []
        outer: list[Edit] = []
        merged = merge_imports.insertions(edited.after, edited.new, lines)
        for edit in merged:
            if edit.span.end <= target.start:
                outer.append(edit)
            elif edit.span.start >= target.start + grown:
                by = grown - len(target)
                outer.append(Edit(Span(edit.span.start - by, edit.span.end - by), edit.text))
            else:
                start = target.start
                inner.append(Edit(Span(edit.span.start - start, edit.span.end - start), edit.text))
        if inner:
            edits = (Edit(target, apply(self._patch.replacement, inner)),)
        more = EditedText(self._work.document, together((*outer, *edits)), self._work.tree)
        return more if merged and (more.new.sound() or not edited.new.sound()) else edited


class _Tests:
    def __init__(self, work: Task) -> None:
        self._work = work
        self._reply = Reply()

    def feed(self, chunk: str) -> tuple[Event, ...]:
        self._reply.feed(chunk)
        return ()

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        parts = self._reply.finish()
        code, wanted = replacement(parts)
        place, work = self._work.place, self._work
        assert place is not None, "a plan for tests names their place"
        text = code.text if code else ""
        if place.is_new:
            # A new file gets the package clause and the line endings of its source.
            text = packaged(text, work.document, work.language)
            text = re.sub(r"\r\n|\r|\n", work.document.newline, text)
        written = NewTests(place.path, text, wanted.text if wanted else "", place.block)
        brought = bring(place.document, work.language, written)
        edited = EditedText(place.document, brought.edits)
        verdict = structure.check_tests(edited, parts, stop)
        why = _useless(place.document, brought) or self._lacking(written, brought) if verdict.fit else ""
        if why:
            verdict = Verdict.rejected(why)
        elif verdict.fit:
            imported = import_findings(edited, work.evidence.root, work.document.text)
            doubts = (*verdict.doubts, *imported.doubts, *slop.foreign(edited, work.evidence))
            verdict = Verdict.rejected(imported.reason) if imported.reason else replace(verdict, doubts=doubts)
        return (), Answer(verdict, written=written)

    def _lacking(self, written: NewTests, brought: Brought) -> str:
        """Return a sentence on why these are not tests of the target; empty if they are."""
        work = self._work
        assert work.place is not None
        text = apply(work.place.document.text, brought.edits)
        reach = generated_tests.Reach(work.document.uri, work.evidence.packages)
        return generated_tests.lacking(text, f"{written.code}\n{written.imports}", work.tree, work.target, reach)


def _useless(document: Document, brought: Brought) -> str:
    """Return a sentence on why well-formed tests are useless in their file; empty if they are not."""
    if brought.again:
        names = ", ".join(f"`{name}`" for name in dict.fromkeys(brought.again))
        return f"The answer writes {names} again, which the file has already."
    if apply(document.text, brought.edits) == document.text:
        return "The answer contains no test that the file does not have yet."
    return ""


class _Review:
    def __init__(self, work: Task) -> None:
        self._work = work
        self._findings = Findings(work.document, work.target.span)
        self._found: list[Finding] = []
        self._text: list[str] = []

    def feed(self, chunk: str) -> tuple[Event, ...]:
        self._text.append(chunk)
        return self._take(self._findings.feed(chunk))

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        rest = self._take(self._findings.finish())
        verdict = structure.check_review("".join(self._text), tuple(self._found), self._findings.dropped, stop)
        return rest, Answer(verdict, findings=tuple(self._found))

    def _take(self, findings: tuple[Finding, ...]) -> tuple[Event, ...]:
        judged = [self._weighed(finding) for finding in findings]
        self._found += judged
        return tuple(FindingAdded(finding) for finding in judged)

    def _weighed(self, finding: Finding) -> Finding:
        """Return a finding with the doubts about its fix in its message, and without the fix if it must be refused."""
        if finding.fix is None or finding.fix_span is None:
            return finding
        edited = EditedText(self._work.document, (Edit(finding.fix_span, finding.fix),), self._work.tree)
        if len(edited.before.text) > _LARGE and (not finding.fix.isascii() or may_import(edited)):
            why = "Its fix is left out: to judge it, a large file would have to be read again."
            return replace(finding, fix=None, fix_span=None, message=f"{finding.message} {why}")
        imported = import_findings(edited, self._work.evidence.root)
        if why := hidden_characters.refused(edited) or imported.reason:
            why = f"Its fix is left out: {why.replace('The answer', 'it', 1)}"
            return replace(finding, fix=None, fix_span=None, message=f"{finding.message} {why}")
        doubts = "; ".join((*hidden_characters.doubts(edited), *imported.doubts))
        return replace(finding, message=f"{finding.message} Its fix {doubts}.") if doubts else finding
