"""Answers kept for the next identical question, and what makes two questions identical.

The key is content alone: the action, its instruction, the code, the quality that was asked for. Beside it stands which
answer a definition had last, so that code which was edited since is shown what was said of it as what it is: stale.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from tuppence import cache
from tuppence.account import Account
from tuppence.config import Config
from tuppence.core.actions import EXPLAIN, Action
from tuppence.core.languages import language
from tuppence.core.making import Work, begin
from tuppence.core.models import Model
from tuppence.core.prompt import SYSTEM
from tuppence.core.steps import Answer, Step
from tuppence.core.target import Target
from tuppence.core.text import Document, Span
from tuppence.core.tree import Tree
from tuppence.house import House
from tuppence.plan import Ask, Plan
from tuppence.wishing import wished

_KEPT = ("explain", "review")
"""Actions whose answers are kept for the next identical question."""


@dataclass(frozen=True, slots=True)
class Replay:
    """An answer that is given again."""

    model: str
    """The id of the model that gave it the first time."""
    steps: tuple[Step, ...]
    answer: Answer


def kept(ask: Ask, house: House) -> Replay | None:
    """Return the kept answer to this very question, made anew from what the model said; None where there is none."""
    if ask.anew or ask.above or ask.action.id not in _KEPT or not house.config().keep_answers:
        return None
    found = house.answers.get(_key(ask.action, ask.document, ask.target, house.config()))
    if found is None:
        return None
    work = Work(
        action=ask.action,
        document=ask.document,
        tree=ask.tree,
        language=language(ask.document.language),
        target=ask.target,
    )
    making = begin(work)
    shown = making.feed(found.text)
    rest, answer = making.finish("end")
    return Replay(found.model, (*shown, *rest), answer)


def explanation(document: Document, target: Target, house: House) -> cache.Kept | None:
    """Return the kept explanation of exactly this code, as the model sent it; None where there is none."""
    if not house.config().keep_answers:
        return None
    return house.answers.get(_key(EXPLAIN, document, target, house.config()))


def keep(plan: Plan, answer: Answer, model: Model, account: Account, house: House) -> None:
    """Keep an answer for the next identical question, where the action's answers are kept."""
    if plan.ask.action.id not in _KEPT or not house.config().keep_answers:
        return
    key = _key(plan.ask.action, plan.ask.document, plan.ask.target, house.config())
    house.answers.put(key, cache.Kept(answer.reply, model.id, house.now(), account.total), _subject(plan.ask))


def former(ask: Ask, house: House) -> cache.Kept | None:
    """Return the last explanation of the definition at this place, whatever its code was then; None where none is."""
    subject = _subject(ask)
    return house.answers.latest(subject) if subject and house.config().keep_answers else None


def _subject(ask: Ask) -> str:
    """Name a definition by its place among the names of its document; empty where no other would be as certain."""
    names = [_path(ask.tree, block.span) for block in ask.tree.blocks() if block.name]
    path = _path(ask.tree, ask.target.span)
    if not ask.target.name or names.count(path) != 1:
        return ""
    return sha256(repr((ask.action.id, ask.document.uri, path)).encode("utf-8", "surrogatepass")).hexdigest()


def _path(tree: Tree, span: Span) -> tuple[str, ...]:
    return tuple(block.name for block in tree.blocks() if block.span.covers(span))


def _key(action: Action, document: Document, target: Target, config: Config) -> str:
    """Name a question by its content: the action, its instruction, the code and the quality that was asked for."""
    wish = wished(config, action, document.language)
    asked = f"{sha256(SYSTEM.encode()).hexdigest()} {wish.quality} {wish.pin}"
    return cache.key(action.id, document.language, document.slice(target.span), asked)
