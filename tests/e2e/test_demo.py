"""The demo: its pieces against the real server and a scripted upstream, and once the whole of it on the real model."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from paths import ROOT
from rich.console import Console
from scripted_provider import error
from server import Stage, stage

from linter import lint
from page import Page
from sandbox import PROJECT, environment, sandbox, scratch
from scenes import SCENES, Ending, Scene, Undefined, judge, play
from tuppence.local import Embedded

DEMO = (sys.executable, "demo/demo.py")
TIER_0, EXPLAIN, FIX, REVIEW, TESTS = SCENES
FIXED = '''def total_value(items: list[Item]) -> float:
    """Return what all the items are worth together."""
    total = 0.0
    for item in items:
        total += item.price * item.count
    return total
'''
NEW_TESTS = """```python
def test_the_mean_of_two() -> None:
    assert average([1, 3]) == 2
```
```imports
from stockroom.prices import average
```"""
FINDING = """severity: error
line: `return price - price * percent`
problem: A percentage has to be divided by 100 first.
"""


@dataclass
class Show:
    """A stage with the demo's project on it, and the page that the demo writes."""

    stage: Stage
    page: Page
    paper: io.StringIO

    async def play(self, scene: Scene, *replies: str) -> Ending:
        """Play a scene to which the model answers so."""
        for reply in replies:
            self.stage.upstream.says(reply)
        return await play(scene, self.stage.editor, self.page)

    @property
    def text(self) -> str:
        """What was printed, its lines joined: where they break is not what a test is about."""
        return re.sub(r"\s+", " ", self.paper.getvalue())


@asynccontextmanager
async def show(tmp_path: Path) -> AsyncIterator[Show]:
    shutil.copytree(PROJECT, tmp_path / "project")
    paper = io.StringIO()
    async with stage(tmp_path, streams=True) as s:
        yield Show(s, Page(Console(file=paper, width=100, highlight=False, markup=False)), paper)


def scene_name(scene: Scene) -> str:
    return scene.title


@pytest.mark.parametrize("scene", SCENES, ids=scene_name)
def test_a_scene_finds_its_place_and_its_diagnostic(scene: Scene) -> None:
    path = PROJECT / scene.file
    text = path.read_text()
    assert text.count(scene.at) == 1
    found = [each for each in lint(path, text) if each.code == scene.rule]
    assert len(found) == (1 if scene.rule else 0)
    for each in found:
        assert each.range.start.line == text[: text.index(scene.at)].count("\n")


async def test_the_sure_diff_comes_from_the_linter(tmp_path: Path) -> None:
    async with show(tmp_path) as s:
        ending = await s.play(TIER_0)
        assert ending == Ending("kept", "sure, because it is the linter's own safe fix", sure=True)
        assert '- return self.status is "active" + return self.status == "active"' in s.text
        assert "has no F632 to report any more" in s.text
        assert "Receipt ruff (none), $0," in s.text
        assert s.stage.upstream.requests == []


async def test_a_fix_is_put_back_or_kept_and_shown_from_the_menu_to_the_receipt(tmp_path: Path) -> None:
    broken = f"```python\n{FIXED.replace('(items', '((items')}```"
    async with show(tmp_path) as s:
        ending = await s.play(FIX, broken, broken)
        assert ending.what == "put back"
        assert "Climb big: " in s.text
        assert "Draft is taken back" in s.text
        assert "+++" not in s.text
        ending = await s.play(FIX, f"```python\n{FIXED}```")
        assert ending == Ending("kept", "parses, not proven right")
        told = s.text.partition("Receipt ")[2]
    for part in (
        "Ruff stockroom/shelves.py:11: Undefined name `totl` (F821)",
        "Menu > Fix: Undefined name `totl`",
        "Route small, $0.00",
        "Draft + return total",
        "Message Fixed `total_value`: small, <$0.0001 (parses, diagnostic gone).",
        "--- a/stockroom/shelves.py",
        "- return totl + return total",
        "Verdict kept: parses, not proven right",
        "has no F821 to report any more",
        "Receipt small (budget), <$0.0001, ",
    ):
        assert part in told
        told = told[told.index(part) :]


async def test_an_explanation_streams_and_a_hover_shows_it_again(tmp_path: Path) -> None:
    async with show(tmp_path) as s:
        ending = await s.play(EXPLAIN, "Hello!", "Hello!")
        assert ending == Ending("not kept", "the explanation did not pass its check")
        ending = await s.play(EXPLAIN, "It says how many of each item `to_order` has to order, `least` at hand.")
        assert ending == Ending("kept", "it speaks of this code, not proven right")
        assert "It says how many of each item `to_order` has to order, `least` at hand." in s.text
        assert "Hover shows it from now on: “small, kept: " in s.text


async def test_a_review_ends_with_and_without_a_finding(tmp_path: Path) -> None:
    async with show(tmp_path) as s:
        assert (await s.play(REVIEW, "Nice code!", "Nice code!")).what == "no usable finding"
        ending = await s.play(REVIEW, FINDING)
        assert ending == Ending("kept", "1 on lines that are really there, not proven right")
        assert "Finding line 11: A percentage has to be divided by 100 first." in s.text


async def test_tests_go_where_the_project_keeps_its_tests(tmp_path: Path) -> None:
    async with show(tmp_path) as s:
        ending = await s.play(TESTS, NEW_TESTS)
        assert ending == Ending("kept", "parses, not proven right")
        assert "--- /dev/null +++ b/tests/test_prices.py" in s.text
        assert "+from stockroom.prices import average" in s.text


async def test_what_the_facts_do_not_bear_out_is_no_defined_end(tmp_path: Path) -> None:
    async with show(tmp_path) as s:
        await s.play(EXPLAIN, "Hello!", "Hello!")
        buffer = next(iter(s.stage.editor.buffers.values()))
        with pytest.raises(Undefined, match="still there"):
            judge(s.stage.editor, buffer, {buffer.uri: "another text"}, s.stage.editor.seen.messages)
        s.stage.upstream.always(error(401))
        with pytest.raises(Undefined, match="Could not explain"):
            await s.play(EXPLAIN)


def test_no_key_and_no_home_of_the_user_reaches_the_server(tmp_path: Path) -> None:
    mine = {
        "PATH": "/bin", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "HOME": "/home/me", "XDG_DATA_HOME": "/home/me/data",
        "ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "b", "HF_TOKEN": "c", "HTTPS_PROXY": "http://d", "SECRET": "e",
    }  # fmt: skip
    given = environment(mine, tmp_path)
    assert (given["PATH"], given["LC_ALL"], given["NO_COLOR"]) == ("/bin", "C.UTF-8", "1")
    assert not {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "HF_TOKEN", "HTTPS_PROXY", "SECRET"} & set(given)
    assert all(str(tmp_path) in text for name, text in given.items() if name == "HOME" or name.startswith("XDG_"))


def test_the_sandbox_gives_everything_back() -> None:
    before = dict(os.environ)
    original = {path: path.read_bytes() for path in PROJECT.rglob("*") if path.is_file()}
    with scratch() as temporary, sandbox(temporary) as place:
        assert os.environ["HOME"].startswith(str(temporary))
        (place.root / "stockroom" / "items.py").write_text("changed")
    assert dict(os.environ) == before
    assert {path: path.read_bytes() for path in PROJECT.rglob("*") if path.is_file()} == original
    assert not temporary.exists()


def demo_environment(home: Path, tmp_path: Path) -> dict[str, str]:
    """Return a user's environment with keys in it, and a folder of its own for what is temporary."""
    keys = {"ANTHROPIC_API_KEY": "sk-ant-not-a-key", "OPENAI_API_KEY": "sk-not-a-key"}
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return dict(os.environ) | keys | {"XDG_DATA_HOME": str(home.parent), "TMPDIR": str(temporary)}


def left(tmp_path: Path) -> tuple[list[Path], list[str]]:
    """Return the files and, on Linux, the processes of a demo that are there."""
    processes = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(tmp_path).encode() in (folder / "environ").read_bytes():
                processes.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return list((tmp_path / "temporary").iterdir()), processes


@pytest.mark.model
def test_the_demo_shows_and_sums_up(home: Path, tmp_path: Path) -> None:
    env = demo_environment(home, tmp_path)
    words = (*DEMO, "--only", "1")  # `make demo` plays them all; this one waits for no model.
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout, "colour, though this is no terminal"
    assert '+        return self.status == "active"' in done.stdout
    assert "Fix, and no model is needed: kept (sure" in done.stdout
    assert "Spent     $0 for 1 action; today $0 (ruff/ruff $0)" in done.stdout
    assert left(tmp_path) == ([], [])


@pytest.mark.model
@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_a_signal_ends_the_demo_and_all_that_it_started(number: int, home: Path, tmp_path: Path) -> None:
    env = demo_environment(home, tmp_path)
    words = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    demo = subprocess.Popen((*DEMO, "--only", "2"), cwd=ROOT, env=env, **words)  # type: ignore[call-overload]  # mypy cannot see through a dict of streams
    for line in demo.stdout:
        if "Asking smollm2" in line:
            break
    assert len(left(tmp_path)[1]) == 3, "the demo, the server, the model's server"
    os.killpg(demo.pid, number)
    said, complaint = demo.communicate(timeout=100)
    assert (demo.returncode, complaint) == (130, ""), said
    assert said.rstrip().endswith("Stopped.")
    assert left(tmp_path) == ([], [])


def test_without_the_model_the_demo_says_what_is_missing(tmp_path: Path) -> None:
    nowhere = {"XDG_DATA_HOME": str(tmp_path / "none"), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}
    env = dict(os.environ) | nowhere | {"PIP_CONFIG_FILE": os.devnull}
    done = subprocess.run(DEMO, cwd=ROOT, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 1
    assert "The demo failed. pip could not download what the embedded model needs" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert not Embedded(tmp_path / "none" / "tuppence").installed()
