"""Plots as SVG, which use only the page's colors; each mark shows its value on hover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from tuppence.core.billing.entry import money
from tuppence.core.billing.report import Day, ReportLine, share
from tuppence.reporting.words import escape

_WIDE, _HIGH = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 12, 14, 28
_LABELS = 8
"""Maximum number of days with a label below a plot."""
_BARS = 8
"""Maximum number of lines in a bar plot."""
_ROW = 30
_NAMES, _FIGURES = 150, 120


@dataclass(frozen=True, slots=True)
class _Frame:
    """The coordinates of a plot by day: x from the day's index, y from a share of the highest value."""

    count: int

    @property
    def step(self) -> float:
        """The width of a day."""
        return (_WIDE - _LEFT - _RIGHT) / max(self.count, 1)

    def x(self, index: int) -> float:
        """Return the x coordinate at which a day begins."""
        return _LEFT + index * self.step

    @staticmethod
    def y(part: float) -> float:
        """Return the y coordinate of a share of the highest value."""
        return _TOP + (1 - part) * (_HIGH - _TOP - _BOTTOM)


def spending(days: Sequence[Day]) -> str:
    """Draw the cost of each day in front of what the best model would have cost every time."""
    top = _ceiling(max((max(day.spent, day.best) for day in days), default=Decimal(0)))
    frame = _Frame(len(days))
    marks = []
    for index, day in enumerate(days):
        x, width = frame.x(index), frame.step
        said = f"{day.day:%d %b}: {money(day.spent)}, always best {money(day.best)}, {day.requests} requests"
        bars = _bar(x + width * 0.1, width * 0.8, day.best / top, "best")
        bars += _bar(x + width * 0.1, width * 0.8, day.spent / top, "spent")
        marks.append(f"<g>{_title(said)}{_hit(x, width)}{bars}</g>")
    return _plot("Spend by day", _grid(tuple(money(top * part / 2) for part in range(3))), "".join(marks), days)


def caching(days: Sequence[Day]) -> str:
    """Draw the share of the prompts' tokens read from providers' caches, by day."""
    frame = _Frame(len(days))
    points = [(index, day) for index, day in enumerate(days) if day.told]
    places = [(frame.x(index) + frame.step / 2, frame.y(day.read / day.told)) for index, day in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    drawn = f'<polyline class="line" points="{line}"/>' if len(places) > 1 else ""
    for (_, day), (x, y) in zip(points, places, strict=True):
        said = f"{day.day:%d %b}: {share(day.read, day.told)} of {day.told:,} prompt tokens"
        drawn += f'<g>{_title(said)}<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/></g>'
    return _plot("Cache hits by day", _grid(("0 %", "50 %", "100 %")), drawn, days)


def bars(title: str, lines: Sequence[ReportLine]) -> str:
    """Draw the cost of each line as a bar, highest first; lines without a known cost are left out."""
    known = [(line, line.spent) for line in lines if line.spent is not None][:_BARS]
    top = max((spent for _, spent in known), default=Decimal(0)) or Decimal(1)
    drawn = ""
    for index, (line, spent) in enumerate(known):
        y = index * _ROW
        width = float(spent / top) * (_WIDE - _NAMES - _FIGURES)
        said = f"{line.name}: {money(spent)} in {line.requests} requests"
        drawn += (
            f'<g>{_title(said)}<text class="name" x="{_NAMES - 10}" y="{y + 19}">{escape(_short(line.name))}</text>'
            f'<rect class="spent" x="{_NAMES}" y="{y + 5}" width="{max(width, 1):.1f}" height="{_ROW - 12}" rx="3"/>'
            f'<text class="figure" x="{_NAMES + max(width, 1) + 8:.1f}" y="{y + 19}">{money(spent)}</text></g>'
        )
    return _svg(title, drawn, max(len(known), 1) * _ROW + 4)


def _plot(title: str, grid: str, marks: str, days: Sequence[Day]) -> str:
    frame = _Frame(len(days))
    every = -(-len(days) // _LABELS) or 1
    below = "".join(
        f'<text class="tick" x="{frame.x(index) + frame.step / 2:.1f}" y="{_HIGH - 8}">{day.day:%d %b}</text>'
        for index, day in enumerate(days)
        if index % every == 0
    )
    return _svg(title, grid + marks + below, _HIGH)


def _svg(title: str, inner: str, high: int) -> str:
    return f'<svg viewBox="0 0 {_WIDE} {high}" role="img" aria-label="{escape(title)}">{inner}</svg>'


def _grid(labels: Sequence[str]) -> str:
    """Draw lines at equal distances, lowest first."""
    drawn = ""
    for index, label in enumerate(labels):
        y = _Frame.y(index / (len(labels) - 1))
        drawn += f'<line class="grid" x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        drawn += f'<text class="label" x="{_LEFT - 8}" y="{y + 4:.1f}">{escape(label)}</text>'
    return drawn


def _bar(x: float, width: float, part: Decimal, kind: str) -> str:
    top, bottom = _Frame.y(float(max(part, Decimal(0)))), _Frame.y(0)
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{bottom - top:.1f}" rx="2"/>'
        if bottom - top > 0
        else ""
    )


def _hit(x: float, width: float) -> str:
    """Draw the area around a bar that reacts to the pointer."""
    return f'<rect class="hit" x="{x:.1f}" y="{_TOP}" width="{width:.1f}" height="{_HIGH - _TOP - _BOTTOM}"/>'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>"


def _short(name: str, most: int = 22) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _ceiling(amount: Decimal) -> Decimal:
    """Return the next higher value of the series 1, 2, 5, 10, 20, ... in any power of ten, for a readable scale."""
    if amount <= 0:
        return Decimal(1)
    unit = Decimal(1).scaleb(amount.adjusted())
    return next(unit * step for step in (1, 2, 5, 10) if amount <= unit * step)
