"""The events of one request, which a run yields to an editor, a test or the demo.

A run yields these in order: perhaps ``ModelChosen``, then progress and pieces of the answer, perhaps ``Retracted`` and
``ModelChosen`` again when it escalates, and exactly one ``RunFinished``. All of them are plain values without behavior.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tuppence.core.answer.insert_tests import NewTests
from tuppence.core.answer.review.findings import Finding
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.verdict import Verdict
from tuppence.core.routing.router import Route
from tuppence.core.text.document import Edit


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """The choice is made."""

    route: Route
    cut: tuple[str, ...]
    """What the model will not see, one sentence each."""


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One line about the current step."""

    text: str


@dataclass(frozen=True, slots=True)
class MarkdownChunk:
    """More of an explanation: Markdown that is safe to show."""

    markdown: str


@dataclass(frozen=True, slots=True)
class EditsDrafted:
    """Edits to apply now, in order, each relative to the text after the one before; only for a live client."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class FindingAdded:
    """A finding is complete."""

    finding: Finding


@dataclass(frozen=True, slots=True)
class Retracted:
    """The edits and findings so far are invalid and must be taken back."""

    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer."""

    verdict: Verdict
    edits: tuple[Edit, ...] = ()
    """To the target's document, relative to the version that was asked about."""
    written: NewTests | None = None
    markdown: str = ""
    findings: tuple[Finding, ...] = ()
    repairs: tuple[str, ...] = ()
    """The names of the repairs for which the text in the target differs from what was sent (core/answer/patch.py)."""
    reply: str = ""
    """The model's reply, verbatim; it is cached for the next identical question."""
    edited: EditedText | None = field(default=None, compare=False, repr=False)
    """The document with the edits made, for the checks that are still to come; they take it out, for its trees are
    large."""
    agrees: bool = False
    """Whether it is what an earlier answer wrote there already, so that there is nothing to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished:
    """The run is over; the last step."""

    answer: Answer | None
    """None: nothing is kept, and the text is as it was."""
    model: str
    """The id of the model that answered last; the linter's name at tier 0; empty where none did."""
    tier: str
    cost: Decimal | None
    """Of the whole run, failed tries included, USD; None is unknown."""
    estimated: bool
    why: str = ""
    """If there is no answer, the reason and what to do about it."""
    kept: bool = False
    """Whether the answer is an earlier one, given again at no cost."""
    notes: tuple[str, ...] = ()
    """What the user has to know about the cost, such as that a provider's counts are not trusted; one sentence each."""


Event = ModelChosen | StatusLine | MarkdownChunk | EditsDrafted | FindingAdded | Retracted | RunFinished
