"""The only socket to a model: one prompt out, the answer's events in.

Retries before the first event are in this file, one HTTP exchange is in upstream/exchange.py, the time-outs are in
upstream/deadlines.py, the rules for keys and proxies in upstream/connections.py. It knows no wire format (providers/
does), no price and no ladder of models: what it gives up on, engine/run.py may take elsewhere. Nothing that it raises
quotes the key or the prompt, and no redirect is followed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tuppence.core.models.model import Model, Provider
from tuppence.core.models.time_limits import TimeLimits
from tuppence.core.prompt.compose import Prompt
from tuppence.core.secrets.replacements import needs_word
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
# So many characters in a row of the prompt or the key, in a provider's message, are a quotation.


@dataclass(frozen=True)
class RequestSent:
    """A request is about to go out."""

    model: Model
    fate: Callable[[], Fate] = field(default=lambda: "with the server", compare=False, repr=False)
    """What has become of it by now: what was kept back or turned away is billed by nobody."""
    identity: Callable[[], str] = field(default=str, compare=False, repr=False)
    """The provider's own id of the answer, as far as it said one."""
    served: Callable[[], str] = field(default=str, compare=False, repr=False)
    """The name of the model that answers, as far as the answer said one."""


@dataclass(frozen=True)
class RetryScheduled:
    """The provider could not answer; it is asked again after a pause."""

    seconds: float
    why: str
    """A sentence for the progress line."""


Piece = ProviderEvent | RequestSent | RetryScheduled


class ModelClient:
    """The way to all models; it keeps connections to the remote ones."""

    def __init__(
        self,
        patience: RetryPolicy = RetryPolicy(),  # noqa: B008 - a frozen value may be shared
        scan: Callable[[], KeyScan] = KeyScan,
        time_limits: Callable[[Provider], TimeLimits] = lambda provider: provider.timeouts,
    ) -> None:
        """Ask with this patience.

        :param scan: finds the keys in use, beside the one that is sent.
        :param time_limits: returns the limits of a call to a provider; what it leaves open is as ``patience`` says.
        """
        self._patience = patience
        self._scan = scan
        self._time_limits = time_limits
        self._clients: dict[Opening, httpx.AsyncClient] = {}
        self._opening = asyncio.Lock()

    async def answer(
        self, prompt: Prompt, model: Model, key: str | None, hear: Hear | None = None
    ) -> AsyncGenerator[Piece, None]:
        """Ask a model and yield its answer as it comes; closing or cancelling this closes the connection.

        :param hear: takes the status and the headers of each response.
        :raises Refused: it would be refused however often it is asked, or the key may not be sent there.
        :raises Busy: it cannot answer now; it was asked as often as the patience allows, once where it was silent.
        :raises Broken: what came makes no sense, or ended before the answer did, or holds a key in use.
        """
        key = key.strip() if key else None
        guard = _KeyGuard((KeyScan([(model.provider.key_env or "the provider", key or "")]), self._scan()), prompt)
        try:
            async with aclosing(self._tries(prompt, model, key, hear)) as pieces:
                async for piece in pieces:
                    yield guard.passed(piece)
        except TuppenceError as error:
            raise guard.cleaned(_discreet(named(error, model), prompt, key)) from None

    async def open_ahead(self, model: Model) -> None:
        """Load what a request to a model needs, and open its client: no connection, nothing is sent."""
        *_, open_ = await asyncio.to_thread(_written, Prompt("", (), "", 1), model, None)
        await self._client(open_)

    async def bill(self, model: Model, key: str | None, identity: str) -> UsageReport | None:
        """Ask a provider, for some seconds, what it charged for an answer; None where it does not say."""
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
    ) -> AsyncGenerator[Piece, None]:
        # Importing a wire, and writing and searching a large request, take longer than a keystroke should wait.
        wire, request, body, open_ = await asyncio.to_thread(_written, prompt, model, key)
        client = await self._client(open_)
        patience = self._patience.within(self._time_limits(model.provider))
        deadlines = Deadlines(patience)
        for tried in range(patience.retries + 1):
            exchange = Exchange(client, wire, deadlines, hear)
            yield RequestSent(model, exchange.fate, exchange.identity, exchange.served)
            try:
                async with aclosing(exchange.events(request, body)) as events:
                    async for event in events:
                        yield event
            except Busy as error:
                pause = patience.delay(tried) if error.after is None else error.after
                if exchange.final or tried == patience.retries or pause > PATIENT or not deadlines.allows(pause):
                    raise
                yield RetryScheduled(pause, named(error, model).message)
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
    """Report whether a request's body holds a value that must not leave, as it is or as JSON writes it."""
    for value in withheld:
        written = json.dumps(value, ensure_ascii=False)[1:-1]
        is_word = needs_word(value)
        if any(_holds(body, form.encode(errors="replace"), is_word=is_word) for form in {value, written}):
            return True
    return False


def _holds(body: bytes, value: bytes, *, is_word: bool) -> bool:
    """Report whether a value is in a body, as a word of its own where it could be a part of an ordinary one."""
    at = body.find(value)
    while at >= 0:
        around = (
            body[at - 1 : at] + body[at + len(value) : at + len(value) + 1] if at else body[len(value) : len(value) + 1]
        )
        if not is_word or not any(chr(each).isalnum() or each == ord("_") for each in around):
            return True
        at = body.find(value, at + len(value))
    return False


class _KeyGuard:
    """Keeps the keys in use out of what a provider says: an error loses them, an answer with one in it is stopped."""

    def __init__(self, scans: Sequence[KeyScan], prompt: Prompt) -> None:
        self._prompt = prompt
        self._scans = tuple(each for each in scans if each)
        self._streams = {kind: [StreamedScan(each) for each in self._scans] for kind in (Text, Thinking)}
        self._said: list[str] = []

    def passed(self, piece: Piece) -> Piece:
        """Return a piece that holds no key.

        :raises Broken: it completes one; what came before it shows fewer than 12 of its letters and digits in a row.
        """
        if isinstance(piece, Text | Thinking):
            self._said.append(piece.text)
            self._refuse(next(filter(None, (each.feed(piece.text) for each in self._streams[type(piece)])), ""))
        elif isinstance(piece, Stop):
            whole = "".join(self._said)  # Cut by more than a stream is remembered for.
            self._refuse(next(filter(None, (each.holds(whole) for each in self._scans)), ""))
        elif isinstance(piece, RetryScheduled):
            return RetryScheduled(piece.seconds, self._hide(piece.why))
        elif isinstance(piece, RequestSent):
            identity, served = piece.identity, piece.served
            return RequestSent(piece.model, piece.fate, lambda: self._hide(identity()), lambda: self._hide(served()))
        return piece

    def cleaned(self, error: TuppenceError) -> TuppenceError:
        """Take the keys out of an error, which is changed and returned."""
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


def _discreet(error: TuppenceError, prompt: Prompt, key: str | None) -> TuppenceError:
    """Drop a provider's own words from an error where they quote the prompt or the key; return the error."""
    if not error.remedy.startswith(QUOTING):
        return error
    said = error.remedy.removeprefix(QUOTING)
    secret = " ".join("\n".join((prompt.system, *prompt.shared, prompt.tail)).split())
    runs = {said[start : start + _TELLING] for start in range(len(said) - _TELLING + 1)}
    pieces = {key[start : start + _TELLING // 2] for start in range(len(key or "") - _TELLING // 2 + 1)} if key else ()
    if any(run in secret for run in runs) or any(piece in said for piece in pieces) or (key and key in said):
        error.remedy = "Its own explanation quotes the request and is left out here."
    return error
