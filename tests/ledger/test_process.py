"""Whether a process still lives decides whose reserved money is taken for spent: only a certain end counts as one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tuppence.ledger import process
from tuppence.ledger.process import LONGEST, Process, gone, me

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOON + LONGEST + timedelta(microseconds=1)
linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell when a process began")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """Start a process that waits for the end of its input."""
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as it:
        yield it
        it.kill()


def named(child: subprocess.Popen[bytes], *, born: bool) -> Process:
    """Return the name of a process, with its birth or as a system names it that does not tell."""
    return replace(me(), pid=child.pid, born=process._born(child.pid) if born else "")


@linux
def test_one_that_lives_is_not_gone_however_long_ago_it_reserved(child: subprocess.Popen[bytes]) -> None:
    assert named(child, born=True).born != me().born
    assert not gone(named(child, born=True), NOON, NOON + 100 * LONGEST)


@linux
def test_one_that_ended_is_gone_before_its_parent_notices_and_after(child: subprocess.Popen[bytes]) -> None:
    name = named(child, born=True)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{child.pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] == "Z"
    assert gone(name, NOON, NOON)
    child.wait()
    assert gone(name, NOON, NOON)


@linux
def test_a_number_that_was_given_again_is_not_the_one_that_reserved(child: subprocess.Popen[bytes]) -> None:
    name = named(child, born=True)
    assert gone(replace(name, born=me().born), NOON, NOON)


def test_where_births_are_not_known_a_number_that_nobody_has_is_gone(child: subprocess.Popen[bytes]) -> None:
    name = named(child, born=False)
    assert not gone(name, NOON, NOON)
    child.kill()
    child.wait()
    assert gone(name, NOON, NOON)


@pytest.mark.parametrize("failure", [None, PermissionError(1, "not yours"), OSError(22, "odd")])
def test_where_births_are_not_known_a_number_in_use_is_gone_once_no_request_lasts_so_long(
    monkeypatch: pytest.MonkeyPatch, failure: OSError | None
) -> None:
    asked: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        asked.append((pid, number))
        if failure is not None:
            raise failure

    monkeypatch.setattr(os, "kill", kill)
    other = replace(me(), pid=me().pid + 1, born="")
    assert [gone(other, NOON, when) for when in (NOON, NOON + LONGEST, LATER)] == [False, False, True]
    assert asked == [(other.pid, 0)] * 3, "asked after, and not signalled"


def test_on_windows_no_process_is_asked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("asking after it would end it"))
    other = replace(me(), pid=me().pid + 1, born="")
    assert [gone(other, NOON, when) for when in (NOON + LONGEST, LATER)] == [False, True]


@pytest.mark.parametrize("born", ["", "another boot/7"])
def test_of_another_machine_nothing_is_asked(monkeypatch: pytest.MonkeyPatch, born: str) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("it is another machine's number"))
    other = Process("elsewhere", me().pid, born)
    assert [gone(other, NOON, when) for when in (NOON, NOON + LONGEST, LATER)] == [False, False, True]


def test_we_are_never_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    unborn = replace(me(), born="")
    monkeypatch.setattr(process, "me", lambda: unborn)
    assert not gone(unborn, NOON, LATER)
    assert not gone(me(), NOON, LATER)


def test_without_a_machines_id_its_name_is_all(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read(path: Path) -> bytes:
        asked.append(str(path))
        if len(asked) == 1:
            raise FileNotFoundError(path)
        return b" \n" if len(asked) == 2 else b"0123\n"

    monkeypatch.setattr(Path, "read_bytes", read)
    assert process._machine() == "", "an empty file names no machine"
    assert asked == ["/etc/machine-id", "/var/lib/dbus/machine-id"]
    word = process._machine()
    assert len(word) == 12
    assert "0123" not in word
