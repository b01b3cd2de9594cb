"""The result of an attempt: the provider's counts, or an estimate if it may be billed, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tuppence.core.billing.credibility import FRAME, CallBound
from tuppence.core.models.model import Model, Provider
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.models.usage import Usage, estimate, merge
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.router import Route
from tuppence.engine.receipt import Attempt, Receipt
from tuppence.providers import ProviderEvent, Stop, Text, Thinking, UsageReport
from tuppence.upstream import Fate, RequestSent

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PROMPT = Prompt(system="s" * 100, shared=(), tail="t" * 240, max_output=100)
ASKED = estimate("x" * PROMPT.characters)
COUNTS = Usage(fresh=100, cache_read=900, output=50)


def model(name: str, rate: str) -> Model:
    """Return a model whose tokens all cost the same: USD per million."""
    return Model(
        provider=Provider("mine", "openai", "http://127.0.0.1:1"),
        id=name,
        tier="budget",
        price=Price(Rates(Decimal(rate), Decimal(rate))),
    )


SMALL, BIG = model("small", "1"), model("big", "10")
ROUTE = Route(SMALL, 0.8, None, (SMALL, BIG), (), BIG, "because")


def attempt(*pieces: ProviderEvent | Fate, of: Model = SMALL) -> Attempt:
    """Return an attempt of which these pieces came; a fate stands for a request that met it."""
    made = Attempt(model=of, prompt=PROMPT, at=NOON)
    for piece in pieces:
        made.note(_sending(of, piece) if isinstance(piece, str) else piece)
    return made


def _sending(of: Model, fate: Fate) -> RequestSent:
    return RequestSent(of, lambda: fate)


WITH: Fate = "with the server"
OUT: Sequence[tuple[str, Attempt, Usage | None, bool]] = (
    ("never asked", attempt(), None, False),
    ("kept back", attempt("kept back"), None, False),
    ("turned away", attempt("turned away"), None, False),
    ("turned away, waiting", attempt("turned away", "turned away"), None, False),
    ("no byte yet", attempt(WITH), Usage(fresh=ASKED), True),
    ("timed out, then turned away", attempt(WITH, "turned away"), Usage(fresh=2 * ASKED), True),
    ("thinking", attempt(WITH, Thinking("x" * 33)), Usage(fresh=ASKED, thinking=10), True),
    ("mid-stream", attempt(WITH, Text("x" * 33)), Usage(fresh=ASKED, output=10), True),
    (
        "mid-stream with counts",
        attempt(WITH, UsageReport(Usage(fresh=7, cache_read=3, output=1)), Text("x" * 33)),
        Usage(fresh=7, cache_read=3, output=10),
        True,
    ),
    ("hung up in the middle", attempt("turned away", Text("x" * 33)), Usage(fresh=ASKED, output=10), True),
    ("whole", attempt(WITH, Text("x" * 33), UsageReport(COUNTS), Stop("end")), COUNTS, False),
    ("whole, no counts", attempt(WITH, Text("x" * 33), Stop("end")), Usage(fresh=ASKED, output=10), True),
    (
        "whole, counts of the beginning only",
        attempt(WITH, UsageReport(Usage(fresh=7, output=1)), Text("x" * 339), Stop("end")),
        Usage(fresh=7, output=100),
        True,
    ),
    (
        "whole, the prompt not counted",
        attempt(WITH, Text("x" * 33), UsageReport(Usage(output=9)), Stop("end")),
        Usage(fresh=ASKED, output=10),
        True,
    ),
    (
        "whole after a time-out",
        attempt(WITH, WITH, Text("x" * 33), UsageReport(COUNTS), Stop("end")),
        Usage(fresh=100 + ASKED, cache_read=900, output=50),
        True,
    ),
    (
        "whole after being turned away",
        attempt("turned away", WITH, Text("x" * 33), UsageReport(COUNTS), Stop("end")),
        COUNTS,
        False,
    ),
)


def test_what_nobody_counted_is_estimated_as_the_cache_will_probably_have_it() -> None:
    warm = attempt(WITH, WITH, Text("x" * 33))
    assert warm.usage == Usage(fresh=2 * ASKED, output=10)
    warm.expected_cache = Usage(cache_read=ASKED - 30, cache_write=20)
    assert warm.usage == Usage(fresh=20, cache_read=2 * (ASKED - 30), cache_write=40, output=10)
    warm.expected_cache = Usage(cache_read=10 * ASKED, cache_write_1h=9)
    assert warm.usage == Usage(fresh=0, cache_read=2 * ASKED, output=10), "never more than was sent"
    warm.note(UsageReport(COUNTS))
    warm.note(Stop("end"))
    assert warm.usage == merge(COUNTS, Usage(fresh=0, cache_read=ASKED)), "what was counted is as it was counted"


def test_what_is_written_down_quotes_no_code() -> None:
    why = "asked after small, whose answer was rejected: line 2, “login(key='s3cret”')”; takes `mean` away, `a < b`"
    account = Receipt(run="r", session="s", action="fix", language="python")
    entry = account.add_attempt(attempt(WITH), replace(ROUTE, reason=why), "failed check")
    assert entry.reason == "asked after small, whose answer was rejected: line 2, “…”; takes `mean` away, `…`"
    for cut in ("leaves code out: “s3cret and so", "takes `s3cret and so", "takes `mean`, `s3cret", "“a” and “s3cret"):
        assert "s3cret" not in account.add_attempt(attempt(WITH), replace(ROUTE, reason=cut), "failed check").reason
    assert "s3cret" not in account.worst_case(attempt(WITH), replace(ROUTE, reason=why), 9).reason


@pytest.mark.parametrize(("made", "usage", "estimated"), [row[1:] for row in OUT], ids=[row[0] for row in OUT])
def test_what_an_attempt_comes_to(made: Attempt, usage: Usage | None, estimated: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert made.usage == usage
    assert made.estimated is estimated
    tokens = usage.prompt + usage.output + usage.thinking if usage else 0
    assert made.price() == Decimal(tokens) / 1_000_000
    assert made.price(BIG) == Decimal(tokens) * 10 / 1_000_000


def test_the_providers_own_charge_counts_where_it_came_with_the_last_counts() -> None:
    own = UsageReport(COUNTS, Decimal("0.5"))
    assert attempt(WITH, own, Stop("end")).price() == Decimal("0.5")
    assert attempt(WITH, own, UsageReport(COUNTS), Stop("end")).price() == Decimal("0.5")
    assert attempt(WITH, own).price() != Decimal("0.5")
    # The best model costs what it did cost, not what its list price makes of it.
    assert attempt(WITH, own, Stop("end"), of=BIG).price(BIG) == Decimal("0.5")


def test_an_account_adds_up_and_says_what_it_does_not_know() -> None:
    account = Receipt(run="r", session="s", action="fix", language="python", difficulty=0.4)
    assert (account.total, account.estimated) == (Decimal(0), False)
    first = account.add_attempt(attempt(WITH, Text("x" * 33)), ROUTE, "cancelled")
    assert (first.at, first.model, first.tier, first.reason) == (NOON, "small", "budget", "because")
    assert (first.outcome, first.estimated, first.difficulty) == ("cancelled", True, 0.4)
    assert first.best_cost == first.cost * 10 if first.cost else False
    account.add_attempt(attempt(WITH, UsageReport(COUNTS), Stop("end"), of=BIG), ROUTE, "kept")
    assert account.total == Decimal(ASKED + 10 + 10 * 1050) / 1_000_000
    assert account.estimated
    free = account.add_free("ruff", "ruff", NOON, "kept")
    assert (free.cost, free.usage, free.tier, free.best_cost) == (Decimal(0), None, "none", None)
    unknown = Model(provider=SMALL.provider, id="odd", tier="local")
    assert account.add_attempt(attempt(WITH, of=unknown), ROUTE, "failed").cost is None
    assert account.total is None


@pytest.mark.parametrize("kind", [Text, Thinking])
def test_an_answer_is_ended_half_as_long_again_as_its_limit_and_costs_what_was_reserved(
    kind: type[Text | Thinking],
) -> None:
    made = attempt(WITH)
    made.bound = CallBound(prompt=ASKED, answer=PROMPT.max_output, cost=Decimal(1))
    words = 0
    while not made.end_if_too_long():
        made.note(kind(f"word{words} "))
        words += 1
    assert words == 151
    assert made.stop == Stop("length", "ended here")
    assert made.estimated
    assert made.usage is not None
    assert made.usage.prompt == ASKED
    assert made.usage.output + made.usage.thinking == PROMPT.max_output
    assert made.doubt == "mine wrote on beyond the limit of 100 tokens, so the answer was ended here"


def test_thinking_and_answer_are_ended_together() -> None:
    made = attempt(WITH, Thinking("word " * 75), Text("word " * 75))
    assert not made.end_if_too_long()
    made.note(Text("word "))
    assert made.end_if_too_long()


def test_no_estimate_is_above_what_was_reserved() -> None:
    bound = CallBound(prompt=50, answer=8, cost=Decimal(1))
    report = UsageReport(Usage(fresh=60, cache_read=80, output=9))
    for made in (attempt(WITH, Text("x" * 99)), attempt(WITH, report, Thinking("x" * 99), Text("x" * 9))):
        made.bound = bound
        assert made.estimated
        assert made.usage is not None
        assert made.usage.prompt == 50
        assert made.usage.output + made.usage.thinking == 8


def test_a_prompt_of_more_tokens_than_bytes_is_not_learned_from() -> None:
    account = Receipt(run="r", session="s", action="fix", language="python")
    for tokens, characters in ((PROMPT.characters + FRAME, PROMPT.characters), (PROMPT.characters + FRAME + 1, None)):
        made = attempt(WITH, Text("x"), UsageReport(Usage(fresh=tokens, output=9)), Stop("end"))
        made.bound = CallBound(prompt=300, answer=100, cost=Decimal(1))
        entry = account.add_attempt(made, ROUTE, "kept")
        assert (entry.characters, entry.estimated) == (characters, False)
    assert account.notes == []


def test_a_doubt_is_said_once_for_a_run_and_written_down_with_each_entry() -> None:
    account = Receipt(run="r", session="s", action="fix", language="python")
    for _ in range(2):
        made = attempt(WITH, Text("x"), UsageReport(Usage(fresh=10**6, output=9)), Stop("end"))
        made.bound = CallBound(prompt=300, answer=100, cost=Decimal(1))
        entry = account.add_attempt(made, ROUTE, "kept")
        assert entry.reason == "because; mine reported 1,000,000 prompt tokens, where there are 300 at most"
        assert entry.usage == Usage(fresh=ASKED, output=9)
    (note,) = account.notes
    assert note.startswith(
        "mine reported 1,000,000 prompt tokens, where there are 300 at most; its cost is an estimate."
    )
