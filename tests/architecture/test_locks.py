"""The lock files: what pyproject.toml asks for, each release by its hash; and the Makefile installs nothing else."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from paths import ROOT

LOCKS = ROOT / "locks"
DEVELOP, RUN, MAINTAIN = (LOCKS / f"{name}.txt" for name in ("develop", "run", "maintain"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<marker> ; [^\\\n]+)?(?P<rest>(?: \\\n    --hash=\S+)*)$",
    re.MULTILINE,
)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def entries(path: Path) -> dict[str, tuple[str, list[str]]]:
    """Return version and hashes of each release that a lock file names."""
    found: dict[str, tuple[str, list[str]]] = {}
    for match in ENTRY.finditer(path.read_text("utf-8")):
        hashes = re.findall(r"--hash=\S+", match["rest"])
        found[canonicalize_name(match["name"])] = match["version"], hashes
    return found


def asked(*groups: str) -> list[Requirement]:
    """Return what pyproject.toml asks for: its dependencies, and those of these extras and groups."""
    extras, own = PROJECT["project"]["optional-dependencies"], PROJECT["dependency-groups"]
    words = [*PROJECT["project"]["dependencies"], *(each for group in groups for each in (extras | own)[group])]
    return [Requirement(word) for word in words]


@pytest.mark.attack("supply chain", "a release that is not locked")
@pytest.mark.parametrize(
    ("path", "groups"),
    [(DEVELOP, ("dev", "local", "build")), (RUN, ()), (MAINTAIN, ("maintain",))],
    ids=["develop", "run", "maintain"],
)
def test_every_dependency_is_locked_inside_its_range(path: Path, groups: tuple[str, ...]) -> None:
    locked = entries(path)
    wanted = (
        asked(*groups) if path != MAINTAIN else [Requirement(each) for each in PROJECT["dependency-groups"]["maintain"]]
    )
    missing = [str(each) for each in wanted if canonicalize_name(each.name) not in locked]
    assert not missing, "run `make lock`"
    outside = [
        str(each)
        for each in wanted
        if not each.specifier.contains(locked[canonicalize_name(each.name)][0], prereleases=True)
    ]
    assert not outside, "run `make lock`"


@pytest.mark.attack("supply chain", "a release that is not locked")
@pytest.mark.parametrize("path", [DEVELOP, RUN, MAINTAIN], ids=lambda path: path.stem)
def test_every_release_has_its_hashes_and_nothing_names_an_index(path: Path) -> None:
    text = path.read_text("utf-8")
    locked = entries(path)
    assert len(locked) > 20
    for name, (_, hashes) in locked.items():
        assert hashes, name
        assert all(HASH.fullmatch(each) for each in hashes), name
    # What is neither a release nor a remark would be an option, an address or a folder.
    rest = [line for line in ENTRY.sub("", text).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert rest == []
    assert not re.search(r"://|--index|--find-links|--trusted|@ |^-", text, re.MULTILINE)


@pytest.mark.attack("supply chain", "a release that is not locked")
def test_what_runs_is_locked_as_what_is_developed() -> None:
    developed = entries(DEVELOP)
    assert {name: developed.get(name) for name in entries(RUN)} == entries(RUN)


@pytest.mark.attack("supply chain", "an install beside the lock")
def test_the_makefile_installs_by_hash_and_builds_with_what_is_locked() -> None:
    installs = re.findall(r"pip(?: --python \S+)? install .*|\$\$pip (?!--version).*", MAKEFILE)
    assert len(installs) == 2
    for line in installs:
        assert "$(LOCKED)" in line or "--no-deps --no-build-isolation -e ." in line, line
    assert re.search(r"^LOCKED := install .*--no-deps --require-hashes \$\(WHEELS\) -r$", MAKEFILE, re.MULTILINE)
    assert re.search(r"^WHEELS := --only-binary :all:$", MAKEFILE, re.MULTILINE)
    wheels = [line for line in MAKEFILE.splitlines() if "pip wheel" in line]
    assert len(wheels) == 2
    assert all("--no-deps --no-build-isolation" in line for line in wheels)
    assert "npm ci" in MAKEFILE
    assert not re.search(r"npm (?:install|i|add|update)\b|npx |uvx |pipx |curl |wget ", MAKEFILE)


@pytest.mark.attack("supply chain", "an install beside the lock")
def test_a_dependency_is_added_with_its_lock() -> None:
    assert re.search(r"^\$\(VENV\)/ready: pyproject\.toml \$\(LOCKS\)/develop\.txt$", MAKEFILE, re.MULTILINE)
    assert re.search(r"^\$\(MAINTAIN\)/ready: \$\(LOCKS\)/maintain\.txt$", MAKEFILE, re.MULTILINE)


@pytest.mark.attack("supply chain", "a release that is not locked")
def test_the_extensions_packages_have_their_hashes() -> None:
    lock = json.loads((ROOT / "clients" / "vscode" / "package-lock.json").read_text("utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name and not each.get("link")}
    assert len(packages) > 20
    assert not [name for name, each in packages.items() if not each.get("integrity", "").startswith("sha512-")]


@pytest.mark.attack("supply chain", "a release that is not locked")
def test_a_file_with_another_hash_is_not_installed(tmp_path: Path) -> None:
    # pip itself refuses; this holds that the options with which the Makefile calls it do.
    wheel = tmp_path / "iniconfig-99.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("iniconfig-99.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: iniconfig\nVersion: 99.0\n")
        archive.writestr(
            "iniconfig-99.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("iniconfig-99.0.dist-info/RECORD", "")
    (tmp_path / "lock.txt").write_text(f"iniconfig==99.0 \\\n    --hash=sha256:{'0' * 64}\n")
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-index", "--find-links", str(tmp_path)]
    words = [
        sys.executable,
        "-m",
        "pip",
        "install",
        *options,
        "--target",
        str(tmp_path / "there"),
        "-r",
        str(tmp_path / "lock.txt"),
    ]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert not (tmp_path / "there").exists()
