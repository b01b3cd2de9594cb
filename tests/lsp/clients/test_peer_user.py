"""The user at the other end of a connection, as the kernel reports it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import other_user
import pytest

from tuppence.lsp.clients import peer_user as module
from tuppence.lsp.clients.peer_user import peer_user

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says whose a connection is")

CONNECT = """
import socket, sys
family = {"4": socket.AF_INET, "6": socket.AF_INET6, "file": socket.AF_UNIX}[sys.argv[1]]
client = socket.socket(family)
client.connect(sys.argv[2] if sys.argv[1] == "file" else (sys.argv[2], int(sys.argv[3])))
if "close" in sys.argv:
    client.sendall(b"some bytes that nobody reads")
    client.close()
print("connected", flush=True)
sys.stdin.read()
"""
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def silent(*_: object) -> None:
    raise OSError("Protocol not supported")


@pytest.fixture(params=["asked", "by the tables"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Have the kernel asked, or its tables read."""
    if request.param == "asked":
        monkeypatch.setattr(module, "_TABLES", ())
    else:
        monkeypatch.setattr(module, "_asked", silent)
    return str(request.param)


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest, kernel: str) -> Iterator[socket.socket]:
    assert kernel
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        listening = socket.create_server((request.param, 0), family=family)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listening:
        yield listening


def test_our_own_connections_are_known(listener: socket.socket) -> None:
    for _ in range(20):
        with socket.create_connection(listener.getsockname()[:2]), listener.accept()[0] as accepted:
            assert peer_user(accepted) == os.geteuid()


@pytest.mark.parametrize("times", [0, 2])
def test_a_table_that_changes_while_it_is_read_is_read_again(monkeypatch: pytest.MonkeyPatch, times: int) -> None:
    """The kernel writes /proc/net/tcp in pieces: beside other connections a row can be left out, or come twice."""
    read, lines = 0, module._lines

    def changing(table: Path) -> Iterator[bytes]:
        nonlocal read
        read += 1
        rows = list(lines(table))
        return iter(rows * times if read <= 2 else rows)

    monkeypatch.setattr(module, "_asked", silent)
    monkeypatch.setattr(module, "_TABLES", module._TABLES[:1])
    monkeypatch.setattr(module, "_lines", changing)
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as accepted,
    ):
        assert peer_user(accepted) == os.geteuid()
        assert read >= 3


@pytest.mark.usefixtures("kernel")
def test_a_connection_by_the_ipv6_image_of_an_ipv4_address_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        words = [sys.executable, "-c", CONNECT, "6", "::ffff:127.0.0.1", str(listening.getsockname()[1])]
        pipe = subprocess.PIPE
        with subprocess.Popen(words, stdin=pipe, stdout=pipe) as client, listening.accept()[0] as accepted:
            assert peer_user(accepted) == os.geteuid()
            client.communicate(b"")


@pytest.mark.attack("local surfaces", "another user is recognized")
def test_another_users_connection_is_known_as_his(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    with other_user.start(CONNECT, "6" if ":" in host else "4", host, port) as client:
        with listener.accept()[0] as accepted:
            assert peer_user(accepted) == other_user.STRANGER
        client.communicate("")


@pytest.mark.usefixtures("kernel")
@pytest.mark.attack("local surfaces", "another user is recognized")
def test_another_users_connection_by_an_ipv6_image_is_known_as_his() -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with listening, other_user.start(CONNECT, "6", "::ffff:127.0.0.1", listening.getsockname()[1]) as client:
        with listening.accept()[0] as accepted:
            assert peer_user(accepted) == other_user.STRANGER
        client.communicate("")


@pytest.mark.attack("local surfaces", "another user is recognized")
def test_a_closed_end_does_not_read_as_root(listener: socket.socket) -> None:
    # The kernel writes 0 for the user of an end that was closed, and the tests often run as root.
    host, port = listener.getsockname()[:2]
    with other_user.start(CONNECT, "6" if ":" in host else "4", host, port, "close") as client:
        with listener.accept()[0] as accepted:
            assert client.stdout is not None
            assert client.stdout.readline() == "connected\n"
            assert peer_user(accepted) is None
        client.communicate("")


@pytest.mark.attack("local surfaces", "another user is recognized")
def test_a_user_whom_the_kernel_cannot_name_is_unknown(listener: socket.socket) -> None:
    host, port = listener.getsockname()[:2]
    with other_user.start(CONNECT, "6" if ":" in host else "4", host, port, user=other_user.USER) as client:
        with listener.accept()[0] as accepted:
            assert peer_user(accepted) is None
        client.communicate("")


@pytest.mark.attack("local surfaces", "another user is recognized")
def test_another_user_at_a_socket_that_is_a_file() -> None:
    path = Path("/tmp") / f"tuppence-test-{os.getpid()}.sock"  # noqa: S108 - where the other user can go too
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(os.fspath(path))
        try:
            path.chmod(0o666)
            listening.listen()
            with other_user.start(CONNECT, "file", path) as client:
                with listening.accept()[0] as accepted:
                    assert peer_user(accepted) == other_user.STRANGER
                client.communicate("")
        finally:
            path.unlink()


def test_our_own_end_of_a_socket_that_is_a_file() -> None:
    near, far = socket.socketpair()
    with near, far:
        assert peer_user(near) == os.geteuid()


class Stub(socket.socket):
    """A connection with addresses of its own."""

    def getpeername(self) -> tuple[str, int]:
        return "127.0.0.1", 0x9C40

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 0x1CCD


OURS = f"   5: 0100007F:9C40 0100007F:1CCD 01 00000000:00000000 00:00000000 00000000 {os.geteuid()} 0 18546 2 0 20 0\n"


@pytest.mark.attack("local surfaces", "another user is recognized")
@pytest.mark.skipif(sys.byteorder != "little", reason="the rows are written as on this machine")
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([OURS], True),
        ([], False),
        ([OURS.replace("9C40", "9C41")], False),
        ([OURS.replace("1CCD", "1CCE")], False),
        ([OURS.replace("0100007F:9C40", "0200007F:9C40")], False),
        ([OURS.replace("0100007F:9C40 0100007F:1CCD", "0100007F:1CCD 0100007F:9C40")], False),  # our own end
        ([OURS.replace(" 01 ", " 04 ")], False),
        ([OURS.replace(" 18546 ", " 0 ")], False),
        ([OURS, OURS], False),  # only one connection has these addresses
        (["   5: 0100007F:9C40 0100007F:1CCD 01\n"], False),
        (["\xff 0100007F:9C40 0100007F:1CCD 01\n"], False),
    ],
)
def test_a_row_counts_only_where_it_is_the_other_end(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[str],
    expected: bool,  # noqa: FBT001 - a table's column
) -> None:
    table = tmp_path / "tcp"
    table.write_text(HEAD + "".join(rows), encoding="latin-1")
    monkeypatch.setattr(module, "_TABLES", (table, tmp_path / "missing"))
    monkeypatch.setattr(module, "_asked", silent)
    with Stub(socket.AF_INET) as connection:
        assert peer_user(connection) == (os.geteuid() if expected else None)


@pytest.mark.attack("local surfaces", "another user is recognized")
def test_without_the_kernels_tables_nobody_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TABLES", (tmp_path / "missing", tmp_path / "missing6"))
    monkeypatch.setattr(module, "_asked", silent)
    listening = socket.create_server(("127.0.0.1", 0))
    with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
        assert peer_user(accepted) is None
    assert not module.is_known()


@pytest.mark.attack("local surfaces", "another user is recognized")
def test_without_proc_a_user_whom_the_kernel_cannot_name_is_unknown_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_OVERFLOW", tmp_path / "missing")
    near, far = socket.socketpair()
    with near, far:
        monkeypatch.setattr(module, "_of_file", lambda _: 65534)
        assert peer_user(near) is None
        monkeypatch.setattr(module, "_of_file", lambda _: 1000)
        assert peer_user(near) == 1000
