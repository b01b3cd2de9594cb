"""Choose the Python that runs a project's tests, and what that process can see outside the copy.

Its environment variables come from an allow list, so no key, token or proxy setting of the user can be among them.
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
"""Maximum bytes of a ``pyvenv.cfg`` or ``.pth`` file."""


def find_interpreter(root: Path) -> str | None:
    """Return the Python of the project's environment, else of the active environment, else the first on the PATH.

    Only an environment inside the project counts as the project's: a parent folder may belong to another user.
    """
    active = Path(os.environ.get("VIRTUAL_ENV", ""))
    folders = [root / name for name in _ENVIRONMENTS]
    for folder in (*folders, *((active,) if active.is_absolute() else ())):
        python = folder / "bin" / "python"
        if (folder / "pyvenv.cfg").is_file() and is_program(python):
            return str(python)
    return look("python3", root) or look("python", root)


def seen_by(python: str, root: Path, place: Place) -> dict[Path, Path]:
    """Return the files and folders that an interpreter must be able to read, by the paths at which it expects them."""
    folder = Path(python).parent.parent
    found = {each: each for each in reach(python, root)}
    if (folder / "pyvenv.cfg").is_file():
        found[folder] = folder
        found |= {each: each for each in _base(folder, root)}
        found |= dict(_installed_in_place(folder, root, place))
    return found


def passed_on(root: Path, place: Place) -> dict[str, str]:
    """Return the environment variables of every run: the user's locale and PATH, and its own folders."""
    return {name: os.environ[name] for name in _LET_IN if name in os.environ} | {
        "PATH": os.pathsep.join(search_path(root)),
        "HOME": str(place.work / "home"),
        "TMPDIR": str(place.work / "tmp"),
        "CI": "true",
    }


def environment(root: Path, source: Path, place: Place) -> Mapping[str, str]:
    """Return the environment variables of a Python run; the copied project shadows an installed version of it."""
    folders = (_package_root(source, place.origin), place.origin, place.origin / "src")
    roots = dict.fromkeys(str(place.inside(each)) for each in folders if each.is_dir())
    return passed_on(root, place) | {
        "PYTHONPATH": os.pathsep.join(roots),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
    }


def module_of(source: Path, project: Path) -> str:
    """Return the module name by which a file is imported."""
    inner = source.relative_to(_package_root(source, project)).with_suffix("")
    parts = inner.parts[:-1] if inner.name == "__init__" and len(inner.parts) > 1 else inner.parts
    return ".".join(parts)


def _package_root(source: Path, project: Path) -> Path:
    """Return the parent folder of the outermost package that contains a file."""
    folder = source.parent
    while folder != project and (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder


def _base(folder: Path, root: Path) -> Iterator[Path]:
    """Yield the files and folders of the base Python of a virtual environment."""
    for line in _lines(folder / "pyvenv.cfg"):
        name, _, value = line.partition("=")
        python = Path(value.strip(), "python3")
        if name.strip() == "home" and python.is_absolute() and is_program(python):
            yield from reach(str(python), root)


def _installed_in_place(folder: Path, root: Path, place: Place) -> Iterator[tuple[Path, Path]]:
    """Yield the folders of editable installs; those inside the project map to the copy."""
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
    """Return whether a folder looks like a Python project; a ``.pth`` file in a repository may name any folder."""
    above = (each for each in (folder, *folder.parents) if not is_wide(each, root))
    return not is_wide(folder, root) and any((each / name).is_file() for each in above for name in _MANIFESTS)


def _lines(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_NOTE).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
