"""The replay of real changes is no proof where there are few of them, or where the engine moved perfect replies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.properties import replay

BARE = ("    def f(\n        text,\n    ): ...\n", "def g(x): ...\ndef f(\n    text,\n): ...\n")
"""What the rule for indentation takes for a reply that forgot it."""


@pytest.mark.parametrize(("moved", "least", "code"), [(0, 1, 0), (0, 99, 1), (5, 1, 1)])
def test_what_it_takes_to_pass(moved: int, least: int, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
        yield "one", {"a.py": "a\nb\n"}, {"a.py": "a\nc\n"}
        for number in range(moved):
            yield f"bare {number}", {"a.txt": BARE[0]}, {"a.txt": BARE[1]}

    monkeypatch.setattr(replay.Releases, "read", read)
    monkeypatch.setattr(replay, "LEAST", least)
    monkeypatch.setattr(replay, "WITHOUT_NPM", least)
    assert replay.main() == code
