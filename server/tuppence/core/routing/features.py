"""What a piece of code looks like, as numbers: its short character n-grams and its syntax nodes.

N-grams of one to three characters and the grammar's nodes, alone and under their parents, are counted in hashed
buckets; the square roots of the counts are scaled to length one, so that long code weighs no more than short. What the
buckets weigh is fitted (:mod:`tuppence.core.routing.quality`). Only the code is read, never the prompt around it.

An n-gram's bucket is the CRC-32 of its UTF-8, cut to eleven bits. CRC-32 is linear over XOR, up to a constant, so the
bucket of an n-gram is the XOR of what each of its bytes gives in its place. ASCII text is therefore not hashed n-gram
by n-gram: bytes are translated by tables and combined for all n-grams at once, as long integers, in a tenth of the
time.
"""

from __future__ import annotations

import math
import sys
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import add
from zlib import crc32

from tuppence.core.routing import code_counts
from tuppence.core.routing.language_guess import GIVEN_AS_UNKNOWN, guess
from tuppence.core.syntax import grammars, open_marks
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.languages import language as find_language
from tuppence.core.syntax.node_counts import count_nodes
from tuppence.core.syntax.parser import parse_budget

RUNS = 2048
"""Buckets; a power of two, which keeps the function linear."""
_LOW = 0 if sys.byteorder == "little" else 1
"""Where the low byte of a number of 16 bits stands."""
_SINGLES = [crc32(bytes([byte])) % RUNS for byte in range(256)]

READ = 4000
"""Characters of the code that features are made of."""
COUNTED = 20_000
"""Characters of the code in which a person's counts are taken."""
NODES = 512
"""Buckets for syntax."""
SIZE = RUNS + NODES
_RUNS_SHARE, _NODES_SHARE = math.sqrt(0.7), math.sqrt(0.3)
"""How much of the whole each part weighs; by cross-validation, and flat around these."""
_MOST_FAULTS = 8


@dataclass(frozen=True, slots=True)
class CodeProfile:
    """What was seen of a piece of code."""

    text: str
    """As much of it as features are made of."""
    nodes: Mapping[str, int]
    """Named nodes of the syntax by type, and by their parent's type, ``>`` and their own."""
    counts: Mapping[str, int]
    """What a person would count: lines, loops, how deep it nests (core/routing/code_counts.py); absent is none."""
    is_cut: bool = False
    """Whether it is longer or deeper than was counted; ``lines`` are always all of them."""


def profile(language: str, code: str) -> CodeProfile:
    """Read a piece of code once; without a grammar for the editor's name of its language, by its words.

    Where the language is not given, it is guessed.
    """
    name = guess(code) if language.lower() in GIVEN_AS_UNKNOWN else language
    seen = _beginning(name, code[:COUNTED])
    return replace(seen, counts={**seen.counts, **_lines(code)}, is_cut=seen.is_cut or len(code) > COUNTED)


@lru_cache(8)
def _beginning(language: str, code: str) -> CodeProfile:
    """Read the beginning of a piece of code; a menu, a hover and a request mostly ask about one piece in turn."""
    text, row = code[:READ], find_language(language)
    nodes, counts, is_cut = _read(text, row)
    if len(code) > READ:
        _, counts, is_cut = _read(code, row)
    return CodeProfile(text, nodes, counts, is_cut=is_cut)


def _read(text: str, row: Language) -> tuple[Mapping[str, int], Mapping[str, int], bool]:
    """Return a text's nodes, none without a grammar, its counts, and whether it is deeper than was followed."""
    data = text.encode("utf-8", "replace")
    grammar = None if open_marks.too_many(text, row) else row.grammar
    tree = grammars.parse(grammar, data, None, parse_budget(len(data))) if grammar else None
    if tree is None:
        return {}, code_counts.by_words(text, row), False
    seen = count_nodes(tree.root_node, row)
    return seen.nodes, code_counts.by_syntax(seen, data, row), seen.is_cut


def features(seen: CodeProfile, errors: int = 0) -> Mapping[int, float]:
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


def runs(text: str) -> Mapping[int, int]:
    """Return how many runs fell into each bucket that is not empty: in the order of singles, pairs, threes."""
    return _of_ascii(text.encode()) if text.isascii() else _of_any(text)


def _of_any(text: str) -> Counter[int]:
    """Return the same for a text of any characters, each run hashed by itself."""
    twos = list(map(add, text, text[1:]))
    found: Counter[int] = Counter()
    for run, count in Counter([*text, *twos, *map(add, twos, text[2:])]).items():
        found[crc32(run.encode("utf-8", "replace")) % RUNS] += count
    return found


def _of_ascii(raw: bytes) -> Counter[int]:
    # Bytes are counted faster than numbers of 16 bits, so single characters are looked up after they are counted.
    found = Counter[int]()
    for byte, count in Counter(raw).items():
        found[_SINGLES[byte]] += count
    halves = []
    for last, one_before, first in _TABLES:
        ones = raw.translate(last)
        twos = _xor(raw[:-1].translate(one_before), ones[1:])
        halves.append(twos + _xor(raw[:-2].translate(first), twos[1:]))
    both = bytearray(2 * len(halves[0]))
    both[_LOW::2], both[1 - _LOW :: 2] = halves
    found.update(array("H", bytes(both)))
    return found


def _xor(one: bytes, two: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(two, "big")).to_bytes(len(one), "big")


def _tables() -> list[list[bytes]]:
    """Return the tables of a run's last byte, the one before and the first, for the low and the high byte of a bucket.

    The others are told beside a byte of zero, so that what is shorter is a part of what is longer.
    """
    whole = [
        [(crc32(bytes([byte, *behind])) ^ (crc32(bytes(behind)) if behind else 0)) % RUNS for byte in range(256)]
        for behind in ([], [0], [0, 0])
    ]
    return [[bytes(each >> shift & 0xFF for each in table) for table in whole] for shift in (0, 8)]


_TABLES = _tables()
