"""A server forked from a process with loaded modules behaves like a separate program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import warm_server

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives the orphans below a process to it"),
]
COMMAND = [sys.executable, "-m", "tuppence"]
ARGUMENTS = {
    "an answer": ["route", "--help"],
    "a failure": ["no such command"],
    "a configuration that is not there": ["route", "--config", "none.toml"],
    "an end without shutdown": ["serve"],
}


@pytest.fixture(autouse=True)
def _none_left() -> Iterator[None]:
    warm_server.end()
    yield
    warm_server.end()


def ended(words: list[str], folder: Path) -> tuple[int, str, str]:
    """Run a command to its end; return its status and what it wrote."""
    done = subprocess.run([*COMMAND, *words], cwd=folder, input="", capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def started(**how: object) -> subprocess.Popen[bytes]:
    """Start a server; the caller ends it."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, "serve"], **{**pipes, **how})  # type: ignore[call-overload,no-any-return]


def is_warm(process: subprocess.Popen[bytes]) -> bool:
    """Report whether a process is a fork."""
    return b"warm_server.py" in Path(f"/proc/{process.pid}/cmdline").read_bytes()


def end(process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> int:
    """End a process by a signal and return its status."""
    process.send_signal(number)
    process.communicate()
    return process.returncode


@pytest.mark.parametrize("words", ARGUMENTS.values(), ids=ARGUMENTS)
def test_it_says_and_returns_what_a_program_does(words: list[str], tmp_path: Path) -> None:
    cold = ended(words, tmp_path)
    with warm_server.begun():
        assert [ended(words, tmp_path) for _ in range(3)] == [cold] * 3


def test_it_is_a_child_with_a_session_a_folder_and_streams_of_its_own(tmp_path: Path) -> None:
    with warm_server.begun():
        end(started())
        process = started(cwd=tmp_path, start_new_session=True)
    try:
        assert is_warm(process)
        about = Path(f"/proc/{process.pid}")
        assert Path(about / "cwd").resolve() == tmp_path.resolve()
        fields = (about / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        assert (int(fields[1]), int(fields[3])) == (os.getpid(), process.pid), "parent and session"
        assert process.stdout is not None
        held = []
        for each in (about / "fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # The server goes on, and closes what it opened.
                held.append(os.readlink(each))  # noqa: PTH115 - no path is meant
        # Under another number, once the server has put its standard error into the place of its standard output.
        assert f"pipe:[{os.fstat(process.stdout.fileno()).st_ino}]" in held
        assert sum(each.startswith("socket:") for each in held) <= 2, "an event loop wakes itself by two"
    finally:
        assert end(process) == -signal.SIGKILL


def test_it_ends_in_order_by_a_signal() -> None:
    with warm_server.begun():
        end(started())
        process = started()
    assert process.stdin is not None
    assert process.stdout is not None
    body = b'{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}'
    process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"Content-Length")
    assert end(process, signal.SIGTERM) == 1, "no shutdown was asked for"


def test_settings_of_python_of_its_own_make_it_a_program() -> None:
    warm: list[bool] = []
    with warm_server.begun():
        for name in ("", "", "PYTHONINSPECT_NOT", "", "PYTHONINSPECT_NOT"):
            process = started(env=os.environ | ({name: "1"} if name else {}))
            warm.append(is_warm(process))
            end(process)
    assert warm == [False, True, False, True, False]


def test_only_what_is_wanted_is_forked() -> None:
    with warm_server.begun():
        end(started())
        other = subprocess.run(
            [sys.executable, "-c", "import sys; print(len(sys.modules))"], capture_output=True, check=True
        )
        assert int(other.stdout) < 200
    process = started()
    assert not is_warm(process)
    end(process)
