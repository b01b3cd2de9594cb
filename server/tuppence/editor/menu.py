"""The code-action menu: what is offered where, under which title, as which kind.

Offering asks no model and spends nothing: every entry is a command that starts something, or a finding's own edit. An
automatic trigger, which editors fire at each move of the cursor, gets only what is tied to a diagnostic; an asked-for
menu gets everything. While a run is under way in the file, its Stop comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from tuppence.core import actions
from tuppence.core.accounts import money
from tuppence.core.actions import ACTIONS, Action
from tuppence.core.route import better
from tuppence.core.target import find
from tuppence.core.text import Document, Edit, Span
from tuppence.core.tree import Tree
from tuppence.editor import convert
from tuppence.editor.board import SOURCE, Board, Pinned
from tuppence.editor.commands import CLEAR, DISMISS, RUN, STOP
from tuppence.editor.desk import Desk
from tuppence.editor.latest import Finished
from tuppence.editor.runs import Runs


@dataclass(frozen=True, slots=True)
class Opened:
    """One request for the menu."""

    document: Document
    span: Span
    """The selection, or the cursor as an empty span."""
    asked: types.CodeActionParams
    last: Finished | None
    """The answer that was given last in this document."""

    @property
    def automatic(self) -> bool:
        """Report whether the editor asked by itself."""
        return self.asked.context.trigger_kind == types.CodeActionTriggerKind.Automatic


class Menu:
    """Makes menus."""

    def __init__(self, desk: Desk, runs: Runs, board: Board) -> None:
        self._desk = desk
        self._runs = runs
        self._board = board

    async def entries(self, opened: Opened) -> list[types.CodeAction]:
        """Return the menu."""
        uri = opened.document.uri
        entries = [self._stop(running.id, running.title) for running in self._runs.at(uri)]
        if why := unfit(opened.document):
            entries += [] if opened.automatic else self._disabled(why)
            return self._wanted(entries, opened)
        entries += self._fixes(opened)
        entries += self._findings(opened)
        if not opened.automatic:
            entries += self._again(opened)
            tree = await self._desk.documents.tree(uri)
            entries += self._actions(opened, tree)
        return self._wanted(entries, opened)

    def _wanted(self, entries: list[types.CodeAction], opened: Opened) -> list[types.CodeAction]:
        """Return those of the kinds that were asked for, which in the protocol form a hierarchy."""
        only = opened.asked.context.only
        if not only:
            return entries
        return [each for each in entries if any(_is_kind(str(each.kind or ""), str(kind)) for kind in only)]

    def _stop(self, run: str, title: str) -> types.CodeAction:
        return self._command(f"Stop: {title}", types.CodeActionKind.QuickFix, STOP, {"run": run})

    def _fixes(self, opened: Opened) -> Iterator[types.CodeAction]:
        """One entry for each diagnostic of another tool that the menu was opened on."""
        for given in opened.asked.context.diagnostics:
            if given.source == SOURCE:
                continue
            arguments = self._arguments(actions.FIX, opened) | {"diagnostic": given}
            title = actions.title(actions.FIX, "", given.message)
            entry = self._command(title, types.CodeActionKind.QuickFix, RUN, arguments)
            entry.diagnostics = [given]
            yield self._by_model(entry)

    def _findings(self, opened: Opened) -> Iterator[types.CodeAction]:
        uri = opened.document.uri
        for pinned in self._board.at(uri, opened.document.whole_lines(opened.span)):
            first = pinned.finding.message.splitlines()[0][:60]
            if (edit := self._finding_edit(opened.document, pinned)) is not None:
                yield types.CodeAction(title=f"Apply: {first}", kind=types.CodeActionKind.QuickFix, edit=edit)
            arguments = {"uri": uri, "finding": pinned.id}
            yield self._command(f"Dismiss: {first}", types.CodeActionKind.QuickFix, DISMISS, arguments)
        if not opened.automatic and self._board.get(uri):
            kind = self._kind("source.review.clear", opened)
            yield self._command("Clear all review findings", kind, CLEAR, {"uri": uri})

    def _finding_edit(self, document: Document, pinned: Pinned) -> types.WorkspaceEdit | None:
        """Return the quick fix that the model offered, held to the version that is shown now."""
        if pinned.finding.fix is None or pinned.fix_span is None:
            return None
        edit = Edit(pinned.fix_span, pinned.finding.fix)
        return convert.to_workspace_edit(document, (edit,), self._desk.encoding, self._desk.client)

    def _again(self, opened: Opened) -> Iterator[types.CodeAction]:
        """Right after an answer: the same question to a better model, or anew where the answer was a kept one."""
        last = opened.last
        if last is None:
            return
        ask = last.ask
        name = actions.title(ask.action, ask.target.name)
        kind = self._kind(ask.action.kind, opened)
        arguments = {"again": ask.run}
        if last.kept:
            yield self._by_model(self._command(f"Ask again: {name}", kind, RUN, arguments))
        if last.route is not None and (found := better(last.route, last.route.model.name)) is not None:
            price = money(found.cost)
            title = f"Again with a better model ({found.model.id}, about {price}): {name}"
            yield self._by_model(self._command(title, kind, RUN, arguments | {"above": last.route.model.name}))

    def _actions(self, opened: Opened, tree: Tree) -> Iterator[types.CodeAction]:
        target = find(opened.document, tree, opened.span)
        if target is None:
            yield from self._disabled("There is no code here: put the cursor in it, or select some.")
            return
        for action in ACTIONS:
            title = actions.title(action, target.name)
            kind = self._kind(action.kind, opened)
            if action.shape == "tests" and not opened.document.uri.startswith("file:"):
                yield from self._disable(title, kind, "Save the document first: its tests need a place.")
                continue
            yield self._by_model(self._command(title, kind, RUN, self._arguments(action, opened)))

    def _arguments(self, action: Action, opened: Opened) -> dict[str, Any]:
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
        if self._desk.client.tagged_actions:
            entry.tags = [types.CodeActionTag.LlmGenerated]
        return entry

    def _disabled(self, why: str) -> Iterator[types.CodeAction]:
        for action in ACTIONS:
            yield from self._disable(action.verb, action.kind, why)

    def _disable(self, title: str, kind: str, why: str) -> Iterator[types.CodeAction]:
        if self._desk.client.disabled_actions:
            yield types.CodeAction(title=title, kind=kind, disabled=types.CodeActionDisabled(reason=why))

    def _kind(self, kind: str, opened: Opened) -> str:
        """Return the kind to send: an editor that hides ``source`` in its menu gets ``refactor`` unless it asked."""
        only = [str(each) for each in opened.asked.context.only or ()]
        if (
            kind.startswith("source")
            and self._desk.client.hides_source
            and not any(each.startswith("source") for each in only)
        ):
            return kind.replace("source", "refactor", 1)
        return kind


def unfit(document: Document) -> str:
    """Return why nothing can be done with a document, empty where something can."""
    if "\0" in document.text:
        return "This is a binary file."
    if not document.text.strip():
        return "The document is empty."
    return ""


def _is_kind(kind: str, wanted: str) -> bool:
    return not wanted or kind == wanted or kind.startswith(f"{wanted}.")
