from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from paths import SERVER
from pygls.exceptions import JsonRpcException
from pygls.lsp.client import LanguageClient

from tuppence.errors import Broken, TuppenceError
from tuppence.lsp import transport
from tuppence.lsp.protocol import framing
from tuppence.lsp.protocol.framing import read_message
from tuppence.lsp.protocol.lifecycle import Server

pytestmark = pytest.mark.process  # the transport's own server, not the product's

# A real server process whose commands leave traces in files; all else is as in `tuppence serve`.
PROGRAM = """
import asyncio, os, pathlib, sys, types
from tuppence.lsp.protocol.lifecycle import Server

def create_server(config):
    server = Server("test", "0")

    @server.command("mark")
    async def mark(path: str) -> str:
        pathlib.Path(path).write_text("ran")
        return str(config)

    @server.command("hang")
    async def hang(path: str) -> None:
        try:
            pathlib.Path(path).write_text("began")
            await asyncio.sleep(600)
        finally:
            pathlib.Path(path).write_text("ended")

    @server.command("noise")
    async def noise() -> None:
        print("a library's print", flush=True)
        os.write(1, b"a C library's print\\n")
        os.system("echo a child\\'s print; cat")

    async def at_end() -> None:
        sys.stderr.write("tidied up\\n")

    server.at_end.append(at_end)
    return server

module = types.ModuleType("tuppence.lsp.server")
module.create_server = create_server
sys.modules["tuppence.lsp.server"] = module
from tuppence.lsp.transport import serve
sys.exit(serve(pathlib.Path("a.toml"), sys.argv[1] if len(sys.argv) > 1 else None))
"""
COMMAND = [sys.executable, "-c", PROGRAM]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(SERVER)}


def frame(message: dict[str, Any]) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def initialize(process: int | None = None) -> bytes:
    params: dict[str, Any] = {"processId": process, "rootUri": None, "capabilities": {}}
    return frame({"id": 0, "method": "initialize", "params": params})


def command(name: str, *arguments: Any, id_: int = 1) -> bytes:
    params = {"command": name, "arguments": [str(each) for each in arguments]}
    return frame({"id": id_, "method": "workspace/executeCommand", "params": params})


def bodies(data: bytes) -> list[dict[str, Any]]:
    found = []
    while data:
        match = re.match(rb"Content-Length: (\d+)\r\n\r\n", data)
        assert match, f"not the protocol: {data[:60]!r}"
        end = match.end() + int(match[1])
        found.append(json.loads(data[match.end() : end]))
        data = data[end:]
    return found


def until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


@contextlib.contextmanager
def process(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([*COMMAND, *arguments], env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=pipe) as found:
        try:
            yield found
        finally:
            found.kill()


def say(to: subprocess.Popen[bytes], *messages: bytes) -> None:
    assert to.stdin is not None
    to.stdin.write(b"".join(messages))
    to.stdin.flush()


# The standard streams


@pytest.fixture
async def client() -> AsyncIterator[LanguageClient]:
    client = LanguageClient("a client", "1")
    await client.start_io(*COMMAND, env=ENVIRONMENT)
    await client.initialize_async(
        types.InitializeParams(capabilities=types.ClientCapabilities(), process_id=os.getpid())
    )
    yield client
    await client.shutdown_async(None)
    client.exit(None)
    await asyncio.wait_for(client.stop(), 60)  # type: ignore[no-untyped-call]  # pygls does not annotate it
    assert client._server is not None
    assert client._server.returncode == 0


def execute(client: LanguageClient, name: str, *arguments: Any) -> Any:
    return client.workspace_execute_command_async(types.ExecuteCommandParams(name, arguments=[*arguments]))


async def test_a_real_client_runs_a_command(client: LanguageClient, tmp_path: Path) -> None:
    assert await execute(client, "mark", str(tmp_path / "mark")) == "a.toml"
    assert text_of(tmp_path / "mark") == "ran"


async def test_a_real_client_cancels_a_command(client: LanguageClient, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    params = types.ExecuteCommandParams("hang", arguments=[str(trace)])
    asked = client.protocol.send_request_async("workspace/executeCommand", params, msg_id="mine")
    await asyncio.to_thread(until, lambda: text_of(trace) == "began")
    client.cancel_request(types.CancelParams(id="mine"))
    with pytest.raises(JsonRpcException) as raised:
        await asked
    assert raised.value.code == types.LSPErrorCodes.RequestCancelled
    # By itself the command ends after more time than a test may take.
    await asyncio.to_thread(until, lambda: text_of(trace) == "ended")


async def test_what_is_printed_goes_elsewhere(client: LanguageClient, tmp_path: Path) -> None:
    assert await asyncio.wait_for(execute(client, "noise"), 60) is None
    assert await execute(client, "mark", str(tmp_path / "mark")) == "a.toml"


def test_an_orderly_end() -> None:
    with process() as server:
        out, err = server.communicate(
            initialize() + frame({"id": 1, "method": "shutdown"}) + frame({"method": "exit"}), timeout=60
        )
        assert server.returncode == 0
    assert [message["id"] for message in bodies(out)] == [0, 1]
    assert err == b"tidied up\n"


@pytest.mark.parametrize("last", [frame({"method": "exit"}), b""], ids=["exit", "end of stdin"])
def test_an_end_without_shutdown_ends_what_runs_and_is_a_failure(tmp_path: Path, last: bytes) -> None:
    with process() as server:
        say(server, initialize(), command("hang", tmp_path / "trace"))
        until(lambda: text_of(tmp_path / "trace") == "began")
        out, err = server.communicate(last, timeout=60)
        assert server.returncode == 1
    assert text_of(tmp_path / "trace") == "ended"
    assert [message["id"] for message in bodies(out)] == [0, 1]
    assert err == b"tidied up\n"


def test_a_signal_ends_it_in_order(tmp_path: Path) -> None:
    with process() as server:
        say(server, initialize(), command("hang", tmp_path / "trace"))
        until(lambda: text_of(tmp_path / "trace") == "began")
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 1
    assert text_of(tmp_path / "trace") == "ended"


def test_it_ends_with_its_editor(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "600"]) as editor, process() as server:
        say(server, initialize(editor.pid), command("mark", tmp_path / "trace"))
        # Before the server has seen its editor once, an editor that is gone may be one of another machine.
        until(lambda: text_of(tmp_path / "trace") == "ran")
        time.sleep(1.5)
        assert server.poll() is None
        editor.kill()
        editor.wait()
        assert server.wait(60) == 1


def test_an_editor_in_another_container_is_not_missed() -> None:
    with process() as server:
        say(server, initialize(2**22 + 1))
        time.sleep(1.5)
        assert server.poll() is None


def test_an_editor_that_does_not_read_stops_nothing(tmp_path: Path) -> None:
    with process() as server:
        item = {"uri": "file:///a", "languageId": "x" * 200_000, "version": 1, "text": ""}
        say(server, initialize(), *[frame({"id": "x" * 100_000, "method": "no/such", "params": item})] * 5)
        say(server, command("mark", tmp_path / "mark"))
        until(lambda: text_of(tmp_path / "mark") == "ran")


def test_something_else_on_stdin_is_one_sentence() -> None:
    with process() as server:
        out, err = server.communicate(b"hello\r\n", timeout=60)
        assert server.returncode == 2
    assert out == b""
    assert b"Language Server Protocol" in err
    assert b"Traceback" not in err


# TCP


@contextlib.contextmanager
def listening() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with process("127.0.0.1:0") as server:
        assert server.stderr is not None
        match = re.fullmatch(rb"listening on 127\.0\.0\.1:(\d+)\n", server.stderr.readline())
        assert match
        yield server, int(match[1])


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening() as (_, port):
        yield port


def send(port: int, data: bytes) -> bytes:
    """Return what comes back before the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(data)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while more := connection.recv(65536):
                received += more
        return received


def attack(path: Path) -> bytes:
    return initialize() + command("mark", path)


@contextlib.contextmanager
def seated(port: int) -> Iterator[socket.socket]:
    """Connect until the server serves this client: it turns away those that come before the last one has left."""
    while True:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
            client.sendall(initialize())
            is_served = False
            with contextlib.suppress(ConnectionResetError):
                is_served = bool(client.recv(1, socket.MSG_PEEK))
            if is_served:
                yield client
                return


@pytest.mark.parametrize(
    "lines",
    [
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nOrigin: http://evil.example\r\n\r\n",
        b"Host: 127.0.0.1\r\n",
        b"Origin: null\r\n",
        b"\r\n",
        b"X-Unknown: 1\r\n",
        b"Content-Type: text/plain\r\nOrigin: null\r\n",
        b"Content-Length: 5\r\nContent-Length: 50\r\n\r\n",
        b"Content-Length: -5\r\n\r\n",
        b"Content-Length : 5\r\n\r\n",
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Type: a\r\n" * 20,
        b"Content-Type: " + b"a" * 2000 + b"\r\n",
        b"A" * 100_000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
    ],
)
def test_what_is_not_the_protocol_runs_nothing(port: int, tmp_path: Path, lines: bytes) -> None:
    assert send(port, lines + attack(tmp_path / "mark")) == b""
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("intruder", [b"Host: 127.0.0.1\r\n", b"Origin: null\r\n"])
def test_a_later_message_with_other_headers_runs_nothing(port: int, tmp_path: Path, intruder: bytes) -> None:
    sneaked = command("mark", tmp_path / "mark")
    received = send(port, initialize() + intruder + sneaked)
    assert [message["id"] for message in bodies(received)] in ([], [0])
    inside = sneaked.replace(b"\r\n\r\n", b"\r\n" + intruder + b"\r\n")
    assert [message["id"] for message in bodies(send(port, initialize() + inside))] in ([], [0])
    assert not (tmp_path / "mark").exists()


def test_a_web_page_runs_nothing(port: int, tmp_path: Path) -> None:
    page = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    with contextlib.suppress(ConnectionError):
        page.request("POST", "/", body=attack(tmp_path / "mark"), headers=headers)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        page.getresponse()
    assert not (tmp_path / "mark").exists()


def test_one_client_after_the_other_each_with_a_server_of_its_own(port: int, tmp_path: Path) -> None:
    for number in (1, 2):
        with seated(port) as client:
            client.sendall(command("mark", tmp_path / f"{number}"))
            until(lambda number=number: text_of(tmp_path / f"{number}") == "ran")
            assert send(port, attack(tmp_path / "second")) == b""
            # A page that knocks meanwhile does not unseat the client.
            assert send(port, b"GET / HTTP/1.1\r\n\r\n") == b""
            client.sendall(command("mark", tmp_path / f"again {number}", id_=2))
            until(lambda number=number: text_of(tmp_path / f"again {number}") == "ran")
    assert not (tmp_path / "second").exists()


def test_exit_over_tcp_ends_the_process() -> None:
    with listening() as (server, port):
        received = send(port, initialize() + frame({"id": 1, "method": "shutdown"}) + frame({"method": "exit"}))
        assert [message["id"] for message in bodies(received)] == [0, 1]
        assert server.wait(60) == 0


def test_a_signal_ends_serving_even_with_a_client_seated(tmp_path: Path) -> None:
    with listening() as (server, port), socket.create_connection(("127.0.0.1", port)) as seated:
        seated.sendall(initialize() + command("hang", tmp_path / "trace"))
        until(lambda: text_of(tmp_path / "trace") == "began")
        server.send_signal(signal.SIGINT)
        assert server.wait(60) == 1
        assert text_of(tmp_path / "trace") == "ended"


def test_a_port_in_use_is_one_sentence(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert transport.serve(None, f"127.0.0.1:{port}") == 2
    assert re.fullmatch(rf"tuppence cannot listen on 127\.0\.0\.1:{port}: .+\. .+\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "address", ["0.0.0.0:7373", "192.168.1.5:7373", "example.org:80", "[::]:7373", "::ffff:1.2.3.4:5"]
)
def test_only_loopback_is_served(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert transport.serve(None, address) == 2
    assert "loopback" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["7373", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":80", "127.0.0.1:-1"])
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(TuppenceError, match=f"`{re.escape(address)}` is not an address"):
        transport._address(address)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("localhost:1", ("127.0.0.1", 1)), ("[::1]:0", ("::1", 0)), ("127.9.9.9:65535", ("127.9.9.9", 65535))],
)
def test_loopback_has_several_names(given: str, expected: tuple[str, int]) -> None:
    assert transport._address(given) == expected


# Framing


def reader(*pieces: bytes) -> asyncio.StreamReader:
    found = asyncio.StreamReader()
    for piece in pieces:
        found.feed_data(piece)
    found.feed_eof()
    return found


async def test_messages_are_cut_wherever_the_bytes_are() -> None:
    sent = (
        frame({"id": 1, "x": "é"}) + b"content-type: a\r\ncontent-length:  2 \r\n\r\n{}" + b"Content-Length: 0\r\n\r\n"
    )
    for cut in range(len(sent)):
        stream = reader(sent[:cut], sent[cut:])
        first = await read_message(stream)
        assert first is not None
        assert json.loads(first)["x"] == "é"
        assert [await read_message(stream), await read_message(stream), await read_message(stream)] == [
            b"{}",
            b"",
            None,
        ]


async def test_a_stream_that_ends_inside_a_message_has_ended() -> None:
    sent = frame({"id": 1})
    for cut in range(len(sent)):
        assert await read_message(reader(sent[:cut])) is None


async def test_a_message_over_the_limit_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "LONGEST_BODY", 1 << 20)
    with pytest.raises(Broken, match="A message of 2 MB is over the limit of 1 MB"):
        await read_message(reader(b"Content-Length: 2097152\r\n\r\n"))


# Conversations


async def test_a_request_begins_before_the_next_change_is_applied() -> None:
    server, uri, seen = Server("test", "0"), "file:///a.py", []

    @server.command("look")
    async def look(ls: Server) -> None:
        document = ls.protocol.documents.get(uri)
        seen.append(document and document.text)

    item = {"uri": uri, "languageId": "python", "version": 1, "text": "old"}
    change = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": "new"}]}
    sent = [
        initialize(),
        frame({"method": "textDocument/didOpen", "params": {"textDocument": item}}),
        command("look", id_=1),
        frame({"method": "textDocument/didChange", "params": change}),
        command("look", id_=2),
    ]
    await transport._converse(server, reader(b"".join(sent)))
    assert seen == ["old", "new"]


async def test_all_that_is_to_be_done_at_the_end_is_done_although_a_part_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, done = Server("test", "0"), list[str]()

    async def fails() -> None:
        raise OSError("disk full")

    async def tidies() -> None:
        done.append("tidied")

    server.at_end += [fails, tidies]
    await transport._converse(server, reader(initialize()))
    assert done == ["tidied"]
    assert "disk full" in caplog.text
