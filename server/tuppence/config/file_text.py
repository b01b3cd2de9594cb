"""Read a small file of the user's: only a regular file, only up to a maximum size, and without blocking.

The content is not examined, except for lines that no TOML parser should receive.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from tuppence.errors import Mistake

LARGEST = 1_000_000
"""Maximum size of a configuration file in bytes."""
_PART = r"""(?:"[^"\n]{0,80}"|'[^'\n]{0,80}'|(?<![\w-])[\w-]+)"""
_PARTS = re.compile(rf"(?:{_PART}[ \t]*\.[ \t]*){{20}}")
"""Matches the start of a dotted key with absurdly many parts; ``tomllib`` takes time quadratic in their number."""
_DOTS = 1000
"""Maximum number of dots in one line."""
_NOTHING = Path("/dev/null")
"""The path that means: no configuration."""


class UnreadableConfig(Exception):
    """A file cannot be read, or is not text; ``mistake`` says why."""

    def __init__(self, line: int, what: str, remedy: str) -> None:
        super().__init__(what)
        self.mistake = Mistake(line, what, remedy)


def read_text(path: Path) -> str:
    """Return the text of a file.

    :raises UnreadableConfig: it is not a file, is too large, or is not text that may be parsed.
    """
    return decoded(read_bytes(path))


def decoded(raw: bytes) -> str:
    """Decode a file's bytes.

    :raises UnreadableConfig: it is too large, or is not text that may be parsed.
    """
    _check_size(raw)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableConfig(
            raw.count(b"\n", 0, error.start) + 1, "The file is not UTF-8 text.", "Save it as UTF-8."
        ) from None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith("#") and (line.count(".") > _DOTS or _PARTS.search(line)):
            raise UnreadableConfig(number, "No key of a configuration has so many parts.", "Shorten the line.")
    return text


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file.

    :raises UnreadableConfig: it is not a file, or is too large.
    """
    if path == _NOTHING:
        return b""
    try:
        raw = _regular(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise UnreadableConfig(0, f"The file cannot be read: {reason}.", "Check its permissions.") from None
    if raw is None:
        raise UnreadableConfig(0, "This is not a file.", "Name the configuration file itself.")
    _check_size(raw)
    return raw


def _check_size(raw: bytes) -> None:
    if len(raw) > LARGEST:
        raise UnreadableConfig(0, "The file is larger than a megabyte.", "Name a configuration file.")


def _regular(path: Path) -> bytes | None:
    """Return a regular file's bytes, at most one more than the maximum size; None for anything else."""
    # Without O_NONBLOCK, opening a pipe or a device would wait for its other end.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # fdopen would raise for a folder.
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST + 1)
