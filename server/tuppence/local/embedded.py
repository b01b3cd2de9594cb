"""The client side of the embedded model: llama.cpp with SmolLM2-135M, one server for all editors of a user.

``start`` joins the running server, or starts one. Call it before every request: it takes milliseconds if the server
runs, and a server that was idle for ten minutes has ended. local/leases.py explains leases, and why process numbers are
not used.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuppence.core.models.model import CacheRules, Model, Provider, Quirks
from tuppence.errors import Broken, Busy, NoModel
from tuppence.local import loopback_http
from tuppence.local.discovery import FREE
from tuppence.local.leases import LeaseDirectory, Lock, State
from tuppence.local.weights import INSTALL, ModelWeights, environment

MODEL = "smollm2-135m"
CONTEXT = 8192
KEY_ENV = "TUPPENCE_EMBEDDED_KEY"
"""The name under which credentials.py receives the server's key; the user need not set it."""
IDLE_SECONDS = 600.0
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of the embedded server."""

    base_url: str
    """The URL before ``/chat/completions``."""
    key: str
    """The server's key; each server creates a new one."""
    model: str
    """The model id to send."""


class Embedded:
    """The embedded model, as seen by one client."""

    def __init__(self, home: Path | None = None, *, state: Path | None = None, idle: float = IDLE_SECONDS) -> None:
        self._weights = ModelWeights((home or _data_folder()) / "models")
        self._state = state
        self._idle = idle
        self._lease: Lock | None = None

    def installed(self) -> bool:
        """Report whether the runtime and the weights with the right hash are installed."""
        return importlib.util.find_spec("xllamacpp") is not None and self._weights.present()

    def install(self, report: Callable[[str], None]) -> None:
        """Download the weights, and the runtime if it is missing, with progress reports; takes seconds to minutes.

        :raises TuppenceError: the installation failed; the sentence says what to do.
        """
        self._weights.install(report)

    def remove(self) -> bool:
        """Stop the server, delete the weights, and report whether there were any."""
        self.stop()
        return self._weights.remove()

    def row(self, endpoint: Endpoint) -> Model:
        """Return the tier table's row, without an ability, because that was not measured."""
        return Model(
            provider=Provider("embedded", "openai", endpoint.base_url, KEY_ENV),
            id=endpoint.model,
            tier="local",
            price=FREE,
            context=CONTEXT,
            max_output=512,
            cache=CacheRules("automatic"),
            quirks=Quirks(temperature=0.0, brief=True, cache_options={"cache_prompt": True}),
            source="SmolLM2-135M-Instruct, 4 bits, on llama.cpp: good for trying the wiring, not for judging answers",
        )

    async def start(self) -> Endpoint:
        """Join the user's server, or start it, and take or renew this client's lease.

        :raises NoModel: the model is not installed.
        :raises Busy: another process is starting it and does not finish.
        :raises Broken: the server does not start.
        """
        if not await asyncio.to_thread(self.installed):
            raise NoModel("The embedded model is not installed.", "Run: tuppence local install")
        room = self._room()
        async with _held(room.door()):
            self._renew(room)
            state = await self._answering(room)
            if state is None:
                await self._launch(room)
                state = await self._appeared(room)
        return Endpoint(f"http://{loopback_http.HOST}:{state.port}/v1", state.key, MODEL)

    def release(self) -> None:
        """Give up the lease; the server ends within seconds of the last one."""
        if self._lease is not None:
            with contextlib.suppress(OSError):  # Windows cannot remove an open file; the server removes it later.
                self._lease.path.unlink(missing_ok=True)
            self._lease.free()
            self._lease = None

    def running(self) -> State | None:
        """Return the state of the user's server, or None if none runs."""
        return self._room().state()

    def stop(self) -> bool:
        """Stop the user's server and report whether one ran; another client's next ``start`` starts it again."""
        room = self._room()
        state = room.state()
        if state is None:
            return False
        _end(room, state)
        return True

    async def speed(self, endpoint: Endpoint) -> float:
        """Ask the server for a short answer and return its tokens per second.

        :raises Broken: it does not answer.
        """
        body = {
            "messages": [{"role": "user", "content": "Count from one to twenty."}],
            "max_tokens": 48,
            "temperature": 0,
        }
        answer: Any = await loopback_http.post(f"{endpoint.base_url}/chat/completions", 60, body, endpoint.key)
        try:
            return float(answer["timings"]["predicted_per_second"])
        except (TypeError, KeyError, ValueError) as error:
            raise Broken("The embedded model does not answer.", f"Read {self._room().log}, or report a bug.") from error

    def _room(self) -> LeaseDirectory:
        return LeaseDirectory(self._state) if self._state else LeaseDirectory.usual()

    def _renew(self, room: LeaseDirectory) -> None:
        if self._lease is None or not self._lease.path.exists():
            self.release()
            lease = room.lease()
            lease.take(patience=1)
            self._lease = lease
        # This counts as use, so that the server does not end before the request.
        os.utime(self._lease.path)

    async def _answering(self, room: LeaseDirectory) -> State | None:
        """Return the state of a server that is alive and responds; one that hangs is stopped."""
        if not room.taken():
            return None
        state = await _written(room)
        if state is None:
            return None
        if await _knows(state):
            return state
        await asyncio.to_thread(_end, room, state)
        return None

    async def _launch(self, room: LeaseDirectory) -> None:
        room.clear()  # The state of a killed server is obsolete.
        arguments = [str(room.path.absolute()), str(self._weights.path.absolute()), str(self._idle)]
        try:
            await asyncio.to_thread(_run, arguments, room)
        except (OSError, subprocess.SubprocessError) as error:
            raise Broken(
                f"The embedded model's server cannot be started: {error}.", f"Install it anew: {INSTALL}"
            ) from error

    async def _appeared(self, room: LeaseDirectory) -> State:
        state = await _written(room)
        if state is None:
            said = room.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            reason = said[-1].rstrip(".") if said else "it gave no reason"
            remedy = f"Read {room.log}, or install it anew: {INSTALL}"
            raise Broken(f"The embedded model's server ended while it started: {reason}.", remedy)
        return state


async def _written(room: LeaseDirectory) -> State | None:
    """Wait while a server loads, and return its state, or None if it ended instead.

    :raises Broken: it does not finish loading.
    """
    deadline = time.monotonic() + _START_SECONDS
    while room.taken():
        state = room.state()
        if state is not None:
            return state
        if time.monotonic() > deadline:
            raise Broken(f"The embedded model did not load within {_START_SECONDS:.0f} s.", f"Read {room.log}")
        await asyncio.sleep(0.02)
    return None


@contextlib.asynccontextmanager
async def _held(door: Lock) -> AsyncIterator[None]:
    deadline = time.monotonic() + _START_SECONDS
    while not door.take():
        if time.monotonic() > deadline:
            raise Busy(
                "Another process is starting the embedded model and does not get done.",
                "End the other editor, then try again.",
            )
        await asyncio.sleep(0.02)
    try:
        yield
    finally:
        door.free()


async def _knows(state: State) -> bool:
    """Report whether the server accepts its key (``/health`` needs none, so it would prove nothing)."""
    listed = await loopback_http.get(f"http://{loopback_http.HOST}:{state.port}/v1/models", 5, state.key)
    models = listed.get("data") if isinstance(listed, dict) else None
    return isinstance(models, list) and any(isinstance(each, dict) and each.get("id") == MODEL for each in models)


def _run(arguments: list[str], room: LeaseDirectory) -> None:
    """Start the server in its own session, without this process's streams.

    On POSIX systems the started process forks and ends at once: the server has no parent here, so neither a signal to
    the editor's process group nor the editor's end affects it.
    """
    # -P: do not import modules from the current folder, which may be an untrusted project.
    command = [sys.executable, "-P", "-m", "tuppence.local.server", *arguments]
    with _log(room.log) as log:
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
        if sys.platform == "win32":
            flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
            subprocess.Popen(command, env=environment(), cwd=room.path, creationflags=flags, **streams)
            time.sleep(1)  # Windows has no fork to wait for; after a second the server has locked its seat.
        else:
            session: dict[str, Any] = {"start_new_session": True, "timeout": _START_SECONDS}
            subprocess.run(command, check=False, env=environment(), cwd=room.path, **session, **streams)


@contextlib.contextmanager
def _log(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _end(room: LeaseDirectory, state: State) -> None:
    """Stop the server that holds the seat: by a signal first, then forcibly."""
    for number, patience in ((signal.SIGTERM, 3.0), (getattr(signal, "SIGKILL", signal.SIGTERM), 3.0)):
        deadline = time.monotonic() + patience
        with contextlib.suppress(ProcessLookupError):
            os.kill(state.pid, number)
        while room.taken():
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return
    raise Broken(f"The embedded model's server (process {state.pid}) does not end.", "End that process yourself.")


def _data_folder() -> Path:
    import platformdirs

    return platformdirs.user_data_path("tuppence", appauthor=False)
