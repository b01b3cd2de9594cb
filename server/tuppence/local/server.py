"""The process of the embedded model: ``python -m tuppence.local.server ROOM WEIGHTS IDLE_SECONDS``.

llama.cpp serves HTTP on its own threads, at a random loopback port and with a random key. This module starts it, writes
its state file, and then watches: it ends the process when no client is left, or after a time without requests. It reads
no configuration and writes only its state and its log.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NoReturn

from tuppence.local.embedded import CONTEXT, MODEL
from tuppence.local.leases import LeaseDirectory, State
from tuppence.local.loopback_http import HOST

SLOTS = 2
TICK_SECONDS = 2.0
_MOST_THREADS = 8
_WARNINGS = 2
_SOMEBODY_SITS_HERE = 3


class IdleWatch:
    """Decides when the server is no longer needed."""

    def __init__(self, room: LeaseDirectory, idle: float) -> None:
        self._room = room
        self._idle = idle
        self._used = time.time()
        self._counts: tuple[str, ...] = ()

    def over(self, metrics: str, now: float) -> bool:
        """Report whether to end, from llama.cpp's metrics and the time in epoch seconds.

        If so, the door stays locked until the process ends, so that no client can join. While another process holds the
        door, it is joining, and the server does not end.
        """
        counts = tuple(line for line in metrics.splitlines() if line.startswith("llamacpp:") and "_total " in line)
        if counts != self._counts or _busy(metrics):
            self._counts, self._used = counts, now
        door = self._room.door()
        if not door.take():
            return False
        leases = self._room.leases()
        if not leases or now - max(self._used, *leases) > self._idle:
            self._door = door
            return True
        door.free()
        return False


def main(arguments: list[str]) -> NoReturn:
    """Lock the seat, detach from the parent, and serve until no longer needed."""
    room = LeaseDirectory(Path(arguments[0]))
    seat = room.seat()
    if not seat.take(patience=1):
        sys.exit(_SOMEBODY_SITS_HERE)
    room.clear()
    _leave_parent()
    _serve(room, Path(arguments[1]), float(arguments[2]))


def _leave_parent() -> None:
    """Fork and end the parent; the lock on the seat is shared and stays with the child."""
    if sys.platform != "win32" and os.fork():
        os._exit(0)


def _serve(room: LeaseDirectory, weights: Path, idle: float) -> NoReturn:
    ended = threading.Event()
    for name in ("SIGTERM", "SIGINT"):
        signal.signal(getattr(signal, name), lambda *_: ended.set())
    key = secrets.token_urlsafe(32)
    import xllamacpp  # type: ignore[import-untyped]  # it ships no types

    server = xllamacpp.Server(_parameters(xllamacpp, weights, key))
    port = int(server.listening_address.rpartition(":")[2])
    room.write(State(os.getpid(), port, key, time.time()))
    watch = IdleWatch(room, idle)
    while not ended.wait(min(TICK_SECONDS, idle / 2)):
        if watch.over(server.handle_metrics(), time.time()):
            break
    room.clear()
    os._exit(0)  # llama.cpp's regular shutdown waits for its connections.


def _parameters(xllamacpp: Any, weights: Path, key: str) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights)
    parameters.model_alias = {MODEL}
    parameters.hostnames = [HOST]
    parameters.port = 0  # The system chooses a free port.
    parameters.api_keys = [key]
    parameters.cors_origins = ""  # Web pages need no access.
    parameters.ui = False
    parameters.endpoint_metrics = True
    parameters.n_parallel = SLOTS
    parameters.n_ctx = CONTEXT * SLOTS  # The context is divided among the slots.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = _threads()
    parameters.cache_ram_mib = 512  # For prompts displaced from a slot; the default is 8 GiB.
    parameters.warmup = True
    parameters.verbosity = _WARNINGS
    return parameters


def _threads() -> int:
    """Return the number of usable processors, at most 8: with more threads a small model mostly waits."""
    allowed = os.cpu_count() or 1
    if sys.platform == "linux":
        allowed = len(os.sched_getaffinity(0))
    return min(_MOST_THREADS, allowed)


def _busy(metrics: str) -> bool:
    waiting = ("llamacpp:requests_processing ", "llamacpp:requests_deferred ")
    return any(line.startswith(waiting) and float(line.split()[-1]) > 0 for line in metrics.splitlines())


if __name__ == "__main__":
    main(sys.argv[1:])
