"""The wheel: it builds, holds what the server needs and nothing else, and its command runs outside this tree."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import stat
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest
from paths import ROOT

from tuppence import __version__

SOURCE = ROOT / "server" / "tuppence"
BUILD = """
import os, sys
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
os.umask(int(sys.argv[3]))
builder = {"wheel": WheelBuilder, "sdist": SdistBuilder}[sys.argv[1]](".")
print(*builder.build(directory=sys.argv[2], versions=["standard"]))
"""


def build(kind: str, folder: Path, umask: int = 0o022) -> Path:
    """Build a package by the backend itself; skip the test where it is not installed."""
    pytest.importorskip("hatchling", reason="the lock file's environment has the build backend")
    words = [sys.executable, "-c", BUILD, kind, str(folder), str(umask)]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True, timeout=100)
    return Path(done.stdout.strip())


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


@pytest.mark.attack("supply chain", "what is in the packages")
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


@pytest.mark.attack("supply chain", "what is in the packages")
def test_its_files_are_ordinary_and_writable_by_their_owner_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()
    for entry in entries:
        mode = entry.external_attr >> 16
        assert stat.S_IFMT(mode) in (0, stat.S_IFREG), entry.filename
        assert stat.S_IMODE(mode) in (0o644, 0o755), f"{entry.filename}: {mode:o}"
        assert not entry.filename.startswith(("/", ".."))


@pytest.mark.attack("supply chain", "what is in the packages")
def test_beside_the_package_it_holds_five_files_about_itself(wheel: Path) -> None:
    info = f"tuppence-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        held = {name.removeprefix(f"{info}/") for name in archive.namelist() if not name.startswith("tuppence/")}
    assert held == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}


@pytest.mark.attack("supply chain", "what is in the packages")
def test_the_same_sources_give_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    again = build("wheel", tmp_path, umask=0o077)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(wheel.read_bytes()).digest()


SOURCES = re.compile(
    r"server/tuppence/[\w/]+\.(py|toml|json|css)|server/tuppence/py\.typed|clients/neovim/[\w/.-]+\.(lua|md|vim)"
    r"|tests/[\w/.-]+\.(py|sse|sh|json|toml|lua|el|ts|mjs|md|sqlite3|sql|txt|yml|cfg|in)|tests/editors/snippets/[\w.-]+"
    r"|tests/support/markdown_renderers/\.npmrc"
    r"|(README|ARCHITECTURE|CHANGELOG)\.md|LICENSE|config\.example\.toml|pyproject\.toml|PKG-INFO|\.gitignore"
)


@pytest.mark.attack("supply chain", "what is in the packages")
def test_the_source_distribution_holds_sources_and_nothing_else(tmp_path: Path) -> None:
    top = f"tuppence-{__version__}/"
    with tarfile.open(build("sdist", tmp_path)) as archive:
        members = archive.getmembers()
    assert not [each.name for each in members if not each.name.startswith(top)]
    assert not [each.name for each in members if not SOURCES.fullmatch(each.name.removeprefix(top))]
    assert not [each.name for each in members if not each.isreg() or each.mode & 0o022 or each.mode & 0o6000]
    assert {each.uid for each in members} | {each.gid for each in members} == {0}


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
