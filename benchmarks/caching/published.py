"""Prompt caches played by their providers' published rules, so that a session's cost can be known without a provider.

Each takes a request's body and the time, and says what was read, written and neither, in tokens of 3.4 characters. What
the rules leave open is played to our disadvantage: a digest covers how the text is cut into blocks, a mark inside
of what was read keeps nothing new, DeepSeek caches nothing at the end of a message but the last.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from tuppence.core.models.usage import Usage

CHARACTERS = 3.4
"""Of a token."""
Marks = Literal["beyond", "all"]
_UNITS = {"m": 60, "h": 3600}


@dataclass(frozen=True)
class Block:
    """One piece of a prompt."""

    text: str
    mark: str = ""
    """The time to live that a mark after it asks for; empty where there is none."""


def blocks(body: Any) -> tuple[Block, ...]:
    """Return a request's pieces in order, on either wire."""
    holders = [body.get("system", ""), *(message["content"] for message in body["messages"])]
    return tuple(
        Block(each, "") if isinstance(each, str) else Block(each["text"], _mark(each))
        for holder in holders
        for each in ([holder] if isinstance(holder, str) else holder)
        if each
    )


def tokens(characters: int) -> int:
    """Return about how many tokens so many characters are."""
    return int(characters / CHARACTERS)


def size(pieces: tuple[Block, ...]) -> int:
    """Return about how many tokens pieces are together."""
    return tokens(sum(len(piece.text) for piece in pieces))


class Published(ABC):
    """One provider's prompt cache."""

    @abstractmethod
    def take(self, pieces: tuple[Block, ...], now: datetime) -> Usage:
        """Take a request: return what of it is read, written and neither."""


class Never(Published):
    """No cache at all."""

    def take(self, pieces: tuple[Block, ...], now: datetime) -> Usage:
        """Take a request."""
        del now
        return Usage(fresh=size(pieces), cache_read=0)


class Marked(Published):
    """Anthropic's, Qwen's explicit one, and OpenAI's since GPT-5.6: written and found at marks alone."""

    def __init__(self, minimum: int, *, lookback: int, life: str = "5m", marks: Marks = "beyond") -> None:
        """Keep nothing under ``minimum`` tokens; find entries up to ``lookback`` blocks before a mark.

        :param marks: whether a mark inside of what was read keeps an entry too ("all"). "Each mark writes an entry"
            says the one; that only what is written is billed leaves room for the other.
        """
        self._all = marks == "all"
        self.minimum = minimum
        self._lookback = lookback
        self._life = life
        self._until: dict[tuple[str, ...], datetime] = {}

    def take(self, pieces: tuple[Block, ...], now: datetime) -> Usage:
        """Take a request."""
        texts = tuple(piece.text for piece in pieces)
        marks = [at for at, piece in enumerate(pieces, 1) if piece.mark and size(pieces[:at]) >= self.minimum]
        near = {at for mark in marks for at in range(max(mark - self._lookback + 1, 1), mark + 1)}
        hit = max((at for at in near if self._until.get(texts[:at], now) > now), default=0)
        for at in (*marks, *([hit] if hit else [])):
            if self._all or at > hit or self._until.get(texts[:at], now) > now:
                self._until[texts[:at]] = now + self._kept(pieces[at - 1].mark, texts[:at], now)
        read = size(pieces[:hit])
        last = max(marks, default=0)
        written = size(pieces[:last]) - read if last > hit else 0
        longer = any(len(pieces[at - 1].mark) > 1 and pieces[at - 1].mark != self._life for at in marks)
        fresh = size(pieces) - read - written
        if longer:
            return Usage(fresh=fresh, cache_read=read, cache_write_1h=written)
        return Usage(fresh=fresh, cache_read=read, cache_write=written)

    def ever(self, pieces: tuple[Block, ...]) -> int:
        """Return how many blocks the longest entry has that was ever written, alive or not."""
        texts = tuple(piece.text for piece in pieces)
        return max((at for at in range(1, len(texts) + 1) if texts[:at] in self._until), default=0)

    def _kept(self, mark: str, texts: tuple[str, ...], now: datetime) -> timedelta:
        """Return for how long an entry is kept from now on: what was asked for, and never less than is left."""
        asked = _seconds(mark if len(mark) > 1 else self._life)
        return max(asked, self._until.get(texts, now) - now)


class Automatic(Published):
    """OpenAI's up to GPT-5.5: the longest prefix that any living request had, in steps, and writing is free."""

    def __init__(self, minimum: int, step: int, life: timedelta) -> None:
        self._minimum = minimum
        self._step = step
        self._life = life
        self._seen: list[tuple[str, datetime]] = []

    def take(self, pieces: tuple[Block, ...], now: datetime) -> Usage:
        """Take a request."""
        text = "".join(piece.text for piece in pieces)
        common = max((_common(text, other) for other, at in self._seen if now - at <= self._life), default=0)
        self._seen.append((text, now))
        read = tokens(common) // self._step * self._step
        read = read if read >= self._minimum else 0
        return Usage(fresh=size(pieces) - read, cache_read=read)


class Detected(Published):
    """DeepSeek's: whole units at the end of the input, and at what two requests were found to have in common."""

    def __init__(self) -> None:
        self._seen: list[str] = []
        self._units: set[str] = set()

    def take(self, pieces: tuple[Block, ...], now: datetime) -> Usage:
        """Take a request; what it has in common with an earlier one can be read by the next."""
        del now
        text = "".join(piece.text for piece in pieces)
        read = tokens(max((len(unit) for unit in self._units if text.startswith(unit)), default=0))
        common = max((_common(text, other) for other in self._seen), default=0)
        self._units |= {text, *([text[:common]] if common else [])}
        self._seen.append(text)
        return Usage(fresh=size(pieces) - read, cache_read=read)


class Ideal(Published):
    """A prefix cache without any limit: each character that an earlier request began with as well is read."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    def take(self, pieces: tuple[Block, ...], now: datetime) -> Usage:
        """Take a request."""
        del now
        read = tokens(self.common(pieces))
        self._seen.append("".join(piece.text for piece in pieces))
        return Usage(fresh=size(pieces) - read, cache_read=read)

    def common(self, pieces: tuple[Block, ...]) -> int:
        """Return how many characters an earlier request began with as well."""
        text = "".join(piece.text for piece in pieces)
        return max((_common(text, other) for other in self._seen), default=0)


def at_the_end(pieces: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return a request as automatic caching marks it: after its last block and nowhere else."""
    return (*(Block(piece.text) for piece in pieces[:-1]), Block(pieces[-1].text, "+"))


def in_one(pieces: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return a request whose shared part is one block with one mark after it."""
    return (Block("".join(piece.text for piece in pieces[:-1]), "+"), Block(pieces[-1].text))


def _mark(piece: Any) -> str:
    if "prompt_cache_breakpoint" in piece:
        return "+"
    return str(piece["cache_control"].get("ttl", "+")) if "cache_control" in piece else ""


def _seconds(life: str) -> timedelta:
    return timedelta(seconds=int(life[:-1]) * _UNITS[life[-1]])


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
