"""``tuppence models --check``: each row of the tier table beside what the data of genai-prices says, without a network.

A price is compared at each size of a prompt from which either side has another one, in the hour of both sides' higher
price. A bucket of which the data says nothing is not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version
from itertools import groupby
from typing import Any, Literal, get_args

from rich.console import Console
from rich.table import Table

from tuppence.cli._terminal import safe
from tuppence.config import list_prices
from tuppence.core.billing.entry import exact
from tuppence.core.models.model import Model
from tuppence.core.models.pricing import Price, Rates

Verdict = Literal["disagrees", "dead", "ends soon", "context differs", "price unknown", "not listed", "agrees"]
_ORDER: tuple[Verdict, ...] = get_args(Verdict)
_SOON = timedelta(days=60)
_BUCKETS = ("input", "output", "cache_read", "cache_write", "cache_write_1h")


@dataclass(frozen=True)
class CheckedRow:
    """A row and what was found of it."""

    model: Model
    verdict: Verdict
    found: tuple[str, ...] = ()
    """Differences, or days, a phrase each."""


def check(models: Iterable[Model], today: date) -> tuple[CheckedRow, ...]:
    """Return what is to be said of each row, by verdict."""
    every = (_checked(model, list_prices.listing(model.id, model.provider.base_url, today), today) for model in models)
    return tuple(sorted(every, key=lambda each: (_ORDER.index(each.verdict), each.model.name)))


def show(table: Sequence[CheckedRow], console: Console) -> None:
    """Print the rows for a person; of those that agree, only how many there are."""
    for verdict, rows in groupby(table, key=lambda each: each.verdict):
        if verdict == "agrees":
            continue
        section = Table(title=verdict, title_justify="left", box=None, pad_edge=False, show_header=False)
        section.add_column(overflow="fold")
        section.add_column(overflow="fold")
        for each in rows:
            section.add_row(safe(each.model.name), safe("; ".join(each.found)))
        console.print(section)
        console.print()
    counts = {verdict: sum(each.verdict == verdict for each in table) for verdict in _ORDER}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    console.print(f"{len(table)} rows against genai-prices {version('genai-prices')}: {said}.")


def check_as_json(table: Sequence[CheckedRow]) -> list[dict[str, Any]]:
    """Return the rows for a program."""
    return [{"model": each.model.name, "verdict": each.verdict, "found": list(each.found)} for each in table]


def _checked(model: Model, listed: list_prices.Listing | None, today: date) -> CheckedRow:
    prices = _differences(model, listed, today) if listed else ()
    if model.retired(today):
        return CheckedRow(model, "dead", (f"retired on {model.retires_on}",))
    if listed and listed.is_dead:
        return CheckedRow(model, "dead", ("called deprecated there", *prices))
    if prices:
        return CheckedRow(model, "disagrees", prices)
    if model.retires_on and model.retires_on <= today + _SOON:
        return CheckedRow(model, "ends soon", (f"retires on {model.retires_on}",))
    if listed and listed.context not in (None, model.context):
        return CheckedRow(model, "context differs", (f"{model.context:,} here, {listed.context:,} there",))
    if model.price is None:
        return CheckedRow(model, "price unknown", ("used only when pinned",))
    return (
        CheckedRow(model, "agrees") if listed and listed.price else CheckedRow(model, "not listed", ("unknown there",))
    )


def _differences(model: Model, listed: list_prices.Listing, today: date) -> tuple[str, ...]:
    if listed.price is None:
        return ()
    return _rates_that_differ(model.price, listed.price, today) if model.price else ("it has a price there",)


def _rates_that_differ(here: Price, there: Price, today: date) -> tuple[str, ...]:
    """Return where two prices differ, at prompts of one token and just above each step."""
    weekday = today + timedelta(days=(7 - today.weekday()) % 7)  # Peaks are on weekdays, which the data cannot say.
    when = datetime.combine(weekday, list_prices.HOUR)
    steps = sorted({0, *(step.above for price in (here, there) for step in price.steps)})
    found: dict[str, str] = {}
    for above in steps:
        ours, theirs = here.rates(above + 1, when), there.rates(above + 1, when)
        for bucket in _BUCKETS:
            stated = getattr(theirs, bucket)
            if stated is None or stated == (mine := _rate(ours, bucket)):
                continue
            difference = f"{bucket} {exact(mine)} here, {exact(stated)} there"
            found.setdefault(difference, f"{difference} above {above:,} tokens" if above else difference)
    return tuple(found.values())


def _rate(rates: Rates, bucket: str) -> Any:
    """Return what a bucket costs, which has its own rate or that of another bucket."""
    own = getattr(rates, bucket)
    if own is not None:
        return own
    return _rate(rates, "cache_write") if bucket == "cache_write_1h" else rates.input
