"""Draws the reliability diagram as SVG: what was expected of a model on a task, and what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

_SIZE, _LEFT, _TOP = 400, 60, 20
_COLOURS = {"explain": "#2a6fdb", "fix": "#d1342f", "review": "#2f8f4e"}


def diagram(reliability: Mapping[str, Sequence[tuple[float, float, int]]], path: Path) -> None:
    """Draw a point for each tenth of the answers of an action; on the dashed line, what was expected came.

    :param reliability: by action, the mean of what was expected, of what came, and how many answers.
    """
    width, height = _LEFT + _SIZE + 30, _TOP + _SIZE + 60
    view = f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = _at(share, share)
        lines.append(f'<line x1="{_LEFT}" x2="{_LEFT + _SIZE}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e5e5e5"/>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{share:.1f}</text>')
        lines.append(f'<text x="{x:.0f}" y="{_TOP + _SIZE + 18}" text-anchor="middle">{share:.1f}</text>')
    (left, low), (right, high) = _at(0, 0), _at(1, 1)
    ends = f'x1="{left:.0f}" y1="{low:.0f}" x2="{right:.0f}" y2="{high:.0f}"'
    lines.append(f'<line {ends} stroke="#777777" stroke-dasharray="4 4"/>')
    lines.append(f'<text x="{_LEFT + _SIZE / 2}" y="{height - 14}" text-anchor="middle">expected score</text>')
    turned = f'transform="translate(14 {_TOP + _SIZE / 2}) rotate(-90)"'
    lines.append(f'<text {turned} text-anchor="middle">score that came</text>')
    for index, (action, rows) in enumerate(reliability.items()):
        colour = _COLOURS[action]
        points = [_at(told, came) for told, came, _ in rows]
        joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        lines.append(f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
        lines.append(f'<text x="{_LEFT + 16}" y="{_TOP + 24 + 18 * index}" fill="{colour}">{action}</text>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, "</svg>"]) + "\n", "utf-8")


def _at(told: float, came: float) -> tuple[float, float]:
    return _LEFT + told * _SIZE, _TOP + (1 - came) * _SIZE
