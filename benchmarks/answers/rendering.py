"""What renderers of replies share: fences, indentation, statements, and a document with imports merged into it."""

from __future__ import annotations

import random
import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from benchmarks.answers.mine import Case
from benchmarks.answers.wording import MANNERS, Manner
from tuppence.core.answer import merge_imports
from tuppence.core.answer_builder import StopReason
from tuppence.core.syntax.languages import Language, language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.python_ast import flaw
from tuppence.core.text.document import Edit, apply

Group = Literal["change", "right", "recoverable", "bad", "harmful"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One reply to one case."""

    text: str
    """The model's words."""
    expected: tuple[str, ...]
    """The documents that are right, the best one first."""
    stop: StopReason = "end"
    case: Case | None = None
    """The case that it answers, where it is not the mined one."""


Render = Callable[[Case, random.Random], Rendered | None]
"""Returns a reply in one shape; None where the case has no such reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A class of models' behaviour."""

    group: Group
    title: str
    render: Render
    imports: bool = False
    """Whether it is for cases whose new text needs new imports too."""
    classes: bool = False
    """Whether it is for cases that are classes, and for no others."""


def manner(case: Case) -> Manner:
    """Return how models write around code of the case's language."""
    return MANNERS[case.document.language]


def known(case: Case) -> Language:
    """Return the row of the case's language."""
    return language(case.document.language)


def fence(code: str, info: str = "", mark: str = "`", indent: str = "") -> str:
    """Return code in a fence longer than any in it, without a line ending behind it."""
    longest = max((len(found) for found in re.findall(rf"{re.escape(mark)}{{3,}}", code)), default=2)
    marks = mark * (longest + 1)
    return textwrap.indent(f"{marks}{info}\n{code}\n{marks}", indent)


def fenced(case: Case, code: str) -> str:
    """Return code in the fence that the prompt asks for."""
    return fence(code, manner(case).infos[0])


def right(case: Case, text: str, stop: StopReason = "end") -> Rendered:
    """Return a reply that means the case's new text."""
    return Rendered(text, (case.expected,), stop)


def merged(case: Case) -> str:
    """Return the document with the new text in the target, and the new imports with the others."""
    after = replace(case.document, text=case.expected)
    return apply(after.text, merge_imports.merge(after, parse(after.text, known(case)), case.imports))


def placed(case: Case, code: str) -> str:
    """Return the document with a text in the target."""
    return apply(case.document.text, [Edit(case.target.span, code)])


def parses(case: Case, code: str) -> bool:
    """Report whether the document parses with a text in the target."""
    text = placed(case, code)
    return parse(text, known(case)).sound() and (known(case).id != "python" or flaw(text) is None)


def dedented(code: str) -> str:
    """Return code at column 0; a line that is less deep than the first one is left as it is."""
    first = re.match(r"[ \t]*", code)
    deep = first[0] if first else ""
    return "\n".join(line.removeprefix(deep) for line in code.split("\n"))


def statements(case: Case) -> list[tuple[int, int]]:
    """Return the statements of the new text's body, outermost ones only, as half-open ranges of its lines."""
    lines = case.code.split("\n")
    begin, end = case.body
    filled = [at for at in range(begin, min(end, len(lines))) if lines[at].strip()]
    if not filled:
        return []
    deep = len(_margin(lines[filled[0]]))
    starts = [at for at in filled if len(_margin(lines[at])) == deep and not _goes_on(lines[at].strip())]
    return [*zip(starts, [*starts[1:], filled[-1] + 1], strict=True)]


def without(case: Case, ranges: list[tuple[int, int]], instead: str = "") -> str:
    """Return the new text without some lines; a text other than an empty one stands where the first of them stood."""
    gone = {at for begin, end in ranges for at in range(begin, end)}
    lines = case.code.split("\n")
    kept = [line for at, line in enumerate(lines) if at not in gone]
    first = min(gone)
    if instead:
        kept.insert(first, _margin(lines[first]) + instead)
    return "\n".join(kept)


def body_margin(case: Case) -> str:
    """Return the white space before the first statement of the new text's body."""
    found = statements(case)
    return _margin(case.code.split("\n")[found[0][0]]) if found else ""


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _goes_on(line: str) -> bool:
    """Report whether a line belongs to the statement above it."""
    return bool(re.match(r"[)\]}.?:&|]|(?:else|elif|except|finally|catch|case|default)\b", line))
