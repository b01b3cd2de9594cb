"""One call to one model: queue, reserve, stream, build, check, verify, settle.

A stage of a run: ``events()`` yields its progress, and ``result`` holds its outcome afterwards. The model was chosen
earlier, by :mod:`tuppence.engine.prepare` or :mod:`tuppence.engine.fallback`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from itertools import groupby

from tuppence.core import actions
from tuppence.core.answer_builder import AnswerBuilder
from tuppence.core.billing.entry import Outcome
from tuppence.core.checks.repetition import RepetitionDetector, shown
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, EditsDrafted, Event, FindingAdded, MarkdownChunk, ModelChosen, StatusLine
from tuppence.core.models.usage import PACE, estimate
from tuppence.core.routing.candidates import least_output
from tuppence.core.routing.router import Route
from tuppence.engine.admission import Resting
from tuppence.engine.admission.breakers import Fault
from tuppence.engine.admission.fair_share import FairShare
from tuppence.engine.approval import approval_reason
from tuppence.engine.disclosure.consent import consent, is_asked_first
from tuppence.engine.disclosure.guarded_answer import MisplacedSecret, guarded
from tuppence.engine.prepare import advised, prompt
from tuppence.engine.prompt_cache import Subject
from tuppence.engine.receipt import Attempt
from tuppence.engine.request import PreparedRequest, RunContext
from tuppence.engine.spending import SpendGuard, settle_cost
from tuppence.engine.verify import run_tests, should_run_tests, verify_edit
from tuppence.errors import Broken, Busy, TuppenceError
from tuppence.providers import CALLED, ProviderEvent, Stop, Text, Thinking
from tuppence.upstream import Hear, Piece, RequestSent, RetryScheduled

AT_ONCE = 8_000
"""Code points of an answer that are processed in one turn of the event loop."""
_OK = 200
"""HTTP's success."""


class Repetitive(Broken):
    """The answer repeats itself, and was stopped because the rest would be billed too."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The model answered, and the answer may be kept."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Rejected:
    """The model answered, and a check failed; or the answer broke off."""

    answer: Answer
    remedy: str = ""
    """What the user could do about it, if an error suggests it."""
    was_shown: bool = False
    """Whether the user has seen a part of it."""

    @property
    def why(self) -> str:
        """Sentences on why the answer may not be kept."""
        return " ".join(self.answer.verdict.reasons)


@dataclass(frozen=True, slots=True)
class ProviderUnavailable:
    """The call ended before any text: the provider cannot answer now."""

    error: Busy
    at_fault: Fault
    """``model`` if the server responded and rejected the request, else ``provider``."""


class ModelAttempt:
    """A stage: one call to a route's model, which adds one entry to the receipt, however it ends."""

    result: Accepted | Rejected | ProviderUnavailable
    """Set when ``events()`` has ended without an error."""

    def __init__(self, prepared: PreparedRequest, route: Route, context: RunContext) -> None:
        self._prepared = prepared
        self._route = route
        self._context = context
        self._was_shown = context.editor_check is not None

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the progress of the call.

        :raises TuppenceError: there will be no answer, and no other model should be called instead.
        """
        prepared, route, context = self._prepared, self._route, self._context
        session, model = context.session, route.model
        if is_asked_first(prepared.request, model, session):
            yield StatusLine("Waiting for your answer: this file may hold secrets")
            await consent(prepared.request, model, session)
        chars_per_token = session.ledger_writer.chars_per_token(model, context.receipt.language) or PACE
        attempt = Attempt(
            model=model, prompt=prompt(prepared, model), at=session.now(), chars_per_token=chars_per_token
        )
        outcome: Outcome = "cancelled"
        builder = _ComingBuilder(prepared)
        try:
            async with aclosing(self._stream(attempt, builder)) as events:
                async for event in events:
                    yield self._noticed(event)
            yield StatusLine("Checking the answer")
            remaining, answer = await session.fair_share.judged(_finished, await builder.made(), attempt)
            await session.fair_share.give_way()
            answer = await verify_edit(context.request, answer)
            for event in remaining if answer.verdict.fit else ():
                yield self._noticed(event)
            if await should_run_tests(prepared, answer, session):
                yield StatusLine("Running the tests")
                answer = await run_tests(prepared, answer, session)
            if context.editor_check is not None and answer.verdict.fit and answer.edits and not answer.agrees:
                answer = replace(answer, verdict=await context.editor_check(answer))
            if prepared.planner is not None:
                outcome = "planned"
            else:
                outcome = "kept" if answer.verdict.fit else "failed check"
                route = replace(route, reason=f"{route.reason}; {prepared.disclosure.words(answer.verdict.words)}")
            self.result = self._judged(replace(answer, reply="".join(attempt.received)))
        except (Busy, Broken) as error:
            outcome = "failed check" if isinstance(error, Repetitive | MisplacedSecret) else "failed"
            if isinstance(error, Broken) or attempt.answering:
                self.result = self._judged(Answer(Verdict.rejected(error.message)), error.remedy)
            else:
                self.result = self._unavailable(attempt, error)
        except TuppenceError:
            outcome = "failed"
            raise
        finally:
            builder.close()
            entry = context.receipt.add_attempt(attempt, route, outcome)
            settle_cost(session, entry, attempt, route.best.price)

    def _unavailable(self, attempt: Attempt, error: Busy) -> ProviderUnavailable:
        if isinstance(error, Resting):
            return ProviderUnavailable(error, error.fault)
        fault: Fault = "model" if attempt.rejected else "provider"
        self._context.session.providers.failed(attempt.model, fault, error)
        return ProviderUnavailable(error, fault)

    def _judged(self, answer: Answer, remedy: str = "") -> Accepted | Rejected:
        if answer.verdict.fit:
            return Accepted(answer)
        # The reasons are written to the ledger, and may quote restored secrets.
        reasons = tuple(map(self._prepared.disclosure.words, answer.verdict.reasons))
        verdict = replace(answer.verdict, reasons=reasons)
        return Rejected(replace(answer, verdict=verdict), remedy, self._was_shown)

    def _noticed(self, event: Event) -> Event:
        """Return the event, and record whether it shows a part of the answer."""
        self._was_shown = self._was_shown or isinstance(event, EditsDrafted | FindingAdded | MarkdownChunk)
        return event

    async def _stream(self, attempt: Attempt, coming: _ComingBuilder) -> AsyncGenerator[Event, None]:
        """Wait for a turn, send the request, and yield what its answer shows."""
        model, request, session = attempt.model, self._context.request, self._context.session
        prepared, receipt = self._prepared, self._context.receipt
        guard = SpendGuard(session, receipt, self._route, least_output(prepared.need), prepared.size)
        turns = _Turns(RepetitionDetector(request.document.text))
        document = request.document
        subject = Subject(request.run, request.action.id, document.uri, document.language, document.version)
        lease = session.prompt_cache.lease(attempt.prompt, model, subject, session.now())
        if lease.waits:
            yield StatusLine(f"Waiting until {model.id} has read the same file for another request")
        message = request.diagnostic.message if request.diagnostic else ""
        title = actions.title(request.action, request.target.name, message)
        tokens = estimate("x" * attempt.prompt.characters, attempt.chars_per_token)
        async with lease, session.providers.admission(model, title, tokens) as admission:
            async with aclosing(admission.lines()) as lines:
                async for line in lines:
                    yield StatusLine(line)
            now = session.now()
            attempt.begin(now, lease.marked(now), lease.expected())
            await guard.reserve(attempt)
            yield StatusLine(f"Asking {model.title}")
            key = session.keys.of(model.provider)
            hear = coming.begun_by(admission.heard)
            pieces = _pieces(session.upstream.batches(attempt.prompt, model, key, hear), session.fair_share)
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, RetryScheduled):
                        yield StatusLine(f"{piece.why} Trying again in {piece.seconds:.0f} s")
                        continue
                    if isinstance(piece, RequestSent):
                        await guard.retry(attempt)
                    guard.note(attempt, piece)
                    lease.note(piece)
                    admission.note(piece)
                    if attempt.end_if_too_long():
                        break
                    for event in _begun(piece, attempt):
                        yield event
                    builder = await coming.made() if isinstance(piece, Text) else None
                    async for text in turns.parts(piece):
                        for event in builder.feed(text) if builder is not None else ():
                            yield event


class _ComingBuilder:
    """The builder of an answer, made in a thread while the provider begins to answer: no request waits for it."""

    def __init__(self, prepared: PreparedRequest) -> None:
        self._prepared = prepared
        self._making: asyncio.Future[AnswerBuilder] | None = None
        self._made: AnswerBuilder | None = None

    def begun_by(self, hear: Hear) -> Hear:
        """Return what hears of a response as before, and has the builder made with the first that is no error."""

        def both(status: int, headers: Mapping[str, str]) -> None:
            hear(status, headers)
            if status == _OK:
                self._begin()

        return both

    async def made(self) -> AnswerBuilder:
        """Return the builder, once it is made."""
        if self._made is None:
            self._made = await self._begin()
        return self._made

    def close(self) -> None:
        """Wait for it no more."""
        if self._making is not None:
            self._making.cancel()

    def _begin(self) -> asyncio.Future[AnswerBuilder]:
        if self._making is None:
            loop, prepared = asyncio.get_running_loop(), self._prepared
            self._making = loop.run_in_executor(None, guarded, prepared.task, prepared.disclosure)
        return self._making


class PlanWriting:
    """A stage: if a planner was chosen, it writes a plan for the model that answers."""

    result: PreparedRequest
    """The request with the plan, or without one if none could be obtained."""

    def __init__(self, prepared: PreparedRequest, context: RunContext) -> None:
        self._prepared = prepared
        self._context = context
        self.result = prepared

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield the progress of the plan; a failure does not prevent the answer."""
        prepared, planner = self._prepared, self._prepared.planner
        if planner is None:
            return
        self.result = advised(prepared, planner, "")
        unasked = is_asked_first(prepared.request, planner, self._context.session)
        if unasked or approval_reason(planner, prepared, self._context):  # A plan is not worth asking the user.
            return
        reason = f"plans it for {prepared.route.model.title}"
        route = replace(prepared.route, model=planner, expected_cost=None, reason=reason)
        yield ModelChosen(route, ())
        task = replace(prepared.task, action=actions.EXPLAIN, place=None)
        attempt = ModelAttempt(replace(prepared, task=task), route, replace(self._context, editor_check=None))
        with suppress(TuppenceError):
            async with aclosing(attempt.events()) as events:
                async for event in events:
                    if isinstance(event, StatusLine):
                        yield event
            if isinstance(attempt.result, Accepted | Rejected):
                self.result = advised(prepared, planner, attempt.result.answer.reply)


def _finished(builder: AnswerBuilder, attempt: Attempt) -> tuple[tuple[Event, ...], Answer]:
    """Return the rest of the answer and its verdict, after the model has stopped."""
    stop = attempt.stop or Stop("end")
    remaining, answer = builder.finish(stop.reason)
    if stop.detail == CALLED and not any(map(str.strip, attempt.received)):
        why = "The model called a tool instead of answering, though none was offered. Choose another model."
        return (), replace(answer, verdict=Verdict.rejected(why))
    return remaining, answer


async def _pieces(batches: AsyncGenerator[tuple[Piece, ...], None], shared: FairShare) -> AsyncGenerator[Piece, None]:
    """Yield the pieces of an answer, the texts of one read as one; before the next read, give way to others."""
    with shared.stream() as share:
        async with aclosing(batches):
            async for batch in batches:
                for piece in _joined(batch):
                    yield piece
                if not isinstance(batch[0], RequestSent | RetryScheduled):  # Else nothing streams yet.
                    await share.turn()


def _joined(batch: tuple[Piece, ...]) -> Iterator[Piece]:
    """Yield pieces, the texts of one kind that come in a row as one."""
    for kind, group in groupby(batch, type):
        if kind is Text or kind is Thinking:
            yield kind("".join(piece.text for piece in group if isinstance(piece, Text | Thinking)))
        else:
            yield from group


def _begun(piece: ProviderEvent | RequestSent, attempt: Attempt) -> tuple[Event, ...]:
    """Return the status lines for the first piece of an answer, and for the first of its reasoning."""
    if isinstance(piece, Text) and len(attempt.received) == 1:
        return (StatusLine(f"{attempt.model.id} is answering"),)
    if isinstance(piece, Thinking) and len(attempt.thought) == 1:
        return (StatusLine(f"{attempt.model.id} is thinking"),)
    return ()


class _Turns:
    """Splits the processing of an answer, so that the event loop can do other work in between."""

    def __init__(self, repetition: RepetitionDetector) -> None:
        self._repetition = repetition
        self._read = 0

    async def parts(self, piece: ProviderEvent | RequestSent) -> AsyncGenerator[str, None]:
        """Yield the text of a provider's event, if it has any, in parts of at most ``AT_ONCE`` code points.

        :raises Repetitive: the answer repeats itself.
        """
        text = piece.text if isinstance(piece, Text | Thinking) else ""
        for at in range(0, len(text), AT_ONCE):
            part = text[at : at + AT_ONCE]
            if self._read + len(part) > AT_ONCE:
                self._read = 0
                await asyncio.sleep(0)
            self._read += len(part)
            if again := self._repetition.feed(part):
                raise Repetitive(f"The answer repeats “{shown(again)}” without end, and was stopped.")
            yield part
