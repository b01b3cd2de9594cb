"""A provider that cannot answer: two retries, then the next adequate model; estimates; a ledger that fails."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from scenario import FIXED, GOOD, SRC, lines, messages
from scripted_provider import Reply, ScriptedUpstream, answer, error, hang_up, raw, sse
from server import CONFIG, Stage, pick, stage

OTHER = """
[providers.other]
wire = "openai"
base_url = "{other}"
[[models]]
id = "third"
provider = "other"
tier = "budget"
price = {{ input = 0.3, output = 1.2 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.8, fix = 0.8, tests = 0.8, review = 0.8 }}
"""


async def fix(s: Stage) -> str:
    """Fix the example and return its text."""
    buffer = s.editor.open(s.write("stats.py", SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    return buffer.text


def configured(other: str) -> str:
    """Return a configuration with a model at another provider."""
    return CONFIG + OTHER.replace("{other}", other)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (error(429, retry_after="0.01"), "mine limits how often it may be asked (429"),
        (error(503, retry_after="0.01"), "mine cannot answer now (503"),
        (hang_up(), "mine closed the connection before it answered"),
    ],
)
async def test_after_two_retries_the_next_adequate_model_is_asked(tmp_path: Path, bad: Reply, why: str) -> None:
    async with ScriptedUpstream() as other, stage(tmp_path, config=configured(other.openai)) as s:
        s.upstream.script(bad, bad, bad)
        other.says(GOOD)
        assert await fix(s) == FIXED
        assert len(s.upstream.requests) == 3
        assert [each.body["model"] for each in other.requests] == ["third"]
        first, second = s.entries()
        assert (first.model, first.outcome, first.cost, first.usage) == ("small", "failed", Decimal(0), None)
        assert (second.model, second.outcome, second.estimated) == ("third", "kept", False)
        assert second.reason.startswith(f"asked instead of small: {why}")
        assert any(line.startswith(f"third: asked instead of small: {why}") for line in lines(s))
        assert sum("Trying again in" in line for line in lines(s)) == 2
        assert messages(s)[-1].startswith("Fixed `mean`: third")
        assert why in messages(s)[-1]


async def test_nobody_listens(tmp_path: Path) -> None:
    async with ScriptedUpstream() as other, stage(tmp_path, config=configured(other.openai)) as s:
        s.config.write_text(s.config.read_text().replace(s.upstream.openai, "http://127.0.0.1:9/v1"))
        other.says(GOOD)
        assert await fix(s) == FIXED
        # The other models of a server that cannot be reached are not tried.
        assert [(each.model, each.outcome) for each in s.entries()] == [("small", "failed"), ("third", "kept")]
        assert s.entries()[0].cost == 0


async def test_a_provider_that_is_there_may_serve_another_model(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.upstream.script(*[error(529, retry_after="0.01")] * 3, answer(GOOD))
        assert await fix(s) == FIXED
        assert [each.body["model"] for each in s.upstream.requests] == ["small", "small", "small", "big"]
        assert [(each.model, each.outcome) for each in s.entries()] == [("small", "failed"), ("big", "kept")]


async def test_when_nobody_can_answer_each_reason_is_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.upstream.always(error(503, retry_after="0.01"))
        assert await fix(s) == SRC
        [message] = messages(s)
        assert message.startswith("Could not fix `mean`. mine cannot answer now (503")
        assert message.endswith("The text is as it was.")
        assert [(each.outcome, each.cost) for each in s.entries()] == [("failed", Decimal(0))] * 2
        assert len(s.upstream.requests) == 6


async def test_a_long_wait_is_not_waited_for(tmp_path: Path) -> None:
    async with ScriptedUpstream() as other, stage(tmp_path, config=configured(other.openai)) as s:
        s.upstream.script(error(429, retry_after="60"))
        other.says(GOOD)
        assert await fix(s) == FIXED
        assert len(s.upstream.requests) == 1


async def test_a_refused_request_is_told_and_asked_nowhere_else(tmp_path: Path) -> None:
    refusals = {
        401: "mine refused the key in MINE_API_KEY (401, scripted_error)",
        402: "mine will not serve this account",
        404: "mine does not know small",
    }
    async with ScriptedUpstream() as other, stage(tmp_path, config=configured(other.openai)) as s:
        for status, sentence in refusals.items():
            s.upstream.script(error(status))
            assert await fix(s) == SRC
            assert messages(s)[-1].startswith(f"Could not fix `mean`. {sentence}")
        assert len(messages(s)) == len(s.upstream.requests) == len(refusals)
        assert not other.requests
        assert [(each.outcome, each.cost) for each in s.entries()] == [("failed", Decimal(0))] * len(refusals)


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_an_answer_without_counts_is_an_estimate(tmp_path: Path, wire: str) -> None:
    async with stage(tmp_path, wire=wire) as s:
        s.upstream.says(GOOD, usage=None)
        assert await fix(s) == FIXED
        [entry] = s.entries()
        assert (entry.outcome, entry.estimated) == ("kept", True)
        assert entry.usage is not None
        assert entry.usage.fresh > 200
        assert 10 < entry.usage.output < 40
        assert "about" in messages(s)[-1] or "<$0.0001" in messages(s)[-1]


async def test_an_error_page_under_200_is_no_answer(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        page = raw([b"<html>hello</html>"], headers={"content-type": "text/html"})
        s.upstream.script(page, page)
        assert await fix(s) == SRC
        [message] = messages(s)
        assert "small: mine did not stream its answer, but sent a web page." in message
        assert "Check the base_url; where the network asks you to sign in, do that first." in message
        assert [each.cost for each in s.entries()] == [Decimal(0)] * 2


async def test_an_unknown_price_is_said_to_be_unknown(tmp_path: Path) -> None:
    config = CONFIG.replace("price = {{ input = 0.15, output = 0.60, cache_read = 0.015, cache_write = 0.19 }}\n", "")
    async with stage(tmp_path, config=config, extra='[actions.fix]\nmodel = "mine/small"\n') as s:
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert messages(s) == ["Fixed `mean`: small, price unknown (parses, ruff finds no new error)."]
        [entry] = s.entries()
        assert (entry.cost, entry.outcome) == (None, "kept")
        assert s.editor.seen.costs[-1].last.cost.usd is None


async def test_a_ledger_that_cannot_be_written_costs_no_answer_and_is_told_once(tmp_path: Path) -> None:
    data = tmp_path / "home" / "data" / "tuppence"
    (data / "ledger.sqlite3").mkdir(parents=True)  # A folder stands where the file should be: root may write anything.
    async with stage(tmp_path) as s:
        for _ in range(2):
            s.upstream.says(GOOD)
            assert await fix(s) == FIXED
        assert sum(each.startswith("Fixed `mean`") for each in messages(s)) == 2
        told = [each for each in messages(s) if each.startswith("The ledger ")]
        assert len(told) == 1, messages(s)
        assert "could not be used" in told[0]
        assert not s.editor.seen.costs


async def test_a_stream_of_nothing_is_retried_then_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        nothing = raw([sse({"choices": []})], headers={"content-type": "text/event-stream"})
        s.upstream.always(nothing)
        assert await fix(s) == SRC
        [message] = messages(s)
        assert message.startswith("Could not fix `mean`.")
        assert "mine ended before the answer did." in message
