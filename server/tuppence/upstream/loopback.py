"""Send requests to this machine without name resolution.

A hosts file or a resolver may map ``localhost`` to another machine, which would then receive a key over http. So the
names of this machine are replaced by its two addresses, IPv4 first; the server still receives the requested name.
"""

from __future__ import annotations

import httpx

from tuppence.core.models.host import ascii_host, is_local_name

ADDRESSES = ("127.0.0.1", "::1")


class LoopbackTransport(httpx.AsyncBaseTransport):
    """Connects only to addresses of this machine."""

    def __init__(self) -> None:
        """Use no proxy and no connection twice: llama.cpp closes a reused one while the next request is being sent."""
        self._inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, whose body is bytes, to the first address that accepts the connection."""
        host = ascii_host(request.url.raw_host.decode("ascii")) or ""
        if not is_local_name(host):
            return await self._inner.handle_async_request(request)
        try:
            return await self._inner.handle_async_request(_at(request, host, ADDRESSES[0]))
        except httpx.ConnectError as error:
            try:
                return await self._inner.handle_async_request(_at(request, host, ADDRESSES[1]))
            except httpx.ConnectError:
                raise error from error.__cause__  # The cause names the problem, such as one with a certificate.

    async def aclose(self) -> None:
        """Close the open connections."""
        await self._inner.aclose()


def _at(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """Return a request to an address, with the host's name in the ``Host`` header and for the certificate check."""
    url = request.url.copy_with(host=address)
    extensions = {**request.extensions, "sni_hostname": host}
    return httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)
