"""Writes what was measured: tables as Markdown, and one picture of quality over cost as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.routing.checks import Sharpness
from benchmarks.routing.climb import Climb
from benchmarks.routing.evaluate import FOUR, THREE, Found
from benchmarks.routing.measure import hull
from benchmarks.routing.policy import WHEN, table
from tuppence.core.billing.report import GUIDE

_BEGIN, _END = "<!-- begin: measured -->", "<!-- end: measured -->"
_WIDTH, _HEIGHT, _LEFT, _TOP = 640, 400, 60, 20
_WIDEST = 1.05
"""The largest cost that is drawn, as a share."""
_COLOURS = {"tuppence, one quality for all": "#2a6fdb", "tuppence's presets": "#d1342f", "each model alone": "#777777"}
_SPLITS = (
    "The figures above are of the first split. Penalty and worth are chosen for each part on the inner folds of the "
    "other four: neither has seen what is judged."
)
_CHOSEN = "for each part, the penalty and the worth for explain, fix and review, USD"
_TWINS = (
    "Tasks of one problem that lie in different parts, so that one was fitted to where another is judged. Tasks of "
    "other actions only take part in the models' standing over all sources. All solutions of a DebugBench problem lie "
    "in one part, where the data names the problem: it does so for tasks with code."
)
_TIERS = (
    "Of the eight, Opus 4.6 and Qwen3-Max are premium, MiniMax-M2.7 and qwen3.5-plus budget. The documents plan for "
    "all requests of a day, of which no public data says how hard they are."
)


@dataclass(frozen=True, slots=True)
class Ladder:
    """What was measured of checking and climbing."""

    checks: Mapping[str, Sharpness]
    hopeless: float
    """The share of wrong edits that pass no test at all."""
    climbs: Sequence[Climb]


def write(found: Found, ladder: Ladder, path: Path) -> None:
    """Write every table to a file, and the short one into the README between its marks."""
    half, most = found.milliseconds
    decision = f"A decision takes {half:.1f} ms of the processor (median), {most:.1f} ms at the 99th percentile."
    parts = [
        "# Results",
        "Written by `python -m benchmarks.routing --data DIR`; the README beside it says what the words mean.",
        f"Prices: the list prices of the built-in table, which were read on {_prices_of()}.",
        _scores(found),
        _splits(found),
        _twins(found),
        _tiers(found),
        _orders(found),
        _reliability(found),
        _hardness(found),
        _left_out(found),
        _checks(ladder.checks, ladder.hopeless),
        _climbs(ladder.climbs),
        f"{decision} The reading of the code is part of it.",
    ]
    path.write_text("\n\n".join(parts) + "\n", "utf-8")
    readme = path.parent.parent.parent / "README.md"
    text = readme.read_text("utf-8")
    if _BEGIN in text:
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        readme.write_text(f"{before}{_BEGIN}\n{_short(found)}\n{_END}{after}", "utf-8")


def chart(found: Found, path: Path) -> None:
    """Draw quality over cost on explain, fix and review with code."""
    view = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view}>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
    ]
    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        x, y = _at((share, 0.6 + share / 2))
        lines.append(f'<text x="{x:.0f}" y="{_HEIGHT - 28}" text-anchor="middle">{share:.0%}</text>')
        lines.append(f'<text x="{_LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{0.6 + share / 2:.0%}</text>')
        lines.append(f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e5e5e5"/>')
    lines.append(f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">cost, share of Opus 4.6</text>')
    turned = f'transform="translate(14 {_HEIGHT / 2}) rotate(-90)"'
    lines.append(f'<text {turned} text-anchor="middle">score, share of Opus 4.6</text>')
    for index, (name, points) in enumerate(found.curves.items()):
        colour = _COLOURS[name]
        inside = [each for each in points if each[0] <= _WIDEST]
        joined = hull(inside) if name == "each model alone" else sorted(inside)
        if name != "tuppence's presets":
            dash = ' stroke-dasharray="4 4"' if name == "each model alone" else ""
            path_points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(_at, joined))
            lines.append(f'<polyline points="{path_points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        if name != "tuppence, one quality for all":
            lines += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in map(_at, inside)]
        label = name + (", and mixing them at random" if name == "each model alone" else "")
        lines.append(f'<text x="{_WIDTH - 300}" y="{_HEIGHT - 110 + 18 * index}" fill="{colour}">{label}</text>')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, "</svg>"]) + "\n", "utf-8")


def _at(point: tuple[float, float]) -> tuple[float, float]:
    cost, quality = point
    x = _LEFT + cost / _WIDEST * (_WIDTH - _LEFT - 20)
    y = _TOP + (1.1 - quality) / 0.55 * (_HEIGHT - _TOP - 60)
    return x, min(y, _HEIGHT - 45.0)


def _short(found: Found) -> str:
    shown = (
        "tuppence",
        "tuppence, without the language",
        "random mixing at our cost",
        "a model for each action, by hindsight",
        "the table by action",
        "TF-IDF",
        "length alone",
        "LiteLLM's complexity rules",
        "select_model of the documents",
        "always kimi-k2.5",
        "oracle",
    )
    sets = (THREE, FOUR)
    lines = ["| who chooses | " + " | ".join(f"{name}: score | cost" for name in sets) + " |", "|---|--:|--:|--:|--:|"]
    for policy in shown:
        cells = (f"{found.scores[policy, name].quality:.1%} | {found.scores[policy, name].cost:.0%}" for name in sets)
        lines.append(f"| {policy} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _scores(found: Found) -> str:
    names = list(dict.fromkeys(name for _, name in found.scores))
    policies = list(dict.fromkeys(policy for policy, _ in found.scores))
    parts = ["## Score and cost, as shares of always asking Opus 4.6"]
    for name in names:
        lines = [f"### {name}", "| who chooses | score | 95 % interval | cost |", "|---|--:|--:|--:|"]
        for policy in policies:
            score = found.scores[policy, name]
            lines.append(f"| {policy} | {score.quality:.1%} | {score.low:.1%} to {score.high:.1%} | {score.cost:.1%} |")
        parts.append("\n".join([lines[0], "", *lines[1:]]))
    return "\n\n".join(parts)


def _prices_of() -> str:
    """Return the day or the days on which the prices of the measured models were read."""
    days = sorted({str(model.as_of) for model in table()})
    assert days[-1] <= str(WHEN.date()), "a price of a later day"
    return " to ".join(dict.fromkeys((days[0], days[-1])))


def _splits(found: Found) -> str:
    lines = [
        "## Balanced on other splits of the tasks, and what was chosen inside the folds",
        "",
        _SPLITS,
        "",
        f"| split | {THREE}: score | 95 % interval | cost | {FOUR}: score | 95 % interval | cost | {_CHOSEN} |",
        "|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for seed, chosen in found.chosen.items():
        scores = (found.splits[name, seed] for name in (THREE, FOUR))
        cells = " | ".join(
            f"{each.quality:.1%} | {each.low:.1%} to {each.high:.1%} | {each.cost:.1%}" for each in scores
        )
        parts = "; ".join(
            f"{each.penalty:g}: {', '.join(f'{each.worth[action]:g}' for action in ('explain', 'fix', 'review'))}"
            for each in chosen
        )
        lines.append(f"| {seed + 1} | {cells} | {parts} |")
    return "\n".join(lines)


def _twins(found: Found) -> str:
    lines = [
        "## Problems on both sides of the first split",
        "",
        _TWINS,
        "",
        "| known by | problems | tasks that are judged | their actions | other tasks |",
        "|---|--:|--:|---|--:|",
    ]
    lines += [
        f"| {name} | {each.problems} | {each.judged} | {', '.join(each.actions) or 'none'} | {each.fitted} |"
        for name, each in found.twins.items()
    ]
    return "\n".join(lines)


def _tiers(found: Found) -> str:
    lines = [
        f"## Which tier answers ({FOUR}), beside the shares of the founding documents",
        "",
        f"| tier | the documents | {' | '.join(found.tiers)} |",
        "|---|--:|" + "--:|" * len(found.tiers),
    ]
    for tier, (least, most) in GUIDE.items():
        cells = " | ".join(f"{shares[tier]:.0%}" for shares in found.tiers.values())
        lines.append(f"| {tier} | {least} to {most} % | {cells} |")
    return "\n".join([*lines, "", _TIERS])


def _orders(found: Found) -> str:
    sources = list(next(iter(found.orders.values())))
    lines = [
        "## The order within an action (APGR, Qwen3-Max to Opus 4.6; random is 0.500)",
        "",
        f"| predictor | {' | '.join(sources)} | mean |",
        "|---|" + "--:|" * (len(sources) + 1),
    ]
    for name, row in found.orders.items():
        cells = " | ".join(f"{row[source]:.3f}" for source in sources)
        lines.append(f"| {name} | {cells} | {sum(row.values()) / len(row):.3f} |")
    spans = ", ".join(f"{source} {low:.3f} to {high:.3f}" for source, (low, high) in found.spans.items())
    return "\n".join([*lines, "", f"95 % intervals of tuppence's: {spans}."])


def _reliability(found: Found) -> str:
    lines = ["## Calibration: what was expected of a model on a task, and what came, in tenths", ""]
    lines += ["![Reliability diagram](../../docs/images/calibration.svg)", ""]
    for action, rows in found.reliability.items():
        lines.append(f"**{action}**, expected calibration error {found.errors[action]:.3f}:")
        lines += ["", "| expected | came | answers |", "|--:|--:|--:|"]
        lines += [f"| {told:.3f} | {came:.3f} | {count} |" for told, came, count in rows]
        lines.append("")
    return "\n".join(lines).rstrip()


def _left_out(found: Found) -> str:
    lines = [
        "## A source left out: mean score",
        "",
        "| source | at quality 1 | Opus 4.6 | points below | best, known later | balanced | 95 % | cost | tasks |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {source} | {each.best:.3f} | {each.opus:.3f} | {100 * (each.opus - each.best):+.1f} | {each.top:.3f} | "
        f"{each.balanced:.3f} | {each.low:.3f} to {each.high:.3f} | {each.cost:.0%} | {each.tasks} |"
        for source, each in found.left_out.items()
    ]
    return "\n".join(lines)


def _hardness(found: Found) -> str:
    lines = [
        "## The share that is expected to miss, and the share that the eight models' answers missed",
        "",
        "| source | told | came | Spearman, over tasks | 95 % interval | by length alone | tasks |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {name} | {each.told:.3f} | {each.came:.3f} | {each.order:+.2f} | {each.low:+.2f} to {each.high:+.2f} | "
        f"{each.length:+.2f} | {each.tasks} |"
        for name, each in found.hardness.items()
    ]
    return "\n".join(lines)


def _climbs(climbs: Sequence[Climb]) -> str:
    lines = [
        "## Climbing to claude-sonnet-4 on EDIT-Bench, by what the check sends up of wrong and of right answers",
        "",
        "| first | of wrong | of right | passes | cost | above as many at random | 95 % interval | pays |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {each.weak} | {each.finds:.1%} | {each.alarms:.1%} | {each.quality:.1%} | {each.cost:.1%} | "
        f"{100 * each.above:+.1f} | {100 * each.low:+.1f} to {100 * each.high:+.1f} | {'yes' if each.pays else 'no'} |"
        for each in climbs
    ]
    return "\n".join(lines)


def _checks(checks: Mapping[str, Sharpness], most: float) -> str:
    lines = [
        "## The checks, as the product counts on them",
        "",
        "| check | finds of bad | alarms of good | from |",
        "|---|--:|--:|---|",
    ]
    lines += [f"| {name} | {each.finds:.1%} | {each.alarms:.1%} | {each.origin} |" for name, each in checks.items()]
    limit = f"{most:.0%} of the wrong edits pass none of their tests: what does not parse can be no more than these."
    return "\n".join([*lines, "", limit])
