"""A socket that is a file: only the user reaches it, and nothing but a socket that has ended is removed for it."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import other_user
import pytest

from tuppence.errors import TuppenceError
from tuppence.lsp.clients.listener import QUEUE
from tuppence.lsp.clients.socket_file import SocketFile

root = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "run"
    found.mkdir(mode=0o700)
    return found


def test_it_is_the_users_alone_and_goes_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "made" / "too" / "s"
    before = os.umask(0o022)
    try:
        file = SocketFile(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.lstat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(os.fspath(path))
    file.close()
    assert not path.exists()
    assert os.umask(before) == before


def test_a_relative_path_and_a_link_of_the_users_own_are_fine(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    SocketFile(Path("s")).close()
    (tmp_path / "way").symlink_to("run", target_is_directory=True)
    (tmp_path / "around").symlink_to(f"../{tmp_path.name}/./way")
    SocketFile(tmp_path / "around" / "s").close()


def test_what_an_ended_server_left_is_replaced(folder: Path) -> None:
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(os.fspath(folder / "s"))
        assert (folder / "s").exists()
        SocketFile(folder / "s").close()


def test_a_server_that_lives_is_left_alone(folder: Path) -> None:
    file = SocketFile(folder / "s")
    with pytest.raises(TuppenceError, match=r"A server listens at .* already"):
        SocketFile(folder / "s")
    clients = [socket.socket(socket.AF_UNIX) for _ in range(QUEUE + 9)]
    for client in clients:  # Its queue is full.
        client.settimeout(0)
        client.connect_ex(os.fspath(folder / "s"))
    with pytest.raises(TuppenceError, match=r"A server listens at .* already"):
        SocketFile(folder / "s")
    for client in clients:
        client.close()
    assert (folder / "s").exists()
    file.close()


def test_the_file_of_another_server_is_not_removed_at_the_end(folder: Path) -> None:
    file = SocketFile(folder / "s")
    (folder / "s").rename(folder / "old")
    (folder / "s").write_text("mine")
    file.close()
    assert (folder / "s").read_text() == "mine"


@pytest.mark.attack("local surfaces", "something else in the socket's place")
@pytest.mark.parametrize("kind", ["file", "folder", "pipe", "link to a file", "link to a socket", "dangling link"])
def test_nothing_but_a_dead_socket_is_removed(folder: Path, kind: str) -> None:
    path, other = folder / "s", folder / "other"
    match kind:
        case "file":
            path.write_text("precious")
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link to a file":
            other.write_text("precious")
            path.symlink_to(other)
        case "link to a socket":
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(os.fspath(other))
            path.symlink_to(other)
        case _:
            path.symlink_to(other)
    before = {each.name: each.lstat().st_mode for each in folder.iterdir()}
    with pytest.raises(TuppenceError, match="something else has that name"):
        SocketFile(path)
    assert {each.name: each.lstat().st_mode for each in folder.iterdir()} == before


@pytest.mark.attack("local surfaces", "a folder that others can enter")
@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o707, 0o755, 0o750, 0o711, 0o701, 0o740])
def test_a_folder_that_others_can_enter_is_refused(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(TuppenceError) as refused:
        SocketFile(folder / "s")
    assert "others could reach" in str(refused.value) or "Another user can replace" in str(refused.value)
    assert list(folder.iterdir()) == []


@pytest.mark.attack("local surfaces", "a folder that others can replace")
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757, 0o722])
def test_a_folder_above_it_that_others_can_write_is_refused(folder: Path, tmp_path: Path, mode: int) -> None:
    tmp_path.chmod(mode)
    for path in (folder / "s", tmp_path / "new" / "s"):
        with pytest.raises(TuppenceError, match="Another user can replace"):
            SocketFile(path)
    assert not (tmp_path / "new").exists()
    tmp_path.chmod(0o1777)  # As /tmp is: there one can't touch what is another's.
    SocketFile(folder / "s").close()


@root
@pytest.mark.attack("local surfaces", "a folder that others can replace")
@pytest.mark.parametrize("whose", ["folder", "folder above", "link", "link in the middle", "socket"])
def test_what_belongs_to_another_user_is_refused(folder: Path, tmp_path: Path, whose: str) -> None:
    path = folder / "s"
    match whose:
        case "folder":
            os.chown(folder, other_user.STRANGER, -1)
        case "folder above":
            inner = folder / "inner"
            inner.mkdir(mode=0o700)
            os.chown(folder, other_user.STRANGER, -1)
            path = inner / "s"
        case "link" | "link in the middle":
            (tmp_path / "theirs").symlink_to(folder)
            os.lchown(tmp_path / "theirs", other_user.STRANGER, -1)
            (tmp_path / "mine").symlink_to("theirs")
            path = tmp_path / ("theirs" if whose == "link" else "mine") / "s"
        case _:
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(os.fspath(path))
            os.chown(path, other_user.STRANGER, -1)
    with pytest.raises(TuppenceError):
        SocketFile(path)
    if whose != "socket":
        assert not path.exists()


@pytest.mark.parametrize("name", ["x" * 120, "a\0b"])
def test_a_name_that_no_socket_can_have_is_one_sentence(folder: Path, name: str) -> None:
    with pytest.raises(TuppenceError, match="cannot listen at"):
        SocketFile(folder / name)


def test_links_without_end_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(TuppenceError, match="links"):
        SocketFile(tmp_path / "a" / "s")
