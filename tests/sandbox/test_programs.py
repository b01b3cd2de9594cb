"""Which programs a run may use: none that lies in the project by its own doing, and none that everyone may write."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tuppence.sandbox import interpreter, order, programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tests are run on Linux only")


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(mode)
    return path


def environment_at(folder: Path, mode: int = 0o755) -> Path:
    python = program(folder / "bin" / "python", mode)
    (folder / "pyvenv.cfg").write_text("", encoding="utf-8")
    return python


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project two folders below another's, with nothing on the path."""
    folder = tmp_path / "above" / "between" / "project"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return folder


@pytest.mark.attack("workspace files", "interpreters")
def test_an_interpreter_above_the_project_is_not_run(root: Path) -> None:
    for folder in root.parents[:3]:
        for name in (".venv", "venv", "env"):
            environment_at(folder / name)
    assert interpreter.find_interpreter(root) is None


@pytest.mark.attack("workspace files", "interpreters")
def test_a_relative_path_and_the_project_s_own_folders_lend_no_program(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    names = ("node", "python3", "bwrap")
    for name in names:
        program(root / "bin" / name)
        program(root / name)
    linked = tmp_path / "linked"
    linked.symlink_to(root / "bin")
    one = tmp_path / "one"
    one.mkdir()
    for name in names:
        (one / name).symlink_to(root / "bin" / name)
    monkeypatch.chdir(root)
    paths = (".", "", "bin", "./bin", str(root), str(root / "bin"), f"{root}/../project/bin", str(linked), str(one))
    for path in (*paths, ":".join(paths)):
        monkeypatch.setenv("PATH", path)
        assert [programs.look(name, root) for name in names] == [None] * len(names)
        assert interpreter.find_interpreter(root) is None
    record_property("cases", (len(paths) + 1) * len(names))
    assert programs.search_path(root) == (str(one),)


@pytest.mark.attack("workspace files", "interpreters")
def test_bubblewrap_is_the_system_s(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = program(root / "bin" / "bwrap")
    monkeypatch.setenv("PATH", str(planted.parent))
    limits = order.RunLimits(seconds=1, memory=1, addresses=1, processes=1)
    asked = json.loads(order.order(order.Place(tmp_path), limits, [], {}, order.WALLS))
    assert asked["bwrap"] in (None, "/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap")


@pytest.mark.attack("workspace files", "interpreters")
def test_a_program_that_everyone_may_write_is_not_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment_at(root / ".venv", 0o777)
    program(tmp_path / "tools" / "python3", 0o757)
    (tmp_path / "tools" / "node").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "tools"))
    assert interpreter.find_interpreter(root) is None
    assert programs.look("node", root) is None


@pytest.mark.attack("workspace files", "interpreters")
@pytest.mark.parametrize(
    "said", ["home = {home}/.ssh/bin", "home = {home}/bin", "home = {home}", "home = ../../..", "home = /"]
)
def test_an_environment_s_note_shows_no_other_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    (home / ".ssh" / "bin").mkdir(parents=True)
    program(home / "bin" / "python3")
    python = environment_at(root / ".venv")
    (root / ".venv" / "pyvenv.cfg").write_text(said.format(home=home), encoding="utf-8")
    site = root / ".venv" / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    (home / "papers" / "taxes").mkdir(parents=True)
    lines = (
        home / "papers",
        home / "papers" / "taxes",
        home,
        home / ".ssh",
        home.parent,
        "/",
        "/etc",
        "/run",
        "../..",
        root,
        root.parent,
    )
    (site / "x.pth").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    seen = interpreter.seen_by(str(python), root, order.Place(tmp_path / "place"))
    hidden = (home / "papers" / "taxes", home / ".ssh", home, root, Path("/etc/shadow"), Path("/run"))
    for target, source in seen.items():
        assert not any(each.is_relative_to(source) for each in hidden), (target, source)


@pytest.mark.attack("workspace files", "interpreters")
def test_a_link_to_a_program_shows_no_wide_folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    for path in (home / "bin" / "python3", home / ".local" / "bin" / "python3", root / "bin" / "python3"):
        python = program(path)
        shown = programs.reach(str(python), root)
        assert shown == (python,)
    link = root / ".venv" / "bin" / "python"
    link.parent.mkdir(parents=True)
    link.symlink_to(home / ".ssh" / ".." / "bin" / "python3")
    assert home not in programs.reach(str(link), root)
    assert home / ".ssh" not in programs.reach(str(link), root)
    for shared in ("/tmp/bin/x", "/run/bin/x", "/etc/bin/x", "/home/bin/x"):  # noqa: S108 - names only
        assert programs.prefix(Path(shared)) == (Path(shared),)


def test_what_is_ordinary_is_found(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setattr(Path, "home", lambda: home)
    version = home / ".pyenv" / "versions" / "3.12.1"
    program(version / "bin" / "python3.12")
    (version / "bin" / "python3").symlink_to("python3.12")
    shim = program(home / ".pyenv" / "shims" / "python3")
    node = program(home / ".nvm" / "versions" / "node" / "v22" / "bin" / "node")
    monkeypatch.setenv("PATH", os.pathsep.join(str(each.parent) for each in (shim, node)))
    assert interpreter.find_interpreter(root) == str(shim)
    assert programs.reach(str(shim), root) == (home / ".pyenv",)
    assert programs.look("node", root) == str(node)
    assert programs.reach(str(node), root) == (node.parent.parent,)
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(version / "bin" / "python3")
    (root / ".venv" / "pyvenv.cfg").write_text(f"home = {version / 'bin'}\n", encoding="utf-8")
    site = root / ".venv" / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    for folder in (root / "src", tmp_path / "library" / "src", tmp_path / "papers"):
        folder.mkdir(parents=True)
    (site / "x.pth").write_text(
        f"import x\n{root / 'src'}\n{tmp_path / 'library' / 'src'}\n{tmp_path / 'papers'}\n", encoding="utf-8"
    )
    (tmp_path / "library" / "pyproject.toml").write_text("", encoding="utf-8")
    assert interpreter.find_interpreter(root) == str(python)
    place = order.Place(tmp_path / "place")
    assert interpreter.seen_by(str(python), root, place) == {
        root / ".venv": root / ".venv",
        version: version,
        root / "src": place.origin / "src",
        tmp_path / "library" / "src": tmp_path / "library" / "src",
    }
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path / "active"))
    other = tmp_path / "other"
    other.mkdir()
    assert interpreter.find_interpreter(other) == str(shim)
    assert interpreter.find_interpreter(other) != str(environment_at(tmp_path / "active"))
    assert interpreter.find_interpreter(other) == str(tmp_path / "active" / "bin" / "python")
