"""One answer to be judged, and the judging: the server's own way from a model's words to a verdict.

The words go through the same making, the same slop guard and the same second look with ruff as in a run; only the
model, the editor and the trial of tests are not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tuppence.core.actions import EXPLAIN, FIX, REVIEW, TESTS, Action
from tuppence.core.answer.insert_tests import TestLocation
from tuppence.core.answer_builder import StopReason, Task, builder_for
from tuppence.core.checks.slop import Evidence
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import Packages, normal
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Block
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document
from tuppence.engine.request import Request
from tuppence.engine.verify import verify_edit

__all__ = ["EXPLAIN", "FIX", "REVIEW", "TESTS", "Outcome", "Sample", "answer", "had", "judged", "whole"]

_CHECKS = (
    ("valid code but not useful", "slop guard"),
    ("new problem", "ruff: something new"),
    ("still there", "ruff: still there"),
    ("silences the complaint", "silenced"),
    ("again, which is already elsewhere", "writes a neighbour again"),
    ("parse", "parse"),
    ("names code that is absent", "names"),
    ("quote", "quotation"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request and one answer to it."""

    action: Action
    document: Document
    target: Target
    code: str = ""
    """The new text of the target, or new tests."""
    imports: str = ""
    """The import lines that come with it."""
    words: str = ""
    """The model's words, where they are not just that code in a fence."""
    chosen: Diagnostic | None = None
    packages: Packages | None = None
    ending: StopReason = "end"
    place: TestLocation | None = None
    """For tests: where they go."""

    @property
    def reply(self) -> str:
        """The model's words."""
        return self.words or answer(self.code, self.imports)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it."""

    fit: bool
    check: str
    """Which check refused it; empty where none did."""
    doubt: bool
    """Whether it was kept with a doubt that is shown."""
    why: str


async def judged(sample: Sample) -> Outcome:
    """Return what the server would make of an answer."""
    document, target = sample.document, sample.target
    known = language(document.language)
    tree = parse(document.text, known)
    about = (sample.chosen,) if sample.chosen else ()
    work = Task(
        action=sample.action,
        document=document,
        tree=tree,
        language=known,
        target=target,
        place=sample.place,
        evidence=Evidence(about, "", sample.packages),
    )
    ask = Request(
        run="", action=sample.action, document=document, tree=tree, target=target, path=None, diagnostic=sample.chosen
    )
    making = builder_for(work)
    making.feed(sample.reply)
    _, made = making.finish(sample.ending)
    verdict = (await verify_edit(ask, made)).verdict
    why = " ".join(verdict.reasons)
    return Outcome(verdict.fit, "" if verdict.fit else _check(why), bool(verdict.doubts), why)


def answer(code: str, imports: str = "") -> str:
    """Return the words of a model that answers with code and import lines, in fences longer than any in it."""
    longest = max((len(found) for found in re.findall(r"`{3,}", code + imports)), default=2)
    fence = "`" * (longest + 1)
    wanted = f"{fence}imports\n{imports}\n{fence}\n" if imports else ""
    return f"{fence}\n{code}\n{fence}\n{wanted}"


def whole(document: Document, block: Block) -> Target:
    """Return the target that a definition is."""
    return Target(document.whole_lines(block.span), block.name, block.kind)


def had(texts: Iterable[tuple[str, str]]) -> Packages:
    """Return what a package has: its own modules, and whatever it imports already."""
    names: set[str] = set()
    for path, text in texts:
        names.update(part.partition(".")[0] for part in path.split("/"))
        names.update(re.findall(r"^\s*(?:from|import)\s+(\w+)", text, re.MULTILINE))
        names.update(re.findall(r"(?:from|require\()\s*['\"]([^'\"./][^'\"]*)['\"]", text))
    return Packages(frozenset(normal(name) for name in names), complete=True)


def _check(why: str) -> str:
    return next((check for words, check in _CHECKS if words in why), "form")
