"""The tests' own PostgreSQL server ends with them, also where they are killed."""

from __future__ import annotations

import subprocess
import sys
import time

import psycopg
import pytest
from paths import SUPPORT

import postgresql

SERVING = """
import sys
sys.path.insert(0, sys.argv[1])
import postgresql
with postgresql.serving() as address:
    print(address, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(postgresql.binaries() is None, reason="PostgreSQL is not installed: tests/postgresql/set-up.sh")
def test_a_server_ends_with_whoever_started_it() -> None:
    words = [sys.executable, "-c", SERVING, str(SUPPORT)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        psycopg.connect(address).close()
        process.kill()
    deadline = time.monotonic() + 100
    while time.monotonic() < deadline:
        try:
            psycopg.connect(address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return
        time.sleep(0.1)
    raise AssertionError("the server outlived the process that started it")
