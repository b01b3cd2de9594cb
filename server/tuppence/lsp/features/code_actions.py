"""The code-action menu: which entries appear where, with which titles and kinds.

Building the menu asks no model and spends nothing: every entry is a command that starts an action, or the edit of a
finding. An automatic request, which editors send on each cursor movement, gets only entries tied to a diagnostic; a
menu that the user opened gets all. While a run is active in the file, its Stop entry comes first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from tuppence.core import actions
from tuppence.core.actions import ACTIONS, FIX, Action
from tuppence.core.billing.entry import about, exact
from tuppence.core.routing.router import better
from tuppence.core.syntax.target import Target, find_target
from tuppence.core.text.document import Document, Span
from tuppence.lsp.documents import convert
from tuppence.lsp.features.commands import APPLY, CLEAR, DISMISS, PUT_BACK, RUN, STOP
from tuppence.lsp.features.history import Finished
from tuppence.lsp.features.run_request import NO_EDITS, is_file, why_not
from tuppence.lsp.output.active_runs import Runs
from tuppence.lsp.output.client import EditorClient
from tuppence.lsp.output.findings import SOURCE, ReviewFindings, ShownFinding

Entry = types.CodeAction | types.Command
_FIXES = 12
"""Maximum number of diagnostics with their own entry; the entry for the whole target covers all of them."""
_LONGEST = 60
"""Maximum number of characters of a finding's message in a title."""


@dataclass(frozen=True, slots=True)
class MenuRequest:
    """One request for the menu."""

    document: Document
    span: Span
    """The selection, or the cursor as an empty span."""
    asked: types.CodeActionParams
    last: Finished | None
    """The latest answer in this document."""
    written: Finished | None = None
    """The latest answer that was written into it."""

    @property
    def automatic(self) -> bool:
        """Whether the editor requested the menu by itself."""
        return self.asked.context.trigger_kind == types.CodeActionTriggerKind.Automatic

    @property
    def only(self) -> tuple[str, ...]:
        """The requested kinds; empty for all."""
        return tuple(_name(each) for each in self.asked.context.only or ())


class CodeActions:
    """Builds menus."""

    def __init__(self, client: EditorClient, runs: Runs, board: ReviewFindings) -> None:
        self._client = client
        self._runs = runs
        self._board = board

    async def entries(self, opened: MenuRequest) -> list[Entry]:
        """Return the entries of the menu."""
        uri = opened.document.uri
        entries = [self._stop(running.id, running.title) for running in self._runs.at(uri)]
        doubt = self._client.documents.doubtful(opened.document)
        if why := doubt or await why_not(opened.document, self._client.session.workspace):
            entries += [] if opened.automatic else self._disabled(why, opened)
            return self._sent(entries, opened)
        entries += self._fixes(opened)
        entries += [entry async for entry in self._findings(opened)]
        if not opened.automatic:
            entries += self._clear(opened)
            entries += self._put_back(opened)
            entries += self._again(opened)
            tree = await self._client.documents.tree(uri)
            # The search takes long in a large text, and must not block the event loop while the user types.
            target = await self._client.documents.in_turn(uri, find_target, opened.document, tree, opened.span)
            entries += self._actions(opened, target)
        return self._sent(entries, opened)

    def _sent(self, entries: list[types.CodeAction], opened: MenuRequest) -> list[Entry]:
        """Return the entries of the requested kinds, which form a hierarchy, in a form that the editor supports."""
        if only := opened.only:
            entries = [each for each in entries if any(_is_kind(_name(each.kind or ""), kind) for kind in only)]
        if self._client.capabilities.literal_actions:
            return list(entries)
        return [each.command for each in entries if each.command is not None]

    def _stop(self, run: str, title: str) -> types.CodeAction:
        return self._command(f"Stop: {title}", types.CodeActionKind.QuickFix, STOP, {"run": run})

    def _fixes(self, opened: MenuRequest) -> Iterator[types.CodeAction]:
        """Yield an entry for each selected diagnostic of another tool; duplicates get one."""
        if not self._client.capabilities.apply_edit:
            return
        others = [each for each in opened.asked.context.diagnostics if each.source != SOURCE]
        different = {(each.message, each.range.start.line, each.range.start.character): each for each in others}
        for given in list(different.values())[:_FIXES]:
            yield self._fix(given, opened)

    def _fix(self, given: types.Diagnostic, opened: MenuRequest) -> types.CodeAction:
        title = actions.title(FIX, "", given.message or str(given.code or "this problem"))
        arguments = self._arguments(FIX, opened) | {"diagnostic": given}
        entry = self._command(title, types.CodeActionKind.QuickFix, RUN, arguments)
        entry.diagnostics = [given]
        return self._by_model(entry)

    async def _findings(self, opened: MenuRequest) -> AsyncIterator[types.CodeAction]:
        """Yield two entries for each finding: its own fix, or else a model's; and one that dismisses it."""
        uri = opened.document.uri
        for pinned in self._board.at(uri, opened.document.whole_lines(opened.span)):
            first = _short(pinned.finding.message)
            shown = self._board.diagnostic(opened.document, pinned)
            if self._client.capabilities.apply_edit:
                own = await self._own_fix(opened, pinned, f"Apply: {first}")
                if own is not None and self._client.capabilities.preferred_actions:
                    own.is_preferred = True
                entry = own or self._fix(shown, opened)
                entry.diagnostics = [shown]
                yield entry
            arguments = {"uri": uri, "finding": pinned.id}
            # A quick fix would be offered as a repair, beside Apply.
            entry = self._command(f"Dismiss: {first}", self._kind("source.review.dismiss", opened), DISMISS, arguments)
            entry.diagnostics = [shown]
            yield entry

    async def _own_fix(self, opened: MenuRequest, pinned: ShownFinding, title: str) -> types.CodeAction | None:
        """Return the entry that applies the fix from the review, for the shown version only; None if there is none."""
        document, client = opened.document, self._client.capabilities
        edit = await self._board.quick_fix(document, pinned)
        if edit is None:
            return None
        if client.literal_actions and client.document_changes:
            whole = convert.to_workspace_edit(document, (edit,), self._client.encoding, client)
            return self._by_model(types.CodeAction(title=title, kind=types.CodeActionKind.QuickFix, edit=whole))
        # An edit without a version would be applied to whatever is at its lines, so the server compares the version.
        arguments = {"uri": document.uri, "version": document.version, "finding": pinned.id}
        return self._by_model(self._command(title, types.CodeActionKind.QuickFix, APPLY, arguments))

    def _clear(self, opened: MenuRequest) -> Iterator[types.CodeAction]:
        uri = opened.document.uri
        if self._board.get(uri):
            kind = self._kind("source.review.clear", opened)
            yield self._command("Clear all review findings", kind, CLEAR, {"uri": uri})

    def _put_back(self, opened: MenuRequest) -> Iterator[types.CodeAction]:
        """Yield the Put back entry on the text of an answer that is unchanged."""
        written = opened.written
        if written is None or written.writer is None or written.writer.target is None:
            return
        if opened.document.whole_lines(opened.span).touches(written.writer.target):
            title = f"Put back: {actions.title(written.request.action, written.request.target.name)}"
            run = {"run": written.request.run}
            yield self._command(title, types.CodeActionKind.RefactorRewrite, PUT_BACK, run)

    def _again(self, opened: MenuRequest) -> Iterator[types.CodeAction]:
        """Yield entries after an answer: ask a better model, or ask again if the answer was from the cache."""
        last = opened.last
        if last is None or last.span is None or not opened.document.whole_lines(opened.span).touches(last.span):
            return
        request = last.request
        name = actions.title(request.action, request.target.name)
        kind = self._kind(request.action.kind, opened)
        arguments = {"again": request.run}
        if last.kept:
            yield self._by_model(self._command(f"Ask again: {name}", kind, RUN, arguments))
        if last.route is not None and (found := better(last.route, last.route.model.name)) is not None:
            price = about(found.cost)
            title = f"Again with a better model ({found.model.title}, {price}): {name}"
            picked = {"above": last.route.model.name, "model": found.model.name}
            shown = {} if found.cost is None else {"price": exact(found.cost)}
            yield self._by_model(self._command(title, kind, RUN, arguments | picked | shown))

    def _actions(self, opened: MenuRequest, target: Target | None) -> Iterator[types.CodeAction]:
        if target is None:
            yield from self._disabled("There is no code here: put the cursor in it, or select some.", opened)
            return
        for action in ACTIONS:
            title = actions.title(action, target.name)
            kind = self._kind(action.kind, opened)
            if why := self._impossible(action, opened.document.uri):
                yield from self._disable(title, kind, why)
                continue
            yield self._by_model(self._command(title, kind, RUN, self._arguments(action, opened)))

    def _impossible(self, action: Action, uri: str) -> str:
        """Return why an action is impossible in this editor or document; empty if it is possible."""
        if action.shape in ("replacement", "tests") and not self._client.capabilities.apply_edit:
            return NO_EDITS
        if action.shape != "tests" or is_file(uri):
            return ""
        if uri.startswith("untitled:"):
            return "Save the document first: its tests need a place."
        return "This document is not a file, so there is no place for its tests."

    def _arguments(self, action: Action, opened: MenuRequest) -> dict[str, Any]:
        return {
            "action": action.id,
            "uri": opened.document.uri,
            "version": opened.document.version,
            "range": opened.asked.range,
            "diagnostics": [each for each in opened.asked.context.diagnostics if each.source != SOURCE],
        }

    def _command(self, title: str, kind: str, command: str, arguments: dict[str, Any]) -> types.CodeAction:
        call = types.Command(title=title, command=command, arguments=[arguments])
        return types.CodeAction(title=title, kind=kind, command=call)

    def _by_model(self, entry: types.CodeAction) -> types.CodeAction:
        if self._client.capabilities.tagged_actions:
            entry.tags = [types.CodeActionTag.LlmGenerated]
        return entry

    def _disabled(self, why: str, opened: MenuRequest) -> Iterator[types.CodeAction]:
        for action in ACTIONS:
            yield from self._disable(action.verb, self._kind(action.kind, opened), why)

    def _disable(self, title: str, kind: str, why: str) -> Iterator[types.CodeAction]:
        if self._client.capabilities.disabled_actions:
            yield types.CodeAction(title=title, kind=kind, disabled=types.CodeActionDisabled(reason=why))

    def _kind(self, kind: str, opened: MenuRequest) -> str:
        """Return the kind to send: ``refactor`` if the editor hides ``source`` in its menu and did not ask for it."""
        asked = any(each.startswith("source") for each in opened.only)
        if kind.startswith("source") and self._client.capabilities.hides_source and not asked:
            return kind.replace("source", "refactor", 1)
        return kind


def _short(message: str) -> str:
    first = message.splitlines()[0] if message else "this finding"
    return first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1]}…"


def _name(kind: types.CodeActionKind | str) -> str:
    """Return a kind's text; ``str`` of an enumeration member would return its name."""
    return str(kind.value) if isinstance(kind, types.CodeActionKind) else kind


def _is_kind(kind: str, wanted: str) -> bool:
    return not wanted or kind == wanted or kind.startswith(f"{wanted}.")
