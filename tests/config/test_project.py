"""A project may narrow the user's budget, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from scenario import FIXED, GOOD, SRC, messages
from server import CONFIG, pick, stage

from tuppence.config.project import NAME, Narrowing
from tuppence.core.billing.budget import Limits

MINE = Limits(day=Decimal(5), session=Decimal(1), soft=Decimal("0.9"))


BAD = "[providers.evil]\nbase_url = 'https://example.com'\n"


@pytest.mark.parametrize(
    ("text", "narrower", "told"),
    [
        ("", {}, ""),
        ("[budget]\nday = 9\n", {}, ""),
        ("[budget]\nday = 2\n", {"day": "2"}, ""),
        ("[budget]\nmonth = 3\nsoft = 0.5\n", {"month": "3", "soft": "0.5"}, ""),
        (
            "[budget]\nday = -1\nsession = 0.5\n",
            {"session": "0.5"},
            ':2: "budget.day" must be an amount of USD, not -1.',
        ),
        ("quality = 0.5\n[budget]\nday = 2\n", {"day": "2"}, ':1: A project cannot set "quality".'),
        (BAD, {}, ':1: A project cannot set "providers". Only [budget]'),
        ("[budget\n", {}, ":1: This is not TOML"),
    ],
)
def test_a_project_may_only_narrow(text: str, narrower: dict[str, str], told: str, tmp_path: Path) -> None:
    expected = replace(MINE, **{name: Decimal(amount) for name, amount in narrower.items()})
    said: list[str] = []
    narrowing = Narrowing((tmp_path, tmp_path / "none"), said.append)
    assert narrowing.of(MINE) == MINE
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    assert narrowing.of(MINE) == expected
    assert narrowing.of(MINE) == expected
    assert [told in each for each in said] == ([True] if told else [])
    (tmp_path / NAME).unlink()
    assert narrowing.of(MINE) == MINE


async def test_the_server_heeds_it_at_once(tmp_path: Path) -> None:
    async with stage(tmp_path, config=CONFIG) as s:
        s.write(NAME, "[budget]\nrequest = 0.00001\n")
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == SRC
        assert "for one request would be passed" in messages(s)[-1]
        s.write(NAME, "[budget]\nrequest = 1\n")
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == FIXED


@pytest.mark.attack("hostile sizes", "a project's own configuration")
@pytest.mark.parametrize("kind", ["pipe", "zeros", "folder", "circle", "outside", "linked folder", "large"])
def test_a_file_that_is_none_is_not_read_and_that_is_said_once(tmp_path: Path, kind: str) -> None:
    root, said = tmp_path / "root", list[str]()
    root.mkdir()
    (tmp_path / "outside.toml").write_text("[budget]\nday = 1\n", encoding="utf-8")
    file = root / NAME
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "large":
        file.write_text("[budget]\nday = 1\n" + "#" * 16_000, encoding="utf-8")
    else:
        goals = {"zeros": "/dev/zero", "circle": NAME, "outside": "../outside.toml", "linked folder": "/"}
        file.symlink_to(goals[kind])
    narrowing = Narrowing([root], said.append)
    for _ in range(3):
        assert narrowing.of(Limits()) == Limits()
    assert len(said) == 1
    assert "The file is not read: " in said[0]


def test_a_link_inside_and_a_folder_that_is_a_link_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "budget.toml").write_text("[budget]\nday = 1\n", encoding="utf-8")
    (root / NAME).symlink_to("budget.toml")
    (tmp_path / "alias").symlink_to(root)
    assert Narrowing([tmp_path / "alias"], print).of(Limits()).day == 1
