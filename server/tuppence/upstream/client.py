"""Send prompts to models and yield the events of their answers.

Retries before the first event are in this module, one HTTP exchange is in upstream/exchange.py, time limits are in
upstream/deadlines.py, and the rules for keys and proxies are in upstream/connections.py. This module knows no wire
format (providers/ does), prices or fallback models: engine/run.py may send a failed request to another model. Errors
never quote the key or the prompt, and redirects are not followed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuppence.core.models.model import Model, Provider
from tuppence.core.models.time_limits import TimeLimits
from tuppence.core.prompt.compose import Prompt
from tuppence.core.secrets.replacements import needs_word, occurrences
from tuppence.core.text.key_scan import KeyScan, StreamedScan
from tuppence.errors import Broken, Busy, Refused, TuppenceError
from tuppence.providers import (
    HttpRequest,
    ProviderEvent,
    Stop,
    Text,
    Thinking,
    UsageReport,
    Wire,
    _generation_cost,
    find_wire,
)
from tuppence.providers._errors import QUOTING, named
from tuppence.upstream import absent, generation_cost
from tuppence.upstream.connections import Opening, opening
from tuppence.upstream.deadlines import Deadlines
from tuppence.upstream.exchange import Exchange, Fate, Hear
from tuppence.upstream.retry import PATIENT, RetryPolicy

if TYPE_CHECKING:
    import httpx

__all__ = ["Fate", "ModelClient", "Piece", "RequestSent", "RetryPolicy", "RetryScheduled"]

_TELLING = 16
# A run of this many characters of the prompt or the key in a provider's message counts as a quotation.
_TOGETHER = 2_000
# Code points of several pieces that are searched for a key as one.


@dataclass(frozen=True)
class RequestSent:
    """A request is about to be sent."""

    model: Model
    fate: Callable[[], Fate] = field(default=lambda: "with the server", compare=False, repr=False)
    """Returns the current state of the request; one that was not sent or was rejected is not billed."""
    identity: Callable[[], str] = field(default=str, compare=False, repr=False)
    """Returns the provider's id of the answer; empty before it is known."""
    served: Callable[[], str] = field(default=str, compare=False, repr=False)
    """Returns the name of the model that answers, as the answer states it; empty before it is known."""


@dataclass(frozen=True)
class RetryScheduled:
    """The provider could not answer; the request is repeated after a pause."""

    seconds: float
    why: str
    """A sentence for the progress line."""


Piece = ProviderEvent | RequestSent | RetryScheduled


class ModelClient:
    """Sends requests to all models; reuses connections to remote hosts."""

    def __init__(
        self,
        patience: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value may be shared
        scan: Callable[[], KeyScan] = KeyScan,
        time_limits: Callable[[Provider], TimeLimits] = lambda provider: provider.timeouts,
    ) -> None:
        """Use the retries and time limits of ``patience``.

        :param scan: returns a scanner for the keys in use, in addition to the one that is sent.
        :param time_limits: returns the limits for a provider; unset ones are those of ``patience``.
        """
        self._patience = patience
        self._scan = scan
        self._time_limits = time_limits
        self._clients: dict[Opening, httpx.AsyncClient] = {}
        self._own_scans: dict[str, tuple[str, KeyScan]] = {}
        """The key of each provider, by its name for a person, and what finds it."""
        self._opening = asyncio.Lock()

    async def answer(
        self, prompt: Prompt, model: Model, key: str | None, hear: Hear | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Ask a model and yield its answer piece by piece, as ``batches`` does several at once."""
        async with aclosing(self.batches(prompt, model, key, hear)) as batches:
            async for batch in batches:
                for piece in batch:
                    yield piece

    async def batches(
        self, prompt: Prompt, model: Model, key: str | None, hear: Hear | None = None
    ) -> AsyncGenerator[tuple[Piece, ...], None]:
        """Ask a model and yield its answer as it comes: all that one read brought, at most some KB, together.

        Closing or cancelling this closes the connection. A request and a retry come alone.

        :param hear: receives the status and the headers of each response.
        :raises Refused: the request would always be refused, or the key may not be sent there.
        :raises Busy: the provider cannot answer now; it was asked as often as ``patience`` allows, once if it was
            silent.
        :raises Broken: the response is invalid, ended before the answer did, or contains a key in use.
        """
        key = key.strip() if key else None
        guard = _KeyGuard((self._own_scan(model.provider, key or ""), self._scan()), prompt)
        try:
            async with aclosing(self._tries(prompt, model, key, hear)) as batches:
                async for batch in batches:
                    yield guard.passed(batch)
        except TuppenceError as error:
            raise guard.cleaned(_discreet(named(error, model), prompt, key)) from None

    def _own_scan(self, provider: Provider, key: str) -> KeyScan:
        """Return what finds the key that is sent to a provider; it is made once for a key."""
        name = provider.key_env or "the provider"
        known = self._own_scans.get(name)
        if known is None or known[0] != key:
            known = self._own_scans[name] = (key, KeyScan([(name, key)]))
        return known[1]

    async def open_ahead(self, model: Model) -> None:
        """Load what a request to a model needs and open its client; no connection is made, nothing is sent."""
        *_, open_ = await asyncio.to_thread(_written, Prompt("", (), "", 1), model, None)
        await self._client(open_)

    async def bill(self, model: Model, key: str | None, identity: str) -> UsageReport | None:
        """Ask a provider, for several seconds, what it charged for an answer; None if it does not say."""
        key = key.strip() if key else None
        request = _generation_cost.request(model, key, identity)
        if request is None:
            return None
        try:
            open_ = await asyncio.to_thread(opening, request, key)
            return await generation_cost.ask(await self._client(open_), request)
        except TuppenceError:
            return None

    async def close(self) -> None:
        """Close all connections."""
        clients = tuple(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.aclose()

    async def _tries(
        self, prompt: Prompt, model: Model, key: str | None, hear: Hear | None
    ) -> AsyncGenerator[tuple[Piece, ...], None]:
        # Importing a wire, and encoding and searching a large request, would delay the user's keystrokes.
        wire, request, body, open_ = await asyncio.to_thread(_written, prompt, model, key)
        client = await self._client(open_)
        patience = self._patience.within(self._time_limits(model.provider))
        deadlines = Deadlines(patience)
        for tried in range(patience.retries + 1):  # pragma: no branch - the last try returns or raises
            exchange = Exchange(client, wire, deadlines, hear)
            yield (RequestSent(model, exchange.fate, exchange.identity, exchange.served),)
            try:
                async with aclosing(exchange.batches(request, body)) as batches:
                    async for batch in batches:
                        yield batch
            except Busy as error:
                pause = patience.delay(tried) if error.after is None else error.after
                if exchange.final or tried == patience.retries or pause > PATIENT or not deadlines.allows(pause):
                    raise
                yield (RetryScheduled(pause, named(error, model).message),)
                await deadlines.pause(pause)
            else:
                return

    async def _client(self, open_: Opening) -> httpx.AsyncClient:
        if (known := self._clients.get(open_)) is not None:
            return known
        async with self._opening:
            # Reading the certificates takes a tenth of a second that no keystroke should wait for.
            if open_ not in self._clients:
                await asyncio.to_thread(absent.remember)
                self._clients[open_] = await asyncio.to_thread(open_)
            return self._clients[open_]


def _written(prompt: Prompt, model: Model, key: str | None) -> tuple[Wire, HttpRequest, bytes, Opening]:
    """Return the wire, the request, its body, and what opens a client for it.

    :raises Refused: the body holds what must not leave, or the key may not go where the request would.
    """
    wire = find_wire(model.provider.wire)
    request = wire.request(prompt, model, key)
    body = request.encoded
    if _leaks(body, (*prompt.withheld, *((key,) if key and len(key) >= _TELLING else ()))):
        raise Refused(
            "Nothing was sent, because a secret would have gone out with it.",
            "Please report this: what was found should have been replaced.",
        )
    return wire, request, body, opening(request, key)


def _leaks(body: bytes, withheld: Iterable[str]) -> bool:
    """Report whether a request's body contains a value that must not leave.

    A value that could be part of an ordinary word is looked for in the strings as the provider reads them: in JSON the
    escape of a line's end puts a letter before the next line's first word.
    """
    strings: list[str] | None = None
    for value in withheld:
        if needs_word(value):
            strings = list(_strings(json.loads(body))) if strings is None else strings
            sent = value.encode(errors="replace").decode()
            if any(True for each in strings for _ in occurrences(each, sent)):
                return True
            continue
        written = json.dumps(value, ensure_ascii=False)[1:-1]
        if any(form.encode(errors="replace") in body for form in (value, written)):
            return True
    return False


def _strings(value: object) -> Iterator[str]:
    """Yield the strings of a JSON value, the names of its fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in (*value, *value.values()):
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


class _KeyGuard:
    """Keeps the keys in use out of a provider's responses: removes them from errors, and stops an answer with one."""

    def __init__(self, scans: Sequence[KeyScan], prompt: Prompt) -> None:
        self._prompt = prompt
        self._scans = tuple(each for each in scans if each)
        self._streams = {kind: [StreamedScan(each) for each in self._scans] for kind in (Text, Thinking)}
        self._said: list[str] = []

    def passed(self, batch: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """Return pieces that hold no key.

        :raises Broken: one completes a key; what came before shows fewer than 12 of its letters and digits in a row.
        """
        for kind, text in _texts(batch):
            self._said.append(text)
            self._refuse(next(filter(None, (each.feed(text) for each in self._streams[kind])), ""))
        return tuple(map(self._looked_at, batch))

    def _looked_at(self, piece: Piece) -> Piece:
        if isinstance(piece, Stop):
            whole = "".join(self._said)  # A stream remembers less than the whole answer.
            self._refuse(next(filter(None, (each.holds(whole) for each in self._scans)), ""))
        elif isinstance(piece, RetryScheduled):
            return RetryScheduled(piece.seconds, self._hide(piece.why))
        elif isinstance(piece, RequestSent):
            identity, served = piece.identity, piece.served
            return RequestSent(piece.model, piece.fate, lambda: self._hide(identity()), lambda: self._hide(served()))
        return piece

    def cleaned(self, error: TuppenceError) -> TuppenceError:
        """Remove the keys from an error; the error itself is changed and returned."""
        error.message, error.remedy = self._hide(error.message), self._hide(error.remedy)
        error.args = (error.message,)
        return error

    def _hide(self, text: str) -> str:
        for scan in self._scans:
            text = scan.hide(text)
        return text

    def _refuse(self, name: str) -> None:
        if not name:
            return
        remedy = "A provider must never send a key back: replace the key."
        if any(each.holds(self._prompt.text) for each in self._scans):
            remedy = "What was sent holds it: take it out of your code, and replace the key."
        raise Broken(f"The answer holds the key in {name}, so it was stopped and nothing of it is kept.", remedy)


def _texts(batch: Iterable[Piece]) -> Iterator[tuple[type[Text | Thinking], str]]:
    """Yield the texts of pieces, those of one kind in a row as one, as long as every offset of it is looked at."""
    kind: type[Text | Thinking] = Text
    said: list[str] = []
    size = 0
    for piece in batch:
        if not isinstance(piece, Text | Thinking):
            continue
        if said and (type(piece) is not kind or size + len(piece.text) > _TOGETHER):
            yield kind, "".join(said)
            said, size = [], 0
        kind = type(piece)
        said.append(piece.text)
        size += len(piece.text)
    if said:
        yield kind, "".join(said)


def _discreet(error: TuppenceError, prompt: Prompt, key: str | None) -> TuppenceError:
    """Remove a provider's own text from an error if it quotes the prompt or the key; return the error."""
    if not error.remedy.startswith(QUOTING):
        return error
    said = error.remedy.removeprefix(QUOTING)
    secret = " ".join("\n".join((prompt.system, *prompt.shared, prompt.tail)).split())
    runs = {said[start : start + _TELLING] for start in range(len(said) - _TELLING + 1)}
    pieces = {key[start : start + _TELLING // 2] for start in range(len(key or "") - _TELLING // 2 + 1)} if key else ()
    if any(run in secret for run in runs) or any(piece in said for piece in pieces) or (key and key in said):
        error.remedy = "Its own explanation quotes the request and is left out here."
    return error
