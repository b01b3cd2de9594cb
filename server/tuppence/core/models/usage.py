"""Token counts in disjoint buckets, and estimates of them.

Each wire normalizes its provider's counts into these buckets: Anthropic's input excludes cached tokens, OpenAI's
includes them. An unknown count is None, never zero.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

PACE = 3.4
"""The assumed code points per token before any count is known; code has 3 to 4."""
_BRIEF = 4_000
"""The longest part, in code points, whose count is cached with its text."""
_MARGIN = 64
"""Tokens that a provider puts around the messages."""
_REFERENCE = 4.1
"""Code points of source code per token of o200k."""
_UNCOUNTED = 3.1
"""The assumed code points per token for an uncounted model: tokenizers since Claude 4.7's make up to a third more
tokens of code."""
_PIECE = re.compile(r"[A-Z]?[a-z]{1,4}|[A-Z]{1,4}|[0-9]|\n+|\t+| {2,}|[^\w\s]|_", re.ASCII)
_BLOB = re.compile(r"[A-Za-z0-9+/=]{32,}")
"""Text without words: digests and encoded data, in which every character may be a token."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The tokens of one request, each counted in exactly one bucket."""

    fresh: int = 0
    """Prompt tokens that were neither read from nor written to a cache."""
    cache_read: int | None = None
    """Prompt tokens read from the provider's cache; None where the provider does not say."""
    cache_write: int = 0
    """Prompt tokens written to the provider's cache at its shortest time to live (five minutes at Anthropic)."""
    cache_write_1h: int = 0
    """Prompt tokens written for an hour or longer."""
    output: int = 0
    """Answer tokens, without thinking where the provider tells the two apart."""
    thinking: int = 0
    """Reasoning tokens, where the provider counts them separately."""

    @property
    def prompt(self) -> int:
        """All prompt tokens."""
        return self.fresh + (self.cache_read or 0) + self.cache_write + self.cache_write_1h


@dataclass(frozen=True, slots=True)
class Tokens:
    """The usual size of a request."""

    input: int
    """Of the whole prompt."""
    output: int
    """Of the answer that is shown."""
    thinking: int = 0
    """Spent before the answer, and billed as output."""
    start: float = 0.0
    """Of the answer and the thinking together, whatever the length of the code."""
    per_token: float = 0.0
    """What each token of the code adds to them. Where this and ``start`` are 0, the length of the code says nothing."""

    def for_code(self, target: int) -> Tokens:
        """Return the size of a request about code of so many tokens."""
        usual, expected = self.output + self.thinking, self.start + self.per_token * target
        if not usual or not expected:
            return self
        factor = expected / usual
        output, thinking = max(1, round(self.output * factor)), round(self.thinking * factor)
        return Tokens(self.input, output, thinking, self.start, self.per_token)


def split(prompt: int, read: int, written: Usage = Usage(), *, output: int = 0, thinking: int = 0) -> Usage:
    """Divide prompt tokens among the buckets in which a provider will probably count them.

    :param read: the tokens that it will probably read from its cache.
    :param written: the tokens that it will probably write to its cache, in the buckets of its times to live.
    :param output: the answer's tokens, and ``thinking`` those before it; they are taken as they are.
    """
    read = min(read, prompt)
    short = min(written.cache_write, prompt - read)
    long = min(written.cache_write_1h, prompt - read - short)
    return Usage(prompt - read - short - long, read or None, short, long, output, thinking)


def estimate(text: str, characters_per_token: float = PACE) -> int:
    """Return about how many tokens a text is, rounded up; code runs at 3 to 4 characters a token."""
    return estimate_length(len(text), characters_per_token)


def estimate_length(characters: int, characters_per_token: float = PACE) -> int:
    """Return the approximate number of tokens of a text with this many code points, rounded up."""
    return -int(-characters // characters_per_token)


@dataclass(frozen=True, slots=True)
class TokenMeasure:
    """The measurements of a text from which its maximum number of tokens is computed for any model."""

    parts: tuple[str, ...]
    """The text, in parts."""
    pieces: int
    """The number of pieces that no tokenizer splits further in code."""
    whole: int
    """The number of bytes: every token has at least one."""

    def at_most(self, characters_per_token: float | None = None) -> int:
        """Return an upper bound for the tokens of the text.

        :param characters_per_token: the measured value for the model; None if it was never measured.
        """
        dense = math.ceil(self.pieces * max(_REFERENCE / (characters_per_token or _UNCOUNTED), 1.0))
        return min(self.whole, max(dense, estimate_length(sum(map(len, self.parts))))) + _MARGIN


def at_most(text: str | Sequence[str], characters_per_token: float | None = None) -> int:
    """Return an upper bound for the tokens of a prompt; see ``measure``.

    :param characters_per_token: the measured value for the model; None if it was never measured.
    """
    return measure(text).at_most(characters_per_token)


def measure(text: str | Sequence[str]) -> TokenMeasure:
    """Measure a text. If it is given in parts, the count of each part is cached.

    A token is assumed to have no more than four letters of one word, one digit, one sign or one run of blanks.
    Tokenizers put more than that into a token of any code; only the densest text reaches the limit. This was compared
    with o200k and cl100k, which have ``_REFERENCE`` code points per token; for a model with shorter tokens the bound
    grows in proportion.
    """
    parts = (text,) if isinstance(text, str) else tuple(text)
    whole = sum(len(part.encode("utf-8", "replace")) for part in parts)
    pieces = sum(_counted(part) if len(part) <= _BRIEF else _counted_long(part) for part in _apart(parts))
    return TokenMeasure(parts, pieces, whole)


def _apart(parts: tuple[str, ...]) -> Iterator[str]:
    """Yield parts of a text that have together as many pieces as the text: joined where a piece could be cut."""
    held = ""
    for part in parts:
        # Of other characters a piece may go on behind them, since they are counted apart.
        if held.endswith("\n") and part and part[0] != "\n" and part[0].isascii():
            yield held
            held = ""
        held += part
    yield held


@lru_cache(maxsize=512)
def _counted(text: str) -> int:
    return _pieces(text)


@lru_cache(maxsize=8)
def _counted_long(text: str) -> int:
    return _pieces(text)


def _pieces(text: str) -> int:
    plain = text if text.isascii() else text.encode("ascii", "ignore").decode("ascii")
    foreign = 0 if plain is text else len(text.encode("utf-8", "replace")) - len(plain)
    blobs = sum(map(len, _BLOB.findall(plain)))
    return len(_PIECE.findall(_BLOB.sub("", plain) if blobs else plain)) + blobs + foreign


def merge(first: Usage, second: Usage) -> Usage:
    """Return the bucket-wise sum; an unknown cache read stays unknown only while both are unknown."""
    read = None
    if first.cache_read is not None or second.cache_read is not None:
        read = (first.cache_read or 0) + (second.cache_read or 0)
    return replace(
        first,
        fresh=first.fresh + second.fresh,
        cache_read=read,
        cache_write=first.cache_write + second.cache_write,
        cache_write_1h=first.cache_write_1h + second.cache_write_1h,
        output=first.output + second.output,
        thinking=first.thinking + second.thinking,
    )
