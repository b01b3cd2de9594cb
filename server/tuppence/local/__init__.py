"""Models of one's own: those that listen on this machine already, and one that tuppence brings along.

    local/discovery.py      who listens at the usual ports, recognised by its API; the rows of the tier table for it
    consent.py    the one yes that a found server needs before it is given anybody's source
    weights.py    the embedded model's weights: downloaded by pip, verified by hash
    embedded.py   a client's side of the embedded server: start it or join it
    server.py     the process that serves it, shared by all editors of a user
    local/leases.py       the folder in which those two meet: locks, leases, the state file
    local/private_files.py    files and folders that only the user can read
    local/loopback_http.py        small questions over HTTP, to loopback alone

Nothing here answers a request about code (stream.py does), reads the configuration, or sends anything off the machine;
pip alone goes out, when the user asks for the weights.
"""

from __future__ import annotations

from tuppence.local.consent import Consent
from tuppence.local.discovery import PORTS, DiscoveredServer, Kind, find_servers, rows
from tuppence.local.embedded import KEY_ENV, MODEL, Embedded, Endpoint

__all__ = [
    "KEY_ENV",
    "MODEL",
    "PORTS",
    "Consent",
    "DiscoveredServer",
    "Embedded",
    "Endpoint",
    "Kind",
    "find_servers",
    "rows",
]
