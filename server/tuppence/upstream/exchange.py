"""One HTTP request and its streamed answer, with httpx's exceptions mapped to tuppence's errors.

It does not retry, but reports whether a retry makes sense. Messages contain ``{provider}`` and ``{key}``, as those of a
wire do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tuppence import __version__
from tuppence.core.text.surrogates import Joining
from tuppence.errors import Broken, Busy, Refused, TuppenceError
from tuppence.providers import HttpRequest, ProviderEvent, Stop, Text, Thinking, UsageReport, Wire
from tuppence.providers._json import amount
from tuppence.upstream import limits, whole_answer
from tuppence.upstream.deadlines import Deadlines, OutOfTime
from tuppence.upstream.event_stream import EventStream, ServerSentEvent
from tuppence.upstream.failures import diagnosed
from tuppence.upstream.limits import BoundedText, TooLong
from tuppence.upstream.retry import retry_after, with_wait

if TYPE_CHECKING:
    import httpcore
    import httpx

_ERROR_BODY = 65_536
_ERROR_SECONDS = 5.0
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_STREAM, _OBJECT = "text/event-stream", "application/json"
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_Result = TypeVar("_Result")
Fate = Literal["kept back", "with the server", "turned away"]
"""The state of a request: none of it was sent; it was sent, or an answer began; or the server replied with an error,
or closed the connection before replying."""


Hear = Callable[[int, Mapping[str, str]], None]
"""Receives the status and the headers of a response, with lower-case names."""


class Exchange:
    """One HTTP request and its answer."""

    def __init__(self, client: httpx.AsyncClient, wire: Wire, deadlines: Deadlines, hear: Hear | None = None) -> None:
        """Prepare an attempt.

        :param deadlines: the time limits of the whole call.
        :param hear: receives the status and the headers of the response.
        """
        self._hear = hear
        self.final = False
        """Whether a retry is ruled out: an event was yielded, time ran out, or the server forbade it."""
        self._client = client
        self._wire = wire
        self._decoder = wire.decoder()
        self._joining = {Text: Joining(), Thinking: Joining()}
        self._deadlines = deadlines
        self._accepted = self._begun = self._stopped = False
        self._written = 0
        """Number of answer tokens that the server has counted so far."""
        self._spoke_on = False
        """Whether text arrived after a reason to stop, which therefore does not count."""
        self._unread: tuple[ProviderEvent, ...] = ()
        self._events = 0
        """Server-sent events that were read."""
        self._fate: Fate = "kept back"
        self._socket: httpcore.AsyncNetworkStream | None = None

    def fate(self) -> Fate:
        """Return the current state of the request; one that timed out counts as sent."""
        return self._fate

    def identity(self) -> str:
        """Return the provider's id of the answer; empty before it is known."""
        return self._decoder.identity

    def served(self) -> str:
        """Return the name of the model that answers, as the answer states it; empty before it is known."""
        return self._decoder.served

    async def batches(self, request: HttpRequest, body: bytes) -> AsyncGenerator[tuple[ProviderEvent, ...], None]:
        """Send the request and yield the answer's events, those of one read together; none is empty.

        Closing this closes the connection.
        """
        import httpx

        self._deadlines.begin()
        try:
            response = await self._begin(request, body)
            async with aclosing(response):
                try:
                    async with aclosing(await self._accept(response, request)) as batches:
                        async for batch in batches:
                            if batch:
                                yield _priced(batch, response.headers)
                except TuppenceError:
                    if self._unread:
                        yield _priced(self._unread, response.headers)
                    raise
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise self._mapped(error) from None

    async def _begin(self, request: HttpRequest, body: bytes) -> httpx.Response:
        """Send the request and wait for the response to begin."""
        try:
            return await self._timed(self._client.send(self._post(request, body), stream=True))
        except (asyncio.CancelledError, TimeoutError):
            # httpcore leaves the socket open if it is cancelled during a TLS handshake.
            if self._fate == "kept back" and self._socket is not None:
                await self._socket.aclose()
            raise

    def _post(self, request: HttpRequest, body: bytes) -> httpx.Request:
        import httpx

        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # A compressed stream arrives in bursts.
            "user-agent": f"tuppence/{__version__}",
            **request.headers,
        }
        timeout = httpx.Timeout(None, connect=self._deadlines.patience.connect)
        extensions = {"trace": self._trace}
        return self._client.build_request(
            "POST", request.url, headers=headers, content=body, timeout=timeout, extensions=extensions
        )

    async def _trace(self, event: str, about: Mapping[str, Any]) -> None:
        """Record how far the request has come, as reported by httpcore."""
        if event == "connection.connect_tcp.complete":
            self._socket = about["return_value"]
        if event.endswith("send_request_headers.started") and about["request"].method != b"CONNECT":
            self._fate = "with the server"  # The CONNECT request to a proxy is not a request to the provider.

    async def _accept(
        self, response: httpx.Response, request: HttpRequest
    ) -> AsyncGenerator[list[ProviderEvent], None]:
        """Return the reader for a response whose status and media type are those of an answer.

        :raises TuppenceError: the response has another status or media type.
        """
        status, headers = response.status_code, {name.lower(): value for name, value in response.headers.items()}
        if self._hear is not None:
            self._hear(status, headers)
        if status in _REDIRECTS:
            self._fate = "turned away"
            raise Refused(
                f"{{provider}} points to another address ({status}), and a redirect is never followed.",
                "Set its base_url to the address that answers.",
            )
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        streamed = request.body.get("stream") is True
        readers = {_STREAM: self._read, _OBJECT: self._object} if streamed else {_OBJECT: self._whole}
        if status < 300 and kind in readers:  # noqa: PLR2004 - HTTP's success
            self._accepted = True
            return readers[kind](response)
        self._fate = "turned away"
        body = await _short(response)
        if status >= 400:  # noqa: PLR2004 - HTTP's errors
            error = self._wire.failure(status, headers, body)
            if isinstance(error, Busy):
                with_wait(error, retry_after(headers))
            self.final = headers.get("x-should-retry") == "false"
            raise error
        raise self._no_stream(status, kind, body)

    def _no_stream(self, status: int, kind: str, body: str) -> Broken:
        """Return the error for a body that is not an answer, and store the usage that it reports.

        :raises TuppenceError: the body is an error object.
        """
        with suppress(Broken):
            # Its counts are needed for the ledger. An error object with status 200 says more than the error below.
            self._unread = tuple(each for each in self._decoder.feed("message", body) if isinstance(each, UsageReport))
        if self._unread or body.lstrip().startswith(("data:", "event:", ":")):
            self._fate = "with the server"  # This is an answer of the wrong media type, which may be billed.
        note = "" if status == _OK else f" ({status})"
        if kind in _PAGES:
            what = f"{{provider}} did not stream its answer, but sent a web page{note}."
            return Broken(what, "Check the base_url; where the network asks you to sign in, do that first.")
        what = f"{{provider}} did not stream its answer{note}."
        return Broken(what, "Check the base_url, and that the server can stream.")

    async def _object(self, response: httpx.Response) -> AsyncGenerator[list[ProviderEvent], None]:
        """Yield the events of an answer that is one JSON object although a stream was requested, once it is complete.

        Its counts come first, so that they are known even if the answer is too long and is not read to its end.
        """
        decoder = self._decoder
        try:
            body, end = await whole_answer.collect(response, self._deadlines, decoder.is_whole)
        except TooLong:
            self.final = True
            raise
        if not await asyncio.to_thread(decoder.is_whole, body):
            flaw = await asyncio.to_thread(whole_answer.flaw, body)
            if flaw == "cut":
                raise Broken("{provider} broke off in the middle of the answer.", "Ask again, or choose another model.")
            if end is not None:
                raise self._mapped(end)
            if not flaw:
                self._fate = "turned away"
            raise await asyncio.to_thread(self._no_stream, response.status_code, _OBJECT, body)
        try:
            found = await asyncio.to_thread(lambda: [*decoder.feed("message", body), *decoder.finish()])
        except TuppenceError:
            self._fate = "turned away"
            raise
        self.final = True
        found.sort(key=lambda each: not isinstance(each, UsageReport))
        for event in chain.from_iterable(map(whole_answer.split, found)):
            batch: list[ProviderEvent] = []
            self._note(event, "words")
            self._join(event, batch)
            yield batch
            await asyncio.sleep(0)

    async def _whole(self, response: httpx.Response) -> AsyncGenerator[list[ProviderEvent], None]:
        """Yield the events of a response that is one JSON object without text."""
        data, batch = await self._timed(_short(response)), list[ProviderEvent]()
        try:
            self._feed("message", data, batch)
        except TuppenceError:
            yield batch
            raise
        yield batch
        yield self._ended(StopAsyncIteration())

    async def _read(self, response: httpx.Response) -> AsyncGenerator[list[ProviderEvent], None]:
        import httpx

        texts, stream = BoundedText(response, self._timed).aiter_text(), EventStream()
        async with aclosing(texts):
            while True:
                batch: list[ProviderEvent] = []
                try:
                    self._decode(stream.feed(await anext(texts)), batch)
                except TooLong:
                    yield batch
                    if self._stopped:
                        return
                    self.final = True
                    raise
                except TuppenceError:
                    yield batch  # What came before an error is handed out before it.
                    raise
                except (StopAsyncIteration, httpx.HTTPError, OSError) as end:
                    yield self._ended(end)
                    return
                yield batch

    def _decode(self, events: Iterable[ServerSentEvent], batch: list[ProviderEvent]) -> None:
        """Add to the batch what events say.

        :raises TuppenceError: one of them is an error, or no answer has so many; what came before is in the batch.
        """
        for name, data in events:
            limits.check_events(self._events)
            self._events += 1
            self._feed(name, data, batch)

    def _feed(self, name: str, data: str, batch: list[ProviderEvent]) -> None:
        """Add to the batch what one event says; nothing once the answer is complete."""
        if self._stopped:
            return
        awaited = self._decoder.awaits
        try:
            for event in self._decoder.feed(name, data):
                self.final = True
                self._note(event, awaited)
                self._join(event, batch)
        except TuppenceError:
            if not self._begun:
                self._fate = "turned away"
            raise
        if not self._stopped and self._decoder.awaits != "words" and not self._spoke_on:
            self._deadlines.ending(self._decoder.awaits)

    def _note(self, event: ProviderEvent, awaited: str) -> None:
        """Record an event, given what was awaited before it; progress extends the remaining time."""
        if isinstance(event, Text | Thinking):
            self._begun = True
            self._spoke_on = self._spoke_on or awaited != "words"
            self._deadlines.heard()
        elif isinstance(event, Stop):
            self._stopped = True
            self._deadlines.stopped()
        elif self._begun and event.usage.output + event.usage.thinking > self._written:
            self._written = event.usage.output + event.usage.thinking
            if awaited == "words":
                self._deadlines.heard()

    def _ended(self, end: Exception) -> list[ProviderEvent]:
        """Return what is left at the end of a stream, however it came, if the answer was complete."""
        batch: list[ProviderEvent] = []
        if self._stopped:
            return batch
        try:
            rest = tuple(self._decoder.finish())
        except Broken:
            if isinstance(end, StopAsyncIteration):
                raise
            raise self._mapped(end) from None
        self.final = True
        for event in rest:
            self._join(event, batch)
        return batch

    def _join(self, event: ProviderEvent, batch: list[ProviderEvent]) -> None:
        """Add an event to the batch; its text, if it has one, begins and ends with whole characters."""
        if isinstance(event, Text | Thinking):
            kind = type(event)
            if text := self._joining[kind].feed(event.text):
                batch.append(event if text is event.text else kind(text))
            return
        if isinstance(event, Stop) and (text := self._joining[Text].finish()):
            batch.append(Text(text))
        batch.append(event)

    async def _timed(self, work: Awaitable[_Result]) -> _Result:
        """Wait for something within the remaining time of the call."""
        return await self._deadlines.wait(work)

    def _mapped(self, error: Exception) -> TuppenceError:
        import httpx

        if self._begun:
            return Broken(f"{{provider}} {_broken_off(error)}.", "Ask again, or choose another model.")
        self.final = self.final or isinstance(error, TimeoutError | httpx.TimeoutException)
        hung_up = not isinstance(error, TimeoutError | httpx.TimeoutException)
        if self._fate == "with the server" and hung_up and not self._accepted:
            self._fate = "turned away"
        if (known := diagnosed(error)) is not None:
            return known
        match error:
            case httpx.ProxyError():
                return Busy("The proxy does not connect to {provider}.", "Check HTTPS_PROXY and NO_PROXY.")
            case httpx.ConnectError() | httpx.ConnectTimeout():
                remedy = "Check that it runs, the network, and its base_url."
                return Busy("{provider} cannot be reached at {address}.", remedy)
            case OutOfTime():
                return Busy(
                    f"{{provider}} did not begin to answer within {error.seconds:g} s.", "Choose another model."
                )
            case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
                return Refused("The request to {provider} cannot be sent.", "Check its base_url and its key.")
        return Busy("{provider} closed the connection before it answered.", "Ask again, or choose another model.")


def _broken_off(error: Exception) -> str:
    """Return a clause on how an answer broke off."""
    match error:
        case OutOfTime(part="total"):
            return f"was still answering after {error.seconds:g} s, and was stopped"
        case OutOfTime():
            return f"broke off in the middle of the answer: no word came for {error.seconds:g} s"
    return "broke off in the middle of the answer"


async def _short(response: httpx.Response) -> str:
    """Return the beginning of a body that is not a stream, as far as it arrives soon."""
    import httpx

    body = bytearray()
    with suppress(httpx.HTTPError, OSError, Broken):
        async with asyncio.timeout(_ERROR_SECONDS):
            await limits.read(response, _ERROR_BODY, body)
    return body.decode(errors="replace")


def _priced(batch: Sequence[ProviderEvent], headers: Mapping[str, str]) -> tuple[ProviderEvent, ...]:
    """Add the charge in the header of a LiteLLM gateway; zero is ignored, because it may mean unknown."""
    if not any(isinstance(event, UsageReport) and event.cost is None for event in batch):
        return tuple(batch)
    try:
        charge = amount(Decimal(headers.get("x-litellm-response-cost", "0")))
    except InvalidOperation:
        return tuple(batch)
    if not charge:
        return tuple(batch)
    return tuple(
        replace(event, cost=charge) if isinstance(event, UsageReport) and event.cost is None else event
        for event in batch
    )
