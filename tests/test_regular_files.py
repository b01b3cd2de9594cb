"""Files are opened from their folder down: no link leads out, and no pipe, device or endless file holds a reader."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from watched import watch

from tuppence import regular_files
from tuppence.regular_files import CIRCLE, LEADS_OUT, LINKED, Missing, Unreadable, listed, places, read, read_here

CANARY = b"canary in the coal mine"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make an open folder, and a file outside of it."""
    folder = tmp_path.resolve() / "root"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_bytes(b"inside")
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret.py").write_bytes(CANARY)
    return folder


def why(call: Callable[..., object], *arguments: Any, **more: Any) -> str:
    with pytest.raises(Unreadable) as raised:
        call(*arguments, **more)
    return str(raised.value)


def test_what_lies_inside_is_read_through_links_inside(root: Path) -> None:
    (root / "one").symlink_to("src")
    (root / "two").symlink_to(root / "one")
    (root / "three.py").symlink_to("two/../two/a.py")
    alias = root.parent / "alias"
    alias.symlink_to(root)
    (root / "by_alias").symlink_to(alias / "src")
    for name in ("src/a.py", "one/a.py", "two/a.py", "three.py", "src/../src/a.py", "by_alias/a.py"):
        assert read(root / name, root, 100) == b"inside"
    assert read(alias / "src/a.py", root, 100) == b"inside"
    assert listed(root / "two", root, 10) == [("a.py", "file")]


@pytest.mark.attack("workspace files", "links that lead out")
@pytest.mark.parametrize(
    ("link", "goal", "name"),
    [
        ("a.py", "../outside/secret.py", "a.py"),
        ("a.py", "{outside}/secret.py", "a.py"),
        ("tests", "../outside", "tests/secret.py"),
        ("src/deep", "../../outside", "src/deep/secret.py"),
        ("src/deep", "/proc/self/cwd/../outside", "src/deep/secret.py"),
        ("up", "..", "up/outside/secret.py"),
        ("top", "/", "top{outside}/secret.py"),
        ("self", "/proc/self/root", "self{outside}/secret.py"),
        ("chain", "middle", "chain/secret.py"),
    ],
)
def test_no_link_leads_out(root: Path, link: str, goal: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = root.parent / "outside"
    (root / "middle").symlink_to(outside)
    (root / link).symlink_to(goal.format(outside=outside))
    monkeypatch.chdir(root)
    opened = watch(monkeypatch, os, "open")
    path = root / name.format(outside=outside)
    assert why(read, path, root, 100) == LEADS_OUT
    if path.parent != root:
        assert why(listed, path.parent, root, 100) == LEADS_OUT
    assert not opened


@pytest.mark.attack("workspace files", "paths that lead out")
@pytest.mark.parametrize(
    "name", ["../outside/secret.py", "src/../../outside/secret.py", "src/./../../outside/secret.py", "/etc/passwd"]
)
def test_no_path_leads_out(root: Path, name: str) -> None:
    assert why(read, root / name, root, 100) == LEADS_OUT


@pytest.mark.attack("workspace files", "links that are put there in between")
@pytest.mark.parametrize("swapped", ["src", "src/a.py"], ids=["a folder", "the file"])
def test_a_link_that_is_put_there_after_the_check_is_not_followed(
    root: Path, swapped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.parent / "outside/a.py").write_bytes(CANARY)
    checked = regular_files.real

    def swap(path: Path) -> Path:
        place = checked(path)
        (root / swapped).rename(root / "former")
        (root / swapped).symlink_to(root.parent / "outside" / ("" if swapped == "src" else "a.py"))
        return place

    monkeypatch.setattr(regular_files, "real", swap)
    with pytest.raises(Unreadable):
        read(root / "src/a.py", root, 100)


@pytest.mark.attack("workspace files", "links that are put there in between")
def test_a_pipe_that_is_put_there_after_the_look_is_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opening = os.open

    def swap(path: str, flags: int, *rest: Any, **more: Any) -> int:
        if path == "a.py":
            (root / "src/a.py").unlink()
            os.mkfifo(root / "src/a.py")
        return opening(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", swap)
    assert why(read, root / "src/a.py", root, 100) == "it is not a regular file"


@pytest.mark.attack("hostile sizes", "files that are none")
@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "zeros", "terminal"])
def test_only_regular_files_are_read(root: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "src/odd"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(path.parent)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    elif kind == "folder":
        path.mkdir()
    else:
        path, root = Path("/dev/zero" if kind == "zeros" else "/dev/tty"), Path("/dev")
    assert why(read, path, root, 100) == "it is not a regular file"
    for follow in (True, False):
        assert why(read_here, path, 100, follow=follow) == "it is not a regular file"


@pytest.mark.attack("hostile sizes", "files that say they are small")
def test_sizes_are_counted_and_not_believed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "big").write_bytes(b"x" * 101)
    assert why(read, root / "big", root, 100) == "it is larger than 100 bytes"
    assert len(read(root / "big", root, 101)) == 101
    with (root / "sparse").open("wb") as file:
        file.truncate(1 << 40)
    taken = watch(monkeypatch, os, "read")
    assert why(read, root / "sparse", root, 1_000_000) == "it is larger than 1,000,000 bytes"
    assert sum(most for _, most in taken) == 1_000_001
    if Path("/proc/self/maps").exists():
        assert Path("/proc/self/maps").stat().st_size == 0
        assert why(read, Path("/proc/self/maps").resolve(), Path("/proc"), 100) == "it is larger than 100 bytes"


@pytest.mark.attack("workspace files", "odd paths")
def test_odd_paths_are_refused_and_not_followed(root: Path) -> None:
    (root / "circle").symlink_to("circle")
    (root / "round").symlink_to("round/x")
    for number in range(50):
        (root / f"l{number}").symlink_to(f"l{number + 1}")
    assert why(read, root / "circle", root, 100) == CIRCLE
    assert why(read, root / "round/a", root, 100) == CIRCLE
    assert why(read, root / "l0", root, 100) == CIRCLE
    assert why(read, root / "a\0b", root, 100) == "its name is none that a file can have"
    assert "too long" in why(read, root / ("a/" * 1_000_000), root, 100)
    assert why(read, root / ("n" * 300), root, 100).startswith("it cannot be read")
    assert why(read, root, root, 100) == "it is a folder"
    with pytest.raises(Missing):
        read(root / "none/at/all", root, 100)
    with pytest.raises(Missing):
        read(root / "src/a.py/b", root, 100)


def test_names_that_are_no_text_are_read(root: Path) -> None:
    path = root / os.fsdecode(b"caf\xe9.py")
    path.write_bytes(b"inside")
    assert read(path, root, 100) == b"inside"
    assert [name for name, _ in listed(root, root, 10)] == sorted([path.name, "src"])


@pytest.mark.attack("workspace files", "links that lead out")
def test_a_link_is_neither_a_folder_nor_a_file_in_a_list(root: Path) -> None:
    (root / "tests").symlink_to("../outside")
    (root / "x.py").symlink_to("src/a.py")
    os.mkfifo(root / "pipe")
    assert listed(root, root, 10) == [("pipe", ""), ("src", "folder"), ("tests", ""), ("x.py", "")]
    assert len(listed(root, root, 2)) == 2


def test_every_name_of_a_path_is_known(root: Path) -> None:
    (root / "one").symlink_to("src")
    (root / "two").symlink_to("one/a.py")
    assert places(root / "two") == (root / "two", root / "one/a.py", root / "src/a.py")
    assert places(root / "src/a.py") == (root / "src/a.py",)
    assert places(root / "none/../src/a.py") == (root / "src/a.py",)


def test_a_users_own_file_may_be_a_link_and_the_device_for_none(root: Path) -> None:
    (root / "link").symlink_to("src/a.py")
    assert read_here(root / "link", 100, follow=True) == b"inside"
    assert why(read_here, root / "link", 100, follow=False) == LINKED
    assert read_here(Path(os.devnull), 100, follow=True) == b""


def test_no_descriptor_is_left_open(root: Path) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("descriptors cannot be counted here")
    before = len(list(Path("/proc/self/fd").iterdir()))
    (root / "tests").symlink_to("../outside")
    os.mkfifo(root / "pipe")
    for name in ("src/a.py", "tests/secret.py", "pipe", "none", "src", "none/none"):
        for call in (lambda path: read(path, root, 3), lambda path: listed(path, root, 3)):
            try:
                call(root / name)
            except Unreadable:
                continue
    assert len(list(Path("/proc/self/fd").iterdir())) == before
