"""What tests that a model wrote can do while they run: as little as the kernel lets us allow."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from tests.sandbox.test_trial_python import GOOD, case, left

from tuppence.sandbox import interpreter, launcher, pytest_runner, trial

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for it")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the trials use the environment of these tests; return where the copies are made."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    monkeypatch.setattr(trial, "SECONDS", 15.0)

    def environment(*places: Path) -> Mapping[str, str]:
        return {**interpreter.environment(*places), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    monkeypatch.setattr(pytest_runner, "environment", environment)
    copies = tmp_path_factory.mktemp("copies")
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    return copies


def is_apart() -> bool:
    """Report whether the kernel lets a user make a network of his own, in a process that ends with the question."""
    child = os.fork()
    if child == 0:
        libc = launcher._libc()
        os._exit(0 if libc is not None and launcher._isolate(libc) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


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


async def test_the_memory_of_all_processes_together_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MEMORY", 500_000_000)
    one = "    if os.fork() == 0:\n        x = b'x' * 200_000_000\n        time.sleep(60)\n"
    deed = f"for _ in range(5):\n{one}time.sleep(60)"
    verdict = await trial.prove(case(tmp_path, wicked(deed)))
    assert verdict.reasons == ("The tests took more than 0.5 GB of memory.",)


async def test_the_network_is_not_there_and_the_loopback_is_the_runs_own(tmp_path: Path) -> None:
    if not is_apart():
        pytest.skip("this kernel lets no user make a network of his own")
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


async def test_nobody_outside_can_be_signalled(tmp_path: Path) -> None:
    if not is_apart():
        pytest.skip("this kernel gives a run no numbers of its own")
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    try:
        deed = f"with pytest.raises(OSError):\n    os.kill({other.pid}, signal.SIGKILL)"
        assert (await trial.prove(case(tmp_path, wicked(deed)))).proved == "tests pass, mutant caught"
        assert other.returncode is None
    finally:
        with suppress(ProcessLookupError):
            other.kill()
        await other.wait()


def changed(place: Path, monkeypatch: pytest.MonkeyPatch, *refused: str) -> None:
    """Let trials be run by a launcher whose kernel refuses some of what it asks for."""
    text = Path(launcher.__file__).read_text(encoding="utf-8")
    for line in refused:
        assert line in text
        text = text.replace(line, "if True:")
    plain = place / "launch.py"
    plain.write_text(text, encoding="utf-8")
    (place / "project").mkdir()
    monkeypatch.setattr(trial, "LAUNCHER", plain)


NO_NAMESPACES = "if libc.unshare(_NEW_USER | _NEW_NET | _NEW_PIDS) != 0:"
NO_LANDLOCK = "if version < 1:"
UNDO = """\
import ctypes
libc = ctypes.CDLL(None)
asked = (ctypes.c_uint64 * 4)(0, 1, 0, 0)
for _ in range(2):
    libc.mount(None, b"/", None, 0x20 | 0x1000, None)
    libc.syscall(442, -100, b"/", 0x8000, ctypes.byref(asked), ctypes.c_size_t(32))
    libc.unshare(0x10000000 | 0x20000)
"""


@pytest.mark.parametrize("refused", [(), (NO_LANDLOCK,)], ids=["both walls", "namespaces alone"])
async def test_nothing_outside_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    if not is_apart():
        pytest.skip("this kernel lets no user make mounts of his own")
    changed(tmp_path, monkeypatch, *refused)
    other = tmp_path / "other.txt"
    other.write_text("mine", encoding="utf-8")
    before = other.stat()
    shared = Path("/dev/shm") / f"{tmp_path.parent.name}-{tmp_path.name}"  # noqa: S108 - the place that is asked about
    deeds = (
        f"os.chmod({str(other)!r}, 0o777)",
        f"os.utime({str(other)!r}, (1, 1))",
        f"open({str(other)!r}, 'w')",
        f"open({str(tmp_path / 'new.txt')!r}, 'w')",
        f"os.mkdir({str(tmp_path / 'new')!r})",
        f"os.unlink({str(other)!r})",
    )
    tried = "".join(f"with pytest.raises(OSError):\n    {deed}\n" for deed in deeds)
    rest = (
        f"open({str(shared)!r}, 'w').write('x')\nopen('beside.txt', 'w').write('x')\nopen(os.devnull, 'w').write('x')"
    )
    verdict = await trial.prove(case(tmp_path / "project", wicked(f"{UNDO}{tried}{rest}")))
    assert verdict.proved == "tests pass, mutant caught", verdict
    assert (other.read_text(encoding="utf-8"), other.stat().st_mode, other.stat().st_mtime) == (
        "mine",
        before.st_mode,
        before.st_mtime,
    )
    assert not shared.exists()


async def test_what_processes_share_works(tmp_path: Path) -> None:
    deed = (
        "import multiprocessing.shared_memory as m\nimport multiprocessing\n"
        "block = m.SharedMemory(create=True, size=1000)\nblock.close()\nblock.unlink()\n"
        "with multiprocessing.Lock():\n    pass"
    )
    assert (await trial.prove(case(tmp_path, wicked(deed)))).proved == "tests pass, mutant caught"


async def test_without_a_wall_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed(tmp_path, monkeypatch, NO_NAMESPACES, NO_LANDLOCK)
    ran = tmp_path / "ran.txt"
    verdict = await trial.prove(case(tmp_path / "project", wicked(f"open({str(ran)!r}, 'w')")))
    assert verdict.fit
    doubt = "the tests were not run: this system lets nothing be walled in, by Landlock or by namespaces"
    assert (verdict.proved, verdict.doubts) == ("", (doubt,))
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
    changed(tmp_path, monkeypatch, NO_NAMESPACES)
    assert (await trial.prove(case(tmp_path / "project", GOOD))).proved == "tests pass, mutant caught"
    monkeypatch.setattr(trial, "PROCESSES", 60)
    verdict = await trial.prove(case(tmp_path / "project", wicked(CROWDS["one after another"] + "\ntime.sleep(60)")))
    assert verdict.reasons == ("The tests had more than 60 processes at a time.",)
