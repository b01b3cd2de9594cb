"""A model that writes SEARCH/REPLACE blocks well is asked for them in a long target, at the very end of its prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scenario import lines
from server import CONFIG, Stage, pick, stage

from tuppence.core.prompt.compose import SYSTEM
from tuppence.core.prompt.edit_blocks import BLOCKS

WRITER = CONFIG.replace('tier = "budget"', 'tier = "budget"\nedit = "blocks"\nedit_adherence = 0.999')
LONG = "def mean(xs):\n" + "".join(f"    xs = [*xs, {n}]\n" for n in range(80)) + "    return sum(xs) / len(x)\n"
SHORT = "\n\ndef half(xs):\n    return xs[: len(x) // 2]\n"
SRC = LONG + SHORT
WHOLE = f"```python\n{LONG.replace('len(x)', 'len(xs)')}```"


def said(body: Any) -> list[str]:
    """Return what a request says, message by message, the system text first."""
    texts = []
    for holder in (body.get("system", []), *(message["content"] for message in body["messages"])):
        texts += [holder] if isinstance(holder, str) else [part["text"] for part in holder]
    return texts


async def ask(s: Stage, title: str, about: str, *replies: str) -> list[Any]:
    """Run an action on a function and return the bodies of its requests."""
    if not s.editor.buffers:
        s.editor.open(s.write("stats.py", SRC), "python")
    buffer, before = next(iter(s.editor.buffers.values())), len(s.upstream.requests)
    for reply in replies:
        s.upstream.says(reply)
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index(about)), title))
    return [request.body for request in s.upstream.requests[before:]]


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_the_words_that_ask_for_blocks_end_the_last_message(tmp_path: Path, wire: str) -> None:
    async with stage(tmp_path, wire=wire, config=WRITER) as s:
        (body,) = await ask(s, "Fix", "mean", WHOLE)
        assert body["model"] == "small"
        *shared, last = said(body)
        assert last.endswith(BLOCKS)
        assert json.dumps(body).count("<<<<<<< SEARCH") == 1
        assert said({"messages": body["messages"][-1:]})[-1] == last
        # A model may answer whole all the same, and there is room for that.
        buffer = next(iter(s.editor.buffers.values()))
        assert buffer.text == SRC.replace("len(x)\n", "len(xs)\n", 1)
        assert body["max_tokens"] > len(WHOLE) / 3.4
        s.editor.type(buffer, 0, len(buffer.text), SRC)
        (explain,) = await ask(s, "Explain", "mean", "`mean` averages `xs`.")
        (short,) = await ask(s, "Fix", "half", f"```python{SHORT.replace('len(x)', 'len(xs)')[1:]}```")
        assert said(explain)[:-1] == said(short)[:-1] == shared
        assert shared[0] == SYSTEM
        assert "SEARCH" not in json.dumps([explain, short])


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_a_row_that_says_nothing_is_sent_the_same_bytes_but_for_those_words(tmp_path: Path, wire: str) -> None:
    bodies = []
    for name, config in (("plain", CONFIG), ("writer", WRITER)):
        (tmp_path / name).mkdir()
        async with stage(tmp_path / name, wire=wire, config=config) as s:
            bodies += await ask(s, "Fix", "mean", WHOLE)
    plain, writer = map(json.dumps, bodies)
    assert "SEARCH" not in plain
    assert "SEARCH" in writer
    assert writer.replace(json.dumps(f"\n\n{BLOCKS}")[1:-1], "") == plain


async def test_after_blocks_that_cannot_be_read_the_better_model_is_asked_in_its_own_form(tmp_path: Path) -> None:
    async with stage(tmp_path, config=WRITER, extra="ask_above = 9\n") as s:
        cut = "```\n<<<<<<< SEARCH\n    return sum(xs) / len(x)\n=======\n    return sum(xs) /"
        first, second = await ask(s, "Fix", "mean", cut, WHOLE)
        assert (first["model"], second["model"]) == ("small", "big")
        assert said(first)[-1] == f"{said(second)[-1]}\n\n{BLOCKS}"
        buffer = next(iter(s.editor.buffers.values()))
        assert buffer.text == SRC.replace("len(x)\n", "len(xs)\n", 1)
        one, two = s.entries()[-2:]
        assert (one.model, one.outcome, two.model, two.outcome) == ("small", "failed check", "big", "kept")


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_an_answer_in_blocks_changes_its_lines_alone(tmp_path: Path, wire: str) -> None:
    block = "<<<<<<< SEARCH\n    return sum(xs) / len(x)\n=======\n    return sum(xs) / len(xs)\n>>>>>>> REPLACE\n"
    async with stage(tmp_path, wire=wire, config=WRITER) as s:
        (body,) = await ask(s, "Fix", "mean", f"```\n{block}```\n```imports\nimport math\n```")
        assert said(body)[-1].endswith(BLOCKS)
        buffer = next(iter(s.editor.buffers.values()))
        assert buffer.text == "import math\n\n" + SRC.replace("len(x)\n", "len(xs)\n", 1)
        assert s.entries()[-1].outcome == "kept"
        assert any("read from SEARCH/REPLACE blocks" in each.message for each in s.editor.seen.messages)


async def test_a_plan_is_not_asked_for_in_blocks_and_who_carries_it_out_is(tmp_path: Path) -> None:
    rows = "".join(
        f'[[models]]\nid = "{name}"\nprovider = "mine"\ntier = "workhorse"\ncontext = 128000\nmax_output = 16000\n'
        f"price = {{{{ input = {cost[0]}, output = {cost[1]} }}}}\nability = {{{{ fix = {fix} }}}}\n{more}"
        for name, cost, fix, more in (
            ("weak", (0.1, 0.5), 0.4, 'edit = "blocks"\nedit_adherence = 1.0\n'),
            ("middle", (3, 50), 0.61, ""),
            ("strong", (1, 100), 0.9, 'edit = "blocks"\nedit_adherence = 0.3\n'),
        )
    )
    head = '[providers.mine]\nwire = "{wire}"\nbase_url = "{base}"\n'
    async with stage(tmp_path, config=head + rows, extra="quality = 0.87\npair_above = 0\nask_above = 9\n") as s:
        plan, carried = await ask(s, "Fix", "mean", "Divide by the number of xs.", WHOLE)
        assert (plan["model"], carried["model"]) == ("strong", "weak")
        assert "SEARCH" not in json.dumps(plan)
        assert said(carried)[-1].endswith(f"> Divide by the number of xs.\n\n{BLOCKS}")


async def test_the_smallest_models_are_never_asked_for_blocks(tmp_path: Path) -> None:
    brief = WRITER.replace("edit_adherence = 0.999", "edit_adherence = 1.0\nquirks = {{ brief = true }}")
    async with stage(tmp_path, config=brief) as s:
        (body,) = await ask(s, "Fix", "mean", WHOLE)
        assert body["model"] == "small"
        assert "SEARCH" not in json.dumps(body)


async def test_a_target_that_holds_marks_is_asked_for_whole(tmp_path: Path) -> None:
    conflict = "<<<<<<< HEAD\n    xs = [*xs, 3]\n=======\n    xs = [*xs, 4]\n>>>>>>> main\n"
    marked = LONG.replace("    xs = [*xs, 3]\n", f'    """\n{conflict}    """\n')
    async with stage(tmp_path, config=WRITER) as s:
        s.editor.open(s.write("stats.py", marked), "python")
        (body,) = await ask(s, "Fix", "mean", f"```python\n{marked.replace('len(x)', 'len(xs)')}```")
        assert "SEARCH" not in json.dumps(body)
        assert not any("put back" in line for line in lines(s))
