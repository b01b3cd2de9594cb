"""Absurd usage: nothing is learned of it, a ledger that learned it heals, and the accounts book an estimate."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from engine_run import engine
from scenario import FIXED, GOOD
from scripted_provider import Reply, WireName, events, raw, sse

from tuppence.core.billing.entry import Entry
from tuppence.core.billing.token_ratio import Paces
from tuppence.core.models.usage import Usage
from tuppence.ledger import Ledger
from tuppence.ledger.schema import Connection

CHARACTERS = 6000
COUNTED = Entry(
    run="r", session="s", at=datetime(2026, 11, 21, tzinfo=UTC), action="fix", language="go", provider="mine",
    model="small", tier="budget", usage=Usage(fresh=2000, cache_read=1000), cost=Decimal(0), estimated=False,
    difficulty=None, outcome="kept", best_cost=None, reason="", seconds=1.0, characters=CHARACTERS,
)  # fmt: skip
ABSURD = (
    Usage(fresh=200_000),
    Usage(fresh=10**9),
    Usage(fresh=2 * CHARACTERS + 1),
    Usage(fresh=1),
    Usage(fresh=CHARACTERS // 20 - 1),
    Usage(fresh=0, cache_read=200_000),
    Usage(fresh=0, cache_write=200_000),
    Usage(fresh=0, cache_write_1h=200_000),
    Usage(output=200_000),
)
MINE = ("mine/small", "go")


@pytest.mark.fault("provider", "absurd prompt counts are not learned")
def test_a_count_that_cannot_be_true_is_not_learned(record_property: Callable[[str, object], None]) -> None:
    for usage in ABSURD:
        paces = Paces()
        paces.learn(replace(COUNTED, usage=usage))
        assert paces.of(*MINE) is None, usage
        paces.learn(COUNTED)
        assert paces.of(*MINE) == 2.0, usage
    record_property("cases", len(ABSURD))


@pytest.mark.fault("provider", "the ledger sums no absurd prompt counts")
def test_the_ledger_keeps_no_count_that_cannot_be_true(
    ledger: Ledger, record_property: Callable[[str, object], None]
) -> None:
    for usage in ABSURD:
        ledger.add(replace(COUNTED, usage=usage))
    assert ledger.paces() == {}
    ledger.add(COUNTED)
    ledger.add(replace(COUNTED, usage=Usage(fresh=12_000)))  # Half a code point to a token, the densest.
    assert ledger.paces() == {MINE: (2 * CHARACTERS, 15_000)}
    record_property("cases", len(ABSURD))


@pytest.mark.fault("provider", "a ledger with absurd prompt counts heals")
def test_a_ledger_that_learned_absurd_counts_is_healed_when_it_is_opened(where: str, ledger: Ledger) -> None:
    for usage in (*ABSURD, COUNTED.usage, COUNTED.usage, None):
        ledger.add(replace(COUNTED, usage=usage))
    ledger.add(replace(COUNTED, characters=None))
    ledger.add(replace(COUNTED, estimated=True))
    ledger.add(replace(COUNTED, language="rust", usage=Usage(fresh=300_000)))

    def poison(connection: Connection) -> None:
        """Leave the sums as an older server wrote them."""
        connection.execute("DELETE FROM pace")
        add = "INSERT INTO pace (provider, model, language, characters, tokens) VALUES ('mine', 'small', ?, ?, ?)"
        connection.execute(add, ("go", 3 * CHARACTERS, 206_000))
        connection.execute(add, ("rust", CHARACTERS, 300_000))
        connection.execute("ALTER TABLE request DROP COLUMN served")  # It is of a later version.
        set_version = "UPDATE version SET number = 4" if where.startswith("postgres") else "PRAGMA user_version = 4"
        connection.execute(set_version)

    ledger._do("write", poison)
    ledger.close()
    healed = Ledger(where)
    assert healed.paces() == {MINE: (2 * CHARACTERS, 6000)}
    healed.close()


@pytest.mark.fault("provider", "a ledger with absurd prompt counts heals")
def test_sums_that_cannot_be_true_are_not_loaded(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite3")
    ledger.add(COUNTED)
    ledger.close()
    with sqlite3.connect(tmp_path / "ledger.sqlite3") as connection:
        connection.execute("UPDATE pace SET tokens = 200000")
    connection.close()
    paces = Paces()
    paces.add(ledger.paces())
    assert paces.of(*MINE) is None
    assert paces.usual("go") == Paces().usual("go")
    ledger.close()


@dataclass(frozen=True)
class Odd:
    """A report of usage, as each wire has it, and what becomes of it."""

    name: str
    openai: Mapping[str, Any] | None
    anthropic: Mapping[str, Any] | None
    ending: Literal["exact", "estimated", "said"]
    """Booked as reported; as our estimate, which is marked; and the user is told why, too."""


def both(name: str, prompt: Any, answer: Any, ending: Literal["exact", "estimated", "said"]) -> Odd:
    """Return a report of two counts."""
    openai = {"prompt_tokens": prompt, "completion_tokens": answer}
    return Odd(name, openai, {"input_tokens": prompt, "output_tokens": answer}, ending)


NESTED = {"prompt_tokens": {"count": 900}, "completion_tokens": [40]}
ODD: Sequence[Odd] = (
    both("honest", 900, 40, "exact"),
    both("twice the bound", 2400, 900, "exact"),
    both("a prompt of 200,000", 200_000, 40, "said"),
    both("a prompt of 900 million", 900_000_000, 40, "said"),
    both("an answer of 900 million", 900, 900_000_000, "said"),
    both("both of 900 million", 900_000_000, 900_000_000, "said"),
    both("an answer above the largest count", 900, 10**12, "said"),
    both("a prompt above the largest count", 10**12, 40, "said"),
    both("numbers of 4,000 digits", int("9" * 4000), int("9" * 4000), "said"),
    both("nothing of nothing", 0, 0, "said"),
    both("a negative answer", 900, -40, "said"),
    both("a negative prompt", -900, 40, "said"),
    both("text", "many", "some", "said"),
    both("text of digits", "900", "40", "said"),
    both("fractions", 900.5, 40.5, "said"),
    both("endless", float("inf"), float("-inf"), "said"),
    both("no number", float("nan"), float("nan"), "said"),
    both("yes", True, True, "said"),  # noqa: FBT003 - what is reported
    both("null", None, None, "estimated"),
    both("lists", [900], [40], "said"),
    Odd("absent", None, None, "estimated"),
    Odd("empty", {}, {}, "estimated"),
    Odd("nested", NESTED, {"input_tokens": {"count": 900}, "output_tokens": [40]}, "said"),
    Odd(
        "more cached than there is",
        {"prompt_tokens": 900, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 5000}},
        {"input_tokens": 0, "cache_read_input_tokens": 500_000, "output_tokens": 40},
        "said",
    ),
    Odd(
        "more written than there is",
        {"prompt_tokens": 900, "completion_tokens": 40, "prompt_tokens_details": {"cache_write_tokens": 5000}},
        {"input_tokens": 0, "cache_creation_input_tokens": 500_000, "output_tokens": 40},
        "said",
    ),
    Odd(
        "900 million thoughts",
        {"prompt_tokens": 900, "completion_tokens": 40, "completion_tokens_details": {"reasoning_tokens": 9 * 10**8}},
        {"input_tokens": 900, "output_tokens": 9 * 10**8},
        "said",
    ),
)
pytestmark = pytest.mark.timeout(600)
WIRES: tuple[WireName, ...] = ("openai", "anthropic")


def ceiling(entry: Entry) -> Decimal:
    """Return what three times a request of the example can cost at most: 1,245 prompt tokens and 538 of an answer."""
    into, out = (Decimal("0.19"), Decimal("0.60")) if entry.model == "small" else (Decimal(5), Decimal(25))
    return 3 * (1_300 * into + 600 * out) / 1_000_000


def sound(entry: Entry) -> None:
    """Hold an entry against what it can be at most."""
    assert entry.cost is not None
    assert 0 < entry.cost <= ceiling(entry) / (3 if entry.estimated else 1), entry
    assert entry.usage is not None
    assert entry.usage.output + entry.usage.thinking <= (538 if entry.estimated else 3 * 538)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("provider", "odd usage is booked as an estimate")
async def test_an_answer_is_used_whatever_usage_it_reports(
    tmp_path: Path, wire: WireName, record_property: Callable[[str, object], None]
) -> None:
    async with engine(tmp_path, wire=wire) as e:
        for odd in ODD:
            e.server.says(GOOD, size=60, usage=odd.openai if wire == "openai" else odd.anthropic)
            ran = await e.fix(odd.name)
            assert ran.text == FIXED, odd.name
            (entry,) = ran.entries
            sound(entry)
            assert entry.estimated is (odd.ending != "exact"), odd.name
            assert ("about $" in ran.said) is entry.estimated, odd.name
            if odd.ending == "said":
                assert "mine reported " in ran.said, odd.name
                assert ran.said.endswith("; its cost is an estimate. Compare it with your bill.")
                assert "; mine reported " in entry.reason, odd.name
    record_property("cases", len(ODD))


def reported(wire: WireName, *counts: tuple[int, int], astray: bool = False, **more: Any) -> Reply:
    """Answer well, and report these counts of prompt and answer one after another; ``astray`` where nobody looks."""
    stream = events(wire, GOOD, size=60, usage=None)
    last = stream.pop()
    for prompt, answer in counts:
        if wire == "openai":
            usage = {"prompt_tokens": prompt, "completion_tokens": answer, **more}
            body = {"choices": [{"index": 0, "delta": {"usage": usage}}]} if astray else {"usage": usage, "choices": []}
            stream.append(sse(body))
        else:
            usage = {"input_tokens": prompt, "output_tokens": answer, **more}
            kind = "content_block_delta" if astray else "message_delta"
            stream.append(sse({"type": kind, "delta": {}, "usage": usage}, kind))
    return raw([*stream, last])


class _Unlearning(Paces):
    """Learns nothing, so that each case is estimated like the first."""

    def learn(self, entry: Entry) -> None:
        """Forget it."""


SEQUENCES: Sequence[tuple[str, tuple[tuple[int, int], ...], bool, tuple[int, int]]] = (
    ("once", ((900, 40),), False, (900, 40)),
    ("twice", ((900, 40), (900, 40)), False, (900, 40)),
    ("rising", ((900, 10), (900, 40)), False, (900, 40)),
    ("a prompt that was counted again", ((1000, 10), (900, 40)), False, (900, 40)),
    ("the prompt first only", ((900, 10), (0, 40)), False, (900, 40)),
    ("an answer that falls", ((900, 40), (900, 3)), True, (900, 40)),
    ("an answer that falls to nothing", ((900, 40), (900, 0)), True, (900, 40)),
    ("all of it falls to nothing", ((900, 40), (0, 0)), True, (900, 40)),
    ("absurd, then right", ((900, 9 * 10**8), (900, 40)), True, (900, 17)),
    ("right, then absurd", ((900, 40), (900, 9 * 10**8)), True, (900, 17)),
    ("a prompt that becomes absurd", ((900, 40), (9 * 10**8, 40)), True, (775, 40)),
)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("provider", "usage that is reported more than once")
async def test_of_several_reports_the_last_one_holds_unless_it_falls(
    tmp_path: Path, wire: WireName, record_property: Callable[[str, object], None]
) -> None:
    async with engine(tmp_path, wire=wire) as e:
        e.session.ledger_writer.token_ratios = _Unlearning()
        for name, counts, estimated, expected in SEQUENCES:
            e.server.script(reported(wire, *counts))
            ran = await e.fix(name)
            assert ran.text == FIXED, name
            (entry,) = ran.entries
            sound(entry)
            assert entry.usage is not None
            assert (entry.usage.prompt, entry.usage.output) == expected, name
            assert entry.estimated is estimated, name
            assert ("mine reported" in ran.said) is estimated, name
    record_property("cases", len(SEQUENCES))


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.fault("provider", "usage in the wrong event")
async def test_usage_in_an_event_that_has_none_counts_as_absent(tmp_path: Path, wire: WireName) -> None:
    async with engine(tmp_path, wire=wire) as e:
        e.server.script(reported(wire, (9 * 10**8, 9 * 10**8), astray=True))
        ran = await e.fix()
    assert ran.text == FIXED
    (entry,) = ran.entries
    sound(entry)
    assert entry.estimated


CHARGES: Sequence[tuple[str, str, bool]] = (
    ("0.0002", "0.0002", False),
    ("0", "0", False),
    ("-0.5", "0.000159", False),
    ("-0", "0", False),
    ("NaN", "0.000159", False),
    ("Infinity", "0.000159", False),
    ("-Infinity", "0.000159", False),
    ("1e308", "0.000159", True),
    ("1e99999999999999999999", "0.000159", False),
    ("1e-99999999999999999999", "0.000159", False),
    ("1e-999999", "0.000159", False),
    (f"0.{'3' * 100_000}", "0.000159", False),
    ("9" * 5000, "0.000159", False),
    ("2700", "0.000159", True),
    ("0.5", "0.000159", True),
    ('"0.0002"', "0.000159", False),
    ('"free"', "0.000159", False),
    ("true", "0.000159", False),
    ("null", "0.000159", False),
    ("[0.0002]", "0.000159", False),
    ('{"usd": 0.0002}', "0.000159", False),
)
"""What a provider says that it charges, what is booked, and whether that is said to be an estimate."""


@pytest.mark.fault("provider", "an odd charge of the provider's own")
async def test_a_charge_that_cannot_be_is_not_booked(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with engine(tmp_path) as e:
        for charge, booked, estimated in CHARGES:
            stream = events("openai", GOOD, size=60, usage={"prompt_tokens": 900, "completion_tokens": 40, "cost": 7})
            e.server.script(raw([each.replace(b'"cost": 7', f'"cost": {charge}'.encode()) for each in stream]))
            ran = await e.fix(charge[:40])
            assert ran.text == FIXED, charge[:40]
            (entry,) = ran.entries
            assert entry.cost == Decimal(booked), charge[:40]
            assert entry.estimated is estimated, charge[:40]
            assert ("mine reported a charge of $" in ran.said) is estimated, charge[:40]
            assert len(ran.said) < 400
    record_property("cases", len(CHARGES))


@pytest.mark.fault("provider", "an odd charge in a gateway's header")
async def test_a_charge_in_a_header_that_cannot_be_is_not_booked(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    async with engine(tmp_path) as e:
        cases = [each for each in CHARGES if len(each[0]) < 1000 and each[0].lstrip("-")[:1] not in '0"[{tn']
        for charge, booked, estimated in cases:
            stream = events("openai", GOOD, size=60, usage=Usage(fresh=900, output=40))
            headers = {"content-type": "text/event-stream", "x-litellm-response-cost": charge}
            e.server.script(raw(stream, headers=headers))
            ran = await e.fix(charge)
            assert ran.text == FIXED, charge
            (entry,) = ran.entries
            assert (entry.cost, entry.estimated) == (Decimal(booked), estimated), charge
            assert ("mine reported a charge of $" in ran.said) is estimated, charge
    record_property("cases", len(cases))
