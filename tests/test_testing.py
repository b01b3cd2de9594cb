"""What is told of generated tests without running them: wrong about good ones almost never."""

from __future__ import annotations

import pytest

from tuppence.core.languages import language
from tuppence.core.syntax import parse
from tuppence.core.target import find
from tuppence.core.testing import fresh, lacking
from tuppence.core.text import Document, Span

PYTHON = """\
class Box:
    def put(self, x):
        return x


def mean(xs):
    return xs


def _inner(xs):
    return xs
"""
GO = "package a\n\nfunc Mean(xs []int) int {\n\treturn 0\n}\n"


def lacks(code: str, at: str = "def mean", source: str = PYTHON, lang: str = "python", before: str = "") -> str:
    document = Document("file:///a", lang, 1, source)
    tree = parse(source, language(lang))
    start = source.index(at)
    target = find(document, tree, Span(start, start))
    assert target is not None
    return lacking(before + code, code, tree, target)


@pytest.mark.parametrize(
    "code",
    [
        "from a import mean\n\n\ndef test_mean():\n    assert mean([1])\n",
        "import a\n\n\ndef test_mean():\n    assert a.mean([1])\n",
        "from a import *\n\n\ndef test_mean():\n    assert mean([1])\n",
        "from a import mean as average\n\n\ndef test_mean():\n    assert average([1])\n",
        "from a import mean\n\n\nclass TestM(Case):\n    def test_it(self):\n        self.assertIn(1, mean([1]))\n",
        "from a import mean\n\n\ndef test_mean():\n    with pytest.raises(TypeError):\n        mean()\n",
        "def test_mean(mean):\n    check(mean([1]), [1])\n",
        "import importlib\nmean = importlib.import_module('a').mean\n\n\ndef test_mean():\n    assert mean([1])\n",
        "def test_mean(:\n    assert mean([1])\n",
    ],
)
def test_tests_that_lack_nothing(code: str) -> None:
    assert not lacks(code)


def test_what_tests_can_lack() -> None:
    assert lacks("from a import mean\n\n\ndef test_mean():\n    mean([1])\n") == "The tests assert nothing."
    other = "from a import other\n\n\ndef test_other():\n    assert other([1])\n"
    assert lacks(other) == "The tests do not use `mean`, which they should test."
    bare = "def test_mean():\n    assert mean([1])\n"
    assert lacks(bare) == "The tests use `mean` and do not import it."
    assert not lacks(bare, before="from a import mean\n\n\n")


def test_a_method_may_be_reached_through_its_class_and_an_inner_function_through_anything() -> None:
    assert not lacks("from a import Box\n\n\ndef test_box():\n    assert Box()\n", "def put")
    assert not lacks("from a import mean\n\n\ndef test_mean():\n    assert mean([1])\n", "def _inner")
    assert lacks("from a import mean\n\n\ndef test_mean():\n    assert mean([1])\n", "def put").startswith(
        "The tests do not"
    )


def test_other_languages() -> None:
    good = 'package a\n\nfunc TestMean(t *testing.T) {\n\tif Mean(nil) != 0 {\n\t\tt.Errorf("no")\n\t}\n}\n'
    assert not lacks(good, "Mean", GO, "go")
    assert lacks(good.replace("Mean(nil)", "Max(nil)").replace("TestMean", "TestIt"), "Mean", GO, "go")
    assert lacks(good.replace("t.Errorf", "t.Log"), "Mean", GO, "go") == "The tests assert nothing."


def test_which_tests_are_new() -> None:
    before = "def test_a():\n    assert 1\n\n\nclass TestB:\n    def test_b(self):\n        assert 1\n"
    more = "\n    def test_c(self):\n        assert 1\n\n\nasync def test_d():\n    assert 1\n"
    after = f"{before}{more}\n\ndef helper():\n    pass\n"
    assert fresh(before, after) == ("TestB::test_c", "test_d")
    assert fresh("", before) == ("test_a", "TestB::test_b")
    assert fresh(before, before.replace("assert 1", "assert 2", 1)) == ("test_a",)
    assert fresh(before, "def (") == ()
