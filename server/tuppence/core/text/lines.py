"""A text split into lines, and streamed chunks joined into complete lines.

A line ends at LF, CRLF or CR, as in :mod:`tuppence.core.text.document`.
"""

from __future__ import annotations

import re

_NEWLINE = re.compile(r"\r\n|\n|\r")


class Splitter:
    """Puts chunks together to complete lines; a chunk without a line ending costs one append."""

    def __init__(self) -> None:
        self._held: list[str] = []

    def feed(self, chunk: str) -> list[tuple[str, str]]:
        """Take the next chunk; return the lines that it completes, each with its ending apart."""
        if not chunk:
            return []
        half = bool(self._held) and self._held[-1].endswith("\r")
        self._held.append(chunk)
        if not half and "\n" not in chunk and "\r" not in chunk:
            return []
        text = "".join(self._held)
        lines: list[tuple[str, str]] = []
        done = 0
        for found in _NEWLINE.finditer(text):
            # A CR that ends the chunk may be the first half of a CRLF.
            if found.group() == "\r" and found.end() == len(text):
                break
            lines.append((text[done : found.start()], found.group()))
            done = found.end()
        self._held = [text[done:]] if done < len(text) else []
        return lines

    def finish(self) -> list[tuple[str, str]]:
        """Take the end; return the last line, if anything of it has come."""
        text = "".join(self._held)
        self._held = []
        if text.endswith("\r"):
            return [(text[:-1], "\r")]
        return [(text, "")] if text else []


def split(text: str) -> list[tuple[str, str]]:
    """Return the lines of a text, each with its ending apart; the last one has none, and there is always one."""
    lines: list[tuple[str, str]] = []
    done = 0
    for found in _NEWLINE.finditer(text):
        lines.append((text[done : found.start()], found.group()))
        done = found.end()
    return [*lines, (text[done:], "")]
