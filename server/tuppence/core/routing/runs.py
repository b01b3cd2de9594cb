"""Counts the runs of one to three characters of a text in hashed buckets.

A run's bucket is the CRC-32 of its UTF-8, cut to eleven bits. That function is linear: but for a constant, what a run
gives is what its bytes give, each by its place, put together by exclusive or. So ASCII is not hashed run by run: bytes
are translated by tables, and all runs put together at once as long whole numbers. It takes a tenth of the time.
"""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Mapping
from operator import add
from zlib import crc32

RUNS = 2048
"""Buckets; a power of two, which keeps the function linear."""


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


_LOW = 0 if sys.byteorder == "little" else 1
"""Where the low byte of a number of 16 bits stands."""
_TABLES = _tables()
_SINGLES = [crc32(bytes([byte])) % RUNS for byte in range(256)]
