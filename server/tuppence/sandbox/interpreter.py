"""Which Python runs a project's tests, and what it sees of the outside.

The environment is a list of what is let in, so that no key, token or proxy of the user can be in it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_LET_IN = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT")
_ENVIRONMENTS = (".venv", "venv", "env")


def find_interpreter(root: Path) -> str | None:
    """Return the project's own Python: of its environment, of the one that is active, else the first on the path."""
    active = os.environ.get("VIRTUAL_ENV")
    folders = [folder / name for folder in (root, *root.parents[:2]) for name in _ENVIRONMENTS]
    for folder in (*folders, *((Path(active),) if active else ())):
        python = folder / "bin" / "python"
        if (folder / "pyvenv.cfg").is_file() and os.access(python, os.X_OK):
            return str(python)
    return shutil.which("python3") or shutil.which("python")


def environment(project: Path, source: Path, place: Path) -> Mapping[str, str]:
    """Return the environment of a run: the copied project is found before any installed copy of it."""
    folders = (_package_root(source, project), project, project / "src")
    roots = dict.fromkeys(str(each) for each in folders if each.is_dir())
    return {name: os.environ[name] for name in _LET_IN if name in os.environ} | {
        "HOME": str(place / "home"),
        "TMPDIR": str(place / "tmp"),
        "PYTHONPATH": os.pathsep.join(roots),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "CI": "true",
    }


def module_of(source: Path, project: Path) -> str:
    """Return the name by which a file is imported."""
    inner = source.relative_to(_package_root(source, project)).with_suffix("")
    parts = inner.parts[:-1] if inner.name == "__init__" and len(inner.parts) > 1 else inner.parts
    return ".".join(parts)


def _package_root(source: Path, project: Path) -> Path:
    """Return the folder that the outermost package around a file stands in."""
    folder = source.parent
    while folder != project and (folder / "__init__.py").is_file():
        folder = folder.parent
    return folder
