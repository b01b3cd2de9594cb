"""Files that are never sent to a model: those that the project ignores.

``.gitignore`` and ``.tuppenceignore`` count in every folder from the root down, the innermost last, as git reads them.
What a file contains is not looked at here.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathspec

IGNORES = (".gitignore", ".tuppenceignore")


def ignored(path: Path, root: Path) -> str | None:
    """Return which ignore file leaves out a file or folder inside the root, None where none does."""
    if not path.is_relative_to(root) or path == root:
        return None
    parts = path.relative_to(root).parts
    why: str | None = None
    for depth in range(len(parts)):
        folder = root.joinpath(*parts[:depth])
        for name in IGNORES:
            file = folder / name
            spec = _spec(file)
            verdict = None if spec is None else spec.check_file("/".join(parts[depth:])).include
            if verdict is not None:
                why = f"{file.relative_to(root).as_posix()} leaves it out" if verdict else None
    return why


def _spec(file: Path) -> pathspec.GitIgnoreSpec | None:
    try:
        facts = file.stat()
    except OSError:
        return None
    return _compiled(str(file), facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=256)
def _compiled(file: str, _modified: int, _size: int) -> pathspec.GitIgnoreSpec | None:
    from pathspec import GitIgnoreSpec

    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return GitIgnoreSpec.from_lines(lines)
