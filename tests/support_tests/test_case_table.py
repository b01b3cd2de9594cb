from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import attacks
import pytest


def _report(outcome: str, when: str = "call", **properties: Any) -> Any:
    return SimpleNamespace(
        nodeid="tests/test_x.py::test_y",
        user_properties=[("attack", ("keys", "a key in a message")), *properties.items()],
        when=when,
        passed=outcome == "passed",
        skipped=outcome == "skipped",
    )


def _last(*reports: Any) -> list[str]:
    counted = attacks.table()
    for report in reports:
        counted.pytest_runtest_logreport(report)
    return [line for line in counted.lines() if line.startswith(("all", "not tried"))]


def test_each_test_counts_once_and_its_cases_where_it_says_how_many() -> None:
    passed = (_report("passed", "setup"), _report("passed", cases=40), _report("passed", "teardown"))
    assert _last(*passed, _report("passed"))[0].split() == ["all", "41", "41", "100.0", "%"]


def test_no_case_of_a_test_that_failed_or_broke_has_held() -> None:
    assert _last(_report("failed", cases=3), _report("passed"))[0].split()[1:3] == ["4", "1"]
    assert _last(_report("failed", "setup"))[0].split()[1:3] == ["1", "0"]


def test_a_skipped_attack_is_named_and_not_counted() -> None:
    counted, named = _last(_report("skipped", "setup"))
    assert counted.split()[1:3] == ["0", "0"]
    assert named == "not tried: tests/test_x.py::test_y"


@pytest.mark.parametrize("arguments", [("keys",), ("elsewhere", "x"), ()])
def test_a_marker_without_a_known_section_and_a_kind_is_refused(arguments: tuple[str, ...]) -> None:
    item = SimpleNamespace(
        nodeid="x", user_properties=[], get_closest_marker=lambda _name: SimpleNamespace(args=arguments)
    )
    with pytest.raises(ValueError, match="section"):
        attacks.table().record(item)
