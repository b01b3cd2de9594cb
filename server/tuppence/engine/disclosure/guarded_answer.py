"""Build an answer from a reply that contains placeholders instead of secrets.

For an edit, placeholders in the reply are restored before code is extracted, and then the edits are checked. An
explanation or review refers to the document as the model saw it, whose offsets are equal, and shows placeholders; a
finding's fix is restored if it replaces lines that contain the secret. Generated tests must not contain placeholders.
Without replaced secrets, the plain ``AnswerBuilder`` is used.
"""

from __future__ import annotations

from dataclasses import replace

from tuppence.core.answer.review.findings import Finding
from tuppence.core.answer_builder import AnswerBuilder, StopReason, Task, builder_for
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, EditsDrafted, Event, FindingAdded
from tuppence.core.secrets.replacements import Replacements
from tuppence.core.secrets.returned import ReturningText, doubts, foreign, is_altered, wrong
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Edit
from tuppence.engine.disclosure.disclosure import Disclosure
from tuppence.errors import Broken

_IN_TESTS = "The tests hold a placeholder that was sent in place of a secret, so they would never work."


class MisplacedSecret(Broken):
    """A reply would put a secret or a placeholder where it does not belong."""


def guarded(work: Task, disclosure: Disclosure) -> AnswerBuilder:
    """Return the builder of an answer. Parses the document again if secrets were replaced in it.

    :param disclosure: the secrets that were replaced in the prompt.
    """
    secrets = disclosure.replacements
    if not secrets:
        return builder_for(work)
    match work.action.shape:
        case "replacement":
            return _Edited(work, secrets)
        case "tests":
            return _Tested(work, secrets)
        case _:
            return _Read(work, secrets)


class _Edited:
    """Builds an edit of the target."""

    def __init__(self, work: Task, secrets: Replacements) -> None:
        self._work = work
        self._secrets = secrets
        self._inner = builder_for(work)
        here = secrets.of(work.document.text)
        others = Replacements(tuple(each for each in secrets.all if each not in here.all))
        self._text = ReturningText(here, others)

    def feed(self, chunk: str) -> tuple[Event, ...]:
        """Take a chunk of the reply.

        :raises MisplacedSecret: the text up to here contains a misplaced secret or placeholder.
        """
        return self._passed(self._text.feed(chunk))

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        """Take the end of the reply; reject the answer if it would move a secret to a new place."""
        try:
            last = self._passed(self._text.finish())
        except MisplacedSecret as error:
            return (), Answer(Verdict.rejected(error.message))
        rest, answer = self._inner.finish(stop)
        work = self._work
        if not answer.verdict.fit:
            return (*last, *rest), answer
        if why := wrong(work.document, work.target.span, answer.edits, self._secrets):
            return (), replace(answer, verdict=Verdict.rejected(why), edits=(), edited=None)
        said = doubts(work.document, work.target.span, answer.edits, self._secrets)
        verdict = replace(answer.verdict, doubts=(*answer.verdict.doubts, *said))
        return (*last, *rest), replace(answer, verdict=verdict)

    def _passed(self, lines: tuple[str, str]) -> tuple[Event, ...]:
        text, why = lines
        if why:
            raise MisplacedSecret(why)
        events = self._inner.feed(text) if text else ()
        work = self._work
        for edits in (event.edits for event in events if isinstance(event, EditsDrafted)):
            if foreign(work.document, work.target.span, edits, self._secrets):
                raise MisplacedSecret("The answer moves a secret of another place into the target.")
            if self._secrets.has_piece("\n".join(edit.text for edit in edits)):
                raise MisplacedSecret("The answer hides the placeholder of a secret, so the secret cannot be put back.")
        return events


class _Tested:
    """Builds generated tests."""

    def __init__(self, work: Task, secrets: Replacements) -> None:
        self._secrets = secrets
        self._inner = builder_for(work)

    def feed(self, chunk: str) -> tuple[Event, ...]:
        return self._inner.feed(chunk)

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        rest, answer = self._inner.finish(stop)
        written = answer.written
        if written is not None and is_altered(f"{written.code}\n{written.imports}", self._secrets):
            return (), Answer(Verdict.rejected(_IN_TESTS))
        return rest, answer


class _Read:
    """Builds an explanation or a review of the document as the model saw it."""

    def __init__(self, work: Task, secrets: Replacements) -> None:
        self._document = work.document
        self._secrets = secrets
        seen = replace(work.document, text=secrets.masked(work.document.text))
        self._inner = builder_for(replace(work, document=seen, tree=parse(seen.text, work.language)))

    def feed(self, chunk: str) -> tuple[Event, ...]:
        return tuple(map(self._event, self._inner.feed(chunk)))

    def finish(self, stop: StopReason) -> tuple[tuple[Event, ...], Answer]:
        rest, answer = self._inner.finish(stop)
        return tuple(map(self._event, rest)), replace(answer, findings=tuple(map(self._finding, answer.findings)))

    def _event(self, event: Event) -> Event:
        return FindingAdded(self._finding(event.finding)) if isinstance(event, FindingAdded) else event

    def _finding(self, finding: Finding) -> Finding:
        """Return a finding with its fix restored for the document, or without a fix if that is impossible."""
        if finding.fix is None or finding.fix_span is None:
            return finding
        here = self._secrets.of(self._document.slice(finding.fix_span))
        fix = here.restored(finding.fix)
        edit = (Edit(finding.fix_span, fix),)
        if wrong(self._document, finding.fix_span, edit, self._secrets):
            return replace(finding, fix=None, fix_span=None)
        return replace(finding, fix=fix)
