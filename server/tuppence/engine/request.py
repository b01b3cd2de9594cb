"""A request for an action on a target, and what is known about it before a model is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from tuppence.core.actions import Action
from tuppence.core.answer.earlier import EarlierAnswer
from tuppence.core.answer_builder import Task
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer
from tuppence.core.models.model import Model
from tuppence.core.models.usage import TokenMeasure
from tuppence.core.prompt.compose import Prompt, TestFile
from tuppence.core.prompt.context import Context
from tuppence.core.routing.candidates import RoutingRequest
from tuppence.core.routing.difficulty import Difficulty
from tuppence.core.routing.router import Route
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document
from tuppence.engine.disclosure.disclosure import Disclosure, ReplacedSecret
from tuppence.engine.receipt import Receipt
from tuppence.engine.session import Session

EditorCheck = Callable[[Answer], Awaitable[Verdict]]
"""Returns the verdict on an edit accepted so far: unchanged, with another proof, or a rejection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An action on a target, as the user requested it."""

    run: str
    """Id of the run in the ledger and for the editor."""
    action: Action
    document: Document
    tree: Tree
    target: Target
    path: Path | None
    """Path of the document; None if it is not a file."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """The diagnostics in the prompt."""
    diagnostic: Diagnostic | None = None
    """The diagnostic that the user picked, or None."""
    better_than: str = ""
    """The name of the model whose answer was not good enough, or an empty string."""
    bypass_cache: bool = False
    """Whether a cached answer is ignored."""
    model: str = ""
    """The name of the model that the user picked, or an empty string if the router chooses."""
    quoted: Decimal | None = None
    """USD displayed to the user as the cost of that model's answer; None if no price was displayed."""
    earlier: EarlierAnswer | None = None
    """The answer to replace, or None; ``document`` is then the text without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRequest:
    """A request, ready to be sent to a model."""

    request: Request
    context: Context
    difficulty: Difficulty
    need: RoutingRequest
    route: Route
    task: Task
    tests: TestFile | None
    measured: Prompt
    """The prompt as it was composed to be measured; :func:`tuppence.engine.prepare.prompt` sets the output limit."""
    size: TokenMeasure
    """Of that prompt."""
    cache_key: str = ""
    """The content key of the answer cache, or an empty string if the answer is not cached."""
    planner: Model | None = None
    """The model that first writes a plan for the answering model, or None."""
    advice: str = ""
    """The plan that was written, or an empty string."""
    disclosure: Disclosure = field(default_factory=Disclosure)
    """The secrets that are replaced in the sent text."""

    @property
    def replaced(self) -> tuple[ReplacedSecret, ...]:
        """The places of the secrets that are replaced in the sent text, file by file."""
        return self.disclosure.replaced


@dataclass(frozen=True, slots=True)
class RunContext:
    """What all stages of a run share."""

    request: Request
    session: Session
    receipt: Receipt
    editor_check: EditorCheck | None = None
    """The last check of an edit, by the editor that shows it; None without an editor."""


def open_receipt(request: Request, session: Session) -> Receipt:
    """Return the empty receipt of a run."""
    return Receipt(
        run=request.run,
        session=session.id,
        action=request.action.id,
        language=request.document.language,
        project=session.workspace.project(request.path) if request.path else "",
    )
