"""What a request would send, to which provider and at what cost, without sending it: ``tuppence preview``.

The request is prepared as in a run (:mod:`tuppence.engine.run`), by a session that starts no model, searches no server
and needs no key; then the wire encodes the body, and nothing is sent. A run that starts immediately afterwards, with
nothing else changed, sends exactly these bytes first.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal
from urllib.parse import urlsplit

from tuppence.config.shipped import shipped
from tuppence.core.actions import title
from tuppence.core.billing.budget import CallEstimate, offer
from tuppence.core.billing.entry import about, money
from tuppence.core.models.model import Model, Provider
from tuppence.core.models.usage import at_most
from tuppence.core.prompt.compose import Prompt
from tuppence.core.routing.candidates import allowance, bound, least_output
from tuppence.core.text.hidden import visible
from tuppence.credentials import Keys
from tuppence.engine import answer_cache
from tuppence.engine.approval import approval_reason
from tuppence.engine.disclosure.consent import is_asked_first
from tuppence.engine.disclosure.disclosure import ReplacedSecret
from tuppence.engine.prepare import advised, prepare, prompt
from tuppence.engine.prompt_cache import Subject
from tuppence.engine.request import PreparedRequest, Request, RunContext, open_receipt
from tuppence.engine.session import Session
from tuppence.errors import NoModel
from tuppence.linters import ready_fix
from tuppence.providers import find_wire

_GUTTER = "│ "
"""Prefix of a displayed line of the request, which distinguishes it from tuppence's own lines."""
_LINE = re.compile(r"\r\n|\r|\n")
_CHANGED = "┃ "
"""Prefix of a displayed line in which a secret was replaced."""
LineKind = Literal["fact", "heading", "text", "replaced", "mark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A request that was not sent."""

    title: str
    """The title of the action, such as ``Fix `mean```."""
    model: Model
    """The model that would be asked first."""
    prompt: Prompt
    """The prompt, with its cache marks and output limit."""
    url: str
    """The address, without a key."""
    body: bytes
    """The exact bytes of the body; keys are only in headers, which are not included."""
    tokens: int
    """The approximate number of prompt tokens."""
    expected: Decimal | None
    """Expected cost in USD; None if unknown."""
    most: Decimal | None
    """Maximum cost in USD; None if unknown."""
    key: str
    """A sentence on the problem with the provider's key; empty if there is none."""
    cut: tuple[str, ...]
    """Sentences on what was left out."""
    replaced: tuple[ReplacedSecret, ...]
    """The secrets that are replaced in the sent text."""
    notes: tuple[str, ...]
    """Sentences on what else would happen before or instead."""

    @property
    def text(self) -> str:
        """The whole preview as text for the user."""
        return "".join(f"{line}\n" for _, line in self.lines())

    def lines(self) -> Iterator[tuple[LineKind, str]]:
        """Yield the lines of the preview with their kinds; invisible characters are shown as code points."""
        for line in self._facts():
            yield "fact", visible(line)
        texts = (self.prompt.system, *self.prompt.shared, self.prompt.tail)
        placeholders = {part for each in self.replaced for part in _LINE.split(each.placeholder) if part.strip()}
        before = ""
        for at, text in enumerate(texts):
            heading = self._heading(at, len(texts))
            if heading != before and text:
                yield "heading", f"{heading}:"
            for line in _LINE.split(text.removesuffix("\n")) if text else ():
                is_changed = any(part in line for part in placeholders)
                yield (
                    ("replaced", f"{_CHANGED}{visible(line)}") if is_changed else ("text", f"{_GUTTER}{visible(line)}")
                )
            if at in self.prompt.marks:
                life = f" for {self.prompt.life}" if self.prompt.life else ""
                yield "mark", f"├─ cache mark: the provider is asked to keep all that is above{life}"
            before = heading

    def _facts(self) -> Iterator[str]:
        model = self.model
        yield f"{self.title}: nothing was sent, and nothing was spent."
        yield f"To: {model.title} at {model.provider.name} ({urlsplit(self.url).netloc}), wire {model.provider.wire}"
        yield f"Address: POST {self.url}"
        if self.key:
            yield f"Key: {self.key} Without it nothing is sent there."
        expected = "unknown" if self.expected is None else f"{about(self.expected)} expected"
        most = "" if self.most is None else f", {money(self.most)} at most"
        yield f"Cost: {expected}{most}"
        limit = min(self.prompt.max_output, model.max_output)
        yield f"Size: {len(self.body):,} bytes, about {self.tokens:,} tokens; an answer of {limit:,} tokens at most"
        yield from (f"Cut: {sentence}" for sentence in self.cut)
        for each in self.replaced:
            place = f" in {each.file}, line {each.line + 1}," if each.file else ""
            yield f"Replaced: {each.kind}{place} by “{_LINE.split(each.placeholder)[0]}”"
        yield from (f"Note: {sentence}" for sentence in self.notes)

    def _heading(self, at: int, count: int) -> str:
        if at == 0:
            return "System text, the same for every request"
        if at == count - 1:
            return "Tail, this request's own: the task, the target, diagnostics, definitions from other files"
        return "Shared by requests in this project: its conventions" if at < self.prompt.file_at else "File"


async def preview(request: Request, session: Session) -> Preview:
    """Return what a run of a request would send first.

    :raises Unfit: nothing would be sent, because the file or the target cannot be sent to a model.
    :raises NoModel: nothing would be sent, because no model may answer, with or without keys.
    """
    offline = session.offline()
    prepared = await _prepared(request, offline)
    context = RunContext(request, offline, open_receipt(request, offline))
    notes = [note async for note in _instead(request, prepared, context)]
    planner = prepared.planner
    unasked = planner is not None and is_asked_first(request, planner, offline)
    if planner is not None and not unasked and not approval_reason(planner, prepared, context):
        then = prepared.route.model.title
        notes.append(f"{planner.title} is asked for a plan first; {then} then gets this request with that plan.")
        model = planner
    else:
        model = prepared.route.model
        prepared = prepared if planner is None else advised(prepared, planner, "")
    composed = _marked(prompt(prepared, model), model, request, offline)
    limit = await _granted(composed, model, prepared, offline)
    composed = replace(composed, max_output=limit)
    wire = find_wire(model.provider.wire)
    http = wire.request(composed, model, None)
    row = prepared.route.row(model.name)
    return Preview(
        title=title(request.action, request.target.name),
        model=model,
        prompt=composed,
        url=http.url,
        body=http.encoded,
        tokens=prepared.need.prompt_tokens,
        expected=row.cost if row else None,
        most=bound(model, prepared.need, min(limit, allowance(model, prepared.need, shipped()))),
        key=session.keys.lacking(model.provider),
        cut=prepared.context.cut,
        replaced=prepared.replaced,
        notes=tuple(notes),
    )


class _SupposedKeys(Keys):
    """Keys that pretend that none is missing, to show a request for a provider without a key."""

    def __init__(self, real: Keys) -> None:
        super().__init__({})
        self._real = real

    def of(self, provider: Provider) -> str | None:
        return self._real.of(provider)

    def ready(self, provider: Provider) -> bool:
        del provider
        return True


async def _prepared(request: Request, session: Session) -> PreparedRequest:
    """Return the plan of a run; if no model may answer because of missing keys, the plan with all keys."""
    try:
        return await prepare(request, session)
    except NoModel as lacking:
        try:
            return await prepare(request, replace(session, keys=_SupposedKeys(session.keys)))
        except NoModel:
            raise lacking from None


async def _instead(request: Request, prepared: PreparedRequest, context: RunContext) -> AsyncIterator[str]:
    """Yield sentences on what a run would do instead of sending this, or before it."""
    session, path = context.session, request.path
    repeated = bool(request.better_than) or request.bypass_cache
    picked = request.diagnostic if request.action.fixes_diagnostics and not repeated else None
    if picked is not None and (fix := await ready_fix(request.document, picked, path)):
        yield f"{fix.tool} fixes this by itself: this is sent only where that fix is not there."
    key = await asyncio.to_thread(answer_cache.content_key, request, session)
    wanted = prepared.route.wanted
    if any([await asyncio.to_thread(answer_cache.lookup, request, key, session, each) for each in (None, wanted)]):
        yield "An answer to this question is kept and would be given again: this is sent once it is forgotten."
    if is_asked_first(request, prepared.route.model, session):
        yield "You would be asked first: the file's name says that it holds secrets."
    if why := approval_reason(prepared.route.model, prepared, context):
        yield f"You would be asked first: {why}."


def _marked(composed: Prompt, model: Model, request: Request, session: Session) -> Prompt:
    """Return the prompt with the cache marks that a run would set."""
    document = request.document
    subject = Subject(request.run, request.action.id, document.uri, document.language, document.version)
    return session.prompt_cache.marked(composed, model, subject, session.now())


async def _granted(composed: Prompt, model: Model, prepared: PreparedRequest, session: Session) -> int:
    """Return the answer tokens that the budget would grant.

    :raises OverBudget: the budget would not allow the request.
    """
    limits = session.limits()
    if not limits.any or (spent := await session.ledger_writer.spent(prepared.request.run)) is None:
        return composed.max_output
    pace = session.ledger_writer.chars_per_token(model, prepared.request.document.language)
    bid = CallEstimate(
        model=model.id,
        price=model.price,
        prompt=await asyncio.to_thread(at_most, composed.text, pace),
        least=least_output(prepared.need),
        most=min(composed.max_output, model.max_output),
        when=session.now(),
    )
    return offer(bid, limits, spent).tokens
