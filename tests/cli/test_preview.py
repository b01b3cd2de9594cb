"""The text of ``tuppence preview``: recipient, cost and exact content; file content cannot imitate the output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sample_projects import PYTHON

from tuppence import cli

CONFIG = """
[providers.mine]
wire = "{wire}"
base_url = "{base}"
key_env = "KEY_OF_MINE"
[[models]]
id = "small"
provider = "mine"
tier = "budget"
price = {{ input = 3, output = 15, cache_read = 0.3, cache_write = 3.75 }}
context = {context}
max_output = 8192
cache = {{ mode = "explicit", minimum = 16 }}
"""
KEY = "key-of-a-test"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    monkeypatch.setenv("KEY_OF_MINE", KEY)
    write(root, PYTHON.others | {"AGENTS.md": "Figures are in cents.\n", PYTHON.name: PYTHON.source})
    return root


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def previewed(
    folder: Path, capsys: Any, *words: str, wire: str = "openai", more: str = "", context: int = 128_000
) -> Any:
    """Return the exit code, stdout and stderr of the command."""
    config = folder.parent / "config.toml"
    base = "http://127.0.0.1:9" + ("/v1" if wire == "openai" else "")
    config.write_text(more + CONFIG.format(wire=wire, base=base, context=context))
    code = cli.main(["preview", *words, "--config", str(config)])
    out, complaint = capsys.readouterr()
    assert KEY not in out + complaint
    return code, out, complaint


@pytest.mark.attack("what leaves", "text that imitates the preview's own")
@pytest.mark.parametrize("wire", ["anthropic", "openai"])
def test_the_text_shows_every_character_of_the_body(wire: str, folder: Path, capsys: Any) -> None:
    forged = "# \x1b]0;title\x07 \u202etxt \u2028 end\n# Tail, this request's own:\n# │ \x0b\n# ├─ cache mark\n"
    write(folder, {PYTHON.name: PYTHON.source + forged})
    code, body, _ = previewed(folder, capsys, PYTHON.name, "--action", "explain", "--json", wire=wire)
    assert code == 0
    code, shown, complaint = previewed(folder, capsys, PYTHON.name, "--action", "explain", wire=wire)
    assert (code, complaint) == (0, "")
    assert "│ # <U+001B>]0;title<U+0007> <U+202E>txt <U+2028> end\n" in shown
    assert not {"\x1b", "\x07", "\x0b", "\u202e", "\u2028"} & set(shown)
    lines = [line[2:] for line in shown.split("\n") if line.startswith("│ ")]
    for text in texts(json.loads(body)):
        for line in text.removesuffix("\n").split("\n"):
            plain = line
            for each in "\x1b\x07\x0b\u202e\u2028":
                plain = plain.replace(each, f"<U+{ord(each):04X}>")
            assert plain in lines
    marks = sum(line.startswith("├─ cache mark") for line in shown.split("\n"))
    assert marks == body.count('"cache_control":') > 0
    assert sum(line.startswith("Tail, ") for line in shown.split("\n")) == 1


def test_on_a_terminal_the_body_steers_nothing(folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, {PYTHON.name: PYTHON.source + "# \x9b2J \u202e é\n"})
    _, piped, _ = previewed(folder, capsys, PYTHON.name, "--json")
    assert "# \x9b2J \u202e é" in piped
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    _, shown, _ = previewed(folder, capsys, PYTHON.name, "--json")
    assert "# \\u009b2J \\u202e é" in shown
    assert json.loads(shown) == json.loads(piped)


def test_it_says_to_whom_for_how_much_and_what_was_cut(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEY_OF_MINE")
    filler = "".join(f"\n\ndef f{n}():\n    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n" for n in range(500))
    write(folder, {PYTHON.name: PYTHON.source + filler})
    pinned = '[actions.fix]\nmodel = "mine/small"\n'
    code, shown, complaint = previewed(folder, capsys, f"{PYTHON.name}:mean", more=pinned, context=10_000)
    assert (code, complaint) == (0, "")
    lines = shown.splitlines()
    assert lines[0] == "Fix `mean`: nothing was sent, and nothing was spent."
    assert lines[1] == "To: small at mine (127.0.0.1:9), wire openai"
    assert lines[2] == "Address: POST http://127.0.0.1:9/v1/chat/completions"
    assert lines[3] == "Key: KEY_OF_MINE is not set. Without it nothing is sent there."
    assert lines[4].startswith("Cost: about $0.0")
    assert lines[4].endswith(" at most")
    assert "Cut: The project's conventions were left out: there was no room for them." in lines
    assert any(line.startswith("Cut: ") and "those far from the target, were left out." in line for line in lines)
    headings = [line for line in lines if line.endswith(":") and not line.startswith("│")]
    assert headings == [
        "System text, the same for every request:",
        "File:",
        "Tail, this request's own: the task, the target, diagnostics, definitions from other files:",
    ]


def test_what_would_come_first_is_said(folder: Path, capsys: Any) -> None:
    _, shown, _ = previewed(folder, capsys, f"{PYTHON.name}:mean", more="ask_above = 0\n")
    assert "\nNote: You would be asked first: small would cost about $" in shown
    _, shown, _ = previewed(folder, capsys, f"{PYTHON.name}:mean")
    assert "Note: " not in shown


@pytest.mark.attack("what leaves", "a preview of a private file")
@pytest.mark.parametrize("name", [".env", "server.pem", "ignored.py", "mine.py"])
def test_of_a_private_file_nothing_is_shown_but_why(name: str, folder: Path, capsys: Any) -> None:
    write(folder, {".gitignore": "ignored.py\n", ".tuppenceignore": "mine.py\n", name: "SECRET_OF_MINE = 1\n"})
    for form in ((), ("--json",)):
        code, out, complaint = previewed(folder, capsys, name, *form)
        assert (code, out) == (1, "")
        assert complaint.startswith(f"tuppence: Nothing would be sent. {name} is never sent to a model: ")
        assert "SECRET_OF_MINE" not in complaint


@pytest.mark.attack("what leaves", "a secret in a preview")
def test_a_secret_is_shown_as_what_is_sent_for_it(folder: Path, capsys: Any) -> None:
    token = "ghp_" + "0Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk1Ll"
    write(folder, {PYTHON.name: PYTHON.source + f'\n\nTOKEN = "{token}"\n'})
    code, body, _ = previewed(folder, capsys, f"{PYTHON.name}:mean", "--json")
    assert code == 0
    assert token not in body
    code, shown, complaint = previewed(folder, capsys, f"{PYTHON.name}:mean")
    assert (code, complaint) == (0, "")
    assert token not in shown
    [changed] = [line for line in shown.splitlines() if line.startswith("┃ ")]
    placeholder = changed.removeprefix('┃ TOKEN = "').removesuffix('"')
    assert placeholder.startswith("ghp_")
    assert placeholder in body
    line = PYTHON.source.count("\n") + 3
    [fact] = [each for each in shown.splitlines() if each.startswith("Replaced: ")]
    assert f" in {PYTHON.name}, line {line}, by “{placeholder}”" in fact


def test_a_telling_name_is_asked_about_first(folder: Path, capsys: Any) -> None:
    write(folder, {"secrets.py": PYTHON.source})
    _, shown, _ = previewed(folder, capsys, "secrets.py:mean")
    assert "\nNote: You would be asked first: the file's name says that it holds secrets.\n" in shown


def test_a_budget_that_is_used_up_sends_nothing(folder: Path, capsys: Any) -> None:
    code, out, complaint = previewed(folder, capsys, f"{PYTHON.name}:mean", more="[budget]\nday = 0.000001\n")
    assert (code, out) == (1, "")
    assert complaint.startswith("tuppence: Nothing would be sent. ")


@pytest.mark.usefixtures("folder")
def test_a_configuration_that_is_not_there_is_named(capsys: Any) -> None:
    assert cli.main(["preview", PYTHON.name, "--config", "gone.toml"]) == 2
    assert "There is no such file." in capsys.readouterr().err


def texts(body: Any) -> list[str]:
    """Return every text that a body says to a model."""
    if isinstance(body, list):
        return [text for each in body for text in texts(each)]
    if isinstance(body, dict):
        found = [body["text"]] if isinstance(body.get("text"), str) else []
        found += [body["content"]] if isinstance(body.get("content"), str) else []
        return found + [text for each in body.values() for text in texts(each)]
    return []
