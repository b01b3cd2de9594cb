"""Security of the VS Code extension against workspaces, models and pages: its manifest, sources and own tests."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest
from paths import ROOT

VSCODE = ROOT / "clients" / "vscode"
RANDOM = 5_000
"""Random texts that test/markdown.test.ts renders in one test."""
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in sorted((VSCODE / "src").glob("*.ts"))}


def _manifest() -> dict[str, object]:
    manifest: dict[str, object] = json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))
    return manifest


@pytest.mark.attack("extension", "a workspace's settings")
def test_no_setting_can_come_from_a_workspace() -> None:
    contributed = _manifest()["contributes"]
    assert isinstance(contributed, dict)
    settings = contributed["configuration"]["properties"]
    assert settings
    assert {name: each.get("scope") for name, each in settings.items()} == dict.fromkeys(settings, "machine")
    capabilities = _manifest()["capabilities"]
    assert isinstance(capabilities, dict)
    assert set(capabilities["untrustedWorkspaces"]["restrictedConfigurations"]) == set(settings)


@pytest.mark.attack("extension", "links and scripts in its pages")
@pytest.mark.parametrize(
    "forbidden",
    [
        r"isTrusted\s*[:=]\s*true",
        r"supportHtml\s*[:=]\s*true",
        r"enableCommandUris\s*:\s*true",
        r"\beval\(",
        r"new Function\(",
        r"unsafe-inline|unsafe-eval",
        r"(?<!\.)\bexec\(",
        r"shell\s*:\s*true",
        r"https?://(?!127\.0\.0\.1|localhost)",
        r"createTerminal|sendText\(",
    ],
)
def test_no_source_opens_a_door(forbidden: str, record_property: Callable[[str, object], None]) -> None:
    record_property("cases", len(SOURCES))
    assert [name for name, text in SOURCES.items() if re.search(forbidden, _without_comments(text))] == []


@pytest.mark.attack("extension", "links and scripts in its pages")
@pytest.mark.parametrize("name", [name for name, text in SOURCES.items() if "createWebviewPanel" in text])
def test_each_page_allows_nothing_but_what_its_policy_names(name: str) -> None:
    if re.search(r"enableScripts: false, enableCommandUris: false", SOURCES[name]):
        return  # the page has its policy from server/tuppence/reporting/html.py
    policy = re.search(r"default-src 'none'[^\"`]*", SOURCES[name])
    assert policy, f"{name} shows a page without a content security policy that begins with default-src 'none'"
    assert not re.search(
        r"(?:img|connect|frame|font|media|object|form-action)-src [^;]*(?:https?:|\*|data:)", policy[0]
    )


@pytest.mark.slow
@pytest.mark.attack("extension", "its own tests: programs, keys, Markdown, edits")
def test_its_own_tests_pass(record_property: Callable[[str, object], None]) -> None:
    if shutil.which("npm") is None or not (VSCODE / "node_modules" / "ready").exists():
        pytest.skip("the extension's packages are not installed: `make security` does it, with Node 20 and npm")
    done = subprocess.run(["npm", "run", "--silent", "test"], cwd=VSCODE, capture_output=True, text=True, check=False)
    passed = re.search(r"^\W+ pass (\d+)$", done.stdout, re.MULTILINE)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert passed
    count = int(passed[1])
    assert count > 50
    record_property("cases", count + RANDOM)


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)^\s*(?://|\*|/\*).*$", "", text)
