"""A linter is a program that a project's configuration steers: its memory, time, output and environment are limited."""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

import pytest
from tests.sandbox.test_trial_python import left

from tuppence.core.checks.diagnostic_diff import EditUnderReview
from tuppence.core.checks.verdict import Verdict
from tuppence.core.text.document import Document, Edit, Span
from tuppence.linters import lint, process, recheck
from tuppence.linters.process import CouldNotRun

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the limits are those of POSIX")

CODE = "def f(xs):\n    return x\n"


async def judged(path: Path) -> Verdict:
    document = Document(path.as_uri(), "python", 1, CODE)
    whole = Span(0, len(CODE))
    case = EditUnderReview(chosen=None, target=whole, name="f", edits=(Edit(whole, CODE.replace("x\n", "xs\n")),))
    return await recheck(Verdict.accepted("parses"), case, document, path)


COMMENTS = "# 120 MB of them"
"""What the test writes comments in the place of: they are made by the worker that needs them, not at each import."""
HOSTILE = {
    "extended without an end": {"ruff.toml": 'extend = "/dev/zero"\n'},
    "extended in a circle": {"ruff.toml": 'extend = "b.toml"\n', "b.toml": 'extend = "ruff.toml"\n'},
    "extended by itself": {"ruff.toml": 'extend = "ruff.toml"\n'},
    "a folder": {"ruff.toml": 'extend = "."\n'},
    "not there": {"ruff.toml": 'extend = "no.toml"\n'},
    "no TOML": {"ruff.toml": "\x1b[31m[[[\u202e](command:x)\n"},
    "large": {"ruff.toml": f"line-length = 100\n{COMMENTS}\n"},
    "deep": {"ruff.toml": f"a = {'[' * 200_000}\n"},
    "required of another version": {"ruff.toml": 'required-version = "==0.0.1"\n'},
}


@pytest.mark.attack("hostile sizes", "a linter's configuration in the workspace")
@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_hostile_configuration_costs_little_and_is_said(tmp_path: Path, kind: str) -> None:
    for name, text in HOSTILE[kind].items():
        (tmp_path / name).write_text(text.replace(COMMENTS, "# x" * 40_000_000), encoding="utf-8")
    verdict = await judged(tmp_path / "a.py")
    assert verdict.fit
    if verdict.proved == "parses":
        assert verdict.doubts[0].startswith("ruff could not run: ")
        assert len(verdict.doubts[0]) < 250
        assert verdict.doubts[0].isprintable()
    else:
        assert kind == "large"
    kilobytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert kilobytes * 1024 <= process.MEMORY


@pytest.mark.attack("hostile sizes", "a linter's configuration in the workspace")
async def test_a_pipe_as_configuration_ends_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "SECONDS", 1.0)
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "ruff.toml").write_text('extend = "pipe.toml"\n', encoding="utf-8")
    assert (await judged(tmp_path / "a.py")).doubts == ("ruff could not run: it took longer than 1 seconds",)
    assert await lint(Document((tmp_path / "a.py").as_uri(), "python", 1, CODE), tmp_path / "a.py") == ()


@pytest.mark.attack("keys", "the environment of a linter")
async def test_a_linter_gets_no_key_and_starts_in_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "TUPPENCE_EMBEDDED_KEY", "RUFF_CONFIG", "PYTHONPATH", "NODE_OPTIONS"):
        monkeypatch.setenv(name, "secret")
    monkeypatch.chdir(tmp_path)
    script = "import json, os; print(json.dumps([dict(os.environ), os.getcwd()]))"
    done = await process.run("python", [sys.executable, "-I", "-c", script], b"")
    seen, folder = json.loads(done.out)
    assert "secret" not in seen.values()
    assert folder == "/"


@pytest.mark.attack("hostile sizes", "what a linter says and does")
async def test_what_a_linter_may_say_and_do_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    with pytest.raises(CouldNotRun, match="it said more than 4 MB"):
        await process.run("it", [sys.executable, "-I", "-c", endless], b"")
    talking = "import sys\nfor _ in range(999): sys.stderr.write('\\x1b]8;;x' * 999)"
    assert len((await process.run("it", [sys.executable, "-I", "-c", talking], b"")).complaint) <= 163
    greedy = "x = bytearray(2_000_000_000)"
    assert "MemoryError" in (await process.run("it", [sys.executable, "-I", "-c", greedy], b"")).complaint
    writing = f"open({str(tmp_path / 'new')!r}, 'w').write('x' * 10000)"
    assert (await process.run("it", [sys.executable, "-I", "-c", writing], b"")).status != 0
    assert not (tmp_path / "new").read_bytes()
    monkeypatch.setattr(process, "SECONDS", 0.5)
    mark = str(tmp_path)
    sleeping = "[sys.executable, '-c', 'import time; time.sleep(600)', sys.argv[1]]"
    leaving = f"import subprocess, sys; subprocess.Popen({sleeping})"
    with pytest.raises(CouldNotRun, match="took longer"):
        await process.run("it", [sys.executable, "-I", "-c", f"{leaving}\nwhile True: pass", mark], b"")
    assert not left(mark)


async def test_the_project_s_own_settings_are_used(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text('[lint]\nselect = ["D100"]\n', encoding="utf-8")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "ruff.toml").write_text('extend = "../base.toml"\n', encoding="utf-8")
    path = tmp_path / "inner" / "a.py"
    assert [each.code for each in await lint(Document(path.as_uri(), "python", 1, CODE), path)] == ["D100"]
