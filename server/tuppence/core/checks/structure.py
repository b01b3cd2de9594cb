"""Judge from the text of an answer alone whether it is fit to keep.

A verdict states what was proved, which is little: code that parses may still be wrong, and no message claims otherwise.
Checks that need a linter or a test run are in engine/verify.py. An answer that fails here is put back, and the next
more capable model is tried, so a check must be certain: each almost never rejects a good answer, and accepts some bad
ones.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence

from tuppence.core.answer.reply import Parts, replacement
from tuppence.core.answer.review.findings import Finding
from tuppence.core.answer.review.no_findings import nothing_found
from tuppence.core.checks.doubts import hidden_characters
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.placeholders import diff_in, elision_in
from tuppence.core.checks.verdict import Ending, Verdict
from tuppence.core.syntax.parser import SyntaxTree
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document, Edit
from tuppence.core.text.shown_text import quoted

_TEST = re.compile(
    r"\b(?:def|async def)\s+test|\bclass\s+Test|\b(?:it|test|describe|specify|scenario)\s*[(.\"']"
    r"|\bfunc\s+(?:Test|Fuzz|test)|#\[\w*(?:::\w+)*test|@(?:Test|ParameterizedTest|Theory|Fact)\b|\bTEST(?:_F|_P|_CASE)?\s*\(|\bassert|\bexpect\b"
    r"|\[(?:Test|Fact|TestMethod)\b",
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_OF_CODE = re.compile(
    r"fun[ckz]|method|méthode|métod|class|klass|clase|code|código|return|retourn|devuelve|value|wert|valeur|loop|schleif"
    r"|list|array|string|number|zahl|nombre|número|param|argument|variab|comput|berechn|calcul|pars|input|output|error"
    r"|[\u0370-\u1fff\u2e80-\uffdc]",
    re.IGNORECASE,
)
"""Matches words about code in some European languages, and any word in another script."""
_DECLINES = re.compile(
    r"\b(?:sorry|apologi[sz]e|I (?:cannot|can.t|am unable|am not able)|I.m (?:unable|not able)"
    r"|as an AI|(?:please|could you) (?:provide|share|paste|send))\b",
    re.IGNORECASE,
)
_PART = 4
"""Minimum length of a part of a name that counts as a mention."""
_REPEATS = 8
"""Number of repetitions of one sentence at which an explanation counts as stuck."""
_SHOWN = 60
"""Maximum number of code points of a line of code that a reason shows."""
_ALIKE = 0.3
"""Minimum share of the words of unfenced code that must occur in the code that it replaces."""


def check_edit(edited: EditedText, parts: Parts, ending: Ending) -> Verdict:
    """Judge an answer that edits a document; its edits include the imports."""
    before = edited.before
    reasons = _sent(parts, ending, before)
    if not reasons and edited.after.text == before.text:
        reasons = ["The answer changes nothing."]
    if not reasons and _is_bare(parts) and not _resembles(before, edited.edits):
        reasons = ["The answer is no code block, and does not look like the code that it should replace."]
    return _parsed(edited, parts, reasons)


def check_tests(edited: EditedText, parts: Parts, ending: Ending) -> Verdict:
    """Judge an answer that adds tests to a document, which is empty if its file is new."""
    reasons = _sent(parts, ending, edited.before)
    code, _ = replacement(parts)
    if not reasons and code is not None and not _TEST.search(code.text):
        reasons = ["The answer holds no test."]
    return _parsed(edited, parts, reasons)


def check_review(reply: str, found: Sequence[Finding], dropped: int, ending: Ending) -> Verdict:
    """Judge a review: it must have findings with a place in the code, or say in any language that there are none.

    :param dropped: number of findings without a place in the code.
    """
    reasons = _stopped(ending) if ending == "refused" or not found else []
    if reasons or found:
        return Verdict.rejected(*reasons) if reasons else Verdict.accepted("quotes the code")
    match nothing_found(reply):
        case "surely":
            return Verdict.accepted("nothing")
        case "perhaps":
            return Verdict.accepted("nothing", "it says more than that it found nothing")
    if not reply.strip():
        return Verdict.rejected("The answer is empty.")
    quoting = "Its finding quotes" if dropped == 1 else f"None of its {dropped} findings quotes"
    unquoted = f"{quoting} {'no ' if dropped == 1 else 'a '}line of the code."
    return Verdict.rejected(unquoted if dropped else "The answer is not in the form of a review.")


def check_explanation(text: str, ending: Ending, names: Collection[str]) -> Verdict:
    """Judge an explanation.

    An explanation in plain words may be right, so one that mentions no name is only doubtful. It is rejected if it does
    not mention code at all, or asks for the code.

    :param names: the names in the explained code; if empty, no name is required.
    """
    reasons = _stopped(ending)
    if not reasons and not _WORD.search(text):
        reasons = ["The answer is empty."]
    if not reasons and _is_stuck(text):
        reasons = ["The answer says the same thing over and over."]
    if reasons or not names:
        return Verdict.rejected(*reasons) if reasons else Verdict.accepted("nothing")
    if _mentions(text, names):
        return Verdict.accepted("mentions the code")
    if _DECLINES.search(text) or not (_OF_CODE.search(text) or _alludes(text, names)):
        return Verdict.rejected("The answer mentions nothing that stands in the code.")
    return Verdict.accepted("nothing", "it mentions no name that stands in the code")


def _stopped(ending: Ending) -> list[str]:
    match ending:
        case "refused":
            return ["The model refused to answer."]
        case "length":
            return ["The answer was cut off at the model's output limit."]
        case _:
            return []


def _sent(parts: Parts, ending: Ending, before: Document) -> list[str]:
    """Return sentences on what is wrong with the reply as it was sent."""
    code, wanted = replacement(parts)
    # If the code is complete, only the prose after it was cut off.
    talked_on = ending == "length" and code is not None and code.closed and not code.implicit
    if not talked_on and (reasons := _stopped(ending)):
        return reasons
    if parts.unclear:
        return ["The answer holds several code blocks, and it is not clear which one is meant."]
    if parts.refused:
        return [parts.refused]
    if code is None:
        return ["The answer holds no code block." if parts.prose.strip() or wanted else "The answer is empty."]
    if not all(fence.closed for fence in (code, wanted) if fence is not None):
        return ["The answer was cut off inside its code block."]
    if not code.text.strip():
        return ["The answer's code block is empty."]
    if left_out := elision_in(code.text, before.text):
        return [f"The answer leaves code out: {quoted(left_out, _SHOWN, '“')}."]
    if diff_in(code, before):
        return ["The answer is a diff, not the code itself."]
    return []


def _parsed(edited: EditedText, parts: Parts, reasons: list[str]) -> Verdict:
    if reasons:
        return Verdict.rejected(*reasons)
    if why := hidden_characters.refused(edited):
        return Verdict.rejected(why)
    old, new = edited.old, edited.new
    if new.faults() > old.faults():
        return Verdict.rejected(_broken(old, new))
    if edited.language.id == "python" and (problem := edited.python.flaw()):
        return Verdict.rejected(f"With the answer the file does not parse: {problem}.")
    if _is_bare(parts) and not (isinstance(new, SyntaxTree) and new.sound()):
        return Verdict.rejected("The answer holds no code block.")
    return Verdict.accepted(_proof(new), *hidden_characters.doubts(edited))


def _proof(tree: Tree) -> str:
    if not tree.sound():
        return "nothing"
    return "parses" if isinstance(tree, SyntaxTree) else "brackets match"


def _broken(old: Tree, new: Tree) -> str:
    what = "parses" if old.faults() == 0 else "parses even less"
    lines = new.lines
    for line in range(lines.line_count):
        if not new.sound(lines.full_line_span(line)):
            text = lines.slice(lines.line_span(line)).strip()
            return f"With the answer the file no longer {what}: line {line + 1}, {quoted(text, _SHOWN, '“')}."
    return f"With the answer the file no longer {what}."  # pragma: no cover - each fault known so far lies on a line


def _is_bare(parts: Parts) -> bool:
    code, _ = replacement(parts)
    return code is not None and code.implicit


def _resembles(before: Document, edits: Sequence[Edit]) -> bool:
    """Report whether the inserted text has words in common with the lines that it replaces."""
    old = set(_words(" ".join(before.slice(before.whole_lines(edit.span)) for edit in edits)))
    new = set(_words(" ".join(edit.text for edit in edits)))
    return bool(new) and len(old & new) >= _ALIKE * len(new)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _mentions(text: str, names: Collection[str]) -> bool:
    said = {word.casefold() for word in _WORD.findall(text)}
    for name in names:
        parts = [part.casefold() for part in _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))]
        if parts and all(part in said for part in parts):
            return True
        if name in text and len(name) > 1:
            return True
    return not any(_WORD.search(name) for name in names)


def _alludes(text: str, names: Collection[str]) -> bool:
    """Report whether a text contains a part of a name among its words."""
    said = {word.casefold() for word in _WORD.findall(text)}
    parts = {part.casefold() for name in names for part in _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))}
    return any(len(part) >= _PART and part in said for part in parts)


def _is_stuck(text: str) -> bool:
    sentences = Counter(
        each.strip() for each in re.split(r"\n|(?<=[.!?])\s", text) if len(each.strip()) > len("It does so.")
    )
    return any(count >= _REPEATS for count in sentences.values())


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
