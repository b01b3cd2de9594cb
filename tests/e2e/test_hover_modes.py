"""The hover under each value of the setting, in VS Code and in an editor that does not follow links to commands."""

from __future__ import annotations

import asyncio
import json
import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from lsprotocol import types
from scenario import gated, until
from scripted_provider import error
from server import CONFIG, Stage, pick, stage

from editor import Editor
from tuppence.lsp.features.hover import PAUSE

MEAN = "def mean(xs):\n    return sum(xs) / len(xs)\n"
SRC = f"import os\n\n\n{MEAN}\n\nclass Box:\n    def get(self):\n        return self\n"
AT = SRC.index("mean")
OFFER = "2 lines, simple. Explain `mean` in the code actions: about $# at small."
SAID = "`mean` averages **xs**."
LOCAL = """
[[models]]
id = "own"
provider = "mine"
tier = "local"
price = 0
context = 32000
max_output = 4096
"""
PIN = '\n[actions.explain]\nmodel = "mine/{}"\n'
UNPRICED = re.sub(r"price = .*\n", "", CONFIG, count=1) + PIN.format("small")
KEPT = f"{SAID}\n\n---\nsmall, kept: asking again is free"
VSCODE: dict[str, Any] = {"name": "Visual Studio Code", "streams": True}
LINK = re.compile(r"\[Explain `mean`\]\(command:tuppence\.run\?([^)\s]+)\)")
FIGURE = re.compile(r"(about \$)[\d.]*\d")


async def look(s: Stage, part: str = "mean") -> str | None:
    """Return what a hover shows at a part of the text, without figures that are the router's affair."""
    (buffer,) = s.editor.buffers.values()
    shown = await s.editor.hover(buffer, buffer.text.index(part))
    return None if shown is None else FIGURE.sub(r"\1#", shown)


async def explain(s: Stage) -> None:
    (buffer,) = s.editor.buffers.values()
    await s.editor.run(pick(await s.editor.menu(buffer, AT), "Explain"))


def configure(s: Stage, hover: str, more: str = "", rest: str | None = None) -> None:
    """Write the configuration anew; the server follows it."""
    text = rest or CONFIG
    general = f'hover = "{hover}"\n{more}\n'
    s.config.write_text(general + text.format(wire="openai", base=s.upstream.openai), encoding="utf-8")


def opened(s: Stage) -> Any:
    return s.editor.open(s.write("a.py", SRC), "python")


def request(s: Stage, msg_id: str) -> Any:
    """Ask for a hover on ``mean`` under an id that can be cancelled."""
    (buffer,) = s.editor.buffers.values()
    position = s.editor.range(buffer.text, AT, AT).start
    params = types.HoverParams(types.TextDocumentIdentifier(buffer.uri), position)
    return s.editor.client.protocol.send_request("textDocument/hover", params, msg_id=msg_id)


async def cancel(s: Stage, msg_id: str, asked: Any) -> None:
    s.editor.cancel(msg_id)
    with pytest.raises(Exception, match="ancel"):
        await asyncio.wrap_future(asked)


@pytest.mark.parametrize("client", [{}, VSCODE], ids=["generic", "vscode"])
async def test_each_value_shows_what_it_says_and_spends_nothing(tmp_path: Path, client: dict[str, Any]) -> None:
    async with stage(tmp_path, **client) as s:
        buffer = opened(s)
        shown = await look(s)
        assert shown is not None
        assert LINK.sub("Explain `mean` in the code actions", shown) == OFFER
        assert bool(LINK.search(shown)) is bool(client)
        assert await s.editor.hover(buffer, AT + len("mean") - 1) is not None
        # On the name and nowhere else.
        for part in ("def mean", "xs", "sum", "os", "return self\n"):
            assert await look(s, part) is None
        assert (await look(s, "Box") or "").startswith("3 lines, simple. ")
        configure(s, "kept")
        assert await look(s) is None
        configure(s, "off")
        assert await look(s) is None
        assert (s.upstream.requests, s.entries()) == ([], ())

        s.upstream.says(SAID)
        await explain(s)
        assert await look(s) is None
        for value in ("kept", "offer", "auto"):
            configure(s, value)
            assert await look(s) == KEPT
        configure(s, "kept")
        assert await look(s, "Box") is None
        assert len(s.upstream.requests) == 1


async def test_the_link_runs_the_one_command_that_vscode_trusts(tmp_path: Path) -> None:
    async with stage(tmp_path, **VSCODE) as s:
        opened(s)
        found = LINK.search(await look(s) or "")
        assert found is not None
        # VS Code parses the query as a JSON array of arguments.
        (argument,) = json.loads(unquote(found[1]))
        s.upstream.says(SAID)
        params = types.ExecuteCommandParams("tuppence.run", [argument])
        await s.editor.client.workspace_execute_command_async(params)
        assert await look(s) == KEPT


async def test_what_others_wrote_is_inert_in_a_hover(tmp_path: Path) -> None:
    evil = (
        "[run](command:tuppence.run?%5B%7B%7D%5D) and [more](https://evil.example) <a href='command:x'>a</a> "
        "<command:tuppence.run> ![i](https://evil.example/i.png)\n\n[ref]: command:tuppence.run\n\n[ref]"
    )
    source = "class A {\n  ['`](command:tuppence.stop)`'](x) {\n    return x;\n  }\n}\n"
    async with stage(tmp_path, **VSCODE) as s:
        buffer = s.editor.open(s.write("a.js", source), "javascript")
        # A name that is Markdown, as any repository may have.
        shown = await s.editor.hover(buffer, source.index("command"))
        assert shown is not None
        label = shown[shown.index("[Explain ") : shown.index("](command:tuppence.run?")]
        assert (label.count("`"), label[-1]) == (2, "`")
        # A model's answer.
        s.upstream.says(f"`A` holds. {evil}")
        await s.editor.run(pick(await s.editor.menu(buffer, source.index("A")), "Explain"))
        shown = await s.editor.hover(buffer, source.index("A"))
        assert shown is not None
        assert shown.startswith("`A` holds. run and more")
        assert "](" not in shown
        assert "<" not in re.sub(r"`[^`]*`|\\<", "", shown)
        assert re.search(r"^\[ref\]:", shown, re.MULTILINE) is None


async def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    def plain(editor: Editor) -> None:
        document = editor.capabilities.text_document
        assert document is not None
        document.hover = types.HoverClientCapabilities(content_format=[types.MarkupKind.PlainText])

    async with stage(tmp_path, before=plain, **VSCODE) as s:
        opened(s)
        assert await look(s) == OFFER
        configure(s, "offer", rest=UNPRICED)
        assert await look(s) == OFFER.replace("about $#", "at an unknown price")
        configure(s, "offer", 'exclude = ["mine/small", "mine/big"]')
        assert await look(s) == OFFER.replace("about $# at small", "no model is known yet that may answer")
        assert s.upstream.requests == []


@pytest.mark.parametrize("client", [{}, VSCODE], ids=["generic", "vscode"])
async def test_auto_asks_by_itself_once_and_keeps_the_answer(tmp_path: Path, client: dict[str, Any]) -> None:
    async with stage(tmp_path, extra='hover = "auto"\n', **client) as s:
        opened(s)
        s.upstream.says(SAID)
        began = time.monotonic()
        shown = await look(s)
        assert time.monotonic() - began > PAUSE
        assert shown == f"{SAID}\n\n---\nsmall, asked by a hover for <$0.0001"
        assert await look(s) == shown
        (entry,) = s.entries()
        assert (entry.action, entry.model, entry.outcome, len(s.upstream.requests)) == ("explain", "small", "kept", 1)
        assert s.editor.seen.costs[-1].last.action == "explain"
        assert s.editor.seen.explanations == []
        # A person who asks at a quality of their own is not given the hover's answer.
        s.upstream.says("`mean` divides.")
        await explain(s)
        assert len(s.upstream.requests) == 2
        assert await look(s) == KEPT.replace(SAID, "`mean` divides.")


async def test_auto_asks_nobody_where_it_may_not(tmp_path: Path) -> None:
    async with stage(tmp_path, extra='hover = "auto"\n') as s:
        buffer = opened(s)
        assert await look(s, "sum") is None
        assert await look(s, "def mean") is None
        # The pointer passed by.
        passing = asyncio.create_task(look(s))
        await asyncio.sleep(PAUSE / 2)
        assert await look(s, "sum") is None
        assert await passing == OFFER
        # The editor cancelled it.
        asked = request(s, "h1")
        await asyncio.sleep(PAUSE / 2)
        await cancel(s, "h1", asked)
        await asyncio.sleep(PAUSE)
        # A pin holds, and so does the cap.
        configure(s, "auto", "hover_cap = 0.01", CONFIG + PIN.format("big"))
        shown = await s.editor.hover(buffer, AT)
        found = re.search(r"Not asked by itself: it could cost \$(0\.\d+), and hover_cap is \$0\.0100\.$", shown or "")
        assert found is not None, shown
        assert float(found[1]) > 0.01
        configure(s, "auto", rest=UNPRICED)
        assert (await look(s) or "").endswith("Not asked by itself: no price is known of any model that may answer.")
        assert (s.upstream.requests, s.entries()) == ([], ())


async def test_auto_asks_the_cheapest_tier_alone_and_nobody_again_to_no_avail(tmp_path: Path) -> None:
    async with stage(tmp_path, config=CONFIG + LOCAL, extra='hover = "auto"\n') as s:
        opened(s)
        s.upstream.says("")
        shown = await look(s)
        assert [each.body["model"] for each in s.upstream.requests] == ["own"]
        assert (shown or "").startswith(f"{OFFER} Could not explain `mean`.")
        assert await look(s) == shown
        s.upstream.script(error(401, {"error": {"message": "no"}}))
        assert "Could not explain `Box`. mine refused the key in MINE_API_KEY" in (await look(s, "Box") or "")
        assert len(s.upstream.requests) == 2
        s.upstream.says(SAID)
        await explain(s)
        assert await look(s) == KEPT


async def test_what_is_sent_is_kept_though_its_hover_was_cancelled(tmp_path: Path) -> None:
    gate = asyncio.Event()
    async with stage(tmp_path, extra='hover = "auto"\n') as s:
        opened(s)
        s.upstream.script(gated(SAID, gate))
        asked = request(s, "h1")
        await until(lambda: s.upstream.requests)
        await cancel(s, "h1", asked)
        second = asyncio.create_task(look(s))
        await asyncio.sleep(0.2)
        gate.set()
        assert (await second or "").startswith(SAID)
        assert [(each.model, each.outcome) for each in s.entries()] == [("small", "kept")]
        assert len(s.upstream.requests) == 1


async def test_a_question_in_the_queue_ends_with_its_hover(tmp_path: Path) -> None:
    """A local model serves one at a time, so that the second question waits, and is not sent."""
    gate = asyncio.Event()
    async with stage(tmp_path, config=CONFIG + LOCAL, extra='hover = "auto"\n') as s:
        opened(s)
        s.upstream.script(gated("`Box` gives itself.", gate))
        first = asyncio.create_task(look(s, "Box"))
        await until(lambda: s.upstream.requests)
        asked = request(s, "h2")
        await asyncio.sleep(PAUSE + 0.8)
        await cancel(s, "h2", asked)
        gate.set()
        assert (await first or "").startswith("`Box` gives itself.")
        assert len(s.upstream.requests) == 1
        assert [each.outcome for each in s.entries()].count("cancelled") == 1
