"""A request for an action on a target, and what is known about it before a model is called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tuppence.core.actions import Action
from tuppence.core.answer_builder import Task
from tuppence.core.models.model import Model
from tuppence.core.prompt.compose import Prompt, TestFile
from tuppence.core.prompt.context import Context
from tuppence.core.routing.candidates import RoutingRequest
from tuppence.core.routing.difficulty import Difficulty
from tuppence.core.routing.router import Route
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A person's question."""

    run: str
    """Names the run in the ledger and to the editor."""
    action: Action
    document: Document
    tree: Tree
    target: Target
    path: Path | None
    """Where the document is stored; None for one that is not a file."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """What the model is told about the target."""
    diagnostic: Diagnostic | None = None
    """The one diagnostic that the user picked, if it was one."""
    better_than: str = ""
    """The name of the model whose answer was not good enough; empty for a first question."""
    bypass_cache: bool = False
    """Whether a kept answer is passed over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRequest:
    """A question, ready to be asked."""

    request: Request
    context: Context
    difficulty: Difficulty
    need: RoutingRequest
    route: Route
    task: Task
    tests: TestFile | None
    measured: Prompt
    """The prompt as it was composed to be measured; :func:`tuppence.engine.prepare.prompt` sets the output limit."""
    cache_key: str = ""
    """A word for what the answer is about, by which it is kept; empty where it is not."""
    planner: Model | None = None
    """Who writes a plan first, for the model that answers; None for nobody."""
    advice: str = ""
    """The plan that was written."""
