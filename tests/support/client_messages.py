"""Messages as editors send them, and seeded generators of invalid messages. Everything here is plain JSON."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

Json = Any
HUGE = 10**15
ODD: tuple[Json, ...] = (
    None, True, False, 0, -1, 1.5, -0.0, 2**31, 2**53 + 1, -(2**63), 10**400, 1e308, "", "5", "\0", "\ud800", "é😀",
    "x" * 3000, "file:///a\0b", "file://[", "not a uri", "http://[::1", "%ff%fe:%00", "file:///%00", "git:/a?{", [], {},
    [5], [None], [[]], {"": None}, {"uri": 5}, {"line": -1, "character": 0}, {"start": 1}, "initialize", "initialized",
)  # fmt: skip
"""Values to put in any place of a message."""


def place(line: Json = 0, character: Json = 0) -> Json:
    """Return a position."""
    return {"line": line, "character": character}


def span(start: Json = None, end: Json = None) -> Json:
    """Return a range, by default the empty one at the start."""
    return {"start": start or place(), "end": end or start or place()}


def diagnostic(message: str = "undefined name `x`") -> Json:
    """Return a diagnostic of another server, such as ruff."""
    return {
        "range": span(place(0, 0), place(0, 3)),
        "message": message,
        "severity": 1,
        "code": "F821",
        "codeDescription": {"href": "https://docs.example/F821"},
        "source": "Ruff",
        "tags": [1],
        "relatedInformation": [{"location": {"uri": "file:///b.py", "range": span()}, "message": "here"}],
        "data": {"edits": [{"range": span(), "newText": "y"}], "title": "replace", "noqa_edit": None},
    }


def command(name: str, *arguments: Json) -> Json:
    """Return a request to execute a command."""
    return {"id": 7, "method": "workspace/executeCommand", "params": {"command": name, "arguments": list(arguments)}}


def menu(uri: str, **context: Json) -> Json:
    """Return a code-action request."""
    params = {"textDocument": {"uri": uri}, "range": span(), "context": {"diagnostics": [], **context}}
    return {"id": 7, "method": "textDocument/codeAction", "params": params}


def hover(uri: str, line: int = 0, character: int = 4) -> Json:
    """Return a hover request."""
    params = {"textDocument": {"uri": uri}, "position": place(line, character)}
    return {"id": 7, "method": "textDocument/hover", "params": params}


def opened(uri: str, text: str, version: Json = 1) -> Json:
    """Return a ``didOpen`` notification."""
    item = {"uri": uri, "languageId": "python", "version": version, "text": text}
    return {"method": "textDocument/didOpen", "params": {"textDocument": item}}


def changed(uri: str, version: Json, *changes: Json) -> Json:
    """Return a ``didChange`` notification."""
    params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)}
    return {"method": "textDocument/didChange", "params": params}


INITIALIZE = {
    "processId": None,
    "clientInfo": {"name": "Visual Studio Code", "version": "1.124.0"},
    "locale": "en",
    "rootPath": "/w",
    "rootUri": "file:///w",
    "trace": "off",
    "initializationOptions": {"keys": {"MINE_API_KEY": "k"}},
    "workspaceFolders": [{"uri": "file:///w", "name": "w"}],
    "capabilities": {
        "general": {
            "staleRequestSupport": {"cancel": True, "retryOnContentModified": ["textDocument/inlayHint"]},
            "regularExpressions": {"engine": "ECMAScript", "version": "ES2020"},
            "positionEncodings": ["utf-16"],
        },
        "workspace": {
            "applyEdit": True,
            "workspaceEdit": {
                "documentChanges": True,
                "resourceOperations": ["create", "rename", "delete"],
                "failureHandling": "textOnlyTransactional",
                "changeAnnotationSupport": {"groupsOnLabel": True},
            },
            "symbol": {"symbolKind": {"valueSet": [*range(1, 27), 99]}, "tagSupport": {"valueSet": [1]}},
            "executeCommand": {"dynamicRegistration": True},
            "workspaceFolders": True,
        },
        "textDocument": {
            "synchronization": {"dynamicRegistration": True, "didSave": True},
            "hover": {"dynamicRegistration": True, "contentFormat": ["markdown", "plaintext", "asciidoc"]},
            "codeAction": {
                "dynamicRegistration": True,
                "isPreferredSupport": True,
                "disabledSupport": True,
                "dataSupport": True,
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["", "quickfix", "refactor", "notebook"]}},
                "tagSupport": {"valueSet": [1, 2]},
            },
        },
        "window": {"workDoneProgress": True, "showDocument": {"support": True}},
        "notebookDocument": {"synchronization": {"dynamicRegistration": True}},
        "experimental": {"tuppence": {"stream": 1, "status": True}, "other": [1]},
    },
}
"""The ``initialize`` parameters of VS Code, shortened, with added values of a newer protocol version."""


def samples(uri: str) -> tuple[Json, ...]:
    """Return one message of each kind that an editor sends, all about one document."""
    edit = {"range": span(place(0, 0), place(0, 1)), "rangeLength": 1, "text": "y"}
    run = {"action": "fix", "uri": uri, "version": 999, "range": span(), "diagnostics": [diagnostic()]}
    return (
        {"id": 7, "method": "initialize", "params": INITIALIZE},
        {"method": "initialized", "params": {}},
        opened(uri, "def f(x):\n    return x\n"),
        changed(uri, 2, edit),
        changed(uri, 3, edit, {"text": "def g():\n    pass\n"}),
        {"method": "textDocument/didSave", "params": {"textDocument": {"uri": uri}}},
        {"method": "textDocument/didClose", "params": {"textDocument": {"uri": uri}}},
        hover(uri),
        menu(uri, diagnostics=[diagnostic()], only=["quickfix", "source.organizeImports.new"], triggerKind=1),
        menu(uri, triggerKind=2),
        command("tuppence.run", run),
        command("tuppence.run", run | {"diagnostic": diagnostic()}),
        command("tuppence.run", {"again": "a", "above": "m", "model": "m", "price": "0.1"}),
        command("tuppence.stop", {"run": "a"}),
        command("tuppence.dismiss", {"uri": uri, "finding": "f"}),
        command("tuppence.clear", {"uri": uri}),
        command("tuppence.apply", {"uri": uri, "finding": "f", "version": 1}),
        command("tuppence.putBack", {"run": "a"}),
        command("tuppence.prewarm", {"uri": uri, "version": 999, "range": span()}),
        command("tuppence.preview", run),
        {"id": 7, "method": "tuppence/about", "params": None},
        {"method": "$/cancelRequest", "params": {"id": 7}},
        {"method": "$/setTrace", "params": {"value": "verbose"}},
        {"method": "window/workDoneProgress/cancel", "params": {"token": "t"}},
        {"method": "workspace/didChangeConfiguration", "params": {"settings": {"tuppence": {}}}},
        {"method": "workspace/didChangeWatchedFiles", "params": {"changes": [{"uri": uri, "type": 2}]}},
        {
            "method": "workspace/didChangeWorkspaceFolders",
            "params": {"event": {"added": [{"uri": "file:///v", "name": "v"}], "removed": []}},
        },
        {"method": "notebookDocument/didClose", "params": {"notebookDocument": {"uri": uri}, "cellTextDocuments": []}},
        {"id": "unasked", "result": {"applied": True}},
        {"id": 9, "error": {"code": -32601, "message": "no"}},
    )


def odd_message(dice: random.Random, base: Json) -> Json:
    """Return a copy of a message with one to three errors in it."""
    message = {"jsonrpc": "2.0", **json.loads(json.dumps(base))}
    for _ in range(dice.randint(1, 3)):
        _spoil(dice, message)
    return message


def odd_body(dice: random.Random, base: Json) -> bytes:
    """Return the bytes of a message with errors in its values, its JSON or its characters."""
    message = odd_message(dice, base)
    body = json.dumps(message).encode()
    kind = dice.randrange(14)
    at = dice.randrange(len(body))
    if kind == 0:
        return body[:at]
    if kind == 1:
        return body[:at] + bytes(dice.randrange(256) for _ in range(3)) + body[at:]
    if kind == 2:
        return json.dumps([message, message]).encode()
    if kind == 3:
        return body.replace(b"0", dice.choice((b"NaN", b"-Infinity", b"1e999", b"9" * 5000, b"\xff")), 1)
    if kind == 4:
        return body[:-1] + b', "id": 3, "method": "exits", "params": {"params": [{}]}}'
    if kind == 5 and at % 8 == 0:
        levels = dice.choice((150, 250, 900, 100_000))
        return body[:-1] + b', "params": ' + b"[" * levels + b"]" * levels + b"}"
    return body


def _odd(dice: random.Random) -> Json:
    return copy.deepcopy(dice.choice(ODD))


def _spoil(dice: random.Random, message: Json) -> None:
    """Change a random part of a message."""
    holder, key = message, "params" if "params" in message and dice.random() < 0.9 else dice.choice(list(message))
    while isinstance(holder[key], dict | list) and holder[key] and dice.random() < 0.8:
        holder = holder[key]
        key = dice.choice(list(holder)) if isinstance(holder, dict) else dice.randrange(len(holder))
    what = dice.randrange(6)
    if what == 0 and isinstance(holder, dict) and len(holder) > 1:
        del holder[key]
    elif what == 1:
        holder[key] = [holder[key]]
    elif what == 2 and isinstance(holder, dict):
        holder[dice.choice(("only", "version", "range", "text", "x", "uri"))] = _odd(dice)
    elif what == 3:
        holder[key] = str(holder[key])
    else:
        holder[key] = _odd(dice)
