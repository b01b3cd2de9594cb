"""A real Neovim in a terminal: keys go through the terminal, questions through its own RPC socket."""

from __future__ import annotations

import json
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.editors.session import Bench
from tests.editors.terminal import SIZE, WAIT, Terminal, until

_NORMAL = "\x1c\x0e"
"""Ctrl-\\ Ctrl-N: to normal mode from any other; an escape and the next key in one breath would be another key."""
_TEXT = """
local ends = vim.bo.fileformat == "dos" and "\\r\\n" or "\\n"
return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), ends) .. (vim.bo.endofline and ends or "")
"""
_READY = """
for _, client in pairs((vim.lsp.get_clients or vim.lsp.get_active_clients)()) do
  if client.name == "tuppence" and client.initialized and vim.lsp.buf_is_attached(0, client.id) then return true end
end
return false
"""
_MARKS = """
local said = {}
for _, each in ipairs(vim.diagnostic.get(0)) do
  if each.lnum == %d - 1 then table.insert(said, each.message) end
end
return table.concat(said, "\\n")
"""
_DEAF = """
while not vim.loop.fs_stat(%s) do vim.loop.sleep(10) end
vim.api.nvim_buf_set_lines(0, %d, %d, true, { %s })
return true
"""


def advice(bench: Bench) -> str:
    """Return the three lines that ``tuppence neovim`` prints."""
    command = [sys.executable, "-m", "tuppence", "neovim"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=bench.environment)
    lines = done.stdout.strip().splitlines()[-3:]
    assert lines[1] == 'require("tuppence").setup()'
    return "\n".join(lines)


class Neovim:
    """One session."""

    def __init__(self, program: str, init: str, bench: Bench, *, size: tuple[int, int] = SIZE) -> None:
        self.terminal = Terminal(bench.root, bench.environment, size=size)
        self._address = str(self.terminal.folder / "nvim.sock")
        file = self.terminal.folder / "init.lua"
        file.write_text(init)
        self.terminal.start([program, "--clean", "-n", "-u", str(file), "--listen", self._address])
        self._socket = until(self._connected, "Neovim's socket")
        self._stream = self._socket.makefile("rb")
        # Its socket is there before it has made the terminal its own, and until then Ctrl-\\ would end it.
        until(lambda: self.terminal.screen().strip(), "Neovim's screen")

    def close(self) -> None:
        """End the session."""
        self._stream.close()
        self._socket.close()
        self.terminal.close()

    def visit(self, path: Path) -> None:
        """See ``Session``."""
        self.command(f"edit {path}")
        # The file before has a server attached too, so that alone does not say that this one is shown.
        until(
            lambda: str(self.lua("return vim.api.nvim_buf_get_name(0)")).endswith(path.name), f"{path.name} to be shown"
        )
        until(lambda: self.lua(_READY), "the server to be attached")

    def command(self, line: str) -> None:
        """Type a command line."""
        self.terminal.type(f"{_NORMAL}:{line}")
        self.terminal.keys("Enter")

    def pick(self, line: int, title: str) -> None:
        """See ``Session``."""
        found = re.search(rf"^ *(\d+): {re.escape(title)}", self._open(line, title), re.MULTILINE)
        assert found
        self.terminal.type(found[1])
        self.terminal.keys("Enter")

    def offered(self, line: int) -> str:
        """See ``Session``."""
        screen = self._open(line, "Type number")
        self.terminal.type("q")
        self.terminal.keys("Enter")
        return screen

    def hover(self, line: int) -> None:
        """See ``Session``."""
        self.command(f"{line}")
        self.terminal.type("w")
        self.command("lua vim.lsp.buf.hover()")

    def insert(self, line: int, text: str) -> None:
        """See ``Session``."""
        self.command(f"{line}")
        self.terminal.type(f"O{text}{_NORMAL}")

    def amend(self, line: int, text: str) -> None:
        """See ``Session``."""
        self.command(f"{line}")
        self.terminal.type(f"A{text}{_NORMAL}")

    def save(self) -> None:
        """See ``Session``."""
        self.command("write")

    def undo(self) -> None:
        """See ``Session``."""
        self.terminal.type(f"{_NORMAL}u")

    def text(self) -> str:
        """See ``Session``."""
        return str(self.lua(_TEXT))

    def told(self) -> str:
        """See ``Session``."""
        return str(self.lua("return vim.fn.execute('messages')"))

    def marks(self, line: int) -> str:
        """See ``Session``."""
        return str(self.lua(_MARKS % line))

    def agree(self) -> None:
        """See ``Session``."""

    def deaf(self, until: Callable[[], object], line: int, text: str) -> None:
        """See ``Session``."""
        flag = self.terminal.folder / "hear"
        code = _DEAF % (json.dumps(str(flag)), line - 1, line - 1, json.dumps(text))
        thread = threading.Thread(target=self.lua, args=(code,))
        thread.start()
        try:
            until()
        finally:
            flag.touch()
            thread.join(WAIT)

    def press(self, text: str) -> None:
        """Type keys as they are, control characters among them."""
        self.terminal.type(text)

    def lua(self, code: str) -> Any:
        """Run Lua and return what it returns, through JSON."""
        wrapped = f"return vim.fn.json_encode((function() {code} end)())"
        self._socket.sendall(_call("nvim_exec_lua", wrapped))
        message = _unpack(self._stream)
        while message[0] != 1:
            message = _unpack(self._stream)
        assert message[2] is None, message[2]
        return json.loads(message[3])

    def _open(self, line: int, title: str) -> str:
        """Open the menu on a line and return the screen once it shows a title."""
        self.command(f"{line}")
        self.command("lua vim.lsp.buf.code_action()")
        return self.terminal.shows(title)

    def _connected(self) -> socket.socket | None:
        talk = socket.socket(socket.AF_UNIX)
        talk.settimeout(2 * WAIT)
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
