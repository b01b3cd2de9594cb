"""Insert small faults into code on purpose: tests that detect none of them prove nothing.

A mutant is one edit of one operator, condition, number or statement; the code around it is unchanged. Only code that
usually changes the outcome is mutated: no text, annotation, decorator or docstring. Python is parsed by its own parser.
JavaScript and TypeScript are parsed by their grammar, with a table of queries and replacements. Nothing is run here.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice, zip_longest

from tuppence.core.syntax.import_statements import StyleName
from tuppence.core.syntax.languages import Language, language
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.text.document import Document, Edit, Span, apply

HANDFUL = 6
"""Maximum number of mutants of one target."""
_COMPARED: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.In: ("in", "not in"),
    ast.Is: ("is", "is not"),
}
_COUNTED: Mapping[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "*"),
}
_SPOKEN = re.compile(r"print|log|logger|logging|warn|warnings|debug|info")
"""Matches the name of a call that tests need not notice when it is removed."""
_KINDS = ("compared", "counted", "condition", "joined", "number", "returned", "dropped")
"""The kinds of mutants in the order in which they are tried, subtlest first."""
_ES_COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "==="}
_ES_COUNTED = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "+=": "-=", "-=": "+=", "*=": "+=", "/=": "*="}
_JOINED = {"&&": "||", "||": "&&"}
_ES_SPOKEN = re.compile(r"(?:console|logger|log)\b|debug\b")
_NOTHING = frozenset({"undefined", "null", "void 0"})
_ES = (
    ("compared", "(binary_expression operator: _ @it)", lambda text: _ES_COMPARED.get(text, "")),
    ("counted", "(binary_expression operator: _ @it)", lambda text: _ES_COUNTED.get(text, "")),
    ("counted", "(augmented_assignment_expression operator: _ @it)", lambda text: _ES_COUNTED.get(text, "")),
    ("condition", "(if_statement condition: (parenthesized_expression) @it)", lambda text: f"(!{text})"),
    ("condition", "(ternary_expression condition: (_) @it)", lambda text: f"!({text})"),
    ("joined", "(binary_expression operator: _ @it)", lambda text: _JOINED.get(text, "")),
    ("number", "(number) @it", lambda text: str(int(text) + 1) if text.isdecimal() else ""),
    ("number", "[(true) (false)] @it", lambda text: "false" if text == "true" else "true"),
    ("returned", "(return_statement (_) @it)", lambda text: "" if text in _NOTHING else "undefined"),
    ("returned", "(arrow_function body: (expression) @it)", lambda text: "" if text in _NOTHING else "undefined"),
    (
        "dropped",
        "(expression_statement (call_expression) @it)",
        lambda text: "" if _ES_SPOKEN.match(text) else "void 0",
    ),
)
"""Kind, query, and replacement of the match; an empty replacement deletes it."""
_ROWS: Mapping[StyleName, tuple[tuple[str, str, Callable[[str], str]], ...]] = {"es": _ES}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One inserted fault."""

    edit: Edit
    """The edit of the whole text."""
    what: str
    """A description for people: ``line 5: < became <=``."""


def mutants(text: str, target: Span, language_id: str = "python") -> tuple[Mutant, ...]:
    """Return at most ``HANDFUL`` mutants of a target, of as many kinds and places as possible; none if it has none."""
    document = Document("", language_id, None, text)
    known = language(language_id)
    is_python = known.import_style.is_python
    found: dict[str, list[Mutant]] = {kind: [] for kind in _KINDS}
    for kind, edit in _mutated(text) if is_python else swapped(text, target, known):
        if target.covers(edit.span):
            line = document.line_at(edit.span.start) + 1
            was = document.slice(edit.span).strip() or "the condition"
            now = edit.text.strip() or "nothing"
            found[kind].append(Mutant(edit, f"line {line}: {_short(was)} became {_short(now)}"))
    turns = (each for each in chain.from_iterable(zip_longest(*found.values())) if each is not None)
    sound = _parses if is_python else lambda text, edit: parses(apply(text, (edit,)), known)
    return tuple(islice((each for each in turns if sound(text, each.edit)), HANDFUL))


def _mutated(text: str) -> Iterator[tuple[str, Edit]]:
    """Yield the mutants of a Python text, each with its kind."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    source = _Source(text)
    for node in _code(tree):
        yield from source.mutated(node)


class _Source:
    """Converts positions of Python's parser to offsets in a text."""

    def __init__(self, text: str) -> None:
        self.document = Document("", "python", None, text)

    def mutated(self, node: ast.AST) -> Iterator[tuple[str, Edit]]:
        """Yield the mutants of one node, each with its kind."""
        match node:
            case ast.Compare(left, [op, *_], [right, *_]) if swap := _COMPARED.get(type(op)):
                yield from self._between("compared", left, right, swap)
            case ast.BinOp(left, op, right) if swap := _COUNTED.get(type(op)):
                yield from self._between("counted", left, right, swap)
            case ast.AugAssign(left, op, right) if swap := _COUNTED.get(type(op)):
                yield from self._between("counted", left, right, swap)
            case ast.BoolOp(op, [left, right, *_]):
                swap = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
                yield from self._between("joined", left, right, swap)
            case ast.If(test) | ast.IfExp(test) if not isinstance(test, ast.NamedExpr):
                span = self._span(test)
                yield "condition", Edit(span, f"not ({self.document.slice(span)})")
            case ast.Constant(value) if isinstance(value, bool):
                yield "number", Edit(self._span(node), str(not value))
            case ast.Constant(value) if isinstance(value, int):
                yield "number", Edit(self._span(node), str(value + 1))
            case ast.Return(ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
                yield "returned", Edit(self._span(value), "None")
            case ast.Expr(ast.Call(called)) if not _SPOKEN.match(ast.unparse(called).rpartition(".")[2]):
                yield "dropped", Edit(self._span(node), "pass")
            case _:
                return

    def _between(self, kind: str, left: ast.expr, right: ast.expr, swap: tuple[str, str]) -> Iterator[tuple[str, Edit]]:
        """Yield the swap of the operator between two operands."""
        start, end = self._span(left).end, self._span(right).start
        gap = self.document.text[start:end]
        at = gap.find(swap[0])
        if at >= 0 and "#" not in gap:
            yield kind, Edit(Span(start + at, start + at + len(swap[0])), swap[1])

    def _span(self, node: ast.expr | ast.stmt | ast.AST) -> Span:
        first, last = getattr(node, "lineno", 1), getattr(node, "end_lineno", 1)
        start = self._offset(first, getattr(node, "col_offset", 0))
        return Span(start, max(start, self._offset(last, getattr(node, "end_col_offset", 0))))

    def _offset(self, line: int, column: int) -> int:
        """Return the offset of a line (from 1) and a column (in UTF-8 bytes)."""
        span = self.document.full_line_span(min(line, self.document.line_count) - 1)
        text = self.document.slice(span)
        return span.start + len(text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "surrogatepass"))


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes that determine what the code does, outer before inner."""
    if _is_for_types(node):
        return
    yield node
    left_out: dict[type[ast.AST], tuple[str, ...]] = {
        ast.FunctionDef: ("decorator_list", "returns"),
        ast.AsyncFunctionDef: ("decorator_list", "returns"),
        ast.ClassDef: ("decorator_list", "bases", "keywords"),
        ast.AnnAssign: ("annotation",),
        ast.arg: ("annotation",),
        ast.JoinedStr: ("values",),
        ast.Raise: ("exc",),
        ast.Assert: ("msg",),
    }
    for name, value in ast.iter_fields(node):
        if name in left_out.get(type(node), ()):
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield from _code(each)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _parses(text: str, edit: Edit) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(apply(text, (edit,)))
    except (SyntaxError, ValueError):  # pragma: no cover - none of the mistakes known so far breaks code
        return False
    return True


def _short(text: str) -> str:
    words = " ".join(text.split())
    return f"`{words if len(words) <= len('a condition of some length') else words[:24] + '…'}`"


def swapped(text: str, target: Span, known: Language) -> Iterator[tuple[str, Edit]]:
    """Yield the mutants of a target, each with its kind; none for a language that the table does not cover."""
    tree = parse(text, known)
    if not isinstance(tree, SyntaxTree):
        return
    for kind, query, swap in _ROWS.get(known.import_style.name, ()):
        for span in tree.queried(query, target):
            was = text[span.start : span.end]
            now = swap(was)
            if now and now != was:
                yield kind, Edit(span, now)


def parses(text: str, known: Language) -> bool:
    """Report whether a text parses without a fault."""
    return parse(text, known).faults() == 0
