"""The cache of answers to identical questions, and what makes questions identical.

The key contains the project (its folder and its conventions, which are part of every prompt), the action and its
instruction, the code, the code that it uses in its file and project, and the requested quality. So an answer is reused
while it is true, but not after an edit of a helper that it describes, and never in another project: an answer produced
from another repository's ``mean`` does not apply to the user's own ``mean``, even if the code is equal. The last answer
of each definition is also recorded, so that after an edit it can be shown, marked as stale.
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
"""Shapes of answers that are cached."""
_DEEPEST = 50
"""Nesting depth from which definitions are not identified by their place; real code is less deep."""
_SLICE = 8_000
"""Code points of a cached answer that are processed in one call."""


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer from the cache."""

    model: str
    """The id of the model that gave it originally."""
    steps: tuple[Event, ...]
    answer: Answer


def is_kept(request: Request, session: Session) -> bool:
    """Report whether answers to a request are cached."""
    return request.action.shape in _KEPT and session.config().keep_answers


def surroundings(request: Request, session: Session) -> Surroundings:
    """Return what the project contains about a target; it reads files."""
    return session.workspace.surroundings(request.document, request.tree, request.target, request.path)


def content_key(request: Request, session: Session, around: Surroundings | None = None) -> str:
    """Return a digest of what a request is about: the code, and what it uses; it reads the project.

    Empty if answers to the request are not cached.

    :param around: the target's surroundings, if they are known.
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
    """Return a key of a document's project; different projects have different keys.

    It is the real path of the project folder. An unsaved document belongs to the only open folder; any other document
    that is not a file is a project of its own, identified by its URI and the open folders.
    """
    workspace, uri = session.workspace, request.document.uri
    path = request.path
    if path is None and uri.startswith("untitled:") and len(workspace.open_folders) == 1:
        path = workspace.open_folders[0] / "untitled"
    if path is None:
        return answers.key("no file", uri, *map(str, workspace.open_folders))
    return answers.key("folder", str(workspace.home(path)))


def lookup(request: Request, about: str, session: Session, quality: float | None = None) -> CachedAnswer | None:
    """Return the cached answer to this question, rebuilt from the model's text; None if there is none.

    It processes the whole answer again, so it must not run on the event loop.

    :param about: the request's ``content_key``.
    :param quality: the required quality, if a nearly exhausted budget lowers it.
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
    # In slices, because Python releases its global lock only between calls.
    slices = [found.text[at : at + _SLICE] for at in range(0, len(found.text), _SLICE)]
    shown = [event for text in slices for event in making.feed(text)]
    rest, answer = making.finish("end")
    return CachedAnswer(found.model, (*shown, *rest), answer)


def usual_quality(request: Request, session: Session) -> float:
    """Return the quality of which ``lookup`` finds answers where none is given."""
    return routing_policy(session.config(), request.action, request.document.language).quality


def explanation(request: Request, about: str, session: Session) -> answers.StoredAnswer | None:
    """Return the cached explanation of exactly this code, as the model sent it; None if there is none."""
    return session.answer_store.get(_key(request, about, session.config())) if about else None


def store(prepared: PreparedRequest, answer: Answer, model: Model, receipt: Receipt, session: Session) -> None:
    """Store an answer, if answers of its action are cached."""
    if not prepared.cache_key or not session.config().keep_answers or session.key_scan().holds(answer.reply):
        return
    key = _key(prepared.request, prepared.cache_key, session.config(), prepared.route.wanted)
    kept = answers.StoredAnswer(answer.reply, model.id, session.now(), receipt.total)
    session.answer_store.put(key, kept, _subject(prepared.request, session))


def latest_for(request: Request, session: Session) -> answers.StoredAnswer | None:
    """Return the last explanation of the definition here, whatever its code was then; None if there is none."""
    if not session.config().keep_answers:
        return None
    subject = _subject(request, session)
    return session.answer_store.latest(subject) if subject else None


def _subject(request: Request, session: Session) -> str:
    """Return a key of a definition by its qualified name in its document; empty if that is not unique."""
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
    """Return the places of the definitions with each name, with their qualified names."""
    found: dict[str, list[tuple[Span, tuple[str, ...]]]] = {}
    for span, path in _paths(tree.blocks()).items():
        found.setdefault(path[-1], []).append((span, path))
    return found


def _paths(blocks: Sequence[Block]) -> dict[Span, tuple[str, ...]]:
    """Return the qualified name of each named definition, in one pass.

    Blocks are in the order of their starts, outer before inner. Definitions deeper than ``_DEEPEST`` are left out.
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
    """Return the key of a question: its content, the instruction, and the required quality."""
    policy = routing_policy(config, request.action, request.document.language)
    wanted = policy.quality if quality is None else quality
    return answers.key(about, SYSTEM, request.action.brief, f"{wanted} {policy.pin}")
