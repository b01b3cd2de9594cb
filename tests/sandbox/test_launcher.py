"""The limits for running tests that a model wrote: as few permissions as the kernel lets us set."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.sandbox.test_trial_python import GOOD, case, left

from tuppence.sandbox import interpreter, order, pytest_runner, trial

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for it")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the trials use the environment of these tests; return where the copies are made."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setattr(trial, "SECONDS", 15.0)

    def environment(root: Path, source: Path, place: order.Place) -> Mapping[str, str]:
        return {**interpreter.environment(root, source, place), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    monkeypatch.setattr(pytest_runner, "environment", environment)
    copies = tmp_path_factory.mktemp("copies")
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    return copies


def wicked(deed: str) -> str:
    """Return good tests that do something else first."""
    inner = "".join(f"    {line}\n" for line in deed.splitlines())
    head, assertion, rest = GOOD.partition("    assert")
    return f"import os, signal, socket, sys, time\nimport pytest\n{head}{inner}{assertion}{rest}"


CROWDS = {
    "one after another": "for _ in range(300):\n    if os.fork() == 0:\n        time.sleep(600)\n        os._exit(0)",
    "doubling": "for _ in range(9):\n    os.fork()\ntime.sleep(600)",
    "sessions of their own": (
        "for _ in range(300):\n    if os.fork() == 0:\n        os.setsid()\n        os.fork()\n"
        "        time.sleep(600)\n        os._exit(0)\ntime.sleep(600)"
    ),
}


@pytest.mark.attack("sandbox", "processes, memory and the network")
@pytest.mark.parametrize("how", CROWDS)
async def test_a_crowd_of_processes_is_ended(
    tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(trial, "PROCESSES", 60)
    verdict = await trial.prove(case(tmp_path, wicked(CROWDS[how])))
    assert not verdict.fit
    # An ordinary user's next process is refused by the kernel, root's is not.
    many = "The tests had more than 60 processes at a time."
    assert verdict.reasons[0] == many or "BlockingIOError" in verdict.reasons[0]
    assert not left(str(here))


@pytest.mark.attack("sandbox", "processes, memory and the network")
async def test_the_memory_of_all_processes_together_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MEMORY", 500_000_000)
    one = "    if os.fork() == 0:\n        x = b'x' * 200_000_000\n        time.sleep(60)\n"
    deed = f"for _ in range(5):\n{one}time.sleep(60)"
    verdict = await trial.prove(case(tmp_path, wicked(deed)))
    assert verdict.reasons == ("The tests took more than 0.5 GB of memory.",)


@pytest.mark.attack("sandbox", "processes, memory and the network")
async def test_the_network_is_not_there_and_the_loopback_is_the_runs_own(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        deed = (
            f"for place in (('127.0.0.1', {port}), ('192.0.2.1', 80)):\n"
            "    with pytest.raises(OSError):\n        socket.create_connection(place, 3)\n"
            "with pytest.raises(OSError):\n    socket.getaddrinfo('example.org', 80)\n"
            "own = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(own.getsockname(), 3).close()"
        )
        verdict = await trial.prove(case(tmp_path, wicked(deed)))
        assert verdict.proved == "tests pass, mutant caught", verdict
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_what_processes_share_works(tmp_path: Path) -> None:
    deed = (
        "import multiprocessing.shared_memory as m\nimport multiprocessing\n"
        "block = m.SharedMemory(create=True, size=1000)\nblock.close()\nblock.unlink()\n"
        "with multiprocessing.Lock():\n    pass"
    )
    assert (await trial.prove(case(tmp_path, wicked(deed)))).proved == "tests pass, mutant caught"


WALLS = Path(order.SCRIPT).read_text(encoding="utf-8")


@pytest.mark.attack("sandbox", "nothing is run without a wall")
async def test_without_a_wall_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = tmp_path / "walls.py"
    text = WALLS
    for line in ("if libc.unshare(_APART | _NEW_MOUNTS) != 0:", "if version < 1:"):
        assert line in text
        text = text.replace(line, "if True:")
    refused.write_text(text, encoding="utf-8")
    monkeypatch.setattr(order, "SCRIPT", refused)
    project = tmp_path / "project"
    project.mkdir()
    ran = tmp_path / "ran.txt"
    for walls in (("namespaces", "landlock"), ()):
        verdict = await trial.prove(case(project, wicked(f"open({str(ran)!r}, 'w')")), walls)
        assert verdict.fit
        assert (verdict.proved, len(verdict.doubts)) == ("", 1)
        assert verdict.doubts[0].startswith("the tests were not run: this system lets nothing be walled in")
    assert not ran.exists()


async def test_nothing_is_run_where_there_are_no_walls_to_ask_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for platform in ("darwin", "win32"):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "platform", platform)
            verdict = await trial.prove(case(tmp_path, GOOD))
        assert verdict.doubts == ("the tests were not run: only Linux can keep them from changing other files",)


async def test_a_run_works_where_the_kernel_sets_nothing_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await trial.prove(case(tmp_path, GOOD), ("landlock",))).proved == "tests pass, mutant caught"
    monkeypatch.setattr(trial, "PROCESSES", 60)
    verdict = await trial.prove(case(tmp_path, wicked(CROWDS["one after another"] + "\ntime.sleep(60)")), ("landlock",))
    assert verdict.reasons == ("The tests had more than 60 processes at a time.",)
    for module in (order, trial):
        monkeypatch.setattr(module, "ROOM", 20_000_000)
    deed = "for number in range(9):\n    open(f'{number}', 'wb').write(bytes(10_000_000))\ntime.sleep(60)"
    verdict = await trial.prove(case(tmp_path, wicked(deed)), ("landlock",))
    assert verdict.reasons == ("The tests wrote more than 20 MB.",)
