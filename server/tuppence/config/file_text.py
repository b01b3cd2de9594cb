"""Reads a small file of the user's: nothing that is no file, never more than its size allows, and without waiting.

Its content is not examined, except for lines that no TOML parser should be given.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from tuppence.errors import Mistake

LARGEST = 1_000_000
"""Bytes of a configuration file."""
_PART = r"""(?:"[^"\n]{0,80}"|'[^'\n]{0,80}'|(?<![\w-])[\w-]+)"""
_PARTS = re.compile(rf"(?:{_PART}[ \t]*\.[ \t]*){{20}}")
"""The beginning of a dotted key with more parts than any; ``tomllib`` takes time with the square of their number."""
_DOTS = 1000
"""In one line."""
_NOTHING = Path("/dev/null")
"""The path that means: no configuration."""


class UnreadableConfig(Exception):
    """A file cannot be read, or not as text; ``mistake`` says why."""

    def __init__(self, line: int, what: str, remedy: str) -> None:
        super().__init__(what)
        self.mistake = Mistake(line, what, remedy)


def read_text(path: Path) -> str:
    """Return the text of a file.

    :raises UnreadableConfig: it is none, it is too large, or it is no text that may be parsed.
    """
    return decoded(read_bytes(path))


def decoded(raw: bytes) -> str:
    """Return the text that a file's bytes are.

    :raises UnreadableConfig: it is too large, or it is no text that may be parsed.
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

    :raises UnreadableConfig: it is none, or it is too large.
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
    """Return a file's bytes, one more than the largest size allows where there are more; None for what is no file."""
    # Opening a pipe or a device waits for its other end without this.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # fdopen would raise for a folder.
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LARGEST + 1)
