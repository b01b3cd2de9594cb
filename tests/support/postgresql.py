"""A real PostgreSQL server for the tests: Debian's own, on loopback, in a folder of its own, gone when they end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuppence.ledger.postgres import SCHEMA

USER = "postgres"
_CONTROL: dict[str, tuple[list[str], list[str]]] = {}
"""What stops each server that runs, and what starts it again, by its address."""


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL that is installed, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def serving() -> Iterator[str]:
    """Run a server and give the address of its database; it refuses to run as root, so it gets its own user then."""
    programs = binaries()
    assert programs is not None
    folder = Path(tempfile.mkdtemp(prefix="tuppence-postgres-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam(USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", USER, "--"]
    port = _free_port()
    data, quick = folder / "data", "-F -c full_page_writes=off -c synchronous_commit=off"
    where = f"-c listen_addresses=127.0.0.1 -p {port} -k {folder}"
    run = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w", "-l", str(folder / "log")]
    make = [*as_user, str(programs / "initdb"), "-D", str(data), "-U", USER, "--auth=trust", "--no-sync", "-E", "UTF8"]
    start, stop = [*run, "-o", f"{quick} {where}", "start"], [*run, "-m", "immediate", "stop"]
    address = f"postgresql://{USER}@127.0.0.1:{port}/{USER}"
    try:
        _do([*make, "--locale=C.UTF-8"])
        _do(start)
        with _until_we_end(stop, folder):
            _CONTROL[address] = [*run, "-m", "fast", "stop"], start
            yield address
    finally:
        _CONTROL.pop(address, None)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def ended(address: str) -> Iterator[None]:
    """End a server, whose connections break; start it again after the block.

    It ends in order, because it runs here without the writes to the disk with which others survive a crash.
    """
    stop, start = _CONTROL[address]
    _do(stop)
    try:
        yield
    finally:
        _do(start)


@contextmanager
def _until_we_end(stop: list[str], folder: Path) -> Iterator[None]:
    """Stop the server after the block, or when this process is gone, be it killed: a pipe's end outlives nobody."""
    script = 'cat > /dev/null; "$@"; rm -rf "$0"'
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        ["sh", "-c", script, str(folder), *stop],
        stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, cwd="/", start_new_session=True,
    ):  # fmt: skip
        yield


def emptied(address: str) -> str:
    """Return the address of a server whose ledger is new."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
    return address


def _do(words: list[str]) -> None:
    done = subprocess.run(words, check=False, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
