"""The secrets that one server has found, and those that one request replaces.

The scanner remembers its results by a digest of the text, so each text is searched once. The secrets themselves are
only in memory, for the duration of their request.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from cachetools import LRUCache

from tuppence.core.prompt.compose import Prompt
from tuppence.core.secrets.replacements import DISTINCT, Replacements
from tuppence.engine.disclosure import salt

if TYPE_CHECKING:
    from tuppence.core.secrets.detect import FoundSecret, SecretDetector

_REMEMBERED = 512
"""Maximum number of texts whose results are remembered, as positions only."""


@dataclass(frozen=True, slots=True)
class ReplacedSecret:
    """A secret that is replaced by a placeholder."""

    kind: str
    """The kind for display, such as ``AWS key``."""
    file: str
    """The file's name for display; empty if the secret is not in a file, such as in a diagnostic's message."""
    line: int
    """Line index in that file."""
    placeholder: str
    """The placeholder that is sent."""


@dataclass(frozen=True)
class Disclosure:
    """The replacements of one request."""

    replacements: Replacements = field(default=Replacements(), repr=False)
    replaced: tuple[ReplacedSecret, ...] = ()
    """Each place of a secret in the sent text, file by file."""
    keys: tuple[str, ...] = field(default=(), repr=False)
    """The providers' keys, which are sent only in their own headers."""

    def masked(self, prompt: Prompt) -> Prompt:
        """Return the prompt with every secret replaced, and with the values that it must not contain."""
        withheld = (*(each for each in self.replacements.values if _is_no_word(each, prompt.system)), *self.keys)
        if not self.replacements:
            return replace(prompt, withheld=withheld) if withheld else prompt
        return replace(
            prompt,
            shared=tuple(self.replacements.masked(block) for block in prompt.shared),
            tail=self.replacements.masked_in_pieces(prompt.tail),
            withheld=withheld,
        )

    def words(self, text: str) -> str:
        """Return text about an answer without the secrets, for the ledger and the log."""
        return self.replacements.masked_in_pieces(text) if self.replacements else text


def _is_no_word(value: str, system: str) -> bool:
    """Report whether a value cannot occur in tuppence's own part of a request, as ``content`` does."""
    return (len(value) >= DISTINCT or not value.isalpha()) and value not in system


class SecretScanner:
    """Finds secrets in texts, each text once; safe to share between threads."""

    def __init__(self) -> None:
        self.scans = 0
        """Number of texts that were searched."""
        self._detector: SecretDetector | None = None
        self._allow: tuple[str, ...] = ()
        self._found: LRUCache[bytes, tuple[FoundSecret, ...]] = LRUCache(_REMEMBERED)
        self._lock = threading.Lock()

    def find(self, text: str, allow: tuple[str, ...] = ()) -> tuple[FoundSecret, ...]:
        """Return the secrets in a text, in order.

        :param allow: patterns of values that the user declared not to be secrets.
        :raises Unsearchable: a text cannot be judged.
        """
        if not text:
            return ()
        detector = self._compiled(allow)
        key = sha256(text.encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            known = self._found.get(key)
        if known is not None:
            return known
        self.scans += 1
        found = detector.find(text)
        with self._lock:
            if self._detector is detector:
                self._found[key] = found
        return found

    def _compiled(self, allow: tuple[str, ...]) -> SecretDetector:
        with self._lock:
            if self._detector is None or self._allow != allow:
                from tuppence.core.secrets.detect import SecretDetector

                self._detector, self._allow = SecretDetector(allow), allow
                self._found.clear()
            return self._detector


class Disclosures:
    """The secrets known to one server, across its requests."""

    def __init__(self, folder: Callable[[], Path | None] = lambda: None) -> None:
        """Begin without known secrets.

        :param folder: returns the folder of the placeholder key; called when the first secret is found.
        """
        self.scanner = SecretScanner()
        self.announced: set[str] = set()
        """Files for which the user was informed of secrets."""
        self.consented: set[tuple[str, str]] = set()
        """Files with suspicious names, each with a provider to which the user allowed sending it."""
        self._folder = folder
        self._salt = b""

    def salt(self) -> bytes:
        """Return the placeholder key; reads a file the first time."""
        self._salt = self._salt or salt.load(self._folder())
        return self._salt

    def unannounced(self) -> Disclosures:
        """Return a copy for runs that the user does not see: what they would announce is announced later."""
        silent = copy(self)
        silent.announced = set(self.announced)
        return silent
