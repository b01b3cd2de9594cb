"""Files and folders that only the user can read.

A file is replaced as a whole or not at all, so that readers never see a partial file. On Windows the user's profile
folder protects it, because file modes have no effect there.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from tuppence.errors import Broken


def folder(path: Path) -> Path:
    """Create a folder that only the user can enter, and return it.

    :raises Broken: it cannot be created, or belongs to another user.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if sys.platform != "win32":
            if path.stat().st_uid != os.getuid():
                raise Broken(
                    f"The folder {path} belongs to another user.", "Remove it, or point XDG_STATE_HOME elsewhere."
                )
            path.chmod(0o700)
    except OSError as error:
        raise Broken(f"The folder {path} cannot be used: {error.strerror}.", "Make it writable for you.") from error
    return path


def write(path: Path, text: str) -> None:
    """Replace a file atomically, readable only by the user.

    :raises OSError: the disk is full or the folder is not writable.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
