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
from tests.sandbox.test_trial_javascript import case as javascript
from tests.sandbox.test_trial_python import case, names

from tuppence.core.checks.mutation import mutants
from tuppence.sandbox import TrialInput, launcher, order, project_copy, trial
from tuppence.sandbox.order import Wall
from tuppence.sandbox.system_calls import Filters

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can be asked for it")

ESCAPES = Path(escapes.__file__).read_text(encoding="utf-8")
KEY_SPACE = 0x7475_0000
"""The key of what these tests share is this plus a number of the process: workers run side by side."""
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
    monkeypatch.setattr(order, "ROOM", 32_000_000)
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
    key = KEY_SPACE | (os.getpid() & 0xFFFF)
    memory = Path("/dev/shm", f"tuppence-test-{os.getpid()}")  # noqa: S108 - the place that is asked about
    memory.write_text("secret", encoding="utf-8")
    queue = f"/tuppence-test-{os.getpid()}".encode()
    stack.callback(memory.unlink)
    stack.callback(libc.shmctl, libc.shmget(key, 4096, 0o1600), 0, None)
    stack.callback(libc.semctl, libc.semget(key, 1, 0o1600), 0, 0)
    stack.callback(libc.msgctl, libc.msgget(key, 0o1600), 0, None)
    stack.callback(os.close, libc.mq_open(queue, os.O_CREAT | os.O_RDWR, 0o600, None))
    stack.callback(libc.mq_unlink, queue)
    return {"shm": key, "queue": queue[1:].decode(), "devshm": str(memory)}


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
        shutil.copytree(folder, site / folder.name)
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


def refusing(monkeypatch: pytest.MonkeyPatch, place: Path, *lines: str) -> None:
    """Let the walls be put up by a kernel that refuses some of what it is asked for."""
    text = Path(order.SCRIPT).read_text(encoding="utf-8")
    for line in lines:
        assert line in text
        text = text.replace(line, "if True:")
    script = place / "walls.py"
    script.write_text(text, encoding="utf-8")
    monkeypatch.setattr(order, "SCRIPT", script)


def directly(place: Path, known: dict[str, Any], wall: Wall, skipped: tuple[str, ...], *user: str) -> dict[str, Any]:
    """Try the ways out by a script of their own, which starts quicker than a test does.

    :param user: the words by which the launcher is started as another user.
    """
    trying = order.Place(place / "trial")
    for each in (trying.folder, trying.origin, trying.root):
        each.mkdir()
    given = f"HERE.update(json.loads({json.dumps(known)!r}))"
    script = f"{ESCAPES}\n{given}\nprint('SAID', tried({skipped!r}), 'END')\n"
    (trying.origin / "escapes.py").write_text(script, encoding="utf-8")
    scripts = {each: place / each.name for each in (order.SCRIPT, order.LAUNCHER)}
    for source, goal in scripts.items():
        shutil.copyfile(source, goal)
    python = os.path.realpath(sys.executable)
    limits = order.RunLimits(seconds=30, memory=trial.MEMORY, addresses=0, processes=99)
    seen = {each: each for each in (Path(known["venv"]),)}
    asked = order.order(trying, limits, [python, str(trying.project / "escapes.py")], seen, (wall,))
    asked = asked.replace(str(order.SCRIPT), str(scripts[order.SCRIPT]))
    for each in (trying.folder, *trying.folder.rglob("*")) if user else ():
        os.chown(each, 65534, 65534)
    hold, end = os.pipe()  # The launcher ends when its input does.
    done = subprocess.run(
        [
            *user,
            python,
            "-I",
            "-S",
            str(scripts[order.LAUNCHER]),
            asked,
        ],
        stdin=hold,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
    )
    os.close(hold)
    os.close(end)
    for each in scripts.values():
        each.unlink()
    launcher.clear(trying.folder)
    return result(done.stdout + done.stderr)


@pytest.mark.attack("sandbox", "ways out, where the kernel has no Landlock")
@pytest.mark.parametrize("wall", EACH_WALL[:2])
def test_there_is_no_way_out_without_landlock(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    (tmp_path / "script").mkdir()
    (tmp_path / "place").mkdir()
    refusing(monkeypatch, tmp_path / "script", "if version < 1:")
    with outside(tmp_path / "place") as (known, got):
        said = directly(tmp_path / "place", known, wall, ())
        record_property("cases", said["tried"])
        assert (said["out"], said["faults"]) == ([], {})
        assert got() == []


@pytest.mark.attack("sandbox", "ways out, where the kernel filters no calls")
async def test_without_a_filter_the_files_and_the_network_are_still_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(order, "filters", Filters)
    with outside(tmp_path) as (known, got):
        # What only the filter holds: calls that reach nothing of outside here, and the sockets in what is shown.
        known["venv_socket"] = known["socket"]
        harmless = (
            *("socket_by_the_other_numbers_of_calls", "socket_by_calls_of_32_bits", "io_uring", "adds_a_key", "tmux"),
            *("pair_of_datagrams_sent_elsewhere", "netlink_of_the_firewall", "handles_page_faults", "slows_all"),
            *("joins_those_of_the_first", "makes_a_user", "makes_a_user_by_clone", "makes_a_user_by_clone3"),
            *("puts_words_into_a_terminal", "puts_words_into_a_terminal_by_a_long_number", "watches_the_kernel"),
            *("keeps_files_in_no_folder", "takes_a_large_segment", "takes_a_segment_larger_than_32_bits", "chroot"),
            *("names_a_file_by_its_handle", "opens_a_mount_by_its_handle", "ptrace_of_the_first"),
            "sockets_of_other_kinds",
        )
        said = directly(tmp_path, known, "namespaces", harmless)
        record_property("cases", said["tried"])
        assert (said["out"], said["faults"]) == ([], {})
        assert got() == []
        doubt = (await trial.prove(case(tmp_path / "project", "never run"), ("landlock",))).doubts[0]
        assert doubt.startswith("the tests were not run: this system lets nothing be walled in")


@pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as an ordinary user already")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not there")
@pytest.mark.attack("sandbox", "ways out, for an ordinary user")
@pytest.mark.parametrize("wall", EACH_WALL)
def test_there_is_no_way_out_for_an_ordinary_user(
    wall: Wall, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    """What root may do hides what a user may not: the system's Python runs them as a user without powers."""
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        with outside(Path(name)) as (known, got):
            said = directly(Path(name), known, wall, NOT_THERE[wall], *user)
            record_property("cases", said["tried"])
            assert (said["out"], said["faults"]) == ([], {})
            assert got() == []


SCRIPT = """
import net from 'node:net';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import child from 'node:child_process';

const here = HERE;
const connects = (where) => new Promise((yes) => {
  const one = net.connect(where, () => { one.end('x'); yes(true); });
  one.on('error', () => yes(false));
});
const ways = {
  socket: () => connects(here.socket),
  run: () => connects(here.run),
  environment: () => connects(here.venv_socket),
  packages: () => connects(path.join(here.project, 'node_modules', 'agent')),
  abstract: () => connects('\\0' + here.abstract),
  port: () => connects({ host: '127.0.0.1', port: here.port }),
  key: () => fs.readFileSync(here.key, 'utf8').includes('secret'),
  private: () => fs.readFileSync(here.private, 'utf8').includes('secret'),
  memory: () => fs.readFileSync(here.devshm, 'utf8').includes('secret'),
  link: () => { fs.symlinkSync(here.key, 'link'); return fs.readFileSync('link', 'utf8').includes('secret'); },
  another: () => fs.readFileSync(`/proc/${here.process}/environ`).length > 0,
  root: () => fs.readFileSync(`/proc/${here.process}/root${here.key}`).length > 0,
  signal: () => process.kill(here.process, 'SIGTERM'),
  writes: () => { fs.writeFileSync(path.join(here.project, 'stats.mjs'), 'theirs'); return false; },
  packages_written: () => { fs.writeFileSync(path.join(here.project, 'node_modules', 'new'), ''); return true; },
  hook: () => { fs.writeFileSync(path.join(here.project, '.git', 'hooks', 'pre-commit'), ''); return true; },
  system: () => { fs.writeFileSync('/usr/written-by-a-test', ''); return true; },
  mode: () => { fs.chmodSync(here.other, 0o777); return false; },
  tmux: () => child.spawnSync('tmux', ['-S', here.tmux, 'new-session', '-d', 'true']).status === 0,
  environment_holds: () => Object.values(process.env).includes('secret'),
  inherits: () => fs.readSync(here.inherited, Buffer.alloc(1)) === 1,
};
const out = [];
for (const [name, way] of Object.entries(ways)) {
  try { if (await way()) out.push(name); } catch (error) { if (!error.code) out.push(`${name}: ${error}`); }
}
test('ways', () => {
  assert.fail('SAID ' + JSON.stringify({ out, faults: {}, tried: Object.keys(ways).length }) + ' END');
});
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")
@pytest.mark.attack("sandbox", "ways out in JavaScript, by wall")
@pytest.mark.parametrize("wall", EACH_WALL)
async def test_there_is_no_way_out_in_javascript(
    tmp_path: Path, wall: Wall, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    for name in ("NODE_OPTIONS", "ANTHROPIC_API_KEY", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "NODE_PATH"):
        monkeypatch.setenv(name, "secret")
    with outside(tmp_path) as (known, got), socket.socket(socket.AF_UNIX) as agent:
        packages = tmp_path / "project" / "node_modules"
        (packages / "two").mkdir(parents=True)
        agent.bind(str(packages / "agent"))
        agent.listen()
        head = "import test from 'node:test';\nimport assert from 'node:assert';\nimport { mean } from './stats.mjs';\n"
        text = head + SCRIPT.replace("HERE", json.dumps(known))
        given = replace(javascript(tmp_path / "project", text), names=())
        before = set(state(tmp_path))
        said = result(await run(given, wall))
        record_property("cases", said["tried"])
        assert said["out"] == []
        assert set(state(tmp_path)) == before
        assert not waiting(agent)
        assert [each for each in got() if not each.startswith("/tmp")] == []  # noqa: S108 - the files are those above


HOSTILE = {
    "a link in place of the code": "os.remove('stats.py')\n    os.symlink({bait!r}, 'stats.py')",
    "a link in place of the tests": "os.remove(__file__)\n    os.symlink({bait!r}, __file__)",
    "a link in place of the copy": (
        "atexit.register(os.symlink, {home!r}, '../project')\n    atexit.register(os.rename, os.getcwd(), '../was')"
    ),
    "a folder that cannot be removed": "os.makedirs('a/b')\n    os.chmod('a', 0)",
    "a file that spoils the next run": "open('conftest.py', 'w').write('raise SystemExit(3)')",
}


@pytest.mark.attack("sandbox", "what a run leaves for the next one, and for us")
@pytest.mark.parametrize("wall", ["namespaces", "landlock"])
async def test_what_a_run_wrote_is_read_by_nothing_of_ours(
    tmp_path: Path,
    here: Path,
    wall: Wall,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
) -> None:
    monkeypatch.setattr(trial, "mutants", lambda *given: mutants(*given)[:1])
    home, project = tmp_path / "home", tmp_path / "project"
    for folder in (home, project):
        folder.mkdir()
    bait = home / "stats.py"
    bait.write_text("mine", encoding="utf-8")
    known = {"bait": str(bait), "home": str(home)}
    deeds = "".join(f"\n\ndef deed_{at}():\n    {deed.format(**known)}\n" for at, deed in enumerate(HOSTILE.values()))
    calls = "".join(f"    try:\n        deed_{at}()\n    except OSError:\n        pass\n" for at in range(len(HOSTILE)))
    text = (
        f"import atexit, os\nfrom stats import mean\n{deeds}\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n{calls}"
    )
    record_property("cases", len(HOSTILE))
    # No mutant is caught by what the first run left: the second began with a copy of its own.
    weak = text.replace("mean([1, 3]) == 2", "mean is not None")
    verdict = await trial.prove(case(project, weak), (wall,))
    assert verdict.reasons[0].endswith("of the code they catch not even the one mutant that there is.")
    assert bait.read_text(encoding="utf-8") == "mine"
    assert [path.name for path in home.iterdir()] == ["stats.py"]
    assert names(here) == []


@pytest.mark.attack("sandbox", "memory that is shared")
async def test_memory_that_processes_share_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MEMORY", 600_000_000)
    deed = (
        "page = mmap.mmap(-1, 250_000_000)\n    for _ in range(250): page.write(bytes(1_000_000))\n    time.sleep(60)"
    )
    text = f"import mmap, os, time\n\n\ndef test_mean():\n    os.fork()\n    os.fork()\n    {deed}\n"
    verdict = await trial.prove(case(tmp_path, text), ("namespaces",))
    assert verdict.reasons == ("The tests took more than 0.6 GB of memory.",)


async def test_what_tests_ordinarily_do_works(tmp_path: Path) -> None:
    """Loopback, threads, processes, pairs, locks, temporary files, terminals, user names and time zones."""
    text = """
import asyncio, multiprocessing, os, pty, pwd, select, shutil, socket, subprocess, sys, tempfile, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from stats import mean


async def echo():
    server = await asyncio.start_server(lambda r, w: w.close(), "localhost", 0)
    await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    server.close()


def test_mean(tmp_path):
    assert mean([1, 3]) == 2
    asyncio.run(echo())
    assert subprocess.run(["sh", "-c", "echo x | tr x y"], capture_output=True).stdout == b"y\\n"
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(abs, [-1])) == [1]
    with multiprocessing.get_context("fork").Pool(2) as workers:
        assert workers.map(abs, [-1]) == [1]
    one, other = socket.socketpair()
    one.send(b"x")
    assert other.recv(1) == b"x"
    assert pwd.getpwuid(os.getuid()).pw_name
    assert socket.gethostbyname(socket.gethostname()).startswith("127.")
    file = tmp_path / "a"
    file.write_text("x")
    shutil.copy2(file, tmp_path / "b")
    file.chmod(0o600)
    os.pty = pty.openpty()
    Path("/tmp/there").write_text("x")
    assert os.path.expanduser("~") == os.environ["HOME"]
    child = subprocess.Popen(["sleep", "60"])
    child.terminate()
    child.wait()
"""
    assert (await trial.prove(case(tmp_path, text))).proved == "tests pass, mutant caught"
