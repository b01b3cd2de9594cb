from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from lsprotocol import types
from scenario import until

from tuppence.errors import Refused
from tuppence.lsp.documents.convert import Encoding
from tuppence.lsp.protocol.lifecycle import Server

URI = "file:///a.py"


class Editor:
    """An editor that speaks bytes to a server in this process."""

    def __init__(self, server: Recorder) -> None:
        self.server = server
        self.heard: list[dict[str, Any]] = []
        server.protocol.set_writer(self)

    def write(self, data: bytes) -> None:
        header, _, body = data.partition(b"\r\n\r\n")
        assert header == b"Content-Length: %d" % len(body)
        self.heard.append(json.loads(body))

    def close(self) -> None:
        raise AssertionError("the transport closes")

    def say(self, method: str, params: Any = None, **more: Any) -> None:
        self.server.protocol.receive(
            json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode()
        )

    def run(self, command: str, id_: int, *arguments: Any) -> None:
        self.say("workspace/executeCommand", {"command": command, "arguments": list(arguments)}, id=id_)

    def answers(self, id_: Any) -> list[dict[str, Any]]:
        return [message for message in self.heard if message.get("id") == id_ and "method" not in message]

    async def answer(self, id_: Any) -> dict[str, Any]:
        """Return the one answer, with time for a second one to show up."""
        await until(lambda: self.answers(id_))
        await asyncio.sleep(0.02)
        (found,) = self.answers(id_)
        return found

    def shown(self) -> list[str]:
        return [message["params"]["message"] for message in self.heard if message.get("method") == "window/showMessage"]


class Recorder(Server):
    """A server that records which requests have begun, for the tests to wait for, and what was run, to look at."""

    def __init__(self) -> None:
        super().__init__("test", "0")
        self.begun: list[Any] = []
        self.ran: list[Any] = []


def make_server() -> Recorder:
    server = Recorder()

    @server.command("hang")
    async def hang(ls: Recorder, *_: Any) -> str:
        protocol, request = ls.protocol, ls.protocol.current_request()
        assert request is not None
        protocol.on_cancel(request, lambda: ls.ran.append(f"told {request}"))
        ls.begun.append(request)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ls.ran.append(f"cancelled {protocol.cancelled}")
            await asyncio.sleep(0.01)
            ls.ran.append("cleaned up")
            raise
        return "never"

    @server.command("stubborn")
    async def stubborn() -> str:
        server.begun.append("stubborn")
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return "stayed"

    @server.command("quick")
    async def quick(number: int) -> int:
        return number + 1

    @server.command("fail")
    async def fail(kind: str) -> None:
        raise Refused("The key is wrong.", "Set another.") if kind == "refused" else ValueError("of the user's source")

    @server.command("unwritable")
    async def unwritable() -> Any:
        return {1j}

    @server.command("slow thread")
    @server.thread()
    def slow_thread() -> str:
        time.sleep(0.05)
        return threading.current_thread().name

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover:
        server.begun.append("hover")
        await asyncio.sleep(60)
        return types.Hover(str(params))

    return server


INITIALIZE = {
    "processId": None,
    "rootUri": None,
    "capabilities": {"general": {"positionEncodings": ["utf-32"]}},
    "clientInfo": {"name": "Neovim"},
    "workspaceFolders": [{"uri": "file:///w", "name": "w"}],
}


@pytest.fixture
async def editor() -> AsyncIterator[Editor]:
    editor = Editor(make_server())
    editor.say("initialize", INITIALIZE, id=0)
    assert "result" in await editor.answer(0)
    yield editor
    await editor.server.protocol.wind_up()
    editor.server.shutdown()  # type: ignore[no-untyped-call]  # pygls does not annotate it


def ran(editor: Editor) -> list[str]:
    return editor.server.ran


async def begun(editor: Editor, *which: int | str) -> None:
    """Wait until requests have begun: a command by its request, ``stubborn`` and ``hover`` by their names."""
    await until(lambda: set(which) <= set(editor.server.begun))


async def test_who_speaks_and_how_is_known_from_initialize(editor: Editor) -> None:
    protocol = editor.server.protocol
    assert protocol.client.name == "Neovim"
    assert protocol.encoding == Encoding.Utf32
    assert protocol.began.is_set()
    sync = (await editor.answer(0))["result"]["capabilities"]["textDocumentSync"]
    assert (sync["openClose"], sync["change"]) == (True, 2)


async def test_documents_are_ours_and_folders_are_pygls(editor: Editor) -> None:
    item = {"uri": URI, "languageId": "python", "version": 7, "text": "a\x0cb\nc"}
    editor.say("textDocument/didOpen", {"textDocument": item})
    insertion = {"range": {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 0}}, "text": "😀"}
    changes = {"textDocument": {"uri": URI, "version": 8}, "contentChanges": [insertion]}
    editor.say("textDocument/didChange", changes)
    document = editor.server.protocol.documents.get(URI)
    assert document is not None
    assert (document.text, document.version, document.language) == ("a\x0cb\n😀c", 8, "python")
    assert not editor.server.workspace.text_documents
    editor.say("textDocument/didClose", {"textDocument": {"uri": URI}})
    assert editor.server.protocol.documents.get(URI) is None
    added = {"event": {"added": [{"uri": "file:///v", "name": "v"}], "removed": []}}
    editor.say("workspace/didChangeWorkspaceFolders", added)
    assert sorted(editor.server.workspace.folders) == ["file:///v", "file:///w"]


async def test_a_servers_own_handler_sees_the_new_text() -> None:
    server = make_server()
    seen = []

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: Recorder, params: types.DidOpenTextDocumentParams) -> None:
        seen.append(ls.protocol.documents.get(params.text_document.uri))

    editor = Editor(server)
    editor.say("initialize", INITIALIZE, id=0)
    item = {"uri": URI, "languageId": "python", "version": 1, "text": "x"}
    editor.say("textDocument/didOpen", {"textDocument": item})
    assert [document and document.text for document in seen] == ["x"]


async def test_a_cancelled_command_really_ends_and_is_answered_once(editor: Editor) -> None:
    editor.run("hang", 1)
    await begun(editor, 1)
    editor.say("$/cancelRequest", {"id": 1})
    editor.say("$/cancelRequest", {"id": 1})
    assert (await editor.answer(1))["error"]["code"] == types.LSPErrorCodes.RequestCancelled
    await until(lambda: "cleaned up" in ran(editor))  # The answer may come before it.
    assert ran(editor) == ["told 1", "cancelled {1: True}", "cleaned up"]
    # It is forgotten after the answer; where it never is, the test fails by its timeout.
    while editor.server.protocol.cancelled:  # noqa: ASYNC110 - a dictionary that empties is no event
        await asyncio.sleep(0)


async def test_a_command_cancelled_before_its_first_step_never_runs(editor: Editor) -> None:
    editor.run("hang", 1)
    editor.say("$/cancelRequest", {"id": 1})
    assert (await editor.answer(1))["error"]["code"] == types.LSPErrorCodes.RequestCancelled
    assert ran(editor) == []


async def test_a_cancel_hits_its_own_request_only(editor: Editor) -> None:
    editor.run("hang", 1)
    editor.run("hang", 2)
    await begun(editor, 1, 2)
    editor.say("$/cancelRequest", {"id": 2})
    await editor.answer(2)
    await until(lambda: "cleaned up" in ran(editor))
    assert ran(editor) == ["told 2", "cancelled {2: True}", "cleaned up"]
    assert not editor.answers(1)


async def test_a_cancelled_request_that_answers_anyway_is_answered_once(editor: Editor) -> None:
    editor.run("stubborn", 1)
    await begun(editor, "stubborn")
    editor.say("$/cancelRequest", {"id": 1})
    assert (await editor.answer(1))["error"]["code"] == types.LSPErrorCodes.RequestCancelled


async def test_a_cancelled_feature_ends(editor: Editor) -> None:
    editor.say("textDocument/hover", {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}, id=1)
    await begun(editor, "hover")
    editor.say("$/cancelRequest", {"id": 1})
    assert (await editor.answer(1))["error"]["code"] == types.LSPErrorCodes.RequestCancelled


async def test_a_command_whose_task_we_cancel_is_answered_too(editor: Editor) -> None:
    editor.run("hang", 1)
    await begun(editor, 1)
    for task in asyncio.all_tasks():
        if "hang" in repr(task.get_coro()) or "wrapped" in repr(task.get_coro()):
            task.cancel()
    assert (await editor.answer(1))["error"]["code"] == types.LSPErrorCodes.RequestCancelled


async def test_a_cancel_that_comes_too_late_is_nothing(editor: Editor, caplog: pytest.LogCaptureFixture) -> None:
    editor.run("quick", 1, 41)
    assert (await editor.answer(1))["result"] == 42
    editor.say("$/cancelRequest", {"id": 1})
    editor.server.protocol.on_cancel(1, lambda: ran(editor).append("late"))
    editor.say("$/cancelRequest", {"id": 1})
    assert ran(editor) == []
    assert not caplog.records


async def test_who_asks_after_the_cancel_is_told_at_once(editor: Editor) -> None:
    editor.run("hang", 1)
    await begun(editor, 1)
    editor.say("$/cancelRequest", {"id": 1})
    editor.server.protocol.on_cancel(1, lambda: ran(editor).append("at once"))
    assert ran(editor) == ["told 1", "at once"]


async def test_nothing_is_kept_of_requests_that_are_answered(editor: Editor) -> None:
    for number in range(1, 30):
        editor.run("quick", number, number)
        editor.say("textDocument/didSave", {"textDocument": {"uri": URI}})
    protocol = editor.server.protocol
    await until(lambda: all(editor.answers(number) for number in range(1, 30)))
    await until(lambda: not protocol._request_futures and not protocol._requests._futures)


async def test_a_thread_is_answered(editor: Editor) -> None:
    editor.run("slow thread", 1)
    assert "ThreadPool" in (await editor.answer(1))["result"]


async def test_progress_is_cancelled_by_its_token_and_forgotten_at_its_end(editor: Editor) -> None:
    progress = editor.server.work_done_progress
    for token in ("a", "b"):
        progress.begin(token, types.WorkDoneProgressBegin("Fix"))
        editor.server.protocol.on_progress_cancel(token, lambda token=token: ran(editor).append(token))  # type: ignore[misc]  # a loop's lambda
    progress.end("b", types.WorkDoneProgressEnd())
    for token in ("a", "a", "b", "unknown"):
        editor.say("window/workDoneProgress/cancel", {"token": token})
    assert ran(editor) == ["a"]
    progress.end("a", types.WorkDoneProgressEnd())
    assert not progress.tokens


@pytest.mark.parametrize(
    ("kind", "code", "sentence"),
    [
        ("refused", types.LSPErrorCodes.RequestFailed, "The key is wrong. Set another."),
        ("other", types.ErrorCodes.InternalError, "tuppence made a mistake (ValueError); its log says more."),
    ],
)
async def test_an_error_is_one_sentence(editor: Editor, kind: str, code: int, sentence: str) -> None:
    editor.run("fail", 1, kind)
    assert (await editor.answer(1))["error"] == {"code": code, "message": sentence}
    assert editor.shown() == []


async def test_a_fault_in_a_notification_is_shown_once() -> None:
    server, failed = make_server(), list[str]()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        failed.append(params.text_document.uri)
        raise ValueError(params)

    editor = Editor(server)
    editor.say("initialize", INITIALIZE, id=0)
    for _ in range(3):
        editor.say("textDocument/didSave", {"textDocument": {"uri": URI}})
    await until(lambda: len(failed) == 3)
    editor.run("quick", 1, 1)
    assert (await editor.answer(1))["result"] == 2, "by then each failure was seen"
    assert editor.shown() == ["tuppence made a mistake (ValueError); its log says more."]


@pytest.mark.parametrize(
    ("body", "code", "id_"),
    [
        (b"{", types.ErrorCodes.ParseError, None),
        (b"\xff\xfe", types.ErrorCodes.ParseError, None),
        (b"[" * 100_000, types.ErrorCodes.ParseError, None),
        (b"[]", types.ErrorCodes.InvalidRequest, None),
        (b"17", types.ErrorCodes.InvalidRequest, None),
        (b'{"id": 5, "method": "textDocument/hover"}', types.ErrorCodes.InvalidRequest, 5),
        (
            b'{"jsonrpc": "2.0", "id": 5, "method": "textDocument/hover", "params": {}}',
            types.ErrorCodes.InvalidParams,
            5,
        ),
        (b'{"jsonrpc": "2.0", "id": [], "method": "textDocument/hover"}', types.ErrorCodes.InvalidParams, None),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "no/such", "params": {}}', types.ErrorCodes.MethodNotFound, 5),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "initialize", "params": {"capabilities": {}}}', -32600, 5),
    ],
)
async def test_a_message_that_makes_no_sense_is_answered_and_survived(
    editor: Editor, body: bytes, code: int, id_: int | None
) -> None:
    editor.heard.clear()
    editor.server.protocol.receive(body)
    (error,) = [message["error"] for message in editor.heard if message.get("id") == id_]
    assert error["code"] == code
    assert "Traceback" not in json.dumps(editor.heard)
    editor.run("quick", 9, 1)
    assert (await editor.answer(9))["result"] == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {}}',
        b'{"jsonrpc": "2.0", "method": "no/such", "params": {}}',
        b'{"jsonrpc": "2.0", "method": "no/such", "surprise": 1}',
        b'{"jsonrpc": "2.0", "id": "unasked", "result": null}',
        b'{"jsonrpc": "2.0"}',
        b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 12345}}',
    ],
)
async def test_what_has_no_answer_is_dropped_and_survived(editor: Editor, body: bytes) -> None:
    editor.heard.clear()
    editor.server.protocol.receive(body)
    assert editor.heard == []
    editor.run("quick", 9, 1)
    assert (await editor.answer(9))["result"] == 2


@pytest.mark.parametrize("command", ["no such", "quick"])
async def test_a_command_asked_for_wrongly_is_refused(editor: Editor, command: str) -> None:
    editor.run(command, 1)
    assert (await editor.answer(1))["error"]["code"] == types.ErrorCodes.InvalidParams


async def test_an_answer_that_cannot_be_written_is_an_error(editor: Editor) -> None:
    editor.run("unwritable", 1)
    assert (await editor.answer(1))["error"]["code"] == types.ErrorCodes.InternalError


async def test_half_an_emoji_can_be_sent(editor: Editor) -> None:
    editor.server.window_show_message(types.ShowMessageParams(types.MessageType.Info, "\ud83d"))
    assert editor.shown() == [r"\ud83d"]


async def test_an_editors_malformed_answer_fails_the_request_that_waits(editor: Editor) -> None:
    asked = editor.server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(types.WorkspaceEdit()))
    waiting = asyncio.create_task(asked)
    await asyncio.sleep(0)
    body = {"jsonrpc": "2.0", "id": editor.heard[-1]["id"], "result": {"applied": True, "failedChange": "?"}}
    editor.server.protocol.receive(json.dumps(body).encode())
    with pytest.raises(Exception, match="malformed"):
        await waiting


async def test_an_answer_nobody_waits_for_any_more_is_dropped(editor: Editor, caplog: pytest.LogCaptureFixture) -> None:
    asked = editor.server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(types.WorkspaceEdit()))
    waiting = asyncio.create_task(asked)
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    body = {"jsonrpc": "2.0", "id": editor.heard[-1]["id"], "result": {"applied": True}}
    editor.server.protocol.receive(json.dumps(body).encode())
    assert not caplog.records
    assert not editor.server.protocol._request_futures


async def test_requests_before_initialize_are_refused() -> None:
    editor = Editor(make_server())
    editor.run("quick", 1, 1)
    editor.say("textDocument/didOpen", {"textDocument": {"uri": URI, "languageId": "x", "version": 1, "text": ""}})
    assert (await editor.answer(1))["error"]["code"] == types.ErrorCodes.ServerNotInitialized
    assert editor.server.protocol.documents.get(URI) is None


async def test_shutdown_lets_runs_clean_up_before_it_is_answered(editor: Editor) -> None:
    editor.run("hang", 1)
    await begun(editor, 1)
    assert editor.server.protocol.exit_code == 1
    editor.say("shutdown", id=2)
    editor.run("quick", 3, 1)
    assert (await editor.answer(2))["result"] is None
    assert "cleaned up" in ran(editor)
    assert (await editor.answer(1))["error"]["code"] == types.LSPErrorCodes.RequestCancelled
    assert (await editor.answer(3))["error"]["code"] == types.ErrorCodes.InvalidRequest
    assert not editor.server.protocol.ended.is_set()
    editor.say("exit")
    assert editor.server.protocol.ended.is_set()
    assert editor.server.protocol.exit_code == 0


async def test_nothing_of_what_passes_is_logged(editor: Editor, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        editor.server.window_show_message(types.ShowMessageParams(types.MessageType.Info, "sacred"))
        editor.run("quick", 1, "sacred")
        editor.run("fail", 2, "sacred")
        editor.say("textDocument/didChange", {"sacred": 1})
        await editor.answer(1)
        await editor.answer(2)
    assert "sacred" not in "".join(record.getMessage() for record in caplog.records)
