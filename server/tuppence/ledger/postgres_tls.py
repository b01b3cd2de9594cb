"""The TLS options for a team's ledger, in addition to those in its address.

libpq's default, ``prefer``, falls back to plain text and checks no certificate. For another machine, this module checks
the certificate (``verify-full``) unless the address or PGSSLMODE sets another mode, and accepts nothing weaker than
``require``. A socket file and this machine need no TLS; ``localhost`` is this machine whatever a resolver returns.
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
"""The values of ``sslmode`` that encrypt. The last one does not verify the server, so it must be set explicitly."""
_HERE = ("127.0.0.1", "::1")
_HELD = Path("~/.postgresql/root.crt")
"""The certificates that libpq finds by itself."""


def protection(given: Mapping[str, object], usual: Mapping[str, str]) -> dict[str, str]:
    """Return the options to add to an address.

    :param given: the options in the address, by libpq's names.
    :param usual: libpq's values for options that are not in the address, including those from the environment.
    :raises TuppenceError: the connection would cross the network in plain text.
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
    """Report whether a libpq host is a folder of sockets, an abstract socket, or this machine."""
    return host.startswith(("/", "@")) or is_loopback(host)


def _places(known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return host and address of each place to connect to; either may be empty."""
    hosts, addresses = known.get("host", "").split(","), known.get("hostaddr", "").split(",")
    count = max(len(hosts), len(addresses))
    return list(zip(_filled(hosts, count), _filled(addresses, count), strict=True))


def _filled(values: list[str], count: int) -> list[str]:
    return [each.strip() for each in values] + [""] * (count - len(values))


def _endpoint(host: str, address: str) -> str:
    """Return what libpq connects to: the address, else the host, else a socket in the default folder."""
    return address or host or "/"


def _pinned(known: Mapping[str, str], places: list[tuple[str, str]]) -> dict[str, str]:
    """Return options that replace names of this machine by addresses, which libpq would otherwise look up."""
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
