"""A folder full of files that are named like modules and programs: the server is started there and runs none."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paths import PACKAGE, ROOT

NAMES = (
    *("json", "typing", "asyncio", "logging", "pathlib", "sitecustomize", "usercustomize", "runpy", "os", "re", "site"),
    *("pygls", "lsprotocol", "httpx", "rich", "ruff", "pytest", "conftest", "platformdirs", "tomllib", "sqlite3"),
    *("argparse", "encodings", "importlib", "importlib_metadata", "contextlib", "dataclasses", "pip", "xllamacpp"),
)
"""Modules of Python's, of ours, and of what we use."""
PROGRAM = Path(sys.executable).with_name("tuppence")
WAYS = {
    "the program": [str(PROGRAM)],
    "python -m": [sys.executable, "-m", "tuppence"],
    "python -P -m": [sys.executable, "-P", "-m", "tuppence"],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a folder in which whatever is run or imported leaves a file."""
    for name in NAMES:
        canary = f"open({str(tmp_path / 'canary')!r}, 'a').write({name!r} + ' ')\n"
        (tmp_path / f"{name}.py").write_text(canary, encoding="utf-8")
        (tmp_path / f"{name}.pth").write_text(f"import {name}\n", encoding="utf-8")
    for name in ("tuppence", "ruff", "node", "bwrap", "git", "python", "python3", "pip", "sh"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >>{tmp_path}/canary\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    (tmp_path / ".tuppence.toml").write_text("", encoding="utf-8")
    (tmp_path / "a.py").write_text("import os\n\n\ndef f(x):\n    return y\n", encoding="utf-8")
    return tmp_path


def messages(root: Path) -> bytes:
    """Return what an editor says to a server: a start, a file, a menu, an end."""
    uri = (root / "a.py").as_uri()
    text = (root / "a.py").read_text(encoding="utf-8")
    place = {"start": {"line": 4, "character": 11}, "end": {"line": 4, "character": 12}}
    said: list[dict[str, object]] = [
        {"id": 1, "method": "initialize", "params": {"processId": None, "rootUri": root.as_uri(), "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {
            "method": "textDocument/didOpen",
            "params": {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}},
        },
        {
            "id": 2,
            "method": "textDocument/codeAction",
            "params": {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}},
        },
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]
    bodies = [json.dumps({"jsonrpc": "2.0", **each}).encode() for each in said]
    return b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(each), each) for each in bodies)


@pytest.mark.process
@pytest.mark.attack("workspace files", "files named like modules and programs")
@pytest.mark.parametrize("way", WAYS)
def test_no_file_of_the_folder_is_run(
    workspace: Path, way: str, record_property: Callable[[str, object], None]
) -> None:
    record_property("cases", len(NAMES))
    if way == "python -m":
        # Python itself imports these before a line of ours is run, and without -P from the current folder.
        for name in ("importlib", "contextlib"):
            (workspace / f"{name}.py").unlink()
    home = workspace / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": f".:{os.environ['PATH']}"}
    done = subprocess.run(
        [*WAYS[way], "serve"],
        cwd=workspace,
        env=environment,
        input=messages(workspace),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b'"id":1' in done.stdout.replace(b" ", b""), done.stderr
    assert b'"id":2' in done.stdout.replace(b" ", b""), done.stderr
    assert not (workspace / "canary").exists(), (workspace / "canary").read_text(encoding="utf-8")
    route = subprocess.run(
        [*WAYS[way], "models"], cwd=workspace, env=environment, capture_output=True, timeout=60, check=False
    )
    assert route.stdout
    assert not (workspace / "canary").exists()


@pytest.mark.process
@pytest.mark.skipif(shutil.which("nvim") is None, reason="Neovim is not installed")
@pytest.mark.attack("workspace files", "files named like modules and programs")
def test_neovim_starts_no_program_of_the_folder(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = workspace / "log"
    log.mkdir()
    fake = log / "bin"
    fake.mkdir()
    (fake / "tuppence").write_text(f'#!/bin/sh\necho "$0 $PYTHONSAFEPATH" >{log}/started\n', encoding="utf-8")
    (fake / "tuppence").chmod(0o755)
    monkeypatch.setenv("PATH", f".:{fake}:{os.environ['PATH']}")
    lua = "require('tuppence').setup()"
    asked = ["nvim", "--headless", "--clean", "--cmd", f"set rtp+={ROOT / 'clients' / 'neovim'}", "-c", f"lua {lua}"]
    wait = f"lua vim.wait(20000, function() return vim.fn.filereadable('{log}/started') == 1 end)"
    subprocess.run(
        [shutil.which("nvim") or "", *asked[1:], "-c", "edit a.py", "-c", wait, "-c", "qall!"],
        cwd=workspace,
        check=True,
        capture_output=True,
        timeout=60,
    )
    canary = workspace / "canary"  # Neovim's own search for Python takes what the path says.
    assert "tuppence" not in (canary.read_text(encoding="utf-8") if canary.exists() else "")
    assert (log / "started").read_text(encoding="utf-8") == f"{fake}/tuppence 1\n"


STARTERS = {
    "linters/process.py": "create_subprocess_exec",
    "local/embedded.py": "Popen run",
    "local/server.py": "fork",
    "local/weights.py": "run",
    "sandbox/launcher.py": "execv fork",
    "sandbox/trial.py": "create_subprocess_exec",
    "sandbox/walls.py": "execv fork",
}
"""The only places that start a process, and by what."""
_STARTS = {
    *("Popen", "call", "check_call", "check_output", "getoutput", "getstatusoutput", "run"),
    *("create_subprocess_exec", "create_subprocess_shell", "subprocess_exec", "subprocess_shell"),
    *("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"),
    *("execv", "execve", "execl", "execle", "execlp", "execlpe", "execvp", "execvpe", "spawnv", "spawnve", "spawnl"),
    *("Process", "ProcessPoolExecutor", "Pool"),
}
_MODULES = {"subprocess", "os", "asyncio", "multiprocessing", "pty"}


def starts(path: Path) -> Iterator[str]:
    """Yield by what a file starts processes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {*_MODULES, "concurrent"}:
            yield from (each.name for each in node.names if each.name in _STARTS)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _STARTS:
            whose = node.func.value
            is_asyncio = node.func.attr == "run" and isinstance(whose, ast.Name) and whose.id == "asyncio"
            if isinstance(whose, ast.Name) and whose.id in _MODULES and not is_asyncio:
                yield node.func.attr


def test_a_process_is_started_in_known_places_only() -> None:
    """Each gives it a list of names of the environment, a folder that is no project's, and an end."""
    files = sorted(PACKAGE.rglob("*.py"))
    found = {path.relative_to(PACKAGE).as_posix(): " ".join(sorted(set(starts(path)))) for path in files}
    assert {name: how for name, how in found.items() if how} == STARTERS


def test_every_started_process_gets_an_environment_and_a_folder() -> None:
    for name in STARTERS:
        tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            is_start = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if is_start and node.func.attr in {"create_subprocess_exec", "Popen", "run"}:  # type: ignore[attr-defined]
                whose = node.func.value  # type: ignore[attr-defined]
                if isinstance(whose, ast.Name) and whose.id in {"asyncio", "subprocess"}:
                    given = {each.arg for each in node.keywords}  # type: ignore[attr-defined]
                    assert {"env", "cwd"} <= given, f"{name}, line {node.lineno}"  # type: ignore[attr-defined]
