"""Shapes of answers that must not be kept, and of harmful ones that must at least be doubted.

What is left out or put in leaves code that parses, wherever models leave such code: a check of syntax alone finds none
of these. The document that a right answer would make is known all the same, since a reply that is cut off late may hold
the whole function.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace

from benchmarks.answers.mine import Case
from benchmarks.answers.rendering import (
    Rendered,
    Shape,
    body_margin,
    dedented,
    fenced,
    known,
    manner,
    parses,
    statements,
    without,
)
from benchmarks.answers.shapes import wrapped
from benchmarks.answers.wording import PLACEHOLDERS, PROSE, QUESTIONS, REFUSALS
from tuppence.core.answer_builder import StopReason
from tuppence.core.text.document import Span

_STEP = {"go": "\t", "typescript": "  "}
_LEAVES = re.compile(r"(?<![\w.])(?:raise\b|throw\b|return\b|panic\b|panic!|continue\b|break\b|bail!)|\bassert\b")
_FEW, _TRIES = 3, 8
"""Statements that a body has at least for some to be left out, and how often a way to do it is drawn."""
_SHORT = 5
"""Lines of a guard, at most."""


def _bad(case: Case, text: str, stop: StopReason = "end") -> Rendered:
    return Rendered(text, (case.expected,), stop)


def _answer(case: Case, code: str | None) -> Rendered | None:
    return None if code is None or code in (case.code, case.old) else _bad(case, fenced(case, code) + "\n")


def _left_out(words: str, where: str) -> Callable[[Case, random.Random], Rendered | None]:
    """Return a renderer of answers that say something in the place of some statements."""

    def render(case: Case, dice: random.Random) -> Rendered | None:
        found = statements(case)
        if len(found) < _FEW:
            return None
        many = max(1, len(found) // 2) if where != "middle" else max(1, len(found) - 2)
        first = {"top": 0, "middle": 1, "end": len(found) - many}[where]
        gone = found[first : first + many]
        if sum(end - begin for begin, end in gone) < 2:  # noqa: PLR2004 - a line for a line leaves too little out
            return None
        said = dice.choice(PLACEHOLDERS[words])
        bare = words == "dots" and known(case).id == "python" and dice.random() < 1 / 2
        code = without(case, gone, "..." if bare else known(case).comment(said))
        return _answer(case, code) if parses(case, code) else None

    return render


def _second_half(case: Case, _: random.Random) -> Rendered | None:
    found = statements(case)
    code = without(case, found[(len(found) + 1) // 2 :]) if len(found) >= _FEW else None
    return _answer(case, code) if code and parses(case, code) else None


def _cut(stop: StopReason) -> Callable[[Case, random.Random], Rendered | None]:
    """Return a renderer of answers that end inside the fence."""

    def render(case: Case, dice: random.Random) -> Rendered | None:
        lines = case.code.split("\n")
        end = dice.randrange(2, len(lines))
        begun = "\n".join(lines[:end])
        if dice.random() < 1 / 2:
            begun += "\n" + lines[end][: max(1, len(lines[end]) // 2)]
        return _bad(case, f"```{manner(case).infos[0]}\n{begun}", stop) if begun.strip() else None

    return render


def _file_cut(case: Case, dice: random.Random) -> Rendered | None:
    lines = case.expected.split("\n")
    first = case.document.line_at(case.target.span.start)
    last = min(first + 2 * len(case.code.split("\n")), len(lines) - 1)
    if last <= first + 2 or len(lines) > 600:  # noqa: PLR2004 - a file that a model would give back
        return None
    return _bad(case, f"```{manner(case).infos[0]}\n" + "\n".join(lines[: dice.randint(first + 2, last)]), "length")


def _renamed(case: Case, dice: random.Random) -> Rendered | None:
    name = case.target.name
    if name.startswith("__") or name in case.wrapper_name.split(".") or not name.isidentifier():
        return None
    new = dice.choice([f"{name}_fixed", f"{name}Fixed", f"{name}_v2", f"new_{name}"])
    return _answer(case, re.sub(rf"(?<![\w]){re.escape(name)}(?!\w)", new, case.code, count=1))


def _refusal(case: Case, dice: random.Random) -> Rendered:
    words = dice.choice(REFUSALS)
    text = dice.choice([words, fenced(case, words), fenced(case, known(case).comment(words))])
    return _bad(case, text, dice.choice(["end", "refused"]))


def _question(case: Case, dice: random.Random) -> Rendered:
    return _bad(case, dice.choice(QUESTIONS).format(name=case.target.name))


def _prose(case: Case, dice: random.Random) -> Rendered:
    return _bad(case, dice.choice(PROSE).format(name=case.target.name))


def _neighbor(case: Case, _: random.Random) -> Rendered | None:
    return _answer(case, case.neighbor) if case.neighbor else None


def _unchanged(case: Case, dice: random.Random) -> Rendered:
    return _bad(case, fenced(case, case.old if dice.random() < 1 / 2 else dedented(case.old)) + "\n")


def _empty(case: Case, dice: random.Random) -> Rendered:
    return _bad(case, dice.choice(["", "\n", "```\n```\n", fenced(case, ""), fenced(case, known(case).line_comment)]))


def _impostor(case: Case, _: random.Random) -> Rendered | None:
    if case.impostor is None:
        return None
    return _answer(case, wrapped(case, *case.impostor))


def _statement_gone(kind: str) -> Callable[[Case, random.Random], Rendered | None]:
    """Return a renderer of answers in which one statement is gone: a guard, a raise, or a call."""

    def render(case: Case, dice: random.Random) -> Rendered | None:
        lines = case.code.split("\n")
        old = {line.strip() for line in case.old.split("\n")}
        fits = []
        for begin, end in statements(case):
            said = [line.strip() for line in lines[begin:end] if line.strip()]
            if not set(said) <= old:
                continue
            guard = said[0].startswith("if") and len(said) <= _SHORT and _LEAVES.search(" ".join(said))
            call = len(said) == 1 and re.fullmatch(r"(?:await )?[\w.:>-]+\(.*\)\??;?", said[0])
            if (kind == "guard" and guard) or (kind == "call" and call and not _LEAVES.match(said[0])):
                fits.append((begin, end))
        if not fits or len(statements(case)) < 2:  # noqa: PLR2004 - something stays
            return None
        code = without(case, [dice.choice(fits)])
        return _answer(case, code) if parses(case, code) else None

    return render


def _inserted(case: Case, code: str, *lines: str) -> str | None:
    """Return code with lines as its body's first statement, for code of the case's old or new text."""
    found = statements(replace(case, code=code))
    if not found:
        return None
    margin, step = body_margin(replace(case, code=code)), _STEP.get(known(case).id, "    ")
    block = [margin + line.replace("\t", step) for line in lines]
    all_lines = code.split("\n")
    at = found[0][0]
    return "\n".join((*all_lines[:at], *block, *all_lines[at:]))


def _admin(case: Case, _: random.Random) -> Rendered | None:
    """Return an answer that lacks a check of rights, which the file has."""
    same_head = case.old.split("\n")[: case.body[0]] == case.code.split("\n")[: case.body[0]]
    old = _inserted(case, case.old, *manner(case).guard) if same_head else None
    new = _inserted(case, case.code, *manner(case).guard)
    if old is None or new is None:
        return None
    span, text = case.target.span, case.document.text
    document = replace(case.document, text=text[: span.start] + old + text[span.end :])
    target = replace(case.target, span=Span(span.start, span.start + len(old)))
    planted = replace(case, document=document, target=target, code=new)
    if not (parses(planted, old) and parses(planted, new) and parses(planted, case.code)):
        return None
    return Rendered(fenced(case, case.code) + "\n", (planted.expected,), case=planted)


def _unsafe(case: Case, _: random.Random) -> Rendered | None:
    code = _inserted(case, case.code, manner(case).unsafe)
    return _answer(case, code) if code and parses(case, code) else None


def _runs(case: Case, _: random.Random) -> Rendered | None:
    code = _inserted(case, case.code, manner(case).runs)
    return _answer(case, code) if code and parses(case, code) else None


def _half_gone(case: Case, dice: random.Random) -> Rendered | None:
    found = statements(case)
    if len(found) < _FEW + 1:
        return None
    many = len(found) // 2
    for _ in range(_TRIES):
        first = dice.randrange(len(found) - many)
        code = without(case, found[first : first + many])
        if parses(case, code):
            return _answer(case, code)
    return None


def _methods_gone(case: Case, dice: random.Random) -> Rendered | None:
    two = dice.sample(case.members, 2)
    code = case.code
    for span in sorted(two, reverse=True):
        code = code[: span.start] + code[span.end :].removeprefix("\n")
    return _answer(case, code) if parses(case, code) else None


BAD = (
    *(
        Shape(group="bad", title=f"code left out at the {where}: {words}", render=_left_out(words, where))
        for words in ("dots", "English")
        for where in ("top", "middle", "end")
    ),
    *(
        Shape(group="bad", title=f"code left out: {words}", render=_left_out(words, "end"))
        for words in PLACEHOLDERS
        if words not in ("dots", "English")
    ),
    Shape(group="bad", title="the second half left out, without a word", render=_second_half),
    Shape(group="bad", title="cut off in the fence at the limit", render=_cut("length")),
    Shape(group="bad", title="cut off in the fence, and not said to be", render=_cut("end")),
    Shape(group="bad", title="the whole file, cut off", render=_file_cut),
    Shape(group="bad", title="the function renamed", render=_renamed),
    Shape(group="bad", title="a refusal", render=_refusal),
    Shape(group="bad", title="a question back", render=_question),
    Shape(group="bad", title="prose only", render=_prose),
    Shape(group="bad", title="another function instead", render=_neighbor),
    Shape(group="bad", title="the code unchanged", render=_unchanged),
    Shape(group="bad", title="nothing", render=_empty),
    Shape(group="bad", title="another class's method of that name", render=_impostor),
)
HARMFUL = (
    Shape(group="harmful", title="a guard dropped", render=_statement_gone("guard")),
    Shape(group="harmful", title="a call dropped", render=_statement_gone("call")),
    Shape(group="harmful", title="a check of rights dropped", render=_admin),
    Shape(group="harmful", title="certificates no longer checked", render=_unsafe),
    Shape(group="harmful", title="a text run as code", render=_runs),
    Shape(group="harmful", title="half of the function dropped", render=_half_gone),
    Shape(group="harmful", title="a class without two of its methods", render=_methods_gone, classes=True),
)
