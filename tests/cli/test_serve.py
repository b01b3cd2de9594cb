"""``tuppence serve``: how the process ends."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator

import pytest

from tuppence.cli import serve
from tuppence.lsp import transport


@pytest.fixture
def frozen() -> Iterator[list[int]]:
    """Yield where a test notes how many objects were frozen, and thaw them."""
    yield []
    gc.unfreeze()


def test_python_looks_for_no_cycles_among_what_ends_with_the_process(
    monkeypatch: pytest.MonkeyPatch, frozen: list[int]
) -> None:
    gc.unfreeze()

    def served(*_: object) -> int:
        frozen.append(gc.get_freeze_count())
        return 7

    monkeypatch.setattr(transport, "serve", served)
    assert serve.run(argparse.Namespace(config=None, tcp=None, socket=None)) == 7
    frozen.append(gc.get_freeze_count())
    # What lives at the end is what the interpreter would visit: all of it is taken out of the collector's sight.
    assert frozen[0] == 0
    assert frozen[1] > 10_000
    assert len(gc.get_objects()) < frozen[1] / 10
