"""What an editor waits for at its start: ``initialize``, beside a pygls server without any feature."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

from benchmarks.speed.figure import Figure

EMPTY = 'from pygls.lsp.server import LanguageServer; LanguageServer("empty", "1").start_io()'
"""The program of a server without any feature."""
PAIRS = 9


def initialize() -> bytes:
    """Return the request as it is sent."""
    params: dict[str, object] = {"processId": None, "rootUri": None, "capabilities": {}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def measure(environment: Mapping[str, str]) -> Iterator[Figure]:
    """Start both servers in turn, after one start of each that is not counted."""
    empty, ours = [sys.executable, "-c", EMPTY], [sys.executable, "-m", "tuppence", "serve"]
    _seconds(empty, environment), _seconds(ours, environment)
    pairs = [(_seconds(empty, environment), _seconds(ours, environment)) for _ in range(PAIRS)]
    base, our = (statistics.median(each) for each in zip(*pairs, strict=True))
    yield Figure("initialize, from the start of the process", our * 1000, "ms")
    yield Figure("  an empty pygls server", base * 1000, "ms")
    yield Figure("  ratio", statistics.median(our / base for base, our in pairs), "x")


def _seconds(command: list[str], environment: Mapping[str, str]) -> float:
    began = time.perf_counter()
    quiet, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=quiet, env=environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(initialize())
        process.stdin.flush()
        answered = process.stdout.readline().startswith(b"Content-Length")
        seconds = time.perf_counter() - began
        process.kill()
    if not answered:
        raise RuntimeError(f"no answer to initialize from {command}")
    return seconds
