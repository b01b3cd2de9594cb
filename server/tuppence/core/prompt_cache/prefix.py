"""The part of a prompt that requests share, as a chain: a digest of everything up to the end of each block.

Two prompts share a provider's cache as far as their chains agree. Neither a digest nor a block's name quotes the text,
so chains may be stored.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from tuppence.core.models.usage import estimate_length
from tuppence.core.prompt.compose import Prompt


@dataclass(frozen=True, slots=True)
class Link:
    """The end of one block."""

    digest: str
    """Of the prompt from its start to here."""
    tokens: int
    """About how many tokens that is."""
    name: str
    """The name of the block for the user: the line of the file at which it begins, never the content of the line."""


def chain(prompt: Prompt) -> tuple[Link, ...]:
    """Return a link for the system text and each shared block; those of the last prompts are remembered."""
    return _links(prompt.system, prompt.shared, prompt.file_at)


@lru_cache(maxsize=8)
def _links(system: str, shared_blocks: tuple[str, ...], file_at: int) -> tuple[Link, ...]:
    digest = hashlib.sha256()
    links: list[Link] = []
    characters = line = 0
    for index, block in enumerate((system, *shared_blocks)):
        content = block.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(content))  # The length keeps blocks apart that join to the same text.
        digest.update(content)
        characters += len(block)
        links.append(Link(digest.hexdigest()[:20], estimate_length(characters), _name(file_at, index, line)))
        if index >= file_at:
            # The first block of the file begins with two lines of ours and a fence.
            line += block.count("\n") - (3 if index == file_at else 0)
    return tuple(links)


def shared(links: tuple[Link, ...], others: tuple[Link, ...]) -> int:
    """Return how many blocks from the start two chains have in common."""
    for at, (one, other) in enumerate(zip(links, others, strict=False)):
        if one.digest != other.digest:
            return at
    return min(len(links), len(others))


def _name(file_at: int, index: int, line: int) -> str:
    if index == 0:
        return "the instructions"
    if index < file_at:
        return "the project's conventions"
    if index == file_at:
        return "the file from its first line"
    return f"the file from line {line + 1}"
