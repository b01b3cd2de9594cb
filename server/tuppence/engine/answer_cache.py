"""Answers kept for the next identical question, and what makes two questions identical.

The key holds the project (its folder and its conventions, which are part of every prompt), the action, its instruction,
the code, what the code leans on in its file and its project, and the quality that was asked for. So an answer is given
again as long as it is true, not when a helper was edited that it describes, and never in another project: what a
stranger's repository made a model say about ``mean`` is no answer about one's own ``mean``, though the code is equal.
Beside it is noted which answer a definition had last, so that code which was edited since is shown what was said of it
as what it is: stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuppence.cache import answers
from tuppence.config import Config
from tuppence.config.policy import routing_policy
from tuppence.core.actions import Shape
from tuppence.core.answer_builder import Task
from tuppence.core.events import Answer, Event
from tuppence.core.models.model import Model
from tuppence.core.prompt.compose import SYSTEM
from tuppence.core.prompt.context import Surroundings
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.references import referenced_by
from tuppence.core.syntax.tree import Block, Tree, once_per_tree
from tuppence.core.text.document import Span
from tuppence.engine.disclosure.guarded_answer import guarded
from tuppence.engine.disclosure.sources import of_document
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import PreparedRequest, Request
from tuppence.engine.session import Session

_KEPT: tuple[Shape, ...] = ("markdown", "findings")
"""Shapes of answers that are kept for the next identical question."""
_DEEPEST = 50
"""Levels of nesting below which definitions are not named by their place; real code has fewer."""
_SLICE = 8_000
"""Code points of a kept answer that are read in one call."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer that is given again."""

    model: str
    """The id of the model that gave it the first time."""
    steps: tuple[Event, ...]
    answer: Answer


def is_kept(request: Request, session: Session) -> bool:
    """Report whether answers to such a question are kept."""
    return request.action.shape in _KEPT and session.config().keep_answers


def surroundings(request: Request, session: Session) -> Surroundings:
    """Return what the project says about a target; it reads files."""
    return session.workspace.surroundings(request.document, request.tree, request.target, request.path)


def content_key(request: Request, session: Session, around: Surroundings | None = None) -> str:
    """Return a word for what a question is about: the code, and what it leans on; it reads the project.

    Empty where answers to such a question are not kept.

    :param around: the target's surroundings, where they are known.
    """
    if not is_kept(request, session):
        return ""
    around = around or surroundings(request, session)
    elsewhere = [f"{each.name} {each.text}" for each in around.definitions]
    pieces = (
        home(request, session),
        around.conventions,
        request.document.slice(request.target.span),
        *referenced_by(request.tree, request.target.span),
        *sorted(elsewhere),
    )
    return answers.key(request.action.id, request.document.language, *pieces)


def home(request: Request, session: Session) -> str:
    """Return a word for the project that a document belongs to; two projects never have one word.

    It is the real folder of the project. What was not saved yet belongs to the one folder that is open; any other
    document that is no file is its own project, by its URI and the folders that the editor opened.
    """
    workspace, uri = session.workspace, request.document.uri
    path = request.path
    if path is None and uri.startswith("untitled:") and len(workspace.open_folders) == 1:
        path = workspace.open_folders[0] / "untitled"
    if path is None:
        return answers.key("no file", uri, *map(str, workspace.open_folders))
    return answers.key("folder", str(workspace.home(path)))


def lookup(request: Request, about: str, session: Session, quality: float | None = None) -> CachedAnswer | None:
    """Return the kept answer to this very question, rebuilt from what the model said; None if there is none.

    It reads the whole answer again, so it has no place on the event loop.

    :param about: its ``content``.
    :param quality: the one that is wanted now, where a budget that is nearly used up lowers it.
    """
    if request.bypass_cache or request.better_than or not about:
        return None
    found = session.answer_store.get(_key(request, about, session.config(), quality))
    if found is None or session.key_scan().holds(found.text):
        return None
    work = Task(
        action=request.action,
        document=request.document,
        tree=request.tree,
        language=language(request.document.language),
        target=request.target,
    )
    making = guarded(work, of_document(request, session))
    # In slices, because Python's lock changes hands between two calls only.
    slices = [found.text[at : at + _SLICE] for at in range(0, len(found.text), _SLICE)]
    shown = [event for text in slices for event in making.feed(text)]
    rest, answer = making.finish("end")
    return CachedAnswer(found.model, (*shown, *rest), answer)


def usual_quality(request: Request, session: Session) -> float:
    """Return the quality of which ``lookup`` finds answers where none is given."""
    return routing_policy(session.config(), request.action, request.document.language).quality


def explanation(request: Request, about: str, session: Session) -> answers.StoredAnswer | None:
    """Return the kept explanation of exactly this code, as the model sent it; None where there is none."""
    return session.answer_store.get(_key(request, about, session.config())) if about else None


def store(prepared: PreparedRequest, answer: Answer, model: Model, receipt: Receipt, session: Session) -> None:
    """Keep an answer for the next identical question, where the action's answers are kept."""
    if not prepared.cache_key or not session.config().keep_answers or session.key_scan().holds(answer.reply):
        return
    key = _key(prepared.request, prepared.cache_key, session.config(), prepared.route.wanted)
    kept = answers.StoredAnswer(answer.reply, model.id, session.now(), receipt.total)
    session.answer_store.put(key, kept, _subject(prepared.request, session))


def latest_for(request: Request, session: Session) -> answers.StoredAnswer | None:
    """Return the last explanation of the definition at this place, whatever its code was then; None where none is."""
    if not session.config().keep_answers:
        return None
    subject = _subject(request, session)
    return session.answer_store.latest(subject) if subject else None


def _subject(request: Request, session: Session) -> str:
    """Name a definition by its place among the names of its document; empty where that is no certain place."""
    target = request.target
    if not target.name:
        return ""
    places = _places(request.tree).get(target.name, ())
    own = next((path for span, path in places if target.span.covers(span)), None)
    if own is None or sum(path == own for _, path in places) != 1:
        return ""
    return answers.key("latest", home(request, session), request.action.id, request.document.uri, *own)


@once_per_tree
def _places(tree: Tree) -> dict[str, list[tuple[Span, tuple[str, ...]]]]:
    """Return where the definitions of each name are, each with the names of those around it and its own as the last."""
    found: dict[str, list[tuple[Span, tuple[str, ...]]]] = {}
    for span, path in _paths(tree.blocks()).items():
        found.setdefault(path[-1], []).append((span, path))
    return found


def _paths(blocks: Sequence[Block]) -> dict[Span, tuple[str, ...]]:
    """Return the names of the definitions around each named one, its own as the last, in one walk.

    Blocks come in the order of their starts, outer before inner. Of a place that is nested more than ``_DEEPEST`` deep
    nothing is said.
    """
    found: dict[Span, tuple[str, ...]] = {}
    open_blocks: list[Block] = []
    for block in blocks:
        while open_blocks and not open_blocks[-1].span.covers(block.span):
            open_blocks.pop()
        open_blocks.append(block)
        if block.name and len(open_blocks) <= _DEEPEST:
            found[block.span] = tuple(each.name for each in open_blocks)
    return found


def _key(request: Request, about: str, config: Config, quality: float | None = None) -> str:
    """Name a question: what it is about, the instruction, and the quality that is wanted."""
    policy = routing_policy(config, request.action, request.document.language)
    wanted = policy.quality if quality is None else quality
    return answers.key(about, SYSTEM, request.action.brief, f"{wanted} {policy.pin}")
