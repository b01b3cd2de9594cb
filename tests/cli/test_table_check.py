"""``tuppence models --check``: what is said of each row beside its list price, and that nobody is asked for it."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tuppence import cli
from tuppence.cli import _table_check
from tuppence.cli._table_check import check
from tuppence.config import list_prices, load
from tuppence.config.list_prices import Listing
from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates

TODAY = date(2026, 11, 30)  # A Monday.
ROW = next(model for model in load(today=TODAY).models if model.name == "mistral/mistral-large-4-0")


def rates(text: str) -> Rates:
    """Return the rates that are written: input, output, cache read, cache write, an hour's write."""
    return Rates(*(None if each == "-" else Decimal(each) for each in text.split()))  # type: ignore[arg-type]  # the first two are given


def verdict(
    monkeypatch: pytest.MonkeyPatch, listed: Listing | None, today: date = TODAY, **row: Any
) -> tuple[str, tuple[str, ...]]:
    monkeypatch.setattr(list_prices, "listing", lambda *_: listed)
    (found,) = check([replace(ROW, context=1000, max_output=10, **row)], today)
    return found.verdict, found.found


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        ("1 2 0.1", "1 2 0.1", ()),
        ("1 2 0.1", "1 2 -", ()),
        ("1 2 -", "1 2 1", ()),
        ("1 2 0.1 1.25 -", "1 2 0.1 1.25 1.25", ()),
        ("1 2 0.1", "1.5 2 0.1", ("input 1 here, 1.5 there",)),
        ("1 2 0.1", "1 2.0001 0.1", ("output 2 here, 2.0001 there",)),
        ("1 2 -", "1 2 0.1", ("cache_read 1 here, 0.1 there",)),
        ("1 2 0.1", "1 2 0.1 1.25 2", ("cache_write 1 here, 1.25 there", "cache_write_1h 1 here, 2 there")),
        ("0 0", "1 2", ("input 0 here, 1 there", "output 0 here, 2 there")),
    ],
)
def test_a_price_agrees_or_each_bucket_is_named(
    monkeypatch: pytest.MonkeyPatch, here: str, there: str, said: tuple[str, ...]
) -> None:
    found = verdict(monkeypatch, Listing(Price(rates(there)), 1000, is_dead=False), price=Price(rates(here)))
    assert found == (("disagrees", said) if said else ("agrees", ()))


def test_steps_are_compared_on_both_sides_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Price(rates("1 2"))
    stepped = replace(plain, steps=(PriceTier(200, rates("2 4")),))
    later = replace(plain, steps=(PriceTier(300, rates("2 4")),))
    above = ("input 1 here, 2 there above 200 tokens", "output 2 here, 4 there above 200 tokens")
    assert verdict(monkeypatch, Listing(stepped, None, is_dead=False), price=plain) == ("disagrees", above)
    assert verdict(monkeypatch, Listing(stepped, None, is_dead=False), price=later) == ("disagrees", above)
    assert verdict(monkeypatch, Listing(stepped, None, is_dead=False), price=stepped) == ("agrees", ())
    assert verdict(monkeypatch, Listing(plain, None, is_dead=False), price=stepped)[0] == "disagrees"


@pytest.mark.parametrize("day", range(7))
def test_a_peak_is_compared_with_a_peak_on_any_day_of_the_week(monkeypatch: pytest.MonkeyPatch, day: int) -> None:
    hour = list_prices.HOUR
    peak = Peak(frozenset(range(5)), hour.replace(hour=1, tzinfo=None), hour.replace(hour=4, tzinfo=None), rates("2 4"))
    price = Price(rates("1 2"), peaks=(peak,))
    listed = Listing(Price(rates("2 4")), None, is_dead=False)
    assert verdict(monkeypatch, listed, date(2026, 12, 1 + day), price=price)[0] == "agrees"


@pytest.mark.parametrize(
    ("listed", "row", "found"),
    [
        (None, {}, ("not listed", ("unknown there",))),
        (Listing(None, 1000, is_dead=False), {}, ("not listed", ("unknown there",))),
        (None, {"price": None}, ("price unknown", ("used only when pinned",))),
        (Listing(ROW.price, 1000, is_dead=False), {"price": None}, ("disagrees", ("it has a price there",))),
        (Listing(ROW.price, 999, is_dead=False), {}, ("context differs", ("1,000 here, 999 there",))),
        (Listing(ROW.price, 1000, is_dead=True), {}, ("dead", ("called deprecated there",))),
        (Listing(ROW.price, 1000, is_dead=False), {"retires_on": TODAY}, ("dead", ("retired on 2026-11-30",))),
        (None, {"retires_on": date(2027, 1, 29)}, ("ends soon", ("retires on 2027-01-29",))),
        (Listing(ROW.price, 1000, is_dead=False), {"retires_on": date(2027, 1, 30)}, ("agrees", ())),
    ],
)
def test_a_row_has_one_verdict(
    monkeypatch: pytest.MonkeyPatch, listed: Listing | None, row: dict[str, Any], found: tuple[str, tuple[str, ...]]
) -> None:
    assert verdict(monkeypatch, listed, **row) == found


@pytest.mark.skipif(version("genai-prices") != "0.2.3", reason="another state of the dataset than the table's")
def test_the_built_in_table_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("the check asked the network")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refused)
    table = load(today=TODAY).models
    today = max(each.as_of for each in table if each.as_of)  # Prices change: those of the table are of its last day.
    found = check(table, today)
    assert len(found) == len(table)
    by: dict[str, set[str]] = {}
    for each in found:
        by.setdefault(each.verdict, set()).add(each.model.name)
    assert "disagrees" not in by, [each.found for each in found if each.verdict == "disagrees"]
    assert {name.partition("/")[0] for name in by["not listed"]} <= {"dashscope", "google", "tencent"}
    assert {each.name for each in table if each.retired(today)} == by["dead"]
    assert by["price unknown"] == {"global-api/ga-standard", "openai/gpt-6.2-astra", "openai/gpt-6.2-sol"}


def config(folder: Path, rows: str) -> str:
    path = folder / "config.toml"
    path.write_text(rows)
    return str(path)


def test_a_row_that_disagrees_is_an_exit_code_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = '[[models]]\nid = "gpt-6-luna"\nprovider = "openai"\nprice = { input = 0.2, output = 0.5 }\n'
    assert cli.main(["models", "--check", "--json", "--config", config(tmp_path, rows)]) == 1
    (mine,) = [each for each in json.loads(capsys.readouterr().out) if each["model"] == "openai/gpt-6-luna"]
    assert mine["verdict"] == "disagrees"
    assert "input 0.2 here, 0.1 there" in mine["found"]


def test_a_person_sees_what_differs_and_a_count_of_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_table_check, "version", lambda _: "9.9")
    rows = '[[models]]\nid = "gpt-6-luna"\nprovider = "openai"\nprice = { input = 0.2, output = 0.5 }\n'
    assert cli.main(["models", "--check", "--config", config(tmp_path, rows)]) == 1
    said = capsys.readouterr().out
    assert "openai/gpt-6-luna input 0.2 here, 0.1 there;" in " ".join(said.split())
    # List prices change on known days, so the number of rows that disagree depends on the date.
    assert re.search(r"rows against genai-prices 9\.9: [1-9]\d* disagrees,", " ".join(said.split()))
    assert "openai/gpt-6.1-sol" not in said, "it agrees"
    monkeypatch.setattr(list_prices, "listing", lambda *_: None)
    assert cli.main(["models", "--check", "--config", config(tmp_path, rows)]) == 0
