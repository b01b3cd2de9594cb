"""The actions that a user can request, one row each. The order of the rows is the order of the menu.

Titles, instructions, limits and the shape of the answer are defined only here; a new action is a new row. The choice of
the model is made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tuppence.core.text.shown_text import quoted

_LONGEST = 72
"""Characters of a diagnostic's message that a menu shows."""
_LONGEST_NAME = 100
"""Characters of a name that a sentence shows."""
Shape = Literal["markdown", "replacement", "tests", "findings"]
FORMAT = """Write each finding in exactly this form, with a line of three hyphens between findings:

severity: error
line: `the one line of code that it is about, copied exactly`
problem: What is wrong and what follows from it, in one or two sentences of plain text.
```
the replacement for exactly that line; leave this block out when no single replacement is right
```
---

The severity is error, warning, information or hint. Quote a line of the target, whole and unchanged, without its line \
number. When there is nothing to report, answer only: No findings."""


@dataclass(frozen=True, slots=True)
class Action:
    """One row of the menu."""

    id: str
    verb: str
    """The start of the title, before the name of the target."""
    past: str
    """The start of the closing message, before the name of the target."""
    kind: str
    """The code-action kind in an editor that shows every kind in its menu."""
    shape: Shape
    """The kind of answer, which determines its destination: a panel, the target, a test file, diagnostics."""
    instruction: str
    """The instruction for the model; part of the constant system text."""
    brief: str
    """The instruction for the smallest models, in as few words as they can follow."""
    least_output: int
    """Answer tokens below which asking is pointless."""
    usual_output: int
    """Answer tokens of a typical answer, in addition to those for the target's own length."""
    echo: float = 0.0
    """How many times the target's own length the answer is, on top of ``usual_output``."""
    measured_as: str = ""
    """The id of the action whose measurements are used for this one; empty means its own, or those of its shape."""
    fixes_diagnostics: bool = False
    """Whether it corrects what diagnostics report: a linter's own fix comes first, and the linter is asked for errors
    where the editor passes none on."""


EXPLAIN = Action(
    id="explain",
    verb="Explain",
    past="Explained",
    kind="source.explain",
    shape="markdown",
    instruction=(
        "Explain the target to a colleague who knows the language but not this code. Begin with one sentence that says "
        "what it is for. Then say how it works, what it needs and gives back, and what could surprise a caller. Name "
        "things as the code names them. Answer in Markdown of at most 250 words, without a heading and without "
        "repeating the code."
    ),
    brief="Explain in a few sentences what this code does.",
    least_output=120,
    usual_output=450,
)
FIX = Action(
    id="fix",
    verb="Fix",
    past="Fixed",
    kind="refactor.rewrite",
    shape="replacement",
    instruction=(
        "Correct what is wrong in the target: the diagnostics that are listed if there are any, otherwise its bugs. "
        "Change as little as possible; keep names, comments, formatting and behaviour that is right. Answer with one "
        "fenced code block that holds the complete new text of the target lines, every line of it, and nothing around "
        "them. If the fix needs an import that the file does not have, add a second fenced block whose info word is "
        "`imports` with only the import lines. No other text."
    ),
    brief="Correct the mistake in this code. Answer with only the whole corrected code, in one fenced code block.",
    least_output=64,
    usual_output=80,
    echo=1.1,
    fixes_diagnostics=True,
)
TESTS = Action(
    id="tests",
    verb="Generate tests for",
    past="Wrote tests for",
    kind="source.tests",
    shape="tests",
    instruction=(
        "Write unit tests for the target in the framework that the project uses. Cover the usual case, the edges and "
        "the errors; each test asserts something that would fail if the code were wrong. Answer with one fenced code "
        "block that holds the new tests, and a second fenced block whose info word is `imports` with the import lines "
        "that they need. When the test file exists, repeat nothing of it. No other text."
    ),
    brief="Write a short unit test for this code. Answer with only the test, in one fenced code block.",
    least_output=200,
    usual_output=700,
    echo=1.0,
)
REVIEW = Action(
    id="review",
    verb="Review",
    past="Reviewed",
    kind="source.review",
    shape="findings",
    instruction=(
        "Review the target as a careful colleague: bugs, unhandled cases, security, then clarity. Report only what is "
        "really there, the gravest first, at most eight findings, and nothing that a formatter would do. " + FORMAT
    ),
    brief=(
        "Name the one mistake in this code that matters most. Answer with exactly three lines:\nseverity: error\n"
        "line: `the line of code, copied`\nproblem: one sentence that says what is wrong with it"
    ),
    least_output=120,
    usual_output=500,
)

ACTIONS: tuple[Action, ...] = (FIX, EXPLAIN, TESTS, REVIEW)

_BY_SHAPE: Mapping[Shape, str] = {each.shape: each.id for each in (EXPLAIN, FIX, TESTS, REVIEW)}
"""The action that was measured, by the shape of its answer."""


def find_action(name: str) -> Action | None:
    """Return the action of that id, or None."""
    return next((action for action in ACTIONS if action.id == name), None)


def measured_ids(action_id: str) -> tuple[str, ...]:
    """Return the ids under which an action's measurements are looked up, in this order."""
    row = find_action(action_id)
    return (action_id,) if row is None else (row.measured_as or row.id, _BY_SHAPE[row.shape])


def title(action: Action, name: str, message: str = "") -> str:
    """Return the menu's line: a diagnostic's own words where one is fixed, else the verb and the thing's name."""
    if message.strip():
        first = message.strip().splitlines()[0].rstrip(".")
        return f"{action.verb}: {first if len(first) <= _LONGEST else first[: _LONGEST - 1] + '…'}"
    return f"{action.verb} {thing(name)}"


def thing(name: str) -> str:
    """Return how a target is called in a sentence."""
    return quoted(name, _LONGEST_NAME, "`") if name else "the selection"
