"""``tuppence models``: the tier table, and which of its models may answer.

Conditions that depend on a request (whether it fits the context, whether the file is public) are left to the router and
not shown here.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tuppence.cli._terminal import console, safe, say, say_json
from tuppence.config import Config, load
from tuppence.config.shipped import shipped
from tuppence.core.billing.entry import exact
from tuppence.core.models.model import TIERS, Model
from tuppence.core.routing.quality import canonical
from tuppence.credentials import Keys

HELP = "show the tier table: prices, and which models may answer"
_WIDEST = 34
"""Number of characters after which a model's name is wrapped, so that a row fits a terminal of 80 columns."""
_FIGURE = 6
"""Width in characters of a number column."""


@dataclass(frozen=True, slots=True)
class Row:
    """A model, and whether it may answer."""

    model: Model
    why_not: str
    """Why it may not answer; empty if it may."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: the platform's config folder)"
    )
    parser.add_argument("--json", action="store_true", help="print the same as JSON, prices exact")


def run(arguments: argparse.Namespace) -> int:
    """Print the table and return the exit code: 1 if the configuration has mistakes, whose valid part is then shown."""
    config = load(arguments.config)
    table = judge(config, Keys(os.environ), datetime.now(UTC).astimezone().date())
    for line in complaints(config):
        say(line, errors=True)
    if arguments.json:
        say_json([_as_json(row) for row in table])
    else:
        show(table, console())
    return 1 if config.mistakes else 0


def judge(config: Config, keys: Keys, today: date) -> tuple[Row, ...]:
    """Return the rows: models that may answer first, then the others by reason; within each by tier and price."""
    rows = (Row(model, _why_not(model, config, keys, today)) for model in config.models)
    return tuple(sorted(rows, key=_order))


def complaints(config: Config) -> tuple[str, ...]:
    """Return the mistakes in the configuration, one line each, and its surprising consequences."""
    mistakes = (f"{config.path}:{each.line}: {each.what} {each.remedy}".rstrip() for each in config.mistakes)
    return (*mistakes, *(f"tuppence: {warning}" for warning in config.warnings))


def show(table: Sequence[Row], console: Console) -> None:
    """Print the table: first the models that may answer, then the others grouped by reason."""
    width = min(_WIDEST, max((len(row.model.name) for row in table), default=0))
    for why_not, rows in groupby(table, key=lambda row: row.why_not):
        console.print(_section(why_not or "ready", tuple(row.model for row in rows), width))
        console.print()
    ready = sum(not row.why_not for row in table)
    console.print(
        f"{ready} of {len(table)} may answer. Prices are USD per million tokens; a prompt's size or the hour may "
        "change some. Models on this machine are not in this table: `tuppence local` shows them."
    )


def _section(title: str, models: Sequence[Model], width: int) -> Table:
    section = Table(title=safe(title), title_justify="left", box=None, pad_edge=False)
    section.add_column("model", min_width=width, overflow="fold")
    section.add_column("tier", min_width=max(map(len, TIERS)), no_wrap=True)
    for name in ("input", "output", "cached", "context"):
        section.add_column(name, justify="right", min_width=_FIGURE, no_wrap=True)
    for model in models:
        base = model.price and model.price.base
        figures = (base.input, base.output, base.cache_read) if base else (None, None, None)
        prices = ("" if figure is None else exact(figure) for figure in figures)
        section.add_row(safe(model.name), model.tier, *prices, f"{model.context // 1000:,}k")
    return section


def _why_not(model: Model, config: Config, keys: Keys, today: date) -> str:
    pinned = any(each.model == model.name for each in (*config.actions.values(), *config.languages.values()))
    if model.name in config.exclude:
        return "excluded in the configuration"
    if model.retired(today):
        return f"retired on {model.retires_on}"
    if not keys.ready(model.provider):
        return keys.lacking(model.provider).rstrip(".")
    if model.price is None and not pinned:
        return "price unknown: used only when pinned"
    return ""


def _order(row: Row) -> tuple[bool, str, int, Decimal, str]:
    model, price = row.model, row.model.price
    dear = price.base.output if price else Decimal("Infinity")
    return (bool(row.why_not), row.why_not, TIERS.index(model.tier), dear, model.name)


def _as_json(row: Row) -> dict[str, Any]:
    model, price = row.model, row.model.price
    known = shipped().models.get(canonical(model.id))
    rates = price and price.base
    names = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "thinking")
    figures = {name: getattr(rates, name) for name in names} if rates else {}
    return {
        "model": model.name,
        "tier": model.tier,
        "ready": not row.why_not,
        "whyNot": row.why_not or None,
        "price": {name: exact(figure) for name, figure in figures.items() if figure is not None} or None,
        "context": model.context,
        "maxOutput": model.max_output,
        "ability": {**(known.quality if known else {}), **model.ability},
        "asOf": model.as_of and model.as_of.isoformat(),
        "retiresOn": model.retires_on and model.retires_on.isoformat(),
        "source": model.source,
    }
