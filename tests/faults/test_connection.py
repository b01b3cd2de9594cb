"""Connections that fail: whatever a socket does, the text is safe, and one sentence says what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_bench import Bench, Case, bench
from fault_provider import DROP, RESET, whole
from scenario import GOOD

Count = Callable[[str, object], None]


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as made:
        yield made


@pytest.mark.fault("provider", "connection dropped or reset")
def test_a_connection_that_ends_early(on: Bench, record_property: Count) -> None:
    cases = [Case(name="whole", scripts=[whole(GOOD)], bill="counted", tries=1)]
    cases += [
        Case(name=f"{end} before headers", scripts=[[end]], says="closed the connection", tries=3)
        for end in (DROP, RESET)
    ]
    record_property("cases", on.tries(*cases))
