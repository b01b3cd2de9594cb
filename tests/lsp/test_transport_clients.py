"""Which clients a server that listens serves: its own user's, known by the kernel's word or by the token."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import other_user
import pytest
from tests.lsp.test_transport import (
    COMMAND,
    ENVIRONMENT,
    bodies,
    command,
    frame,
    initialize,
    listening,
    seated,
    send,
    text_of,
    until,
)

from tuppence.lsp import transport

pytestmark = [pytest.mark.process, pytest.mark.skipif(sys.platform != "linux", reason="only Linux says who connects")]

ATTACK = """
import contextlib, socket, sys
way, address, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
sent = sys.stdin.buffer.read()
made = []
for _ in range(rounds):
    with contextlib.suppress(OSError):
        if address.startswith("/"):
            client = socket.socket(socket.AF_UNIX)
            client.connect(address)
        else:
            client = socket.create_connection(("127.0.0.1", int(address)), timeout=30)
        made.append(client)
        if way != "silent":
            client.sendall(sent)
        if way == "close":
            client.close()
        if way == "shut":
            client.shutdown(socket.SHUT_WR)
received = b""
for client in made if way != "close" else ():
    with contextlib.suppress(OSError):
        while more := client.recv(65536):
            received += more
sys.stdout.buffer.write(b"%d connected\\n" % len(made) + received)
"""
# As PROGRAM of the other file, but the system does not say who connects.
UNKNOWN = """
from tuppence.lsp.clients import admission, peer_user
admission.peer_user = lambda connection: None
peer_user.is_known = lambda: False
"""


def attack(path: Path) -> bytes:
    return initialize() + command("mark", path)


def of_another(way: str, address: object, sent: bytes, rounds: int = 1, user: int = other_user.STRANGER) -> bytes:
    """Attack as another user; return what came back."""
    words = [other_user.python(), "-I", "-c", ATTACK, way, str(address), str(rounds)]
    who = other_user.identity(user)
    said: bytes = subprocess.run(words, input=sent, check=True, capture_output=True, timeout=60, **who).stdout
    connected, _, received = said.partition(b"\n")
    assert connected.endswith(b"connected")
    return received


@contextlib.contextmanager
def serving(
    program: str, *arguments: str, environment: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run a server; give it with the first line that it says."""
    pipe = subprocess.PIPE
    words = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(words, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as server:
        try:
            assert server.stderr is not None
            yield server, server.stderr.readline().decode()
        finally:
            server.kill()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with listening() as (_, port):
        yield port


# Another user


@pytest.mark.attack("local surfaces", "another user at the TCP port")
@pytest.mark.parametrize("way", ["wait", "shut", "close"])
@pytest.mark.parametrize("user", [other_user.STRANGER, other_user.USER], ids=["stranger", "nobody"])
def test_another_user_runs_nothing(port: int, tmp_path: Path, way: str, user: int) -> None:
    received = of_another(way, port, attack(tmp_path / "mark"), user=user)
    with seated(port) as client:
        client.sendall(command("mark", tmp_path / "ours"))
        until(lambda: text_of(tmp_path / "ours") == "ran")
    assert not (tmp_path / "mark").exists()
    assert b"result" not in received
    for answer in bodies(received):
        assert re.search("belongs to user|did not hold the token", answer["error"]["message"])


@pytest.mark.attack("local surfaces", "another user at the TCP port")
def test_another_user_who_sends_nothing_is_refused_at_once(port: int) -> None:
    [answer] = bodies(of_another("silent", port, b""))
    assert answer["id"] is None
    assert answer["error"]["code"] == -32803
    assert answer["error"]["message"].startswith(f"This server belongs to user {os.geteuid()} of this machine")


@pytest.mark.attack("local surfaces", "another user holds up the owner")
@pytest.mark.parametrize("way", ["silent", "wait", "close"])
def test_another_user_takes_neither_the_seat_nor_the_descriptors(tmp_path: Path, way: str) -> None:
    with listening() as (server, port):
        with socket.create_connection(("127.0.0.1", port), timeout=60) as seated:
            seated.sendall(initialize() + command("mark", tmp_path / "1"))
            until(lambda: text_of(tmp_path / "1") == "ran")
            before = len(os.listdir(f"/proc/{server.pid}/fd"))  # noqa: PTH208 - a count
            of_another(way, port, attack(tmp_path / "theirs"), rounds=100)
            seated.sendall(command("mark", tmp_path / "2", id_=2))
            until(lambda: text_of(tmp_path / "2") == "ran")
            until(lambda: len(os.listdir(f"/proc/{server.pid}/fd")) <= before + 1)  # noqa: PTH208
        assert server.poll() is None
    assert not (tmp_path / "theirs").exists()


@pytest.mark.attack("local surfaces", "another user holds up the owner")
def test_the_owner_is_seated_beside_a_crowd(tmp_path: Path) -> None:
    with listening() as (_, port):
        silent = """
import socket, sys
held = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(100)]
print("held", flush=True)
sys.stdin.read()
"""
        with other_user.start(silent, port) as crowd:
            assert crowd.stdout is not None
            assert crowd.stdout.readline() == "held\n"
            with socket.create_connection(("127.0.0.1", port), timeout=60) as seated:
                seated.sendall(attack(tmp_path / "ours"))
                until(lambda: text_of(tmp_path / "ours") == "ran")
            crowd.communicate("")


# Where the system does not say who connects


@pytest.fixture
def unknown(tmp_path: Path) -> Iterator[tuple[int, str]]:
    """Give the port and the token of a server whose system does not say who connects."""
    environment = ENVIRONMENT | {"XDG_STATE_HOME": str(tmp_path / "state")}
    program = COMMAND[2].replace(
        "from tuppence.lsp.transport import serve", UNKNOWN + "from tuppence.lsp.transport import serve"
    )
    with serving(program, "127.0.0.1:0", environment=environment) as (server, said):
        assert server.stderr is not None
        path = tmp_path / "state" / "tuppence" / "tcp-token"
        line = server.stderr.readline().decode()
        assert line == f"a client has to send the text of {path} as initializationOptions.token\n"
        yield int(said.rpartition(":")[2]), path.read_text().strip()


def opened(token: str) -> bytes:
    params = {"processId": None, "rootUri": None, "capabilities": {}, "initializationOptions": {"token": token}}
    return frame({"id": 0, "method": "initialize", "params": params})


def test_the_token_opens(unknown: tuple[int, str], tmp_path: Path) -> None:
    port, token = unknown
    with socket.create_connection(("127.0.0.1", port), timeout=60) as seated:
        seated.sendall(opened(token) + command("mark", tmp_path / "ours"))
        until(lambda: text_of(tmp_path / "ours") == "ran")


@pytest.mark.attack("local surfaces", "a client without the token")
def test_without_the_token_there_is_one_error_and_nothing_runs(unknown: tuple[int, str], tmp_path: Path) -> None:
    port, token = unknown
    for sent in (initialize(), opened(""), opened(token[:-1]), opened(token + "x"), command("mark", tmp_path / "a")):
        [answer] = bodies(send(port, sent + command("mark", tmp_path / "a")))
        assert "did not hold the token" in answer["error"]["message"]
        assert token not in answer["error"]["message"]
    assert send(port, b"Content-Length: 2000000\r\n\r\n") == b"", "a first message has a limit of its own"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as seated:
        seated.sendall(opened(token) + command("mark", tmp_path / "ours"))
        until(lambda: text_of(tmp_path / "ours") == "ran")
    assert not (tmp_path / "a").exists()


@pytest.mark.attack("local surfaces", "a crowd without the token")
def test_a_silent_crowd_holds_few_descriptors_and_does_not_keep_the_owner_out(
    unknown: tuple[int, str], tmp_path: Path
) -> None:
    port, token = unknown
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(100)]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as seated:
        seated.sendall(opened(token) + command("mark", tmp_path / "ours"))
        until(lambda: text_of(tmp_path / "ours") == "ran")
        for each in crowd[: -transport._WAITING - 1]:  # The oldest were dropped.
            with contextlib.suppress(ConnectionResetError):
                assert each.recv(1) == b""
        seated.sendall(command("mark", tmp_path / "again", id_=2))
        until(lambda: text_of(tmp_path / "again") == "ran")
    for each in crowd:
        each.close()


# A socket that is a file


@pytest.fixture
def at_file(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a server at a socket."""
    path = tmp_path / "run" / "s"
    program = COMMAND[2].rpartition("sys.exit")[0] + "sys.exit(serve(None, None, pathlib.Path(sys.argv[1])))"
    with serving(program, str(path), environment=ENVIRONMENT) as (server, said):
        assert said == f"listening at {path}\n"
        yield server, path


def speak(path: Path, sent: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(os.fspath(path))
        client.sendall(sent)
        received = b""
        while more := client.recv(65536):
            received += more
        return received


def test_the_socket_serves_its_user_and_goes_with_the_server(
    at_file: tuple[subprocess.Popen[bytes], Path], tmp_path: Path
) -> None:
    server, path = at_file
    end = frame({"id": 2, "method": "shutdown"}) + frame({"method": "exit"})
    answers = bodies(speak(path, initialize() + command("mark", tmp_path / "mark") + end))
    assert {each["id"] for each in answers} == {0, 1, 2}
    assert text_of(tmp_path / "mark") == "ran"
    assert server.wait(60) == 0
    assert not path.exists()


@pytest.mark.attack("local surfaces", "another user at the socket")
def test_another_user_does_not_reach_the_socket(at_file: tuple[subprocess.Popen[bytes], Path], tmp_path: Path) -> None:
    _, path = at_file
    assert of_another("wait", path, attack(tmp_path / "mark")) == b""
    assert not (tmp_path / "mark").exists()


@pytest.mark.attack("local surfaces", "another user at the socket")
@pytest.mark.parametrize("way", ["wait", "close", "silent"])
def test_another_user_at_a_socket_that_was_opened_to_all_is_refused(
    at_file: tuple[subprocess.Popen[bytes], Path], tmp_path: Path, way: str
) -> None:
    _, path = at_file
    public = Path("/tmp") / f"tuppence-test-{os.getpid()}"  # noqa: S108 - where the other user can go too
    path.chmod(0o666)
    public.mkdir(mode=0o755)
    path.rename(public / "s")
    try:
        received = of_another(way, public / "s", attack(tmp_path / "mark"))
        assert all("belongs to user" in each["error"]["message"] for each in bodies(received))
        assert json.dumps("result") not in received.decode()
        assert bodies(speak(public / "s", initialize() + frame({"method": "exit"})))[0]["id"] == 0
    finally:
        (public / "s").unlink(missing_ok=True)
        public.rmdir()
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_folder_that_others_can_enter_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int
) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(mode)
    assert transport.serve(None, None, tmp_path / "open" / "s") == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
