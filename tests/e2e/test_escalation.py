"""An answer that does not hold: the next better model gets one try, in sight; else the text is put back."""

from __future__ import annotations

import asyncio
import csv
import io
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from scenario import FIXED, GOOD, SRC, lines, messages
from scripted_provider import Reply, ScriptedUpstream, answer, cut, error_in_stream, stall
from server import CONFIG, Stage, environment, pick, stage

BROKEN = "```python\ndef mean(xs):\n    return sum(xs / len(xs)\n```"
ELIDED = "```python\ndef mean(xs):\n    # ... rest of the code\n```"
SMALL, BIG = Decimal("0.000042"), Decimal("0.0016")
ALONE = CONFIG.partition('[[models]]\nid = "big"')[0]

BAD: dict[str, tuple[Reply, str]] = {
    "cut off": (answer(GOOD[:40], finish="length"), "The answer was cut off at the model's output limit."),
    "empty": (answer(""), "The answer is empty."),
    "refused": (answer("I can't.", finish="content_filter"), "The model refused to answer."),
    "unparsable": (answer(BROKEN), "With the answer the file no longer parses"),
    "no code": (answer("You should divide by the right length."), "The answer is not a code block"),
    "unchanged": (answer("```python\ndef mean(xs):\n    return sum(xs) / len(x)\n```"), "The answer changes nothing."),
}


async def test_the_better_model_gets_one_try_in_sight(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        for count, (name, (bad, why)) in enumerate(BAD.items(), 1):
            s.upstream.script(bad, answer(GOOD))
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
            assert buffer.text == FIXED, name
            first, second = s.entries()[-2:]
            assert len(s.entries()) == len(s.upstream.requests) == 2 * count
            assert [each.body["model"] for each in s.upstream.requests[-2:]] == ["small", "big"]
            assert (first.model, first.outcome, first.cost) == ("small", "failed check", SMALL)
            assert (second.model, second.outcome, second.cost) == ("big", "kept", BIG)
            assert first.run == second.run
            reason = f"asked after small, whose answer was rejected: {why}".rstrip(".")
            assert second.reason.startswith(reason)
            assert any(line.startswith(f"big: {reason}") for line in lines(s))
            assert s.editor.seen.logs[-1].startswith(f"Fix `mean`: mine/big. {reason}")
            assert messages(s)[-1].startswith(f"Fixed `mean`: big, $0.0016 (parses, ruff finds no new error); {reason}")
            assert s.editor.seen.costs[-1].last.cost.usd == str(SMALL + BIG)
            s.editor.type(buffer, 0, len(buffer.text), SRC)


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_an_answer_that_breaks_off_is_one_that_does_not_hold(tmp_path: Path, wire: str) -> None:
    async with stage(tmp_path, wire=wire) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        overloaded = {"type": "overloaded_error", "code": "overloaded_error", "message": "later"}
        for bad in (cut(GOOD, after=3), error_in_stream(overloaded, GOOD[:30])):
            s.upstream.script(bad, answer(GOOD))
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
            assert buffer.text == FIXED
            first, second = s.entries()[-2:]
            assert (first.outcome, first.estimated, second.outcome) == ("failed", True, "kept")
            assert first.cost
            assert first.cost > 0
            s.editor.type(buffer, 0, len(buffer.text), SRC)
        assert len(s.upstream.requests) == 4


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_an_answer_that_repeats_itself_is_stopped_before_its_end(tmp_path: Path, wire: str) -> None:
    async with stage(tmp_path, wire=wire, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        # After so many rounds the upstream sends nothing more and never ends: only we can end it.
        s.upstream.script(stall("```python\ndef mean(xs):\n" + "    xs = xs\n" * 250), answer(GOOD))
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == FIXED
        first, second = s.entries()
        assert (first.outcome, first.estimated, second.outcome) == ("failed check", True, "kept")
        assert first.usage is not None
        assert 0 < first.usage.output < 1_000
        assert "The answer repeats “xs = xs” without end, and was stopped" in messages(s)[-1]


async def test_an_answer_that_is_valid_and_useless_is_not_kept(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.write("pyproject.toml", '[project]\nname = "stats"\ndependencies = ["attrs"]\n')
        s.write("uv.lock", 'version = 1\n[[package]]\nname = "attrs"\n[[package]]\nname = "stats"\n')
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        swallowed = "try:\n        return sum(xs) / len(x)\n    except Exception:\n        return None"
        needy = f"{GOOD.replace('sum(xs)', 'numpy.sum(xs)')}\n```imports\nimport numpy\n```"
        for bad, why in (
            (f"```python\ndef mean(xs):\n    {swallowed}\n```", "swallows every error (“except Exception:”)"),
            (needy, "needs numpy, which the project does not have"),
        ):
            s.upstream.script(answer(bad), answer(GOOD))
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
            assert buffer.text == FIXED
            assert f"whose answer was rejected: The answer is valid code but not useful: it {why}" in messages(s)[-1]
            assert [each.outcome for each in s.entries()[-2:]] == ["failed check", "kept"]
            s.editor.type(buffer, 0, len(buffer.text), SRC)


async def test_what_speaks_against_an_answer_that_is_kept_is_told(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.says(GOOD.replace("    return", "    # Return the sum by the len of the xs.\n    return"))
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        doubt = "doubt 0.2 of 1: adds a comment that says nothing (“Return the sum by the len of the xs.”)"
        assert messages(s)[-1].endswith(f"(parses, ruff finds no new error; {doubt}).")


async def test_an_explanation_of_other_code_is_not_kept(tmp_path: Path) -> None:
    async with stage(
        tmp_path, config=CONFIG.replace("explain = 0.8,", "explain = 0.5,").replace("explain = 0.82", "explain = 0.51")
    ) as s:
        buffer = s.editor.open(s.write("stats.py", SRC.replace("mean", "mean_of")), "python")
        s.upstream.says("`mean_of` asks `parse_header()` for the `HeaderMap` that `stream.next_token` fills.")
        s.upstream.says("`mean_of` divides `sum(xs)` by `len(x)`.")
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Explain"))
        assert [each.outcome for each in s.entries()] == ["failed check", "kept"]
        assert "(names what is there); asked after small" in messages(s)[-1]
        assert (
            "The answer names code that is absent: `HeaderMap`, `parse_header()`, `stream.next_token`"
            in messages(s)[-1]
        )


async def test_when_the_better_model_fails_too_the_text_is_put_back_and_why_is_told(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.says(BROKEN)
        s.upstream.says(ELIDED)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == SRC
        assert s.editor.seen.drafts
        [message] = messages(s)
        assert message.startswith("Could not fix `mean`. small: With the answer the file no longer parses")
        assert " big: The answer leaves code out" in message
        assert message.endswith(f"The text is as it was. It cost ${(SMALL + BIG):.4f}.")
        assert [each.outcome for each in s.entries()] == ["failed check", "failed check"]
        assert len(s.upstream.requests) == 2


async def test_where_there_is_no_better_model_the_text_is_put_back(tmp_path: Path) -> None:
    async with stage(tmp_path, config=ALONE, streams=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.says(BROKEN)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == SRC
        assert messages(s)[0].endswith("The text is as it was. It cost <$0.0001.")
        assert [each.outcome for each in s.entries()] == ["failed check"]


async def test_the_findings_of_a_review_that_does_not_hold_are_taken_down(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        s.upstream.says("", finish="content_filter")
        s.upstream.says("No findings.")
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Review"))
        assert messages(s)[-1].startswith("Reviewed `mean`: big, no finding, $0.0016")
        assert not s.editor.seen.diagnostics.get(buffer.uri)


TWO_WIRES = (
    CONFIG.replace('provider = "mine"\ntier = "premium"', 'provider = "yours"\ntier = "premium"')
    + '[providers.yours]\nwire = "anthropic"\nbase_url = "{yours}"\n'
)


async def receipt(s: Stage) -> list[dict[str, str]]:
    """Return the sheet of receipts that a person gets from the command line."""
    command = [sys.executable, "-m", "tuppence", "cost", "--csv", "--config", str(s.config)]
    process = await asyncio.create_subprocess_exec(*command, stdout=-1, env=environment(s.home))
    out, _ = await process.communicate()
    assert process.returncode == 0, out
    return list(csv.DictReader(io.StringIO(out.decode())))


async def test_a_climb_from_one_wire_to_the_other_is_on_the_receipt(tmp_path: Path) -> None:
    async with ScriptedUpstream() as yours:
        config = TWO_WIRES.replace("{yours}", yours.anthropic)
        async with stage(tmp_path, config=config, streams=True) as s:
            buffer = s.editor.open(s.write("stats.py", SRC), "python")
            s.upstream.says(BROKEN)
            yours.says(GOOD)
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
            assert buffer.text == FIXED
            assert [each.wire for each in (*s.upstream.requests, *yours.requests)] == ["openai", "anthropic"]
            [message] = messages(s)
            assert message.startswith("Fixed `mean`: big, $0.0016 (parses, ruff finds no new error); asked after small")
            first, second = await receipt(s)
            assert [each["outcome"] for each in (first, second)] == ["failed check", "kept"]
            assert [each["model"] for each in (first, second)] == ["mine/small", "yours/big"]
            assert first["run"] == second["run"]
            assert [Decimal(each["cost"]) for each in (first, second)] == [SMALL, BIG]


@pytest.mark.parametrize("streams", [True, False])
async def test_where_both_wires_fail_the_users_text_stands(tmp_path: Path, *, streams: bool) -> None:
    async with ScriptedUpstream() as yours:
        config = TWO_WIRES.replace("{yours}", yours.anthropic)
        async with stage(tmp_path, config=config, streams=streams) as s:
            buffer = s.editor.open(s.write("stats.py", SRC), "python")
            s.upstream.says(BROKEN)
            yours.says(ELIDED)
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
            assert buffer.text == SRC
            [message] = messages(s)
            assert message.startswith("Could not fix `mean`. small: With the answer the file no longer parses")
            assert message.endswith(f"The text is as it was. It cost ${(SMALL + BIG):.4f}.")
            assert [each["outcome"] for each in await receipt(s)] == ["failed check", "failed check"]
            s.upstream.says(GOOD)
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
            assert buffer.text == FIXED, "an answer that did not hold is not asked for again, and not kept"
