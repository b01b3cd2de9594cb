"""A client that exchanges raw bytes with the whole server in this process: framing, protocol and features, no pipe."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from client_messages import INITIALIZE

from tuppence.lsp.protocol.framing import frame
from tuppence.lsp.protocol.lifecycle import Server
from tuppence.lsp.server import create_server
from tuppence.lsp.transport import _converse

SCANDALS = ("made a mistake", "an error of its own", "Traceback", "Error:", "object has no attribute")
"""Text that must never reach the user."""
CONFIG = "providers = {}\n"
"""A configuration without providers: no model can be called, because the environment holds no key."""


class ByteEditor:
    """One conversation. The client answers each server request with null and checks each message as it arrives."""

    def __init__(self, config: Path) -> None:
        self.server: Server = create_server(config)
        self.server.protocol.set_writer(self)
        self.reader = asyncio.StreamReader(limit=1 << 16)
        self.scandals: list[str] = []
        """Messages of the server that hold text that must never reach the user."""
        self.answers: dict[Any, list[dict[str, Any]]] = {}
        """The latest responses, by request id."""
        self.messages: list[dict[str, Any]] = []
        """The latest hundred messages that are not responses."""
        self._waiting: dict[Any, asyncio.Future[dict[str, Any]]] = {}
        self.silent = False
        """Whether the client leaves the server's requests unanswered."""
        self._number = 0

    def write(self, data: bytes) -> None:
        """Receive one message from the server."""
        header, _, body = data.partition(b"\r\n\r\n")
        assert header == b"Content-Length: %d" % len(body)
        text = body.decode("ascii")
        if any(each in text for each in SCANDALS):
            self.scandals.append(text)
        message = json.loads(text)
        if "method" in message:
            self.messages = [*self.messages[-99:], message]
            if "id" in message and not self.silent:
                self.say({"id": message["id"], "result": None})
            return
        waiting = self._waiting.pop(message["id"], None)
        if waiting is not None:
            waiting.set_result(message)
        elif len(self.answers) < 1000:
            self.answers.setdefault(message["id"], []).append(message)

    def close(self) -> None:
        """Do nothing: the transport closes the connection."""

    def send(self, body: bytes) -> None:
        """Send the bytes of one message."""
        self.reader.feed_data(frame(body))

    def say(self, message: Any) -> None:
        """Send a message."""
        self.send(json.dumps({"jsonrpc": "2.0", **message}).encode())

    async def ask(self, message: Any) -> dict[str, Any]:
        """Send a request and return its complete response. The server has then read every message sent before it."""
        self._number += 1
        number = f"asked-{self._number}"
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self.say(message | {"id": number})
        return await self._waiting[number]


@asynccontextmanager
async def conversation(folder: Path, initialize: Any = INITIALIZE, config: str = CONFIG) -> AsyncIterator[ByteEditor]:
    """Start a conversation; end it in order, and assert that no task remains."""
    path = folder / "config.toml"
    path.write_text(config, encoding="utf-8")
    before = asyncio.all_tasks()
    editor = ByteEditor(path)
    talk = asyncio.create_task(_converse(editor.server, editor.reader))
    try:
        if initialize is not None:
            assert "result" in await editor.ask({"method": "initialize", "params": initialize})
            editor.say({"method": "initialized", "params": {}})
        yield editor
    finally:
        editor.server.protocol.ended.set()
        await talk
        if left := asyncio.all_tasks() - before:  # A task may still wait for a thread; one that waits forever fails.
            _, left = await asyncio.wait(left, timeout=50)
        assert not left, left
