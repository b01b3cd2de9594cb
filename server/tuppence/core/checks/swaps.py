"""Small mistakes for code that is read by a grammar: JavaScript and TypeScript (core/checks/mutation.py has Python's).

A row says what a query of the grammar finds and what becomes of it; nothing becomes of what a row does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tuppence.core.syntax.language import Language
from tuppence.core.syntax.parser import Syntax, parse
from tuppence.core.text.document import Edit, Span

_COMPARED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "==="}
_COUNTED = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "*", "+=": "-=", "-=": "+=", "*=": "+=", "/=": "*="}
_JOINED = {"&&": "||", "||": "&&"}
_SPOKEN = re.compile(r"(?:console|logger|log)\b|debug\b")
_NOTHING = frozenset({"undefined", "null", "void 0"})
_ES = (
    ("compared", "(binary_expression operator: _ @it)", lambda text: _COMPARED.get(text, "")),
    ("counted", "(binary_expression operator: _ @it)", lambda text: _COUNTED.get(text, "")),
    ("counted", "(augmented_assignment_expression operator: _ @it)", lambda text: _COUNTED.get(text, "")),
    ("condition", "(if_statement condition: (parenthesized_expression) @it)", lambda text: f"(!{text})"),
    ("condition", "(ternary_expression condition: (_) @it)", lambda text: f"!({text})"),
    ("joined", "(binary_expression operator: _ @it)", lambda text: _JOINED.get(text, "")),
    ("number", "(number) @it", lambda text: str(int(text) + 1) if text.isdecimal() else ""),
    ("number", "[(true) (false)] @it", lambda text: "false" if text == "true" else "true"),
    ("returned", "(return_statement (_) @it)", lambda text: "" if text in _NOTHING else "undefined"),
    ("returned", "(arrow_function body: (expression) @it)", lambda text: "" if text in _NOTHING else "undefined"),
    ("dropped", "(expression_statement (call_expression) @it)", lambda text: "" if _SPOKEN.match(text) else "void 0"),
)
"""The kind of mistake, the query, and what is put in the place of what it finds: empty for nothing."""
_ROWS: dict[str, tuple[tuple[str, str, Callable[[str], str]], ...]] = {"es": _ES}


def swapped(text: str, target: Span, known: Language) -> Iterator[tuple[str, Edit]]:
    """Yield the mistakes that can be put into a target, each with its kind; none for a language without rows."""
    tree = parse(text, known)
    if not isinstance(tree, Syntax):
        return
    for kind, query, swap in _ROWS.get(known.import_style, ()):
        for span in tree.queried(query, target):
            was = text[span.start : span.end]
            now = swap(was)
            if now and now != was:
                yield kind, Edit(span, now)


def parses(text: str, known: Language) -> bool:
    """Report whether a text has no fault."""
    return parse(text, known).faults() == 0
