"""Collect what a project can import: its own modules, what its manifests mention, what is installed for it.

Every word in a manifest that could be a package's name counts, because a missed package would fail a good answer, while
an extra one does no harm. Each ecosystem has its own evidence that a package is certainly missing: a lock file that
covers the manifest (Python), or a manifest without which an import cannot work (Go, Rust, JavaScript). A package never
counts as missing if a file could not be read or an alias could not be resolved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tuppence.core.syntax.import_statements import StyleName
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages, normal
from tuppence.workspace import js_manifests, python_manifests
from tuppence.workspace.project_files import ProjectFiles

_NAME = re.compile(r"@?[A-Za-z][\w.-]*(?:/[\w.-]+)*")
_GO_BLOCK = re.compile(r"^(exclude|retract|godebug)\s*(?:\([^)]*\)|[^\n]*)", re.MULTILINE)
_GO_SUM_LINE = re.compile(r"^(\S+) v", re.MULTILINE)
_GO_VENDORED = re.compile(r"^(?:# )?([\w.-]+\.[\w.-]+/\S+)", re.MULTILINE)
_GO_USE = re.compile(r"^\s*(?:use\s+)?\"?(\.{1,2}(?:/[^\s\")]*)?)\"?\s*$", re.MULTILINE)
_LARGEST_SUM = 4_000_000
"""Bytes of a go.sum or a modules.txt that is read."""
_TABLES = ("dependencies", "dev-dependencies", "build-dependencies")


@dataclass(slots=True)
class FoundPackages:
    """What was found of a project so far."""

    names: set[str] = field(default_factory=set)
    aliases: set[str] = field(default_factory=set)
    is_covered: bool = False
    """Whether there is a manifest or a lock file that names all that can be imported."""


def packages(path: Path, root: Path, language: Language, listed: Iterable[PurePosixPath]) -> Packages:
    """Return what a file can import.

    :param listed: the project's files in the language, relative to its root.
    """
    inside, found = ProjectFiles(root), FoundPackages()
    own = list(listed)
    found.names |= {root.name, *(part.partition(".")[0] for each in own for part in each.parts)}
    folders = [folder for folder in path.parents if folder.is_relative_to(root)]
    if reader := _READERS.get(language.import_style.name):
        reader(inside, folders, found)
    complete = found.is_covered and inside.is_whole
    return Packages(frozenset(normal(name) for name in found.names), complete, tuple(sorted(found.aliases)))


def _python(inside: ProjectFiles, folders: Sequence[Path], found: FoundPackages) -> None:
    known = python_manifests.read(inside, folders)
    found.names |= known.names
    found.is_covered = known.is_locked


def _es(inside: ProjectFiles, folders: Sequence[Path], found: FoundPackages) -> None:
    known = js_manifests.read(inside, folders)
    found.names |= known.names
    found.aliases |= known.aliases
    found.is_covered = known.is_resolved


def _go(inside: ProjectFiles, folders: Sequence[Path], found: FoundPackages) -> None:
    """Read the nearest go.mod, and what a workspace or a vendor folder adds to it."""
    nearest = next((folder for folder in folders if (folder / "go.mod").exists()), None)
    used = [nearest] if nearest else []
    for folder in folders:
        work = inside.text(folder / "go.work")
        used += inside.members(folder, _GO_USE.findall(_uncommented(work))) if work else []
        vendored = inside.text(folder / "vendor" / "modules.txt", _LARGEST_SUM)
        found.names |= set(_GO_VENDORED.findall(vendored or ""))
    for folder in used:
        text = inside.text(folder / "go.mod")
        inside.is_whole = inside.is_whole and bool(text)
        found.names |= set(_NAME.findall(_GO_BLOCK.sub("", _uncommented(text or ""))))
        found.names |= set(_GO_SUM_LINE.findall(inside.text(folder / "go.sum", _LARGEST_SUM) or ""))
        found.is_covered = found.is_covered or re.search(r"^module\s+\S", text or "", re.MULTILINE) is not None


def _rust(inside: ProjectFiles, folders: Sequence[Path], found: FoundPackages) -> None:
    """Read the crate's Cargo.toml, its workspace's, and the names of the workspace's members."""
    crates = 0
    for folder in folders:
        text = inside.text(folder / "Cargo.toml")
        if text is None:
            continue
        found.names |= set(_NAME.findall(text))
        tables = inside.toml(folder / "Cargo.toml") or {}
        crates += "package" in tables
        workspace = tables.get("workspace")
        patterns = workspace.get("members") if isinstance(workspace, dict) else None
        for member in inside.members(folder, [each for each in patterns or () if isinstance(each, str)]):
            package = (inside.toml(member / "Cargo.toml") or {}).get("package")
            name = package.get("name") if isinstance(package, dict) else None
            found.names |= {name} if isinstance(name, str) else set()
    found.is_covered = crates > 0


def _uncommented(text: str) -> str:
    return re.sub(r"//[^\n]*", "", text)


_READERS: Mapping[StyleName, Callable[[ProjectFiles, Sequence[Path], FoundPackages], None]] = {
    "python": _python,
    "es": _es,
    "go": _go,
    "rust": _rust,
}
