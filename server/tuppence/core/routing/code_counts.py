"""What a person would count in a piece of code: lines, branches, loops, nesting, awaits, atomics, unsafe blocks.

Where a grammar reads the language, what has a place in the syntax is counted by its nodes; elsewhere by keywords and
indentation. What has none, such as locks, is counted by the parts of names, strings and comments left out. Every pass
is linear in the text and asks no query.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from tuppence.core.syntax.indentation import IndentationTree
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.node_counts import NodeCounts, summed
from tuppence.core.text.document import Span

_LONGEST = 80
"""Characters of a name above which its parts are not looked at."""
_WORD = re.compile(r"[^\W\d]\w*+")
_PART = re.compile(r"[A-Z]++(?![a-z])|[A-Z]?[a-z]++")
_ATOMIC = re.compile(
    r"memory(?:order|barrier)|seqcst|compareand(?:set|swap)|compareexchange|(?:fetch|getand)(?:add|sub|or|and|xor|set)$"
)
"""In a name in lower case without ``_``: memory that several threads read and write without a lock."""
_ATOMIC_PARTS = frozenset({"atomic", "atomics", "volatile", "fence", "interlocked"})
_SHARED = re.compile(r"notify(?:all|one)$|waitgroup|completablefuture")
"""In a name in lower case without ``_``: what makes work wait for other work."""
_SHARED_PARTS = frozenset({
    "asyncio", "chan", "concurrent", "coroutine", "goroutine", "lock", "locked", "mutex", "promise", "promises",
    "rlock", "runlock", "semaphore", "spawn", "synchronized", "thread", "threading", "threads", "unlock",
})  # fmt: skip
_WEAK = frozenset({"lock", "locked", "thread", "threads", "promise", "promises", "spawn"})
"""Those of them that mean other things too: alone, without a capital letter, they count where they are called."""
_WAITS = re.compile(r"[._]?[wW]ait\w{0,20}+\s*+\(")
_CASE = re.compile(r"case|arm|switch_")
"""In a type of nodes: one of several cases of one value, of which a person reads one at a time."""
_CASE_WORDS = re.compile(r"\b(?:case|when)\b")
_CLOSURE_WORDS = re.compile(r"=>|\blambda\b|\bfunction\s*+\(|\bfn\b[^\n(]{0,40}?->|\{[\w\s,]{1,60}->")
_AWAIT_WORDS = re.compile(r"\bawait\b")
_AND_OR = re.compile(r"&&|\|\||\?\?|\b(?:and|or)\b")
_BIT_WORDS = re.compile(r"(?<=[\w)\]])( ?)(?:[&^]|>>>?|<<(?= ?\d))\1(?=[\w(~])|(?<=\b1 )<<|[&^|]=|<<=|>>=")
_CALL = re.compile(r"\b([^\W\d]\w*+)\s*+\(")
_CALLED = re.compile(r"\b([^\W\d]\w*+)(?:<[^<>()\n]{0,60}+>)?\(")
_NO_NAMES = frozenset({
    "if", "for", "while", "switch", "match", "return", "func", "fn", "function", "catch", "constructor",
})  # fmt: skip
_TYPE = re.compile(r"\b(?:class|struct|interface|trait|impl|enum|record|object)\b")
_OTHERWISE = frozenset({"nest", "async", "unsafe", "jumps"})
"""Features of a language's row that are counted in another way: in parts, or by words."""
_IN_INDEX = ("subscript", "index_expression", "array_access", "slice")
"""How the types of nodes begin whose named children are the place in a sequence."""


def by_syntax(seen: NodeCounts, data: bytes, row: Language) -> Mapping[str, int]:
    """Return the counts of a text whose nodes were counted; absent is none.

    :param data: the text in UTF-8.
    """
    features = {name: types for name, types in row.features.items() if name not in _OTHERWISE}
    counts = {name: summed(seen.nodes, types) for name, types in features.items()}
    cases = " ".join(each for each in features.get("branches", "").split() if _CASE.search(each))
    concurrent = [each for each in row.features.get("async", "").split() if not each.startswith('"')]
    counts |= {
        "cases": summed(seen.nodes, cases),
        "branches": counts.get("branches", 0) - summed(seen.nodes, cases),
        "awaits": summed(seen.nodes, " ".join(each for each in concurrent if "await" in each)),
        "concurrency": summed(seen.nodes, " ".join(each for each in concurrent if "await" not in each)),
        "indices": sum(
            count for pair, count in seen.nodes.items() if pair.startswith(_IN_INDEX) and ">binary_" in pair
        ),
        "depth": seen.depth,
        "bits": seen.bits,
        "conditions": seen.conditions,
    }
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
    called: Mapping[str, int] = {} if _WEAK.isdisjoint(words) else Counter(_CALL.findall(code))
    for word, count in words.items():
        if meaning := _meaning(word) if len(word) <= _LONGEST else "":
            counts[meaning] += called.get(word, 0) if word in _WEAK else count
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
        named = None if line.lstrip().startswith(("@", "#")) or _TYPE.search(line) else _CALLED.search(line)
        if named is not None:
            name = named[1]
            if name in _NO_NAMES or len(name) > _LONGEST:
                return 0
            places = (found.start() for found in re.finditer(rf"{re.escape(name)}\s*+\(", code))
            return max(0, sum(_is_own(code, place) for place in places) - 1)
    return 0


def _is_own(code: str, place: int) -> bool:
    """Report whether the name at a place is whole, and of no other object."""
    before = code[max(0, place - len("self.")) : place]
    return before.endswith(("self.", "this.")) or not (
        before and (before[-1] in ".>:" or before[-1].isalnum() or before[-1] == "_")
    )


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
