"""Words of a repository, a model and a provider in the editor: no link, no escape, nothing hidden; quoted and short."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import SRC, messages
from scripted_provider import answer, error, error_in_stream
from server import Stage, pick, stage, titles

LINK = "[Read the guide](command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22id%5Cn%22%7D)"
EVIL = f"{LINK}\x1b[2J\x1b]8;;https://evil.example\x07\u202e\u200b\x9b"
TOML = LINK + r"\u001b[2J\u202e\u009b"
LIVE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]|\]\((?:command|https?|file):", re.IGNORECASE)


def spoken(s: Stage) -> list[str]:
    """Return all words that the editor was given to show."""
    seen = s.editor.seen
    runs = [f"{each['title']} {each.get('line', '')}" for each in map(_plain, seen.runs)]
    progress = [f"{each.get('title', '')} {each.get('message', '')}" for each in map(_plain, seen.progress)]
    found = [each.message for every in seen.diagnostics.values() for each in every]
    return [*messages(s), *seen.logs, *seen.questions, *runs, *progress, *found, seen.errors]


def _plain(value: Any) -> Any:
    return value if isinstance(value, dict) else getattr(value, "__dict__", None) or value._asdict()


FILES = (
    f'"{TOML}" = 1',
    f'[budget]\n"{TOML}" = 1',
    f'budget = "{TOML}"',
    f'[budget]\nday = "{TOML}"',
    f'[budget]\nday = 1\n["{TOML}"]\nx = 1',
    "\n".join(f'"{number}{TOML}" = 1' for number in range(300)),
    f"{LINK} = = 1",
    f'[budget]\n"{"x" * 9000}" = 1',
)


@pytest.mark.attack("workspace files", "a link or an escape in a project's configuration")
async def test_a_projects_configuration(tmp_path: Path, record_property: Any) -> None:
    record_property("cases", len(FILES))
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        for count, text in enumerate(FILES, 1):
            s.write(".tuppence.toml", text)
            s.upstream.says(f"It computes the mean, {count}.")
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Explain"))
            complaints = [each for each in messages(s) if ".tuppence.toml" in each]
            assert len(complaints) == count, text
            assert len(complaints[-1]) < 8_000
        assert not [each for each in spoken(s) if LIVE.search(each)]


@pytest.mark.attack("what comes back", "a link or an escape in an answer")
async def test_a_models_words_and_a_providers(tmp_path: Path, record_property: Any) -> None:
    broken = f"```python\ndef mean(xs):\n    return sum(xs / len(xs)  # {EVIL}\n```"
    finding = f"severity: error\nline: `    return sum(xs) / len(x)`\nproblem: {EVIL}\n"
    replies = {
        "Fix": [
            answer(broken), answer(EVIL), answer(f"{EVIL} " * 99),
            error(400, {"error": {"message": EVIL, "code": "a" * 50}}), error(403, {"detail": EVIL * 50}),
            error_in_stream({"message": EVIL, "type": "odd"}), error_in_stream({"message": EVIL}, "```python\ndef"),
        ],
        "Review": [answer(finding)],
        "Generate tests": [answer(broken)],
    }  # fmt: skip
    record_property("cases", sum(map(len, replies.values())))
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        for action, every in replies.items():
            for reply in every:
                s.upstream.always(reply)
                await s.editor.run(pick(await s.editor.menu(buffer, 5), action))
                assert buffer.text == SRC
        assert not [each for each in spoken(s) if LIVE.search(each)]
        assert max(map(len, messages(s))) < 2_000
        assert any("Read the guide" in each for each in messages(s))
        menu = titles(await s.editor.menu(buffer, 30))
        assert any("Read the guide" in each for each in menu)
        assert not [each for each in menu if LIVE.search(each)]


@pytest.mark.attack("workspace files", "a link or an escape in names and diagnostics")
async def test_names_and_other_tools_diagnostics(tmp_path: Path, record_property: Any) -> None:
    record_property("cases", 3)
    name = f"m{'x' * 3000}"
    text = f"def {name}(xs):\n    return sum(xs) / len(x)\n"
    async with stage(tmp_path, folder="project\u202e[a](command:x)") as s:
        buffer = s.editor.open(s.write("sta\x1b[2Jts.py", text), "python")
        here = types.Range(types.Position(1, 4), types.Position(1, 10))
        given = types.Diagnostic(range=here, message=f"{EVIL}{'y' * 3000}", source=EVIL)
        menu = await s.editor.menu(buffer, 30, diagnostics=[given])
        assert not [each for each in titles(menu) if LIVE.search(each) or len(each) > 300]
        fixing = [each for each in menu if each.diagnostics]
        assert list(fixing[0].diagnostics or ()) == [given], "an editor compares what it is given back"
        s.upstream.always(answer("No."))
        await s.editor.run(fixing[0])
        await s.editor.run(pick(menu, "Explain"))
        assert not [each for each in spoken(s) if LIVE.search(each)]
        assert max(map(len, messages(s))) < 2_000
