"""The tables of what was measured, as Markdown: printed, and written between the marks of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.answers.rendering import Group, Shape
from benchmarks.answers.tally import NAMES, Bar, Count

BEGIN, END = "<!-- begin: measured -->", "<!-- end: measured -->"
_HEADS: Mapping[Group, str] = {
    "change": "People's own changes",
    "right": "Right answers in the form that the prompt asks for",
    "recoverable": "Right answers in another form",
    "bad": "Bad answers",
    "harmful": "Harmful answers",
}
_COLUMNS: Mapping[Group, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(
        ("change", "right", "recoverable"),
        (("exact", "exact"), ("layout", "white space differs"), ("refused", "refused"), ("damaged", "damaged")),
    ),
    "bad": (("refused", "refused"), ("exact", "right all the same"), ("kept", "kept wrong")),
    "harmful": (("refused", "refused"), ("kept", "kept"), ("silent", "without a doubt")),
}
_SHOWN: Mapping[Group, str] = {
    **dict.fromkeys(("change", "right", "recoverable"), "exact"),
    "bad": "kept",
    "harmful": "silent",
}
"""Which fate the columns of languages count."""


def tables(counts: Mapping[str, Count], shapes: Sequence[Shape], languages: Sequence[str]) -> str:
    """Return a table for each group of shapes."""
    parts = []
    for group, head in _HEADS.items():
        rows = [
            _row(each, counts[each.title], languages) for each in shapes if each.group == group and each.title in counts
        ]
        if rows:
            names = [f"{NAMES[each]}: {dict(_COLUMNS[group])[_SHOWN[group]]}" for each in languages]
            cells = [head, "replies", *(name for _, name in _COLUMNS[group]), *names]
            parts.append("\n".join([_line(cells), _line(["---"] * len(cells)), *rows]))
    return "\n\n".join(parts)


def summary(reached: Sequence[Bar]) -> str:
    """Return the table of what is due."""
    return "\n".join(["| what | reached | due | met |", "|---|---|---|---|", *(each.row for each in reached)])


def write(page: Path, text: str) -> None:
    """Write what was measured between a page's marks.

    :raises ValueError: the page has no marks.
    """
    before, mark, rest = page.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (mark and end):
        raise ValueError(f"no place for what was measured: {page}")
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")


def _row(shape: Shape, count: Count, languages: Sequence[str]) -> str:
    cells = [shape.title, f"{count.all:,}", *(f"{count.fates[fate]:,}" for fate, _ in _COLUMNS[shape.group])]
    for each in languages:
        fates = count.by_language.get(each)
        total = sum(many for fate, many in fates.items() if fate != "silent") if fates else 0
        cells.append(f"{fates[_SHOWN[shape.group]]}/{total}" if fates else "-")
    return _line(cells)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
