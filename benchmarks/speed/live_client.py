"""A live client that costs little: it counts and times, and applies streamed edits to texts of whole lines.

The editor of the demo structures each message by its types, which takes longer than what is measured beside 20 streams.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.speed.plain_provider import sent_at

CAPABILITIES = {
    "window": {"workDoneProgress": True},
    "workspace": {"applyEdit": True, "workspaceEdit": {"documentChanges": True}},
    "textDocument": {
        "hover": {"contentFormat": ["markdown"]},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix"]}}},
    },
    "experimental": {"tuppence": {"stream": 1, "status": True}},
}


class LiveClient:
    """One client and its server. Use ``async with``."""

    def __init__(self, command: Sequence[str], root: Path, environment: Mapping[str, str]) -> None:
        self.delays: list[float] = []
        """Seconds from a line's time at the provider to the edit with it here."""
        self.received: dict[str, int] = {}
        """How many messages of each method came."""
        self.outcomes: list[str] = []
        """How the runs ended: ``kept``, where nothing went wrong."""
        self._command = command
        self._root = root
        self._environment = environment
        self._versions: dict[str, int] = {}
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LiveClient:
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, env=self._environment
        )
        self._reading = asyncio.create_task(self._read())
        name = {"name": "live", "version": "1"}
        about = {"processId": None, "clientInfo": name, "rootUri": self._root.as_uri(), "capabilities": CAPABILITIES}
        await self.ask("initialize", about)
        self.tell("initialized", {})
        return self

    async def __aexit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        if kind is None:
            await self.ask("shutdown", None)
            self.tell("exit", None)
        else:
            self._process.kill()
        await self._process.wait()
        if self._reading is not None:
            await self._reading

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def open(self, uri: str, text: str) -> None:
        """Open a document."""
        self._versions[uri] = 1
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})

    def ask(self, method: str, params: object) -> asyncio.Future[Any]:
        """Send a request; return what gives its result."""
        number = len(self._asked)
        self._asked[number] = asyncio.get_running_loop().create_future()
        self._send({"id": number, "method": method, "params": params})
        return self._asked[number]

    def tell(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def _send(self, message: Mapping[str, object]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while head := await stream.readline():
            await stream.readline()
            self._take(json.loads(await stream.readexactly(int(head.partition(b":")[2]))))

    def _take(self, message: Mapping[str, Any]) -> None:
        method = message.get("method", "")
        self.received[method] = self.received.get(method, 0) + 1
        if not method:
            waiting = self._asked[message["id"]]
            if "error" in message:
                waiting.set_exception(RuntimeError(message["error"]["message"]))
            else:
                waiting.set_result(message["result"])
        elif method == "tuppence/edit":
            self._apply(message["id"], message["params"])
        elif method == "tuppence/run":
            self.outcomes += [message["params"]["outcome"]] if message["params"]["state"] == "ended" else []
        elif "id" in message:
            self._send({"id": message["id"], "result": None})

    def _apply(self, number: object, params: Mapping[str, Any]) -> None:
        """Apply a streamed edit, as any live client does: reply, and tell the server of the change."""
        now, uri, edits = time.monotonic_ns(), params["uri"], params["edits"]
        fits = self._versions[uri] == params["version"]
        if fits:
            self.delays += [(now - each) / 1e9 for edit in edits for each in sent_at(edit["newText"])]
            self._versions[uri] += 1
            where = {"uri": uri, "version": self._versions[uri]}
            changes = [{"range": edit["range"], "text": edit["newText"]} for edit in reversed(edits)]
            self.tell("textDocument/didChange", {"textDocument": where, "contentChanges": changes})
        self._send({"id": number, "result": {"applied": fits}})
