"""Which Python runs a project's tests, and what it sees of the outside.

The environment is a list of what is let in, so that no key, token or proxy of the user can be in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tuppence.sandbox.order import Place
from tuppence.sandbox.programs import is_inside, is_program, is_wide, look, reach, search_path

_LET_IN = ("LANG", "LC_ALL", "LC_CTYPE", "TZ")
_ENVIRONMENTS = (".venv", "venv", "env")
_MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg")
_LARGEST_NOTE = 100_000
"""Bytes of a file that says where an environment's Python or its packages lie."""


def find_interpreter(root: Path) -> str | None:
    """Return the project's own Python: of its environment, of the one that is active, else the first on the path.

    Only an environment inside the project is the project's own: a folder above it may belong to anyone.
    """
    active = Path(os.environ.get("VIRTUAL_ENV", ""))
    folders = [root / name for name in _ENVIRONMENTS]
    for folder in (*folders, *((active,) if active.is_absolute() else ())):
        python = folder / "bin" / "python"
        if (folder / "pyvenv.cfg").is_file() and is_program(python):
            return str(python)
    return look("python3", root) or look("python", root)


def seen_by(python: str, root: Path, place: Place) -> dict[Path, Path]:
    """Return the files and folders that an interpreter needs to see, by the paths at which it looks for them."""
    folder = Path(python).parent.parent
    found = {each: each for each in reach(python, root)}
    if (folder / "pyvenv.cfg").is_file():
        found[folder] = folder
        found |= {each: each for each in _base(folder, root)}
        found |= dict(_installed_in_place(folder, root, place))
    return found


def passed_on(root: Path, place: Place) -> dict[str, str]:
    """Return what every run's environment holds: the user's language and path, and folders of its own."""
    return {name: os.environ[name] for name in _LET_IN if name in os.environ} | {
        "PATH": os.pathsep.join(search_path(root)),
        "HOME": str(place.work / "home"),
        "TMPDIR": str(place.work / "tmp"),
        "CI": "true",
    }


def environment(root: Path, source: Path, place: Place) -> Mapping[str, str]:
    """Return the environment of a run: the copied project is found before any installed copy of it."""
    folders = (_package_root(source, place.origin), place.origin, place.origin / "src")
    roots = dict.fromkeys(str(place.inside(each)) for each in folders if each.is_dir())
    return passed_on(root, place) | {
        "PYTHONPATH": os.pathsep.join(roots),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }


def module_of(source: Path, project: Path) -> str:
    """Return the name by which a file is imported."""
    inner = source.relative_to(_package_root(source, project)).with_suffix("")
    parts = inner.parts[:-1] if inner.name == "__init__" and len(inner.parts) > 1 else inner.parts
    return ".".join(parts)


def _package_root(source: Path, project: Path) -> Path:
    """Return the folder that the outermost package around a file lies in."""
    folder = source.parent
    while folder != project and (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _base(folder: Path, root: Path) -> Iterator[Path]:
    """Yield what the Python that an environment was made with needs."""
    for line in _lines(folder / "pyvenv.cfg"):
        name, _, value = line.partition("=")
        python = Path(value.strip(), "python3")
        if name.strip() == "home" and python.is_absolute() and is_program(python):
            yield from reach(str(python), root)


def _installed_in_place(folder: Path, root: Path, place: Place) -> Iterator[tuple[Path, Path]]:
    """Yield the folders of packages that are installed where they are written; those of the project are the copy's."""
    for note in sorted(folder.glob("lib/python3*/site-packages/*.pth")):
        for line in _lines(note):
            path = Path(line.strip())
            is_hidden = any(part.startswith(".") for part in path.parts)
            if not path.is_absolute() or is_hidden or not path.is_dir() or path.resolve() != path:
                continue
            if is_inside(path, root):
                yield path, place.origin / path.relative_to(root.resolve())
            elif _is_project(path, root):
                yield path, path


def _is_project(folder: Path, root: Path) -> bool:
    """Report whether a folder belongs to a project in Python: a note may come with a repository and name any folder."""
    above = (each for each in (folder, *folder.parents) if not is_wide(each, root))
    return not is_wide(folder, root) and any((each / name).is_file() for each in above for name in _MANIFESTS)


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_NOTE).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
