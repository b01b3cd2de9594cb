"""What the server does for one editor: menus, hovers, runs, the accounts; one method for each thing it is asked.

A method takes what the editor sent, and each mistake in it becomes one sentence. The runs themselves are shown by
performing.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from lsprotocol import converters, types
from pygls.uris import to_fs_path

from tuppence.config import Watched
from tuppence.core import actions
from tuppence.core.diagnostic import Diagnostic
from tuppence.core.markdown import clean
from tuppence.core.target import find
from tuppence.core.text import Document, Span
from tuppence.editor import convert
from tuppence.editor.board import Board
from tuppence.editor.desk import Desk
from tuppence.editor.latest import Latest
from tuppence.editor.menu import Menu, Opened, unfit
from tuppence.editor.performing import Performance
from tuppence.editor.protocol import Server
from tuppence.editor.reading import Reading
from tuppence.editor.runs import Running, Runs
from tuppence.errors import ConfigError, Stale, TuppenceError, Unfit
from tuppence.opening import open_house
from tuppence.plan import Ask, explanation

_log = logging.getLogger(__name__)
_YES = "Use it"
_NO = "Never"


class Service:
    """The server's side of one conversation."""

    def __init__(self, server: Server, config: Path | None) -> None:
        self._server = server
        self._config = config
        self._runs = Runs()
        self._handed: dict[str, str] = {}
        self._roots: Sequence[Path] = ()
        self._converter = converters.get_converter()
        self._opened: _Rooms | None = None

    def introduce(self, options: Any, roots: Sequence[Path]) -> None:
        """Take what the editor says of itself: the project's folders, and keys from its secret store."""
        self._roots = roots
        keys = _field(options, "keys")
        if isinstance(keys, Mapping):
            self._handed |= {str(name): str(key) for name, key in keys.items()}

    async def begin(self) -> None:
        """Open the house and say what is wrong with the configuration, if something is."""
        rooms = self._rooms
        config = rooms.house.config()
        if config.mistakes:
            self._warn(ConfigError(str(config.path), config.mistakes))
        for warning in config.warnings:
            rooms.desk.log(warning)
        try:
            await rooms.desk.show_cost()
        except TuppenceError as error:
            self._warn(error)

    async def menu(self, params: types.CodeActionParams) -> list[types.CodeAction] | None:
        """Return the menu for a selection."""
        rooms = self._rooms
        document = rooms.desk.documents.get(params.text_document.uri)
        if document is None:
            return None
        span = convert.from_range(document, params.range, rooms.desk.encoding)
        opened = Opened(document, span, params, rooms.latest.at(document.uri))
        return await Menu(rooms.desk, self._runs, rooms.board).entries(opened)

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        """Return the kept explanation of the definition whose header the cursor is on; never ask for one."""
        rooms = self._rooms
        document = rooms.desk.documents.get(params.text_document.uri)
        if document is None or unfit(document):
            return None
        offset = convert.from_position(document, params.position, rooms.desk.encoding)
        tree = await rooms.desk.documents.tree(document.uri)
        block = tree.enclosing(Span(offset, offset))
        target = find(document, tree, Span(offset, offset))
        if block is None or target is None or not block.header.start <= offset <= block.header.end:
            return None
        kept = await asyncio.to_thread(explanation, document, target, rooms.house)
        if kept is None:
            return None
        shown = f"{clean(kept.text)}\n\n---\n{kept.model}, kept: asking again is free"
        kind = types.MarkupKind.Markdown if rooms.desk.client.markdown else types.MarkupKind.PlainText
        return types.Hover(
            types.MarkupContent(kind, shown), convert.to_range(document, block.header, rooms.desk.encoding)
        )

    async def run(self, arguments: Any) -> None:
        """Start what a menu entry stands for, and wait for its end where the editor can wait."""
        rooms = self._rooms
        self._refresh(rooms)
        try:
            ask = await self._ask(arguments, rooms)
        except TuppenceError as error:
            self._warn(error)
            return
        running = Running(ask.document.uri, actions.title(ask.action, ask.target.name, _message(ask)), ask.run)
        task = self._runs.start(running, self._perform(ask, running, rooms))
        if not rooms.desk.client.reply_pending:
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
        """Stop a run; one that has ended meanwhile is no mistake."""
        self._runs.stop(str(_field(arguments, "run")))

    def dismiss(self, arguments: Any) -> None:
        """Take one finding down."""
        self._rooms.board.dismiss(str(_field(arguments, "uri")), str(_field(arguments, "finding")))

    def clear(self, arguments: Any) -> None:
        """Take all findings of a document down."""
        self._rooms.board.clear(str(_field(arguments, "uri")))

    async def close(self) -> None:
        """End everything that runs and give back what was taken."""
        await self._runs.stop_all()
        if self._opened is None:
            return
        rooms = self._opened
        rooms.reading.close()
        await rooms.house.upstream.close()
        rooms.neighbourhood.release()
        rooms.house.ledger.close()

    @property
    def _rooms(self) -> _Rooms:
        if self._opened is None:
            self._opened = _Rooms(self._server, self._config, self._roots, self._handed)
        return self._opened

    async def _perform(self, ask: Ask, running: Running, rooms: _Rooms) -> None:
        try:
            await self._meet_strangers(rooms)
            performance = Performance(rooms.desk, rooms.board, rooms.reading, running)
            finished = await performance.perform(ask)
            if finished is not None:
                rooms.latest.remember(finished)
        except TuppenceError as error:
            self._warn(error)
        except Exception:  # noqa: BLE001 - a fault of ours must end in a sentence, not in a silent editor
            _log.exception("A run failed")
            rooms.desk.say(
                "tuppence met an error of its own; the text is as it was. Please report it with the server's log.",
                types.MessageType.Error,
            )

    async def _meet_strangers(self, rooms: _Rooms) -> None:
        """Where no provider has a key, ask once about each model server that listens on this machine."""
        house = rooms.house
        if any(house.keys.ready(model.provider) for model in house.config().models):
            return
        for found in await rooms.neighbourhood.strangers():
            models = ", ".join(found.models[:3]) or "no model"
            question = (
                f"{found.kind} listens at {found.base_url} ({models}). May tuppence send it the code that you ask "
                "about? Whoever holds that port would get it."
            )
            answer = await rooms.desk.choose(question, (_YES, _NO))
            if answer == _YES:
                rooms.neighbourhood.allow(found)
            elif answer == _NO:
                rooms.neighbourhood.refuse(found)

    async def _ask(self, arguments: Any, rooms: _Rooms) -> Ask:
        if (again := _field(arguments, "again")) is not None:
            return await self._again(str(again), str(_field(arguments, "above") or ""), rooms)
        action = actions.find(str(_field(arguments, "action")))
        document = rooms.desk.documents.get(str(_field(arguments, "uri")))
        if action is None:
            known = ", ".join(each.id for each in actions.ACTIONS)
            raise Unfit(f"There is no action `{_field(arguments, 'action')}`.", f"Use one of: {known}.")
        if document is None:
            raise Stale("The document is not open any more.", "Open it and try again.")
        if why := unfit(document):
            raise Unfit(why, "There is nothing that a model could do with it.")
        if (version := _field(arguments, "version")) is not None and version != document.version:
            raise Stale("The document changed after the menu was opened.", "Open the menu again.")
        given = _field(arguments, "diagnostic")
        chosen = None
        if given is not None:
            diagnostic = self._converter.structure(given, types.Diagnostic)
            chosen = convert.from_diagnostic(document, diagnostic, rooms.desk.encoding)
        asked = self._converter.structure(_field(arguments, "range"), types.Range)
        span = convert.from_range(document, asked, rooms.desk.encoding)
        ask = await self._question(action, document, span, chosen, rooms)
        others = [
            convert.from_diagnostic(document, self._converter.structure(each, types.Diagnostic), rooms.desk.encoding)
            for each in _field(arguments, "diagnostics") or ()
        ]
        return ask if chosen else replace(ask, diagnostics=tuple(others))

    async def _question(
        self, action: actions.Action, document: Document, span: Span, chosen: Diagnostic | None, rooms: _Rooms
    ) -> Ask:
        tree = await rooms.desk.documents.tree(document.uri)
        document = rooms.desk.documents.get(document.uri) or document
        target = find(document, tree, span, chosen)
        if target is None:
            raise Unfit("There is no code here.", "Put the cursor in it, or select some.")
        return Ask(
            run=uuid4().hex,
            action=action,
            document=document,
            tree=tree,
            target=target,
            path=_path(document.uri),
            diagnostics=(chosen,) if chosen else (),
            chosen=chosen,
        )

    async def _again(self, run: str, above: str, rooms: _Rooms) -> Ask:
        """Return an earlier question, asked anew about the text as it stands now."""
        last = rooms.latest.by_run(run)
        if last is None or last.span is None:
            raise Stale("That answer is not the latest any more.", "Open the menu again.")
        document = rooms.desk.documents.get(last.ask.document.uri)
        if document is None:
            raise Stale("The document is not open any more.", "Open it and try again.")
        about = tuple(replace(each, span=last.span) for each in last.ask.diagnostics)
        ask = await self._question(last.ask.action, document, last.span, None, rooms)
        return replace(ask, diagnostics=about, above=above, anew=True)

    def _refresh(self, rooms: _Rooms) -> None:
        """Follow the configuration file; a bad one is reported, and the one before stays in force."""
        if (error := rooms.watched.refresh()) is not None:
            self._warn(error)

    def _warn(self, error: TuppenceError) -> None:
        self._rooms.desk.say(str(error), types.MessageType.Warning)


class _Rooms:
    """What exists once the house is open."""

    def __init__(self, server: Server, config: Path | None, roots: Sequence[Path], handed: dict[str, str]) -> None:
        protocol = server.protocol
        self.watched = Watched(config)
        self.house, self.neighbourhood = open_house(
            self.watched, roots, lambda path: protocol.documents.get(Path(path).as_uri()), handed
        )
        self.desk = Desk(server, self.house)
        self.board = Board(self.desk)
        self.reading = Reading(self.desk)
        self.latest = Latest(protocol.documents)


def _path(uri: str) -> Path | None:
    """Return where a document is stored; None for an untitled one, a notebook's cell and everything that is no file."""
    if not uri.startswith("file:"):
        return None
    path = to_fs_path(uri)
    return Path(path) if path else None


def _message(ask: Ask) -> str:
    return ask.chosen.message if ask.chosen else ""


def _field(value: Any, name: str) -> Any:
    """Return a field of what an editor sent, None where it sent something else."""
    return value.get(name) if isinstance(value, Mapping) else None
