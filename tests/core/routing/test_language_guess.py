"""The language of code is guessed where it is not given, and only there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.config.shipped import shipped
from tuppence.core.routing.features import profile
from tuppence.core.routing.language_guess import GIVEN_AS_UNKNOWN, guess

CODE = {
    "python": "def mean(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total / len(xs)\n",
    "rust": "pub fn mean(xs: &[f64]) -> Option<f64> {\n    let mut total = 0.0;\n    for x in xs { total += x; }\n}\n",
    "go": "func Mean(xs []float64) float64 {\n\ttotal := 0.0\n\tfor _, x := range xs {\n\t\ttotal += x\n\t}\n}\n",
    "java": "public double mean(List<Double> xs) {\n    double total = 0;\n    for (double x : xs) total += x;\n}\n",
    "cpp": "double mean(const std::vector<double>& xs) {\n    auto total = 0.0;\n    for (auto x : xs) total += x;\n}",
    "c": "#include <stdlib.h>\nint mean(int *xs, size_t n) {\n    int *p = malloc(n);\n    return p->x;\n}\n",
    "javascript": "function mean(xs) {\n  let total = 0;\n  for (const x of xs) total += x;\n  return total;\n}\n",
    "typescript": "export interface Point {\n  x: number;\n  y: number;\n  label?: string;\n}\n",
}


@pytest.mark.parametrize("language", CODE)
def test_code_that_begins_like_its_language_is_known(language: str) -> None:
    assert guess(CODE[language]) == language


@pytest.mark.parametrize("code", ["", "\n", "42\n", "Some words of prose, nothing more."])
def test_nothing_is_guessed_from_nothing(code: str) -> None:
    assert guess(code) == ""


@given(st.text(max_size=400))
def test_any_text_has_a_known_language_or_none(code: str) -> None:
    assert guess(code) in {"", *CODE}


@pytest.mark.parametrize("language", CODE)
@pytest.mark.parametrize("given_as", sorted(GIVEN_AS_UNKNOWN))
def test_code_without_a_language_is_rated_as_with_it(language: str, given_as: str) -> None:
    for action in ("explain", "fix", "tests", "review"):
        known = shipped().gain(action, language, CODE[language])
        assert shipped().gain(action, given_as, CODE[language]) == known
    assert profile("fortran", CODE[language]) != profile("", CODE[language]), "a language that is given is believed"
