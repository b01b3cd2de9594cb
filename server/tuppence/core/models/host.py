"""The host of a base URL: whether it is a valid name or address, and whether it is this machine.

``localhost`` and every name that ends in ``.localhost`` mean this machine, whatever a resolver says (RFC 6761, 6.3), so
upstream/loopback.py asks no resolver for them. Other spellings of the address (``127.1``, ``0x7f.1``) are treated as
ordinary names: a host that is not certainly loopback counts as another machine.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

import idna

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.DOTALL)
_PUNYCODE = "xn--"


def ascii_host(host: str) -> str | None:
    """Return a host as it goes over the wire, in lower case and without the root's dot; None where it can't be one.

    :param host: an IPv6 address is without its brackets.
    """
    try:
        return str(ip_address(host))
    except ValueError:
        pass
    try:
        name = host if host.isascii() else idna.encode(host.lower()).decode("ascii")
        name = name.lower().removesuffix(".")
        if _NAME.fullmatch(name) is None:
            return None
        for label in name.split("."):
            if label.startswith(_PUNYCODE):
                idna.decode(label)
    except UnicodeError:
        return None
    return name


def is_loopback(host: str) -> bool:
    """Report whether a host is this very machine."""
    found = ascii_host(host)
    return found is not None and (is_local_name(found) or _is_local_address(host))


def is_local_name(host: str) -> bool:
    """Report whether a host, as ``ascii_host`` gives it, is a name of this machine."""
    return host == "localhost" or host.endswith(".localhost")


def _is_local_address(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
