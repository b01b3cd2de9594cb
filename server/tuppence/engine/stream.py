"""One model's answer as it comes: the wait for a turn, the money for it, the words, and what of them a person sees.

Nothing here decides who is asked, judges what was said, or enters it in the account; engine/run.py does.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from tuppence.core import actions
from tuppence.core.answer_builder import AnswerBuilder
from tuppence.core.checks.repetition import RepetitionDetector, shown
from tuppence.core.events import Event, StatusLine
from tuppence.engine.prompt_cache import Subject
from tuppence.engine.receipt import Attempt
from tuppence.engine.request import PreparedRequest
from tuppence.engine.spending import SpendGuard
from tuppence.errors import Broken
from tuppence.providers import ProviderEvent, Text, Thinking
from tuppence.upstream import RequestSent, RetryScheduled


class Repetitive(Broken):
    """The answer repeats itself; it was stopped there, because the rest would be paid for too."""


async def stream_answer(
    prepared: PreparedRequest, attempt: Attempt, making: AnswerBuilder, guard: SpendGuard
) -> AsyncGenerator[Event, None]:
    """Wait for a turn, send the request and yield what its answer lets be seen."""
    model, request, session = attempt.model, prepared.request, guard.session
    loop = RepetitionDetector(request.document.text)
    gate = session.provider_queues.of(model)
    about = Subject(
        request.run, request.action.id, request.document.uri, request.document.language, request.document.version
    )
    flight = session.prompt_cache.lease(attempt.prompt, model, about, session.now())
    if flight.waits:
        yield StatusLine(f"Waiting until {model.id} has read the same file for another request")
    if ahead := gate.waiting:
        yield StatusLine(f"Waiting for a turn at {model.provider.name}: {_and_more(ahead)} before it")
    title = actions.title(request.action, request.target.name, request.diagnostic.message if request.diagnostic else "")
    async with flight, gate.turn(title):
        attempt.at = session.now()
        attempt.prompt, attempt.expected_cache = flight.marked(attempt.at), flight.expected()
        await guard.reserve(attempt)
        yield StatusLine(f"Asking {model.title}")
        async with aclosing(session.upstream.answer(attempt.prompt, model, session.keys.of(model.provider))) as pieces:
            async for piece in pieces:
                if isinstance(piece, RetryScheduled):
                    yield StatusLine(f"{piece.why} Trying again in {piece.seconds:.0f} s")
                    continue
                if isinstance(piece, RequestSent):
                    await guard.retry(attempt)
                guard.note(attempt, piece)
                flight.note(piece)
                if isinstance(piece, Text | Thinking) and (again := loop.feed(piece.text)):
                    raise Repetitive(f"The answer repeats “{shown(again)}” without end, and was stopped.")
                for step in () if isinstance(piece, RequestSent) else _show(piece, making, attempt):
                    yield step


def _show(piece: ProviderEvent, making: AnswerBuilder, attempt: Attempt) -> tuple[Event, ...]:
    """Return what a person sees of one event."""
    match piece:
        case Text():
            begun = (StatusLine(f"{attempt.model.id} is answering"),) if len(attempt.received) == 1 else ()
            return (*begun, *making.feed(piece.text))
        case Thinking() if len(attempt.thought) == 1:
            return (StatusLine(f"{attempt.model.id} is thinking"),)
        case _:
            return ()


def _and_more(titles: Sequence[str]) -> str:
    first, *others = titles
    return f"{first} and {len(others)} more are" if others else f"{first} is"
