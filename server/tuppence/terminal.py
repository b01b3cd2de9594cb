"""What is written to a terminal or to a server's log on stderr, made safe whoever wrote it.

A library's warning, a traceback or an error of the system may hold words of others: an escape sequence would move the
cursor, and a provider's words may hold a key. ``protect`` puts a stream in front of stderr through which all that
Python writes passes; a log record stays on one line. Nothing here knows whether a person reads it.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable
from typing import TextIO

from tuppence.core.text.shown_text import shown

_LONGEST = 65_536
"""Characters of one line that are kept back for its end."""


class SafeStream(io.TextIOBase):
    """A stream for a person's eyes in front of another; it writes whole lines, or what is there when it is flushed."""

    def __init__(self, stream: TextIO, hide: Callable[[str], str]) -> None:
        """Write to a stream; ``hide`` takes out of a text what must not be written."""
        self.hide = hide
        self._stream = stream
        self._line = ""
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        """Take a text; return how many characters it has."""
        with self._lock:
            self._line += text
            if "\n" in text or len(self._line) > _LONGEST:
                ready, newline, rest = self._line.rpartition("\n")
                self._line = rest if newline else ""
                self._put(ready + newline if newline else rest)
        return len(text)

    def flush(self) -> None:
        """Write what is there."""
        with self._lock:
            if self._line:
                ready, self._line = self._line, ""
                self._put(ready)
            self._stream.flush()

    def fileno(self) -> int:
        """Return the descriptor of the stream behind it."""
        return self._stream.fileno()

    def writable(self) -> bool:
        """Report that it can be written to."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # it is what the stream behind it has
        """The encoding of the stream behind it."""
        return self._stream.encoding

    def _put(self, text: str) -> None:
        safe = shown(self.hide(text), lines=True)
        self._stream.write(safe.encode(self._stream.encoding or "utf-8", "backslashreplace").decode("utf-8", "replace"))


class _OneLine(logging.Formatter):
    """A record's message on one line, its traceback below."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the message."""
        return shown(super().formatMessage(record))


class _LogHandler(logging.Handler):
    """Writes records to what is stderr by then."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_OneLine())

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception:  # noqa: BLE001 - as logging's own handlers do
            self.handleError(record)


def protect(hide: Callable[[str], str]) -> None:
    """Make what Python writes to stderr safe from now on, log records included; a second call renews ``hide`` alone.

    :param hide: takes the keys in use out of a text.
    """
    if isinstance(sys.stderr, SafeStream):
        sys.stderr.hide = hide
        return
    if sys.stderr is None:  # A server without a console on Windows has none.
        return
    sys.stderr = SafeStream(sys.stderr, hide)
    if not any(isinstance(each, _LogHandler) for each in logging.getLogger().handlers):
        logging.getLogger().addHandler(_LogHandler())
