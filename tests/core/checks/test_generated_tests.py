"""What is told of generated tests without running them: wrong about good ones almost never."""

from __future__ import annotations

import pytest

from tuppence.core.checks.generated_tests import Reach, fresh, lacking
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span

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


def lacks(  # noqa: PLR0913 - each is a keyword with a default, and a test names the one that it is about
    code: str,
    at: str = "def mean",
    source: str = PYTHON,
    lang: str = "python",
    *,
    before: str = "",
    reach: Reach | None = None,
) -> str:
    document = Document("file:///a", lang, 1, source)
    tree = parse(source, language(lang))
    start = source.index(at)
    target = find_target(document, tree, Span(start, start))
    assert target is not None
    return lacking(before + code, code, tree, target, reach or Reach())


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


UNUSED = "The tests do not use `mean`, which they should test."
NOT_ONE = "The answer holds no test that pytest would find."


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("# tests for mean\ndef test_it():\n    assert len([1]) == 1\n", UNUSED),
        ('def test_it():\n    """Tests for mean."""\n    assert len([1]) == 1\n', UNUSED),
        ("from a import mean\n\n\ndef test_it():\n    assert len([1]) == 1\n", UNUSED),
        ("from a import mean as m\n\n\ndef test_it():\n    assert len([1]) == 1\n", UNUSED),
        ("from a import mean\n\n\ndef test_it():\n    # assert it\n    mean([1])\n", "The tests assert nothing."),
        ("from a import mean\n\n\ndef it_works():\n    assert mean([1])\n", NOT_ONE),
        ("from a import mean\n\n\nclass Mean:\n    def test_it(self):\n        assert mean([1])\n", NOT_ONE),
    ],
)
def test_what_is_no_use_and_no_test(code: str, why: str) -> None:
    assert lacks(code) == why


@pytest.mark.parametrize(
    "code",
    [
        "import a.b as s\n\n\ndef test_it():\n    assert s.mean([1])\n",
        "import a\n\n\n@pytest.mark.parametrize('f', [a.mean])\ndef test_it(f):\n    assert f([1])\n",
        "import a\n\n\ndef test_it():\n    assert getattr(a, 'mean')([1])\n",
        "import a\n\n\ndef call(xs):\n    return a.mean(xs)\n\n\ndef test_it():\n    assert call([1])\n",
        "import a\n\n\n@pytest.fixture\ndef it():\n    return a.mean([1])\n\n\ndef test_it(it):\n    assert it\n",
        "from a import mean\n\nF = mean\n\n\nclass TestA:\n class TestB:\n  def test_it(self):\n   assert F([1])\n",
        "from a import mean\n\n\nclass Mean(Base):\n    def test_it(self):\n        self.assertTrue(mean([1]))\n",
        "from a import mean\n\n\ndef describe_mean():\n    def it_works():\n        assert mean([1])\n",
    ],
)
def test_other_ways_to_use_it(code: str) -> None:
    assert not lacks(code)


def test_a_class_is_used_through_what_the_file_or_the_project_sets_up() -> None:
    new = "\n\nclass TestBox:\n    def test_put(self):\n        assert self.box.put(1) == 1\n"
    head = "from a import Box\n\n\nclass Base:\n    def setup_method(self):\n        self.box = Box()\n"
    assert not lacks(new, "class Box", before=head)
    assert not lacks("def test_put(box):\n    assert box.get(1) == 1\n", "class Box"), "a fixture from elsewhere"
    assert lacks("def test_put(tmp_path):\n    assert tmp_path.get(1) == 1\n", "class Box")
    assert not lacks("def test_put(box):\n    assert box.put(1) == 1\n", "def put")
    with_list = PYTHON.replace("def put", "def list")
    used = "from a import Box\n\n\ndef test_it():\n    assert list(Box().list(1))\n"
    assert not lacks(used, "def list", with_list), "the builtin of that name needs no import"
    assert lacks(used.replace("from a import Box\n", ""), "def list", with_list) == (
        "The tests use `Box` and do not import it."
    )


def test_a_project_may_have_its_own_names_for_tests() -> None:
    mine = "from a import mean\n\n\ndef it_is_there():\n    assert mean([2])\n\n\n"
    more = "def it_works():\n    assert mean([1])\n"
    assert not lacks(more, before=mine)
    assert lacks(more, before=mine.replace("it_is_there", "test_it")) == NOT_ONE


@pytest.mark.parametrize(
    "head",
    [
        "pytestmark = pytest.mark.skip\n",
        "pytestmark = [pytest.mark.skip(reason='no')]\n",
        "pytest.skip('no', allow_module_level=True)\n",
    ],
)
def test_a_file_that_is_skipped_as_a_whole(head: str) -> None:
    code = f"{IMPORT}def test_mean():\n    assert mean([2]) == 2\n"
    assert lacks(f"{head}{code}") == "The tests are all skipped."
    assert lacks(code, before=head) == "The tests are all skipped."
    assert not lacks(head.replace("mark.skip", "mark.slow").replace("pytest.skip", "pytest.importorskip") + code)


@pytest.mark.parametrize("skip", ["pytest.skip('no')", "self.skipTest('no')", "raise unittest.SkipTest('no')"])
def test_tests_that_skip_themselves(skip: str) -> None:
    code = f"{IMPORT}class TestM(Case):\n    def test_mean(self):\n        {skip}\n        assert mean([2]) == 2\n"
    assert lacks(code) == "The tests are all skipped."
    assert not lacks(code.replace(skip, f"if not mean([2]):\n            {skip}"))
    assert lacks(code.replace(skip, "pass").replace("class", "@unittest.skip('no')\nclass")) == (
        "The tests are all skipped."
    )


HERE = Reach(
    "file:///home/me/shop/stockroom/stats.py", Packages(frozenset({"shop", "stockroom", "items", "stats", "requests"}))
)


@pytest.mark.parametrize(
    ("line", "module"),
    [
        ("from nowhere_wrong import mean", "nowhere_wrong"),
        ("from nowhere_wrong import mean as mean", "nowhere_wrong"),
        ("from statistics import mean", "statistics"),
        ("from stockroom.nowhere import mean", "stockroom.nowhere"),
        ("from .nowhere import mean", ".nowhere"),
        ("from stats import mean", ""),
        ("from stockroom.stats import mean", ""),
        ("from stockroom import mean", ""),
        ("from ..stats import mean", ""),
        ("from . import mean", ""),
        ("from elsewhere.stats import mean", ""),
        ("from requests import mean", ""),
        ("try:\n    from nowhere_wrong import mean\nexcept ImportError:\n    from stockroom import mean", ""),
    ],
)
def test_an_import_that_cannot_lead_to_the_tested_file(line: str, module: str) -> None:
    code = f"{line}\n\n\ndef test_mean():\n    assert mean([2]) == 2\n"
    why = f"The tests take `mean` from `{module}`, and not from the file that they should test."
    assert lacks(code, reach=HERE) == (why if module else "")
    looked = module == "statistics"
    assert lacks(code, reach=Reach(HERE.uri)) == (why if looked else ""), "nobody looked what there is"


def test_a_function_that_stands_in_another_is_imported_by_nobody() -> None:
    nested = "def outer():\n    def dist():\n        return 1\n    return dist\n"
    code = "from math import dist\nfrom a import outer\n\n\ndef test_outer():\n    assert outer()() == dist([0], [1])\n"
    assert not lacks(code, "def dist", nested, reach=HERE)


def test_a_module_that_cannot_be_the_tested_file() -> None:
    code = "import nowhere_wrong as s\n\n\ndef test_mean():\n    assert s.mean([2]) == 2\n"
    assert lacks(code, reach=HERE).startswith("The tests take `mean` from `nowhere_wrong`")
    assert not lacks(code.replace("nowhere_wrong", "stockroom.stats"), reach=HERE)
    own = Reach("file:///home/me/statistics.py", HERE.packages)
    assert not lacks(code.replace("nowhere_wrong", "statistics"), reach=own)


ES = f"export {JS}"
CHECKED = "test('it', () => {\n  expect(mean([1])).toBe(1);\n});\n"
NOT_IMPORTED = "The tests use `mean` and do not import it."


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (CHECKED, NOT_IMPORTED),
        (f"import {{ other }} from './a';\n{CHECKED}", NOT_IMPORTED),
        (f"import {{ mean }} from './a';\n{CHECKED.replace('mean', 'other')}", UNUSED),
        (f"// mean\n{CHECKED.replace('mean([1])', '1 + x')}", UNUSED),
        ("import { it } from 'vitest';\ntest('mean', () => {\n  expect(1 + x).toBe(1);\n});\n", UNUSED),
        (f"import {{ mean }} from './a';\n{CHECKED}", ""),
        (f"import {{\n  other,\n  mean,\n}} from './a';\n{CHECKED}", ""),
        (f"import {{ mean as m }} from './a';\n{CHECKED.replace('mean', 'm')}", ""),
        (f"import mean from './a';\n{CHECKED}", ""),
        (f"const {{ mean }} = require('./a');\n{CHECKED}", ""),
        (f"const mean = require('./a').mean;\n{CHECKED}", ""),
        (f"import * as a from './a';\n{CHECKED.replace('mean', 'a.mean')}", ""),
        (f"let mean;\nbeforeEach(async () => {{\n  ({{ mean }} = await import('./a'));\n}});\n{CHECKED}", ""),
        (f"globalThis.mean = load();\n{CHECKED}", ""),
        ("import a from './a';\n" + CHECKED.replace("mean([1])", 'a["mean"]([1])'), ""),
        ("import a from './a';\n" + CHECKED.replace("mean([1])", "`${a.mean([1])}`"), ""),
    ],
)
def test_what_javascript_uses_and_imports(code: str, why: str) -> None:
    for lang in ("javascript", "typescript"):
        assert lacks(code, "function mean", ES, lang) == why


@pytest.mark.parametrize(
    ("exports", "given"),
    [
        ("export { other, mean };", True),
        ("export default mean", True),
        ("module.exports = {\n  other,\n  mean\n}", True),
        ("module.exports[Symbol.for('internals')] = { mean }", True),
        ("exports.mean = mean;", True),
        ("export { other };", False),
        ("module.exports = { other }\nfunction more () {\n  return mean([1])\n}", False),
    ],
)
def test_of_what_a_module_keeps_to_itself_tests_may_only_speak(exports: str, *, given: bool) -> None:
    code = "import { other } from './a';\ntest('mean', () => {\n  expect(other([1])).toBe(1);\n});\n"
    assert lacks(code, "function mean", f"{JS}\n{exports}\n", "javascript") == (UNUSED if given else "")


def test_a_script_of_the_browser_has_no_imports() -> None:
    assert not lacks(CHECKED, "function mean", JS, "javascript")
    for name, why in (("vitest", NOT_IMPORTED), ("jasmine_core", "")):
        reach = Reach("file:///a.js", Packages(frozenset({name}), complete=True))
        assert lacks(CHECKED, "function mean", JS, "javascript", reach=reach) == why


@pytest.mark.parametrize(
    ("module", "good"),
    [
        ("./a", True),
        ("../src/stats", True),
        ("./nowhere", False),
        ("nowhere-wrong", False),
        ("@app/nowhere", True),
        (".", True),
    ],
)
def test_a_module_of_javascript_that_cannot_be_the_tested_file(module: str, *, good: bool) -> None:
    here = Reach("file:///home/me/shop/src/stats.js", Packages(frozenset({"a", "src", "stats"}), complete=True))
    why = f"The tests take `mean` from `{module}`, and not from the file that they should test."
    assert lacks(f"import {{ mean }} from '{module}';\n{CHECKED}", "function mean", ES, "javascript", reach=here) == (
        "" if good else why
    )


def test_a_comment_and_a_text_are_no_use_in_other_languages_either() -> None:
    rust = "pub fn mean(xs: &[i32]) -> i32 {\n    0\n}\n"
    good = "use super::*;\n\n#[test]\nfn works<'a>() {\n    assert_eq!(mean(&[1]), 1);\n}\n"
    assert not lacks(good, "fn mean", rust, "rust")
    for no in ("one(&[1]) /* mean */", 'one("mean")', "one(&[1]) // mean\n"):
        assert lacks(good.replace("mean(&[1])", no), "fn mean", rust, "rust") == UNUSED
    java = "class Stats {\n    static int mean(int[] xs) {\n        return 0;\n    }\n}\n"
    test = "import a.Stats;\n\nclass StatsTest {\n    @Test\n    void it() {\n        assertEquals(1, X);\n    }\n}\n"
    assert lacks(test, "static int mean", java, "java") == UNUSED
    assert not lacks(test.replace("X", "Stats.mean(one)"), "static int mean", java, "java")


@pytest.mark.parametrize(
    "code",
    [
        "from a import mean\n\n\nclass TestEmpty:\n    pass\n\n\ndef test_mean():\n    assert mean([1])\n",
        "from a import mean\nfrom b import made\n\nTestMean = made(mean)\nassert TestMean\n",
        "from a import mean\n\nif mean:\n\n    def test_mean():\n        assert mean([1])\n",
        "from a import mean\n\ntry:\n    x()\nexcept X as c:\n    pass\n\n\ndef test_mean():\n    assert mean([1])\n",
    ],
)
def test_tests_that_are_collected_in_other_ways_lack_nothing(code: str) -> None:
    assert not lacks(code)


def test_a_class_or_a_block_without_tests_is_no_test() -> None:
    empty = "from a import mean\n\n\nclass TestMean:\n    def check(self):\n        assert mean([1])\n"
    assert lacks(empty)
    assert lacks("from a import mean\n\nif mean:\n    assert mean([1])\n")


@pytest.mark.parametrize(
    "bound",
    ["try:\n    pass\nexcept ValueError as mean:\n    pass\n", "match [1]:\n    case [*mean]:\n        pass\n",
     "match 1:\n    case mean:\n        pass\n"],
)  # fmt: skip
def test_what_tests_bind_themselves_is_not_missing(bound: str) -> None:
    assert not lacks(f"{bound}\n\ndef test_mean():\n    assert mean([1])\n")
