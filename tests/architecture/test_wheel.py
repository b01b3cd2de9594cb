"""The wheel: it builds, holds what the server needs and nothing else, and its command runs outside this tree."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from paths import ROOT

from tuppence import __version__

SOURCE = ROOT / "server" / "tuppence"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Where the build backend is at hand nothing need be fetched; pip fetches it otherwise, as for any user.
    options = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", *options, "--wheel-dir", str(folder), "."]
    done = subprocess.run(words, cwd=ROOT, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_the_package_and_nothing_else(wheel: Path) -> None:
    kinds = (".py", ".toml", ".json", ".css", ".typed")
    ours = {
        path.relative_to(SOURCE.parent).as_posix()
        for path in SOURCE.rglob("*")
        if path.suffix in kinds or path.name == "py.typed"
    }
    client = ROOT / "clients" / "neovim"
    ours |= {f"tuppence/clients/neovim/{path.relative_to(client).as_posix()}" for path in client.rglob("*.lua")}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert "tuppence/py.typed" in held
    assert "tuppence/models.toml" in held
    assert "tuppence/clients/neovim/lua/tuppence/init.lua" in held
    assert held == ours


def test_it_says_what_it_is(wheel: Path) -> None:
    info = f"tuppence-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        about = HeaderParser().parsestr(archive.read(f"{info}/METADATA").decode())
        commands = archive.read(f"{info}/entry_points.txt").decode()
    assert wheel.name == f"tuppence-{__version__}-py3-none-any.whl"
    assert commands.split() == ["[console_scripts]", "tuppence", "=", "tuppence.__main__:main"]
    assert (about["Name"], about["Version"], about["License-Expression"]) == ("tuppence", __version__, "MIT")
    assert f"{info}/licenses/LICENSE" in names
    required = [each for each in about.get_all("Requires-Dist", []) if "extra ==" not in each]
    assert required
    assert not [each for each in required if each.startswith(("pytest", "mypy", "xllamacpp", "keyring"))]


def test_its_command_runs_in_an_environment_of_its_own(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    venv.create(home, with_pip=False)
    folder = home / ("Scripts" if os.name == "nt" else "bin")
    install = [sys.executable, "-m", "pip", "--python", str(folder / "python"), "install", "--quiet", "--no-deps"]
    subprocess.run([*install, str(wheel)], check=True, timeout=60)
    # No dependency is there: what answers needs none of them.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    for words, expected in {
        ("--version",): f"tuppence {__version__}\n",
        ("serve", "--help"): "usage: tuppence serve",
    }.items():
        done = subprocess.run(
            [folder / "tuppence", *words], cwd=tmp_path, env=environment, check=False, capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(expected)
