"""The user's approval before an expensive or premium model: requested in time, obeyed and remembered."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from scenario import FIXED, GOOD, SRC, lines, messages
from scripted_provider import answer, error
from server import CONFIG, Stage, pick, stage

BEST = 'quality = "best"\n'
PREMIUM = BEST + 'premium = "ask"\n'
DEAR = BEST + "ask_above = 0.001\n"
BROKEN = "```python\ndef mean(xs):\n    return sum(xs / len(xs)\n```"
ALONE = """
[providers.mine]
wire = "{wire}"
base_url = "{base}"
[[models]]
id = "big"
provider = "mine"
tier = "premium"
price = {{ input = 5, output = 25 }}
ability = {{ fix = 0.8 }}
"""


def says(*starts: str) -> Callable[[Any], str | None]:
    """Return a person who picks, at each question, the first answer that begins so; an empty start dismisses it."""
    left = list(starts)

    def pick_one(params: Any) -> str | None:
        start = left.pop(0)
        if not start:
            return None
        return next(str(each.title) for each in params.actions if each.title.startswith(start))

    return pick_one


async def fix(s: Stage) -> str:
    """Ask for a fix; return what the document holds afterwards."""
    buffer = s.editor.open(s.write("stats.py", SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    return buffer.text


def asked(s: Stage) -> list[str]:
    """Return the models that were asked."""
    return [each.body["model"] for each in s.upstream.requests]


@pytest.mark.parametrize(
    ("extra", "why"),
    [(PREMIUM, "big is a premium model and would cost about $0.0"), (DEAR, "big would cost about $0.0")],
)
async def test_nothing_is_sent_before_the_yes(tmp_path: Path, extra: str, why: str) -> None:
    async with stage(tmp_path, extra=extra) as s:
        sent: list[int] = []
        person = says("Ask big")

        def pick_one(params: Any) -> str | None:
            sent.append(len(s.upstream.requests))
            return person(params)

        s.editor.answer = pick_one
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        [question] = s.editor.seen.questions
        assert question.startswith("Fix was rated simple, and ")
        assert why in question
        assert re.search(r" would cost about \$0\.\d+, \$0\.\d+ at most\. Ask it\?$", question)
        assert sent == [0]
        assert asked(s) == ["big"]
        assert any(line.startswith(f"Waiting for your answer: {why}") for line in lines(s))


@pytest.mark.parametrize("word", ["Ask small instead", ""])
async def test_without_a_yes_the_best_of_the_others_answers_and_says_so(tmp_path: Path, word: str) -> None:
    async with stage(tmp_path, extra=PREMIUM) as s:
        s.editor.answer = says(word)
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert asked(s) == ["small"]
        [entry] = s.entries()
        assert entry.model == "small"
        assert "; there was no consent to big; proved: " in entry.reason
        assert any(line.startswith("small, ") and line.endswith("; there was no consent to big") for line in lines(s))
        [message] = messages(s)
        assert message.startswith("Fixed `mean`: small, <$0.0001 (")
        assert message.endswith("; there was no consent to big.")


async def test_without_a_yes_and_another_model_nothing_is_sent(tmp_path: Path) -> None:
    async with stage(tmp_path, extra=DEAR, config=ALONE) as s:
        s.editor.answer = says("Ask nobody")
        assert await fix(s) == SRC
        assert asked(s) == []
        [message] = messages(s)
        assert message.startswith("Could not fix `mean`. Big would cost about $0.0")
        assert ", and there was no consent to it. Ask again, or raise `ask_above`." in message
        [entry] = s.entries()
        assert (entry.outcome, entry.cost) == ("failed", Decimal(0))


async def test_what_to_do_about_it_names_the_setting_that_asked(tmp_path: Path) -> None:
    async with stage(tmp_path, extra=PREMIUM, config=ALONE) as s:
        s.editor.answer = says("")
        assert await fix(s) == SRC
        assert asked(s) == []
        [message] = messages(s)
        assert ', and there was no consent to it. Ask again, or set premium = "use".' in message


async def test_who_was_passed_over_in_a_climb_is_named_at_the_end(tmp_path: Path) -> None:
    """The person refuses the cheaper of two better models, which is a premium one, and the other one answers."""
    third = ALONE.replace('"big"', '"top"').replace("premium", "workhorse")
    rows = third[third.index("[[models]]") :].replace("fix = 0.8", "fix = 0.9").replace("25", "75")
    async with stage(tmp_path, extra='premium = "ask"\n', config=CONFIG + rows) as s:
        s.editor.answer = says("")
        s.upstream.script(answer(BROKEN), answer(GOOD))
        assert await fix(s) == FIXED
        assert asked(s) == ["small", "top"]
        [message] = messages(s)
        assert message.startswith("Fixed `mean`: top, $0.0")
        assert message.endswith("; there was no consent to big.")
        assert s.entries()[-1].reason.count("there was no consent to big") == 1


async def test_a_yes_for_good_is_remembered(tmp_path: Path) -> None:
    async with stage(tmp_path, extra=PREMIUM) as s:
        s.editor.answer = says("Always ask big")
        for _ in range(2):
            s.upstream.says(GOOD)
            buffer = s.editor.open(s.write("stats.py", SRC), "python")
            await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
            s.editor.type(buffer, 0, len(buffer.text), SRC)
        assert len(s.editor.seen.questions) == 1
        assert asked(s) == ["big", "big"]


async def test_the_climb_asks_too(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='premium = "ask"\n') as s:
        s.editor.answer = says("Ask big")
        s.upstream.script(answer(BROKEN), answer(GOOD))
        assert await fix(s) == FIXED
        [question] = s.editor.seen.questions
        assert question.startswith("big is a premium model and would cost about $0.0")
        assert asked(s) == ["small", "big"]


async def test_a_climb_that_nobody_agrees_to_puts_the_text_back(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='premium = "ask"\n') as s:
        s.editor.answer = says("")
        s.upstream.script(answer(BROKEN))
        assert await fix(s) == SRC
        assert asked(s) == ["small"]
        [message] = messages(s)
        assert "small: With the answer the file no longer parses" in message
        assert "There was no consent to big." in message


async def test_a_fallback_asks_too(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='premium = "ask"\n') as s:
        s.editor.answer = says("")
        s.upstream.script(*(error(429, retry_after="0.01") for _ in range(3)))
        assert await fix(s) == SRC
        assert len(s.editor.seen.questions) == 1
        assert asked(s) == ["small"] * 3
        [message] = messages(s)
        assert "mine limits how often it may be asked (429" in message
        assert "There was no consent to big." in message


async def test_a_pin_is_a_yes_to_premium_but_not_to_any_price(tmp_path: Path) -> None:
    pin = '[actions.fix]\nmodel = "mine/big"\n'
    async with stage(tmp_path, extra='premium = "ask"\n' + pin) as s:
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert s.editor.seen.questions == []
    (tmp_path / "second").mkdir()
    async with stage(tmp_path / "second", extra="ask_above = 0.001\n" + pin) as s:
        s.editor.answer = says("Ask nobody")
        assert await fix(s) == SRC
        assert len(s.editor.seen.questions) == 1
        assert asked(s) == []


async def test_never_means_never(tmp_path: Path) -> None:
    async with stage(tmp_path, extra=BEST + 'premium = "never"\n') as s:
        s.upstream.script(answer(BROKEN))
        assert await fix(s) == SRC
        assert asked(s) == ["small"]
        assert s.editor.seen.questions == []
