"""Git itself, the reference for tests of ``workspace/git_ignore.py``."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest


def git(folder: Path, *arguments: str, data: bytes = b"", check: bool = True) -> bytes:
    """Return the output of a git command in a folder."""
    done = subprocess.run(["git", *arguments], cwd=folder, input=data, capture_output=True, check=False)
    assert not check or done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def init(folder: Path) -> Path:
    """Turn a folder into a repository."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    return folder


def ignored(top: Path, paths: Iterable[Path]) -> set[Path]:
    """Return the paths that git ignores, tracked or not."""
    data = b"\0".join(os.fsencode(each.relative_to(top)) for each in paths)
    said = git(top, "check-ignore", "--no-index", "-z", "--stdin", data=data, check=False)
    return {top / os.fsdecode(each) for each in said.split(b"\0") if each}


def own_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> Path:
    """Give git, and our reader of its configuration, an empty home folder."""
    home.mkdir(exist_ok=True)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return home
