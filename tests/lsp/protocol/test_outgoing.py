"""Every word that goes out to the editor is safe, in each field of each message; the user's text is never changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lsprotocol import types
from planted_keys import KEYS, in_text

from tuppence.core.text.key_scan import KeyScan
from tuppence.lsp.protocol.outgoing import Outgoing

EVIL = f"[Retry](command:x?a)\x1b]8;;http://evil.example\x07\u202e\x9b2J{KEYS['MINE_API_KEY']}"
HIDDEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]|\]\(")
HERE = types.Range(types.Position(0, 0), types.Position(0, 1))
TOKEN = "tuppence-1"


def diagnostic() -> types.Diagnostic:
    place = types.Location("file:///a.py", HERE)
    related = [types.DiagnosticRelatedInformation(place, EVIL)]
    return types.Diagnostic(range=HERE, message=EVIL, source=EVIL, code=EVIL, related_information=related)


def entry() -> types.CodeAction:
    command = types.Command(title=EVIL, command="tuppence.run", arguments=[{"text": EVIL}])
    return types.CodeAction(title=EVIL, command=command, disabled=types.CodeActionDisabled(EVIL))


def progress(value: Any) -> types.ProgressNotification:
    return types.ProgressNotification(types.ProgressParams(TOKEN, value))


def own(method: str, params: dict[str, Any]) -> Any:
    """Return one of our own notifications, as pygls makes them."""
    from pygls.protocol.json_rpc import JsonRPCNotification

    return JsonRPCNotification(method=method, params=params, jsonrpc="2.0")


MESSAGES: dict[str, Any] = {
    "message": types.ShowMessageNotification(types.ShowMessageParams(types.MessageType.Info, EVIL)),
    "log": types.LogMessageNotification(types.LogMessageParams(types.MessageType.Info, EVIL)),
    "trace": types.LogTraceNotification(types.LogTraceParams(EVIL, EVIL)),
    "question": types.ShowMessageRequest(
        1, types.ShowMessageRequestParams(types.MessageType.Info, EVIL, [types.MessageActionItem(EVIL)])
    ),
    "begin": progress(types.WorkDoneProgressBegin(title=EVIL, message=EVIL)),
    "report": progress(types.WorkDoneProgressReport(message=EVIL)),
    "end": progress(types.WorkDoneProgressEnd(message=EVIL)),
    "diagnostics": types.PublishDiagnosticsNotification(types.PublishDiagnosticsParams("file:///a.py", [diagnostic()])),
    "menu": types.CodeActionResponse(1, [entry()]),
    "error": types.ResponseErrorMessage(id=1, error=types.ResponseError(code=-1, message=EVIL)),
    "edit": types.ApplyWorkspaceEditRequest(1, types.ApplyWorkspaceEditParams(types.WorkspaceEdit(), EVIL)),
    "annotations": types.ApplyWorkspaceEditRequest(
        1,
        types.ApplyWorkspaceEditParams(
            types.WorkspaceEdit(change_annotations={"a": types.ChangeAnnotation(EVIL, description=EVIL)})
        ),
    ),
    "run": own("tuppence/run", {"run": "1", "title": EVIL, "line": EVIL, "uri": "file:///a.py"}),
    "cost": own("tuppence/cost", {"today": {"display": EVIL}, "last": {"reason": EVIL}, "byModel": [{"name": EVIL}]}),
    "explanation": own("tuppence/explanation", {"run": "1", "title": EVIL, "markdown": "text"}),
}


@pytest.fixture
def outgoing() -> Outgoing:
    made = Outgoing()
    made.hide = KeyScan(KEYS.items()).hide
    return made


def words(value: Any) -> list[str]:
    """Return every text in a message but what an editor hands back."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [each for name, inner in value.items() if name != "arguments" for each in words(inner)]
    if isinstance(value, list | tuple):
        return [each for inner in value for each in words(inner)]
    fields = getattr(type(value), "__attrs_attrs__", ())
    return [each for field in fields if field.name != "arguments" for each in words(getattr(value, field.name))]


@pytest.mark.attack("what comes back", "a message with links, escapes and keys")
@pytest.mark.parametrize("name", MESSAGES)
def test_each_message_is_safe(name: str, outgoing: Outgoing) -> None:
    message = MESSAGES[name]
    before = words(message)
    assert any(EVIL in each for each in before)
    after = words(outgoing.cleaned(message))
    assert len(after) == len(before)
    assert not [each for each in after if HIDDEN.search(each)]
    assert not [each for each in after if in_text(each)]
    assert words(message) == before, "the message itself is not changed"


@pytest.mark.attack("keys", "a key in a text that is shown as Markdown")
def test_markdown_loses_keys_and_nothing_else(outgoing: Outgoing) -> None:
    text = f"[a](#b) **key**: {KEYS['OPENAI_API_KEY']}\r\n\tcode"
    seen = outgoing.cleaned(own("tuppence/explanation", {"markdown": text})).params["markdown"]
    assert seen == "[a](#b) **key**: [key of OPENAI_API_KEY]\r\n\tcode"
    hover = types.HoverResponse(1, types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)))
    assert outgoing.cleaned(hover).result.contents.value == seen


def test_what_is_applied_or_handed_back_is_not_touched(outgoing: Outgoing) -> None:
    edit = types.WorkspaceEdit(changes={"file:///a.py": [types.TextEdit(HERE, EVIL)]})
    asked = types.ApplyWorkspaceEditRequest(1, types.ApplyWorkspaceEditParams(edit, "Fix"))
    assert outgoing.cleaned(asked) is asked
    action = types.CodeAction(title="Fix", edit=edit, diagnostics=[diagnostic()], data={"a": EVIL})
    menu = types.CodeActionResponse(1, [action])
    assert outgoing.cleaned(menu).result[0] == action
    draft = own("tuppence/edit", {"edits": [{"newText": EVIL}]})
    assert outgoing.cleaned(draft) is draft


@pytest.mark.parametrize("kind", ["line", "lines", "log"])
def test_a_text_is_cut_where_it_would_fill_the_screen(kind: Any, outgoing: Outgoing) -> None:
    assert len(outgoing.text("x" * 2_000_000, kind)) <= 100_001
    assert len(outgoing.text("\u202e" * 2_000_000, kind)) <= 200_001


def test_harmless_messages_are_passed_as_they_are(outgoing: Outgoing) -> None:
    said = types.ShowMessageNotification(
        types.ShowMessageParams(types.MessageType.Info, "Fixed `f(x)[0](y)`:\n  ok 👍🏽")
    )
    assert outgoing.cleaned(said) is said
    cost = own("tuppence/cost", {"today": {"usd": "0.1", "display": "$0.1000"}, "requests": 3, "last": None})
    assert outgoing.cleaned(cost).params == cost.params


@pytest.mark.attack("keys", "a key beside an error's message, or in a hover's code")
def test_what_is_beside_the_words_loses_keys_too(outgoing: Outgoing, record_property: Any) -> None:
    record_property("cases", 2 * len(KEYS))
    for key in KEYS.values():
        error = types.ResponseError(1, "no", data={"traceback": [f"  x = '{key}'\n"], "code": 3})
        cleaned = outgoing.cleaned(types.ResponseErrorMessage(jsonrpc="2.0", id=1, error=error))
        assert in_text(repr(cleaned)) == []
        assert cleaned.error.data["code"] == 3
        hover = types.Hover([types.MarkedStringWithLanguage("python", f"x = '{key}'"), "plain"])
        assert in_text(repr(outgoing.cleaned(types.HoverResponse(1, hover)))) == []
