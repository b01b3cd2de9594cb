"""The lanes of tests in the Makefile: together they are the whole suite, and the fast one starts no server."""

from __future__ import annotations

import asyncio
import itertools
import re
import subprocess
import sys
from pathlib import Path

import lanes
import pytest
from _pytest.mark.expression import Expression
from paths import ROOT

MARKS = ("process", "slow", "long", "model")


def runs(target: str, marks: set[str]) -> int:
    """Return how often a target of the Makefile runs a test with those marks."""
    recipe = re.search(rf"^{target}: .*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None
    found = re.findall(r'pytest .*-m (?:"([^"]+)"|(\w+))', recipe[1])
    assert found
    return sum(Expression.compile(one or other).evaluate(lambda name, /, **_: name in marks) for one, other in found)


@pytest.mark.parametrize("marks", [set(each) for size in range(5) for each in itertools.combinations(MARKS, size)])
def test_each_test_is_in_one_lane_of_the_two_that_are_the_suite(marks: set[str]) -> None:
    fast, merge, long = (runs(target, marks) for target in ("test-fast", "test", "test-long"))
    assert merge + long == 1
    assert fast <= merge, "what the fast lane runs is a part of `make test`"
    assert not (fast and "process" in marks)


def test_the_fast_lane_takes_nothing_from_where_servers_are_started() -> None:
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-m", "not process", "-p", "no:cacheprovider"]
    files = (
        "tests/e2e",
        "tests/ledger/test_shared_cap.py",
        "tests/local/test_embedded.py",
        "tests/config/test_reload.py",
    )
    done = subprocess.run([*words, *files], cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout + done.stderr


def test_the_files_with_tests_of_the_embedded_model_are_those_that_the_makefile_names() -> None:
    named = re.search(r"^WITH_MODEL := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert named is not None
    # Those of the editors are run by `make editors`. That no other file has such tests, tests/conftest.py sees to.
    assert set(named[1].split()) == {each for each in lanes.MODEL if not each.startswith("tests/editors/")}


def test_a_test_of_the_embedded_model_elsewhere_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_a.py").write_text(
        "import pytest\n\n\n@pytest.mark.model\ndef test_it() -> None:\n    pass\n", encoding="utf-8"
    )
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    command = [*words, "--rootdir", ".", "--confcutdir", ".", "-p", "tests.conftest", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode != pytest.ExitCode.OK
    assert "needs the embedded model: name its file" in done.stdout + done.stderr


def test_the_suite_of_real_editors_can_be_collected() -> None:
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/editors", "-p", "no:cacheprovider"]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == pytest.ExitCode.OK, done.stdout + done.stderr


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "tuppence", "serve"],
        ["/usr/bin/tuppence", "serve", "--stdio"],
        [sys.executable, "demo/demo.py"],
        ["runuser", "-u", "postgres", "--", "/usr/lib/postgresql/15/bin/pg_ctl", "start"],
    ],
)
def test_a_test_without_the_mark_cannot_start_a_server(command: list[str]) -> None:
    with pytest.raises(AssertionError, match="not marked `process`"):
        subprocess.run(command, check=False)


async def test_nor_can_it_on_the_event_loop() -> None:
    with pytest.raises(AssertionError, match="not marked `process`"):
        await asyncio.create_subprocess_exec(sys.executable, "-m", "tuppence", "serve")
