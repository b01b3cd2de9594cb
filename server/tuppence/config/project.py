"""What a project's own file says of money: ``[budget]`` in ``.tuppence.toml``, which can only narrow the user's budget.

Nothing else is read from a project: no endpoint, no model, no price.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tuppence.config import config
from tuppence.core.billing.budget import Limits
from tuppence.errors import ConfigError

NAME = ".tuppence.toml"
Stamp = tuple[int, int] | None


class Narrowing:
    """The files of the projects' folders, read anew when they change."""

    def __init__(self, roots: Sequence[Path], tell: Callable[[str], None]) -> None:
        """Look into these folders; ``tell`` is given what is wrong with a file, once for each change."""
        self._paths = tuple(root / NAME for root in roots)
        self._tell = tell
        self._stamps: dict[Path, Stamp] = {}
        self._limits: dict[Path, Limits] = {}

    def of(self, limits: Limits) -> Limits:
        """Return the user's limits, narrowed by what the projects say."""
        for path in self._paths:
            stamp = _stamp(path)
            if stamp != self._stamps.get(path):
                self._stamps[path] = stamp
                self._read(path)
        for narrower in self._limits.values():
            limits = limits.narrowed(narrower)
        return limits

    def _read(self, path: Path) -> None:
        self._limits.pop(path, None)
        if self._stamps[path] is None:
            return
        try:
            found, mistakes = config.narrowing(path)
        except ConfigError as error:
            self._tell(str(error))
            return
        self._limits[path] = found
        if mistakes:
            self._tell(str(ConfigError(str(path), mistakes)))


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
