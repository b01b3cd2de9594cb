"""Again with a better model: about the text before the first answer, by the model and at the price of the entry."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from scenario import gated, lines, messages, until
from scripted_provider import error
from server import CONFIG, Stage, pick, stage, titles

from editor import Buffer

SRC = "import os\n\n\ndef one():\n    return 1\n\n\ndef half(xs):\n    # by two\n    return len(x) / 2  # 😀\n"
CHEAP = "def half(xs):\n    # by two\n    return math.floor(len(xs) / 2)"
CHEAP_REPLY = f"```python\n{CHEAP}\n```\n```imports\nimport math\n```\n"
LISTED_REPLY = "1. So:\n\n   " + CHEAP_REPLY.replace("\n", "\n   ")
BETTER = "def half(xs):\n    # rounded down\n    return len(xs) // 2"
BETTER_REPLY = f"```python\n{BETTER}\n```\n"
ORIGINAL = SRC[SRC.index("def half") : -1]
ANSWERED = SRC.replace("import os\n", "import os\nimport math\n").replace(ORIGINAL, CHEAP)
MIDDLE = """
[[models]]
id = "middle"
provider = "mine"
tier = "workhorse"
price = {{ input = 3, output = 15 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.805, fix = 0.805, tests = 0.805, review = 0.805 }}
"""
THREE = CONFIG.replace("0.82", "0.9") + MIDDLE


async def fixed(s: Stage, reply: str = CHEAP_REPLY, text: str = ANSWERED) -> Buffer:
    """Have the small model fix the example."""
    buffer = s.editor.open(s.write("a.py", SRC), "python")
    s.upstream.says(reply)
    await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("return len")), "Fix `half`"))
    assert buffer.text == text
    return buffer


async def entry(s: Stage, buffer: Buffer, start: str = "Again with a better model") -> types.CodeAction:
    """Return an entry of the menu on the answer."""
    action: types.CodeAction = pick(await s.editor.menu(buffer, buffer.text.index("def half")), start)
    return action


def prompts(s: Stage) -> list[Any]:
    """Return what each request asked."""
    return [each.body["messages"] for each in s.upstream.requests]


def models(s: Stage) -> list[str]:
    """Return who was asked."""
    return [each.body["model"] for each in s.upstream.requests]


@pytest.mark.parametrize("streams", [False, True])
async def test_it_asks_about_the_original_and_writes_over_the_answer(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = await fixed(s)
        s.upstream.says(BETTER_REPLY)
        steps = len(buffer.undo)
        await s.editor.run(await entry(s, buffer))
        assert models(s) == ["small", "big"]
        assert prompts(s)[0] == prompts(s)[1], "the question is the first one, byte for byte"
        assert buffer.text == SRC.replace(ORIGINAL, BETTER), "the import that only the first answer needed is gone"
        assert buffer.undo[steps:] == [ANSWERED], "one undo brings the first answer back"
        assert messages(s)[-1].startswith("Fixed `half`: big, $0.0016")
        await s.editor.run(await entry(s, buffer, "Put back: Fix `half`"))
        assert buffer.text == SRC
        assert [each.outcome for each in s.entries()] == ["undone", "undone"]


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize(
    "reply",
    [CHEAP_REPLY, f"```python\n{CHEAP}\n```", CHEAP_REPLY.replace("\n", "\r\n"), LISTED_REPLY],
    ids=["as it was", "without its import", "with other line endings", "in a list"],
)
async def test_a_model_that_agrees_changes_nothing_and_nobody_else_is_asked(
    tmp_path: Path, reply: str, *, streams: bool
) -> None:
    async with stage(tmp_path, config=THREE, extra="quality = 0.8\n", streams=streams) as s:
        buffer = await fixed(s)
        sent, steps, version = len(s.editor.seen.drafts) + len(s.editor.seen.edits), len(buffer.undo), buffer.version
        s.upstream.says(reply)
        await s.editor.run(await entry(s, buffer, "Again with a better model (middle, about $"))
        assert models(s) == ["small", "middle"], "no climb"
        assert (buffer.text, buffer.version, len(buffer.undo)) == (ANSWERED, version, steps)
        assert len(s.editor.seen.drafts) + len(s.editor.seen.edits) == sent
        said = s.editor.seen.runs[-1].line if streams else messages(s)[-1]
        assert said.startswith("middle agrees; nothing to change (Fix `half`, $0.00")
        assert [each.outcome for each in s.entries()] == ["kept", "kept"]
        # What can be done with the answer can be done still.
        menu = titles(await s.editor.menu(buffer, buffer.text.index("def half")))
        assert "Put back: Fix `half`" in menu
        assert any(each.startswith("Again with a better model (big, about $") for each in menu)
        await s.editor.run(await entry(s, buffer, "Put back"))
        assert buffer.text == SRC
        assert [each.outcome for each in s.entries()] == ["undone", "undone"]


async def test_an_agreement_that_brings_an_import_is_an_answer(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        half = ORIGINAL.replace("len(x)", "len(xs)")
        reply = f"```python\n{half}\n```"
        buffer = await fixed(s, reply, SRC.replace(ORIGINAL, half))
        s.upstream.says(f"{reply}\n```imports\nimport math\n```")
        await s.editor.run(await entry(s, buffer))
        assert "agrees" not in messages(s)[-1]
        assert buffer.text == SRC.replace(ORIGINAL, half).replace("import os\n", "import os\nimport math\n")


async def test_a_model_that_wants_the_original_has_not_fixed_it(tmp_path: Path) -> None:
    async with stage(tmp_path, config=THREE, extra="quality = 0.8\n", streams=True) as s:
        buffer = await fixed(s)
        s.upstream.says(f"```python\n{ORIGINAL}\n```")
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(await entry(s, buffer))
        assert models(s) == ["small", "middle", "big"]
        assert "The answer changes nothing" in messages(s)[-1]
        assert buffer.text == SRC.replace(ORIGINAL, BETTER)


@pytest.mark.parametrize("streams", [False, True])
async def test_three_models_one_after_another_and_put_back_is_the_first_text(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, config=THREE, extra="quality = 0.8\n", streams=streams) as s:
        buffer = await fixed(s)
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(await entry(s, buffer, "Again with a better model (middle"))
        s.upstream.says("```python\ndef half(xs):\n    return len(xs) * 0.5\n```")
        await s.editor.run(await entry(s, buffer, "Again with a better model (big"))
        assert models(s) == ["small", "middle", "big"]
        assert prompts(s)[0] == prompts(s)[1] == prompts(s)[2]
        await s.editor.run(await entry(s, buffer, "Put back"))
        assert buffer.text == SRC
        assert [each.outcome for each in s.entries()] == ["undone"] * 3


@pytest.mark.parametrize("streams", [False, True])
async def test_what_is_typed_elsewhere_stays(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = await fixed(s)
        at = buffer.text.index("return 1")
        s.editor.type(buffer, at, at + 8, "return math.pi")
        gate = asyncio.Event()
        s.upstream.script(gated(BETTER_REPLY, gate, 3))
        running = asyncio.ensure_future(s.editor.run(await entry(s, buffer)))
        await until(lambda: len(s.upstream.requests) == 2)
        s.editor.type(buffer, 0, 0, "# above\n")
        s.editor.type(buffer, len(buffer.text), len(buffer.text), "# below\n")
        gate.set()
        await running
        # The user's own code needs the import by now.
        typed = ANSWERED.replace("return 1", "return math.pi")
        assert buffer.text == f"# above\n{typed.replace(CHEAP, BETTER)}# below\n"
        assert ORIGINAL in prompts(s)[1][-1]["content"]
        assert "return math.pi" in prompts(s)[1][-1]["content"]
        await s.editor.run(await entry(s, buffer, "Put back"))
        assert buffer.text == f"# above\n{SRC.replace('return 1', 'return math.pi')}# below\n"


@pytest.mark.parametrize("streams", [False, True])
async def test_a_cancel_leaves_the_first_answer(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = await fixed(s)
        seen, gate = len(s.editor.seen.drafts), asyncio.Event()
        s.upstream.script(gated(BETTER_REPLY, gate, 12))
        running = asyncio.ensure_future(s.editor.run(await entry(s, buffer)))
        await until(lambda: len(s.upstream.requests) == 2)
        if streams:
            await until(lambda: len(s.editor.seen.drafts) > seen)
        s.editor.type(buffer, len(buffer.text), len(buffer.text), "# below\n")
        await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("def half")), "Stop: Fix `half`"))
        await running
        gate.set()
        assert buffer.text == f"{ANSWERED}# below\n"
        assert messages(s)[-1].startswith("Stopped: Fix `half`")
        # The first answer is what it was before: asked again, kept, put back.
        shown = [(each.state, getattr(each, "outcome", None)) for each in s.editor.seen.runs[-2:]]
        assert not streams or shown == [("ended", "kept"), ("ended", "stopped")]
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(await entry(s, buffer))
        assert BETTER in buffer.text
        await s.editor.run(await entry(s, buffer, "Put back"))
        assert buffer.text == f"{SRC}# below\n"


@pytest.mark.parametrize("streams", [False, True])
async def test_a_failure_leaves_the_first_answer_and_its_put_back(tmp_path: Path, *, streams: bool) -> None:
    async with stage(tmp_path, streams=streams) as s:
        buffer = await fixed(s)
        s.upstream.says(BETTER_REPLY.replace("// 2", "// (2"))
        await s.editor.run(await entry(s, buffer))
        assert buffer.text == ANSWERED
        assert "With the answer the file no longer parses" in messages(s)[-1]
        assert messages(s)[-1].endswith("The text is as it was. It cost $0.0016.")
        await s.editor.run(await entry(s, buffer, "Put back"))
        assert buffer.text == SRC
        assert [each.outcome for each in s.entries()] == ["undone", "failed check"]


async def test_a_key_in_the_target_ends_it_and_stays(tmp_path: Path) -> None:
    async with stage(tmp_path, streams=True) as s:
        buffer = await fixed(s)
        seen, gate = len(s.editor.seen.drafts), asyncio.Event()
        s.upstream.script(gated(BETTER_REPLY, gate, 12))
        running = asyncio.ensure_future(s.editor.run(await entry(s, buffer)))
        await until(lambda: len(s.editor.seen.drafts) > seen)
        at = buffer.text.index("half(xs)")
        s.editor.type(buffer, at, at, "my_")
        text = buffer.text
        gate.set()
        await running
        assert buffer.text == text
        assert "Its text changed meanwhile and stays as you left it." in messages(s)[-1]
        menu = titles(await s.editor.menu(buffer, at))
        assert not [each for each in menu if each.startswith(("Again", "Put back"))]


async def test_a_target_that_the_user_changed_is_not_asked_about_again(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = await fixed(s)
        action = await entry(s, buffer)
        at = buffer.text.index("floor")
        s.editor.type(buffer, at, at + 5, "ceil")
        await s.editor.run(action)
        assert messages(s)[-1].startswith("That answer is not the latest any more, or its text was changed.")
        assert len(s.upstream.requests) == 1


async def test_the_diagnostic_is_told_where_it_was(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        at = SRC.index("x) / 2")
        said = types.Diagnostic(s.editor.range(SRC, at, at + 1), "x comes from nowhere", source="mine")
        s.upstream.says(CHEAP_REPLY)
        await s.editor.run(pick(await s.editor.menu(buffer, at, diagnostics=[said]), "Fix: x comes"))
        assert buffer.text == ANSWERED
        s.editor.type(buffer, 0, 0, "# above\n")
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(await entry(s, buffer))
        first, second = (each[-1]["content"] for each in prompts(s))
        assert "x comes from nowhere" in first
        tail = first[first.index("x comes from nowhere") - 40 :]
        # Two lines further down now: what was typed, and the import that the user may need by now.
        assert second[second.index("x comes from nowhere") - 40 :] == tail.replace("line 10", "line 12").replace(
            "lines 8 to 10", "lines 10 to 12"
        )


async def test_the_model_of_the_entry_answers_or_nobody(tmp_path: Path) -> None:
    async with stage(tmp_path, config=THREE, extra="quality = 0.8\n") as s:
        buffer = await fixed(s)
        action = await entry(s, buffer, "Again with a better model (middle")
        config = s.config.read_text(encoding="utf-8")
        s.config.write_text(f'exclude = ["mine/middle"]\n{config}', encoding="utf-8")
        await s.editor.run(action)
        assert "mine/middle may not answer now: excluded in the configuration." in messages(s)[-1]
        assert models(s) == ["small"]
        s.config.write_text(config.replace('id = "middle"', 'id = "other"'), encoding="utf-8")
        await s.editor.run(action)
        assert "mine/middle may not answer now: it is not in the tier table." in messages(s)[-1]
        assert models(s) == ["small"]
        assert buffer.text == ANSWERED
        # A table in which the router would choose another one changes nothing for an entry that was shown.
        s.config.write_text(config.replace("0.805", "0.801"), encoding="utf-8")
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(action)
        assert models(s) == ["small", "middle"]


async def test_no_other_model_stands_in_for_it(tmp_path: Path) -> None:
    async with stage(tmp_path, config=THREE, extra="quality = 0.8\n") as s:
        buffer = await fixed(s)
        action = await entry(s, buffer, "Again with a better model (middle")
        s.upstream.script(error(401))
        await s.editor.run(action)
        assert models(s) == ["small", "middle"]
        assert buffer.text == ANSWERED
        s.upstream.script(*[error(503, retry_after="0.01")] * 3)
        await s.editor.run(action)
        assert set(models(s)[2:]) == {"middle"}
        assert messages(s)[-1].startswith("Could not fix `half`.")
        assert buffer.text == ANSWERED


@pytest.mark.parametrize("agrees", [False, True])
async def test_a_price_above_the_one_shown_needs_a_word(tmp_path: Path, *, agrees: bool) -> None:
    async with stage(tmp_path) as s:
        buffer = await fixed(s)
        action = await entry(s, buffer)
        config = s.config.read_text(encoding="utf-8")
        s.config.write_text(config.replace("input = 5, output = 25", "input = 7, output = 35"), encoding="utf-8")
        s.editor.answer = lambda _params: "Ask big" if agrees else None
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(action)
        [question] = s.editor.seen.questions
        assert "big would cost about $0.0" in question
        assert " that was shown. Ask it?" in question
        assert models(s) == (["small", "big"] if agrees else ["small"])
        if not agrees:
            assert messages(s)[-1].endswith(
                "that was shown, and there was no consent to it. Ask again for the new price. The text is as it was."
            )
            assert buffer.text == ANSWERED


async def test_a_price_that_is_about_the_one_shown_needs_none(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = await fixed(s)
        action = await entry(s, buffer)
        config = s.config.read_text(encoding="utf-8")
        s.config.write_text(config.replace("input = 5, output = 25", "input = 5.2, output = 26"), encoding="utf-8")
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(action)
        assert s.editor.seen.questions == []
        assert models(s) == ["small", "big"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"price": "NaN"}, "The command's `price` is not an amount of USD. Open the menu again."),
        ({"price": "-1"}, "The command's `price` is not an amount of USD. Open the menu again."),
        ({"price": "1e"}, "The command's `price` is not an amount of USD. Open the menu again."),
        ({"price": ["0.1"]}, "The command's `price` is not an amount of USD. Open the menu again."),
        ({"model": "no/such"}, "Could not fix `half`. no/such may not answer now: it is not in the tier table."),
        (
            {"model": ["mine/big"]},
            "Could not fix `half`. ['mine/big'] may not answer now: it is not in the tier table.",
        ),
    ],
)
async def test_what_no_menu_sent_is_one_sentence(tmp_path: Path, more: dict[str, object], said: str) -> None:
    async with stage(tmp_path) as s:
        buffer = await fixed(s)
        action = await entry(s, buffer)
        assert action.command is not None
        assert action.command.arguments is not None
        action.command.arguments = [dict(vars_of(action.command.arguments[0])) | more]
        await s.editor.run(action)
        assert messages(s)[-1].startswith(said)
        assert len(s.upstream.requests) == 1
        assert buffer.text == ANSWERED


def vars_of(argument: Any) -> dict[str, Any]:
    """Return the fields of an argument, which pygls may give as an object."""
    return dict(argument) if isinstance(argument, dict) else dict(argument._asdict())


async def test_an_older_client_names_no_model_and_is_served(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = await fixed(s)
        action = await entry(s, buffer)
        assert action.command is not None
        assert action.command.arguments is not None
        given = vars_of(action.command.arguments[0])
        assert set(given) == {"again", "above", "model", "price"}
        assert (given["above"], given["model"]) == ("mine/small", "mine/big")
        action.command.arguments = [{"again": given["again"], "above": given["above"]}]
        s.upstream.says(BETTER_REPLY)
        await s.editor.run(action)
        assert models(s) == ["small", "big"]
        assert prompts(s)[0] == prompts(s)[1]


async def test_an_explanation_again_is_about_the_text_as_it_is_by_the_model_that_was_shown(tmp_path: Path) -> None:
    async with stage(tmp_path, config=THREE, extra="quality = 0.8\n") as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        s.upstream.says("`half` halves the length of `xs`.")
        await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("return len")), "Explain `half`"))
        s.editor.type(buffer, 0, 0, "# above\n")
        s.upstream.says("`half` halves the length of `x`.")
        await s.editor.run(await entry(s, buffer, "Again with a better model (middle"))
        assert models(s) == ["small", "middle"]
        assert "# above" in prompts(s)[1][-1]["content"]
        assert ORIGINAL in prompts(s)[1][-1]["content"]
        assert lines(s)[-1]
