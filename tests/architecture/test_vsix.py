"""The extension's package: the bundle, the server's wheel and the user's documents; no sources, maps or modules."""

from __future__ import annotations

import json
import re
import zipfile

import pytest
from paths import ROOT

EXTENSION = ROOT / "clients" / "vscode"
PACKAGE = EXTENSION / "tuppence.vsix"
ALLOWED = (
    "!out/extension.js", "!server/*.whl", "!walkthrough/*.md", "!package.json", "!README.md", "!LICENSE",
    "!CHANGELOG.md", "!icon.png", "!config.example.toml",
)  # fmt: skip
HELD = re.compile(
    r"extension\.vsixmanifest|\[Content_Types\]\.xml|extension/(?:out/extension\.js|server/tuppence-[\w.]+-py3-none-any\.whl"
    r"|walkthrough/\w+\.md|package\.json|readme\.md|LICENSE\.txt|changelog\.md|icon\.png|config\.example\.toml)"
)


@pytest.mark.attack("supply chain", "what is in the packages")
def test_only_what_is_named_is_packed() -> None:
    first, *rest = (EXTENSION / ".vscodeignore").read_text("utf-8").split()
    assert first == "**", "everything is left out but what follows"
    assert tuple(rest) == ALLOWED


@pytest.mark.attack("supply chain", "what is in the packages")
def test_no_package_is_bundled_by_its_folder() -> None:
    about = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    assert "dependencies" not in about, "what the bundle holds is a development dependency, locked and bundled"
    assert '"--no-dependencies"' in (EXTENSION / "package.mjs").read_text("utf-8")
    assert not {name for name in about["scripts"] if name in ("preinstall", "install", "postinstall", "prepare")}
    assert "sourcemap: !minify" in (EXTENSION / "esbuild.mjs").read_text("utf-8")


@pytest.mark.attack("supply chain", "what is in the packages")
def test_the_package_holds_that_and_nothing_else() -> None:
    if not PACKAGE.exists():
        pytest.skip("the extension was not built here: make vsix")
    with zipfile.ZipFile(PACKAGE) as archive:
        entries = archive.infolist()
        bundle = archive.read("extension/out/extension.js")
    assert not [each.filename for each in entries if not HELD.fullmatch(each.filename)]
    assert len([each for each in entries if each.filename.endswith(".whl")]) == 1
    # vsce itself gives 0664 to what it makes: the manifest, the readme and the changelog.
    assert not [each.filename for each in entries if each.external_attr >> 16 & 0o7002]
    assert b"sourceMappingURL" not in bundle
