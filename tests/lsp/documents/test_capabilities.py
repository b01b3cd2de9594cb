from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import converters, types

from tuppence.lsp.documents.capabilities import ClientCapabilities, recognize


def client(name: str | None = None, **capabilities: Any) -> ClientCapabilities:
    params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": capabilities}
    if name is not None:
        params["clientInfo"] = {"name": name, "version": "1.2"}
    return recognize(converters.get_converter().structure(params, types.InitializeParams))


def recorded(file: str) -> ClientCapabilities:
    """Return what a real editor sent, as pytest-lsp recorded it."""
    text = (Path(pytest_lsp.__file__).parent / "clients" / file).read_text(encoding="utf-8")
    sent = json.loads(text)
    return client(sent["clientInfo"]["name"], **sent["capabilities"])


PROGRESS = {"workDoneProgress": True}


def test_a_client_that_says_nothing_can_do_nothing() -> None:
    assert client("Some Editor") == ClientCapabilities(name="Some Editor", version="1.2")


@pytest.mark.parametrize(
    ("name", "pending"),
    [
        ("Visual Studio Code", True),
        ("Neovim", True),
        ("Zed", True),
        ("Emacs (eglot)", False),
        ("Eglot", False),
        ("emacs", False),
        ("helix", False),
        (None, False),
    ],
)
def test_a_reply_stays_open_only_where_that_freezes_nothing(name: str | None, pending: bool) -> None:  # noqa: FBT001 - the expectation
    assert client(name, window=PROGRESS).reply_pending is pending


def test_a_reply_does_not_stay_open_without_progress() -> None:
    assert not client("Visual Studio Code").reply_pending


def test_only_vscode_is_known_to_end_lines_at_a_lone_cr() -> None:
    for name in ("Neovim", "helix", "Emacs (eglot)", "Some Editor", None):
        assert not client(name).breaks_at_cr
    assert client("Visual Studio Code").breaks_at_cr


def test_eglot_of_debian_gives_no_name_and_gets_all_care() -> None:
    eglot = client(workspace={"applyEdit": True, "workspaceEdit": {"documentChanges": True}})
    assert (eglot.lagging_version, eglot.reply_pending) == (True, False)
    assert eglot.document_changes
    assert not eglot.create_files


@pytest.mark.parametrize(("name", "hides"), [("Visual Studio Code", True), ("Code - OSS", True), ("helix", False)])
def test_vscode_and_its_kin_hide_source_actions(name: str, hides: bool) -> None:  # noqa: FBT001 - the expectation
    assert client(name).hides_source is hides


def test_only_emacs_lags_behind() -> None:
    assert client("Emacs (eglot)").lagging_version
    assert not client("helix").lagging_version


@pytest.mark.parametrize(
    ("experimental", "streams", "status"),
    [
        ({"tuppence": {"stream": 1, "status": True}}, True, True),
        ({"tuppence": {"stream": 2}}, False, False),
        ({"tuppence": {"status": {"cost": True}}}, False, True),
        ({"tuppence": True}, False, False),
        ([], False, False),
        (None, False, False),
    ],
)
def test_our_own_extensions(experimental: Any, streams: bool, status: bool) -> None:  # noqa: FBT001 - the expectation
    found = client("Visual Studio Code", experimental=experimental)
    assert (found.streams, found.status) == (streams, status)


def test_vscode_as_recorded() -> None:
    found = recorded("visual_studio_code_v1.65.2.json")
    assert found == ClientCapabilities(
        name="Visual Studio Code",
        version="1.2",
        progress=True,
        apply_edit=True,
        show_document=True,
        document_changes=True,
        create_files=True,
        annotations=True,
        literal_actions=True,
        disabled_actions=True,
        preferred_actions=True,
        markdown=True,
        reply_pending=True,
        hides_source=True,
        breaks_at_cr=True,
    )


@pytest.mark.parametrize("file", ["neovim_v0.7.0.json", "neovim_v0.10.0.json", "neovim_v0.11.0.json"])
def test_neovim_as_recorded_takes_versioned_edits_without_saying_so(file: str) -> None:
    found = recorded(file)
    assert found.document_changes
    assert found.create_files
    assert found.reply_pending


def test_emacs_as_recorded() -> None:
    found = recorded("emacs_v29.1.json")
    assert found.document_changes
    assert not found.create_files
    assert found.lagging_version
    assert not found.reply_pending


def test_the_tag_for_models_is_used_only_where_it_is_known() -> None:
    tagged = {"codeAction": {"tagSupport": {"valueSet": [1]}}}
    assert client("x", textDocument=tagged).tagged_actions
    assert not client("x", textDocument={"codeAction": {}}).tagged_actions
