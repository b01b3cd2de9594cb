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
PY = language("python")
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


def test_only_a_class_around_a_method_stands_for_it() -> None:
    nested = "def outer():\n    def inner():\n        return 1\n    return inner\n"
    code = "from a import outer\n\n\ndef test_outer():\n    assert outer()\n"
    assert lacks(code, "def inner", nested) == "The tests do not use `inner`, which they should test."


def test_a_name_of_one_letter_is_not_looked_for() -> None:
    short = "def f(x):\n    return x\n"
    assert not lacks("import a\n\n\ndef test_it():\n    assert a.other(1)\n", "def f", short)


def test_a_name_that_is_bound_in_any_way_is_imported() -> None:
    for bound in ("global mean", "for mean in functions: ...", "with load() as mean: ..."):
        assert not lacks(f"def test_mean():\n    {bound}\n    assert mean([1])\n"), bound


def test_other_languages() -> None:
    good = 'package a\n\nfunc TestMean(t *testing.T) {\n\tif Mean(nil) != 0 {\n\t\tt.Errorf("no")\n\t}\n}\n'
    assert not lacks(good, "Mean", GO, "go")
    assert lacks(good.replace("Mean(nil)", "Max(nil)").replace("TestMean", "TestIt"), "Mean", GO, "go")
    assert lacks(good.replace("t.Errorf", "t.Log"), "Mean", GO, "go") == "The tests assert nothing."


def test_which_tests_are_new() -> None:
    before = "def test_a():\n    assert 1\n\n\nclass TestB:\n    def test_b(self):\n        assert 1\n"
    more = "\n    def test_c(self):\n        assert 1\n\n\nasync def test_d():\n    assert 1\n"
    after = f"{before}{more}\n\ndef helper():\n    pass\n"
    assert fresh(before, after, PY) == ("TestB::test_c", "test_d")
    assert fresh("", before, PY) == ("test_a", "TestB::test_b")
    assert fresh(before, before.replace("assert 1", "assert 2", 1), PY) == ("test_a",)
    assert fresh(before, "def (", PY) == ()


def test_which_javascript_tests_are_new() -> None:
    before = "describe('a', () => {\n  it('adds', () => {\n    check(1);\n  });\n});\n"
    more = 'test("takes `one` away", () => {\n  check(2);\n});\n'
    assert fresh("", before, language("javascript")) == ("adds",)
    assert fresh(before, f"{before}{more}", language("typescript")) == ("takes `one` away",)
    assert fresh(before, before.replace("1", "2"), language("javascript")) == ("adds",)
    assert fresh(before, before, language("javascript")) == ()
    again = before.replace("adds", "takes away")
    assert fresh(before, f"{before}\n{again}", language("javascript")) == ("takes away",)
    named = "test(`each ${name}`, () => {});\n"
    assert fresh(before, f"{before}{more}{named}", language("javascript")) == (), "not all have a plain title"


IMPORT = "from a import mean\n\n\n"


@pytest.mark.parametrize(
    "body",
    [
        "assert True",
        "mean([1])\n    assert 1",
        "assert mean([1]) or True",
        "x = mean([1])\n    assert x == x",
        "assert not False",
        "assert (mean([1]), 1)",
    ],
)
def test_tests_that_cannot_fail(body: str) -> None:
    why = "The tests assert only what is always true."
    code = f"{IMPORT}def test_mean():\n    {body}\n"
    assert lacks(code) == why
    assert lacks(f"{code}    assert mean([2]) == 2\n") == ""


@pytest.mark.parametrize("call", ["self.assertTrue(True)", "self.assertEqual(1, 1)", "self.assertTrue(1 or mean([1]))"])
def test_methods_that_cannot_fail(call: str) -> None:
    code = f"{IMPORT}class TestMean(TestCase):\n    def test_it(self):\n        mean([1])\n        {call}\n"
    assert lacks(code) == "The tests assert only what is always true."
    assert not lacks(code.replace(call, "self.assertEqual(mean([1]), mean([1]))")), "it may give another each time"


JS = "function mean(xs) {\n  return xs;\n}\n"


@pytest.mark.parametrize(
    "call", ["expect(true).toBe(true)", "expect(1).toEqual(1)", "assert.ok(true)", "assert.strictEqual(1, 1)"]
)
def test_javascript_tests_that_cannot_fail(call: str) -> None:
    code = f"test('mean', () => {{\n  mean([1]);\n  {call};\n}});\n"
    assert lacks(code, "mean", JS, "javascript") == "The tests assert only what is always true."
    assert not lacks(code.replace(call, f"{call}; expect(mean([1])).toBe(1)"), "mean", JS, "javascript")


@pytest.mark.parametrize(
    "code",
    [
        "def mean(xs):\n    return xs\n\n\ndef test_mean():\n    assert mean([1]) == [1]\n",
        "def test_mean():\n    mean = Mock(return_value=1)\n    assert mean([1]) == 1\n",
        "import a\n\n\n@patch('a.mean')\ndef test_mean(mean):\n    assert a.mean([1])\n",
        "import a\n\n\ndef test_mean(monkeypatch):\n    monkeypatch.setattr(a, 'mean', len)\n    assert a.mean([1])\n",
    ],
)
def test_tests_of_something_else(code: str) -> None:
    assert lacks(code) == "The tests put something else in the place of `mean`, which they should test."


def test_what_else_may_be_patched() -> None:
    assert not lacks(f"{IMPORT}@patch('a.total')\ndef test_mean(total):\n    assert mean([1])\n")
    assert not lacks(f"{IMPORT}@patch('a.mean')\ndef test_a():\n    pass\n\n\ndef test_b():\n    assert mean([1])\n")


def test_assertions_that_stand_in_what_the_file_has_already() -> None:
    before = "def holds(x):\n    assert x\n\n\n"
    code = f"{IMPORT}def test_mean():\n    holds(mean([1]))\n"
    assert not lacks(code, before=before)
    idle = f"{IMPORT}def test_mean():\n    mean([1])\n"
    assert lacks(idle, before="def test_other():\n    assert 1\n\n\n") == "The tests assert nothing."


@pytest.mark.parametrize("mark", ["pytest.mark.skip", "unittest.skip('later')", "pytest.mark.xfail", "expectedFailure"])
def test_tests_that_are_not_run(mark: str) -> None:
    code = f"{IMPORT}@{mark}\ndef test_mean():\n    assert mean([1]) == 1\n"
    assert lacks(code) == "The tests are all skipped."
    assert not lacks(f"{code}\n\ndef test_it():\n    assert mean([2]) == 2\n")
    assert not lacks(code.replace(mark, "pytest.mark.xfail(raises=OSError)").replace("xfail(", "skipif(x, "))


def test_javascript_tests_that_are_not_run() -> None:
    code = "it.skip('is two', () => {\n  expect(mean([2])).toBe(2);\n});\n"
    assert lacks(code, "mean", JS, "javascript") == "The tests are all skipped."
    assert not lacks(f"{code}{code.replace('.skip', '')}", "mean", JS, "javascript")
