"""A hostile workspace, through the real server: nothing outside of it and nothing that git ignores reaches a model."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import git_oracle
import pytest
import pytest_asyncio
from scenario import gated, messages, until
from server import Stage, pick, stage, titles

CANARY = "canaryinthemine"
SOURCE = "from shop.rates import stolen\n\n\ndef mean(values):\n    return stolen(values) / len(values)\n"
REPLY = "```python\ndef mean(values):\n    return stolen(values) / len(values)\n```\n"
TESTS = "```python\ndef test_mean():\n    assert mean([1]) == 1\n```\n```imports\nfrom app import mean\n```\n"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def s(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all of them, on a folder within a repository; each works in a project of its own."""
    base = tmp_path_factory.mktemp("hostile")
    git_oracle.init(base)
    (base / ".gitignore").write_text("ignored_*.py\nhome/\n", encoding="utf-8")
    (base / ".git/info/exclude").write_text("excluded_*.py\n", encoding="utf-8")
    (base / "home").mkdir()
    (base / "home/.gitconfig").write_text("[core]\nexcludesFile = ~/mine\n", encoding="utf-8")
    (base / "home/mine").write_text("everywhere_*.py\n", encoding="utf-8")
    outside = base / "outside"
    outside.mkdir()
    for name in ("rates.py", "test_app.py", "bashrc", "rules.md"):
        (outside / name).write_text(f"def stolen(values):\n    '''{CANARY}'''\n", encoding="utf-8")
    async with stage(base) as running:
        yield running


def project(s: Stage, name: str, files: Mapping[str, str], links: Mapping[str, str] | None = None) -> Path:
    """Write a project of its own inside the open folder, and return its source."""
    for file, text in {"pyproject.toml": "", "app.py": SOURCE, **files}.items():
        s.write(f"{name}/{file}", text)
    for link, goal in (links or {}).items():
        (s.root / name / link).parent.mkdir(parents=True, exist_ok=True)
        (s.root / name / link).symlink_to(goal)
    return s.root / name / "app.py"


async def act(s: Stage, path: Path, entry: str, reply: str = REPLY) -> str:
    """Open a file, choose an entry of its menu, and return all that providers were sent meanwhile."""
    before = len(s.upstream.requests)
    s.editor.seen.messages.clear()
    buffer = s.editor.buffers.get(path.as_uri()) or s.editor.open(path, "python")
    s.upstream.unscript()
    s.upstream.says(reply)
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("mean")), entry))
    return json.dumps([each.body for each in s.upstream.requests[before:]])


async def refused(s: Stage, path: Path) -> str:
    """Return why a menu offers nothing."""
    buffer = s.editor.open(path, "python")
    entries = await s.editor.menu(buffer, buffer.text.index("mean"))
    assert entries
    assert all(each.disabled is not None for each in entries), titles(entries)
    [reason] = {each.disabled.reason for each in entries if each.disabled is not None}
    return reason


@pytest.mark.attack("workspace files", "what a request holds")
@pytest.mark.parametrize(
    "links",
    [
        {"shop/rates.py": "../../../outside/rates.py"},
        {"shop": "../../outside"},
        {"AGENTS.md": "../../outside/rules.md", "tests/test_other.py": "../../../outside/test_app.py"},
    ],
)
async def test_a_request_holds_nothing_that_a_link_leads_to(s: Stage, links: dict[str, str]) -> None:
    path = project(s, f"request{len(str(links))}", {}, links)
    for entry, reply in (("Fix", REPLY), ("Explain", "It does."), ("Generate tests", TESTS)):
        sent = await act(s, path, entry, reply)
        assert "def mean" in sent
        assert CANARY not in sent


@pytest.mark.attack("workspace files", "tests that are written through a link")
@pytest.mark.parametrize("links", [{"tests/test_app.py": "../../../outside/bashrc"}, {"tests": "../../outside"}])
async def test_tests_are_not_written_through_a_link(s: Stage, links: dict[str, str]) -> None:
    path = project(s, f"written{len(links)}{'/' in next(iter(links))}", {}, links)
    s.editor.seen.edits.clear()
    assert await act(s, path, "Generate tests", TESTS) == "[]"
    [said] = messages(s)
    assert "The tests belong in test_app.py, but a symbolic link leads out of the folder that is open." in said
    assert not s.editor.seen.edits


@pytest.mark.attack("workspace files", "links that are put there in between")
@pytest.mark.parametrize("there", [True, False], ids=["a file of tests", "none yet"])
async def test_tests_are_not_written_through_a_link_that_came_meanwhile(s: Stage, *, there: bool) -> None:
    path = project(s, f"meanwhile_{there}", {"tests/test_app.py": "def test_one(): ...\n"} if there else {})
    buffer, gate = s.editor.open(path, "python"), asyncio.Event()
    entry = pick(await s.editor.menu(buffer, buffer.text.index("mean")), "Generate tests")
    s.editor.seen.messages.clear()
    s.editor.seen.edits.clear()
    before = len(s.upstream.requests)
    s.upstream.unscript()
    s.upstream.script(gated(TESTS, gate))
    run = asyncio.create_task(s.editor.run(entry))
    await until(lambda: len(s.upstream.requests) > before)
    if there:
        (path.parent / "tests").rename(path.parent / "former")
    (path.parent / "tests").symlink_to("../../outside")
    gate.set()
    await run
    [said] = messages(s)
    assert "a symbolic link leads out of the folder that is open" in said
    assert not s.editor.seen.edits


@pytest.mark.attack("what leaves", "what git ignores")
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ignored_a.py", "../.gitignore leaves it out"),
        ("excluded_a.py", "info/exclude leaves it out"),
        ("everywhere_a.py", "~/mine leaves it out"),
        ("own_a.py", "named/.tuppenceignore leaves it out"),
        ("build/keep.py", "named/.gitignore leaves it out"),
    ],
)
async def test_what_git_ignores_is_refused_and_not_shown(s: Stage, name: str, why: str) -> None:
    files = {
        ".tuppenceignore": "own_a.py\n",
        ".gitignore": "!own_a.py\nbuild/\n!build/keep.py\n",
        name: f"def mean(values):\n    '''{CANARY}'''\n    return values\n",
    }
    path = project(s, "named", files)
    assert (
        await refused(s, path.with_name("build" if "/" in name else name) / ("keep.py" if "/" in name else ""))
    ).endswith(f"{why}.")
    module = name.removesuffix(".py").replace("/", ".")
    s.write("named/user.py", f"from {module} import mean as stolen\n\n\ndef mean(values):\n    return stolen(values)\n")
    user = path.with_name("user.py")
    s.editor.buffers.pop(user.as_uri(), None)
    sent = await act(s, user, "Explain", "It does.")
    assert "def mean" in sent
    assert CANARY not in sent


@pytest.mark.attack("hostile sizes", "ignore files that cannot be read")
@pytest.mark.parametrize("kind", ["pipe", "zeros", "many"])
async def test_a_hostile_ignore_file_holds_up_no_one(s: Stage, kind: str) -> None:
    bad = project(s, f"bad_{kind}", {})
    file = bad.with_name(".tuppenceignore")
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "zeros":
        file.symlink_to("/dev/zero")
    else:
        file.write_text("a\n" * 300_000, encoding="utf-8")
    for _ in range(20):
        s.editor.buffers.pop(bad.as_uri(), None)
        assert "cannot be read (it" in await refused(s, bad)
    good = project(s, f"good_{kind}", {})
    assert "def mean" in await act(s, good, "Explain", "It does.")


async def test_a_link_inside_is_followed(s: Stage) -> None:
    files = {"lib/rates.py": "def stolen(values):\n    '''Harmless.'''\n", "AGENTS.md": "Be brief.\n"}
    path = project(s, "inside", files, {"shop": "lib", "CLAUDE.md": "AGENTS.md"})
    sent = await act(s, path, "Explain", "It does.")
    assert "Harmless." in sent
    assert "Be brief." not in sent, "the conventions are those of the open folder"
