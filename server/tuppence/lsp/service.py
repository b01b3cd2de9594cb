"""What the server does for one editor: menus, hovers, runs, the accounts; one method for each thing it is asked.

A method takes what the editor sent, and each mistake in it becomes one sentence. How arguments become a question stands
in lsp/features/run_request.py; the runs themselves are shown by lsp/features/run_view.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lsprotocol import types

from tuppence.config import Watched
from tuppence.core import actions
from tuppence.core.syntax.tree import Tree
from tuppence.engine.cost_report import write_page
from tuppence.engine.disclosure.preview import preview
from tuppence.engine.keep_alive import KeepAlive
from tuppence.engine.open_session import open_session
from tuppence.engine.request import Request, open_receipt
from tuppence.engine.spending import reconcile_pending
from tuppence.errors import ConfigError, Stale, TuppenceError
from tuppence.lsp.documents import convert
from tuppence.lsp.features import messages
from tuppence.lsp.features.code_actions import CodeActions, Entry, MenuRequest
from tuppence.lsp.features.history import AnswerHistory
from tuppence.lsp.features.hover import HoverProvider
from tuppence.lsp.features.local_models import LocalModelConsent
from tuppence.lsp.features.run_request import RequestReader, field
from tuppence.lsp.features.run_view import RunView
from tuppence.lsp.features.settled_command import settled
from tuppence.lsp.features.warm_up import WarmUp
from tuppence.lsp.output.active_runs import Running, Runs
from tuppence.lsp.output.client import EditorClient
from tuppence.lsp.output.explanations import ExplanationView
from tuppence.lsp.output.findings import ReviewFindings
from tuppence.lsp.protocol.lifecycle import Server
from tuppence.terminal import protect

_log = logging.getLogger(__name__)
_LAST = 0.5
"""Seconds that the end waits for each connection to the ledger to close."""


class Service:
    """The server's side of one conversation."""

    def __init__(self, server: Server, config: Path | None) -> None:
        self._server = server
        self._config = config
        self._runs = Runs()
        self._handed: dict[str, str] = {}
        self._roots: Sequence[Path] = ()
        self._opened: _Components | None = None

    def introduce(self, options: Any, roots: Sequence[Path]) -> None:
        """Take what the editor says of itself: the project's folders, and keys from its secret store."""
        self._roots = roots
        keys = field(options, "keys")
        if isinstance(keys, Mapping):
            self._handed |= {str(name): key for name, key in keys.items() if isinstance(key, str)}

    async def begin(self) -> None:
        """Open the session and report mistakes in the configuration."""
        rooms = self._rooms
        config = rooms.session.config()
        if config.mistakes:
            self._warn(ConfigError(str(config.path), config.mistakes))
        for warning in config.warnings:
            rooms.client.log(warning)
        await rooms.client.show_cost()

    def opened(self) -> None:
        """Load ahead what the first request needs, now that a document is open."""
        self._rooms.warm_up.begin()

    async def menu(self, params: types.CodeActionParams) -> list[Entry] | None:
        """Return the menu for a selection."""
        rooms = self._rooms
        document = rooms.client.documents.get(params.text_document.uri)
        if document is None:
            return None
        span = convert.from_selection(document, params.range, rooms.client.encoding, rooms.client.capabilities)
        opened = MenuRequest(document, span, params, rooms.latest.at(document.uri), rooms.latest.written(document.uri))
        try:
            with rooms.session.fair_share.in_front():
                return await CodeActions(rooms.client, self._runs, rooms.board).entries(opened)
        except Stale:  # It was closed while it was read: nobody looks at the menu any more.
            return None

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        """Return what is shown at a place, by the setting ``hover`` as it stands now."""
        self._refresh(self._rooms)
        return await self._rooms.hovering.hover(params)

    async def run(self, arguments: Any) -> None:
        """Start what a menu entry stands for, and wait for its end where the editor can wait."""
        rooms = self._rooms
        self._refresh(rooms)
        try:
            request = await self._read(arguments, rooms)
        except TuppenceError as error:
            self._warn(error)
            return
        running = Running(
            request.document.uri, actions.title(request.action, request.target.name, _message(request)), request.run
        )
        task = self._runs.start(running, self._perform(request, running, rooms))
        if not rooms.client.capabilities.reply_pending:
            return
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            # Either the run was stopped, and the command ends well, or the command was cancelled, and the run with it.
            if not task.done():
                running.stop()
                await asyncio.wait([task])
                raise

    def stop(self, arguments: Any) -> None:
        """Stop a run, all runs in a document, or all there are; one that has ended meanwhile is no mistake."""
        if (run := field(arguments, "run")) is not None:
            self._runs.stop(str(run))
            return
        uri = field(arguments, "uri")
        for running in self._runs.all():
            if uri is None or running.uri == uri:
                running.stop()

    async def put_back(self, arguments: Any) -> None:
        """Put back what stood where the latest answer was written."""
        rooms = self._rooms
        try:
            finished = await rooms.latest.put_back(str(field(arguments, "run")))
        except TuppenceError as error:
            self._warn(error)
            return
        for run in finished.runs:
            rooms.session.ledger_writer.outcome(run, "undone")
        rooms.client.say(f"Put back: {actions.title(finished.request.action, finished.request.target.name)}.")
        await rooms.client.show_cost()

    def about(self) -> dict[str, Any]:
        """Return what a client's own settings page wants to know: the configuration's path and the keys' names."""
        session = self._rooms.session
        config = session.config()
        keys = [
            {"name": each.key_env, "provider": each.name, "ready": session.keys.ready(each)}
            for each in config.providers.values()
            if each.key_env
        ]
        return {"config": str(config.path), "keys": keys}

    async def apply(self, arguments: Any) -> None:
        """Apply the fix that a review offered with a finding; no model is asked."""
        try:
            await self._apply(arguments, self._rooms)
        except TuppenceError as error:
            self._warn(error)

    def dismiss(self, arguments: Any) -> None:
        """Take one finding down."""
        self._rooms.board.dismiss(str(field(arguments, "uri")), {str(field(arguments, "finding"))})

    def clear(self, arguments: Any) -> None:
        """Take all findings of a document down."""
        self._rooms.board.clear(str(field(arguments, "uri")))

    async def forget(self) -> None:
        """Forget all kept answers."""
        rooms = self._rooms
        try:
            count = await asyncio.to_thread(rooms.session.answer_store.clear)
        except TuppenceError as error:
            self._warn(error)
            return
        rooms.client.say(f"Forgot {count} kept {'answer' if count == 1 else 'answers'}.")

    async def prewarm(self, arguments: Any) -> None:
        """Warm the provider's cache for a question that is about to be asked, if that pays, and say what was done."""
        rooms = self._rooms
        self._refresh(rooms)
        given = arguments if isinstance(arguments, Mapping) else {}
        try:
            request = await rooms.asking.read({"action": actions.EXPLAIN.id, **given})
            rooms.client.say(await rooms.renewals.warm(request))
        except TuppenceError as error:
            self._warn(error)
        await rooms.client.show_cost()

    async def preview(self, arguments: Any) -> dict[str, Any] | None:
        """Return what a run would send, for a person to read; say why, where nothing would be sent."""
        rooms = self._rooms
        self._refresh(rooms)
        try:
            found = await preview(await self._read(arguments, rooms), rooms.session)
        except TuppenceError as error:
            self._warn(error)
            return None
        return {"title": found.title, "text": found.text}

    async def cost(self, arguments: Any) -> dict[str, Any] | None:
        """Write the cost report as a page and say where it is; open it, where the editor can and is asked to."""
        rooms = self._rooms
        try:
            path = await write_page(rooms.session)
        except TuppenceError as error:
            self._warn(error)
            return None
        if field(arguments, "show") is True and not await rooms.client.show_outside(path.as_uri()):
            rooms.client.say(f"The cost report is the page {path}")
        return {"path": str(path)}

    async def close(self) -> None:
        """End everything that runs and give back what was taken."""
        await self._runs.stop_all()
        if self._opened is None:
            return
        rooms = self._opened
        rooms.reading.close()
        rooms.strangers.close()
        await rooms.renewals.close()
        await rooms.session.close()
        await rooms.session.upstream.close()
        await rooms.neighbourhood.close()
        await asyncio.to_thread(rooms.session.ledger.close, _LAST)

    @property
    def _rooms(self) -> _Components:
        if self._opened is None:
            self._opened = _Components(self._server, self._config, self._roots, self._handed, self._runs)
        return self._opened

    async def _perform(self, request: Request, running: Running, rooms: _Components) -> None:
        try:
            await self._before(request, running, rooms)
            await RunView(rooms.client, rooms.board, rooms.reading, running, rooms.latest).perform(request)
        except TuppenceError as error:
            self._warn(error)
        except Exception:  # noqa: BLE001 - a fault of ours must end in a sentence, not in a silent editor
            _log.exception("A run failed")
            rooms.client.say(
                "tuppence met an error of its own; the text is as it was. Please report it with the server's log.",
                types.MessageType.Error,
            )

    async def _read(self, arguments: Any, rooms: _Components) -> Request:
        """Return the question of a command, about the text as it is once the document's stopped runs have cleaned up.

        :raises TuppenceError: as ``RequestReader.read``.
        """
        uri = rooms.latest.uri_of(str(field(arguments, "again"))) or str(field(arguments, "uri"))
        return await rooms.asking.read(await settled(arguments, uri, rooms.client, self._runs))

    async def _before(self, request: Request, running: Running, rooms: _Components) -> None:
        """Ask about model servers on this machine where no other may answer, and wait for runs stopped meanwhile.

        A run that is stopped here has sent nothing.
        """
        try:
            await rooms.strangers.meet(request)
            await self._runs.cleaned_up(running.uri)
        except asyncio.CancelledError:
            session = rooms.session
            receipt = open_receipt(request, session)
            session.ledger_writer.record(receipt.add_free("", "", session.now(), "cancelled"))
            rooms.client.say(messages.stopped(running.title, receipt, running.because))
            raise

    async def _apply(self, arguments: Any, rooms: _Components) -> None:
        uri, finding = str(field(arguments, "uri")), str(field(arguments, "finding"))
        document = rooms.client.documents.get(uri)
        pinned = next((each for each in rooms.board.get(uri) if each.id == finding), None)
        if document is None or pinned is None:
            raise Stale("That finding is not there any more.", "Review again if you want it.")
        if field(arguments, "version") not in (None, document.version):
            raise Stale("The document changed after the menu was opened.", "Open the menu again.")
        edit = await rooms.board.quick_fix(document, pinned)
        if edit is None:
            raise Stale("That fix does not fit the text any more.", "Fix it by a model, or review again.")
        whole = convert.to_workspace_edit(document, (edit,), rooms.client.encoding, rooms.client.capabilities)
        if rooms.client.documents.get(uri) is not document or not await rooms.client.apply(
            whole, "Apply a finding's fix"
        ):
            raise Stale("The editor did not take the edit.", "Is the document read-only?")

    def _refresh(self, rooms: _Components) -> None:
        """Follow the configuration file; a bad one is reported, and what it can't say stays as it was."""
        former = rooms.watched.current
        if (error := rooms.watched.refresh()) is not None:
            self._warn(error)
        if rooms.watched.current is not former:
            for warning in rooms.watched.current.warnings:
                rooms.client.log(warning)

    def _warn(self, error: TuppenceError) -> None:
        kind = types.MessageType.Error if isinstance(error, ConfigError) else types.MessageType.Warning
        self._rooms.client.say(str(error), kind)


class _Components:
    """What exists once the session is open."""

    def __init__(
        self, server: Server, config: Path | None, roots: Sequence[Path], handed: dict[str, str], runs: Runs
    ) -> None:
        protocol = server.protocol
        self.watched = Watched(config)
        self.session, self.neighbourhood = open_session(self.watched, roots, protocol.documents.at, handed)
        protocol.outgoing.hide = self._hide
        protect(self._hide)
        reconcile_pending(self.session)
        self.client = EditorClient(server, self.session)
        self.session.approvals.ask_user = self.client.choose
        self.board = ReviewFindings(self.client)
        self.reading = ExplanationView(self.client)
        self.latest = AnswerHistory(protocol.documents)
        self.asking = RequestReader(self.client, self.latest)
        self.strangers = LocalModelConsent(self.client, self.neighbourhood)
        self.hovering = HoverProvider(self.client, runs)
        self.warm_up = WarmUp(self.session)
        self.renewals = KeepAlive(self.session, protocol.documents.get)
        protocol.documents.on_read_ahead = self._search_ahead

    def _search_ahead(self, tree: Tree) -> None:
        """Search a version for secrets before somebody asks about it; what was found is remembered by the text."""
        self.session.disclosures.scanner.find(tree.text, self.session.config().allowed_secrets)

    def _hide(self, text: str) -> str:
        """Return a text without the keys in use."""
        return self.session.key_scan().hide(text)


def _message(request: Request) -> str:
    return request.diagnostic.message if request.diagnostic else ""
