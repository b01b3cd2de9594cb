"""How a team's ledger is reached: nothing of it crosses a network in plain text, and no password is shown."""

from __future__ import annotations

import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger, postgres_tls
from tuppence.ledger.postgres import Postgres

SSL_REQUEST = 80877103


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PGHOST", "PGHOSTADDR", "PGSSLMODE", "PGSERVICE", "PGSSLROOTCERT", "PGPORT", "PGSERVICEFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def options(address: str) -> dict[str, str]:
    return Postgres(address)._protection()


FAR = (
    "postgresql://user@db.example/books",
    "postgresql://user@db.example:6000/books",
    "postgres://user@10.0.0.7/books",
    "postgresql://user@localhost.evil.example/books",
    "postgresql://user@127.1/books",
    "postgresql://user@127.0.0.1.nip.example/books",
    "postgresql://user@localhost,db.example/books",
    "postgresql://user@%2Frun%2Fpostgresql,db.example/books",
    "postgresql:///books?host=db.example",
    "postgresql://user@localhost/books?host=db.example",
    "postgresql://user@localhost/books?hostaddr=10.0.0.7",
    "postgresql://user@127.0.0.1/books?hostaddr=10.0.0.7",
    "postgresql://user@/books?host=localhost,localhost&hostaddr=127.0.0.1,10.0.0.7",
    "postgresql://user@%2Frun%2Fpostgresql/books?hostaddr=10.0.0.7",
    "postgresql://user@[fd00::7]/books",
    "postgresql://user@0.0.0.0/books",
    "postgresql://user@/books?service=team",
    "postgresql://user@localhost/books?service=team",
)
NEAR = (
    "postgresql:///books",
    "postgresql://user@/books",
    "postgresql://user@127.0.0.1/books",
    "postgresql://user@127.0.0.1:6000/books",
    "postgresql://user@[::1]/books",
    "postgresql://user@%2Frun%2Fpostgresql/books",
    "postgresql:///books?host=/tmp",
    "postgresql:///books?host=@abstract",
    "postgresql://user@db.example/books?hostaddr=127.0.0.1",
    "postgresql://user@127.0.0.1:1,127.0.0.2:2/books",
)


@pytest.mark.attack("keys", "a ledger across the network in plain text")
@pytest.mark.parametrize("address", FAR)
def test_to_another_machine_the_certificate_is_checked(address: str) -> None:
    assert options(address)["sslmode"] == "verify-full"


@pytest.mark.attack("keys", "a ledger across the network in plain text")
@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "", "VERIFY-FULL", "nonsense"])
@pytest.mark.parametrize("address", FAR[:3])
def test_what_may_fall_back_to_plain_text_is_refused(address: str, mode: str) -> None:
    with pytest.raises(TuppenceError, match="sslmode in the address") as refused:
        options(f"{address.replace('user@', 'user:s3cret@')}?sslmode={mode}")
    assert "s3cret" not in str(refused.value)


@pytest.mark.attack("keys", "a ledger across the network in plain text")
@pytest.mark.parametrize(
    ("variables", "address"),
    [
        ({"PGHOST": "db.example"}, "postgresql:///books"),
        ({"PGHOSTADDR": "10.0.0.7"}, "postgresql://user@localhost/books"),
        ({"PGHOSTADDR": "10.0.0.7"}, "postgresql:///books"),
        ({"PGSERVICE": "team"}, "postgresql://user@localhost/books"),
        ({"PGSSLMODE": ""}, "postgresql://user@db.example/books"),
    ],
)
def test_the_environment_names_another_machine_too(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert options(address)["sslmode"] == "verify-full"


@pytest.mark.attack("keys", "a ledger across the network in plain text")
@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_a_weak_mode_of_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setenv("PGSSLMODE", mode)
    with pytest.raises(TuppenceError, match="sslmode in PGSSLMODE"):
        options("postgresql://user@db.example/books")
    assert options("postgresql://user@127.0.0.1/books") == {}


@pytest.mark.parametrize("address", NEAR)
def test_this_machine_needs_none(address: str) -> None:
    assert "sslmode" not in options(address)
    assert options(f"{address}{'&' if '?' in address else '?'}sslmode=disable") == options(address)


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_what_the_user_wrote_is_kept(monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    assert "sslmode" not in options(f"postgresql://user@db.example/books?sslmode={mode}")
    monkeypatch.setenv("PGSSLMODE", mode)
    assert options("postgresql://user@db.example/books")["sslmode"] == mode


@pytest.mark.attack("keys", "localhost resolves to another machine")
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "db.localhost"])
def test_no_resolver_is_asked_for_this_machine(host: str) -> None:
    found = options(f"postgresql://user@{host}:6000,127.0.0.1:7000,%2Ftmp:8000/books")
    assert found == {
        "host": f"{host},{host},127.0.0.1,/tmp",
        "hostaddr": "127.0.0.1,::1,,",
        "port": "6000,6000,7000,8000",
    }
    mixed = options(f"postgresql:///books?host={host},{host}&hostaddr=127.0.0.9,")
    assert mixed["hostaddr"] == "127.0.0.9,127.0.0.1,::1"


def test_the_certificates_are_the_systems_unless_the_user_has_some(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    address = "postgresql://user@db.example/books"
    assert options(address)["sslrootcert"] == (ssl.get_default_verify_paths().cafile or "system")
    assert "sslrootcert" not in options(f"{address}?sslrootcert=/mine.pem")
    assert "sslrootcert" not in options(f"{address}?sslmode=require")
    monkeypatch.setenv("PGSSLROOTCERT", "/mine.pem")
    assert "sslrootcert" not in options(address)
    monkeypatch.delenv("PGSSLROOTCERT")
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text("")
    assert "sslrootcert" not in options(address)


def test_the_tests_own_addresses_are_what_libpq_understands() -> None:
    for address in (*FAR, *NEAR):
        assert conninfo_to_dict(address)


# A real libpq and a server that heard everything


class Eavesdropper:
    """A server on loopback that speaks no TLS and keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                while data := connection.recv(4096):
                    if data == struct.pack("!II", 8, SSL_REQUEST):
                        connection.sendall(b"N")
                        continue
                    self.heard += data
                    break


@pytest.fixture
def eavesdropper() -> Iterator[Eavesdropper]:
    found = Eavesdropper()
    yield found
    found.close()


@pytest.mark.attack("keys", "a ledger across the network in plain text")
@pytest.mark.parametrize("ending", ["", "?sslmode=verify-full", "?sslmode=require", "?sslmode=verify-ca"])
def test_a_server_without_tls_hears_neither_user_nor_password(
    eavesdropper: Eavesdropper, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(postgres_tls, "is_loopback", lambda _host: False)  # As if it were another machine.
    ledger = Ledger(f"postgresql://alice:s3cret@127.0.0.1:{eavesdropper.port}/books{ending}")
    with pytest.raises(TuppenceError) as refused:
        ledger.entries()
    ledger.close()
    assert eavesdropper.heard == b""
    assert "s3cret" not in str(refused.value)
    assert re.search("sslmode|sslrootcert", str(refused.value))


def test_the_eavesdropper_hears_what_is_sent_in_plain_text(eavesdropper: Eavesdropper) -> None:
    with pytest.raises(psycopg.Error):
        psycopg.connect(f"postgresql://alice:s3cret@127.0.0.1:{eavesdropper.port}/books?connect_timeout=2")
    assert b"alice" in eavesdropper.heard


def test_a_certificate_that_does_not_fit_says_how_to_name_another() -> None:
    said = Postgres("postgresql://user@db.example/books")._failure(
        psycopg.OperationalError("certificate verify failed")
    )
    assert "sslrootcert=FILE" in said.remedy
    assert postgres_tls.STRICT in said.remedy
