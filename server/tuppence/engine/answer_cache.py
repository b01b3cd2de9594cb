"""Answers kept for the next identical question, and what makes two questions identical.

The key is content alone: the action, its instruction, the code, what the code leans on in its file and its project, the
quality that was asked for. So an answer is given again as long as it is true, and not when a helper was edited that it
tells of. Beside it stands which answer a definition had last, so that code which was edited since is shown what was
said of it as what it is: stale.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tuppence.cache import answers
from tuppence.config import Config
from tuppence.config.policy import routing_policy
from tuppence.core.actions import Shape
from tuppence.core.answer_builder import Task
from tuppence.core.events import Answer, Event
from tuppence.core.models.model import Model
from tuppence.core.prompt.compose import SYSTEM
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.references import referenced_by
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Span
from tuppence.engine.disclosure.guarded_answer import guarded
from tuppence.engine.disclosure.sources import of_document
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import PreparedRequest, Request
from tuppence.engine.session import Session

_KEPT: tuple[Shape, ...] = ("markdown", "findings")
"""Shapes of answers that are kept for the next identical question."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer that is given again."""

    model: str
    """The id of the model that gave it the first time."""
    steps: tuple[Event, ...]
    answer: Answer


def content_key(request: Request, session: Session) -> str:
    """Return a word for what a question is about: the code, and what it leans on; it reads the project.

    Empty where answers to such a question are not kept.
    """
    if request.action.shape not in _KEPT or not session.config().keep_answers:
        return ""
    around = session.workspace.surroundings(request.document, request.tree, request.target, request.path).definitions
    elsewhere = [f"{each.name} {each.text}" for each in around]
    pieces = (
        request.document.slice(request.target.span),
        *referenced_by(request.tree, request.target.span),
        *sorted(elsewhere),
    )
    return answers.key(request.action.id, request.document.language, *pieces)


def lookup(request: Request, about: str, session: Session, quality: float | None = None) -> CachedAnswer | None:
    """Return the kept answer to this very question, made anew from what the model said; None where there is none.

    :param about: its ``content``.
    :param quality: the one that is wanted now, where a budget that is nearly used up lowers it.
    """
    if request.bypass_cache or request.better_than or not about:
        return None
    found = session.answer_store.get(_key(request, about, session.config(), quality))
    if found is None:
        return None
    work = Task(
        action=request.action,
        document=request.document,
        tree=request.tree,
        language=language(request.document.language),
        target=request.target,
    )
    making = guarded(work, of_document(request, session))
    shown = making.feed(found.text)
    rest, answer = making.finish("end")
    return CachedAnswer(found.model, (*shown, *rest), answer)


def explanation(request: Request, about: str, session: Session) -> answers.StoredAnswer | None:
    """Return the kept explanation of exactly this code, as the model sent it; None where there is none."""
    return session.answer_store.get(_key(request, about, session.config())) if about else None


def store(prepared: PreparedRequest, answer: Answer, model: Model, receipt: Receipt, session: Session) -> None:
    """Keep an answer for the next identical question, where the action's answers are kept."""
    if not prepared.cache_key or not session.config().keep_answers:
        return
    key = _key(prepared.request, prepared.cache_key, session.config(), prepared.route.wanted)
    session.answer_store.put(
        key, answers.StoredAnswer(answer.reply, model.id, session.now(), receipt.total), _subject(prepared.request)
    )


def latest_for(request: Request, session: Session) -> answers.StoredAnswer | None:
    """Return the last explanation of the definition at this place, whatever its code was then; None where none is."""
    subject = _subject(request)
    return session.answer_store.latest(subject) if subject and session.config().keep_answers else None


def _subject(request: Request) -> str:
    """Name a definition by its place among the names of its document; empty where no other would be as certain."""
    names = [_path(request.tree, block.span) for block in request.tree.blocks() if block.name]
    path = _path(request.tree, request.target.span)
    if not request.target.name or names.count(path) != 1:
        return ""
    return hashlib.sha256(
        repr((request.action.id, request.document.uri, path)).encode("utf-8", "surrogatepass")
    ).hexdigest()


def _path(tree: Tree, span: Span) -> tuple[str, ...]:
    return tuple(block.name for block in tree.blocks() if block.span.covers(span))


def _key(request: Request, about: str, config: Config, quality: float | None = None) -> str:
    """Name a question: what it is about, the instruction, and the quality that is wanted."""
    policy = routing_policy(config, request.action, request.document.language)
    wanted = policy.quality if quality is None else quality
    return answers.key(about, hashlib.sha256(SYSTEM.encode()).hexdigest(), f"{wanted} {policy.pin}")
