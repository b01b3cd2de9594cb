"""Compare the diagnostics before and after an answer: whether the one to fix is gone, and which are new.

This module is pure: the caller runs the tools, and ensures that their reports are for the right text. Two diagnostics
match if tool, rule and message are equal, except for line numbers and amounts in the message. Among several matches,
each old one is paired with the new one nearest to its moved position, because an answer moves text.

A new diagnostic counts if it is where the answer wrote; elsewhere it counts only if it is an error that mentions the
changed name, because a slow tool or a user who types may add others at any time. It must be at least as severe as the
diagnostic to fix. Ruff's remarks on style do not count: a good fix often moves one to another line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuppence.core.checks import suppressions
from tuppence.core.checks.verdict import Verdict
from tuppence.core.pauses import pause
from tuppence.core.syntax.languages import language
from tuppence.core.text.diagnostic import Diagnostic, Severity, is_remark, is_ruff, rated
from tuppence.core.text.document import Document, Edit, Span
from tuppence.core.text.position_map import landing
from tuppence.core.text.shown_text import quoted, short

_GRAVITY: dict[Severity, int] = {"error": 3, "warning": 2, "information": 1, "hint": 0}
_WHILE_TYPING = (
    "basedpyright",
    "clang",
    "compiler",
    "css",
    "html",
    "js",
    "json",
    "jsonc",
    "pylance",
    "pyright",
    "ruff",
    "rust-analyzer",
    "scss",
    "syntax",
    "ts",
    "typescript",
    "vue",
)
"""Sources that check the unsaved text in the editor (``compiler`` and ``syntax`` are gopls'). Others may wait for a
save, as rustc and many linters do, and report on an older text until then."""
_NUMBER = re.compile(
    r"(?<=\bline )\d+|(?<=\blines )\d+|(?<=\bcolumn )\d+|(?<=:)\d+"  # where something else stands
    r"|(?<!\d)\d++(?= *[>/] *\d)|(?<=\bof )\d+(?=\. Maximum)|(?<=\()\d+(?=\)\. Maximum)"  # how far it is over a limit
)
"""Matches numbers in a message that may change although the diagnostic is the same. Other numbers, as in ``Argument
2``, identify it."""
_SHOWN = 120
"""Maximum number of characters of a message that a reason shows."""


_Key = tuple[str, str, str]
_Keyed = tuple[_Key, Diagnostic]


@dataclass(frozen=True, slots=True)
class ToolReport:
    """The diagnostics that tools report for one version of a text."""

    document: Document
    diagnostics: tuple[Diagnostic, ...]

    def rated(self) -> tuple[Diagnostic, ...]:
        """Return all diagnostics with the severities that tuppence assigns to them."""
        return tuple(rated(each) for each in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditUnderReview:
    """An answer's edits, and the diagnostic that they are to fix."""

    chosen: Diagnostic | None
    """The diagnostic to fix, placed in the text before; None if there is none."""
    target: Span
    """The span to be changed, in the text before."""
    name: str
    """The name that the target defines; empty if it has none."""
    edits: Sequence[Edit]
    """Edits of the text before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosticChange:
    """The difference that an answer makes to the diagnostics."""

    gone: bool | None
    """Whether the diagnostic to fix is gone; None if there is none, or these tools did not report it."""
    stale: bool
    """Whether the diagnostic may only seem to persist, because its tool may not have checked the new text."""
    new: tuple[Diagnostic, ...]
    """The new diagnostics that count, in order of their spans."""
    told: str
    """The place of the first new diagnostic, as ``line 3``, counted from 1; empty if there is none."""

    @property
    def good(self) -> bool:
        """Report whether the diagnostic to fix is not there and no new one counts."""
        return self.gone is not False and not self.new


def compare(case: EditUnderReview, before: ToolReport, after: ToolReport) -> DiagnosticChange:
    """Return the difference that an answer makes to the reports of the same tools."""
    chosen = rated(case.chosen) if case.chosen else None
    was = _with_keys(before)
    pause()
    now = _with_keys(after)
    pause()
    landed = _landed(case)
    floor = _GRAVITY[chosen.severity if chosen else "error"]
    more = Counter(key for key, _ in now) - Counter(key for key, _ in was)
    new: list[Diagnostic] = []
    for key, each in sorted(now, key=lambda each: (not each[1].span.touches(landed), each[1].span)) if more else ():
        if more[key] <= 0 or _GRAVITY[each.severity] < floor or is_remark(each):
            continue
        more[key] -= 1
        if each.span.touches(landed) or (each.severity == "error" and _speaks_of(case.name, each, after.document)):
            new.append(each)
    new.sort(key=lambda each: each.span)
    return DiagnosticChange(
        gone=_gone(chosen, case, was, now, before.document.text) if chosen else None,
        stale=chosen is not None and not _looked_again(chosen, before, after),
        new=tuple(new),
        told=f"line {after.document.line_at(new[0].span.start) + 1}" if new else "",
    )


def with_diagnostics(verdict: Verdict, effect: DiagnosticChange, chosen: Diagnostic | None, clean: str) -> Verdict:
    """Return a verdict updated by a comparison of diagnostics.

    :param clean: the proof if there was nothing to fix and nothing is new, such as ``ruff finds no new error``.
    """
    reasons: list[str] = []
    if effect.gone is False and chosen is not None:
        reasons.append(f"The problem to fix is still there: {_quoted(chosen)}.")
    if effect.new:
        more = f" and {len(effect.new) - 1} more" if len(effect.new) > 1 else ""
        reasons.append(f"It adds a new problem in {effect.told}: {_quoted(effect.new[0])}{more}.")
    if reasons:
        return Verdict.rejected(*verdict.reasons, *reasons)
    return proving(verdict, "diagnostic gone" if effect.gone else clean)


def proving(verdict: Verdict, proof: str) -> Verdict:
    """Return a verdict with one more proof."""
    known = [each for each in verdict.proved.split(", ") if each not in ("", "nothing", proof)]
    return replace(verdict, proved=", ".join((*known, proof)))


def silenced(before: Document, after: str, diagnostics: Sequence[Diagnostic]) -> str:
    """Return the text of a suppression that an answer adds instead of fixing the cause; empty if there is none.

    :param diagnostics: the diagnostics that the answer is to fix, placed in ``before``.
    """
    found = suppressions.new_silences(before, after, language(before.language), diagnostics)
    return next((each.words for each in found if not each.is_acceptable), "")


def _landed(case: EditUnderReview) -> Span:
    """Return the target's span after the edits, extended by what they insert at its edges."""
    start, end = case.target.start, case.target.end
    for edit in case.edits:
        grown = len(edit.text) - len(edit.span)
        if edit.span.end <= case.target.start and not case.target.covers(edit.span):
            start, end = start + grown, end + grown
        elif edit.span.start < case.target.end or case.target.covers(edit.span):
            end += grown
    return Span(start, max(start, end))


def _gone(
    chosen: Diagnostic, case: EditUnderReview, was: Sequence[_Keyed], now: Sequence[_Keyed], text: str
) -> bool | None:
    """Return whether the chosen diagnostic is gone, None if it was not reported.

    :param text: the text before the edits.
    """
    key, land = _key(chosen), landing(text, case.edits)
    same = [each.span for other, each in was if other == key]
    one = min(
        (span for span in same if span.touches(chosen.span)),
        key=lambda span: abs(span.start - chosen.span.start),
        default=None,
    )
    if one is None:
        return None
    there = [each.span for other, each in now if other == key]
    if one.touches(case.target):  # Outside the target is an import, which may have moved anywhere.
        same = [span for span in same if span.touches(case.target)]
        there = [span for span in there if span.touches(_landed(case))]
    return same.index(one) not in _paired([land(span.start) for span in same], [span.start for span in there])


def _paired(was: Sequence[int], now: Sequence[int]) -> set[int]:
    """Return the indexes of old offsets that can be paired with a new offset, nearest pairs first."""
    left, right = set[int](), set[int]()
    places = {place: at for at, place in enumerate(now)}
    for i, place in enumerate(was):
        if (j := places.get(place)) is not None and j not in right:
            left.add(i)
            right.add(j)
    rest = [(i, a) for i, a in enumerate(was) if i not in left]
    others = [(j, b) for j, b in enumerate(now) if j not in right]
    for _, i, j in sorted((abs(a - b), i, j) for i, a in rest for j, b in others):
        if i not in left and j not in right:
            left.add(i)
            right.add(j)
    return left


def _looked_again(chosen: Diagnostic, before: ToolReport, after: ToolReport) -> bool:
    """Report whether a diagnostic's tool has certainly checked the new text."""
    if is_ruff(chosen) or chosen.source.lower() in _WHILE_TYPING:
        return True
    # An editor leaves the diagnostics of an older text at their old lines and columns.
    return _places(chosen.source, before) != _places(chosen.source, after)


def _places(source: str, said: ToolReport) -> Counter[tuple[str, str, int, int]]:
    document = said.document
    starts = [(each, document.line_at(each.span.start)) for each in said.diagnostics if each.source == source]
    return Counter(
        (each.code, each.message, line, each.span.start - document.line_starts[line]) for each, line in starts
    )


def _speaks_of(name: str, diagnostic: Diagnostic, document: Document) -> bool:
    if not name:
        return False
    line = document.slice(document.whole_lines(diagnostic.span))
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", f"{diagnostic.message}\n{line}") is not None


def _with_keys(report: ToolReport) -> tuple[_Keyed, ...]:
    """Return the rated diagnostics of a report, each after what identifies it in another version of the text."""
    return tuple((_key(each), each) for each in report.rated())


def _key(diagnostic: Diagnostic) -> _Key:
    source = "ruff" if is_ruff(diagnostic) else diagnostic.source
    return source, diagnostic.code, _NUMBER.sub("#", diagnostic.message)


def _quoted(diagnostic: Diagnostic) -> str:
    message = quoted(diagnostic.message.rstrip().rstrip("."), _SHOWN, "“")
    return message + (f" ({short(diagnostic.source, _SHOWN)})" if diagnostic.source else "")
