"""The SEARCH/REPLACE blocks that a careful model would write for a change of some text.

Each search text is whole lines: those that change, those around them that stay, and as many more as it takes to be
found once in the text. Blocks that meet become one.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from tuppence.core.text.lines import split


@dataclass(frozen=True, slots=True)
class SearchReplace:
    """One block."""

    search: tuple[str, ...]
    """Lines of the old text, without their endings."""
    replace: tuple[str, ...]
    """The lines that take their place; none delete them."""

    def __str__(self) -> str:
        """Return it as a model writes it, without the ending of its last line."""
        return "\n".join(("<<<<<<< SEARCH", *self.search, "=======", *self.replace, ">>>>>>> REPLACE"))


@dataclass(slots=True)
class _Region:
    """Old lines, and the new lines that take their place."""

    start: int
    end: int
    into: int
    until: int


def shortest(old: str, new: str, around: int) -> tuple[SearchReplace, ...]:
    """Return the blocks that lead from one text to another.

    :param around: how many lines that stay are in a search text on either side, where there are so many.
    """
    before, after = [line for line, _ in split(old)], [line for line, _ in split(new)]
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    regions = [_Region(*code[1:]) for code in matcher.get_opcodes() if code[0] != "equal"]
    for each in regions:
        _widen(each, around, len(before))
    while True:
        regions = _joined(regions)
        unclear = next((each for each in regions if not _is_unique(before[each.start : each.end], before)), None)
        if unclear is None:
            break
        _widen(unclear, 1, len(before))
    return tuple(
        SearchReplace(tuple(before[each.start : each.end]), tuple(after[each.into : each.until])) for each in regions
    )


def _widen(region: _Region, by: int, most: int) -> None:
    """Take in lines on either side; where they are lines of another region, joining the two puts their ends right."""
    above, below = min(by, region.start), min(by, most - region.end)
    region.start, region.into = region.start - above, region.into - above
    region.end, region.until = region.end + below, region.until + below


def _joined(regions: list[_Region]) -> list[_Region]:
    """Return the regions, those that share a line made one."""
    found: list[_Region] = []
    for each in regions:
        if found and each.start < found[-1].end:
            found[-1].end, found[-1].until = each.end, each.until
        else:
            found.append(each)
    return found


def _is_unique(part: list[str], lines: list[str]) -> bool:
    """Report whether lines are found once among others; no line at all is found everywhere."""
    size = len(part)
    return bool(size) and sum(lines[at : at + size] == part for at in range(len(lines) - size + 1)) == 1
