"""Make all text that the user sees in an outgoing message safe, whatever its origin.

Every message passes ``Outgoing.cleaned`` on its way to the connection. This module knows which fields of the protocol's
types, and of our own messages, hold text for the user, and how many lines each place shows. It removes hidden
characters, anything that an editor would turn into a link (:mod:`tuppence.core.text.shown_text`), and the keys in use.
Markdown is cleaned where it is created (core/answer/markdown.py), so only the keys are removed from it here.

Anything that an editor applies or returns (edits, arguments, addresses, the diagnostics of a code action) is never
changed: it is the user's text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Any, Literal

from lsprotocol import types

from tuppence.core.text.shown_text import shown

Kind = Literal["line", "lines", "log", "markdown", "inside", "all"]
"""The content of a field: one line, some lines, a log's lines, Markdown, values that contain such fields, or only
text."""
_LIMITS: Mapping[Kind, int] = {"line": 1_000, "lines": 20_000, "log": 100_000, "markdown": 0}
"""The most code points shown; 0 is no limit."""
_FIELDS: Mapping[type, Mapping[str, Kind]] = {
    types.ShowMessageParams: {"message": "lines"},
    types.ShowMessageRequestParams: {"message": "lines", "actions": "inside"},
    types.MessageActionItem: {"title": "line"},
    types.LogMessageParams: {"message": "log"},
    types.LogTraceParams: {"message": "log", "verbose": "log"},
    types.ProgressParams: {"value": "inside"},
    types.WorkDoneProgressBegin: {"title": "line", "message": "line"},
    types.WorkDoneProgressReport: {"message": "line"},
    types.WorkDoneProgressEnd: {"message": "line"},
    types.PublishDiagnosticsParams: {"diagnostics": "inside"},
    types.Diagnostic: {"message": "lines", "source": "line", "code": "line", "related_information": "inside"},
    types.DiagnosticRelatedInformation: {"message": "lines"},
    types.ApplyWorkspaceEditParams: {"label": "line", "edit": "inside"},
    types.WorkspaceEdit: {"change_annotations": "inside"},
    types.ChangeAnnotation: {"label": "line", "description": "line"},
    types.CodeAction: {"title": "line", "disabled": "inside", "command": "inside"},
    types.CodeActionDisabled: {"reason": "line"},
    types.Command: {"title": "line", "tooltip": "line"},
    types.ResponseError: {"message": "lines", "data": "all"},
    types.Hover: {"contents": "inside"},
    types.MarkupContent: {"value": "markdown"},
    types.MarkedStringWithLanguage: {"value": "markdown"},
}
_OWN: Mapping[str, Mapping[str, Kind]] = {
    "tuppence/run": {"title": "line", "line": "line"},
    "tuppence/cost": {"": "line"},
    "tuppence/explanation": {"title": "line", "markdown": "markdown"},
}
"""The fields of our own notifications; an empty name means every string in the message."""


def _as_it_is(text: str) -> str:
    return text


class Outgoing:
    """Makes the messages of one conversation safe."""

    def __init__(self) -> None:
        self.hide: Callable[[str], str] = _as_it_is
        """Removes the keys in use from a text; set once there is a session."""

    def text(self, text: str, kind: Kind) -> str:
        """Return the text as the editor receives it in a place of this kind."""
        limit = _LIMITS[kind]
        if not limit:
            return self.hide(text)
        text = shown(self.hide(text if len(text) <= limit else f"{text[:limit]}…"), lines=kind != "line")
        # An escape is longer than the character that it replaces, so a text of only escapes is cut once more.
        return text if len(text) <= 2 * limit else f"{text[: 2 * limit]}…"

    def cleaned(self, message: Any) -> Any:
        """Return a copy of a message, of the protocol's types, with safe text."""
        for name in ("params", "result", "error"):
            value = getattr(message, name, None)
            if value is None:
                continue
            own = _OWN.get(getattr(message, "method", ""))
            made = self._of_ours(value, own) if own is not None else self._inside(value)
            if made is not value:
                message = _changed(message, {name: made})
        return message

    def _inside(self, value: Any) -> Any:
        """Return a value with the text in it made safe; values of unknown types are left unchanged."""
        if isinstance(value, list | tuple):
            return type(value)(self._inside(each) for each in value)
        if isinstance(value, dict) and value and all(type(each) in _FIELDS for each in value.values()):
            return {key: self._inside(each) for key, each in value.items()}
        fields = _FIELDS.get(type(value))
        if fields is None:
            return value
        changed: dict[str, Any] = {}
        for name, kind in fields.items():
            before = getattr(value, name, None)
            after = self._field(before, kind)
            if after is not before:
                changed[name] = after
        return _changed(value, changed) if changed else value

    def _field(self, value: Any, kind: Kind) -> Any:
        if kind == "all":
            return self._all(value, "lines")
        if isinstance(value, str):
            made = self.text(value, "markdown" if kind == "inside" else kind)
            return value if made == value else made
        return self._inside(value) if kind == "inside" else value

    def _of_ours(self, value: Any, fields: Mapping[str, Kind]) -> Any:
        if not isinstance(value, Mapping):
            return value
        if "" in fields:
            return self._all(value, fields[""])
        return {name: self._field(each, fields[name]) if name in fields else each for name, each in value.items()}

    def _all(self, value: Any, kind: Kind) -> Any:
        if isinstance(value, Mapping):
            return {name: self._all(each, kind) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [self._all(each, kind) for each in value]
        return self._field(value, kind)


def _changed(value: Any, fields: Mapping[str, Any]) -> Any:
    made = copy(value)
    for name, field in fields.items():
        setattr(made, name, field)
    return made
