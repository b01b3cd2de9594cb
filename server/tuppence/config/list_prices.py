"""The list price of a model that the tier table has no price of, from the data that genai-prices carries.

That package brings pydantic and a megabyte of data, so it is imported at the first question and only then; it asks no
network. Whether a model's host is one that may be asked about is decided by config/model_table.py.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from tuppence.core.models.pricing import Price, PriceTier, Rates

_NAMES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
}
# The price in DeepSeek's peak hours, the only price there that depends on the time: an overestimate is better than an
# underestimate.
_HOUR = time(2, tzinfo=UTC)


def look_up(model: str, base_url: str, today: date) -> Price | None:
    """Return the list price at the host of a URL, or None if the data has none for the model."""
    from genai_prices.data_snapshot import get_snapshot

    try:
        _, found = get_snapshot().find_provider_model(model, None, None, base_url)
    except LookupError:
        return None
    listed = found.get_prices(datetime.combine(today, _HOUR))
    figures = {name: getattr(listed, theirs, None) for name, theirs in _NAMES.items()}
    base = _rates(figures, 0)
    if base is None:
        return None
    starts = sorted({tier.start for figure in figures.values() for tier in getattr(figure, "tiers", ())})
    steps = tuple(PriceTier(start, rates) for start in starts if (rates := _rates(figures, start)) is not None)
    return Price(base, steps)


def _rates(figures: dict[str, Any], start: int) -> Rates | None:
    flat: dict[str, Any] = {name: _figure(figure, start) for name, figure in figures.items()}
    return None if flat["input"] is None or flat["output"] is None else Rates(**flat)


def _figure(figure: Any, start: int) -> Decimal | None:
    """Return the figure for prompts just above a number of tokens."""
    if figure is None or isinstance(figure, Decimal):
        return figure
    price: Decimal = figure.base
    for tier in figure.tiers:
        if tier.start <= start:
            price = tier.price
    return price
