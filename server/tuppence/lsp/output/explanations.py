"""Show explanations: streamed to tuppence's own clients, else in a file that the editor opens, else in a message.

The file is in the user's cache folder, readable only by the user, and removed when the server ends, because it may
quote private code. The model's text was cleaned (core/answer/markdown.py) before it comes here.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import time
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

from tuppence.core.answer.markdown import clean
from tuppence.lsp.output.client import EditorClient

_log = logging.getLogger(__name__)
MESSAGE = 1500
"""Maximum number of code points of a message; for a longer text, the message says where the rest is."""
_PREFIX = "explanations-"
_LEFT_BEHIND = 7 * 86_400.0
"""Seconds after which a folder counts as left behind by a server that could not remove it."""


class ExplanationView:
    """All explanations that this server showed."""

    def __init__(self, client: EditorClient) -> None:
        self._client = client
        self._folder: Path | None = None

    def stream(self, run: str, title: str, markdown: str) -> None:
        """Send a piece of the text to a client that streams."""
        if self._client.capabilities.streams:
            self._client.notify(
                "tuppence/explanation", {"run": run, "title": title, "markdown": markdown, "done": False}
            )

    def restart(self, run: str, title: str) -> None:
        """Tell a client that streams to discard the text shown so far, because another model starts over."""
        if self._client.capabilities.streams:
            begun = {"run": run, "title": title, "markdown": "", "done": False, "restart": True}
            self._client.notify("tuppence/explanation", begun)

    def abandon(self, run: str, title: str) -> None:
        """Tell a client that streams that the text will not be continued."""
        if self._client.capabilities.streams:
            self._client.notify("tuppence/explanation", {"run": run, "title": title, "markdown": "", "done": True})

    async def finish(self, run: str, title: str, markdown: str) -> str:
        """Show the whole text; return it if it can only be shown in the closing message, else an empty string."""
        if self._client.capabilities.streams:
            self._client.notify("tuppence/explanation", {"run": run, "title": title, "markdown": "", "done": True})
            return ""
        title, markdown = self._client.without_keys(title), self._client.without_keys(markdown)
        is_long = len(markdown) > MESSAGE
        path = None
        if self._client.capabilities.show_document or is_long:
            path = await asyncio.to_thread(self._written, title, f"# {clean(title)}\n\n{markdown}\n")
        if path is not None and await self._client.show(path.as_uri()):
            return ""
        rest = f"{path} has the rest." if path else "The rest is in the log."
        if is_long and path is None:
            self._client.log(markdown)
        # The cut may be inside code, so the text is cleaned again.
        return f"{clean(markdown[:MESSAGE])}…\n\n{rest}" if is_long else markdown

    def close(self) -> None:
        """Remove the files."""
        if self._folder is not None:
            rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _written(self, title: str, text: str) -> Path | None:
        """Write a text to its own file; return the path, None if that failed."""
        try:
            folder = self._own_folder()
            name = re.sub(r"[^\w.-]+", "-", title).strip("-.") or "explanation"
            path = folder / f"{name[:60]}.md"
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
        except OSError as error:
            _log.warning("The explanation cannot be written to a file: %s", error)
            return None
        return path

    def _own_folder(self) -> Path:
        """Return this server's folder; on first use, also remove folders that killed servers left behind."""
        if self._folder is None:
            from platformdirs import user_cache_path

            root = user_cache_path("tuppence", appauthor=False)
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in root.glob(f"{_PREFIX}*"):
                if time.time() - left.stat().st_mtime > _LEFT_BEHIND:
                    rmtree(left, ignore_errors=True)
            self._folder = Path(mkdtemp(prefix=_PREFIX, dir=root))
        return self._folder
