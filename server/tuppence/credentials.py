"""Where a provider's key comes from: the environment, then the keyring, then what the editor's client handed over.

A variable that is set but empty says "no key": nothing further is asked, and the provider is not used. Keys are never
written anywhere, never shown, and never read from a workspace. ``Keys.scan`` is what makes sure of the first two: what
is shown or written passes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from tuppence.core.models.model import Provider
from tuppence.core.text.key_scan import KeyScan

SERVICE = "tuppence"
"""The name under which the keyring holds the keys, one for each variable's name."""
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


class Keys:
    """The keys of one session. Each variable, and each name in the keyring, is read once: a change needs a restart."""

    def __init__(self, environ: Mapping[str, str], handed: Mapping[str, str] = MappingProxyType({})) -> None:
        self._environ = environ
        self._variables: dict[str, str | None] = {}
        self._handed = handed
        self._kept: dict[str, str] = {}
        self._known: tuple[tuple[str, str], ...] = ()
        self._sources: object = None
        self._scan = KeyScan()

    def of(self, provider: Provider) -> str | None:
        """Return the provider's key; None where none is to be sent, or none is known."""
        if provider.key_env is None:
            return None
        key = self._find(provider.key_env)
        return key if _sendable(key) else None

    def is_known(self, provider: Provider) -> bool:
        """Report whether the provider's key can be looked up without the keyring, which may take a while."""
        name = provider.key_env
        return name is None or self._variable(name) is not None or name in self._kept

    def ready(self, provider: Provider) -> bool:
        """Report whether the provider can be asked: it needs no key, or its key is known."""
        return provider.key_env is None or self.of(provider) is not None

    def lacking(self, provider: Provider) -> str:
        """Return one sentence that says what is wrong with the provider's key; empty where nothing is."""
        name = provider.key_env
        if name is None or self.ready(provider):
            return ""
        if self._find(name):
            return f"{name} holds characters that no key has."
        return f"{name} is not set." if self._variable(name) is None else f"{name} is set but empty."

    def scan(self, providers: Iterable[Provider], ledger: str = "") -> KeyScan:
        """Return what finds the keys in use in a text, and the passwords of the ledger and of proxies.

        In use is what may have been sent: the keyring is not asked for it.

        :param providers: those whose keys may be sent.
        :param ledger: the address of the ledger's database; empty for a file.
        """
        names = tuple(each.key_env for each in providers if each.key_env)
        # Texts are scanned many times a request; a variable and a name in the keyring are read once.
        sources = (names, ledger, tuple(self._handed.items()), len(self._kept))
        if sources != self._sources:
            known = tuple(self._values(dict.fromkeys((*names, *self._handed)), ledger))
            if known != self._known:
                self._known, self._scan = known, KeyScan(known)
            self._sources = sources
        return self._scan

    def _values(self, names: Iterable[str], ledger: str) -> Iterator[tuple[str, str]]:
        for name in names:
            for value in (self._variable(name), self._kept.get(name), self._handed.get(name)):
                if value and (key := value.strip()):
                    yield name, key
        if password := self._variable("PGPASSWORD"):
            yield "PGPASSWORD", password
        addresses = [("the ledger", ledger)]
        addresses += [(each, self._variable(name) or "") for each in _PROXIES for name in (each, each.lower())]
        yield from ((f"{name}'s address" if name in _PROXIES else name, found)
                    for name, address in addresses if (found := _password(address)))  # fmt: skip

    def _variable(self, name: str) -> str | None:
        # os.environ decodes at each access.
        if name not in self._variables:
            self._variables[name] = self._environ.get(name)
        return self._variables[name]

    def _find(self, name: str) -> str:
        if (value := self._variable(name)) is not None:
            return value.strip()
        if name not in self._kept:
            self._kept[name] = _keyring(name)
        return self._kept[name] or self._handed.get(name, "").strip()


def _password(address: str) -> str:
    """Return the password in an address; empty where it holds none."""
    if "@" not in address:
        return ""
    try:
        return unquote(urlsplit(address).password or "")
    except ValueError:
        return ""


def _sendable(key: str) -> bool:
    """Report whether the key can stand in an HTTP header."""
    return bool(key) and key.isascii() and key.isprintable()


def _keyring(name: str) -> str:
    try:
        import keyring
    except ImportError:
        return ""
    try:
        return (keyring.get_password(SERVICE, name) or "").strip()
    except Exception:  # noqa: BLE001 - each backend fails in its own way (no bus, locked, refused); all mean: no key.
        return ""
