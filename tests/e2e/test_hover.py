"""Hovers show cached explanations; "Ask again" and "Again with a better model" follow an answer."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types
from scenario import messages
from server import CONFIG, Stage, pick, stage, titles

from editor import Editor

SRC = "import os\n\n\ndef mean(xs):\n    return sum(xs) / len(xs)\n\n\ndef other(ys):\n    return ys\n"
EXPLAINED = "`mean` averages **xs**.\n\n![beacon](https://evil.example/x.png)\n<script>bad()</script>"
THREE = """
[[models]]
id = "middle"
provider = "mine"
tier = "workhorse"
price = {{ input = 3, output = 15 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.805, fix = 0.805, tests = 0.805, review = 0.805 }}
"""


async def explain(s: Stage, part: str = "mean") -> None:
    (buffer,) = s.editor.buffers.values()
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index(part)), "Explain"))


async def test_a_hover_shows_the_kept_explanation_of_exactly_that_code(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='hover = "kept"\n') as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        at = SRC.index("mean")
        assert await s.editor.hover(buffer, at) is None
        s.upstream.says(EXPLAINED)
        await explain(s)
        shown = await s.editor.hover(buffer, at)
        assert shown is not None
        assert shown.startswith("`mean` averages **xs**.")
        assert shown.endswith("small, kept: asking again is free")
        assert "https" not in shown.replace("`https", "")
        assert "<script>" not in shown
        # On the header only, and on no other definition.
        assert await s.editor.hover(buffer, SRC.index("sum")) is None
        assert await s.editor.hover(buffer, SRC.index("other")) is None
        # Code that only moved is the same code; code that changed is not.
        s.editor.type(buffer, 0, 0, "import re\n")
        assert await s.editor.hover(buffer, buffer.text.index("mean")) == shown
        end = buffer.text.index("len(xs)")
        s.editor.type(buffer, end, end + 7, "len(ys)")
        stale = await s.editor.hover(buffer, buffer.text.index("mean"))
        assert stale is not None
        assert stale.startswith("**Explained before the last edit: this may no longer be true.**\n\n`mean` averages")
        assert stale.endswith("\n---\nsmall, kept")
        assert await s.editor.hover(buffer, buffer.text.index("other")) is None
        s.editor.type(buffer, end, end + 7, "len(xs)")
        assert await s.editor.hover(buffer, buffer.text.index("mean")) == shown
        same = s.editor.open("untitled:copy", "python", SRC.replace("import os", "# elsewhere"))
        assert await s.editor.hover(same, same.text.index("mean")) == shown
        assert len(s.upstream.requests) == 1

    # It outlives the server, and the code at that place is still what counts.
    def plain(editor: Editor) -> None:
        document = editor.capabilities.text_document
        assert document is not None
        document.hover = types.HoverClientCapabilities(content_format=[types.MarkupKind.PlainText])

    async with stage(tmp_path, before=plain) as s:
        buffer = s.editor.open(s.write("b.py", SRC), "python")
        assert await s.editor.hover(buffer, at) == shown
        await explain(s)
        assert s.upstream.requests == []
        assert messages(s)[-1] == "Explained `mean`: small, kept, $0 (mentions the code)."
        assert [entry.cost for entry in s.entries()][-1] == 0


async def test_ask_again_after_a_kept_answer(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        at = SRC.index("mean")
        s.upstream.says("`mean` averages.")
        await explain(s)
        assert not [each for each in titles(await s.editor.menu(buffer, at)) if each.startswith("Ask again")]
        await explain(s)
        menu = await s.editor.menu(buffer, at)
        assert titles(menu)[0] == "Ask again: Explain `mean`"
        assert menu[0].kind == "source.explain"
        assert titles(await s.editor.menu(buffer, SRC.index("other")))[0] == "Fix `other`"
        s.upstream.says("`mean` divides the sum by the length.")
        await s.editor.run(menu[0])
        assert len(s.upstream.requests) == 2
        assert messages(s)[-1] == "Explained `mean`: small, <$0.0001 (mentions the code)."
        shown = await s.editor.hover(buffer, at)
        assert shown is not None
        assert shown.startswith("`mean` divides")
        # It was an entry for that answer, which is not the latest any more.
        await s.editor.run(menu[0])
        assert messages(s)[-1].startswith("That answer is not the latest any more")
        assert len(s.upstream.requests) == 2


async def test_again_with_a_better_model(tmp_path: Path) -> None:
    async with stage(tmp_path, config=CONFIG.replace("0.82", "0.9") + THREE, extra="quality = 0.8\n") as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        at = SRC.index("mean")
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / max(len(xs), 1)\n```")
        await s.editor.run(pick(await s.editor.menu(buffer, at), "Fix"))
        assert "max(len(xs), 1)" in buffer.text
        assert s.upstream.requests[0].body["model"] == "small"

        # The target moves with what is typed elsewhere, and the title names whom the question then goes to.
        s.editor.type(buffer, 0, 0, "# above\n")
        entry = pick(await s.editor.menu(buffer, at + 8), "Again")
        assert entry.title.startswith("Again with a better model (middle, about $0.00")
        assert entry.title.endswith("): Fix `mean`")
        assert (entry.kind, entry.tags) == ("refactor.rewrite", (types.CodeActionTag.LlmGenerated,))
        assert await s.editor.menu(buffer, at + 8, trigger_kind=types.CodeActionTriggerKind.Automatic) == []
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / len(xs) if xs else 0.0\n```")
        await s.editor.run(entry)
        assert s.upstream.requests[1].body["model"] == "middle"
        assert "max(len(xs), 1)" not in s.upstream.requests[1].body["messages"][-1]["content"]
        assert buffer.text == "# above\n" + SRC.replace("len(xs)", "len(xs) if xs else 0.0")

        entry = pick(await s.editor.menu(buffer, at + 8), "Again")
        assert entry.title.startswith("Again with a better model (big, about $0.0")
        s.upstream.says("```python\ndef mean(xs):\n    return sum(xs) / len(xs) if len(xs) else 0.0\n```")
        await s.editor.run(entry)
        assert s.upstream.requests[2].body["model"] == "big"
        assert not [each for each in titles(await s.editor.menu(buffer, at + 8)) if each.startswith("Again")]
        assert [entry.outcome for entry in s.entries()] == ["kept"] * 3


async def test_there_is_nothing_to_ask_again_about_once_the_target_changed(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        at = SRC.index("mean")
        s.upstream.says("`mean` averages.")
        await explain(s)
        menu = await s.editor.menu(buffer, at)
        assert titles(menu)[0].startswith("Again with a better model (big, about $")
        s.editor.type(buffer, SRC.index("sum"), SRC.index("sum"), "-")
        assert titles(await s.editor.menu(buffer, at))[0] == "Fix `mean`"
        await s.editor.run(menu[0])
        assert messages(s)[-1].startswith("That answer is not the latest any more, or its text was changed.")
        # A failed answer leaves nothing to ask again about either.
        s.upstream.says("")
        s.upstream.says("")
        await s.editor.run(pick(await s.editor.menu(buffer, SRC.index("other")), "Explain"))
        assert not [each for each in titles(await s.editor.menu(buffer, SRC.index("other"))) if "gain" in each]
        s.editor.close(buffer)
        await s.editor.run(menu[0])
        assert len(s.upstream.requests) == 3
