"""Files and folders that only the user can read.

A file is replaced whole or not at all, so that no reader ever meets half of one. On Windows the user's profile folder
gives the protection, because modes mean nothing there.
"""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from tuppence.errors import Broken


def folder(path: Path) -> Path:
    """Make a folder that only the user can enter, and return it.

    :raises Broken: it cannot be made, or belongs to somebody else.
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
    """Replace a file in one step, readable by the user alone.

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
