"""Where a provider's key comes from: the environment, then the keyring, then what the editor's client handed over.

A variable that is set but empty says "no key": nothing further is asked, and the provider is not used. Keys are never
written anywhere, never shown, and never read from a workspace.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tuppence.core.models.model import Provider

SERVICE = "tuppence"
"""The name under which the keyring holds the keys, one for each variable's name."""


class Keys:
    """The keys of one session. The keyring is asked once for each name; a key put there later needs a restart."""

    def __init__(self, environ: Mapping[str, str], handed: Mapping[str, str] = MappingProxyType({})) -> None:
        self._environ = environ
        self._handed = handed
        self._kept: dict[str, str] = {}

    def of(self, provider: Provider) -> str | None:
        """Return the provider's key; None where none is to be sent, or none is known."""
        if provider.key_env is None:
            return None
        key = self._find(provider.key_env)
        return key if _sendable(key) else None

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
        return f"{name} is set but empty." if name in self._environ else f"{name} is not set."

    def _find(self, name: str) -> str:
        if name in self._environ:
            return self._environ[name].strip()
        if name not in self._kept:
            self._kept[name] = _keyring(name)
        return self._kept[name] or self._handed.get(name, "").strip()


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
