"""A size-limited cache of values computed from files; an entry is valid while its file is unchanged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

from tuppence.regular_files import Identity

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class RecentlyRead(Generic[K, V]):
    """The most recently used values computed from files. Thread-safe."""

    def __init__(self, most: int) -> None:
        """Store values for at most this many bytes of files."""
        self._most = most
        self._weight = 0
        self._held: OrderedDict[K, tuple[Identity, V, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K, facts: Identity) -> V | None:
        """Return the value computed from a file with this identity; None where none is stored."""
        with self._lock:
            found = self._held.get(key)
            if found is None or found[0] != facts:
                return None
            self._held.move_to_end(key)
            return found[1]

    def put(self, key: K, facts: Identity, value: V, weight: int) -> None:
        """Store the value computed from a file of ``weight`` bytes."""
        with self._lock:
            former = self._held.pop(key, None)
            self._weight += weight - (former[2] if former else 0)
            self._held[key] = (facts, value, weight)
            while self._weight > self._most and self._held:
                self._weight -= self._held.popitem(last=False)[1][2]
