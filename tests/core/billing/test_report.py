"""The cost report: every figure in it is the sum of its receipts, in a terminal, as JSON, as CSV and on the page."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import postgresql
from tuppence import cli
from tuppence.config import load
from tuppence.core.billing.entry import OUTCOMES, Entry, money
from tuppence.core.billing.report import DIMENSIONS, beside_guide, old_rows, report, share
from tuppence.core.billing.totals import summarize_entry, totals
from tuppence.core.models.model import Model, Provider
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage
from tuppence.engine import cost_report
from tuppence.ledger import Ledger
from tuppence.reporting import export

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 15), date(2026, 11, 21)
EAST = timezone(timedelta(hours=3))


def entry(cost: str | None = "0.01", **fields: Any) -> Entry:
    usual: dict[str, Any] = {
        "run": "run", "session": "mine", "at": NOW, "action": "fix", "language": "python", "provider": "mine",
        "model": "small", "tier": "budget", "usage": Usage(fresh=10, output=5), "estimated": False, "difficulty": 0.3,
        "outcome": "kept", "best_cost": None, "reason": "easy 0.30", "seconds": 1.5,
    }  # fmt: skip
    return Entry(cost=None if cost is None else Decimal(cost), **{**usual, **fields})


USD = st.decimals("0", "10", places=6)
ENTRIES = st.lists(
    st.builds(
        Entry,
        run=st.sampled_from("abcdefgh"), session=st.just("s"), action=st.sampled_from(("fix", "explain", "tests")),
        at=st.datetimes(datetime(2026, 11, 15, 3), datetime(2026, 11, 21, 20), timezones=st.just(UTC)),  # noqa: DTZ001 - as it wants them
        language=st.sampled_from(("", "python", "go")), provider=st.sampled_from(("mine", "yours", "kept", "ruff")),
        model=st.sampled_from(("", "small", "large")), tier=st.sampled_from(("premium", "budget", "none")),
        cost=st.none() | USD, best_cost=st.none() | USD, charged=st.none() | USD, listed=st.none() | USD,
        usage=st.none() | st.builds(Usage, st.integers(0, 99), st.none() | st.integers(0, 99), st.integers(0, 9)),
        estimated=st.booleans(), difficulty=st.none(), outcome=st.sampled_from(OUTCOMES), reason=st.just("because"),
        seconds=st.just(1.0), project=st.sampled_from(("", "shop")),
    ),
    max_size=30,
)  # fmt: skip


def total(amounts: Sequence[Decimal | None]) -> Decimal:
    """Add up, not with the code that is tested."""
    return sum((each for each in amounts if each is not None), Decimal(0))


@given(ENTRIES)
def test_every_figure_is_the_sum_of_its_receipts(entries: list[Entry]) -> None:
    drawn = report([summarize_entry(each) for each in entries], FIRST, LAST, EAST)
    spent = total([each.cost for each in entries])
    assert drawn.whole.spent == spent
    assert drawn.whole == totals([summarize_entry(each) for each in entries])
    assert list(drawn.whole.by_model) == list(totals([summarize_entry(each) for each in entries]).by_model)
    keys: dict[str, Callable[[Entry], str]] = {
        "action": lambda each: each.action,
        "model": lambda each: f"{each.provider}/{each.model}" if each.model else "no model",
        "tier": lambda each: each.tier,
        "language": lambda each: each.language or "unknown",
        "project": lambda each: each.project or "no project",
        "outcome": lambda each: each.outcome,
    }
    assert set(keys) == set(DIMENSIONS)
    for dimension in DIMENSIONS:
        lines = drawn.tables[dimension]
        assert total([line.spent for line in lines]) == spent
        assert sum(line.requests for line in lines) == len(entries)
        for line in lines:
            mine = [each for each in entries if keys[dimension](each) == line.name]
            assert (line.requests, line.unknown) == (len(mine), sum(each.cost is None for each in mine))
            assert (line.spent or 0) == total([each.cost for each in mine])
    assert [day.day for day in drawn.days] == [FIRST + timedelta(days=n) for n in range(7)]
    for day in drawn.days:
        mine = [each for each in entries if each.at.astimezone(EAST).date() == day.day]
        assert (day.spent, day.requests) == (total([each.cost for each in mine]), len(mine))
        told = [each.usage for each in mine if each.usage is not None and each.usage.cache_read is not None]
        assert (day.read, day.told) == (sum(each.cache_read or 0 for each in told), sum(each.prompt for each in told))
    assert total([day.best for day in drawn.days]) == spent + drawn.whole.saved
    shares = drawn.shares
    assert shares.estimated == total([each.cost for each in entries if each.estimated])
    assert shares.failed_checks == total([each.cost for each in entries if each.outcome == "failed check"])
    assert shares.reported == total([each.charged for each in entries])
    assert shares.questions == len({each.run for each in entries})
    assert not drawn.tiers or abs(sum(drawn.tiers.values()) - 100) < 1e-9


@settings(max_examples=30)
@given(ENTRIES)
def test_what_is_written_is_what_was_counted(entries: list[Entry]) -> None:
    drawn = report([summarize_entry(each) for each in entries], FIRST, LAST, EAST)
    told = export.window(drawn)
    for dimension in DIMENSIONS:
        assert total([None if row["usd"] is None else Decimal(row["usd"]) for row in told["by"][dimension]]) == Decimal(
            told["spent"]["usd"]
        )
    assert total([Decimal(day["spent"]["usd"]) for day in told["byDay"]]) == drawn.whole.spent
    read = list(csv.DictReader(io.StringIO(export.as_csv(entries))))
    assert total([Decimal(row["cost"]) if row["cost"] else None for row in read]) == drawn.whole.spent
    assert [row["run"] for row in read] == [each.run for each in entries]
    assert total([Decimal(each["cost"]["usd"]) for each in map(export.as_json, entries) if each["cost"]["usd"]]) == (
        drawn.whole.spent
    )


def test_the_shares_of_a_small_day() -> None:
    entries = (
        entry("0.01", run="a", outcome="failed check", usage=Usage(fresh=20, cache_read=80)),
        entry("0.05", run="a", tier="premium", usage=Usage(fresh=100, cache_read=0)),
        entry("0.02", run="b", outcome="cancelled", estimated=True),
        entry("0", run="c", provider="kept", tier="none", usage=None),
        entry("0", run="d", provider="ruff", tier="none", usage=None),
        entry("0", run="e", provider="", model="", tier="none", usage=None, outcome="cancelled"),
        entry("0.3", run="f", charged=Decimal("0.3"), listed=Decimal("0.2")),
    )
    drawn = report([summarize_entry(each) for each in entries], LAST, LAST, UTC)
    shares = drawn.shares
    assert (shares.questions, shares.kept, shares.tier0, shares.climbed) == (6, 1, 1, 1)
    assert (shares.read, shares.told) == (80, 200)
    assert [shares.failed_checks, shares.climbs, shares.estimated, shares.reported] == [
        Decimal(each) for each in ("0.01", "0.05", "0.02", "0.3")
    ]
    assert drawn.tiers == {"premium": 25.0, "workhorse": 0.0, "budget": 75.0}


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, ""),
        (0, 5, "0 %"),
        (1, 3, "33 %"),
        (1, 30, "3.3 %"),
        (1, 1, "100 %"),
        (Decimal("0.1"), Decimal(2), "5.0 %"),
    ],
)
def test_a_share_is_written_for_a_person(part: int, whole: int, expected: str) -> None:
    assert share(part, whole) == expected


def test_old_prices_and_retired_rows_are_reported() -> None:
    provider = Provider("mine", "openai", "http://127.0.0.1:1")
    row = Model(provider=provider, id="new", tier="budget", price=Price(Rates(Decimal(1), Decimal(1))), as_of=LAST)
    old = replace(row, id="old", as_of=LAST - timedelta(days=61))
    gone = replace(row, id="gone", retires_on=LAST)
    unused = replace(old, id="unused")
    undated = replace(row, id="undated", as_of=None)
    used = {f"mine/{name}" for name in ("new", "old", "gone", "undated")}
    assert old_rows((row, old, gone, unused, undated, replace(unused, price=None)), used, LAST) == (
        "The price of mine/old is of 2026-09-21, 61 days ago: check it.",
        "mine/gone retired on 2026-11-21; nothing is sent to it any more.",
        "Other rows of the tier table whose prices are older than 60 days: 1.",
    )


@pytest.fixture
def busy() -> list[Entry]:
    """Fill the user's ledger with some days; one reason is a trap."""
    now = datetime.now(UTC)
    ledger = Ledger()
    entries = [
        entry(f"0.0{number}1", run=f"r{number}", at=now - timedelta(days=number % 9), action=action, model=action)
        for number, action in enumerate(("fix", "explain", "tests", "review") * 3)
    ]
    trap = "=1+1</style><script>alert(1)</script>"
    entries.append(entry("0.5", run="trap", at=now, reason=trap, project="<b>", best_cost=Decimal(2)))
    for each in entries:
        ledger.add(each)
    ledger.close()
    return entries


class Reader(HTMLParser):
    """Notes the tags, attributes and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_the_page_stands_by_itself(busy: list[Entry], tmp_path: Path) -> None:
    path = tmp_path / "cost.html"
    assert cli.main(["cost", "--html", str(path)]) == 0
    text = path.read_text("utf-8")
    page = Reader()
    page.feed(text)
    assert not {"script", "link", "img", "iframe", "object", "form", "a", "b>"} & set(page.tags)
    assert {name for name, _ in page.attributes} <= {
        "lang", "charset", "http-equiv", "content", "name", "class", "style", "viewbox", "role", "aria-label",
        "x", "y", "x1", "x2", "y1", "y2", "width", "height", "rx", "cx", "cy", "r", "points",
    }  # fmt: skip
    assert not re.search(r"https?://|url\(|@import", text)
    assert page.tags.count("svg") == 3
    assert "prefers-color-scheme: dark" in text
    spent = money(total([each.cost for each in busy]))
    assert page.texts.count(spent) >= 1
    assert "=1+1</style><script>alert(1)</script>" in page.texts
    assert {"Spend by day", "Cost by action", "Cache hits over time", "By project"} <= set(page.texts)


def test_the_sheet_holds_every_receipt_and_no_formula(busy: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost", "--csv"]) == 0
    read = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["run"] for row in read] == [each.run for each in busy]
    assert total([Decimal(row["cost"]) for row in read]) == total([each.cost for each in busy])
    assert read[-1]["reason"].startswith("'=1+1")
    assert (read[-1]["best_cost"], read[-1]["charged"]) == ("2", "")


def test_json_holds_the_same(busy: list[Entry], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost", "--json", "--days", "9"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert Decimal(told["window"]["spent"]["usd"]) == total([each.cost for each in busy])
    assert len(told["window"]["byDay"]) == 9
    assert told["budget"] is None
    assert {row["name"] for row in told["window"]["by"]["project"]} == {"no project", "<b>"}


def test_the_shares_by_tier_stand_beside_the_guide(
    busy: list[Entry], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {each.tier for each in busy} == {"budget"}
    rows = (("premium", "0 %", 5, 10), ("workhorse", "0 %", 60, 70), ("budget", "100 %", 20, 30))
    assert cli.main(["cost"]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    for tier, percent, start, end in rows:
        place = "above" if tier == "budget" else "below"
        assert f"requests to {tier} models {percent} {start} to {end} %, {place}" in shown
    assert any(line.startswith("The guide is the share of requests that tuppence's founding") for line in shown)
    page = Reader()
    assert cli.main(["cost", "--html", str(tmp_path / "cost.html")]) == 0
    page.feed((tmp_path / "cost.html").read_text("utf-8"))
    texts = list(filter(None, page.texts))
    at = texts.index("Requests by tier, and the guide")
    places = {"premium": "below", "workhorse": "below", "budget": "above"}
    wanted = [
        cell for tier, percent, start, end in rows for cell in (tier, percent, f"{start} to {end} %, {places[tier]}")
    ]
    assert texts[at + 3 : at + 12] == wanted
    assert texts[at + 12].startswith("The guide is the share of requests")
    capsys.readouterr()
    assert cli.main(["cost", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["window"]["shares"]
    assert told["tiers"] == {"premium": 0.0, "workhorse": 0.0, "budget": 100.0}
    assert told["guide"] == {tier: [start, end] for tier, _, start, end in rows}


@pytest.mark.parametrize(
    ("tier", "percent", "said"),
    [
        ("premium", 4.99, "5 to 10 %, below"),
        ("premium", 5.0, "5 to 10 %, within"),
        ("premium", 10.0, "5 to 10 %, within"),
        ("premium", 10.01, "5 to 10 %, above"),
        ("specialised", 50.0, ""),
        ("none", 0.0, ""),
    ],
)
def test_a_share_lies_below_within_or_above_the_guide(tier: str, percent: float, said: str) -> None:
    assert beside_guide(tier, percent) == said


def test_who_answered_in_anothers_place_is_shown_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tuppence.clock.now", lambda: NOW)
    ledger = Ledger(load().ledger)
    for cost, name, model in (("0.01", "<b>dear", "auto"), ("0.03", "cheap", "auto"), ("0.04", "cheap", "auto")):
        ledger.add(entry(cost, model=model, served=name, run=f"{cost}{name}"))
    ledger.add(entry(None, model="standard", served="cheap", run="unknown"))
    ledger.add(entry("0.5", run="own"))
    ledger.close()
    assert cli.main(["cost", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["asked"], each["answered"], each["usd"], each["requests"]) for each in told["window"]["served"]] == [
        ("mine/auto", "cheap", "0.07", 2),
        ("mine/auto", "<b>dear", "0.01", 1),
        ("mine/standard", "cheap", None, 1),
    ]
    assert [each["served"] for each in told["recent"]] == ["<b>dear", "cheap", "cheap", "cheap", None]
    assert cli.main(["cost"]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    at = shown.index("Answered by another model")
    assert shown[at + 2] == "mine/auto cheap $0.0700 2"
    assert cli.main(["cost", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["served"] for row in rows] == ["<b>dear", "cheap", "cheap", "cheap", ""]
    assert cli.main(["cost", "--html", str(tmp_path / "cost.html")]) == 0
    page = (tmp_path / "cost.html").read_text("utf-8")
    assert "<td>mine/auto</td><td>&lt;b&gt;dear</td>" in page


def test_nobody_in_anothers_place_is_no_table() -> None:
    found = report([summarize_entry(entry("0.5"))], FIRST, LAST, UTC)
    assert found.served == ()


def test_a_page_that_cannot_be_written_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost", "--html", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"tuppence: {tmp_path} could not be written: Is a directory. Name another file.\n"


def test_the_configuration_names_the_ledger_and_the_budget(
    postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = postgresql.emptied(postgres)
    ledger = Ledger(where)
    ledger.add(entry("1.5", at=datetime.now(UTC)))
    ledger.close()
    config = tmp_path / "config.toml"
    config.write_text(f'ledger = "{where}"\n[budget]\nday = 2\n')
    assert cli.main(["cost", "--config", str(config)]) == 0
    shown = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    assert "budget left today $0.5000" in shown
    assert cli.main(["cost"]) == 0
    assert "Nothing has been asked yet" in capsys.readouterr().out


def test_a_statement_of_nothing_has_every_day(ledger: Ledger) -> None:
    drawn = cost_report.read_report(ledger, load(), NOW, 30)
    assert len(drawn.report.days) == 30
    assert not drawn.receipts
    assert drawn.report.whole.spent == 0
    assert "spent in 0 requests" in cost_report.page(drawn)
