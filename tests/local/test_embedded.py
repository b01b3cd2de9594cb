"""The embedded model for real: installed by pip, served by llama.cpp, shared, and stopped when unused."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tuppence.errors import Broken
from tuppence.local import DiscoveredServer, Embedded, find_servers, loopback_http

pytestmark = pytest.mark.model

# A client in a process of its own: it says where its server is, then lives until its input ends.
CLIENT = """
import asyncio, sys
from pathlib import Path
from tuppence.local import Embedded
client = Embedded(Path(sys.argv[1]), state=Path(sys.argv[2]))
print(asyncio.run(client.start()).base_url, flush=True)
sys.stdin.read()
"""
STRANGE_SERVER = """
import sys, time, xllamacpp
parameters = xllamacpp.CommonParams()
parameters.model.path, parameters.hostnames, parameters.n_ctx = sys.argv[1], ["127.0.0.1"], 1024
parameters.model_alias, parameters.verbosity = {"somebodys-own"}, 0
server = xllamacpp.Server(parameters)
print(server.listening_address, flush=True)
time.sleep(60)
"""


@pytest.fixture
def state(home: Path, tmp_path: Path) -> Iterator[Path]:
    """Return an empty room, whose server is ended after the test."""
    folder = tmp_path / "room"
    yield folder
    Embedded(home, state=folder).stop()


@pytest.fixture
def client(home: Path, state: Path) -> Iterator[Embedded]:
    embedded = Embedded(home, state=state)
    yield embedded
    embedded.release()


@pytest.fixture
def spawn(home: Path, state: Path, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Return a function that starts a client in a process group of its own, in a project full of traps."""
    project = tmp_path / "project"
    for trap in ("xllamacpp.py", "httpx.py", "secrets.py"):
        project.mkdir(exist_ok=True)
        (project / trap).write_text("raise SystemExit('a file of the project was run')\n")
    clients: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        words = [sys.executable, "-P", "-c", CLIENT, str(home), str(state)]
        clients.append(subprocess.Popen(words, **pipes, text=True, cwd=project, start_new_session=True))  # type: ignore[call-overload]  # mypy cannot see through a dict of streams
        return clients[-1]

    yield start
    for each in clients:
        each.kill()
        each.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


async def check_ends(client: Embedded) -> None:
    """Expect the server to end by itself; one that outlives its time is ended by the test's own limit."""
    while client.running() is not None:  # noqa: ASYNC110 - another process tells no event
        await asyncio.sleep(0.05)


def check_private(room: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (room, *room.rglob("*"))}
    assert all(mode == (0o700 if name in ("room", "leases") else 0o600) for name, mode in modes.items()), modes


@pytest.fixture
def strange_server(home: Path) -> Iterator[str]:
    """Run a llama.cpp that is not ours and wants no key; return its address."""
    weights = next((home / "models").glob("*.gguf"))
    words = [sys.executable, "-c", STRANGE_SERVER, str(weights)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        yield said(server)
        server.kill()


def pid(client: Embedded) -> int:
    running = client.running()
    assert running is not None
    return running.pid


async def test_it_answers_to_its_key_alone_and_is_joined(home: Path, state: Path, client: Embedded) -> None:
    assert client.installed()
    assert client.running() is None
    endpoint = await client.start()
    assert await client.speed(endpoint) > 0
    assert await loopback_http.get(f"{endpoint.base_url}/models", 5, "another key") is None
    assert await loopback_http.get(f"{endpoint.base_url}/models", 5) is None
    with pytest.raises(Broken, match="does not answer"):
        await client.speed(type(endpoint)(endpoint.base_url, "another key", endpoint.model))

    check_private(state)

    other = Embedded(home, state=state)
    assert await other.start() == endpoint
    assert await client.start() == endpoint
    other.release()
    await asyncio.sleep(2.5)
    assert client.running() is not None, "a client is left"
    client.release()
    await check_ends(client)
    assert not list((state / "leases").iterdir())


async def test_a_llama_cpp_is_found_by_its_api(strange_server: str) -> None:
    port = int(strange_server.rpartition(":")[2])
    expected = DiscoveredServer("llamacpp", f"{strange_server}/v1", ("somebodys-own",), 1024)
    assert await find_servers(5, {"llamacpp": port}) == (expected,)
    assert await find_servers(5, {"ollama": port, "lmstudio": port}) == ()


async def test_the_embedded_server_tells_nothing_to_who_has_no_key(client: Embedded) -> None:
    await client.start()
    running = client.running()
    assert running is not None
    assert await find_servers(5, {"llamacpp": running.port}) == ()


async def test_two_clients_that_start_at_once_share_one_server(
    client: Embedded, spawn: Callable[[], subprocess.Popen[str]]
) -> None:
    first, second = spawn(), spawn()
    endpoint = await client.start()
    assert said(first) == said(second) == endpoint.base_url
    client.release()
    assert first.communicate("")[0] == "", "nothing but the client itself writes to the client's output"
    await asyncio.sleep(2.5)
    assert client.running() is not None
    os.killpg(second.pid, signal.SIGKILL)
    await check_ends(client)


async def test_the_starters_death_takes_nobody_elses_server(
    client: Embedded, spawn: Callable[[], subprocess.Popen[str]]
) -> None:
    starter = spawn()
    url = said(starter)
    assert (await client.start()).base_url == url
    os.killpg(starter.pid, signal.SIGKILL)
    await asyncio.sleep(2.5)
    assert await client.speed(await client.start()) > 0
    assert (await client.start()).base_url == url


async def test_it_ends_when_idle_and_comes_back_when_asked(home: Path, state: Path) -> None:
    client = Embedded(home, state=state, idle=1)
    first = await client.start()
    await check_ends(client)
    second = await client.start()
    assert second.key != first.key
    assert await client.speed(second) > 0
    client.release()


async def test_a_killed_server_is_replaced(client: Embedded) -> None:
    first = await client.start()
    os.kill(pid(client), signal.SIGKILL)
    second = await client.start()
    assert second.key != first.key
    assert await client.speed(second) > 0
    assert client.stop()
    assert not client.stop()


async def test_a_server_that_hangs_is_replaced(client: Embedded) -> None:
    await client.start()
    hanging = pid(client)
    os.kill(hanging, signal.SIGSTOP)
    endpoint = await client.start()
    assert pid(client) != hanging
    assert await client.speed(endpoint) > 0


async def test_weights_that_llama_cpp_cannot_read_are_one_clear_sentence(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Embedded(tmp_path / "data", state=state)
    monkeypatch.setattr(client._weights, "present", lambda: True)
    with pytest.raises(Broken, match="ended while it started") as caught:
        await client.start()
    assert "\n" not in str(caught.value)
    assert client.running() is None
