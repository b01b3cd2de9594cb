"""One HTTP request and its streamed answer, and what httpx raises put into our tree of errors.

It does not try again; it says whether that is worth it. Sentences hold ``{provider}`` and ``{key}`` as a wire's do.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from tuppence import __version__
from tuppence.core.text.surrogates import Joining
from tuppence.errors import Broken, Busy, Refused, TuppenceError
from tuppence.providers import HttpRequest, ProviderEvent, Stop, Text, Thinking, UsageReport, Wire
from tuppence.providers._json import amount
from tuppence.upstream import limits
from tuppence.upstream.deadlines import Deadlines, OutOfTime
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
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_Result = TypeVar("_Result")
Fate = Literal["kept back", "with the server", "turned away"]
"""What became of a request: nothing of it went out; it went out, or an answer to it began; the server answered with an
error, or hung up before it answered."""


Hear = Callable[[int, Mapping[str, str]], None]
"""Takes the status and the headers of a response, whose names are in lower case."""


class Exchange:
    """One HTTP request and its answer."""

    def __init__(self, client: httpx.AsyncClient, wire: Wire, deadlines: Deadlines, hear: Hear | None = None) -> None:
        """Prepare a try.

        :param deadlines: of the call that it is a try of.
        :param hear: takes the status and the headers of the response.
        """
        self._hear = hear
        self.final = False
        """Whether trying again is out of the question: an event was handed out, time ran out, or the server said so."""
        self._client = client
        self._wire = wire
        self._decoder = wire.decoder()
        self._joining = {Text: Joining(), Thinking: Joining()}
        self._deadlines = deadlines
        self._accepted = self._begun = self._stopped = False
        self._written = 0
        """Tokens of the answer that the server has counted so far."""
        self._spoke_on = False
        """Whether words came after a reason to stop, which then is none."""
        self._unread: tuple[ProviderEvent, ...] = ()
        self._fate: Fate = "kept back"
        self._socket: httpcore.AsyncNetworkStream | None = None

    def fate(self) -> Fate:
        """Return what has become of the request by now; one that timed out stays with the server."""
        return self._fate

    def identity(self) -> str:
        """Return the provider's own id of the answer; empty before it said one."""
        return self._decoder.identity

    def served(self) -> str:
        """Return the name of the model that answers, as the answer says it; empty before it said one."""
        return self._decoder.served

    async def events(self, request: HttpRequest, body: bytes) -> AsyncGenerator[ProviderEvent, None]:
        """Send the request and yield the answer's events; closing this closes the connection."""
        import httpx

        self._deadlines.begin()
        try:
            response = await self._begin(request, body)
            async with aclosing(response):
                streamed = request.body.get("stream") is True
                try:
                    await self._accept(response, "text/event-stream" if streamed else "application/json")
                except TuppenceError:
                    for event in self._unread:
                        yield _priced(event, response.headers)
                    raise
                async with aclosing(self._read(response) if streamed else self._whole(response)) as events:
                    async for event in events:
                        yield _priced(event, response.headers)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise self._mapped(error) from None

    async def _begin(self, request: HttpRequest, body: bytes) -> httpx.Response:
        """Send the request and wait for the response to begin."""
        try:
            return await self._timed(self._client.send(self._post(request, body), stream=True))
        except (asyncio.CancelledError, TimeoutError):
            # httpcore leaves the socket open where it is cancelled in the middle of a TLS handshake.
            if self._fate == "kept back" and self._socket is not None:
                await self._socket.aclose()
            raise

    def _post(self, request: HttpRequest, body: bytes) -> httpx.Request:
        import httpx

        headers = {
            "content-type": "application/json",
            "accept": "text/event-stream",
            "accept-encoding": "identity",  # A compressed stream arrives in lumps.
            "user-agent": f"tuppence/{__version__}",
            **request.headers,
        }
        timeout = httpx.Timeout(None, connect=self._deadlines.patience.connect)
        extensions = {"trace": self._trace}
        return self._client.build_request(
            "POST", request.url, headers=headers, content=body, timeout=timeout, extensions=extensions
        )

    async def _trace(self, event: str, about: Mapping[str, Any]) -> None:
        """Hear from httpcore how far the request has come."""
        if event == "connection.connect_tcp.complete":
            self._socket = about["return_value"]
        if event.endswith("send_request_headers.started") and about["request"].method != b"CONNECT":
            self._fate = "with the server"  # What a proxy is asked before is no request to the provider.

    async def _accept(self, response: httpx.Response, due: str) -> None:
        """Pass a response that is an answer, of the media type that is due.

        :raises TuppenceError: it does not.
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
        if status < 300 and kind == due:  # noqa: PLR2004 - HTTP's success
            self._accepted = True
            return
        self._fate = "turned away"
        body = await _short(response)
        if status >= 400:  # noqa: PLR2004 - HTTP's errors
            error = self._wire.failure(status, headers, body)
            if isinstance(error, Busy):
                with_wait(error, retry_after(headers))
            self.final = headers.get("x-should-retry") == "false"
            raise error
        with suppress(Broken):
            # What it counted is for the accounts; an error object under HTTP 200 says more than what follows.
            self._unread = tuple(each for each in self._decoder.feed("message", body) if isinstance(each, UsageReport))
        if self._unread or body.lstrip().startswith(("data:", "event:", ":")):
            self._fate = "with the server"  # An answer in odd clothes, and somebody may charge for it.
        note = "" if status == _OK else f" ({status})"
        if kind in _PAGES:
            what = f"{{provider}} did not stream its answer, but sent a web page{note}."
            raise Broken(what, "Check the base_url; where the network asks you to sign in, do that first.")
        what = f"{{provider}} did not stream its answer{note}."
        raise Broken(what, "Check the base_url, and that the server can stream.")

    async def _whole(self, response: httpx.Response) -> AsyncGenerator[ProviderEvent, None]:
        """Yield the events of an answer that is one object, which holds no text."""
        for event in self._fed("message", await self._timed(_short(response))):
            yield event
        for event in self._ended(StopAsyncIteration()):
            yield event

    async def _read(self, response: httpx.Response) -> AsyncGenerator[ProviderEvent, None]:
        import httpx
        from httpx_sse import EventSource

        text = BoundedText(response, self._timed)
        source = EventSource(cast("httpx.Response", text)).aiter_sse()
        async with aclosing(source):
            for count in itertools.count():
                try:
                    limits.check_events(count)
                    sse = await anext(source)  # Of one read, all events but the first are there without waiting.
                except TooLong:
                    if self._stopped:
                        return
                    self.final = True
                    raise
                except (StopAsyncIteration, httpx.HTTPError, OSError) as end:
                    for event in self._ended(end):
                        yield event
                    return
                for event in self._fed(sse.event, sse.data):
                    yield event

    def _fed(self, name: str, data: str) -> Iterator[ProviderEvent]:
        if self._stopped:
            return
        awaited = self._decoder.awaits
        try:
            for event in self._decoder.feed(name or "message", data):
                self.final = True
                self._note(event, awaited)
                yield from self._joined(event)
        except TuppenceError:
            if not self._begun:
                self._fate = "turned away"
            raise
        if not self._stopped and self._decoder.awaits != "words" and not self._spoke_on:
            self._deadlines.ending(self._decoder.awaits)

    def _note(self, event: ProviderEvent, awaited: str) -> None:
        """Take an event into account, before which so much was awaited: words renew the time that is left."""
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

    def _ended(self, end: Exception) -> Iterator[ProviderEvent]:
        """Yield what is left at the end of a stream, however it came, if the answer was complete."""
        if self._stopped:
            return
        try:
            rest = tuple(self._decoder.finish())
        except Broken:
            if isinstance(end, StopAsyncIteration):
                raise
            raise self._mapped(end) from None
        self.final = True
        for event in rest:
            yield from self._joined(event)

    def _joined(self, event: ProviderEvent) -> Iterator[ProviderEvent]:
        """Yield an event whose text, if it has one, begins and ends with whole characters."""
        if isinstance(event, Text | Thinking):
            kind = type(event)
            if text := self._joining[kind].feed(event.text):
                yield kind(text)
            return
        if isinstance(event, Stop) and (text := self._joining[Text].finish()):
            yield Text(text)
        yield event

    async def _timed(self, work: Awaitable[_Result]) -> _Result:
        """Wait for something within the time that is left of the call."""
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
    """Return how an answer ended that had begun."""
    match error:
        case OutOfTime(part="total"):
            return f"was still answering after {error.seconds:g} s, and was stopped"
        case OutOfTime():
            return f"broke off in the middle of the answer: no word came for {error.seconds:g} s"
    return "broke off in the middle of the answer"


async def _short(response: httpx.Response) -> str:
    """Return the beginning of a body that is no stream, as far as it comes soon."""
    import httpx

    body = bytearray()
    with suppress(httpx.HTTPError, OSError, Broken):
        async with asyncio.timeout(_ERROR_SECONDS):
            await limits.read(response, _ERROR_BODY, body)
    return body.decode(errors="replace")


def _priced(event: ProviderEvent, headers: Mapping[str, str]) -> ProviderEvent:
    """Add the charge that a LiteLLM gateway puts into a header; its zero may only mean that it does not know."""
    if not isinstance(event, UsageReport) or event.cost is not None:
        return event
    try:
        charge = amount(Decimal(headers.get("x-litellm-response-cost", "0")))
    except InvalidOperation:
        return event
    return replace(event, cost=charge) if charge else event
