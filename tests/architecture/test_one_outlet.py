"""All text for the user passes one outlet: lsp/protocol/outgoing.py for editors, cli/ for the terminal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsprotocol import types
from paths import PACKAGE

from tuppence.lsp.protocol import outgoing

SPEAKS = {
    "window_show_message",
    "window_show_message_request",
    "window_show_message_request_async",
    "window_log_message",
    "window_log_trace",
    "telemetry_event",
    "text_document_publish_diagnostics",
    "show_message",
    "show_message_log",
    "publish_diagnostics",
}
"""Methods by which pygls speaks to a person."""
SENDS = {
    "ask_plain",
    "notify",
    "send_request",
    "send_request_async",
    "_send_data",
    "create_async",
    "workspace_apply_edit_async",
}
CLIENT, WIRE, LIFE = "lsp/output/client.py", "lsp/protocol/json_rpc.py", "lsp/protocol/lifecycle.py"
MAY_SPEAK = {CLIENT, LIFE}
MAY_SEND = {CLIENT, WIRE}
MAY_PRINT = {"cli/_terminal.py", "terminal.py", "sandbox/launcher.py", "lsp/transport.py"}
"""The launcher is a program of its own whose output the trial reads; the transport speaks through terminal.py."""
FILES = sorted(PACKAGE.rglob("*.py"))


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Yield what a file calls, by its last name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def here(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def test_only_the_client_speaks_to_the_editor() -> None:
    speaking = {here(path) for path in FILES for name, _ in calls(path) if name in SPEAKS}
    assert speaking == MAY_SPEAK


def test_only_the_client_and_the_wire_send() -> None:
    own = {"self._client", "client"}  # The client's own `notify`.
    found = {
        here(path)
        for path in FILES
        if here(path).startswith("lsp/")
        for name, node in calls(path)
        if name in SENDS and isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) not in own
    }
    assert found <= MAY_SEND


def test_only_the_wire_writes_and_what_it_writes_is_cleaned() -> None:
    writes = {
        here(path)
        for path in FILES
        if here(path).startswith("lsp/")
        for name, node in calls(path)
        if name == "write" and ast.unparse(node.func) == "self.writer.write"
    }
    assert writes == {WIRE}
    dumped = [ast.unparse(node.args[0]) for name, node in calls(PACKAGE / WIRE) if name == "dumps"]
    assert dumped == ["self.outgoing.cleaned(data)"]


def test_only_the_outlets_print() -> None:
    printing = {here(path) for path in FILES for _, node in calls(path) if ast.unparse(node.func) == "print"}
    direct = {
        here(path)
        for path in FILES
        for name, node in calls(path)
        if name == "write" and ast.unparse(node.func) in {"sys.stderr.write", "sys.stdout.write"}
    }
    consoles = {here(path) for path in FILES for name, _ in calls(path) if name == "Console"}
    assert printing | direct <= MAY_PRINT
    assert consoles == {"cli/_terminal.py"}


SHOWN = {"message", "title", "label", "tooltip", "reason", "description", "verbose"}
"""Fields of the protocol that an editor shows."""


@pytest.mark.parametrize("kind", list(outgoing._FIELDS), ids=lambda kind: str(kind.__name__))
def test_each_field_that_is_cleaned_is_one_of_the_protocol(kind: type) -> None:
    known = {field.name for field in kind.__attrs_attrs__}  # type: ignore[attr-defined]  # lsprotocol's classes have it
    assert set(outgoing._FIELDS[kind]) <= known
    assert known & SHOWN <= set(outgoing._FIELDS[kind])


def test_each_type_that_we_make_and_a_person_sees_is_cleaned() -> None:
    made = {name for path in FILES if here(path).startswith("lsp/") for name, _ in calls(path)}
    shown = {
        name
        for name in made
        if hasattr(kind := getattr(types, name, None), "__attrs_attrs__")
        and SHOWN & {field.name for field in kind.__attrs_attrs__}  # type: ignore[union-attr]
    }
    assert shown <= {kind.__name__ for kind in outgoing._FIELDS}
    assert shown > {"CodeAction", "Diagnostic", "ShowMessageParams"}
