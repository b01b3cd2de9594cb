"""Shared helpers for manifests: small files of one open folder, the members of its workspaces, environments.

No link leads out of the folder, and a broken file raises nothing. Unreadable files are recorded: after one, the
project's packages are no longer known for certain.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Any

from tuppence import regular_files
from tuppence.regular_files import Unreadable, root_of
from tuppence.workspace import files

_MOST = 5_000
"""Entries of one folder that are looked at."""
_MOST_FILES = 30
"""Files of one folder that match one pattern and are read."""
_MOST_MEMBERS = 300
"""Folders of a workspace's members that are looked at."""
_DEEPEST = 5
"""Folders below a workspace's root in which ``**`` looks for members."""
_SKIPPED = frozenset({"node_modules", "target", "vendor", "dist", "build", "__pycache__"})
_ENVIRONMENTS = (
    "__pypackages__/*/lib",
    ".pixi/envs/*/lib/python*/site-packages",
    ".venv/lib/*/site-packages",
    "venv/lib/*/site-packages",
)
_JSON_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_JSON_COMMA = re.compile(r'("(?:\\.|[^"\\\n])*")|,(?=\s*[}\]])')


class ProjectFiles:
    """The files of one open folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.is_whole = True
        """Whether everything that was asked for and is there could be read."""

    def text(self, path: Path, largest: int = files.LARGEST) -> str | None:
        """Return a file's text; None where it is not there, or, remembered as a gap, cannot be read."""
        if not os.path.lexists(path):
            return None
        text = files.read_text(path, (self.root,), largest)
        self.is_whole = self.is_whole and text is not None
        return text

    def toml(self, path: Path) -> dict[str, Any] | None:
        """Return a TOML file's tables; None where it is not there or broken."""
        text = self.text(path)
        try:
            return None if text is None else tomllib.loads(text)
        except (ValueError, RecursionError):
            self.is_whole = False
            return None

    def json(self, path: Path) -> dict[str, Any] | None:
        """Return a JSON file's object, comments and trailing commas allowed; None where it is not there or broken."""
        text = self.text(path)
        if text is None:
            return None
        bare = _JSON_COMMA.sub(r"\1", _JSON_COMMENT.sub(r"\1", text))
        try:
            value = json.loads(bare)
        except (ValueError, RecursionError):
            value = None
        self.is_whole = self.is_whole and isinstance(value, dict)
        return value if isinstance(value, dict) else None

    def matching(self, folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
        """Yield the files of a folder that match one of the patterns."""
        for pattern in patterns:
            found = (each for each in self._matching(folder, pattern.split("/")) if each.is_file())
            yield from islice(found, _MOST_FILES)

    def entries(self, folder: Path, *, folders_only: bool = False) -> list[str]:
        """Return the names of what is in a folder; none where it is not there or a link leads out."""
        found = self._listed(folder)
        names = [name for name, kind in found if not folders_only or kind == "folder"]
        self.is_whole = self.is_whole and len(found) <= _MOST
        return names[:_MOST]

    def members(self, folder: Path, patterns: Sequence[str]) -> list[Path]:
        """Return the folders of a workspace's members, as the patterns of its root name them."""
        found: dict[Path, None] = {}
        for pattern in patterns:
            parts = [part for part in pattern.strip().removeprefix("./").split("/") if part and part != "."]
            inside = list(islice(self._expanded(folder, parts), _MOST_MEMBERS + 1))
            if pattern.startswith("!"):
                continue
            found |= dict.fromkeys(inside)
        self.is_whole = self.is_whole and len(found) <= _MOST_MEMBERS
        return list(found)[:_MOST_MEMBERS]

    def environments(self, folder: Path) -> Iterator[Path]:
        """Yield the folders in which Python's environments beside a project keep what is installed."""
        for name in self.entries(folder, folders_only=True)[:_MOST_MEMBERS]:
            base = folder / name
            if (base / "pyvenv.cfg").is_file() or (base / "conda-meta").is_dir():
                yield from islice(self._matching(base, ("lib", "python*", "site-packages")), _MOST_FILES)
                yield base / "Lib" / "site-packages"
        for pattern in _ENVIRONMENTS:
            yield from islice(self._matching(folder, pattern.split("/")), _MOST_FILES)

    def _listed(self, folder: Path) -> list[tuple[str, str]]:
        try:
            return regular_files.listed(folder, self.root, _MOST + 1)
        except Unreadable:
            return []

    def _matching(self, folder: Path, parts: Sequence[str]) -> Iterator[Path]:
        """Yield what matches a pattern, name by name, and is there; no folder outside is looked into."""
        part, *rest = parts
        if any(mark in part for mark in "*?["):
            found: Iterable[str] = (name for name, _ in self._listed(folder) if fnmatchcase(name, part))
        else:
            found = (part,)
        for name in found:
            if rest:
                yield from self._matching(folder / name, rest)
            elif os.path.lexists(folder / name):
                yield folder / name

    def _expanded(self, folder: Path, parts: Sequence[str], depth: int = 0) -> Iterator[Path]:
        if not parts:
            if self._is_inside(folder):
                yield folder
            else:
                self.is_whole = False
            return
        part, rest = parts[0], parts[1:]
        if part == "..":
            yield from self._expanded(folder.parent, rest, depth)
        elif part == "**":
            yield from self._expanded(folder, rest, depth)
            for name in self.entries(folder, folders_only=True) if depth < _DEEPEST else ():
                if name not in _SKIPPED and not name.startswith("."):
                    yield from self._expanded(folder / name, parts, depth + 1)
        elif any(mark in part for mark in "*?["):
            for name in sorted(self.entries(folder, folders_only=True)):
                if fnmatchcase(name, part) and name not in _SKIPPED:
                    yield from self._expanded(folder / name, rest, depth)
        else:
            yield from self._expanded(folder / part, rest, depth)

    def _is_inside(self, path: Path) -> bool:
        return root_of(path, (self.root,)) is not None
