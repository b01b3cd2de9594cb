"""Ways out of a run, tried inside of each wall: sockets, files, memory, processes and the kernel of outside."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox import escapes
from tests.sandbox.test_trial_python import case

from tuppence.sandbox import TrialInput, launcher, order, project_copy, trial
from tuppence.sandbox.order import Wall

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for it")

ESCAPES = Path(escapes.__file__).read_text(encoding="utf-8")
SHM = 0x7475_7070
HAS_BWRAP = pytest.mark.skipif(
    shutil.which("bwrap") is None, reason="bubblewrap is not installed (tests/sandbox/set-up.sh)"
)
EACH_WALL = [pytest.param("bubblewrap", marks=HAS_BWRAP), "namespaces", "landlock"]
NOT_THERE: dict[Wall, tuple[str, ...]] = {
    # What is its own there, and so may be changed, and what is there to be seen though not to be used.
    "bubblewrap": (),
    "namespaces": (),
    "landlock": ("fills_memory_by_files", "changes_a_mode", "changes_a_time"),
}


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the trials use the environment of these tests, without its slow plugins; return where the copies are made."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    copies = tmp_path_factory.mktemp("copies")
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    return copies


@contextlib.contextmanager
def outside(place: Path) -> Iterator[tuple[dict[str, Any], Callable[[], list[str]]]]:
    """Put up what a run might get at; yield where it is, and a function that returns what was got at."""
    known = files(place)
    with contextlib.ExitStack() as stack:
        listening = sockets(stack, place, Path(known["venv"]))
        victim = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], process_group=0)
        )
        stack.callback(victim.kill)
        known |= shared(stack) | {"process": victim.pid, "group": -victim.pid}
        known |= {name: each.getsockname() for name, each in listening.items()}
        known |= {"abstract": known["abstract"].decode().strip("\0"), "port": known["port"][1], "udp": known["udp"][1]}
        known["address"] = int(Path(f"/proc/{victim.pid}/maps").read_text(encoding="utf-8").partition("-")[0], 16)
        inherited = os.open(known["other"], os.O_RDONLY)
        stack.callback(os.close, inherited)
        os.set_inheritable(inherited, True)  # noqa: FBT003 - the function takes no name
        known["inherited"] = inherited
        tmux = ["tmux", "-S", known["tmux"], "kill-server"]
        if shutil.which("tmux"):
            stack.callback(subprocess.run, tmux, check=False, capture_output=True)
        before = state(place)

        def got() -> list[str]:
            found = [name for name, each in listening.items() if waiting(each)]
            found += [each[0] for each in set(state(place)) ^ set(before)]
            found += [str(path) for path in Path("/dev/shm").glob(f"{Path(known['devshm']).name}-*")]  # noqa: S108
            return found + (["the process"] if victim.poll() is not None else [])

        yield known, got


def files(place: Path) -> dict[str, Any]:
    """Make a project, a home folder and other files; return where they are."""
    project, home = place / "project", place / "home"
    known: dict[str, Any] = {"project": str(project), "venv": str(environment(project))}
    (project / ".git" / "hooks").mkdir(parents=True)
    (home / ".ssh").mkdir(parents=True)
    for name, path in (("key", home / ".ssh" / "key"), ("private", project / ".env"), ("other", place / "other")):
        path.write_text("secret", encoding="utf-8")
        known[name] = str(path)
    (project / "stats.py").write_text("mine", encoding="utf-8")
    known["disks"] = [str(each) for each in Path("/dev").glob("[sv]d[a-z]")][:1]
    return known | {"tmux": str(place / "tmux-1"), "canary": str(place / "canary"), "most": 4 * order.ROOM}


def sockets(stack: contextlib.ExitStack, place: Path, venv: Path) -> dict[str, socket.socket]:
    """Listen at all places at which programs of the user do."""
    run = tempfile.mkdtemp(dir="/run" if os.access("/run", os.W_OK) else "/tmp")  # noqa: S108 - as programs do
    stack.callback(shutil.rmtree, run)
    where = {
        "socket": place / "tmux-0",
        "run": f"{run}/bus",
        "venv_socket": venv / "agent",
        "home_socket": place / "home" / "nvim.0",
        "abstract": f"\0tuppence-{os.getpid()}",
    }
    found = {name: stack.enter_context(socket.socket(socket.AF_UNIX)) for name in where}
    for name, path in where.items():
        found[name].bind(str(path))
        found[name].listen()
    found["datagrams"] = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    found["datagrams"].bind(str(place / "log"))
    found["port"] = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    found["udp"] = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    found["udp"].bind(("127.0.0.1", 0))
    return found


def shared(stack: contextlib.ExitStack) -> dict[str, Any]:
    """Make objects that processes share; return their names."""
    libc = ctypes.CDLL(None, use_errno=True)
    memory = Path("/dev/shm", f"tuppence-test-{os.getpid()}")  # noqa: S108 - the place that is asked about
    memory.write_text("secret", encoding="utf-8")
    queue = f"/tuppence-test-{os.getpid()}".encode()
    stack.callback(memory.unlink)
    stack.callback(libc.shmctl, libc.shmget(SHM, 4096, 0o1600), 0, None)
    stack.callback(libc.semctl, libc.semget(SHM, 1, 0o1600), 0, 0)
    stack.callback(libc.msgctl, libc.msgget(SHM, 0o1600), 0, None)
    stack.callback(os.close, libc.mq_open(queue, os.O_CREAT | os.O_RDWR, 0o600, None))
    stack.callback(libc.mq_unlink, queue)
    return {"shm": SHM, "queue": queue[1:].decode(), "devshm": str(memory)}


def environment(project: Path) -> Path:
    """Make an environment of Python in a project that uses the packages of this one."""
    venv = project / ".venv"
    site = venv / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    (venv / "bin").mkdir()
    (venv / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    (venv / "pyvenv.cfg").write_text(f"home = {Path(sys.base_prefix) / 'bin'}\n", encoding="utf-8")
    for package in ("_pytest", "iniconfig", "packaging", "pluggy", "pygments", "pytest"):
        folder = Path(str(importlib.import_module(package).__file__)).parent
        shutil.copytree(folder, site / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    return venv


def state(place: Path) -> list[tuple[str, int, int, bytes]]:
    """Return all that is in a folder: names, modes, times of change and contents."""
    found = []
    for path in sorted(place.rglob("*")):
        kept = path.lstat()
        text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found.append((str(path), kept.st_mode, kept.st_mtime_ns, text))
    return found


def waiting(one: socket.socket) -> bool:
    """Report whether anything came to a socket."""
    one.settimeout(0)
    try:
        if one.type == socket.SOCK_DGRAM:
            one.recv(1)
        else:
            one.accept()[0].close()
    except OSError:
        return False
    return True


def generated(known: dict[str, Any], skipped: tuple[str, ...]) -> str:
    """Return a test that tries all ways out and says which there are."""
    given = f"HERE.update(json.loads({json.dumps(known)!r}))"
    return (
        f"{ESCAPES}\n\n{given}\n\n\ndef test_all():\n    raise AssertionError('SAID ' + tried({skipped!r}) + ' END')\n"
    )


async def run(given: TrialInput, *walls: Wall) -> str:
    """Return what one run of a trial's tests wrote."""
    place = order.Place(Path(tempfile.mkdtemp()))
    project_copy.copy(given.root, place.origin, given.is_private)
    runner = trial._RUNNERS[given.language](given, place)
    assert not isinstance(runner, str), runner
    packages = project_copy.link(given.root, place, runner.wants)
    visible = {**runner.visible(), **{each: each for each in packages}}
    held = trial._Trial(given, place, runner, visible, walls)
    trial._write(held._source, given.code)
    trial._write(held._tests, given.text)
    said = (await held._try(30)).said
    launcher.clear(place.folder)
    return said


def result(said: str) -> dict[str, Any]:
    found = re.search(r"SAID (\{.*\}) END", said)
    assert found, said
    told: dict[str, Any] = json.loads(found[1])
    return told


@pytest.mark.attack("sandbox", "ways out, by wall")
@pytest.mark.parametrize("wall", EACH_WALL)
async def test_there_is_no_way_out(tmp_path: Path, wall: Wall, record_property: Callable[[str, object], None]) -> None:
    with outside(tmp_path) as (known, got):
        given = replace(case(tmp_path / "project", generated(known, NOT_THERE[wall])), names=())
        said = result(await run(given, wall))
        record_property("cases", said["tried"])
        assert said["faults"] == {}
        assert said["out"] == []
        assert got() == []


def test_the_ways_lead_out_where_there_is_no_wall(tmp_path: Path) -> None:
    """Most of these attacks work on this system: what holds them is the wall."""
    harmless = (
        *("socket_by_path", "socket_in_the_run_time_folder", "socket_in_the_environment", "socket_in_the_home_folder"),
        *("socket_of_datagrams", "socket_without_a_file", "pair_of_datagrams_sent_elsewhere", "tcp_outside"),
        *("pair_of_raw_sockets_connected_elsewhere", "socket_by_a_link_of_our_own", "reads_the_home_folder"),
        *(
            "reads_the_private_file_of_the_project",
            "reads_another_file",
            "socket_by_the_root_of_another",
            "reads_by_a_link",
            "inherits_a_file",
        ),
        *("shares_memory", "shares_semaphores", "shares_messages", "shares_queues", "shares_a_file_in_memory"),
        *("reads_the_environment_of_another", "reads_memory_of_another", "keeps_files_in_no_folder"),
        *("changes_a_time", "changes_a_mode", "writes_a_hook", "limits_another", "signals"),
        *("takes_a_large_segment", "names_a_file_by_its_handle"),
    )
    with outside(tmp_path) as (known, got):
        known_here = tmp_path / "work"
        known_here.mkdir()
        script = known_here / "escapes.py"
        only = f"for name in {harmless!r}:\n    assert ways()[name](), name\n"
        script.write_text(f"{ESCAPES}\nHERE.update(json.loads({json.dumps(known)!r}))\n{only}", encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=known_here,
            capture_output=True,
            text=True,
            check=False,
            pass_fds=(known["inherited"],),
        )
        assert done.returncode == 0, done.stderr
        assert "socket" in got()
