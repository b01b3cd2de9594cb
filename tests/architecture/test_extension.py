"""The VS Code extension's own tests of what it shows and trusts, run here so that they count among the attacks."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from paths import ROOT

FOLDER = ROOT / "clients" / "vscode"
RANDOM = 5_000
"""Random texts that test/markdown.test.ts renders."""


@pytest.mark.slow
@pytest.mark.attack("extension", "what a panel renders, and which links a hover may run")
def test_what_the_extension_shows_can_do_nothing(record_property: Callable[[str, object], None]) -> None:
    if not shutil.which("node") or not (FOLDER / "node_modules" / "ready").exists():
        pytest.skip("node or the extension's packages are not installed: `make clients/vscode/node_modules/ready`")
    subprocess.run(["node", "esbuild.mjs", "test"], cwd=FOLDER, check=True)
    tests = ["out/test/markdown.test.js", "out/test/trust.test.js"]
    done = subprocess.run(["node", "--test", *tests], cwd=FOLDER, capture_output=True, text=True, check=False)
    passed, failed = (re.search(rf"(?m)^\W+{word} (\d+)$", done.stdout) for word in ("pass", "fail"))
    assert passed is not None, done.stdout
    assert failed is not None, done.stdout
    assert failed[1] == "0", done.stdout
    record_property("cases", int(passed[1]) + RANDOM)


@pytest.mark.attack("extension", "a hover's trust")
def test_the_client_trusts_no_hover_but_by_its_words() -> None:
    source = (FOLDER / "src" / "connection.ts").read_text(encoding="utf-8")
    assert "markdown: { isTrusted: false, supportHtml: false }" in source
    assert "provideHover:" in source
    others = [
        path.name
        for path in (FOLDER / "src").glob("*.ts")
        if path.name not in ("connection.ts", "trust.ts")
        and re.search(r"isTrusted|supportHtml|enabledCommands", path.read_text())
    ]
    assert not others
