"""Weights of features: what they add, and how they stand in a file, whatever the order of the machine's bytes."""

from __future__ import annotations

import base64
import struct
import sys

import pytest

from tuppence.core.routing.regression import FeatureWeights

ROWS = {"p/a": [100, -200, 3], "p/b": [5, 6, -7]}
PACKED = base64.b64encode(struct.pack("<6h", *ROWS["p/a"], *ROWS["p/b"])).decode()


def test_a_code_without_features_has_the_constant_alone() -> None:
    weights = FeatureWeights.unpack(list(ROWS), 0.5, PACKED)
    assert weights.rows == ROWS
    assert weights.apply({}) == {"p/a": 1.5, "p/b": -3.5}
    assert weights.apply({0: 2.0, 1: 1.0}) == {"p/a": 0.5 * (3 + 200 - 200), "p/b": 0.5 * (-7 + 10 + 6)}


def test_the_bytes_of_the_file_are_swapped_on_a_machine_of_the_other_order(monkeypatch: pytest.MonkeyPatch) -> None:
    other = "little" if sys.byteorder == "big" else "big"
    monkeypatch.setattr(sys, "byteorder", other)
    swapped = base64.b64encode(struct.pack(">6h", *ROWS["p/a"], *ROWS["p/b"])).decode()
    assert FeatureWeights.unpack(list(ROWS), 0.5, swapped if other == "big" else PACKED).rows == ROWS
