"""Which addresses may be contacted, and how: the rules for keys, proxies and certificates.

A key, or a password in a base_url, is sent only over https or to loopback, which is never resolved by name. The proxies
and certificates of the user's environment apply to every other machine; loopback traffic never uses a proxy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tuppence.core.models.host import ascii_host, is_loopback
from tuppence.errors import Refused
from tuppence.providers import HttpRequest

if TYPE_CHECKING:
    import httpx

_IDLE = 30.0
# Seconds for which a connection to another machine is reused; most servers hold theirs open for a minute or more.
Opening = Callable[[], "httpx.AsyncClient"]
"""Opens a client; it takes a tenth of a second, so call it in a thread."""


def opening(request: HttpRequest, key: str | None) -> Opening:
    """Return a function that opens a client for a request.

    :raises Refused: its address is invalid, or its key may not be sent there.
    """
    import httpx

    try:
        url = httpx.URL(request.url)  # The connecting library's parser; another might find a different host.
    except (httpx.InvalidURL, UnicodeError):
        url = httpx.URL("")
    host = url.raw_host.decode("ascii")
    if url.scheme not in {"http", "https"} or ascii_host(host) is None:
        raise Refused("The base_url of {provider} is not an http or https address.", "Correct it in the configuration.")
    if key and not (key.isascii() and key.isprintable() and " " not in key):
        raise Refused("{provider} was not asked: {key} holds characters that no key has.", "Set it again.")
    if is_loopback(host):
        return _near
    if url.scheme == "http" and (key or url.userinfo):
        raise Refused(
            "A key goes only over https or to this machine, and {provider} is neither.",
            "Write https:// in its base_url, or remove its key_env.",
        )
    return _far


async def _forget_location(response: httpx.Response) -> None:
    """Remove a redirect's target: httpx parses it, and raises if it is invalid, even without following it."""
    response.headers.pop("location", None)


async def _check_end(response: httpx.Response) -> None:
    """Let the connection be kept only if nothing comes behind the response."""
    from tuppence.upstream.leftovers import Checked

    response.stream = Checked(response)


_HOOKS = {"response": [_forget_location, _check_end]}


def _near() -> httpx.AsyncClient:
    """Open a client for this machine."""
    import httpx

    from tuppence.upstream.loopback import LoopbackTransport

    try:
        transport = LoopbackTransport()
    except OSError:
        raise _no_certificates() from None
    return httpx.AsyncClient(transport=transport, event_hooks=_HOOKS)


def _far() -> httpx.AsyncClient:
    """Open a client for other machines, with the proxies and certificates of the environment."""
    import httpx

    try:
        limits = httpx.Limits(max_connections=100, keepalive_expiry=_IDLE)
        return httpx.AsyncClient(limits=limits, event_hooks=_HOOKS)
    except OSError:
        raise _no_certificates() from None
    except (ValueError, ImportError, httpx.InvalidURL):
        raise Refused(
            "{provider} was not asked: the proxy in the environment cannot be used.",
            "Correct HTTPS_PROXY, HTTP_PROXY or ALL_PROXY: http://host:port is understood.",
        ) from None


def _no_certificates() -> Refused:
    return Refused(
        "{provider} was not asked: the certificates that the environment names cannot be read.",
        "Correct SSL_CERT_FILE or SSL_CERT_DIR.",
    )
