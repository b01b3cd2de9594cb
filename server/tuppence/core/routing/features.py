"""What a piece of code looks like, as numbers: which short runs of characters it has, and which syntax.

Runs of one to three characters and the grammar's nodes, alone and under their parents, are counted in hashed buckets;
the roots of the counts are scaled to length one, so that long code weighs no more than short. The buckets say nothing
by themselves: core/routing/quality.py holds what they weigh. Only the code is looked at, never the prompt around it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from tuppence.core.routing.runs import RUNS, runs
from tuppence.core.syntax import grammars
from tuppence.core.syntax.indentation import Outline
from tuppence.core.syntax.languages import language as find_language
from tuppence.core.text.document import Span

if TYPE_CHECKING:
    import tree_sitter

READ = 4000
"""Characters of the code that are looked at."""
NODES = 512
"""Buckets for syntax."""
SIZE = RUNS + NODES
_RUNS_SHARE, _NODES_SHARE = math.sqrt(0.7), math.sqrt(0.3)
"""How much of the whole each part weighs; by cross-validation, and flat around these."""
_MOST_FAULTS = 8
_BITS = 16
_MASK = (1 << _BITS) - 1
"""A grammar numbers its types with so many bits."""
_DEEPEST = 400
"""Levels of nesting that are followed; no person's code has more."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a piece of code."""

    text: str
    """As much of it as is looked at."""
    nodes: Mapping[str, int]
    """Named nodes of the syntax by type, and by their parent's type, ``>`` and their own."""
    counts: Mapping[str, int]
    """What a person would count: lines, loops, how deep it nests; absent is none."""


def look(language: str, code: str) -> Look:
    """Read a piece of code once; without a grammar for the editor's name of its language, by its words."""
    text, row = code[:READ], find_language(language)
    tree = grammars.parse(row.grammar, text.encode("utf-8", "replace"), None) if row.grammar else None
    if tree is None:
        return Look(text, {}, {**Outline(text, row).counts(Span(0, len(text))), **_lines(code)})
    nodes, depth = _walk(
        tree.root_node, frozenset(f"{row.features.get('loops', '')} {row.features.get('nest', '')}".split())
    )
    counts = {
        name: sum(nodes[each] for each in types.split()) for name, types in row.features.items() if name != "nest"
    }
    # Keywords are no named nodes; this one is the only that is counted.
    counts["async"] = counts.get("async", 0) + text.count("async ")
    counts |= {"depth": depth, **_lines(code)}
    return Look(text, nodes, {name: count for name, count in counts.items() if count})


def features(seen: Look, errors: int = 0) -> Mapping[int, float]:
    """Return the buckets that are not empty, and their values.

    :param errors: diagnostics that call something in the code an error; they count like faults that the grammar found.
    """
    nodes = seen.nodes
    # What other tools call an error the grammar mostly cannot see; the larger of the two counts is taken.
    if errors > nodes.get("ERROR", 0):
        nodes = {**nodes, "ERROR": min(errors, max(_MOST_FAULTS, nodes.get("ERROR", 0)))}
    return _scaled(runs(seen.text), _RUNS_SHARE) | _scaled(_named(nodes), _NODES_SHARE)


def _lines(code: str) -> dict[str, int]:
    """Return the count of lines that are not blank: of all the code, because a person would count them all."""
    return {"lines": sum(map(bool, map(str.strip, code.split("\n"))))}


def _walk(root: tree_sitter.Node, nesting: frozenset[str]) -> tuple[Counter[str], int]:
    """Return the named nodes, and how deep those of some types lie in each other."""
    # Numbers of types, because a name is made anew each time that it is asked for.
    names = {root.kind_id: root.type}
    nests = {root.kind_id: root.type in nesting}
    # A pair is one number, parent first: numbers are nothing that Python's collector would have to go through.
    pairs: list[int] = []
    deepest = 0
    waiting = [(root, root.kind_id, 0, 0)]
    while waiting:
        node, parent, depth, nested = waiting.pop()
        for child in node.named_children:
            kind = child.kind_id
            if kind not in names:
                names[kind] = child.type
                nests[kind] = names[kind] in nesting
            pairs.append(parent << _BITS | kind)
            inner = nested
            # An "else if" is no level of its own.
            if nests[kind] and kind != parent:
                inner += 1
                deepest = max(deepest, inner)
            if depth < _DEEPEST and child.named_child_count:
                waiting.append((child, kind, depth + 1, inner))
    found: Counter[str] = Counter()
    for pair, count in Counter(pairs).items():
        parent_name, name = names[pair >> _BITS], names[pair & _MASK]
        found[name] += count
        found[f"{parent_name}>{name}"] += count
    return found, deepest


def _named(counts: Mapping[str, int]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for name, count in counts.items():
        bucket = _node_bucket(name)
        sums[bucket] = sums.get(bucket, 0) + count
    return sums


@lru_cache(4096)
def _node_bucket(name: str) -> int:
    return RUNS + crc32(name.encode()) % NODES


def _scaled(sums: Mapping[int, int], length: float) -> dict[int, float]:
    # The length of the vector of roots is the root of the sum.
    scale = length / math.sqrt(sum(sums.values()) or 1)
    return dict(zip(sums, map(scale.__mul__, map(math.sqrt, sums.values())), strict=True))
