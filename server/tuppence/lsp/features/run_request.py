"""Convert the arguments of a menu entry or key binding into a request that can be run.

Every mistake in the arguments, and every unsuitable document, raises an error with one sentence. No model is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from lsprotocol import types
from pygls.uris import to_fs_path

from tuppence.core import actions
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target, find_target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span
from tuppence.core.text.shown_text import quoted
from tuppence.engine.request import Request
from tuppence.errors import Stale, Unfit
from tuppence.lsp.documents import convert
from tuppence.lsp.features import attached_fixes
from tuppence.lsp.features.history import AnswerHistory, Finished
from tuppence.lsp.output.client import EditorClient
from tuppence.lsp.protocol import typed_json
from tuppence.lsp.protocol.json_values import Malformed
from tuppence.workspace import Workspace

NO_EDITS = "This editor takes no edits from a language server."
_CLOSED = ("The document is not open any more.", "Open it and try again.")
_CHANGED = ("The document changed after the menu was opened.", "Open the menu again.")
_T = TypeVar("_T")


class RequestReader:
    """Reads requests for one editor."""

    def __init__(self, client: EditorClient, latest: AnswerHistory) -> None:
        self._client = client
        self._latest = latest

    async def read(self, arguments: Any) -> Request:
        """Return the request for the arguments of a command.

        :raises Unfit: the arguments are invalid, or the document is unsuitable.
        :raises Stale: the document is not what it was when the menu was opened.
        """
        if (again := field(arguments, "again")) is not None:
            return await self._again(str(again), arguments)
        action = actions.find_action(str(field(arguments, "action")))
        if action is None:
            known = ", ".join(each.id for each in actions.ACTIONS)
            raise Unfit(
                f"There is no action {quoted(str(field(arguments, 'action')), mark='`')}.", f"Use one of: {known}."
            )
        document, tree = await self._read(str(field(arguments, "uri")))
        if (version := field(arguments, "version")) is not None and version != document.version:
            raise Stale(*_CHANGED)
        given = field(arguments, "diagnostic")
        chosen = None if given is None else self._chosen(given, document)
        asked = self._structured(field(arguments, "range"), types.Range, "range")
        span = convert.from_selection(document, asked, self._client.encoding, self._client.capabilities)
        others = tuple(self._diagnostic(each, document) for each in _list(arguments, "diagnostics"))
        request = await self._question(action, (document, tree), span, chosen)
        return request if chosen else replace(request, diagnostics=others)

    async def _again(self, run: str, arguments: Any) -> Request:
        """Return the request of an earlier answer, about the text before that answer."""
        above, model = str(field(arguments, "above") or ""), str(field(arguments, "model") or "")
        quoted = _price(field(arguments, "price"))
        gone = Stale("That answer is not the latest any more, or its text was changed.", "Open the menu again.")
        last = self._latest.by_run(run)
        if last is None:
            raise gone
        parsed = await self._parsed(last.request.document.uri)
        if last.span is None:
            raise gone
        request = await self._repeated(last, parsed)
        if request is None:
            raise gone
        return replace(request, better_than=above, bypass_cache=True, model=model, quoted=quoted)

    async def _repeated(self, last: Finished, parsed: tuple[Document, Tree]) -> Request | None:
        """Return the request again, for its target's current place; None if the target was changed since."""
        document, tree = parsed
        span, earlier = last.span, None
        if last.writer is not None:
            earlier = last.writer.earlier(last.runs)
            if earlier is None:
                return None
            document, span = earlier.original, earlier.target.place
            tree = await asyncio.to_thread(parse, document.text, language(document.language))
        if span is None:
            return None
        former = last.request
        by = span.start - former.target.span.start
        return replace(
            former,
            run=uuid4().hex,
            document=document,
            tree=tree,
            target=replace(former.target, span=span),
            diagnostics=tuple(_moved(each, by, document) for each in former.diagnostics),
            diagnostic=_moved(former.diagnostic, by, document) if former.diagnostic else None,
            earlier=earlier,
        )

    async def _question(
        self, action: actions.Action, parsed: tuple[Document, Tree], span: Span, chosen: Diagnostic | None
    ) -> Request:
        document, tree = parsed
        if action.shape in ("replacement", "tests") and not self._client.capabilities.apply_edit:
            raise Unfit(NO_EDITS, "Ask for an explanation or a review.")
        workspace = self._client.session.workspace
        why, target = await self._client.documents.in_turn(
            document.uri, _looked_at, document, tree, span, chosen, workspace
        )
        if why:
            raise Unfit(why)
        if target is None:
            raise Unfit("There is no code here.", "Put the cursor in it, or select some.")
        if self._client.documents.get(document.uri) is not document:
            raise Stale(*_CHANGED)
        return Request(
            run=uuid4().hex,
            action=action,
            document=document,
            tree=tree,
            target=target,
            path=path_of(document.uri),
            diagnostics=(chosen,) if chosen else (),
            diagnostic=chosen,
        )

    async def _parsed(self, uri: str) -> tuple[Document, Tree]:
        """Return an open document that a model may see and its parse, both of one version."""
        document = self._client.documents.get(uri)
        if document is not None and (why := await why_not(document, self._client.session.workspace)):
            raise Unfit(why)
        return await self._read(uri)

    async def _read(self, uri: str) -> tuple[Document, Tree]:
        """Return an open document and its parse, both of one version, without the check for private files."""
        documents = self._client.documents
        document = documents.get(uri)
        if document is None:
            raise Stale(*_CLOSED)
        if why := documents.doubtful(document) or _unreadable(document):
            raise Unfit(why)
        tree = await documents.tree(uri)
        document = documents.get(uri)
        if document is None:
            raise Stale(*_CLOSED)
        return document, tree

    def _chosen(self, given: Any, document: Document) -> Diagnostic:
        """Return the diagnostic that the user picked, with the fix that its tool attached."""
        diagnostic = self._structured(given, types.Diagnostic, "diagnostic")
        fix = attached_fixes.edits(document, diagnostic, self._client.encoding)
        return replace(convert.from_diagnostic(document, diagnostic, self._client.encoding), fix=fix)

    def _diagnostic(self, given: Any, document: Document) -> Diagnostic:
        diagnostic = self._structured(given, types.Diagnostic, "diagnostic")
        return convert.from_diagnostic(document, diagnostic, self._client.encoding)

    def _structured(self, given: Any, kind: type[_T], name: str) -> _T:
        try:
            return typed_json.read(given, kind, name)
        except Malformed as error:
            raise Unfit(f"The command does not fit the protocol: {error.sentence}", "Open the menu again.") from None


async def why_not(document: Document, workspace: Workspace) -> str:
    """Return a sentence on why a document is unsuitable; empty if it is suitable."""
    return _unreadable(document) or await asyncio.to_thread(_why_private, document, workspace)


def _unreadable(document: Document) -> str:
    """Return a sentence on why a document's text is unsuitable; empty if it is suitable."""
    if "\0" in document.text:
        return "This is a binary file, and no model can read it."
    return "" if document.text.strip() else "The document is empty."


def _looked_at(
    document: Document, tree: Tree, span: Span, chosen: Diagnostic | None, workspace: Workspace
) -> tuple[str, Target | None]:
    """Return why a document is never sent, empty where it may be, and the target; reads files."""
    why = _why_private(document, workspace)
    return why, None if why else find_target(document, tree, span, chosen)


def _why_private(document: Document, workspace: Workspace) -> str:
    """Return in a sentence why a document is never sent, empty where it may be; reads files."""
    named = _named(document.uri)
    if named is None:
        return ""
    try:
        why = workspace.why_private(named)
    except OSError as error:
        return f"{named.name} cannot be looked at: {error.strerror}."
    return f"{named.name} is never sent to a model: {why}." if why else ""


def is_file(uri: str) -> bool:
    """Report whether a document is stored as a file."""
    return path_of(uri) is not None


def path_of(uri: str) -> Path | None:
    """Return a document's path; None for an untitled one, a notebook cell, and anything else that is not a file."""
    path = to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path and "\0" not in path else None


def field(value: Any, name: str) -> Any:
    """Return a field of a value from the editor, None if the value is not an object."""
    return value.get(name) if isinstance(value, Mapping) else None


def _moved(diagnostic: Diagnostic, by: int, document: Document) -> Diagnostic:
    """Return a diagnostic at its target's new position, without its tool's fix, which was for another text."""
    start, end = (min(max(each + by, 0), len(document.text)) for each in (diagnostic.span.start, diagnostic.span.end))
    return replace(diagnostic, span=Span(start, end), fix=())


def _price(value: Any) -> Decimal | None:
    """Return the price that a menu entry showed, in USD; None if it showed none.

    :raises Unfit: it is not an amount.
    """
    if value is None:
        return None
    try:
        amount = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite() or amount < 0:
        raise Unfit("The command's `price` is not an amount of USD.", "Open the menu again.")
    return amount


def _list(value: Any, name: str) -> list[Any]:
    found = field(value, name)
    return found if isinstance(found, list) else []


def _named(uri: str) -> Path | None:
    """Return the file that a URI of any scheme names: an old version of a private file (``git:``) is private too."""
    if (path := path_of(uri)) is not None:
        return path
    try:
        name = unquote(urlsplit(uri).path)
    except ValueError:
        return None
    return Path(name) if name.strip("/") and "\0" not in name else None
