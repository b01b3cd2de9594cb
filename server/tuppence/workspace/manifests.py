"""What a project can import: its own modules, what its manifests mention, what is installed for it.

Manifests are not parsed: every word in them that could be a package's name counts, because a package that is had and
not found would fail a good answer, while one too many does no harm.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from tuppence.core.syntax.import_statements import StyleName
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages, normal
from tuppence.workspace import files

_NAMES_ALL = re.compile(
    r"\A(?:requirements|Pipfile|environment|go\.mod|Cargo)|dependenc|install_requires", re.IGNORECASE
)
"""What a manifest's name or text holds that tells what the project needs; others hold only the settings of tools."""
_NAME = re.compile(r"@?[A-Za-z][\w.-]*(?:/[\w.-]+)*")
_MOST = 5_000
"""Entries of one folder that are looked at."""
_MOST_FILES = 30
"""Manifests of one folder that are read."""


@dataclass(frozen=True, slots=True)
class _PackagePlaces:
    """Where a family of languages keeps the names of a project's packages, as patterns relative to a folder."""

    manifests: tuple[str, ...] = ()
    """Files that name what the project needs."""
    installed: tuple[str, ...] = ()
    """Folders whose entries are installed packages."""


_PLACES: Mapping[StyleName, _PackagePlaces] = {
    "python": _PackagePlaces(
        (
            *("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "noxfile.py"),
            *("requirements*.txt", "requirements*.in", "requirements/*.txt", "Pipfile", "environment.yml"),
        ),
        (".venv/lib/*/site-packages", "venv/lib/*/site-packages", ".venv/Lib/site-packages"),
    ),
    "es": _PackagePlaces(("package.json",), ("node_modules", "node_modules/@*")),
    "go": _PackagePlaces(("go.mod",)),
    "rust": _PackagePlaces(("Cargo.toml",)),
}


def packages(path: Path, root: Path, language: Language, listed: Iterable[PurePosixPath]) -> Packages:
    """Return what a file can import.

    :param listed: the project's files in the language, relative to its root.
    """
    places = _PLACES.get(language.import_style.name, _PackagePlaces())
    folders = [folder for folder in path.parents if folder.is_relative_to(root)]
    names = {root.name, *(part.partition(".")[0] for each in listed for part in each.parts)}
    complete = False
    for folder in folders:
        for pattern in places.manifests:
            for manifest in islice(_matching(folder, pattern), _MOST_FILES):
                text = files.read_text(manifest) or ""
                names.update(_NAME.findall(text))
                complete = complete or _NAMES_ALL.search(f"{pattern}\n{text}") is not None
        installed = chain.from_iterable(folder.glob(pattern) for pattern in places.installed)
        names.update(chain.from_iterable(_entries(each) for each in installed))
    return Packages(frozenset(normal(name) for name in names), complete)


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    return (each for each in folder.glob(pattern) if each.is_file())


def _entries(folder: Path) -> list[str]:
    """Return the names of what is installed in a folder; of a scope's packages with the scope."""
    shown: Callable[[str], str] = (lambda name: f"{folder.name}/{name}") if folder.name.startswith("@") else str
    try:
        with os.scandir(folder) as entries:
            return [shown(each.name.partition(".")[0]) for each in islice(entries, _MOST)]
    except OSError:
        return []
