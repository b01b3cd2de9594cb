"""The watch on slow callbacks: it names what keeps a processor busy, and fails the test that started the server."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import slow_callbacks
from server import environment, stage

PROGRAM = """
import asyncio, time

def step():
    pass

def busy():
    for _ in range(40_000):
        step()

def searching():
    began = time.thread_time()
    while time.thread_time() - began < 0.3:
        sum(range(100_000))

async def inner():
    await asyncio.sleep(0)
    busy()
    await asyncio.sleep(0)

async def outer():
    await inner()

async def idle():
    time.sleep(0.5)

async def main():
    await asyncio.gather(idle(), asyncio.to_thread(busy), *(asyncio.sleep(0) for _ in range(100)))
    await asyncio.gather(outer(), idle())
    asyncio.get_running_loop().call_soon(busy)
    asyncio.get_running_loop().call_soon(searching)
    await asyncio.sleep(0)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="the profiler counts all threads from Python 3.12 on")
def test_a_callback_that_calls_much_or_takes_long_is_noted_by_name(tmp_path: Path) -> None:
    given = environment(tmp_path)
    notes = slow_callbacks.watch(given, tmp_path)
    subprocess.run([sys.executable, "-c", PROGRAM], env=given, check=True)
    found = slow_callbacks.unexpected(notes)
    assert len(found) == 3, "neither a sleep nor a thread holds anything up"
    assert "outer" in found[0]
    assert "inner" in found[0]
    assert "busy" in found[1]
    assert "searching" in found[2]
    calls = [int(each.split()[0]) for each in found]
    assert calls[0] // 1000 == calls[1] // 1000 == 80, (
        "a call and a return for each step, whatever else the machine does"
    )
    assert calls[2] < slow_callbacks.CALLS


def test_nothing_is_noted_where_nothing_is_slow(tmp_path: Path) -> None:
    assert slow_callbacks.unexpected(tmp_path / "none.jsonl") == []


def test_what_is_allowed_once_is_no_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = (slow_callbacks.Allowed(r":start\b", 1, "first"), slow_callbacks.Allowed(r":open\b", 2, "both"))
    monkeypatch.setattr(slow_callbacks, "ALLOWED", allowed)
    noted = [
        (0, 30.0, ["a.py:start"]),
        (0, 40.0, ["b.py:open"]),
        (0, 50.0, ["a.py:start:7"]),
        (8, 60.0, ["c.py:other"]),
    ]
    last = [(0, 70.0, ["d.py:outer", "b.py:open"]), (0, 80.0, ["b.py:open"])]
    found = slow_callbacks.beyond_allowance([*noted, *last])
    names = ("50.0 ms in a.py:start:7", "60.0 ms in c.py:other", "80.0 ms in b.py:open")
    assert found == [f"{calls} calls and {name}" for calls, name in zip((0, 8, 0), names, strict=True)]


async def test_a_slow_server_fails_the_test_that_started_it(tmp_path: Path) -> None:
    def nothing_is_quick_enough(editor: Any) -> None:
        editor.environment["SLOW_CALLBACKS_CALLS"] = "0"

    with pytest.raises(AssertionError, match="the server held up its event loop"):
        async with stage(tmp_path, before=nothing_is_quick_enough):
            await asyncio.sleep(0)


def environment_of(pid: int) -> bytes:
    """Return the environment with which a process started; empty where the system does not show it."""
    path = Path(f"/proc/{pid}/environ")
    return path.read_bytes() if path.exists() else b""


async def test_a_server_that_a_benchmark_times_has_no_profiler(tmp_path: Path) -> None:
    async with stage(tmp_path):  # From now on there is a process to fork.
        pass
    (tmp_path / "timed").mkdir()
    async with stage(tmp_path / "timed", timed=True) as s:
        given = s.editor.environment or {}
        started = environment_of(s.pid)
    assert b"SLOW_CALLBACKS" not in started
    assert not any(name.startswith("SLOW_CALLBACKS") for name in given)
    assert str(slow_callbacks.HOOK) not in given.get("PYTHONPATH", "")


@pytest.mark.parametrize("name", ["over_stdio.py", "requests.py"])
def test_each_benchmark_of_a_server_times_it_without_the_profiler(name: str) -> None:
    source = (Path(__file__).parents[2] / "benchmarks" / "speed" / name).read_text(encoding="utf-8")
    starts = [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "stage"
    ]
    assert starts
    assert all("timed" in {each.arg for each in node.keywords} for node in starts)
