"""The secrets that one server has seen, and what one request replaces.

The scanner remembers what it found by a digest of the text, so a text is searched once however often it is asked about.
The secrets themselves are in memory only, as long as their request.
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
"""Texts whose secrets are remembered, as places only."""


@dataclass(frozen=True, slots=True)
class ReplacedSecret:
    """A secret that a placeholder takes the place of."""

    kind: str
    """For a person, such as ``AWS key``."""
    file: str
    """The file as it is shown to people; empty where it is in no file, such as a diagnostic's message."""
    line: int
    """Its line in that file, from 0."""
    placeholder: str
    """What is sent instead."""


@dataclass(frozen=True)
class Disclosure:
    """What one request replaces before it is sent."""

    replacements: Replacements = field(default=Replacements(), repr=False)
    replaced: tuple[ReplacedSecret, ...] = ()
    """Each place of a secret in what is sent, file by file."""
    keys: tuple[str, ...] = field(default=(), repr=False)
    """The providers' keys, which are never sent but in the header that is theirs."""

    def masked(self, prompt: Prompt) -> Prompt:
        """Return the prompt with every secret replaced, and with the values that it must not hold."""
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
        """Return words about an answer without the secrets, for what is written down."""
        return self.replacements.masked_in_pieces(text) if self.replacements else text


def _is_no_word(value: str, system: str) -> bool:
    """Report whether a value can be in no part of a request that is ours, such as ``content`` is."""
    return (len(value) >= DISTINCT or not value.isalpha()) and value not in system


class SecretScanner:
    """Finds secrets in texts, each text once; safe to share between threads."""

    def __init__(self) -> None:
        self.scans = 0
        """How many texts were searched."""
        self._detector: SecretDetector | None = None
        self._allow: tuple[str, ...] = ()
        self._found: LRUCache[bytes, tuple[FoundSecret, ...]] = LRUCache(_REMEMBERED)
        self._lock = threading.Lock()

    def find(self, text: str, allow: tuple[str, ...] = ()) -> tuple[FoundSecret, ...]:
        """Return the secrets of a text, in order.

        :param allow: patterns of values that the user says are no secrets.
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
    """What one server knows of secrets, over all its requests."""

    def __init__(self, folder: Callable[[], Path | None] = lambda: None) -> None:
        """Know nothing yet.

        :param folder: returns the folder for the key of the placeholders, called when the first secret is found.
        """
        self.scanner = SecretScanner()
        self.announced: set[str] = set()
        """Files of whose secrets the person was informed."""
        self.consented: set[tuple[str, str]] = set()
        """Files with a telling name, each with the provider that they may be sent to, by the person's word."""
        self._folder = folder
        self._salt = b""

    def salt(self) -> bytes:
        """Return the key of the placeholders; reads a file the first time."""
        self._salt = self._salt or salt.load(self._folder())
        return self._salt

    def unannounced(self) -> Disclosures:
        """Return what is known for runs that no person follows: what they would announce is announced later."""
        silent = copy(self)
        silent.announced = set(self.announced)
        return silent
