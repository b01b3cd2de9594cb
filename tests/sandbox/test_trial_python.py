"""Generated Python tests run in a copy, within limits, leaving nothing behind; the message for each outcome."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from tuppence.core.billing.entry import unquoted
from tuppence.core.checks.verdict import Verdict
from tuppence.core.text.document import Span
from tuppence.sandbox import TrialInput, interpreter, launcher, order, project_copy, pytest_runner, trial
from tuppence.sandbox.runner import Run

SOURCE = "def mean(xs):\n    return sum(xs) / len(xs)\n\n\ndef other():\n    return 1\n"
GOOD = "from stats import mean\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n"


def case(root: Path, text: str, code: str = SOURCE, source: str = "stats.py", **how: object) -> TrialInput:
    """Return a trial of tests for the first function of a file."""
    path = root / source
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("raise RuntimeError('the file on disk is older than the editor')\n", encoding="utf-8")
    only = how.get("names", ())
    assert isinstance(only, tuple)
    return TrialInput(
        language="python",
        root=root,
        source=path,
        code=code,
        target=Span(0, code.index("\n\n\n") if "\n\n\n" in code else len(code)),
        tests=root / str(how.get("tests", "test_stats.py")),
        text=text,
        names=only,
        is_private=lambda path: path.name == ".env",
    )


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Let the trials use the environment of these tests, without its slow plugins; return where the copies are made."""
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    copies = tmp_path_factory.mktemp("copies")
    monkeypatch.setattr(tempfile, "tempdir", str(copies))

    def environment(root: Path, source: Path, place: order.Place) -> Mapping[str, str]:
        return {**interpreter.environment(root, source, place), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    monkeypatch.setattr(pytest_runner, "environment", environment)
    return copies


def names(root: Path) -> list[str]:
    """Return the names of all that lies in a folder."""
    return sorted(path.name for path in root.rglob("*"))


async def test_good_tests_pass_and_catch_a_mutant(tmp_path: Path) -> None:
    assert await trial.prove(case(tmp_path, GOOD)) == Verdict(fit=True, proved="tests pass, mutant caught")
    assert names(tmp_path) == ["stats.py"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (GOOD.replace("== 2", "== 3"), "The tests fail on the code as it is: “assert 2.0 == 3”."),
        (
            "def test_mean():\n    assert mean([1]) == 1\n",
            "The tests fail on the code as it is: “NameError: name 'mean' is",
        ),
        (
            GOOD.replace("stats", "statz"),
            "The tests fail on the code as it is: “ModuleNotFoundError: No module named 'statz'”.",
        ),
        (GOOD.replace("== 2", "is not None"), ""),
        (
            "import stats\n\n\ndef test_mean():\n    assert stats.mean is not None\n",
            "The tests pass, but they prove little",
        ),
        (
            "from stats import mean\n\n\ndef check_mean():\n    assert mean([1])\n",
            "pytest finds no test in the answer.",
        ),
    ],
)
async def test_tests_that_are_to_blame(tmp_path: Path, text: str, why: str) -> None:
    verdict = await trial.prove(case(tmp_path, text))
    assert verdict.fit is (not why)
    assert " ".join(verdict.reasons).startswith(why)
    if verdict.fit:
        assert verdict.proved == "tests pass, mutant caught"


@pytest.mark.attack("keys", "what a run printed, in the ledger")
@pytest.mark.parametrize("words", ["secret", "`secret` ” `secret", "secret” \x1b[31m" * 9])
async def test_what_a_run_printed_is_quoted_and_not_entered_in_the_ledger(tmp_path: Path, words: str) -> None:
    text = f"{GOOD}    raise ValueError('{words}')\n"
    verdict = await trial.prove(case(tmp_path, text))
    assert "secret" in verdict.words
    assert verdict.words.isprintable()
    assert len(verdict.words) < 250
    assert "secret" not in unquoted(verdict.words)


async def test_only_the_new_tests_count(tmp_path: Path) -> None:
    text = (
        f"{GOOD}\n\ndef test_that_fails_already():\n    assert False\n\n\n"
        "class TestIt:\n    def test_one(self):\n        assert mean([2]) == 2\n"
    )
    assert not (await trial.prove(case(tmp_path, text))).fit
    assert (await trial.prove(case(tmp_path, text, names=("test_mean", "TestIt::test_one")))).fit


async def test_a_source_layout_and_the_projects_own_options(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\naddopts = "--no-such-option"\n', encoding="utf-8"
    )
    package = tmp_path / "src" / "pkg"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    text = GOOD.replace("from stats", "from pkg.stats")
    verdict = await trial.prove(case(tmp_path, text, source="src/pkg/stats.py", tests="tests/deep/test_stats.py"))
    assert verdict == Verdict(fit=True, proved="tests pass, mutant caught")


@pytest.mark.parametrize(
    ("code", "doubt"),
    [
        ("import no_such_package\n\n\ndef mean(xs): ...\n", "No module named 'no_such_package'"),
        ("raise SystemError('at import')\n\n\ndef mean(xs): ...\n", "SystemError: at import"),
    ],
)
async def test_a_project_that_does_not_run_is_not_the_tests_fault(tmp_path: Path, code: str, doubt: str) -> None:
    verdict = await trial.prove(case(tmp_path, GOOD, code))
    assert (verdict.fit, verdict.proved) == (True, "")
    assert "the tests were not run" in verdict.doubts[0]
    assert doubt in verdict.doubts[0]


async def test_without_pytest_nothing_is_blamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Path(sys.base_prefix) / "bin" / "python3"
    monkeypatch.setattr(pytest_runner, "find_interpreter", lambda _root: str(bare))
    verdict = await trial.prove(case(tmp_path, GOOD))
    assert verdict.fit
    assert verdict.proved in ("", "tests pass, mutant caught")
    monkeypatch.setattr(pytest_runner, "find_interpreter", lambda _root: None)
    assert (await trial.prove(case(tmp_path, GOOD))).doubts == (
        "the tests were not run: there is no Python to run them with",
    )


async def test_code_without_a_mutant(tmp_path: Path) -> None:
    code = "def name():\n    pass\n"
    text = "from stats import name\n\n\ndef test_name():\n    assert name() is None\n"
    assert await trial.prove(case(tmp_path, text, code)) == Verdict(
        fit=True, proved="tests pass", doubts=("no mutant was tried",)
    )


async def test_tests_of_another_copy_are_not_blamed_for_what_they_do_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"

    def seen_by(python: str, root: Path, place: order.Place) -> Mapping[Path, Path]:
        return {**interpreter.seen_by(python, root, place), elsewhere: elsewhere}

    monkeypatch.setattr(pytest_runner, "seen_by", seen_by)
    elsewhere.mkdir()
    (elsewhere / "stats.py").write_text(SOURCE, encoding="utf-8")
    (tmp_path / "project").mkdir()
    text = f"import sys\nsys.path.insert(0, {str(elsewhere)!r})\n{GOOD}"
    verdict = await trial.prove(case(tmp_path / "project", text))
    assert (verdict.fit, verdict.proved) == (True, "tests pass")
    assert verdict.doubts == ("they did not load the file as it is in the editor",)


async def test_nothing_is_written_but_in_the_copy(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    for each in (home, project):
        each.mkdir()
    (project / "data.txt").write_text("mine", encoding="utf-8")
    text = f"""
from pathlib import Path
import os, tempfile
import pytest
from stats import mean


def test_mean():
    assert mean([1, 3]) == 2
    Path("data.txt").write_text("theirs")
    (Path.home() / "a.txt").write_text("x")
    tempfile.NamedTemporaryFile().close()
    for place in ({str(project / "new.txt")!r}, {str(project / "data.txt")!r}, {str(home / "b.txt")!r}):
        with pytest.raises(OSError, match="Permission denied|Read-only file system|No such file"):
            Path(place).write_text("theirs")
    with pytest.raises(OSError, match="Permission denied|Read-only file system|No such file"):
        os.remove({str(project / "data.txt")!r})
"""
    verdict = await trial.prove(case(project, text))
    assert names(project) == ["data.txt", "stats.py"]
    assert (project / "data.txt").read_text(encoding="utf-8") == "mine"
    assert not list(home.iterdir())
    assert verdict == Verdict(fit=True, proved="tests pass, mutant caught")


async def test_no_key_is_in_the_environment_and_no_secret_in_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "GITHUB_TOKEN", "HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "secret")
    (tmp_path / ".env").write_text("KEY=secret", encoding="utf-8")
    no_key = "assert 'secret' not in os.environ.values()\n    assert not pathlib.Path('.env').exists()\n"
    text = f"import os, pathlib\n{GOOD}    {no_key}"
    assert (await trial.prove(case(tmp_path, text))).proved == "tests pass, mutant caught"


def left(mark: str) -> list[str]:
    """Return the command lines of the processes that hold a mark."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = each.read_bytes().decode(errors="replace")
            if mark in words and int(each.parent.name) != os.getpid():
                found.append(words)
    return found


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "SECONDS", 4.0)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(
    "deed",
    [
        "while True: pass",
        "time.sleep(600)",
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)",
        "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)', mark])",
    ],
)
async def test_tests_that_hang_are_ended(tmp_path: Path, here: Path, deed: str) -> None:
    text = f"import signal, subprocess, sys, time\nmark = {str(tmp_path)!r}\n{GOOD}    {deed}\n"
    # They hang for longer than a test may take, so one that is waited for fails by that.
    verdict = await trial.prove(case(tmp_path, text))
    assert verdict.reasons == ("The tests did not end within 4 seconds.",)
    assert not left(str(tmp_path))
    assert not left(str(here))
    assert names(here) == []


async def test_what_tests_start_and_leave_is_ended(tmp_path: Path) -> None:
    daemon = "import os, time; os.setsid(); os.fork() and os._exit(0); time.sleep(600)"
    text = (
        f"import subprocess, sys\nfrom stats import mean\n\n\ndef test_mean():\n    assert mean([1, 3]) == 2\n"
        f"    subprocess.Popen([sys.executable, '-c', {daemon!r}, {str(tmp_path)!r}], start_new_session=True)\n"
    )
    assert (await trial.prove(case(tmp_path, text))).proved == "tests pass, mutant caught"
    assert not left(str(tmp_path))


async def test_memory_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "MEMORY", 400_000_000)
    text = f"{GOOD}    bytearray(900_000_000)\n"
    assert "MemoryError" in (await trial.prove(case(tmp_path, text))).reasons[0]


async def test_a_mutant_that_never_ends_is_caught(tmp_path: Path) -> None:
    code = "def count(n):\n    at = 0\n    while at != n:\n        at += 1\n    return at\n"
    text = "from stats import count\n\n\ndef test_count():\n    assert count(3) == 3\n"
    assert (await trial.prove(case(tmp_path, text, code))).proved == "tests pass, mutant caught"


@pytest.mark.parametrize("after", [0.3, 1.0])
async def test_a_cancelled_trial_leaves_nothing(tmp_path: Path, here: Path, after: float) -> None:
    text = f"import time\n{GOOD}    time.sleep(600)\n"
    task = asyncio.create_task(trial.prove(case(tmp_path, text)))
    await asyncio.sleep(after)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_gone(lambda: not left(str(here)))
    assert names(here) == []


async def until_gone(is_gone: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not is_gone():  # noqa: ASYNC110 - the processes are not ours to wait for
            await asyncio.sleep(0.02)


def sleeping(folder: Path) -> str:
    """Return the order to sleep in a copy of nothing."""
    place = order.Place(folder)
    place.origin.mkdir()
    place.root.mkdir()
    limits = order.RunLimits(seconds=60, memory=trial.MEMORY, addresses=0, processes=99)
    python = os.path.realpath(sys.executable)
    return order.order(
        place, limits, [python, "-I", "-S", "-c", "import time; time.sleep(600)", str(folder)], {}, order.WALLS
    )


async def test_a_launcher_whose_starter_is_gone_ends_everything(tmp_path: Path) -> None:
    asked = sleeping(tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", launcher.__file__, asked), stdin=asyncio.subprocess.PIPE
    )
    await until_gone(lambda: any("time.sleep" in each and "walls" not in each for each in left(str(tmp_path))))
    assert process.stdin is not None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), 60) == launcher.TIME_IS_UP
    assert not left(str(tmp_path))


def test_what_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, goal = tmp_path / "project", tmp_path / "copy"
    for name in (
        "a.py",
        "deep/b.txt",
        ".git/config",
        ".venv/pyvenv.cfg",
        "node_modules/c.js",
        "__pycache__/a.pyc",
        "d.key",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, encoding="utf-8")
    (tmp_path / "outside.txt").write_text("x", encoding="utf-8")
    (root / "link.txt").symlink_to(tmp_path / "outside.txt")
    (root / "inner.txt").symlink_to(root / "a.py")
    project_copy.copy(root, goal, lambda path: path.suffix == ".key")
    assert sorted(path.relative_to(goal).as_posix() for path in goal.rglob("*") if path.is_file()) == [
        "a.py",
        "deep/b.txt",
        "inner.txt",
    ]
    assert not any(path.is_symlink() for path in goal.rglob("*"))
    monkeypatch.setattr(project_copy, "MOST_FILES", 2)
    with pytest.raises(project_copy.TooLarge):
        project_copy.copy(root, tmp_path / "again", lambda _path: False)


def test_packages_are_links_and_those_of_the_project_are_the_copy_s_own(tmp_path: Path) -> None:
    root, place = tmp_path / "root", order.Place(tmp_path / "place")
    packages = root / "node_modules"
    for name in ("one", ".bin", ".vite-temp", ".pnpm/two", "@own/three"):
        (packages / name).mkdir(parents=True)
    (root / "packages" / "four").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (packages / "two").symlink_to(".pnpm/two")
    (packages / "@own" / "four").symlink_to("../../packages/four")
    (packages / "away").symlink_to(tmp_path / "outside")
    assert project_copy.link(root, place, ("node_modules", "vendor")) == [packages]
    own = place.origin / "node_modules"
    assert {path.relative_to(own).as_posix(): path.readlink() for path in own.rglob("*") if path.is_symlink()} == {
        "one": packages / "one",
        ".bin": packages / ".bin",
        ".pnpm": packages / ".pnpm",
        "two": packages / ".pnpm" / "two",
        "@own/three": packages / "@own" / "three",
        "@own/four": place.project / "packages" / "four",
    }
    assert [path.name for path in place.origin.iterdir()] == ["node_modules"]


@pytest.mark.attack("sandbox", "packages that are links to other folders")
def test_a_folder_of_packages_that_leads_elsewhere_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    root = tmp_path / "root"
    root.mkdir()
    (root / "node_modules").symlink_to(tmp_path / "home" / ".ssh")
    assert project_copy.link(root, order.Place(tmp_path / "place"), ("node_modules",)) == []


def test_which_python_runs_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)
    assert interpreter.find_interpreter(tmp_path) == str(Path(sys.prefix) / "bin" / "python")
    own = tmp_path / "venv" / "bin"
    own.mkdir(parents=True)
    (own / "python").symlink_to(sys.executable)
    (tmp_path / "venv" / "pyvenv.cfg").write_text("", encoding="utf-8")
    assert interpreter.find_interpreter(tmp_path) == str(own / "python")
    assert interpreter.module_of(tmp_path / "a" / "b.py", tmp_path) == "b"
    (tmp_path / "a" / "__init__.py").parent.mkdir()
    (tmp_path / "a" / "__init__.py").write_text("", encoding="utf-8")
    assert interpreter.module_of(tmp_path / "a" / "b.py", tmp_path) == "a.b"
    assert interpreter.module_of(tmp_path / "a" / "__init__.py", tmp_path) == "a"


@pytest.mark.attack("sandbox", "words of a run that a person sees")
@pytest.mark.parametrize(
    "said",
    ["[Retry](command:x)\x1b[2J", "a”; b “c", "x" * 9999, "[a](https://evil.example)\u202e\x9b", "a\x00b\x08\x07"],
)
def test_what_a_run_says_is_quoted_and_short(said: str, tmp_path: Path) -> None:
    class Told:
        def complaint(self, text: str) -> str:
            return text

    held = trial._Trial.__new__(trial._Trial)
    held._place = SimpleNamespace(project=tmp_path)  # type: ignore[assignment]  # its complaint reads this alone
    held._runner = Told()  # type: ignore[assignment]  # it is asked for its complaint alone
    quoted = held._complaint(Run("failed", said))
    assert quoted[0] == "“"
    assert quoted[-1] == "”"
    assert len(quoted) <= 163
    assert not set(quoted[1:-1]) & set("“”\x00\x07\x08\x1b\x9b\u202e")
    assert "](" not in quoted
    assert held._complaint(Run("failed", "")) == ""
