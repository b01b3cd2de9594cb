"""Where an explanation is read: streamed to our own clients, else a file that the editor opens, else a message.

The file lies in the user's cache folder, readable by nobody else, and goes when the server does: it may quote private
code. What a model wrote has been cleaned (core/markdown.py) before it comes here.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from tuppence.editor.desk import Desk

MESSAGE = 1500
"""Code points that still make a message; a longer text is cut there."""


class Reading:
    """All explanations that this server showed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._folder: Path | None = None

    def stream(self, run: str, title: str, markdown: str) -> None:
        """Send a piece to a client that streams."""
        if self._desk.client.streams:
            self._desk.notify("tuppence/explanation", {"run": run, "title": title, "markdown": markdown, "done": False})

    async def finish(self, run: str, title: str, markdown: str) -> None:
        """Show the whole text."""
        if self._desk.client.streams:
            self._desk.notify("tuppence/explanation", {"run": run, "title": title, "markdown": "", "done": True})
            return
        text = f"# {title}\n\n{markdown}\n"
        if self._desk.client.show_document and await self._desk.show(self._file(title, text).as_uri()):
            return
        self._desk.say(markdown if len(markdown) <= MESSAGE else f"{markdown[:MESSAGE]}…")

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _file(self, title: str, text: str) -> Path:
        if self._folder is None:
            from platformdirs import user_cache_path

            root = user_cache_path("tuppence", ensure_exists=True)
            with contextlib.suppress(OSError):
                root.chmod(0o700)
            self._folder = Path(mkdtemp(prefix="explanations-", dir=root))
        name = re.sub(r"[^\w.-]+", "-", title).strip("-") or "explanation"
        path = self._folder / f"{name[:60]}.md"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        return path
