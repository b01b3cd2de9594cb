"""How the connection to a team's ledger is protected: what libpq is told beyond the address.

libpq's own default, ``prefer``, falls back to plain text, and checks no certificate. To another machine the certificate
is checked here (``verify-full``) unless the address or PGSSLMODE says otherwise, and nothing weaker than ``require`` is
accepted. A socket that is a file and this machine need no TLS; ``localhost`` is this machine whatever a resolver says.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path

from tuppence.core.models.host import ascii_host, is_local_name, is_loopback
from tuppence.errors import TuppenceError

STRICT = "verify-full"
ACCEPTED = (STRICT, "verify-ca", "require")
"""The values of ``sslmode`` that encrypt; the last does not check who answers, and has to be written."""
_HERE = ("127.0.0.1", "::1")
_HELD = Path("~/.postgresql/root.crt")
"""The certificates that libpq looks for by itself."""


def protection(given: Mapping[str, object], usual: Mapping[str, str]) -> dict[str, str]:
    """Return the options that go beside an address.

    :param given: the options in the address, by libpq's names.
    :param usual: what libpq takes for those that are not in it, the environment's included.
    :raises TuppenceError: it would cross the network in plain text.
    """
    known = {**usual, **{name: str(value) for name, value in given.items()}}
    places = _places(known)
    if "service" not in known and all(is_near(_endpoint(*place)) for place in places):
        return _pinned(known, places)
    mode = given.get("sslmode", os.environ.get("PGSSLMODE") or None)
    if mode is not None and mode not in ACCEPTED:
        where = "the address in `ledger`" if "sslmode" in given else "PGSSLMODE"
        raise TuppenceError(
            f"The ledger was not opened: sslmode in {where} would let it cross the network unprotected.",
            f"Write sslmode={STRICT} (or `require`, which does not check who answers), or go through a tunnel to this "
            "machine.",
        )
    added = {} if "sslmode" in given else {"sslmode": str(mode or STRICT)}
    held = {"sslrootcert", "service"} & set(known) or _HELD.expanduser().exists()
    found = ssl.get_default_verify_paths().cafile or ("system" if mode in (None, STRICT) else "")
    if mode != "require" and not held and found:
        added["sslrootcert"] = found
    return added


def is_near(host: str) -> bool:
    """Report whether a host of libpq's is a folder of sockets, an abstract socket, or this machine."""
    return host.startswith(("/", "@")) or is_loopback(host)


def _places(known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return host and address of each place to connect to, either of which may be empty."""
    hosts, addresses = known.get("host", "").split(","), known.get("hostaddr", "").split(",")
    count = max(len(hosts), len(addresses))
    return list(zip(_filled(hosts, count), _filled(addresses, count), strict=True))


def _filled(values: list[str], count: int) -> list[str]:
    return [each.strip() for each in values] + [""] * (count - len(values))


def _endpoint(host: str, address: str) -> str:
    """Return what libpq connects to: an address, or else a host, or else a socket in its usual folder."""
    return address or host or "/"


def _pinned(known: Mapping[str, str], places: list[tuple[str, str]]) -> dict[str, str]:
    """Return the addresses of names of this machine, which libpq would look up."""
    ports = known.get("port", "").split(",")
    ports = ports * len(places) if len(ports) == 1 else ports
    if len(ports) != len(places) or not any(_is_name(_endpoint(*place)) for place in places):
        return {}
    rows = [
        (host, each, port)
        for (host, address), port in zip(places, ports, strict=True)
        for each in (_HERE if _is_name(_endpoint(host, address)) else (address,))
    ]
    return {
        "host": ",".join(host for host, _, _ in rows),
        "hostaddr": ",".join(address for _, address, _ in rows),
        "port": ",".join(port for _, _, port in rows),
    }


def _is_name(host: str) -> bool:
    return is_local_name(ascii_host(host) or "")
