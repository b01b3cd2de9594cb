"""A real Neovim in a terminal: keys go through the terminal, questions through its own RPC socket."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from terminal import Terminal, until


class Neovim:
    """One session."""

    def __init__(self, program: str, init: Path, where: Path, environment: Mapping[str, str]) -> None:
        self.terminal = Terminal(where, environment)
        self._address = str(self.terminal.folder / "nvim.sock")
        self.terminal.start([program, "--clean", "-n", "-u", str(init), "--listen", self._address])
        self._socket = until(self._connected, "Neovim's socket")
        self._stream = self._socket.makefile("rb")

    def close(self) -> None:
        """End the session."""
        self._socket.close()
        self.terminal.close()

    def lua(self, code: str) -> Any:
        """Run Lua and return what it returns, through JSON."""
        wrapped = f"return vim.fn.json_encode((function() {code} end)())"
        self._socket.sendall(_call("nvim_exec_lua", wrapped))
        while True:
            message = _unpack(self._stream)
            if message[0] == 1:
                break
        assert message[2] is None, message[2]
        return json.loads(message[3])

    def _connected(self) -> socket.socket | None:
        talk = socket.socket(socket.AF_UNIX)
        try:
            talk.connect(self._address)
        except OSError:
            talk.close()
            return None
        return talk


def _call(method: str, code: str) -> bytes:
    """Return a MessagePack-RPC request with one string and an empty list as its arguments."""
    return b"\x94\x00\x01" + _text(method) + b"\x92" + _text(code) + b"\x90"


def _text(text: str) -> bytes:
    data = text.encode()
    return b"\xdb" + struct.pack(">I", len(data)) + data


def _unpack(stream: Any) -> Any:
    """Read one MessagePack value of the kinds that Neovim answers with here."""
    (head,) = stream.read(1)
    match head:
        case _ if head < 0x80:
            return head
        case 0xC0:
            return None
        case 0xC2 | 0xC3:
            return head == 0xC3
        case _ if 0x90 <= head < 0xA0:
            return [_unpack(stream) for _ in range(head & 0x0F)]
        case _ if 0xA0 <= head < 0xC0:
            return stream.read(head & 0x1F).decode()
        case 0xD9 | 0xDA | 0xDB:
            size = {0xD9: 1, 0xDA: 2, 0xDB: 4}[head]
            return stream.read(int.from_bytes(stream.read(size), "big")).decode()
        case _:
            raise AssertionError(f"Neovim answered with a value of kind {head:#x}")
