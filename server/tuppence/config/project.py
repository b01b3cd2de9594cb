"""A project's own budget: ``[budget]`` in ``.tuppence.toml``, which can only narrow the user's budget.

Nothing else is read from a project: no endpoint, model or price. The file is not read if it is not a regular file, if a
symbolic link leads outside its folder, or if it is larger than a budget can be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tuppence import regular_files
from tuppence.config import config
from tuppence.core.billing.budget import Limits
from tuppence.errors import ConfigError, Mistake
from tuppence.regular_files import Identity, Unreadable

NAME = ".tuppence.toml"
_LARGEST = 16_000
"""Maximum size in bytes; the file holds a few lines."""
_REMEDY = "Put a text file with a [budget] in its place."
Stamp = Identity | None


class Narrowing:
    """The budget files in the project folders, read again when they change."""

    def __init__(self, roots: Sequence[Path], tell: Callable[[str], None]) -> None:
        """Read these folders; ``tell`` is called with the mistakes of a file, once for each change."""
        self._paths = tuple(root.resolve() / NAME for root in roots)
        self._tell = tell
        self._stamps: dict[Path, Stamp] = {}
        self._limits: dict[Path, Limits] = {}

    def of(self, limits: Limits) -> Limits:
        """Return the user's limits, narrowed by the projects' files."""
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
            raw = regular_files.read(path, path.parent, _LARGEST)
            found, mistakes = config.narrowing(path, raw)
        except Unreadable as error:
            self._tell(str(ConfigError(str(path), (Mistake(0, f"The file is not read: {error}.", _REMEDY),))))
            return
        except ConfigError as error:
            self._tell(str(error))
            return
        self._limits[path] = found
        if mistakes:
            self._tell(str(ConfigError(str(path), mistakes)))


def _stamp(path: Path) -> Stamp:
    for follow in (True, False):  # A dangling symbolic link also counts as a state.
        with suppress(OSError):
            return regular_files.identity(path.stat(follow_symlinks=follow))
    return None
