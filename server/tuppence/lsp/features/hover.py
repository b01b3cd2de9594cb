"""Hovers: show a cached explanation, or what asking would cost; ask a model only if the user enabled that.

The setting ``hover`` decides. A hover sends nothing, except with "auto": then a pointer that rests on a definition's
name asks the cheapest model once, within a limit, and the answer is cached for the next hover. Signatures and
documentation are left to other servers.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar
from urllib.parse import quote
from uuid import uuid4

from lsprotocol import types

from tuppence.core import actions
from tuppence.core.actions import EXPLAIN
from tuppence.core.answer.markdown import clean, visible
from tuppence.core.events import RunFinished, StatusLine
from tuppence.core.routing.quote import Quote
from tuppence.core.syntax.target import find_target
from tuppence.core.syntax.tree import Block
from tuppence.core.text.document import Span
from tuppence.engine import answer_cache, hover
from tuppence.engine.hover import CachedExplanation, HoverGrant
from tuppence.engine.request import Request, open_receipt
from tuppence.engine.run import run
from tuppence.engine.session import Session
from tuppence.errors import Stale, TuppenceError
from tuppence.lsp.documents import convert
from tuppence.lsp.features import messages
from tuppence.lsp.features.commands import RUN
from tuppence.lsp.features.run_request import path_of, why_not
from tuppence.lsp.output.active_runs import Running, Runs
from tuppence.lsp.output.client import EditorClient

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
PAUSE = 0.7
"""Seconds that the pointer must rest before a hover asks a model, so that passing over a name costs nothing."""
PATIENCE = 8.0
"""Seconds that a hover waits for an answer. Helix reports a failure after 20
(https://github.com/helix-editor/helix/issues/2505)."""
_GIVEN_UP = 200
"""Number of code texts remembered for which a hover got no answer, so that it does not ask and pay again."""
_LONGEST = 60
"""Maximum number of characters of a name that are shown."""
_STALE = "**Explained before the last edit: this may no longer be true.**"
Code = tuple[str, str, str]
"""Project key, language id and text. An answer for one project's code does not apply to another project."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What the pointer is on."""

    request: Request
    """The request to explain this place."""
    block: Block
    on_name: bool
    """Whether it is on the definition's name, rather than elsewhere in its header."""
    turn: int
    """Number of the hover, to detect that the pointer has moved since."""


@dataclass(frozen=True, slots=True)
class _Offered:
    """What a hover says of code that no kept answer explains as it is."""

    look: _Look
    offer: Quote
    stale: CachedExplanation | None
    """An explanation of what the code was before it was edited."""


@dataclass(eq=False, slots=True)
class _Asked:
    """A question that a hover asked by itself."""

    request: Request
    leave: HoverGrant
    running: Running
    waiting: int = 0
    """Number of open hovers that wait for its answer."""
    sent: bool = False
    """Whether the request was sent and so must be paid for."""
    why: str = ""
    """Why there is no answer; empty until that is known."""


class HoverProvider:
    """Answers hover requests."""

    def __init__(self, client: EditorClient, runs: Runs) -> None:
        self._client = client
        self._runs = runs
        self._asked: dict[Code, _Asked] = {}
        self._given_up: dict[Code, str] = {}
        self._turn = 0

    async def hover(self, params: types.HoverParams) -> types.Hover | None:
        """Return the hover at a position, None for nothing."""
        self._turn += 1
        turn, mode = self._turn, self._client.session.config().hover
        if mode == "off":
            return None
        with self._client.session.fair_share.in_front():
            found = await self._found(params, turn, mode)
        if not isinstance(found, _Offered):
            return found
        look, stale = found.look, found.stale
        said = await self._by_itself(look) if mode == "auto" else ""
        if isinstance(said, CachedExplanation):
            return await self._kept(said, look)
        # Clients trust a link only if all words beside it are tuppence's own (docs/protocol.md).
        line = self._offer(found.offer, look, link=not said and stale is None)
        line = f"{line} {said}" if said else line
        if stale:
            return await self._kept(replace(stale, source=line), look)
        return self._hover(line, look, look.block.named)

    async def _found(self, params: types.HoverParams, turn: int, mode: str) -> types.Hover | _Offered | None:
        """Return what is shown without asking a model, or what asking one would cost."""
        look = await self._look(params, turn)
        if look is None:
            return None
        cached, around = await self._in_turn(hover.recall, look.request)
        if (cached is not None and not cached.is_stale) or mode == "kept" or not look.on_name:
            return await self._kept(cached, look) if cached else None
        try:
            offer = await hover.quote(look.request, self._client.session, around)
        except TuppenceError:
            return await self._kept(cached, look) if cached else None
        return _Offered(look, offer, cached)

    async def _look(self, params: types.HoverParams, turn: int) -> _Look | None:
        """Return the definition whose header contains the position, None if there is none."""
        client = self._client
        document = client.documents.get(params.text_document.uri)
        if document is None or client.documents.doubtful(document) or await why_not(document, client.session.workspace):
            return None
        try:
            tree = await client.documents.tree(document.uri)
        except Stale:
            return None
        at = convert.from_position(document, params.position, client.encoding)
        here = Span(at, at)
        block = await client.documents.in_turn(document.uri, tree.enclosing, here)
        if block is None or client.documents.get(document.uri) is not document:
            return None  # The text may have changed; then the editor asks again.
        on_name = block.kind != "block" and block.named is not None and block.named.covers(here)
        if not on_name and not block.header.covers(here):
            return None
        target = await client.documents.in_turn(document.uri, find_target, document, tree, here)
        if target is None:
            return None
        request = Request(
            run=uuid4().hex, action=EXPLAIN, document=document, tree=tree, target=target, path=path_of(document.uri)
        )
        return _Look(request, block, on_name, turn)

    async def _remembered(self, request: Request) -> CachedExplanation | None:
        return await self._in_turn(hover.remembered, request)

    async def _in_turn(self, work: Callable[[Request, Session], _T], request: Request) -> _T:
        client = self._client
        return await client.documents.in_turn(request.document.uri, work, request, client.session)

    async def _kept(self, kept: CachedExplanation, look: _Look) -> types.Hover | None:
        warning = f"{_STALE}\n\n" if kept.is_stale else ""
        text = await asyncio.to_thread(clean, kept.text)
        return self._hover(f"{warning}{text}\n\n---\n{kept.source}", look, look.block.header)

    def _offer(self, offer: Quote, look: _Look, *, link: bool) -> str:
        """Return the line about a definition without a cached explanation.

        :param link: whether the action may be a link, if the client follows command links.
        """
        # The name may come from an untrusted repository: it must not end its code span.
        name = " ".join(visible(look.request.target.name).replace("`", "'").split())
        title = actions.title(EXPLAIN, name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…")
        call = (
            f"[{title}]({self._command(look)})"
            if link and self._client.capabilities.command_links
            else f"{title} in the code actions"
        )
        return f"{offer.size}. {call}: {replace(offer, model=clean(offer.model)).price}."

    def _command(self, look: _Look) -> str:
        document, at = look.request.document, look.block.named or look.block.header
        start = convert.to_position(document, at.start, self._client.encoding)
        place = {"line": start.line, "character": start.character}
        argument = {
            "action": EXPLAIN.id,
            "uri": document.uri,
            "version": document.version,
            "range": {"start": place, "end": place},
        }
        return f"command:{RUN}?{quote(json.dumps([argument]), safe='')}"

    def _hover(self, shown: str, look: _Look, span: Span | None) -> types.Hover | None:
        client, document = self._client, look.request.document
        if span is None or client.documents.get(document.uri) is not document:
            return None
        kind = types.MarkupKind.Markdown if client.capabilities.markdown else types.MarkupKind.PlainText
        return types.Hover(types.MarkupContent(kind, shown), convert.to_range(document, span, client.encoding))

    async def _by_itself(self, look: _Look) -> CachedExplanation | str:
        """Ask a model if the pointer rests; return the answer, a sentence on why there is none, or nothing."""
        request = look.request
        place = await asyncio.to_thread(answer_cache.home, request, self._client.session)
        code = (place, request.document.language, request.document.slice(request.target.span))
        if code not in self._asked:
            await asyncio.sleep(PAUSE)
            if look.turn != self._turn or self._client.documents.get(request.document.uri) is not request.document:
                return ""
            if code in self._given_up:
                return self._given_up[code]
            try:
                leave = await hover.authorize(request, self._client.session)
            except TuppenceError as error:
                return clean(str(error))
            if code not in self._asked:
                self._start(code, _Asked(request, leave, Running(request.document.uri, _title(request), request.run)))
        return await self._answer(self._asked[code])

    def _start(self, code: Code, asked: _Asked) -> None:
        self._asked[code] = asked
        self._runs.start(asked.running, self._ask(code, asked))

    async def _answer(self, asked: _Asked) -> CachedExplanation | str:
        """Wait for an answer, at most ``PATIENCE`` seconds; a cancel stops a question that was not sent yet."""
        assert asked.running.task is not None
        asked.waiting += 1
        try:
            await asyncio.wait([asked.running.task], timeout=PATIENCE)
        except asyncio.CancelledError:
            if asked.waiting == 1 and not asked.sent:
                asked.running.stop()
            raise
        finally:
            asked.waiting -= 1
        if not asked.running.task.done():
            return f"{clean(asked.leave.model.id)} was asked: look again for its answer."
        return await self._remembered(asked.request) or asked.why

    async def _ask(self, code: Code, asked: _Asked) -> None:
        """Run a question; its answer is cached as any run's is."""
        request, client = asked.request, self._client
        receipt = open_receipt(request, client.session)
        try:
            async with aclosing(run(request, asked.leave.session, receipt)) as steps:
                async for step in steps:
                    asked.sent = asked.sent or step == StatusLine(f"Asking {asked.leave.model.id}")
                    if isinstance(step, RunFinished):
                        self._note(step, code, asked)
        except asyncio.CancelledError:
            client.log(messages.stopped(asked.running.title, receipt))
            if asked.sent:
                self._give_up(code, "It was stopped.")
            raise
        except Exception:  # noqa: BLE001 - nobody awaits a hover's own question: its fault goes to the log
            _log.exception("A hover's question failed")
            self._give_up(code, "")
        finally:
            del self._asked[code]
            await client.show_cost()

    def _note(self, done: RunFinished, code: Code, asked: _Asked) -> None:
        """Log the result; remember a question without an answer."""
        if done.answer is not None:
            self._client.log(f"Hover: {messages.done(done, asked.request, ())}")
            return
        why = messages.could_not(asked.request, done.why, done)
        self._client.log(f"Hover: {why}")
        asked.why = clean(why)
        self._give_up(code, asked.why)

    def _give_up(self, code: Code, why: str) -> None:
        self._given_up[code] = why
        while len(self._given_up) > _GIVEN_UP:
            del self._given_up[next(iter(self._given_up))]


def _title(request: Request) -> str:
    return f"Hover: {actions.title(EXPLAIN, request.target.name)}"
