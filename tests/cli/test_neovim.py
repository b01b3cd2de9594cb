"""``tuppence neovim``: the folder is one that Neovim can take, and the lines are Lua for this installation."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import tuppence
from tuppence import cli
from tuppence.cli import neovim
from tuppence.errors import TuppenceError

SCRIPTS = Path(sysconfig.get_path("scripts"))


def test_the_path_alone_is_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["neovim", "--path"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert (folder / "lua" / "tuppence" / "init.lua").is_file()
    assert (folder / "lua" / "tuppence" / "health.lua").is_file()


def test_where_the_program_is_on_the_path_it_needs_no_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{SCRIPTS}:/usr/bin:/bin")
    assert cli.main(["neovim"]) == 0
    *advice, first, second, third = capsys.readouterr().out.splitlines()
    assert all(not line or line.startswith("-- ") for line in advice), "the whole output is Lua"
    lines = [first, second, third]
    assert lines[0].startswith("vim.opt.runtimepath:append(")
    assert lines[1] == 'require("tuppence").setup()'
    assert "status()" in lines[2]


@pytest.mark.parametrize("is_shadowed", [False, True], ids=["not-on-path", "another-comes-first"])
def test_where_it_is_not_the_settings_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_shadowed: bool
) -> None:
    if is_shadowed:
        (tmp_path / "tuppence").write_text("#!/bin/sh\n")
        (tmp_path / "tuppence").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f'setup({{ cmd = {{ "{SCRIPTS / "tuppence"}", "serve" }} }})' in neovim.lines()


@pytest.fixture
def scriptless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the installation without a script."""
    monkeypatch.setattr("sysconfig.get_path", lambda *_names: str(tmp_path))


@pytest.mark.usefixtures("scriptless")
def test_without_a_script_the_interpreter_starts_it() -> None:
    assert f'cmd = {{ "{sys.executable}", "-P", "-m", "tuppence", "serve" }}' in neovim.lines()


@pytest.mark.process
@pytest.mark.usefixtures("scriptless")
@pytest.mark.parametrize("name", ["tuppence/__main__.py", "lsprotocol.py", "argparse.py"])
def test_nothing_of_the_folder_that_it_is_started_in_is_run(tmp_path: Path, name: str) -> None:
    project, ran = tmp_path / "project", tmp_path / "ran"
    stranger = project / name
    stranger.parent.mkdir(parents=True)
    (stranger.parent / "__init__.py").touch()
    stranger.write_text(f"open({str(ran)!r}, 'w').close()\nraise SystemExit(3)\n", encoding="utf-8")
    found = re.search(r"cmd = \{ (.*) \} \}\)", neovim.lines())
    assert found
    command = json.loads(f"[{found[1]}]")
    source = str(Path(tuppence.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source, "HOME": str(tmp_path)}
    done = subprocess.run(
        command, input=b"", capture_output=True, timeout=60, check=False, cwd=project, env=environment
    )
    assert not ran.exists()
    # A server whose input ends before it was told to exit reports 1, and has nothing else to say.
    assert (done.returncode, done.stderr) == (1, b"")


def test_an_installation_for_one_user_has_its_script_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = sysconfig.get_preferred_scheme("user")

    def path(name: str, scheme: str = "") -> str:
        return str(tmp_path / ("user" if scheme == user else "system") / name)

    script = Path(path("scripts", user)) / "tuppence"
    script.parent.mkdir(parents=True)
    script.touch()
    monkeypatch.setattr("sysconfig.get_path", path)
    monkeypatch.setattr(neovim, "_PACKAGE", Path(path("purelib", user)) / "tuppence")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert f'cmd = {{ "{script}", "serve" }}' in neovim.lines()
    # Another installation's script is not this one's.
    monkeypatch.setattr(neovim, "_PACKAGE", Path(path("purelib")) / "tuppence")
    assert str(script) not in neovim.lines()


def test_an_installation_without_the_client_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neovim, "_PLACES", (tmp_path,))
    with pytest.raises(TuppenceError, match=r"missing from this installation\. Install tuppence again\."):
        neovim.client()
