"""Every diff and configuration of CONTRIBUTING.md is applied to a copy of the package, and what it adds is used."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

from tuppence.config import load

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHECKS = {
    "Add an action": """
from tuppence.core.actions import ACTIONS, find_action
from tuppence.config.shipped import shipped
row = find_action("document")
assert row in ACTIONS
fix, own = (shipped().gain(action, "python", "x = 1") for action in ("fix", "document"))
assert own.usual == fix.usual
""",
    "Add a language": """
from tuppence.core.syntax.languages import by_suffix, language
assert by_suffix("a/b.cr") is language("crystal")
assert language("crystal").line_comment == "#"
""",
    "Add a setting": """
from pathlib import Path
from tuppence.config import load
path = Path("own.toml")
path.write_text("hover_lines = 7\\n")
config = load(path)
assert (config.hover_lines, config.mistakes) == (7, ())
assert not load(Path("config.example.toml")).mistakes
""",
    "Add a wire": """
from tuppence.core.models.model import Model, Provider
from tuppence.core.prompt.compose import Prompt
from tuppence.providers import find_wire, wire_names
assert wire_names() == ("acme", "anthropic", "openai")
model = Model(provider=Provider("acme", "acme", "https://api.acme.example"), id="m", tier="mid")
request = find_wire("acme").request(Prompt("s", ("a",), "t", 9), model, "k")
assert (request.url, request.headers) == ("https://api.acme.example/generate", {"x-acme-key": "k"})
assert list(find_wire("acme").decoder().feed("message", \'{"choices": [{"delta": {"content": "hi"}}]}\'))
""",
    "Add an editor's quirk": """
from tuppence.lsp.documents.capabilities import _quirk
assert _quirk("Example 2.1").lagging_version
""",
}


def section(title: str, language: str) -> str:
    """Return the one block of code of a section."""
    (text,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return str(block)


def test_every_diff_has_a_check() -> None:
    titles = re.findall(r"^## (.*)\n(?:(?!^## ).*\n)*?```diff$", TEXT, re.MULTILINE)
    assert set(titles) == set(CHECKS)


@pytest.mark.parametrize("title", CHECKS)
def test_a_diff_applies_and_adds_the_thing(tmp_path: Path, title: str) -> None:
    shutil.copytree(ROOT / "server", tmp_path / "server", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "config.example.toml", tmp_path)
    done = subprocess.run(
        ["git", "apply", "-p1", "-"],
        cwd=tmp_path,
        input=section(title, "diff"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    program = f"import sys; sys.path.insert(0, {str(tmp_path / 'server')!r})\n{CHECKS[title]}"
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_model_is_read_without_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(section("Add a model", "toml"), encoding="utf-8")
    config = load(path)
    assert config.mistakes == ()
    assert any(model.name == "acme/acme-large" for model in config.models)


def test_every_command_is_a_target_of_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z-]+)", TEXT))
    assert {"demo", "test", "test-fast", "test-long", "editors", "speed"} <= named
    assert not [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)]
