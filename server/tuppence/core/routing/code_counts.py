"""What a person would count in a piece of code: lines, branches, loops, nesting, awaits, atomics, unsafe blocks.

Where a grammar reads the language, what has a place in the syntax is counted in one walk over its nodes; elsewhere by
keywords and indentation. What has none, such as locks, is counted by the parts of names, strings and comments left
out. Every pass is linear in the text, asks no query, and calls nothing in itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import Language
from tuppence.core.text.document import Span

if TYPE_CHECKING:
    import tree_sitter

_BITS = 16
_MASK = (1 << _BITS) - 1
"""A grammar numbers its types with so many bits."""
_DEEPEST = 400
"""Levels of nesting that are followed; no person's code has more."""
_LONGEST = 80
"""Characters of a name above which its parts are not looked at."""
_WORD = re.compile(r"[^\W\d]\w*+")
_PART = re.compile(r"[A-Z]++(?![a-z])|[A-Z]?[a-z]++")
_ATOMIC = re.compile(
    r"memory(?:order|barrier)|seqcst|compareand(?:set|swap)|compareexchange|(?:fetch|getand)(?:add|sub|or|and|xor|set)$"
)
"""In a name in lower case without ``_``: memory that several threads read and write without a lock."""
_ATOMIC_PARTS = frozenset({"atomic", "atomics", "volatile", "fence"})
_SHARED = re.compile(r"notify(?:all|one)$|waitgroup|completablefuture")
"""In a name in lower case without ``_``: what makes work wait for other work."""
_SHARED_PARTS = frozenset(
    "asyncio chan concurrent coroutine goroutine lock locked mutex promise promises rlock runlock semaphore spawn "
    "synchronized thread threading threads unlock".split()
)
_WAITS = re.compile(r"[._]?[wW]ait\w{0,20}+\s*+\(")
_CASE = re.compile(r"case|arm|switch_")
"""In a type of nodes: one of several cases of one value, of which a person reads one at a time."""
_CASE_WORDS = re.compile(r"\b(?:case|when)\b")
_CLOSURE_WORDS = re.compile(r"=>|\blambda\b|\bfunction\s*+\(|\bfn\b[^\n(]{0,40}?->|\{[\w\s,]{1,60}->")
_AWAIT_WORDS = re.compile(r"\bawait\b")
_AND_OR = re.compile(r"&&|\|\||\?\?|\b(?:and|or)\b")
_BIT_WORDS = re.compile(r"(?<=[\w)\]])( ?)(?:[&^]|>>>?|<<(?= ?\d))\1(?=[\w(~])|(?<=\b1 )<<|[&^|]=|<<=|>>=")
_BIT_SIGNS = frozenset({"&", "|", "^", "~", "<<", ">>", ">>>", "&^", "&=", "|=", "^=", "<<=", ">>=", ">>>=", "&^="})
_AND_OR_SIGNS = frozenset({"&&", "||", "??", "and", "or"})
_COMPLEMENTS = frozenset({"~", "^"})
_SHIFTS = frozenset({"<<", ">>"})
_CALLED = re.compile(r"\b([^\W\d]\w*+)(?:<[^<>()\n]{0,60}+>)?\(")
_NO_NAMES = frozenset("if for while switch match return func fn function catch constructor".split())
_IN_INDEX = ("subscript", "index_expression", "array_access", "slice")
"""How the types of nodes begin whose named children are the place in a sequence."""


@dataclass(slots=True)
class SyntaxCount:
    """What one walk over a syntax tree counted."""

    nodes: Counter[str] = field(default_factory=Counter)
    """Named nodes by type, and by their parent's type, ``>`` and their own."""
    depth: int = 0
    """How deep those nest that ``loops`` and ``nest`` of the language's row name."""
    signs: Counter[str] = field(default_factory=Counter)
    """Operators on bits as ``bits``, those that join conditions as ``conditions``."""
    prose: list[tuple[int, int]] = field(default_factory=list)
    """Where strings and comments are, in bytes, in no order."""


def walk(root: tree_sitter.Node, row: Language) -> SyntaxCount:
    """Visit each named node of a tree once."""
    nesting = frozenset(f"{row.features.get('loops', '')} {row.features.get('nest', '')}".split())
    prose = frozenset(f"{row.strings} {row.comments}".split())
    found = SyntaxCount()
    kinds: dict[int, _Kind] = {}
    # A pair is one number, parent first: numbers are nothing that Python's collector would have to go through.
    pairs: list[int] = []
    waiting = [(root, root.kind_id, 0, 0, False)]
    kinds[root.kind_id] = _kind(root.type, nesting, prose)
    while waiting:
        node, parent, depth, nested, is_dropped = waiting.pop()
        for child in node.named_children:
            number = child.kind_id
            kind = kinds.get(number)
            if kind is None:
                # A type's name is made each time that it is asked for, its number is not.
                kind = kinds[number] = _kind(child.type, nesting, prose)
            pairs.append(parent << _BITS | number)
            inner, drops = nested, False
            if kind.is_plain:
                pass
            elif kind.nests:
                # An "else if" is no level of its own.
                if number != parent and not (kind.is_if and kinds[parent].is_else):
                    inner += 1
                    found.depth = max(found.depth, inner)
            elif kind.operates:
                sign = _sign(child)
                # A shift whose value is dropped, as in ``out << x;``, is output.
                drops = sign in _SHIFTS and (is_dropped or kinds[parent].is_statement)
                if sign and not drops:
                    found.signs[sign] += 1
            elif kind.is_prose:
                found.prose.append((child.start_byte, child.end_byte))
            if depth < _DEEPEST and child.named_child_count:
                waiting.append((child, number, depth + 1, inner, drops))
    for pair, count in Counter(pairs).items():
        over, name = kinds[pair >> _BITS].name, kinds[pair & _MASK].name
        found.nodes[name] += count
        found.nodes[f"{over}>{name}"] += count
    return found


def by_syntax(seen: SyntaxCount, data: bytes, row: Language) -> Mapping[str, int]:
    """Return the counts of a text that a walk went through; absent is none.

    :param data: the text in UTF-8.
    """
    nodes = seen.nodes
    counts = {
        name: sum(nodes[each] for each in types.split()) for name, types in row.features.items() if name != "nest"
    }
    concurrent = [each for each in row.features.get("async", "").split() if not each.startswith('"')]
    counts["awaits"] = sum(nodes[each] for each in concurrent if "await" in each)
    counts["concurrency"] = sum(nodes[each] for each in concurrent if "await" not in each)
    counts.pop("async", None)
    counts.pop("unsafe", None)
    counts["indices"] = sum(
        count for pair, count in nodes.items() if pair.startswith(_IN_INDEX) and ">binary_" in pair
    )
    cases = [each for each in row.features.get("branches", "").split() if _CASE.search(each)]
    counts["cases"] = sum(nodes[each] for each in cases)
    counts["branches"] = counts.get("branches", 0) - counts["cases"]
    counts["depth"] = seen.depth
    for sign, count in seen.signs.items():
        name = "conditions" if sign in _AND_OR_SIGNS else "bits"
        counts[name] = counts.get(name, 0) + count
    code = b" ".join(data[start:end] for start, end in _between(seen.prose, len(data)))
    return _present(counts, _words(code.decode("utf-8", "replace")))


def by_words(text: str, row: Language) -> Mapping[str, int]:
    """Return the counts of a text that no grammar reads."""
    if row.ids == ("plaintext",) or not row.suffixes:
        row = replace(row, line_comment="//" if "//" in text or "/*" in text else "#")
    code = _code(text, IndentationTree(text, row))
    counts = dict(IndentationTree(code, row).counts(Span(0, len(code))))
    counts.pop("async", None)
    counts["closures"] = len(_CLOSURE_WORDS.findall(code))
    counts["awaits"] = len(_AWAIT_WORDS.findall(code))
    counts["cases"] = len(_CASE_WORDS.findall(code))
    counts["branches"] = max(0, counts.get("branches", 0) - counts["cases"])
    counts["conditions"] = len(_AND_OR.findall(code))
    counts["bits"] = len(_BIT_WORDS.findall(code))
    return _present(counts, _words(code))


def _present(counts: Mapping[str, int], words: Mapping[str, int]) -> dict[str, int]:
    """Return both together, without what is not there."""
    both = Counter(counts)
    both.update(words)
    return {name: count for name, count in both.items() if count > 0}


def _words(code: str) -> dict[str, int]:
    """Return what names say, in code without strings and comments."""
    counts: Counter[str] = Counter()
    words = Counter(_WORD.findall(code))
    for word, count in words.items():
        if meaning := _meaning(word) if len(word) <= _LONGEST else "":
            counts[meaning] += count
    counts["concurrency"] += len(_WAITS.findall(code))
    return {
        **counts,
        "unsafe": words["unsafe"],
        "jumps": words["goto"],
        "yields": words["yield"],
        "recursion": _calls_itself(code),
    }


@lru_cache(4096)
def _meaning(word: str) -> str:
    """Return the count that a name belongs to, empty for none."""
    whole, parts = word.lower().replace("_", ""), {part.lower() for part in _PART.findall(word)}
    if _ATOMIC.search(whole) or parts & _ATOMIC_PARTS:
        return "atomics"
    return "concurrency" if _SHARED.search(whole) or parts & _SHARED_PARTS else ""


def _calls_itself(code: str) -> int:
    """Return how often the function that the code begins with is called in it, not of another object."""
    for line in code.split("\n", 8)[:8]:
        named = None if line.lstrip().startswith(("@", "#")) else _CALLED.search(line)
        if named is not None:
            name = named[1]
            if name in _NO_NAMES or len(name) > _LONGEST:
                return 0
            own = re.compile(rf"(?:(?<![\w.>:])|(?<=self\.)|(?<=this\.)){re.escape(name)}\s*+\(")
            return max(0, len(own.findall(code)) - 1)
    return 0


@dataclass(frozen=True, slots=True)
class _Kind:
    """What has to be known of a type of nodes."""

    name: str
    nests: bool
    is_if: bool
    is_else: bool
    is_statement: bool
    operates: bool
    is_prose: bool
    is_plain: bool


def _kind(name: str, nesting: frozenset[str], prose: frozenset[str]) -> _Kind:
    nests, is_prose = name in nesting, name in prose
    operates = name.startswith(("binary_", "boolean_op", "unary_", "augmented_", "compound_assign", "assignment_e"))
    return _Kind(
        name=name,
        nests=nests,
        is_if=name.startswith("if_"),
        is_else=name == "else_clause",
        is_statement=name == "expression_statement",
        operates=operates,
        is_prose=is_prose,
        is_plain=not (nests or operates or is_prose),
    )


def _sign(node: tree_sitter.Node) -> str:
    """Return the operator of a node if it is one that is counted, else nothing."""
    operator = node.child_by_field_name("operator")
    sign = operator.type if operator is not None else ""
    if node.type.startswith("unary_"):
        # The others with one operand take an address.
        return sign if sign in _COMPLEMENTS else ""
    return sign if sign in _BIT_SIGNS or sign in _AND_OR_SIGNS else ""


def _code(text: str, tree: IndentationTree) -> str:
    whole = Span(0, len(text))
    prose = [(each.start, each.end) for each in (*tree.strings(whole), *tree.comments(whole))]
    return " ".join(text[start:end] for start, end in _between(prose, len(text)))


def _between(parts: Iterable[tuple[int, int]], size: int) -> Iterator[tuple[int, int]]:
    """Yield what lies between parts of a text, which may overlap, in order."""
    at = 0
    for start, end in sorted(parts):
        if start > at:
            yield at, start
        at = max(at, end)
    yield at, size
