"""Adverse conditions: each ends in a clear sentence, without a traceback and without loss of text."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from scenario import messages, until
from scripted_provider import error
from server import CONFIG, Stage, pick, stage, titles

from editor import Buffer, Editor
from tuppence.core.actions import ACTIONS

pytestmark = pytest.mark.asyncio(loop_scope="module")
SRC = "def mean(xs):\n    return sum(xs) / len(x)\n"
GOOD = "```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```"
FIXED = SRC.replace("len(x)", "len(xs)")
RUN = "tuppence.run"


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="s")
async def _shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all tests that need nothing special of theirs; it must survive them all without a traceback."""
    async with stage(tmp_path_factory.mktemp("bad")) as s:
        yield s
        assert "Traceback" not in "".join((*messages(s), *s.editor.seen.logs, s.editor.seen.errors))


async def fix(s: Stage, buffer: Buffer, part: str = "sum", reply: str = GOOD) -> str:
    """Ask for a fix, answered so; return the last message that the person saw."""
    s.upstream.says(reply)
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index(part)), "Fix"))
    return messages(s)[-1]


async def command(s: Stage, name: str, *arguments: Any) -> None:
    """Run a command as a key binding would, without a menu."""
    await s.editor.client.workspace_execute_command_async(types.ExecuteCommandParams(name, list(arguments)))


def place(buffer: Buffer, **more: Any) -> dict[str, Any]:
    """Return arguments that ask to fix the first line's definition."""
    start = {"line": 0, "character": 4}
    return {"action": "fix", "uri": buffer.uri, "range": {"start": start, "end": start}} | more


# --- documents ---


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "vscode-notebook-cell:/w/b.ipynb#W0sZ", "zip:///a.zip!/b.py"])
async def test_a_document_that_is_no_file_can_be_fixed_and_its_tests_say_why_not(s: Stage, uri: str) -> None:
    buffer = s.editor.open(uri, "python", SRC)
    assert (await fix(s, buffer)).startswith("Fixed `mean`: small, <$0.0001")
    assert buffer.text == FIXED
    asked = len(s.upstream.requests)
    await command(s, RUN, place(buffer, action="tests"))
    assert "no place for its tests" in messages(s)[-1]
    assert len(s.upstream.requests) == asked


async def test_a_document_that_takes_no_edit_says_so_and_stays(s: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = s.editor.open(s.write("readonly.py", SRC), "python")
    monkeypatch.setattr(s.editor, "apply", lambda _edit: False)
    said = await fix(s, buffer)
    assert said.startswith("Could not fix `mean`. The editor did not take the edit. Is the document read-only?")
    assert s.editor.seen.messages[-1].type == types.MessageType.Warning
    assert buffer.text == SRC
    assert s.entries()[-1].outcome == "stale"


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("a.bin", "MZ\0\0def f():\n    pass\n", "This is a binary file, and no model can read it."),
        ("empty.py", "", "The document is empty."),
        ("blank.py", " \n\t\n", "The document is empty."),
        (".env", "KEY=1\n", ".env is never sent to a model: a file named .env may hold secrets."),
        ("secret.py", SRC, "secret.py is never sent to a model: .tuppenceignore leaves it out."),
        ("ignored/a.py", SRC, "a.py is never sent to a model: .tuppenceignore leaves it out."),
    ],
)
async def test_what_cannot_or_may_not_be_read_is_not_sent(s: Stage, name: str, text: str, sentence: str) -> None:
    s.write(".tuppenceignore", "secret.py\nignored/\n")
    buffer = s.editor.open(s.write(name, text), "python")
    asked, entered = len(s.upstream.requests), len(s.entries())
    for action in ACTIONS:
        await command(s, RUN, place(buffer, action=action.id))
        assert messages(s)[-1] == sentence
        assert s.editor.seen.messages[-1].type == types.MessageType.Warning
    assert await s.editor.hover(buffer, 0) is None
    assert (len(s.upstream.requests), len(s.entries())) == (asked, entered)


async def test_an_old_version_of_a_private_file_is_as_private(s: Stage) -> None:
    for uri in (f"git:{s.root}/.env?ref", f"git:{s.root}/secret.py", "untitled:.env", f"untitled:{s.root}/secret.py"):
        s.write(".tuppenceignore", "secret.py\n")
        buffer = s.editor.open(uri, "python", SRC)
        asked = len(s.upstream.requests)
        await command(s, RUN, place(buffer, action="explain"))
        assert "is never sent to a model" in messages(s)[-1]
        assert len(s.upstream.requests) == asked


async def test_lone_surrogates_and_unknown_languages_are_fixed_like_any_other_text(s: Stage) -> None:
    text = "# \ud800 half\n" + SRC
    buffer = s.editor.open(s.write("surrogate.py", SRC).as_uri() + "?", "python", text)
    assert (await fix(s, buffer)).startswith("Fixed `mean`")
    assert buffer.text == "# \ud800 half\n" + FIXED
    strange = s.editor.open("untitled:strange", "no-such-language", "begin mean xs\n    give sum xs / len x\nend\n")
    said = await fix(s, strange, "sum", "```\nbegin mean xs\n    give sum xs / len xs\nend\n```")
    assert said.startswith("Fixed ")
    assert "len xs\nend" in strange.text


async def test_a_file_outside_the_workspace_is_fixed_too(s: Stage, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.py"
    path.write_text(SRC)
    buffer = s.editor.open(path, "python")
    assert (await fix(s, buffer)).startswith("Fixed `mean`")
    assert buffer.text == FIXED


async def test_a_file_of_3_mb_is_fixed(s: Stage) -> None:
    filler = "".join(f"def f{number}(a, b):\n    x = a + b\n    return x\n\n\n" for number in range(66_000))
    text = filler + SRC
    buffer = s.editor.open("file:///large.py", "python", text)
    assert (await fix(s, buffer, "sum(xs)")).startswith("Fixed `mean`")
    assert buffer.text == filler + FIXED
    s.editor.close(buffer)


async def test_folders_with_spaces_and_other_letters(tmp_path: Path) -> None:
    async with stage(tmp_path, folder="mein Projekt ü #1 %41") as s:
        s.write(".tuppenceignore", "geheim ü.py\n")
        buffer = s.editor.open(s.write("ein Modul.py", SRC), "python")
        assert (await fix(s, buffer)).startswith("Fixed `mean`")
        assert buffer.text == FIXED
        hidden = s.editor.open(s.write("geheim ü.py", SRC), "python")
        await command(s, RUN, place(hidden))
        assert messages(s)[-1] == "geheim ü.py is never sent to a model: .tuppenceignore leaves it out."


# --- between the menu and the command ---


async def test_a_document_that_changed_or_was_closed_since_the_menu_opened(s: Stage) -> None:
    buffer = s.editor.open(s.write("stale.py", SRC), "python")
    entry = pick(await s.editor.menu(buffer, 4), "Fix")
    asked = len(s.upstream.requests)
    s.editor.type(buffer, 0, 0, "# a\n")
    await s.editor.run(entry)
    assert messages(s)[-1] == "The document changed after the menu was opened. Open the menu again."
    assert s.editor.seen.messages[-1].type == types.MessageType.Warning
    s.editor.close(buffer)
    await s.editor.run(entry)
    assert messages(s)[-1] == "The document is not open any more. Open it and try again."
    assert len(s.upstream.requests) == asked


GONE = "That answer is not the latest any more, or its text was changed."
KNOWN = ", ".join(each.id for each in ACTIONS)
UNFIT = "The command does not fit the protocol:"
AGAIN = "Open the menu again."


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], f"There is no action `None`. Use one of: {KNOWN}."),
        ([None], f"There is no action `None`. Use one of: {KNOWN}."),
        ([["fix"], 3], f"There is no action `None`. Use one of: {KNOWN}."),
        ([{"action": "dance"}], f"There is no action `dance`. Use one of: {KNOWN}."),
        ([{"action": "fix"}], "The document is not open any more. Open it and try again."),
        ([{"action": "fix", "uri": "file:///nowhere"}], "The document is not open any more. Open it and try again."),
        ([{"range": None}], f"{UNFIT} `range` has to be an object, not null. {AGAIN}"),
        ([{"range": "all"}], f"{UNFIT} `range` has to be an object, not this text. {AGAIN}"),
        (
            [{"range": {"start": {"line": -1, "character": "x"}}}],
            f"{UNFIT} `range.start.line` has to be a whole number from 0 to 2147483647, not this number. {AGAIN}",
        ),
        (
            [{"diagnostic": {"message": 3}}],
            f"{UNFIT} `diagnostic.range` is missing; it has to be an object. {AGAIN}",
        ),
        ([{"diagnostics": [7]}], f"{UNFIT} `diagnostic` has to be an object, not this number. {AGAIN}"),
        ([{"version": "new"}], "The document changed after the menu was opened. Open the menu again."),
        (
            [{"again": "no such run"}],
            "That answer is not the latest any more, or its text was changed. Open the menu again.",
        ),
    ],
)
async def test_arguments_that_make_no_sense(s: Stage, arguments: list[Any], sentence: str) -> None:
    buffer = s.editor.buffers.get("untitled:arguments") or s.editor.open("untitled:arguments", "python", SRC)
    asked = len(s.upstream.requests)
    if arguments and isinstance(arguments[0], dict) and "action" not in arguments[0]:
        arguments = [place(buffer, **arguments[0])]
    await command(s, RUN, *arguments)
    assert messages(s)[-1] == sentence
    assert len(s.upstream.requests) == asked


async def test_the_other_commands_take_nonsense_in_silence_or_with_a_sentence(s: Stage) -> None:
    before = len(messages(s))
    for name in ("tuppence.stop", "tuppence.dismiss", "tuppence.clear"):
        for arguments in ((), (None,), ("x",), ({},), ({"uri": 3, "finding": [], "run": {}},)):
            await command(s, name, *arguments)
    assert messages(s)[before:] == []
    await command(s, "tuppence.apply", {"uri": "file:///nowhere"})
    assert messages(s)[-1] == "That finding is not there any more. Review again if you want it."
    with pytest.raises(Exception, match=r"tuppence\.dance"):
        await command(s, "tuppence.dance")


# --- providers and configurations ---


async def test_a_wrong_key_is_named_by_its_variable(tmp_path: Path) -> None:
    async with stage(tmp_path, keys={"MINE_API_KEY": "sk-wrong-0123456789"}) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        s.upstream.script(error(401, {"error": {"message": "bad key sk-wrong-0123456789", "code": "invalid_api_key"}}))
        await s.editor.run(pick(await s.editor.menu(buffer, 4), "Fix"))
        said = messages(s)[-1]
        assert said.startswith("Could not fix `mean`. mine refused the key in MINE_API_KEY (401, invalid_api_key).")
        assert "Set a valid key, then ask again." in said
        assert s.editor.seen.messages[-1].type == types.MessageType.Warning
        assert buffer.text == SRC
        assert len(s.upstream.requests) == 1
        # A model that the provider does not know.
        s.upstream.script(error(404, {"error": {"message": "no such model", "code": "model_not_found"}}))
        await s.editor.run(pick(await s.editor.menu(buffer, 4), "Fix"))
        assert "mine does not know small (404, model_not_found)." in messages(s)[-1]
        everything = "".join((*messages(s), *s.editor.seen.logs, s.editor.seen.errors))
        assert "sk-wrong" not in everything
        assert "Traceback" not in everything


async def test_no_key_at_all_says_which_one_is_missing(tmp_path: Path) -> None:
    async with stage(
        tmp_path,
        config=CONFIG + '[actions.fix]\nmodel = "mine/big"\n[actions.review]\nmodel = "mine/none"\n',
        keys={"MINE_API_KEY": None},
    ) as s:
        await until(lambda: s.editor.seen.messages)
        assert [each.type for each in s.editor.seen.messages] == [types.MessageType.Error]
        assert f"{s.config}:" in messages(s)[0]
        assert 'There is no model "mine/none" in the tier table.' in messages(s)[0]
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 4), "Fix"))
        assert "The pinned model mine/big may not answer: MINE_API_KEY is not set." in messages(s)[-1]
        await s.editor.run(pick(await s.editor.menu(buffer, 4), "Review"))
        assert "The pinned model mine/none is not in the tier table." in messages(s)[-1]
        assert s.upstream.requests == []


async def test_a_key_that_the_editor_hands_over_is_used_and_written_nowhere(tmp_path: Path) -> None:
    def hand_over(editor: Editor) -> None:
        editor.options = {"keys": {"MINE_API_KEY": "sk-handed-over-987", "OTHER": None, "THIRD": 3}, "more": []}

    async with stage(tmp_path, keys={"MINE_API_KEY": None}, before=hand_over) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        assert (await fix(s, buffer)).startswith("Fixed `mean`")
        assert s.upstream.requests[0].headers["authorization"] == "Bearer sk-handed-over-987"
        told = "".join((*messages(s), *s.editor.seen.logs, s.editor.seen.errors, str(s.editor.seen.progress)))
    written = b"".join(path.read_bytes() for path in s.home.rglob("*") if path.is_file())
    assert "handed-over" not in told + s.editor.seen.errors
    assert b"handed-over" not in written


async def test_a_dead_server_is_named_by_its_address(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with stage(tmp_path, config=CONFIG.replace("{base}", f"http://127.0.0.1:{port}/v1")) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 4), "Fix"))
        said = messages(s)[-1]
        dead = f"Could not fix `mean`. mine cannot be reached at http://127.0.0.1:{port}/v1. Check that it runs"
        assert said.startswith(dead)
        assert buffer.text == SRC
        assert s.entries()[-1].cost == 0


async def test_no_configuration_and_a_bad_one(tmp_path: Path) -> None:
    def none(editor: Editor) -> None:
        editor.command = [*editor.command[:-1], str(tmp_path / "none.toml")]

    async with stage(tmp_path, before=none) as s:
        await until(lambda: any("There is no file" in line for line in s.editor.seen.logs))
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await s.editor.run(pick(await s.editor.menu(buffer, 4), "Fix"))
        assert messages(s)[-1].startswith("Could not fix `mean`. No model may answer this: ")
        assert "Set a provider's key" in messages(s)[-1]

    bad = CONFIG + '[action.fix]\nquality = 2\n[[models]]\nid = "third"\nprovider = "mine"\ntier = "budged"\n'
    async with stage(tmp_path, config=bad, extra='presett = "best"\n') as s:
        await until(lambda: s.editor.seen.messages)
        first = s.editor.seen.messages[0]
        assert first.type == types.MessageType.Error
        lines = first.message.splitlines()
        assert lines[0].startswith(f"{s.config}:1: ")
        assert "preset" in lines[0]
        assert len(lines) == 3
        # What is right in it holds.
        buffer = s.editor.open(s.write("b.py", SRC), "python")
        assert (await fix(s, buffer)).startswith("Fixed `mean`: small")


async def test_accounts_that_cannot_be_written_cost_nobody_an_answer(tmp_path: Path) -> None:
    (tmp_path / "home" / "data").mkdir(parents=True)
    (tmp_path / "home" / "data" / "tuppence").write_text("in the way")
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("a.py", SRC), "python")
        await fix(s, buffer)
        assert buffer.text == FIXED
        warnings = [each.message for each in s.editor.seen.messages if each.type == types.MessageType.Warning]
        assert any("ledger" in each for each in warnings)
        assert "Traceback" not in "".join((*messages(s), *s.editor.seen.logs))


async def test_two_servers_share_the_accounts_and_the_kept_answers(tmp_path: Path) -> None:
    async with stage(tmp_path) as one, stage(tmp_path) as two:
        first = one.editor.open(one.write("a.py", SRC), "python")
        second = two.editor.open(two.write("b.py", SRC), "python")
        two.upstream.says("`mean` averages.")  # Both follow the one file, which the second one's start wrote anew.
        await one.editor.run(pick(await one.editor.menu(first, 4), "Explain"))
        assert (await two.editor.hover(second, 4) or "").startswith("`mean` averages.")
        await two.editor.run(pick(await two.editor.menu(second, 4), "Explain"))
        assert len(two.upstream.requests) == 1
        assert titles(await two.editor.menu(second, 4))[0] == "Ask again: Explain `mean`"
        two.upstream.says(GOOD)
        await two.editor.run(pick(await two.editor.menu(second, 4), "Fix"))
        assert [entry.action for entry in one.entries()] == ["explain", "explain", "fix"]
        cost = two.editor.seen.costs[-1]
        assert cost.today.usd > cost.session.usd


async def test_3_mb_in_one_line_fit_no_model_and_that_is_said(s: Stage) -> None:
    buffer = s.editor.open("file:///minified.js", "javascript", f"var x = [{'1,' * 1_500_000}]")
    asked = len(s.upstream.requests)
    for action in ("Fix", "Explain", "Review"):
        await s.editor.run(pick(await s.editor.menu(buffer, 4), action))
        assert "more than the " in messages(s)[-1]
        assert "Select a smaller part." in messages(s)[-1]
    assert len(s.upstream.requests) == asked
    s.editor.close(buffer)
