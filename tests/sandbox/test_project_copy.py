"""The copy of a project for a run: its regular files that are not private, whatever their names or links."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from tuppence.sandbox import project_copy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tests are run on Linux only")


def copied(root: Path, goal: Path) -> list[str]:
    project_copy.copy(root, goal, lambda path: path.name == ".env" or path.suffix == ".key")
    return sorted(path.relative_to(goal).as_posix() for path in goal.rglob("*") if not path.is_dir())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "a.py").write_text("a", encoding="utf-8")
    (folder / ".env").write_text("secret", encoding="utf-8")
    return folder


@pytest.mark.attack("sandbox", "what is copied: links")
def test_a_link_leads_to_no_private_file_and_out_of_no_project(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "home" / "secret.txt"
    (root / "notes.txt").symlink_to(".env")
    (root / "deep" / "again.txt").symlink_to("../notes.txt")
    (root / "out.txt").symlink_to(outside)
    (root / "folder").symlink_to(tmp_path / "home")
    (root / "deep" / "up").symlink_to("../..")
    (root / "round").symlink_to("round")
    (root / "dead").symlink_to("nothing")
    (root / "process").symlink_to("/proc/self/environ")
    (root / "zero").symlink_to("/dev/zero")
    (root / "inner.py").symlink_to("a.py")
    assert copied(root, tmp_path / "goal") == ["a.py", "inner.py"]


@pytest.mark.attack("sandbox", "what is copied: no regular files")
def test_pipes_sockets_and_folders_without_an_end_are_left_out(root: Path, tmp_path: Path) -> None:
    os.mkfifo(root / "pipe.py")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(root / "socket.py"))
        assert copied(root, tmp_path / "goal") == ["a.py"]


@pytest.mark.attack("hostile sizes", "what is copied")
def test_what_is_too_large_is_not_copied(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (root / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(project_copy.TooLarge):
        copied(root, tmp_path / "goal")
    (root / "sparse").unlink()
    monkeypatch.setattr(project_copy, "_MOST_ENTRIES", 50)
    for number in range(60):
        (root / f"folder-{number}").mkdir()
    with pytest.raises(project_copy.TooLarge):
        copied(root, tmp_path / "again")


@pytest.mark.attack("sandbox", "what is copied: links")
def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "deep" / "secret.txt").write_text("mine", encoding="utf-8")
    true_place = project_copy._true_place

    def swapped(folder: Path, inner: Path) -> Path | None:
        found = true_place(folder, inner)
        if inner.name == "secret.txt":
            (root / "deep").rename(root / "was")
            (root / "deep").symlink_to(tmp_path / "home")
        return found

    monkeypatch.setattr(project_copy, "_true_place", swapped)
    assert copied(root, tmp_path / "goal") == ["a.py"]
