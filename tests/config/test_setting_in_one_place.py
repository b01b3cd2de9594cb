"""A setting is one field of ``Config``: a field added to a copy of the package is read, checked and named."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from extended_package import extended, run
from paths import ROOT

EXAMPLE = ROOT / "config.example.toml"
AFTER = '    """Whether explanations and reviews are cached, for repeated questions about unchanged code."""'
FIELD = '    greeting: Literal["short", "long"] = setting(choice(("short", "long")), "short")'
STRANDED = (
    '2: "greeting" is below the header of "budget", so it belongs to that table. '
    "Move it above the first [table] of the file."
)
PROGRAM = """
import json, sys
from pathlib import Path
from tuppence.config import load
from tuppence.config.config import SETTINGS

found = load(Path(sys.argv[1]))
print(json.dumps([found.greeting, [f"{each.line}: {each.what} {each.remedy}" for each in found.mistakes], SETTINGS]))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extended(tmp_path_factory.mktemp("package"), "config/config.py", AFTER, FIELD)


@pytest.mark.parametrize(
    ("text", "value", "mistakes"),
    [
        ("", "short", []),
        ('greeting = "long"', "long", []),
        ('greeting = "loud"', "short", ['1: "greeting" cannot be "loud". Write one of: "short", "long".']),
        ('greetin = "long"', "short", ['1: Unknown key "greetin". Did you mean "greeting"?']),
        ('[budget]\ngreeting = "long"', "short", [STRANDED]),
    ],
    ids=["its default", "set", "a wrong value", "misspelled", "in a table"],
)
def test_a_field_alone_is_a_setting(package: Path, tmp_path: Path, text: str, value: str, mistakes: list[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert json.loads(run(package, PROGRAM, str(path)))[:2] == [value, mistakes]


def test_the_example_is_asked_for_its_line(package: Path) -> None:
    _, _, settings = json.loads(run(package, PROGRAM, str(EXAMPLE)))
    assert set(settings) - set(tomllib.loads(EXAMPLE.read_text())) == {"greeting"}
    assert settings.index("greeting") == settings.index("keep_answers") + 1
