"""Models on this machine: servers that are already running, and the embedded model of tuppence.

- local/discovery.py: find servers at the usual ports, identified by their API, and their rows of the tier table
- local/consent.py: the user's consent, which a found server needs before it receives source code
- local/weights.py: the embedded model's weights, downloaded by pip and verified by hash
- local/embedded.py: the client side of the embedded server, which starts or joins it
- local/server.py: the process of the embedded server, shared by all editors of a user
- local/leases.py: the folder that both sides share: locks, leases, the state file
- local/private_files.py: files and folders that only the user can read
- local/loopback_http.py: small HTTP requests to loopback only

Nothing here answers a request about code (upstream/client.py does), reads the configuration, or sends anything to
another machine, except that pip does, when the user asks for the weights.
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
