"""Servers that start with their modules loaded, for tests that do not test the start of the program.

Loading the modules takes most of the time of a short test. So each pytest worker has one process that loads them, and
forks it for each server. A fork has the arguments, environment, folder, streams and session of a separate program. It
is a child of the worker, which waits for it and kills it like any other. ``begun()`` marks the starts that use a fork.
All others start a program; so do a worker's first start, starts with their own settings for Python, and all starts on
systems other than Linux.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

_COMMAND = [sys.executable, "-m", "tuppence"]
_MODULES = """
tuppence.lsp.server tuppence.lsp.service tuppence.lsp.transport tuppence.upstream.client tuppence.core.secrets.detect
tuppence.providers.openai tuppence.providers.anthropic httpx anyio._backends._asyncio tree_sitter_python
secretstorage
""".split()  # noqa: SIM905
"""The modules that a server loads before its first answer, except the keyring, which reads the environment when
imported."""
_wanted: ContextVar[bool] = ContextVar("wanted", default=False)
_HOOK = Path(__file__).with_name("slow_callbacks_hook")
"""The folder that ``slow_callbacks`` adds to PYTHONPATH. The forked process loads the hook too, for its servers."""
_PR_SET_CHILD_SUBREAPER = 36
_MOST = 200_000
"""The limit for a request in bytes; it exceeds the size of an environment and some arguments."""


@contextlib.contextmanager
def begun(*, fresh: bool = False) -> Iterator[None]:
    """Fork a server with loaded modules for each ``python -m tuppence`` started inside the block, unless ``fresh``."""
    token = _wanted.set(not fresh)
    try:
        yield
    finally:
        _wanted.reset(token)


class _Source:
    """The process with the loaded modules. Its settings for Python are those of the worker."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            command = [sys.executable, __file__, str(there.fileno())]
            self._process = subprocess.Popen(
                command, env=environment, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL
            )

    def server(self, arguments: list[str], folder: str, environment: Mapping[str, str], streams: list[int]) -> int:
        """Start a server as a child of this process and return its process id."""
        request = json.dumps([arguments, folder, dict(environment)]).encode()
        # The intermediate process has ended by the time of the reply, and its child is now ours.
        with _adopting():
            socket.send_fds(self._here, [request], streams)
            return int(self._here.recv(20))

    def end(self) -> None:
        """End the process. Its servers continue to run."""
        self._here.close()
        self._process.wait()


@contextlib.contextmanager
def _adopting() -> Iterator[None]:
    """Adopt the orphans among the descendant processes."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


_sources: dict[tuple[tuple[str, str], ...], _Source | None] = {}
_execute_child = subprocess.Popen._execute_child  # type: ignore[attr-defined]


def _start(self: Any, args: Any, *rest: Any) -> None:
    """Replace ``Popen._execute_child``. The order of the arguments is that of CPython 3.11 to 3.14."""
    source = _source(args, rest[5]) if _wanted.get() and sys.platform == "linux" else None
    if source is None:
        _execute_child(self, args, *rest)
        return
    folder, environment, streams = rest[4], rest[5], rest[9:15]
    theirs = [streams[0], streams[3], streams[5]]
    words = [os.fspath(each) for each in args[len(_COMMAND) :]]
    self.pid = source.server(words, str(folder or Path.cwd()), environment or os.environ, theirs)
    self._child_created = True
    for each in theirs:
        os.close(each)


def _source(args: Any, environment: Mapping[str, str] | None) -> _Source | None:
    """Return the process to fork for such a server; None to start a program, as for a worker's first server."""
    if not isinstance(args, (list, tuple)) or list(args[: len(_COMMAND)]) != _COMMAND:
        return None
    given = os.environ if environment is None else environment
    settings = _settings(given)
    if settings != _settings(os.environ):
        return None
    if settings not in _sources:
        _sources[settings] = None
        return None
    found = _sources[settings]
    if found is None:
        found = _sources[settings] = _Source(given)
    return found


def _settings(environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the variables of an environment that configure Python itself, without the hook for slow callbacks."""
    found = {name: value for name, value in environment.items() if name.startswith("PYTHON")}
    paths = [each for each in found.pop("PYTHONPATH", "").split(os.pathsep) if each not in ("", str(_HOOK))]
    return tuple(sorted((found | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})).items()))


def end() -> None:
    """End the processes with the loaded modules."""
    for each in _sources.values():
        if each is not None:
            each.end()
    _sources.clear()


def _serve(asked: socket.socket) -> None:
    """Load the modules, then fork a server for each request. Returns in each server, and in this process at the end."""
    for each in _MODULES:
        with contextlib.suppress(ImportError):  # Some modules exist only on some systems.
            importlib.import_module(each)
    gc.freeze()
    while True:
        request, streams, _, _ = socket.recv_fds(asked, _MOST, 3)
        if not request:
            return
        note, to_note = os.pipe()
        between = os.fork()
        if between:
            os.close(to_note)
            number = os.read(note, 20)
            os.waitpid(between, 0)
            asked.send(number)
            for unused in (note, *streams):
                os.close(unused)
            continue
        server = os.fork()
        if server:
            os._exit(0)
        asked.close()
        os.close(note)
        # Any of these may have the number of a standard stream, if that one was closed.
        to_note, *streams = (_beyond(each) for each in (to_note, *streams))
        _become(streams, *json.loads(request))
        # Write this last, because ``Popen`` returns only once its child has become the program.
        os.write(to_note, str(os.getpid()).encode())
        os.close(to_note)
        return


def _beyond(descriptor: int) -> int:
    """Duplicate a descriptor to a number above the standard streams, close the original, and return the copy."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10)
    os.close(descriptor)
    return moved


def _become(streams: list[int], arguments: list[str], folder: str, environment: dict[str, str]) -> None:
    """Give this process the arguments, streams, folder and environment of a separate program."""
    os.setsid()
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.unfreeze()
    import tuppence.__main__ as program

    sys.argv = [str(program.__file__), *arguments]


if __name__ == "__main__":
    del sys.path[0]
    _serve(socket.socket(fileno=int(sys.argv[1])))
    if len(sys.argv) > 1 and not sys.argv[1].isdigit():
        from tuppence.cli import main

        sys.exit(main())
else:
    subprocess.Popen._execute_child = _start  # type: ignore[attr-defined]
