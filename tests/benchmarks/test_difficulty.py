"""The labeled functions: the set is whole, its held-out part is ordered, and its report is current."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from benchmarks.difficulty import __main__ as report
from benchmarks.difficulty.labeled import HARD, TRIVIAL, LabeledFunction, functions, kappa, order, pairs_in_order
from benchmarks.routing.measure import spearman

from tuppence.core.actions import ACTIONS
from tuppence.core.routing.difficulty import Difficulty, rate
from tuppence.core.routing.features import profile

SET = functions()
HELD_OUT = [each for each in SET if each.held_out]
INTERVAL = r"-?\d\.\d\d to -?\d\.\d\d"
RESULTS = Path(report.__file__).with_name("RESULTS.md")


@cache
def rated(each: LabeledFunction, action: str) -> Difficulty:
    return rate(profile(each.language, each.code), action)


def named(name: str) -> LabeledFunction:
    return next(each for each in SET if each.id == name)


def test_the_set_is_what_it_is_said_to_be() -> None:
    assert len(SET) == len({each.id for each in SET}) == len({each.code for each in SET}) >= 120
    assert {each.language for each in SET} == {"python", "javascript", "typescript", "go", "rust", "java", "c", "cpp"}
    assert all(each.reason and each.code.strip() and {each.first, each.second} <= {1, 2, 3, 4, 5} for each in SET)
    assert 0.4 < len(HELD_OUT) / len(SET) < 0.6
    assert min(Counter(each.first for each in HELD_OUT).values()) >= 10
    assert kappa([each.first for each in SET], [each.second for each in SET]) > 0.9
    assert kappa([each.first for each in SET], [each.third for each in SET]) > 0.9
    assert kappa([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_the_order_holds_for_a_reader_who_did_not_know_the_functions() -> None:
    values = [rated(each, "explain").value for each in HELD_OUT]
    assert spearman(values, [each.third for each in HELD_OUT]) >= 0.85
    by_other = [replace(each, first=each.third, second=each.third) for each in HELD_OUT]
    assert pairs_in_order(by_other, lambda each: rated(each, "explain").value) >= 0.95


@pytest.mark.parametrize("action", [each.id for each in ACTIONS])
def test_trivial_code_is_below_hard_code_for_every_action(action: str) -> None:
    assert order(HELD_OUT, lambda each: rated(each, action).value) >= 0.85
    assert pairs_in_order(HELD_OUT, lambda each: rated(each, action).value) >= 0.98
    assert rated(named("py-add"), action).value < rated(named("py-rw-lock"), action).value / 2


def test_without_the_language_the_order_holds_too() -> None:
    assert order(HELD_OUT, report.by_words) >= 0.8
    assert pairs_in_order(HELD_OUT, report.by_words) >= 0.98


def test_the_counts_beat_the_number_of_lines() -> None:
    assert order(HELD_OUT, report.by_grammar) > order(HELD_OUT, report.by_lines) + 0.15


def test_levels_are_hardly_ever_two_apart() -> None:
    trivial = [rated(each, "fix").level for each in HELD_OUT if each.label <= TRIVIAL]
    hard = [rated(each, "fix").level for each in HELD_OUT if each.label >= HARD]
    assert "hard" not in trivial
    assert hard.count("simple") <= 1
    assert trivial.count("simple") >= 0.9 * len(trivial)
    assert hard.count("hard") >= 0.9 * len(hard)


def test_the_report_is_current(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "interval", lambda _rows, _figure: (0.0, 0.0))  # A thousand draws take seconds.
    report.main()
    kept = RESULTS.read_text(encoding="utf-8")
    assert re.findall(INTERVAL, kept)
    assert re.sub(INTERVAL, "", capsys.readouterr().out) == re.sub(INTERVAL, "", kept)
