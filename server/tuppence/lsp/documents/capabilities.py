"""The capabilities that a client announces, read once, and each editor's quirks with their reasons.

A quirk is one row of ``_QUIRKS``. Everything else comes from the capabilities that the client announced. This module
does not communicate with a client; the rest of the editor side uses a ``ClientCapabilities`` and never the raw
capabilities.

By default a lone CR does not end a line: Neovim, Emacs and Helix (in its default build) break lines at LF and CRLF
only, and the behavior of an editor without a row is unknown. The protocol says that a lone CR ends a line, so an editor
that follows it there needs a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsprotocol import types


@dataclass(frozen=True, slots=True)
class ClientCapabilities:
    """The capabilities of one connected editor, corrected by its quirks."""

    name: str
    """As the client gave it, such as ``Neovim``; empty where it gave none."""
    version: str = ""
    """As the client gave it; empty where it gave none."""
    streams: bool = False
    """It applies a stream of small edits as one undo step (``experimental.tuppence.upstream.client = 1``)."""
    status: bool = False
    """It shows cost and model in a status item (``experimental.tuppence.status``), so closing messages stay quiet."""
    diagnoses: bool = False
    """It tells what all its servers say of a document (``experimental.tuppence.diagnostics = 1``)."""
    progress: bool = False
    """It shows progress that the server starts."""
    apply_edit: bool = False
    """It takes ``workspace/applyEdit``."""
    show_document: bool = False
    """It opens a file when asked to."""
    document_changes: bool = False
    """It takes versioned edits."""
    create_files: bool = False
    """It takes the creation of a file as a part of an edit."""
    annotations: bool = False
    """It takes labelled edits, and may ask its user to confirm them."""
    literal_actions: bool = False
    """It takes code actions; without this, only plain commands."""
    disabled_actions: bool = False
    """It knows code actions that are disabled with a reason."""
    preferred_actions: bool = False
    """It knows that one of several code actions is the preferred one."""
    tagged_actions: bool = False
    """It knows the tag that says a model writes the answer."""
    markdown: bool = False
    """It shows Markdown in a hover."""
    command_links: bool = False
    """A link to a command of ours in a hover can be followed."""
    reply_pending: bool = False
    """The reply to a command may stay open until its run ends, so that a cancel can reach it."""
    breaks_at_cr: bool = False
    """A line ends at a lone CR there, as the protocol says; elsewhere a file with one in it is refused."""
    lagging_version: bool = False
    """It replies to an edit before it sends the change: wait for the new version before the next edit."""
    hides_source: bool = False
    """Its ordinary menu leaves out actions of kind ``source``."""
    block_cursor: bool = False
    """Its bare cursor is a selection of one character."""
    unchecked_zero: bool = False
    """It applies an edit for version 0 to whatever version it has."""
    blank_line: bool = False
    """An empty buffer of its own has one line, which stays behind an insertion."""
    overtakes: bool = False
    """Its changes may arrive in another order than they were made in."""


@dataclass(frozen=True, slots=True)
class _EditorQuirk:
    """How one editor differs from what it announces."""

    names: tuple[str, ...]
    """Parts of ``clientInfo.name``, lower case."""
    blocks: bool = False
    """A command that isn't answered soon freezes it, or is shown as failed."""
    breaks_at_cr: bool = False
    """See ``ClientCapabilities``."""
    lagging_version: bool = False
    """See ``ClientCapabilities``."""
    hides_source: bool = False
    """See ``ClientCapabilities``."""
    block_cursor: bool = False
    """See ``ClientCapabilities``."""
    shows_documents: bool = False
    """It opens a file when asked to, although it does not say so."""
    unchecked_zero: bool = False
    """See ``ClientCapabilities``."""
    blank_line: bool = False
    """See ``ClientCapabilities``."""
    overtakes: bool = False
    """See ``ClientCapabilities``."""
    command_links: bool = False
    """It follows links to commands in a hover that its extension trusts."""


_QUIRKS = (
    # Emacs waits for a command's reply with its input blocked and gives up after 10 s (eglot and lsp-mode alike).
    # Eglot replies to applyEdit at once and sends didChange later, in a batch; the next edit, made for the old
    # version, then fails ("Edits on 'demo.py' require version 0, you have 1"; eglot 1.9).
    _EditorQuirk(("emacs", "eglot"), blocks=True, lagging_version=True),
    # Helix reports a request that isn't answered within 20 s as failed. It has no empty selection: the range of a code
    # action at a bare cursor is one character, or one line break. It opens documents without announcing it (25.01).
    # Changes that follow one another within a millisecond (a macro, a paste as keys) may arrive in any order (25.01).
    _EditorQuirk(("helix",), blocks=True, block_cursor=True, shows_documents=True, overtakes=True),
    # Neovim refuses an edit to an older version ("Buffer newer than edits") and yet replies applied: true
    # (0.7, 0.10 and 0.12). So nobody is believed: lsp/output/writer.py compares the document itself, whoever the editor
    # is.
    # It checks only versions above 0, and opens documents with 0: an edit made before the user's last keys arrived
    # (it waits 150 ms with them) would land beside its place. And a file that it creates is a buffer with one line.
    _EditorQuirk(("neovim", "nvim"), unchecked_zero=True, blank_line=True),
    # VS Code and its kin show kind `source` only in a menu of its own ("Source Action..."), not under Ctrl+. where
    # people look for what can be done with a selection. A link to a command works there in a hover that an extension
    # trusts with that command, as ours does with `tuppence.run` and no other. Its model is the only one known to
    # end
    # lines at a lone CR, and makes one line ending of all when it reads a file.
    _EditorQuirk(
        ("visual studio code", "code - oss", "vscodium", "code-server", "cursor", "windsurf"),
        hides_source=True,
        command_links=True,
        breaks_at_cr=True,
    ),
)
# A client without a name gets all the care there is: eglot 1.9, the one in Debian 12, gives none.
_UNNAMED = _EditorQuirk((), blocks=True, lagging_version=True)
_ORDINARY = _EditorQuirk(())


def recognize(params: types.InitializeParams) -> ClientCapabilities:
    """Return what the client that sent ``initialize`` can do."""
    name = params.client_info.name if params.client_info else ""
    quirk = _quirk(name)
    window = params.capabilities.window or types.WindowClientCapabilities()
    own = _own_extensions(params.capabilities.experimental)
    menu = _menu(params.capabilities.text_document)
    progress = bool(window.work_done_progress)
    return ClientCapabilities(
        name=name,
        version=(params.client_info and params.client_info.version) or "",
        progress=progress,
        show_document=quirk.shows_documents or bool(window.show_document and window.show_document.support),
        reply_pending=progress and not quirk.blocks,
        breaks_at_cr=quirk.breaks_at_cr,
        lagging_version=quirk.lagging_version,
        hides_source=quirk.hides_source,
        block_cursor=quirk.block_cursor,
        unchecked_zero=quirk.unchecked_zero,
        blank_line=quirk.blank_line,
        overtakes=quirk.overtakes,
        command_links=quirk.command_links and any(own.values()) and menu.get("markdown", False),
        **own,
        **_edits(params.capabilities.workspace),
        **menu,
    )


def _quirk(name: str) -> _EditorQuirk:
    if not name:
        return _UNNAMED
    lower = name.lower()
    return next((quirk for quirk in _QUIRKS if any(part in lower for part in quirk.names)), _ORDINARY)


def _own_extensions(experimental: Any) -> dict[str, bool]:
    own = experimental.get("tuppence") if isinstance(experimental, Mapping) else None
    if not isinstance(own, Mapping):
        return {}
    return {
        "streams": own.get("stream") == 1,
        "status": bool(own.get("status")),
        "diagnoses": own.get("diagnostics") == 1,
    }


def _edits(workspace: types.WorkspaceClientCapabilities | None) -> dict[str, bool]:
    if workspace is None:
        return {}
    edits = workspace.workspace_edit or types.WorkspaceEditClientCapabilities()
    operations = edits.resource_operations or ()
    return {
        "apply_edit": bool(workspace.apply_edit),
        # The protocol: only a client that announces neither of the two is held to plain `changes`. Neovim and
        # others announce resourceOperations alone.
        "document_changes": bool(edits.document_changes or operations),
        "create_files": types.ResourceOperationKind.Create in operations,
        "annotations": edits.change_annotation_support is not None,
    }


def _menu(text_document: types.TextDocumentClientCapabilities | None) -> dict[str, bool]:
    if text_document is None:
        return {}
    actions = text_document.code_action or types.CodeActionClientCapabilities()
    hover = text_document.hover or types.HoverClientCapabilities()
    tags = actions.tag_support.value_set if actions.tag_support else ()
    return {
        "literal_actions": actions.code_action_literal_support is not None,
        "disabled_actions": bool(actions.disabled_support),
        "preferred_actions": bool(actions.is_preferred_support),
        "tagged_actions": types.CodeActionTag.LlmGenerated in tags,
        "markdown": types.MarkupKind.Markdown in (hover.content_format or ()),
    }
