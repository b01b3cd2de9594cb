"""httpx exceptions become sentences that name the cause; tests/faults tests whole connections."""

from __future__ import annotations

import socket
import ssl

import httpx
import pytest

from tuppence.errors import Busy, Refused, TuppenceError
from tuppence.upstream.failures import diagnosed


def _connect_error(cause: BaseException) -> httpx.ConnectError:
    """Return what httpx raises for a cause that lies two exceptions deep."""
    error, between = httpx.ConnectError("All connection attempts failed"), OSError("between")
    between.__context__, error.__cause__ = cause, between
    return error


def _verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("code", "flaw"),
    [(9, "not valid yet"), (10, "expired"), (18, "issuer"), (20, "issuer"), (62, "another host"), (99, "issuer")],
)
def test_a_certificate_is_refused_for_what_is_wrong_with_it(code: int, flaw: str) -> None:
    found = diagnosed(_connect_error(_verification(code)))
    assert type(found) is Refused
    assert found.message.startswith("The certificate of {provider} cannot be verified: it")
    assert flaw in found.message
    assert found.remedy.endswith(".")


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (_connect_error(ssl.SSLError(1, "wrong version number")), Busy, "by TLS at {address}"),
        (_connect_error(socket.gaierror(socket.EAI_NONAME, "unknown")), Busy, "A name cannot be looked up"),
        (httpx.RemoteProtocolError("illegal status line"), Busy, "something that is not HTTP"),
    ],
)
def test_a_cause_is_named(error: Exception, kind: type[TuppenceError], words: str) -> None:
    found = diagnosed(error)
    assert type(found) is kind
    assert words in str(found)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout(""),
        httpx.ReadError(""),
        httpx.RemoteProtocolError("Server disconnected without sending a response."),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        httpx.RemoteProtocolError("peer unexpectedly closed connection"),
        TimeoutError(),
    ],
)
def test_where_nothing_more_is_known_nothing_is_said(error: Exception) -> None:
    assert diagnosed(error) is None


def test_causes_that_go_round_in_a_circle_end() -> None:
    error = httpx.ConnectError("x")
    error.__context__ = first = OSError("y")
    first.__context__ = error
    assert diagnosed(error) is None
