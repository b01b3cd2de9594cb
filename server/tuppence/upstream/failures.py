"""Why a provider could not be reached or understood, if httpx's exception and its causes tell more.

Messages contain ``{provider}`` and ``{address}``, as those of a wire do.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping

from tuppence.errors import Busy, Refused, TuppenceError

_CLOSED = ("Server disconnected", "peer closed", "peer unexpectedly closed")
# The start of httpcore's and h11's messages about closed connections; all their other protocol errors mean that the
# response was not HTTP.
_ISSUER = (
    "its issuer is not known here",
    "Where a proxy stands in between, let SSL_CERT_FILE name the file that holds its certificate.",
)
_DATE = "Check the date of this machine; where that is right, the server needs another certificate."
_HOST = ("it is for another host", "Check the base_url; where the network asks you to sign in, do that first.")
_FLAWS: Mapping[int, tuple[str, str]] = {
    9: ("it is not valid yet", _DATE),
    10: ("it has expired", _DATE),
    62: _HOST,
    64: _HOST,
}
"""The problem with a certificate and its remedy, by OpenSSL's verification code."""


def diagnosed(error: Exception) -> TuppenceError | None:
    """Return an error for the user, or None if httpx's exception tells nothing more specific."""
    import httpx

    if isinstance(error, httpx.ConnectError):
        return next(filter(None, map(_unreachable, _chain(error))), None)
    if isinstance(error, httpx.RemoteProtocolError) and not str(error).startswith(_CLOSED):
        remedy = "Check its base_url, and whether a proxy or another server answers there."
        return Busy("{provider} answered with something that is not HTTP.", remedy)
    return None


def _unreachable(cause: BaseException) -> TuppenceError | None:
    match cause:
        case ssl.SSLCertVerificationError():
            flaw, remedy = _FLAWS.get(cause.verify_code, _ISSUER)
            return Refused(f"The certificate of {{provider}} cannot be verified: {flaw}.", remedy)
        case ssl.SSLError():
            remedy = "Check its base_url: https:// is for a server that speaks TLS, and a proxy may stand in between."
            return Busy("{provider} cannot be reached by TLS at {address}.", remedy)
        case OSError() if type(cause).__name__ == "gaierror":  # By name: socket must not be imported.
            remedy = "A name cannot be looked up: check the network, its base_url, and HTTPS_PROXY where that is set."
            return Busy("{provider} cannot be reached at {address}.", remedy)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its cause, the cause of that, and so on; each once."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
