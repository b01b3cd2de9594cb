"""What the model is shown when everything fits, and what goes first when it does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.core.models.usage import estimate
from tuppence.core.prompt.context import Context, Definition, Question, Surroundings, gather
from tuppence.core.prompt.excerpt import _body, signature
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import Tree, parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span
from tuppence.errors import Unfit

DEFINITIONS = (Definition("a.py", "often", "def often(): ..." * 20), Definition("b.py", "once", "def once(): ..." * 20))
SURROUNDINGS = Surroundings(DEFINITIONS, "AGENTS.md:\nBe kind.\n" * 20)


def _python(count: int) -> str:
    body = "    total = 0\n    for each in range(10):\n        total += each\n    return total\n"
    return "import os\n\n\n" + "\n\n".join(f"def f{each}():\n{body}" for each in range(count))


def _question(text: str, name: str, language_id: str = "python", diagnostics: tuple[Diagnostic, ...] = ()) -> Question:
    document = Document("file:///a", language_id, 1, text)
    tree = parse(text, language(language_id))
    start = text.index(name)
    target = find_target(document, tree, Span(start, start))
    assert target is not None
    return Question(document, tree, target, diagnostics)


def _size(context: Context) -> int:
    return (
        estimate(context.file)
        + sum(estimate(each.text) for each in context.definitions)
        + estimate(context.conventions)
        + sum(estimate(each.message) for each in context.diagnostics)
    )


def test_what_fits_is_shown_whole() -> None:
    question = _question(_python(5), "f2")
    context = gather(question, SURROUNDINGS, 10_000)
    assert context.file == question.document.text
    assert (context.definitions, context.conventions, context.cut) == (DEFINITIONS, SURROUNDINGS.conventions, ())
    assert context.language.id == "python"


def test_two_targets_of_one_file_get_the_same_bytes() -> None:
    text = _python(5)
    first, second = (gather(_question(text, name), SURROUNDINGS, 10_000) for name in ("f1", "f4"))
    assert (first.file, first.conventions) == (second.file, second.conventions)


def test_only_diagnostics_in_the_target_are_shown_in_order() -> None:
    text = _python(3)
    here, later, elsewhere = text.index("f1"), text.index("return", text.index("f1")), text.index("f2")
    said = tuple(Diagnostic(Span(at, at + 1), f"at {at}") for at in (later, elsewhere, here))
    context = gather(_question(text, "f1", diagnostics=said), Surroundings(), 10_000)
    assert [each.message for each in context.diagnostics] == [f"at {here}", f"at {later}"]


def test_definitions_go_first_the_least_used_before_the_others() -> None:
    text = _python(5)
    full = estimate(text) + estimate(SURROUNDINGS.conventions) + 200
    context = gather(_question(text, "f2"), SURROUNDINGS, full + 60)
    assert [each.name for each in context.definitions] == ["often"]
    assert context.conventions
    assert context.file == text
    assert context.cut == ("Definitions from other files were left out: `once`.",)


def test_conventions_go_next() -> None:
    text = _python(5)
    context = gather(_question(text, "f2"), SURROUNDINGS, estimate(text) + 60)
    assert (context.definitions, context.conventions, context.file) == ((), "", text)
    assert len(context.cut) == 2


def test_then_the_farthest_definitions_shrink_to_their_headers() -> None:
    text = _python(20)
    context = gather(_question(text, "f15"), SURROUNDINGS, estimate(text) * 9 // 10)
    assert "def f0():\n    # ... 4 lines left out ...\n" in context.file
    assert "def f15():\n    total = 0\n    for each in range(10):" in context.file
    assert "def f14():\n    total = 0\n" in context.file
    assert context.file.startswith("import os\n")
    assert context.cut[-1].endswith("those far from the target, were left out.")


def test_then_far_lines_go_but_imports_stay() -> None:
    text = "import os\n\n" + "".join(f"value_{each} = {each}\n" for each in range(2000)) + "\n\ndef f():\n    pass\n"
    context = gather(_question(text, "def f"), Surroundings(), 400)
    assert context.file.startswith("import os\n# ... ")
    assert "value_1999" in context.file
    assert context.file.endswith("def f():\n    pass\n")
    assert _size(context) <= 400


def test_a_closing_bracket_stays() -> None:
    text = "\n".join(
        f"func f{each}() int {{\n\tfirst := compute(1)\n\tsecond := compute(2)\n\treturn first + second\n}}\n"
        for each in range(30)
    )
    context = gather(_question(f"package a\n\n{text}", "f29", "go"), Surroundings(), estimate(text) * 9 // 10)
    assert "func f0() int {\n\t// ... 3 lines left out ...\n}\n" in context.file


def test_windows_line_endings_stay_windows() -> None:
    text = _python(20).replace("\n", "\r\n")
    context = gather(_question(text, "f15"), Surroundings(), estimate(text) * 9 // 10)
    assert "left out ...\r\n" in context.file
    assert "\n" not in context.file.replace("\r\n", "")


def test_a_target_that_does_not_fit_is_unfit() -> None:
    with pytest.raises(Unfit, match=r"`f1` has 5 lines, about \d+ tokens: .* 30 .*Select a smaller part"):
        gather(_question(_python(3), "f1"), Surroundings(), 30)


@given(st.integers(1, 30), st.integers(0, 29), st.integers(100, 3000))
@settings(max_examples=80, deadline=None)
def test_the_budget_is_kept_and_the_target_is_whole(count: int, which: int, budget: int) -> None:
    question = _question(_python(count), f"f{min(which, count - 1)}():")
    context = gather(question, SURROUNDINGS, budget)
    assert question.document.slice(question.target.span) in context.file
    assert _size(context) <= budget
    shown = context.definitions, context.conventions, context.file
    assert bool(context.cut) == (shown != (DEFINITIONS, SURROUNDINGS.conventions, question.document.text))


def _signature(language_id: str, text: str, name: str) -> str:
    tree: Tree = parse(text, language(language_id))
    return signature(tree, next(block for block in tree.blocks() if block.name == name))


@pytest.mark.parametrize(
    ("language_id", "text", "name", "expected"),
    [
        (
            "python",
            'def f(a: int) -> str:\n    """Says."""\n    return 1\n',
            "f",
            'def f(a: int) -> str:\n    """Says."""',
        ),
        (
            "python",
            'class A:\n    """Is."""\n\n    def f(self):\n        return 1\n\n    def g(self):\n        pass\n',
            "A",
            'class A:\n    """Is."""\n    def f(self):\n    def g(self):',
        ),
        ("go", "package a\n\n// F is.\nfunc F(a int) int {\n\treturn 1\n}\n", "F", "// F is.\nfunc F(a int) int"),
        ("go", "package a\n\ntype T struct {\n\ta int\n}\n", "T", "type T struct {\n\ta int\n}"),
        ("typescript", "export function f(a: A): B {\n  return a;\n}\n", "f", "export function f(a: A): B"),
        ("rust", "/// Is.\npub struct P {\n    x: i32,\n}\n", "P", "/// Is.\npub struct P {\n    x: i32,\n}"),
        ("java", "class A {\n    int f() {\n        return 1;\n    }\n}\n", "A", "class A\n    int f()"),
        ("c", "/* Adds. */\nint add(int a, int b);\n", "add", "/* Adds. */\nint add(int a, int b);"),
    ],
)
def test_a_signature_says_what_a_caller_must_know(language_id: str, text: str, name: str, expected: str) -> None:
    assert _signature(language_id, text, name) == expected


def test_a_body_begins_behind_a_bracket_on_a_line_of_its_own() -> None:
    body = "".join(f"    g({at});\n" for at in range(12))
    for opening in (" {\n", "\n{\n"):
        text = f"int f(void){opening}{body}}}\n"
        document = Document("file:///a.c", "c", 1, text)
        (block,) = parse(text, language("c")).blocks()
        lines = _body(document, block)
        assert [document.slice(document.line_span(at)).strip() for at in lines] == [
            each.strip() for each in body.splitlines()
        ]
