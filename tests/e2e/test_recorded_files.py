"""Files that version 0.1.0 wrote before the package was restructured are read by the present version.

``recorded/release-0.1.0`` holds the ledger and the answer cache of one session (the actions of ``SESSION``, on the
openai wire), its configuration with ``{base}`` for the provider's address, and every request body that was sent on
either wire (``prompts.json``). The model's part of a prompt is a cache key at the providers, so it must not change by
a byte.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from paths import RECORDED
from server import Stage, environment, pick, stage

from tuppence.config import load
from tuppence.ledger import Ledger

RELEASE = RECORDED / "release-0.1.0"
SRC = (
    'import os\n\n\ndef mean(xs):\n    """Return the mean."""\n    return sum(xs) / len(x)\n\n\n'
    "def other(ys):\n    return mean(ys)\n"
)
FIX = '```python\ndef mean(xs):\n    """Return the mean."""\n    return sum(xs) / len(xs)\n```'
SESSION = (
    ("Explain", ("`mean` averages `xs`.",)),
    ("Review", ("severity: error\nline: `    return sum(xs) / len(x)`\nproblem: `x` is not defined.\n---\n",)),
    (
        "Generate tests",
        ("```python\ndef test_mean():\n    assert mean([1, 3]) == 2\n```\n```imports\nfrom stats import mean\n```",),
    ),
    ("Fix", ("nothing", FIX)),
)


def configuration() -> str:
    """Return the recorded configuration as a template for ``stage``."""
    text = (RELEASE / "config.toml").read_text("utf-8")
    return text.replace("{", "{{").replace("}", "}}").replace("{{base}}", "{base}").replace('"openai"', '"{wire}"')


async def act(s: Stage, title: str) -> None:
    """Run an action on ``mean``, opening the recorded document first."""
    if not s.editor.buffers:
        s.editor.open(s.write("stats.py", SRC), "python")
    buffer = next(iter(s.editor.buffers.values()))
    await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("mean")), title))


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_every_recorded_action_sends_the_recorded_bytes(tmp_path: Path, wire: str) -> None:
    recorded: dict[str, list[Any]] = json.loads((RELEASE / "prompts.json").read_text("utf-8"))
    async with stage(tmp_path, wire=wire, config=configuration()) as s:
        for title, replies in SESSION:
            before = len(s.upstream.requests)
            for reply in replies:
                s.upstream.says(reply)
            await act(s, title)
            sent = [request.body for request in s.upstream.requests[before:]]
            # Text, not values: a key in another order would miss a provider's cache too.
            assert json.dumps(sent, indent=1) == json.dumps(recorded[f"{wire} {title}"], indent=1)
            assert sent, title


async def test_a_recorded_cache_names_no_project_and_is_dropped_and_its_ledger_is_added_to(tmp_path: Path) -> None:
    home = Path(environment(tmp_path / "home")["HOME"])
    for name, folder in (("ledger.sqlite3", "data"), ("answers.sqlite3", "cache")):
        (home / folder / "tuppence").mkdir(parents=True)
        shutil.copy(RELEASE / name, home / folder / "tuppence" / name)
    async with stage(tmp_path, config=configuration()) as s:
        before = s.entries()
        assert [each.action for each in before] == ["explain", "explain", "review", "tests", "fix", "fix"]
        s.upstream.says("`mean` averages `xs`.")
        await act(s, "Explain")
        assert len(s.upstream.requests) == 1
        await act(s, "Explain")
        assert len(s.upstream.requests) == 1
        after = s.entries()
        assert after[: len(before)] == before
        asked, replay = after[len(before) :]
        assert asked.provider == "mine"
        assert (replay.provider, replay.model, replay.cost) == ("kept", "small", Decimal(0))


def test_the_recorded_ledger_reports_the_recorded_money(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    shutil.copy(RELEASE / "ledger.sqlite3", path)
    with sqlite3.connect(path) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()
        costs = [Decimal(cost) for (cost,) in connection.execute("SELECT cost FROM request ORDER BY id")]
    ledger = Ledger(path)
    try:
        entries = ledger.entries()
    finally:
        ledger.close()
    assert version == (4,)
    assert [entry.cost for entry in entries] == costs
    assert sum(costs) == Decimal("0.001768")


def test_the_recorded_configuration_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    text = (RELEASE / "config.toml").read_text("utf-8")
    path.write_text(text.replace("{base}", "http://127.0.0.1:9/v1"), encoding="utf-8")
    config = load(path)
    assert config.hover == "kept"
    assert config.budget.day == Decimal("3.5")
    assert {"small", "big"} <= {model.id for model in config.models}
