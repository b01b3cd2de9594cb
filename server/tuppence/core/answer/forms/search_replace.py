"""SEARCH/REPLACE blocks: some models answer with them although they were asked for something else.

A block is an opening line (``<<<<<<< SEARCH``, also ``ORIGINAL``; or ``------- SEARCH``), the lines to find, a divider
(``=======``), the lines that replace them, and a closing line (``>>>>>>> REPLACE``, also ``UPDATED``; or ``+++++++
REPLACE``). A mark has five to nine characters. File names and fences around blocks are skipped; line numbers before the
lines to find (``:start_line:12``) are ignored.

A block is applied only if its lines occur exactly once in the original (core/answer/forms/matching.py defines a match).
Replacement lines are moved by the indentation of the match. Lines common to both sides stay as the original has them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Literal

from tuppence.core.answer.forms.matching import LineBlockPlace, LineChange, TextLines
from tuppence.core.answer.reindent import leading
from tuppence.core.text.diff import differences
from tuppence.core.text.lines import split

_OPENING = re.compile(r"(<{5,9}|-{5,9}) ?(?:SEARCH|ORIGINAL) ?>?", re.IGNORECASE)
_DIVIDER = re.compile(r"={5,9}")
_CLOSING = re.compile(r"(>{5,9}|\+{5,9}) ?(?:REPLACE|UPDATED)", re.IGNORECASE)
_NUMBER = re.compile(r":(?:start|end)_line: ?\d+")
_RULE = re.compile(r"-{5,9}")
_FENCE = re.compile(r"`{3,}[^`]*|~{3,}.*")
_FILE_NAME = re.compile(r"[*#`/\s]{0,8}[\w@.~][\w@./\\+ -]{0,200}\.\w{1,12}[`*:\s]{0,8}")
_PREAMBLE = 6
"""Maximum number of filled lines before the first block that may introduce it, such as a file name."""
_Mark = Literal["opening", "divider", "closing"]


class MalformedBlocks(ValueError):
    """Blocks that can't be read, or can't be applied with certainty; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class SearchReplaceBlock:
    """One edit: the lines to find, and the lines that replace them."""

    search: tuple[str, ...]
    """Lines without endings; empty to write a new file."""
    replace: tuple[str, ...]
    """Lines without endings; empty to delete the lines found."""


def looks_like_search_replace(text: str, original: str = "") -> bool:
    """Report whether a reply, a fence, or the beginning of either contains the opening line of a block.

    An opening line inside an open triple-quoted string of the text does not count.

    :param original: the whole document. If it contains an opening line itself, the result is False, because one in the
        reply may be code.
    """
    if not _has_opening(text) or _has_opening(original):
        return False
    above = "\n".join(takewhile(lambda line: _mark(line) != "opening", (line for line, _ in split(text))))
    return not (above.count('"""') % 2 or above.count("'''") % 2)


def may_become_search_replace(text: str) -> bool:
    """Report whether the beginning of a fence holds only what can precede a block: blank lines, a file name, a fence.

    If so, a caller that streams must wait for another line. An incomplete opening line counts too.
    """
    lines = [line.strip() for line, _ in split(text)]
    filled = [line for line in lines if line]
    if len(filled) > _PREAMBLE:
        return False
    opens = ("<" * 5, "-" * 5)
    return all(_FENCE.fullmatch(line) or _FILE_NAME.fullmatch(line) or line.startswith(opens) for line in filled)


def read_blocks(text: str) -> tuple[SearchReplaceBlock, ...]:
    """Return the blocks of a reply or of a fence, in order; text between them is skipped.

    :raises MalformedBlocks: there is no block, or the marks of one do not pair up.
    """
    blocks: list[SearchReplaceBlock] = []
    body: list[str] | None = None
    opening = ""
    for line, _ in split(text):
        mark = _mark(line)
        if body is None:
            if mark == "closing":
                raise MalformedBlocks(f"Edit {len(blocks) + 1} of the answer ends without a beginning.")
            body, opening = ([], line) if mark == "opening" else (None, "")
        elif mark in ("opening", "closing") and leading(line) == leading(opening):
            if mark == "opening":
                raise MalformedBlocks(f"Edit {len(blocks) + 1} of the answer has no end before the next one begins.")
            blocks.append(_block(body, opening, len(blocks) + 1))
            body = None
        else:
            body.append(line)
    if body is not None:
        raise MalformedBlocks(f"The answer breaks off in its edit {len(blocks) + 1}.")
    if not blocks:
        raise MalformedBlocks("The answer holds no complete edit.")
    return tuple(blocks)


def apply_blocks(original: str, blocks: Sequence[SearchReplaceBlock], newline: str = "") -> str:
    """Return the original text after applying the blocks.

    :param newline: the ending of new lines; if empty, the ending of the original's first line.
    :raises MalformedBlocks: the lines of a block are not found or found more than once, or two blocks overlap.
    """
    if not original and len(blocks) == 1 and not any(line.strip() for line in blocks[0].search):
        return (newline or "\n").join(blocks[0].replace)
    text = TextLines(original)
    placed: list[tuple[LineBlockPlace, int, list[LineChange]]] = []
    for number, block in enumerate(blocks, 1):
        place, chosen = _place(text, block, number, len(blocks))
        placed.append((place, number, _changes(place, chosen, number)))
    placed.sort(key=lambda each: (each[0].first, each[1]))
    for (one, first, _), (other, second, _) in pairwise(placed):
        if other.first < one.last:
            raise MalformedBlocks(f"Edits {first} and {second} of the answer change the same lines.")
    result = text.changed([change for _, _, changes in placed for change in changes], newline)
    if result is None:
        raise MalformedBlocks("The answer's edits would make one line ending of two.")
    return result


def _mark(line: str) -> _Mark | None:
    line = " ".join(line.split()) if len(line) < len("x") * 200 else ""
    if _OPENING.fullmatch(line):
        return "opening"
    if _DIVIDER.fullmatch(line):
        return "divider"
    return "closing" if _CLOSING.fullmatch(line) else None


def _has_opening(text: str) -> bool:
    return any(_mark(line) == "opening" for line, _ in split(text))


def _block(body: list[str], opening: str, number: int) -> SearchReplaceBlock:
    dividers = [at for at, line in enumerate(body) if _mark(line) == "divider" and leading(line) == leading(opening)]
    if len(dividers) > 1:
        # A heading's underline rarely has the length of the marks: the divider is the line with the opening's length.
        mark = re.match(r"\s*([<-]+)", opening)
        assert mark is not None
        dividers = [at for at in dividers if len(body[at].strip()) == len(mark[1])]
    if len(dividers) != 1:
        said = "is not divided into two sides" if not dividers else "can be divided in more than one place"
        raise MalformedBlocks(f"Edit {number} of the answer {said}.")
    indent = leading(opening)
    search, replace = body[: dividers[0]], body[dividers[0] + 1 :]
    if search and _NUMBER.fullmatch(search[0].strip()):
        search = _without_numbers(search)
    return SearchReplaceBlock(_outdented(search, indent), _outdented(replace, indent))


def _without_numbers(search: list[str]) -> list[str]:
    """Return the lines to find without the line numbers above them and the rule below those."""
    at = 0
    while at < len(search) and _NUMBER.fullmatch(search[at].strip()):
        at += 1
    return search[at + 1 :] if at < len(search) and _RULE.fullmatch(search[at].strip()) else search[at:]


def _outdented(lines: Sequence[str], indent: str) -> tuple[str, ...]:
    """Return the lines without the indentation of their marks, if each filled line has it."""
    if not all(line.startswith(indent) for line in lines if line.strip()):
        return tuple(lines)
    return tuple(line.removeprefix(indent) for line in lines)


def _place(
    text: TextLines, block: SearchReplaceBlock, number: int, count: int
) -> tuple[LineBlockPlace, SearchReplaceBlock]:
    """Return the place of a block, and the variant of the block that matched there."""
    name = f"Edit {number} of the answer" if count > 1 else "The answer's edit"
    if not any(line.strip() for line in block.search):
        raise MalformedBlocks(f"{name} says nothing of the lines that it replaces.")
    fenced = any(_FENCE.fullmatch(line.strip()) for line, _ in text.ended)
    for form in (block, _unfenced(block), _trimmed(block)):
        found = text.find(form.search)
        if len(found) > 1:
            raise MalformedBlocks(f"{name} seeks lines that are in the code {len(found)} times.")
        if found and _inside(form.replace) is not None and not fenced and _inside(form.search) is None:
            raise MalformedBlocks(f"{name} has a code fence on one of its sides only.")
        if found:
            return found[0], form
    raise MalformedBlocks(f"{name} seeks lines that are not in the code.")


def _unfenced(block: SearchReplaceBlock) -> SearchReplaceBlock:
    """Return the block without a code fence around both of its sides; one side may be empty."""
    search, replace = _inside(block.search), _inside(block.replace)
    if search is None or (replace is None and any(line.strip() for line in block.replace)):
        return block
    return SearchReplaceBlock(search, replace or ())


def _inside(side: Sequence[str]) -> tuple[str, ...] | None:
    filled = [at for at, line in enumerate(side) if line.strip()]
    if len(filled) < len(("opening", "closing")):
        return None
    opening, closing = side[filled[0]].strip(), side[filled[-1]].strip()
    if not _FENCE.fullmatch(opening) or len(set(closing)) != 1 or not opening.startswith(closing):
        return None
    return tuple(side[filled[0] + 1 : filled[-1]])


def _trimmed(block: SearchReplaceBlock) -> SearchReplaceBlock:
    """Return the block without blank lines that both sides begin or end with."""
    search, replace = list(block.search), list(block.replace)
    while search and replace and not search[0].strip() and not replace[0].strip():
        del search[0], replace[0]
    while search and replace and not search[-1].strip() and not replace[-1].strip():
        del search[-1], replace[-1]
    return SearchReplaceBlock(tuple(search), tuple(replace))


def _changes(place: LineBlockPlace, block: SearchReplaceBlock, number: int) -> list[LineChange]:
    changes: list[LineChange] = []
    for first, last, low, high in differences(block.search, block.replace):
        lines = place.move(block.replace[low:high])
        if lines is None:
            raise MalformedBlocks(f"The two sides of edit {number} of the answer are not indented alike.")
        changes.append(LineChange(place.first + first, place.first + last, tuple(lines)))
    return changes
