"""Technically valid, practically useless: the signs of it in an edit, each scored.

Code can parse and silence its diagnostic and still be no answer: it rewrites what nobody asked about, swallows every
error, needs a package that is not there, swaps a constant. Each sign has a weight; what they weigh together is shown,
and from ``LIMIT`` on the edit is not kept. A single sign reaches the limit only where it is sure, because a good answer
must hardly ever fail here. Whether the code is right is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.checks import hunks, literals, lost_definitions, suppressions
from tuppence.core.checks.hunks import Hunk
from tuppence.core.syntax import python_ast
from tuppence.core.syntax.import_statements import Imported
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages, is_new
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Edit, Span, apply

LIMIT = 1.0
"""What the signs may weigh together, exclusively."""
_FEW, _MANY = 3, 8
"""Lines changed without a reason: fewer are nothing to speak of; as many, and half of the target, are the limit."""
_CONSTANT, _HIDING, _SILENCED, _COMMENT, _UNSURE, _BROAD = 0.4, 0.7, 0.5, 0.2, 0.5, 0.3
_BESIDE = 0.2
_COMMENTS = 0.8
"""What comments weigh together, at most: they alone never fail an answer."""
_LEAVES = re.compile(r"\s*(?:return|raise|break|continue)\b")
_INNER = re.compile(r"^[ \t]+((?:import|from)\b.*)", re.MULTILINE)
"""What may be an import in a function."""
_GUARD = re.compile(r"\s*(?:raise\b|assert\b|throw\b|panic!?\()")
_UNUSED = r"unused|never (?:used|read|called)|not accessed|unreachable|redefin|duplicate|remove|F811|commented"
"""What a diagnostic says that is a reason to take code away."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the request gave reason for."""

    diagnostics: tuple[Diagnostic, ...] = ()
    """What the model was told of; none where it was asked to find the mistakes itself."""
    shown: str = ""
    """What it saw of other files."""
    packages: Packages | None = None
    """What the project can import; None where nobody looked."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that speaks against an edit."""

    what: str
    """A clause whose subject is the answer: ``swallows every error``."""
    weight: float


@dataclass(frozen=True, slots=True)
class Slop:
    """All that speaks against an edit."""

    signs: tuple[Sign, ...]
    """The heaviest first."""

    @property
    def score(self) -> float:
        """What they weigh together; 0 is clean, ``LIMIT`` and more is not kept."""
        return round(sum(sign.weight for sign in self.signs), 2)

    @property
    def is_too_much(self) -> bool:
        """Report whether the edit is not to be kept."""
        return self.score >= LIMIT

    @property
    def clauses(self) -> str:
        """What they say, in one line."""
        return ", ".join(sign.what for sign in self.signs)


def judge(before: Document, edits: Sequence[Edit], target: Span, known: Language, grounds: Evidence) -> Slop:
    """Return what speaks against edits that answer a request to change the target."""
    changed = hunks.hunks(before, edits)
    after = apply(before.text, edits)
    was, now = parse(before.text, known), parse(after, known)
    code = [hunk for hunk in changed if not _only_imports(hunk, known)]
    stray = hunks.unasked(code, before, grounds.diagnostics)
    signs = [
        *_stray(stray, before, target),
        *_unguarded(stray),
        *_constants(stray, grounds),
        *_beside(code, stray, before, known, grounds),
        *_models(code, before, grounds),
        *_hiding(code, known, grounds),
        *_silenced(code, known, grounds),
        *_comments(code, known),
        *_hidden(before.text, after, code, known, grounds),
        *_gutted(was, now, (target, _grown(target, edits)), grounds),
        *_packages(was, now, known, grounds),
    ]
    return Slop(tuple(sorted(signs, key=lambda sign: -sign.weight)))


def is_unused(grounds: Evidence) -> bool:
    """Report whether a diagnostic gives a reason to take code away."""
    return _speaks_of(grounds, _UNUSED)


def foreign(before: str, after: str, known: Language, grounds: Evidence) -> tuple[str, ...]:
    """Return the packages that a text newly imports and the project does not have, a clause each."""
    was, now = parse(before, known), parse(after, known)
    return tuple(sign.what for sign in _packages(was, now, known, grounds))


def _stray(stray: Sequence[Hunk], before: Document, target: Span) -> Iterator[Sign]:
    """Weigh the lines that nothing gave a reason for: ``_MANY`` of them and half of the target are the limit."""
    count = sum(hunk.size for hunk in stray)
    if count >= _FEW:
        lines = sum(1 for line in before.slice(target).splitlines() if line.strip())
        weight = min(LIMIT, count / max(_MANY, lines / 2))
        yield Sign(f"changes {count} lines that the request gave no reason for", weight)


def _unguarded(stray: Sequence[Hunk]) -> Iterator[Sign]:
    """Look for checks that nothing gave a reason to take away."""
    for hunk in stray:
        if not hunk.new and (gone := next((line.strip() for line in hunk.old if _GUARD.match(line)), "")):
            yield Sign(f"takes a check away (“{_short(gone)}”)", _CONSTANT)


def _gutted(before: Tree, after: Tree, places: tuple[Span, Span], grounds: Evidence) -> Iterator[Sign]:
    """Look for code that was taken away; that a definition is not used, or not to be there, is a reason for it."""
    target, place = places
    if _speaks_of(grounds, _UNUSED):
        return
    if name := lost_definitions.emptied(before, after, target):
        yield Sign(f"empties `{name}`", LIMIT)
    if name := lost_definitions.taken(before, after, target):
        yield Sign(f"takes `{name}` away, which the file uses", LIMIT)
    elif name := lost_definitions.lost(before, after, target, place):
        yield Sign(f"puts other code in the place of `{name}`, which is defined no more", LIMIT)


def _grown(target: Span, edits: Sequence[Edit]) -> Span:
    """Return where the target lies after edits."""
    above = sum(len(edit.text) - len(edit.span) for edit in edits if edit.span.end < target.start)
    inside = sum(len(edit.text) - len(edit.span) for edit in edits if edit.span.touches(target))
    return Span(target.start + above, max(target.start + above, target.end + above + inside))


def _constants(stray: Sequence[Hunk], grounds: Evidence) -> Iterator[Sign]:
    """Look for lines in which only a literal differs."""
    for hunk in stray:
        for was, now in literals.swapped(hunk, grounds.diagnostics):
            yield Sign(f"changes {_short(was)} to {_short(now)}, which nobody asked for", _CONSTANT)


def _beside(
    code: Sequence[Hunk], stray: Sequence[Hunk], before: Document, known: Language, grounds: Evidence
) -> Iterator[Sign]:
    """Look for the same where there may be a reason: near a diagnostic, or with none. All of it weighs as one."""
    if found := literals.beside(code, stray, before, known, grounds.diagnostics):
        (was, now), more = found[0], f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        yield Sign(f"changes {_short(was)} to {_short(now)}{more}, which no diagnostic speaks of", _BESIDE)


def _models(code: Sequence[Hunk], before: Document, grounds: Evidence) -> Iterator[Sign]:
    """Look for the name of a model that became another: models write the names that they know."""
    for hunk in code:
        gone, come = literals.models(hunk)
        if gone and come and not literals.is_asked(gone, come, before, grounds.diagnostics):
            yield Sign(f"changes the model {gone} to {come}, which nobody asked for", LIMIT)


def _hiding(code: Sequence[Hunk], known: Language, grounds: Evidence) -> Iterator[Sign]:
    """Look for new handlers that swallow whatever happens; the limit where they are all that the edit does."""
    found = [each for hunk in code for each in suppressions.swallowing(hunk, known)]
    if found and not _speaks_of(grounds, r"\bexcept|\bcatch|blind|BLE001|S110|\btry\b"):
        alone = not any(hunk.old for hunk in code)
        yield Sign(f"swallows every error (“{found[0]}”)", LIMIT if alone else _HIDING)
    caught = [each for hunk in code for each in suppressions.catching(hunk, known)]
    if caught and not _speaks_of(grounds, r"\bexcept|BLE001|\btry\b"):
        yield Sign(f"catches every error (“{caught[0]}”)", _BROAD)


def _silenced(code: Sequence[Hunk], known: Language, grounds: Evidence) -> Iterator[Sign]:
    """Look for new comments that silence a tool; the limit where the code is as it was and the silence is general."""
    found = [each for hunk in code for each in suppressions.silencing(hunk)]
    if found and not _speaks_of(grounds, r"noqa|ignore|nolint|suppress|stubs|untyped|missing module source"):
        alone = all(suppressions.code(hunk.old, known) == suppressions.code(hunk.new, known) for hunk in code)
        sure = alone and any(suppressions.is_general(each) for each in found)
        yield Sign(f"silences the tool (“{found[0]}”)", LIMIT if sure else _SILENCED)


def _hidden(before: str, after: str, code: Sequence[Hunk], known: Language, grounds: Evidence) -> Iterator[Sign]:
    """Look for code that still stands there and is not run any more."""
    leaves = known.import_style.is_python and any(_LEAVES.match(line) for hunk in code for line in hunk.new)
    if leaves and python_ast.unreachable(after) > python_ast.unreachable(before):
        yield Sign("puts code where it is never reached", LIMIT)
    found = [each for hunk in code for each in suppressions.commented(hunk, known)]
    if found and not _speaks_of(grounds, _UNUSED):
        alone = all(not suppressions.code(hunk.new, known) for hunk in code)
        yield Sign(f"comments code out (“{_short(found[0])}”)", LIMIT if alone else _SILENCED)


def _comments(code: Sequence[Hunk], known: Language) -> Iterator[Sign]:
    found = [each for hunk in code for each in suppressions.repeating(hunk, known)]
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield Sign(f"adds a comment that says nothing (“{found[0]}”{more})", min(_COMMENTS, _COMMENT * len(found)))


def _packages(before: Tree, after: Tree, known: Language, grounds: Evidence) -> Iterator[Sign]:
    """Look for imports of what the project does not have; what the code calls already by that name was asked for."""
    if grounds.packages is None:
        return
    inner = known.import_style.is_python and bool({*_INNER.findall(after.text)} - {*_INNER.findall(before.text)})
    read = _all_imports if inner else _imports
    there = {each.module for each in read(before, known)}
    asked = hunks.words([before.text, *(each.message for each in grounds.diagnostics)])
    for each in read(after, known):
        fresh = each.module not in there and not {each.local, each.module.partition(".")[0]} & asked
        if fresh and is_new(each.module, known, grounds.packages):
            there.add(each.module)
            weight = LIMIT if grounds.packages.complete else _UNSURE
            yield Sign(f"needs {each.module}, which the project does not have", weight)


def _imports(tree: Tree, known: Language) -> list[Imported]:
    spans = tree.import_statements()
    return [each for span in spans for each in known.import_style.parse(tree.text[span.start : span.end])]


def _all_imports(tree: Tree, known: Language) -> list[Imported]:
    """Return those of Python's functions too."""
    inner = python_ast.inner_imports(tree.text)
    return [
        *_imports(tree, known),
        *(each for statement in inner for each in known.import_style.parse(statement)),
    ]


def _only_imports(hunk: Hunk, known: Language) -> bool:
    lines = [line.strip() for line in (*hunk.old, *hunk.new) if line.strip()]
    return bool(lines) and bool(known.import_line) and all(re.match(known.import_line, line) for line in lines)


def _speaks_of(grounds: Evidence, pattern: str) -> bool:
    return any(re.search(pattern, f"{each.message} {each.code}", re.IGNORECASE) for each in grounds.diagnostics)


def _short(text: str) -> str:
    return text if len(text) <= len("a string of thirty characters.") else text[:30] + "…"
