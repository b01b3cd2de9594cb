"""The scan at the end of each test with a server finds a key that the server wrote or said."""

from __future__ import annotations

from pathlib import Path

import pytest
from planted_keys import KEYS, disguises
from server import PLANTED, stage


@pytest.mark.process
@pytest.mark.attack("keys", "the keys planted in every test's server")
@pytest.mark.parametrize("disguise", ["plain", "spaces", "base64"])
async def test_a_server_that_writes_its_key_fails_its_test(disguise: str, tmp_path: Path) -> None:
    place = tmp_path / "home" / "data" / "leak"
    place.parent.mkdir(parents=True)
    place.write_text(disguises(KEYS[PLANTED[0]])[disguise], encoding="utf-8")
    with pytest.raises(AssertionError, match="the server wrote a key"):
        async with stage(tmp_path):
            pass


@pytest.mark.process
@pytest.mark.attack("keys", "the keys planted in every test's server")
async def test_a_server_that_says_its_key_fails_its_test(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="the server said a key"):
        async with stage(tmp_path) as s:
            s.editor.seen.logs.append(f"Bearer {KEYS[PLANTED[0]]}")
