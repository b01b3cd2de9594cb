"""``tuppence neovim``: the folder is one that Neovim can take, and the lines are Lua for this installation."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

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
    lines = capsys.readouterr().out.splitlines()[-3:]
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


def test_without_a_script_the_interpreter_starts_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _name: str(tmp_path))
    assert f'cmd = {{ "{sys.executable}", "-m", "tuppence", "serve" }}' in neovim.lines()


def test_an_installation_without_the_client_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neovim, "_PLACES", (tmp_path,))
    with pytest.raises(TuppenceError, match=r"missing from this installation\. Install tuppence again\."):
        neovim.client()
