"""The scan for planted keys finds each of them in each disguise, and nothing where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted_keys import KEYS, disguises, environment, in_text, in_tree


@pytest.mark.parametrize("name", KEYS)
def test_every_disguise_is_seen_through(name: str) -> None:
    missed = [how for how, text in disguises(KEYS[name]).items() if in_text(f"before {text} after") != [name]]
    assert not missed


def test_nothing_is_found_where_there_is_none() -> None:
    assert in_text(Path(__file__).read_text(encoding="utf-8")) == []
    assert in_text("sk-ant-api03-... sk-proj-abcdefgh 0f9e6d3a mine-") == []


def test_files_and_their_names_are_looked_at(tmp_path: Path) -> None:
    key = environment("MINE_API_KEY")["MINE_API_KEY"]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "log.bin").write_bytes(b"\0\xff" + key.encode("utf-16-le"))
    (tmp_path / f"{key}.txt").write_text("")
    own = tmp_path / "own"
    own.write_text(key)
    assert [(path.name, name) for path, name in in_tree(tmp_path, {own})] == [
        ("log.bin", "MINE_API_KEY"),
        (f"{key}.txt", "MINE_API_KEY"),
    ]
