"""What an answer does to what tools say: whether the diagnostic is gone that asked for it, and whether others came.

Pure: who is asked, and whether what they say is of the right text, is known elsewhere. A diagnostic is told again by
its tool, its rule and its words, never by its place, because an answer moves text about; numbers in the words do not
count, since many of them are line numbers.

What is new counts where the answer wrote, and elsewhere only if it is an error that speaks of what was changed: a tool
that is slow, or somebody who types, may add others at any time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tuppence.core.checks import Verdict
from tuppence.core.diagnostic import Diagnostic, Severity, is_ruff, rated
from tuppence.core.text import Document, Edit, Span

_GRAVITY: dict[Severity, int] = {"error": 3, "warning": 2, "information": 1, "hint": 0}
_LEAST: Severity = "warning"
"""A new diagnostic that is less grave than this is no reason against an answer."""
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
"""Sources that judge the text as it stands in the editor (``compiler`` and ``syntax`` are gopls'). Others may wait for
a save, as rustc and many linters do, and what they say of an unsaved text is of an older one."""
_SILENCE = re.compile(
    r"#\s*(?:noqa|type:\s*ignore|pyright:\s*ignore|pylint:\s*disable|mypy:\s*ignore|ruff:\s*(?:noqa|ignore|disable))"
    r"|\b(?:eslint|tslint|stylelint|shellcheck|rubocop:?)[- ]?disable|\bbiome-ignore|\bdeno-lint-ignore"
    r"|@ts-(?:ignore|expect-error|nocheck)|//\s*(?:nolint|NOLINT|noinspection)|@phpstan-ignore|phpcs:ignore"
    r"|#!?\[allow\(|@Suppress(?:Warnings|LintAnnotation)?\b|#pragma warning disable|---@diagnostic\s+disable"
    r"|\bluacheck:\s*ignore",
)
_NUMBER = re.compile(r"\d+")
_SHOWN = 120
"""Characters of a message that a reason shows."""


@dataclass(frozen=True, slots=True)
class Said:
    """What tools say of one version of a text."""

    document: Document
    diagnostics: tuple[Diagnostic, ...]

    def rated(self) -> tuple[Diagnostic, ...]:
        """Return all of it with the severities that they have for us."""
        return tuple(rated(each) for each in self.diagnostics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An answer that edits, and why it was asked for."""

    chosen: Diagnostic | None
    """The diagnostic that asked for it, placed in the text before; None where none did."""
    target: Span
    """What was to be changed, in the text before."""
    name: str
    """What the target defines; empty where it has no name."""
    edits: Sequence[Edit]
    """To the text before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """The difference that an answer makes."""

    gone: bool | None
    """Whether the diagnostic that asked for it is; None: there is none, or these tools never said it."""
    stale: bool
    """Whether it may only seem to be still there, because its tool has not looked at the new text."""
    new: tuple[Diagnostic, ...]
    """Those that came and count, in order of their place."""
    told: str
    """Where the new diagnostics are shown: the first one's line, counted from 1, as words; empty for none."""

    @property
    def good(self) -> bool:
        """Report whether nothing speaks against the answer."""
        return self.gone is not False and not self.new


def compare(case: Case, before: Said, after: Said) -> Effect:
    """Return what an answer changed in what the same tools say."""
    chosen = rated(case.chosen) if case.chosen else None
    was, now = before.rated(), after.rated()
    landed = _landed(case)
    floor = max(_GRAVITY[_LEAST], _GRAVITY[chosen.severity] if chosen else _GRAVITY["error"])
    more = Counter(map(_key, now)) - Counter(map(_key, was))
    new: list[Diagnostic] = []
    for each in sorted(now, key=lambda each: (not each.span.touches(landed), each.span)):
        if more[_key(each)] <= 0 or _GRAVITY[each.severity] < floor:
            continue
        more[_key(each)] -= 1
        if each.span.touches(landed) or (each.severity == "error" and _speaks_of(case.name, each, after.document)):
            new.append(each)
    new.sort(key=lambda each: each.span)
    return Effect(
        gone=_gone(chosen, case, was, now),
        stale=chosen is not None and not _looked_again(chosen, before, after),
        new=tuple(new),
        told=f"line {after.document.line_at(new[0].span.start) + 1}" if new else "",
    )


def settled(verdict: Verdict, effect: Effect, chosen: Diagnostic | None, clean: str) -> Verdict:
    """Return a verdict with what the tools found out.

    :param clean: what is proved where nothing was to go and nothing came, such as ``ruff finds no new error``.
    """
    reasons: list[str] = []
    if effect.gone is False and chosen is not None:
        reasons.append(f"What was to be fixed is still there: {_quoted(chosen)}.")
    if effect.new:
        more = f" and {len(effect.new) - 1} more" if len(effect.new) > 1 else ""
        reasons.append(f"It brings a new problem in {effect.told}: {_quoted(effect.new[0])}{more}.")
    if reasons:
        return Verdict(fit=False, proved="nothing", reasons=(*verdict.reasons, *reasons))
    return proving(verdict, "diagnostic gone" if effect.gone else clean)


def proving(verdict: Verdict, proof: str) -> Verdict:
    """Return a verdict that proved one thing more."""
    known = [each for each in verdict.proved.split(", ") if each not in ("", "nothing", proof)]
    return replace(verdict, proved=", ".join((*known, proof)))


def silenced(before: str, after: str) -> str:
    """Return the words by which an answer tells a tool to be quiet where the code did not, empty where none do."""
    there = Counter(_SILENCE.findall(before))
    for found in _SILENCE.finditer(after):
        if there[found.group()] <= 0:
            return found.group()
        there[found.group()] -= 1
    return ""


def _landed(case: Case) -> Span:
    """Return where the target lies after the edits, widened by what they insert at its edges."""
    start, end = case.target.start, case.target.end
    for edit in case.edits:
        grown = len(edit.text) - len(edit.span)
        if edit.span.end <= case.target.start and not case.target.covers(edit.span):
            start, end = start + grown, end + grown
        elif edit.span.start < case.target.end or case.target.covers(edit.span):
            end += grown
    return Span(start, max(start, end))


def _gone(chosen: Diagnostic | None, case: Case, was: Sequence[Diagnostic], now: Sequence[Diagnostic]) -> bool | None:
    if chosen is None:
        return None
    key = _key(chosen)
    same = [each for each in was if _key(each) == key]
    if not any(each.span.touches(chosen.span) for each in same):
        return None
    landed = _landed(case)
    there = sum(each.span.touches(case.target) for each in same)
    here = sum(_key(each) == key and each.span.touches(landed) for each in now)
    if there == 0:  # It lies outside the target, as an import does.
        return len(same) > sum(_key(each) == key for each in now)
    return here < there


def _looked_again(chosen: Diagnostic, before: Said, after: Said) -> bool:
    """Report whether a diagnostic's tool is known to have looked at the new text."""
    if is_ruff(chosen) or chosen.source.lower() in _WHILE_TYPING:
        return True
    # An editor leaves the diagnostics of an older text in the lines and columns where they were.
    return _places(chosen.source, before) != _places(chosen.source, after)


def _places(source: str, said: Said) -> Counter[tuple[str, str, int, int]]:
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


def _key(diagnostic: Diagnostic) -> tuple[str, str, str]:
    source = "ruff" if is_ruff(diagnostic) else diagnostic.source
    return source, diagnostic.code, _NUMBER.sub("#", diagnostic.message)


def _quoted(diagnostic: Diagnostic) -> str:
    message = " ".join(diagnostic.message.split())
    shown = message if len(message) <= _SHOWN else f"{message[:_SHOWN]}…"
    return f"“{shown.rstrip('.')}”" + (f" ({diagnostic.source})" if diagnostic.source else "")
