"""Findings in JSON: the ways of saying where one is, and what is none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.core.answer.review.test_findings import read

from tuppence.core.answer.review.finding_json import JsonObjects

MESSAGE = "It divides by zero when `items` is empty."


def lines(reply: Any) -> list[int]:
    """Return the lines, from 0, of the findings in a reply."""
    return [each.line for each in read(reply if isinstance(reply, str) else json.dumps(reply)).found]


@pytest.mark.parametrize(
    ("where", "line"),
    [
        (5, 4), ("5", 4), ("L5-6", 4), ("lines 4 to 5", 3), ("return total / len(items)", 4), ([5, 6], 4), ([5], 4),
        ({"start": 5, "column": 9}, 4), ({"start": {"row": "5"}}, 4), ({"code": "return total / len(items)"}, 4),
        ({"code": 3, "row": 5}, 4),
    ],
)  # fmt: skip
def test_where_a_finding_is_may_be_said_in_many_ways(where: Any, line: int) -> None:
    assert lines([{"line": where, "message": MESSAGE}]) == [line]


@pytest.mark.parametrize("where", [True, False, None, [], ["5"], {"column": 5}, {}, 5.5, "", "soon"])
def test_what_says_no_place_is_none_and_hides_no_other(where: Any) -> None:
    assert lines([{"line": where, "message": MESSAGE}]) == []
    assert lines([{"line": where, "code": "    total = sum(items)", "message": MESSAGE}]) == [3]


def test_fields_that_are_not_known_say_nothing() -> None:
    odd = {"line": 5, "message": MESSAGE, "surprise": "line 1: `import os` is not used", "confidence": 0.9}
    (finding,) = read(json.dumps([odd])).found
    assert (finding.line, finding.message, finding.fix) == (4, MESSAGE, None)


@pytest.mark.parametrize(
    "odd", ['{"line": 5, message: oops}', "{1, 2}", "{[]: 3}", '{"line": 5 "message": "x"}', "{...}"]
)
def test_an_object_that_is_none_loses_only_itself(odd: str) -> None:
    good = json.dumps({"line": 1, "message": "The module `os` is never used."})
    assert lines(f"[\n{good},\n{odd}\n]") == [0]


@pytest.mark.parametrize("start", ["}", "]", "} ]", '"a" }'])
def test_a_bracket_that_closes_nothing_is_passed_over(start: str) -> None:
    objects = JsonObjects()
    assert objects.feed(start) == []
    assert not objects.is_done
    (found,) = objects.feed('{"line": 5, "message": "x"}')
    assert (found.ranges, found.message) == ([(5, 5)], "x")
