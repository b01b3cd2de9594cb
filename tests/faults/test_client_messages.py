"""An editor that sends nonsense: each message is answered, logged or dropped, and the next good one is served."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from byte_editor import ByteEditor, conversation
from client_messages import (
    HUGE,
    INITIALIZE,
    ODD,
    changed,
    command,
    diagnostic,
    hover,
    menu,
    odd_body,
    opened,
    place,
    samples,
    span,
)

from tuppence.errors import Broken
from tuppence.lsp.protocol.framing import LONGEST_BODY, frame, read_message

URI = "file:///a.py"
OTHER = "file:///b.py"
TEXT = "def f(x):\n    return x\n"
INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR = -32602, -32600, -32700


@pytest.fixture(autouse=True)
def _no_error_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """See that nothing that a client sends is a mistake of ours."""
    yield
    assert not [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR]


async def served(editor: ByteEditor, uri: str = URI) -> None:
    """See that the server still answers about a document with a function in its first line, and said nothing odd."""
    said = (await editor.ask(hover(uri)))["result"]
    assert "Explain `f`" in said["contents"]["value"]
    titles = [each["title"] for each in (await editor.ask(menu(uri)))["result"]]
    assert titles == ["Fix `f`", "Explain `f`", "Generate tests for `f`", "Review `f`"]
    assert editor.scandals == []


async def answered(editor: ByteEditor, identity: int | str, times: int = 1) -> None:
    """Wait for the replies to a request: one that was sent later may be answered before it."""
    async with asyncio.timeout(60):
        while len(editor.answers.get(identity, ())) < times:  # noqa: ASYNC110 - the server runs in threads too
            await asyncio.sleep(0.002)


NOTHING: Any = ...
"""As a value: the field is taken away."""
YES, NO = True, False


def these(*values: Any) -> tuple[Any, ...]:
    """Return values of any types."""
    return values


def spoiled(message: Any, *path: Any, value: Any) -> Any:
    """Return a copy of a message with another value somewhere, or without it."""
    message = json.loads(json.dumps(message))
    holder = message["params"]
    for each in path[:-1]:
        holder = holder[each]
    if value is NOTHING:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return message


MENU = menu(URI, diagnostics=[diagnostic()], only=["quickfix"], triggerKind=1)
HOVER = hover(URI)
URIS = these(5, None, NOTHING, "", "a.py", "/a.py", "file:///a\0b", "file:///%00", "file://[", "file:///\ud800", "file:///a\nb",
        "file:///" + "a" * 1_000_000, ["file:///a"], YES, {})  # fmt: skip
COLUMNS = these(-1, 2**31, HUGE, 10**400, 1.5, 1e308, YES, NO, None, NOTHING, "0", [], {})
WRONG = (
    *((HOVER, ("textDocument", "uri"), each) for each in URIS),
    *((MENU, ("textDocument", "uri"), each) for each in URIS),
    *((HOVER, ("position", "line"), each) for each in COLUMNS if each not in (True, False)),
    *((HOVER, ("position", "character"), each) for each in COLUMNS if each not in (True, False)),
    *((MENU, ("range", "end", "character"), each) for each in COLUMNS if each not in (True, False)),
    *((HOVER, ("position",), each) for each in these(None, NOTHING, 5, "x", [], [0, 0])),
    *((MENU, ("context",), each) for each in these(None, NOTHING, 5, "x", [], [[]])),
    *(
        (MENU, ("context", "only"), each)
        for each in these([5], [None], "refactor", 5, {"a": 1}, [["x"]], ["\ud800"], [{}])
    ),
    *((MENU, ("context", "triggerKind"), each) for each in these("1", [], {}, 1.5)),
    *((MENU, ("context", "diagnostics"), each) for each in these(None, NOTHING, "x", 5, [5], [None], [[]], {"a": 1})),
    *((MENU, ("context", "diagnostics", 0, "range"), each) for each in these(None, NOTHING, 5, "x", {"start": 5}, [])),
    *((MENU, ("context", "diagnostics", 0, "message"), each) for each in these(None, NOTHING, 5, [], {})),
    *((MENU, ("context", "diagnostics", 0, "range", "start", "line"), each) for each in these("1", None, 1.5, [])),
    *((command("tuppence.run"), ("command",), each) for each in these(None, NOTHING, 5, [], {}, "\0", "x" * 1_000_000)),
    *((command("tuppence.run"), ("arguments",), each) for each in these(5, "x", {"a": 1}, YES)),
)


@pytest.mark.fault("client", "a request with a value of a wrong type")
async def test_a_wrong_value_is_refused_by_its_name(tmp_path: Path, record_property: Any) -> None:
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        for message, path, value in WRONG:
            answer = await editor.ask(spoiled(message, *path, value=value))
            assert answer["error"]["code"] == INVALID_PARAMS, (path, value, answer)
            name = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).lstrip(".")
            assert f"`{name}" in answer["error"]["message"], (name, answer)
            assert len(answer["error"]["message"]) < 300
        await served(editor)
    record_property("cases", len(WRONG))


@pytest.mark.fault("client", "parameters that are none")
async def test_parameters_of_another_shape_are_refused(tmp_path: Path, record_property: Any) -> None:
    methods = ("textDocument/hover", "textDocument/codeAction", "workspace/executeCommand")
    shapes = these(None, [], 5, "x", YES, [{}], {"params": {}})
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        for method in methods:
            for shape in shapes:
                answer = await editor.ask({"method": method, "params": shape})
                assert answer["error"]["code"] == INVALID_PARAMS
            assert (await editor.ask({"method": method}))["error"]["code"] == INVALID_PARAMS
        await served(editor)
    record_property("cases", len(methods) * (len(shapes) + 1))


INSERT: Any = {"range": span(place(0, 0)), "text": "y"}
CHANGE = changed(URI, 2, INSERT)
OPENED = opened(URI, "other")
WRONG_CHANGES = (
    *(spoiled(CHANGE, "textDocument", "version", value=each) for each in these(None, NOTHING, 1.5, "2", HUGE, [])),
    *(spoiled(CHANGE, "contentChanges", value=each) for each in these(None, NOTHING, 5, "x", [5], [None], [[]])),
    *(spoiled(CHANGE, "contentChanges", 0, "text", value=each) for each in these(None, NOTHING, 5, [], {})),
    *(spoiled(CHANGE, "contentChanges", 0, "range", value=each) for each in these(5, "x", [0], {"start": 1})),
    *(
        spoiled(CHANGE, "contentChanges", 0, "range", "start", "line", value=each)
        for each in COLUMNS
        if each not in (True, False)
    ),
    changed(URI, 2, INSERT, INSERT | {"range": {"start": place(0, "0"), "end": place(0, 1)}}),
    changed(URI, 2, INSERT | {"range": {"start": place([], 0), "end": place(0, 1)}}, INSERT, {"text": 5}),
    *(spoiled(OPENED, "textDocument", "version", value=each) for each in these(None, NOTHING, 1.5, "2")),
    *(spoiled(OPENED, "textDocument", "text", value=each) for each in these(None, NOTHING, 5, [])),
    *(spoiled(OPENED, "textDocument", "languageId", value=each) for each in these(None, NOTHING, 5, "\ud800", "a\0")),
)


@pytest.mark.fault("client", "a change or an open document that cannot be read")
async def test_a_wrong_change_is_ignored_and_its_document_is_trusted_no_more(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, record_property: Any
) -> None:
    async with conversation(tmp_path) as editor:
        documents = editor.server.protocol.documents
        for number, message in enumerate(WRONG_CHANGES):
            editor.say(opened(URI, TEXT))
            assert (await editor.ask(hover(URI)))["result"]
            caplog.clear()
            editor.say(message)
            editor.say(message)
            # The editor has another text now: what is offered for this one would land in the wrong place.
            menus = (await editor.ask(menu(URI)))["result"]
            assert {each["title"] for each in menus} == {"Fix", "Explain", "Generate tests for", "Review"}, message
            assert all("close the document" in each["disabled"]["reason"] for each in menus)
            assert (await editor.ask(hover(URI)))["result"] is None
            run = {"action": "fix", "uri": URI, "range": span()}
            editor.messages.clear()
            await editor.ask(command("tuppence.run", run))
            # The totals that follow the introduction come at any time: they are read from the ledger in a thread.
            [shown] = [each for each in editor.messages if each["method"] == "window/showMessage"]
            assert "close the document" in shown["params"]["message"]
            document = documents.get(URI)
            assert document is not None
            assert (document.text, document.version) == (TEXT, 1)
            assert len([each for each in caplog.records if "ignored" in each.getMessage()]) <= 1
            if number % 2:  # The whole text makes it right again, as opening it does.
                editor.say(changed(URI, 3, {"text": TEXT}))
                await served(editor)
    record_property("cases", len(WRONG_CHANGES))


@pytest.mark.fault("client", "a notification with a value of a wrong type")
async def test_a_wrong_notification_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, record_property: Any
) -> None:
    wrong: tuple[Any, ...] = (
        {"method": "$/cancelRequest", "params": {"id": []}},
        {"method": "$/cancelRequest", "params": {"id": None}},
        {"method": "$/cancelRequest", "params": [1]},
        {"method": "$/setTrace", "params": {"value": "compact"}},
        {"method": "$/setTrace", "params": {"value": 1}},
        {"method": "window/workDoneProgress/cancel", "params": {"token": {}}},
        {"method": "textDocument/didClose", "params": {"textDocument": {"uri": None}}},
        {"method": "textDocument/didClose", "params": None},
        {"method": "workspace/didChangeWorkspaceFolders", "params": {"event": {"added": 5, "removed": []}}},
        {"method": "workspace/didChangeWorkspaceFolders", "params": {"event": {"added": [{"uri": 5}], "removed": []}}},
        {"method": ["textDocument/didOpen"]},
        {"method": None, "params": {}},
    )
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        for message in wrong:
            caplog.clear()
            editor.server.protocol._logged.clear()
            for _ in range(3):
                editor.say(message)
            await served(editor)
            assert len(caplog.records) == 1, message
        assert not [each for each in editor.messages if each["method"] == "window/showMessage"]
    record_property("cases", len(wrong))


@pytest.mark.fault("client", "what is not in the protocol's types and real editors send")
async def test_what_real_editors_send_is_served(tmp_path: Path, record_property: Any) -> None:
    far = span(place(-1, 0), place(2**32 - 1, 2**53))
    accepted: tuple[tuple[Any, tuple[Any, ...], Any], ...] = (
        (MENU, ("context", "only"), None),
        (MENU, ("context", "only"), ["quickfix", "source.new.of.a.newer.protocol", ""]),
        (MENU, ("context", "only"), {}),
        (MENU, ("context", "triggerKind"), 3),
        (MENU, ("context", "triggerKind"), None),
        (MENU, ("context", "diagnostics"), {}),
        (MENU, ("context", "diagnostics", 0, "range"), far),
        *((MENU, ("context", "diagnostics", 0, "severity"), each) for each in these(None, 5, "error", [])),
        *((MENU, ("context", "diagnostics", 0, "code"), each) for each in these(None, 5, {"value": 5}, [], "\ud800")),
        *((MENU, ("context", "diagnostics", 0, "tags"), each) for each in these(None, [9], "x", {})),
        *((MENU, ("context", "diagnostics", 0, "relatedInformation"), each) for each in these(None, [5], "x", {})),
        *((MENU, ("context", "diagnostics", 0, "data"), each) for each in ODD),
        *((MENU, ("workDoneToken",), each) for each in these(None, [], {}, 1.5, "t")),
        *((HOVER, ("workDoneToken",), each) for each in these(None, [], {}, 1.5, "t")),
        *((HOVER, ("x.acme.ours",), each) for each in ODD),
        (HOVER, ("position", "line"), 0.0),
        (HOVER, ("position", "character"), 4.0),
    )
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        for message, path, value in accepted:
            answer = await editor.ask(spoiled(message, *path, value=value))
            assert answer.get("result") is not None, (path, value, answer)
        for number, change in enumerate((INSERT | {"rangeLength": -5}, {"text": TEXT, "range": None}), 2):
            editor.say(changed(URI, number, change))
        editor.say(changed(URI, 4.0, {"text": TEXT, "rangeLength": 3}))
        await served(editor)
        document = editor.server.protocol.documents.get(URI)
        assert document is not None
        assert type(document.version) is int
        assert document.version == 4
    record_property("cases", len(accepted) + 3)


@pytest.mark.fault("client", "an introduction with wrong capabilities and options")
async def test_wrong_capabilities_count_as_absent(tmp_path: Path, record_property: Any) -> None:
    paths = (
        ("capabilities",), ("capabilities", "window"), ("capabilities", "textDocument"), ("capabilities", "workspace"),
        ("capabilities", "general"), ("capabilities", "general", "positionEncodings"), ("capabilities", "experimental"),
        ("capabilities", "experimental", "tuppence"), ("capabilities", "textDocument", "codeAction"), ("clientInfo",),
        ("capabilities", "workspace", "workspaceEdit", "resourceOperations"), ("clientInfo", "name"), ("trace",),
        ("initializationOptions",), ("initializationOptions", "keys"), (
        "initializationOptions", "keys", "MINE_API_KEY"),
        ("locale",),
    )  # fmt: skip
    dice = random.Random(12)  # noqa: S311 - a seeded test
    tried = 0
    for path in paths:
        for value in dice.sample((NOTHING, 5, [], *ODD), 2):
            introduced = spoiled({"params": INITIALIZE}, *path, value=value)["params"]
            async with conversation(tmp_path, introduced) as editor:
                editor.say(opened(URI, TEXT))
                assert (await editor.ask(menu(URI)))["result"], (path, value)
                assert editor.scandals == []
            tried += 1
    record_property("cases", tried)


@pytest.mark.fault("client", "an introduction with wrong folders")
async def test_wrong_folders_are_refused_or_left_out(tmp_path: Path, record_property: Any) -> None:
    refused: tuple[tuple[str, Any], ...] = (
        *(("processId", each) for each in these("5", [], 1.5, {}, YES)),
        *(("rootUri", each) for each in these(5, [], {}, YES)),
        *(("rootPath", each) for each in these(5, [], {}, "\0", "\ud800")),
        *(("workspaceFolders", each) for each in these(5, "x", {"a": 1}, [5], [{"uri": 5, "name": "x"}])),
    )
    absent: tuple[tuple[str, Any], ...] = (
        *(("rootUri", each) for each in these("", "not a uri", "file://[", "file:///%00", "/a")),
        *(("rootPath", each) for each in these("", "//foo", "a/b", "C:\\x")),
        *(("workspaceFolders", each) for each in these(None, {}, [], [{"uri": "file:///%00", "name": "x"}])),
    )
    bare = {"capabilities": INITIALIZE["capabilities"], "processId": None}
    async with conversation(tmp_path, None) as editor:
        for name, value in refused:
            answer = await editor.ask({"method": "initialize", "params": bare | {name: value}})
            assert answer["error"]["code"] == INVALID_PARAMS, (name, value)
            assert f"`{name}" in answer["error"]["message"]
        assert "result" in await editor.ask({"method": "initialize", "params": bare})
    for name, value in absent:
        async with conversation(tmp_path, bare | {name: value}) as editor:
            editor.say(opened(URI, TEXT))
            assert (await editor.ask(hover(URI)))["result"]
            assert editor.scandals == []
    record_property("cases", len(refused) + len(absent))


@pytest.mark.fault("client", "command arguments of any shape")
async def test_arguments_of_any_shape_become_a_sentence(tmp_path: Path, record_property: Any) -> None:
    names = ("run", "stop", "apply", "putBack", "dismiss", "clear", "prewarm", "preview")
    shapes: list[Any] = [
        {"uri": URI, "action": "fix", key: each} for key in ("uri", "range", "version") for each in ODD
    ]
    shapes += [{"uri": URI, "action": "fix", "range": span(), "diagnostic": each} for each in ODD if each is not None]
    shapes += [{"uri": URI, "action": each, "range": span()} for each in ODD]
    shapes += [{"again": each, "above": each, "model": each, "price": each} for each in ODD if each is not None]
    cases = [(name, shape) for name in names for shape in (*ODD, [{}])]
    cases += [("run", shape) for shape in shapes]
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        for name, shape in cases:
            answer = await editor.ask(command(f"tuppence.{name}", shape))
            assert "result" in answer, (name, shape, answer)
        await served(editor)
        sentences = [each["params"]["message"] for each in editor.messages if each["method"] == "window/showMessage"]
        assert sentences
        assert max(map(len, sentences)) < 400
    record_property("cases", len(cases))


WHOLE = frame(b'{"jsonrpc": "2.0", "method": "x"}')
FRAMES: tuple[tuple[bytes, int], ...] = (
    (b"Content-Length: 10000000000\r\n\r\n{}", 0),
    (b"Content-Length: -5\r\n\r\n{}", 0),
    (b"Content-Length: \r\n\r\n{}", 0),
    (b"Content-Length: 0x10\r\n\r\n{}", 0),
    (b"Content-Length: +2\r\n\r\n{}", 0),
    ("Content-Length: ٣\r\n\r\n{}".encode(), 0),
    (b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 0),
    (b"Content-Length: 2\r\nContent-Length: 9999\r\n\r\n{}", 0),
    (b"Content-Type: x\r\n\r\n{}", 0),
    (b"\r\n{}", 0),
    (b"Content-Length: " + b"0" * 1_000_000 + b"2\r\n\r\n{}", 0),
    (b"X" * 1_000_000 + b"\r\n\r\n{}", 0),
    (b"GET / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 0),
    (WHOLE + b"Content-Length: 33\r\n", 1),
    (WHOLE + b"Content-Length: 33\r\n\r\n{", 1),
    (WHOLE + b"Content-Length: 5\r\n\r\n" + WHOLE, 2),
    (WHOLE.replace(b"\r\n", b"\n") + WHOLE, 2),
    (WHOLE.replace(b"\r\n\r\n", b"\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n"), 1),
    (WHOLE.replace(b"Content", b"CONTENT"), 1),
    (f"Content-Length: {LONGEST_BODY}\r\n\r\n{{".encode(), 0),
    (f"Content-Length: {LONGEST_BODY + 1}\r\n\r\n{{".encode(), 0),
    (b"Content-Length: 0\r\n\r\n" + WHOLE, 2),
    (b"\x00" * 70_000, 0),
)


async def bodies(data: bytes) -> list[bytes]:
    """Return the bodies that are read from a stream before it ends or is given up."""
    reader = asyncio.StreamReader(limit=1 << 16)
    reader.feed_data(data)
    reader.feed_eof()
    found: list[bytes] = []
    try:
        while (body := await read_message(reader)) is not None:
            found.append(body)
    except Broken:
        return found
    return found


@pytest.mark.fault("client", "framing that lies")
async def test_framing_that_lies_ends_the_stream_and_nothing_else(record_property: Any) -> None:
    for data, count in FRAMES:
        assert len(await bodies(data)) == count, data[:60]
    dice = random.Random(5)  # noqa: S311 - a seeded test
    stream = WHOLE * 3
    for _ in range(5000):
        at, length = dice.randrange(len(stream)), dice.choice((0, 1, 2, 30))
        torn = stream[:at] + bytes(dice.randrange(256) for _ in range(dice.randrange(3))) + stream[at + length :]
        found = await bodies(torn)
        assert len(found) <= 4
        if at >= len(WHOLE):  # What came before the fault was read as it was sent.
            assert found[0] == WHOLE.partition(b"\r\n\r\n")[2]
    record_property("cases", len(FRAMES) + 5000)


LONG_ID = b'"%b"' % (b"i" * 40_000)
BODIES: tuple[tuple[bytes, int], ...] = (
    (b"", PARSE_ERROR),
    (b"{", PARSE_ERROR),
    (b"\xff\xfe\x00", PARSE_ERROR),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "\xc3\x28"}', PARSE_ERROR),
    (b"[" * 100_000, PARSE_ERROR),
    (b'{"a":' * 100_000, PARSE_ERROR),
    (b'{"jsonrpc": "2.0", "id": NaN, "method": "x"}', PARSE_ERROR),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "x", "params": [Infinity]}', PARSE_ERROR),
    (b'{"jsonrpc": "2.0", "id": ' + b"9" * 5000 + b', "method": "x"}', PARSE_ERROR),
    (b"[]", INVALID_REQUEST),
    (b'[{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}]', INVALID_REQUEST),
    (b"null", INVALID_REQUEST),
    (b'"x"', INVALID_REQUEST),
    (b'{"jsonrpc": "1.0", "id": null, "method": "shutdown"}', INVALID_REQUEST),
    (b'{"jsonrpc": 2.0, "method": "shutdown"}', INVALID_REQUEST),
    (b'{"jsonrpc": "2.0", "id": [1], "method": ' + b"[" * 300 + b"]" * 300 + b"}", INVALID_REQUEST),
    *(
        (b'{"jsonrpc": "2.0", "id": ' + each + b', "method": "shutdown"}', INVALID_PARAMS)
        for each in these(b"null", b"1.5", b"true", b"{}", b"[]", b"1e999", b"1" * 400, b'"\\ud800"', LONG_ID)
    ),
)  # fmt: skip


@pytest.mark.fault("client", "bodies that are no message")
async def test_a_body_that_is_no_message_is_answered_without_an_id(tmp_path: Path, record_property: Any) -> None:
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        for body, code in BODIES:
            editor.answers.clear()
            editor.send(body)
            await served(editor)
            (answer,) = editor.answers[None]
            assert answer["error"]["code"] == code, (body[:60], answer)
    record_property("cases", len(BODIES))


@pytest.mark.fault("client", "ids and methods that do not go together")
async def test_each_request_is_answered_once_whatever_its_kind(tmp_path: Path) -> None:
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        cases: tuple[tuple[Any, int], ...] = (
            (opened(OTHER, TEXT) | {"id": 1}, INVALID_REQUEST),
            ({"id": 2, "method": "$/cancelRequest", "params": {"id": 9}}, INVALID_REQUEST),
            ({"id": 3, "method": 5}, INVALID_REQUEST),
            ({"id": 4, "method": {"a": 1}, "params": []}, INVALID_REQUEST),
            ({"id": 5, "method": "initialize", "params": INITIALIZE}, INVALID_REQUEST),
            ({"id": 6, "method": "no/such", "params": {"type_name": 5, "class": [1]}}, -32601),
            ({"id": 7, "method": "x" * 1_000_000}, -32601),
            ({"id": 8, "method": "notebookDocument/didOpen", "params": {}}, -32601),
            (HOVER | {"id": 2.0**60}, INVALID_PARAMS),
        )
        for message, code in cases:
            editor.answers.clear()
            editor.say(message)
            await served(editor)
            ((answer,),) = editor.answers.values()
            assert answer["error"]["code"] == code, answer
            assert len(answer["error"]["message"]) < 300
        editor.answers.clear()
        editor.say({"method": "initialize", "params": INITIALIZE | {"capabilities": {}}})
        editor.say(HOVER | {"id": "twice"})
        editor.say(HOVER | {"id": "twice"})
        editor.say(HOVER | {"id": 3.0})
        await served(editor)
        await answered(editor, 3)
        await answered(editor, "twice", 2)
        assert sorted("error" in each for each in editor.answers["twice"]) == [False, True]
        assert [each["id"] for each in editor.answers[3]] == [3]
        assert editor.server.protocol.client.apply_edit, "it was not introduced anew"


@pytest.mark.fault("client", "answers that nobody asked for")
async def test_no_answer_or_cancel_reaches_what_it_does_not_belong_to(tmp_path: Path) -> None:
    async with conversation(tmp_path) as editor:
        editor.say(opened(URI, TEXT))
        await served(editor)
        protocol = editor.server.protocol
        asked = asyncio.create_task(_choice(editor))
        await asyncio.sleep(0)
        (ours,) = protocol._result_types
        for message in (
            {"method": "$/cancelRequest", "params": {"id": ours}},
            HOVER | {"id": ours},
            *(
                {"id": each, "result": {"title": "no"}}
                for each in these(1, "1", 1.5, None, [ours], {}, YES, str(ours).upper())
            ),
            {"id": 9, "error": {"code": "x"}},
        ):
            editor.say(message)
        editor.say(HOVER | {"id": 77})
        editor.say({"id": 77, "result": None})
        editor.say({"id": 77, "error": {"code": 1, "message": "x"}})
        await served(editor)
        await answered(editor, 77)
        assert not asked.done()
        assert "result" in editor.answers[77][0]
        editor.say({"id": ours, "result": {"title": "yes"}, "error": None})
        assert await asked == "yes"


async def _choice(editor: ByteEditor) -> str:
    from lsprotocol import types

    editor.silent = True
    params = types.ShowMessageRequestParams(types.MessageType.Info, "?", [types.MessageActionItem("yes")])
    answer = await editor.server.window_show_message_request_async(params)
    assert answer is not None
    return answer.title


@pytest.mark.fault("client", "messages before the introduction and after the end")
async def test_messages_at_the_wrong_time_are_refused_or_dropped(tmp_path: Path) -> None:
    async with conversation(tmp_path, None) as editor:
        for message in (HOVER, MENU, command("tuppence.cost"), {"method": "shutdown"}):
            assert (await editor.ask(message))["error"]["code"] == -32002
        editor.say(opened(URI, TEXT))
        editor.say(changed(URI, 2, {"text": "x"}))
        editor.say({"method": "initialized", "params": {}})
        assert "result" in await editor.ask({"method": "initialize", "params": INITIALIZE})
        editor.say(changed(URI, 2, {"text": "x"}))
        assert editor.server.protocol.documents.get(URI) is None
        editor.say(opened(URI, "x", 5))
        editor.say(opened(URI, TEXT, 4))
        await served(editor)
        assert "result" in await editor.ask({"method": "shutdown", "params": [5]})
        for message in (HOVER, {"method": "shutdown"}, {"method": "initialize", "params": INITIALIZE}):
            assert (await editor.ask(message))["error"]["code"] == INVALID_REQUEST
        editor.say({"method": "exit", "id": 5, "params": 5})
        await asyncio.wait_for(editor.server.protocol.ended.wait(), 60)
        assert editor.scandals == []


@pytest.mark.fault("client", "exit at any moment")
async def test_exit_at_any_moment_ends_the_conversation(tmp_path: Path, record_property: Any) -> None:
    messages = samples(URI)
    for number in range(0, len(messages), 2):
        async with conversation(tmp_path) as editor:
            editor.say(opened(URI, TEXT))
            for each in messages[:number]:
                editor.say(each)
            editor.say({"method": "exit"})
            await asyncio.wait_for(editor.server.protocol.ended.wait(), 60)
            assert editor.scandals == []
    record_property("cases", len(messages) // 2)


@pytest.mark.fault("client", "seeded malformed messages")
@pytest.mark.parametrize("seed", range(4))
async def test_malformed_messages_between_good_ones(tmp_path: Path, seed: int, record_property: Any) -> None:
    await bombard(tmp_path, seed, 5_000)
    record_property("cases", 5_000)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.fault("client", "seeded malformed messages")
@pytest.mark.parametrize("seed", range(100, 110))
async def test_many_more_malformed_messages_between_good_ones(tmp_path: Path, seed: int, record_property: Any) -> None:
    await bombard(tmp_path, seed, 20_000)
    record_property("cases", 20_000)


async def bombard(folder: Path, seed: int, count: int) -> None:
    """Send malformed messages about one document between good changes of another one, and look at that now and then."""
    dice = random.Random(seed)  # noqa: S311 - a seeded test
    bases = samples(OTHER)
    async with conversation(folder) as editor:
        text, version = TEXT, 1
        editor.say(opened(URI, text))
        for number in range(1, count + 1):
            editor.send(odd_body(dice, dice.choice(bases)))
            if number % 10 == 0:
                change, text = _typed(dice, text)
                version += 1
                editor.say(changed(URI, version, change))
            if number % 500 == 0:
                await served(editor)
                document = editor.server.protocol.documents.get(URI)
                assert document is not None
                assert (document.text, document.version) == (text, version)
                assert len(editor.server.protocol._result_types) <= 1
                text = TEXT
                version += 1
                editor.say(changed(URI, version, {"text": text}))
        await served(editor)


def _typed(dice: random.Random, text: str) -> tuple[Any, str]:
    """Return a change below the first line as an editor sends it, and the text after it, by a model of its own."""
    lines = text.split("\n")
    one, two = sorted((row := dice.randrange(1, len(lines)), dice.randint(0, len(lines[row]))) for _ in range(2))
    new = dice.choice(("", "y", "😀", "\n", "    é\n", "x = '𐐀'\n"))

    def at(where: tuple[int, int]) -> Any:
        return place(where[0], len(lines[where[0]][: where[1]].encode("utf-16-le")) // 2)

    before = "\n".join((*lines[: one[0]], lines[one[0]][: one[1]]))
    after = "\n".join((lines[two[0]][two[1] :], *lines[two[0] + 1 :]))
    return {"range": {"start": at(one), "end": at(two)}, "text": new}, before + new + after
