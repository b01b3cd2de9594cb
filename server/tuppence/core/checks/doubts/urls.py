"""Find URLs in new code whose host is not in the old text; each is a doubt.

Reserved example hosts (RFC 2606), loopback, and hosts of schemas and licenses do not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

_SCHEMES = (
    r"(?:https?|wss?|ftps?|sftp|ssh|git|ldaps?|rmi|jar|gopher|telnet|smb|file|tcp|udp|redis|mongodb(?:\+srv)?|amqps?"
    r"|mysql|postgres(?:ql)?)"
)
_URL = re.compile(
    rf"(?<![A-Za-z0-9+.-]){_SCHEMES}:(?:[\\/]{{2,4}}|\\?/\\?/)(?P<authority>[^\s\"'`<>/?#\\|^]{{1,300}})"
    r"|(?<=[\"'`])[a-z][a-z0-9+.-]{1,30}://(?P<any>[^\s\"'`<>/?#\\|^]{1,300})"
    r"|(?<=[\"'`])(?:https?|wss?):/?(?P<loose>[\w-]{1,60}(?:\.[\w-]{1,60}){1,9})"
    r"|(?<=[\"'`(=])(?://|/\\{1,2})(?P<bare>[\w.-]{1,250}\.[a-z]{2,24})(?=[/\"'`?#:])",
    re.IGNORECASE,
)
_NOWHERE = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|org|net|edu)|(?:example|test|invalid|localhost|local))"
    r"|localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\]",
)
_NAMES_ONLY = frozenset(
    {
        "www.w3.org", "w3.org", "schema.org", "json-schema.org", "www.apache.org", "apache.org", "opensource.org",
        "creativecommons.org", "www.gnu.org", "spdx.org", "java.sun.com", "xmlns.jcp.org", "schemas.xmlsoap.org",
        "schemas.microsoft.com", "schemas.android.com", "schemas.openxmlformats.org", "purl.org", "xmlns.com",
        "www.sitemaps.org", "ns.adobe.com", "docs.python.org", "peps.python.org", "developer.mozilla.org",
        "docs.oracle.com", "pkg.go.dev", "doc.rust-lang.org", "docs.rs", "en.cppreference.com", "tc39.es",
        "www.rfc-editor.org", "datatracker.ietf.org", "tools.ietf.org", "www.unicode.org", "unicode.org",
    }
)  # fmt: skip
"""Hosts whose URLs identify formats or licenses, or refer to documentation."""
_FILLED_IN = re.compile(r"(?:\$?\{[^{}]*\}|%[sdv]|\{\}|<[^<>]*>|\$\w+)(?::\S*)?")
"""A host that is inserted at run time."""
_SHOWN = 60


def new_urls(old: str, new: str, known: str) -> Iterator[str]:
    """Yield clauses about the URLs in added lines whose host does not occur in the old or known texts.

    :param old: the removed lines.
    :param new: the added lines.
    :param known: other text whose hosts are not new.
    """
    there = {host for _, host in _hosts(f"{old}\n{known}")} if "/" in new else set()
    for url, host in _hosts(new):
        if host not in there:
            there.add(host)
            shown = url if len(url) <= _SHOWN else f"{url[:_SHOWN]}…"
            yield f"adds a URL of a host that the file does not have (“{shown}”)"


def _hosts(text: str) -> Iterator[tuple[str, str]]:
    """Yield each URL up to its host, and the host in lower case, except for hosts that do not count."""
    for found in _URL.finditer(text):
        authority = unquote(found["authority"] or found["any"] or found["loose"] or found["bare"] or "")
        host = authority.rpartition("@")[2].lower()
        if _FILLED_IN.fullmatch(host):
            continue
        if not host.startswith("["):
            host = re.sub(r":[^:]*$", "", host).rstrip("),;]}*_")
        host = host.rstrip(".")
        if host and host not in _NAMES_ONLY and not _NOWHERE.fullmatch(host):
            yield found[0], host
