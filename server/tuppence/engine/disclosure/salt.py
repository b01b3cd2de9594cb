"""The key for deriving placeholders: random, one per installation, in a file that only the user can read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

SIZE = 32
"""Length in bytes."""
NAME = "placeholder-key"


def load(folder: Path | None) -> bytes:
    """Return the key in a folder; create it if it is missing.

    If it cannot be written, this process uses a temporary key, so the next process derives other placeholders.

    :param folder: the user's data folder; None for a temporary key.
    """
    fresh = secrets.token_bytes(SIZE)
    if folder is None:
        return fresh
    path = folder / NAME
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            _create(path, fresh)
        found = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        if len(found) == SIZE:
            return found
    return fresh


def _create(path: Path, content: bytes) -> None:
    """Write a file atomically, readable by the user only, without replacing one that another process created.

    :raises FileExistsError: the file exists.
    """
    if path.exists():
        raise FileExistsError(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        # Unlike a rename, creating a hard link fails if the file exists.
        if hasattr(os, "link"):
            os.link(draft, path)
        else:
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
