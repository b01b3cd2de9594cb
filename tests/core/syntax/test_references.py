"""The definitions of its own file that a piece of code uses."""

from __future__ import annotations

import pytest

from tuppence.core.syntax import references
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.references import referenced_by
from tuppence.core.text.document import Span

SHOP = """import math, re
from rates import RATE
VAT = {
    "de": RATE,
}
LIMIT = 3


class Shop(Base):
    prices = []
    seen = 0

    def total(self):
        return math.ceil(sum(self.prices) * VAT["de"] + self.fee())

    def fee(self):
        def inner():
            return RATE
        return inner()

    def other(self):
        return LIMIT


def fees():
    return 1
"""


def leaned(text: str, at: str, name: str = "python") -> tuple[str, ...]:
    tree = parse(text, language(name))
    block = tree.enclosing(Span(text.index(at), text.index(at)))
    assert block is not None
    return tuple(" ".join(each.split()) for each in referenced_by(tree, block.span))


def test_imports_constants_members_and_helpers_that_are_named_count() -> None:
    assert leaned(SHOP, "return math") == (
        "import math, re",
        'VAT = { "de": RATE, }',
        "prices = []",
        "def fee(self): def inner(): return RATE return inner()",
    )


def test_a_class_leans_on_what_its_members_name_and_not_on_itself() -> None:
    assert leaned(SHOP, "class Shop") == (
        "import math, re",
        "from rates import RATE",
        'VAT = { "de": RATE, }',
        "LIMIT = 3",
    )


@pytest.mark.parametrize("name", ["javascript", "plaintext"])
def test_other_languages(name: str) -> None:
    constants = "const rate = 2;\nconst other = 3;\n\n"
    text = f"{constants}function half(x) {{\n  return x / rate;\n}}\n\nfunction twice(x) {{\n  return x * 2;\n}}\n"
    assert leaned(text, "return x / rate", name) == ("const rate = 2;",)
    assert leaned(text.replace("/ rate", "/ twice(rate)"), "return x / twice", name)[-1].startswith("function twice")


def test_a_definition_without_a_name_is_never_named() -> None:
    """Broken code gives names that are missing, and so empty, as C gives enums without a name."""
    text = "enum { A, B };\nint other;\n\nint f(int a) {\n  int = A + ;\n  return other;\n}\n"
    tree = parse(text, language("c"))
    block = next(each for each in tree.blocks() if each.name == "f")
    assert any(not each.name for each in tree.blocks())
    assert referenced_by(tree, block.span) == ("int other;",)


def test_a_line_that_a_definition_beside_shares_is_not_named_once_more() -> None:
    text = "function rate() { return 1; } class A {\n  m() { return rate(); }\n}\n"
    assert leaned(text, "return rate", "javascript") == ("function rate() { return 1; }",)


def test_deep_nesting_does_not_make_each_line_cost_more(monkeypatch: pytest.MonkeyPatch) -> None:
    deep, many, looks = 300, 2_000, 0
    at = references._Scope.at

    def counted(scope: references._Scope, line: int) -> list[Span]:
        nonlocal looks
        looks += 1
        return at(scope, line)

    monkeypatch.setattr(references._Scope, "at", counted)
    uses = "".join(f"use(x, {number});\n" for number in range(many))
    nested = "".join(f"function f{number}() {{\n" for number in range(deep)) + "return x;\n" + "}\n" * deep
    tree = parse(f"{uses}{nested}", language("javascript"))
    inner = max(tree.blocks(), key=lambda block: block.span.start)
    assert len(referenced_by(tree, inner.span)) == many
    assert looks <= deep
