"""Score the signs that an edit is valid code but not a useful answer.

Code can parse and silence its diagnostic and still be no answer: it may rewrite unrelated lines, swallow every error,
need a package that the project does not have, or change a constant. Each sign has a weight. Their sum is shown, and an
edit with a sum of ``LIMIT`` or more is rejected. A single sign reaches the limit only if it is certain, because good
answers must almost never fail here. Whether the code is right is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.checks import hunks, literals, lost_definitions, suppressions
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.hunks import Hunk
from tuppence.core.pauses import pause
from tuppence.core.syntax.import_statements import Imported
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages, is_new
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span

LIMIT = 1.0
"""The sum of weights from which an edit is rejected."""
_FEW, _MANY = 3, 8
"""Numbers of lines changed without a reason: fewer than ``_FEW`` do not count; ``_MANY``, or half of a larger
target, reach the limit."""
_CONSTANT, _HIDING, _SILENCED, _COMMENT, _UNSURE, _BROAD = 0.4, 0.7, 0.5, 0.2, 0.5, 0.3
_BESIDE, _ASKED = 0.2, 0.2
_COMMENTS = 0.8
"""Maximum weight of all comments together: they alone never reject an answer."""
_LEAVES = re.compile(r"\s*(?:return|raise|break|continue)\b")
_INNER = re.compile(r"^[ \t]+((?:import|from)\b.*)", re.MULTILINE)
"""Matches a line that may be an import inside a function."""
_GUARD = re.compile(r"\s*(?:raise\b|assert\b|throw\b|panic!?\()")
_UNUSED = r"unused|never (?:used|read|called)|not accessed|unreachable|redefin|duplicate|remove|F811|commented"
"""Matches diagnostics that justify removing code."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What justifies changes: the diagnostics and context of a request."""

    diagnostics: tuple[Diagnostic, ...] = ()
    """The diagnostics that the model was given; empty if it was asked to find mistakes itself."""
    shown: str = ""
    """The text of other files that the model was shown."""
    packages: Packages | None = None
    """What the project can import; None if unknown."""
    root: str = ""
    """The URI of the open folder, without a trailing slash; empty if unknown."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign that an edit is not useful."""

    what: str
    """A clause whose subject is the answer: ``swallows every error``."""
    weight: float


@dataclass(frozen=True, slots=True)
class Slop:
    """All signs found in an edit."""

    signs: tuple[Sign, ...]
    """The signs, heaviest first."""

    @property
    def score(self) -> float:
        """The sum of the weights; 0 is clean, ``LIMIT`` or more is rejected."""
        return round(sum(sign.weight for sign in self.signs), 2)

    @property
    def is_too_much(self) -> bool:
        """Report whether the edit must be rejected."""
        return self.score >= LIMIT

    @property
    def clauses(self) -> str:
        """The clauses of all signs, separated by commas."""
        return ", ".join(sign.what for sign in self.signs)


def judge(edited: EditedText, target: Span, grounds: Evidence) -> Slop:
    """Return the signs in edits that answer a request to change the target."""
    before, known = edited.before, edited.language
    code = [hunk for hunk in edited.hunks if not _only_imports(hunk, known)]
    stray = hunks.unasked(code, before, grounds.diagnostics)
    searches = (
        _stray(stray, before, target),
        _unguarded(stray),
        _constants(stray, grounds),
        _beside(code, stray, before, known, grounds),
        _models(code, before, grounds),
        _hiding(code, known, grounds),
        _silenced(edited, code, grounds),
        _comments(code, known),
        _hidden(edited, code, grounds),
        _gutted(edited, target, grounds),
        _packages(edited, grounds),
    )
    signs: list[Sign] = []
    for search in searches:
        pause()
        signs += search
    return Slop(tuple(sorted(signs, key=lambda sign: -sign.weight)))


def is_unused(grounds: Evidence) -> bool:
    """Report whether a diagnostic justifies removing code."""
    return _speaks_of(grounds, _UNUSED)


def foreign(edited: EditedText, grounds: Evidence) -> tuple[str, ...]:
    """Return clauses about the packages that a text newly imports and the project does not have."""
    return tuple(sign.what for sign in _packages(edited, grounds))


def _stray(stray: Sequence[Hunk], before: Document, target: Span) -> Iterator[Sign]:
    """Yield a sign for unjustified changes; ``_MANY`` lines, or half of a larger target, reach the limit."""
    count = sum(hunk.size for hunk in stray)
    if count >= _FEW:
        lines = sum(1 for line in before.slice(target).splitlines() if line.strip())
        weight = min(LIMIT, count / max(_MANY, lines / 2))
        yield Sign(f"changes {count} lines that the request gave no reason for", weight)


def _unguarded(stray: Sequence[Hunk]) -> Iterator[Sign]:
    """Yield signs for checks that were removed without a reason."""
    for hunk in stray:
        if not hunk.new and (gone := next((line.strip() for line in hunk.old if _GUARD.match(line)), "")):
            yield Sign(f"removes a check (“{_short(gone)}”)", _CONSTANT)


def _gutted(edited: EditedText, target: Span, grounds: Evidence) -> Iterator[Sign]:
    """Yield signs for removed code, unless a diagnostic says that a definition is unused or duplicate."""
    before, after = edited.old, edited.new
    if _speaks_of(grounds, _UNUSED):
        return
    if name := lost_definitions.emptied(before, after, target):
        yield Sign(f"empties `{name}`", LIMIT)
    if name := lost_definitions.taken(before, after, target):
        yield Sign(f"removes `{name}`, which the file uses", LIMIT)
    elif name := lost_definitions.lost(before, after, target, edited.place(target)):
        yield Sign(f"replaces `{name}` by other code and no longer defines it", LIMIT)


def _constants(stray: Sequence[Hunk], grounds: Evidence) -> Iterator[Sign]:
    """Yield signs for lines in which only a literal differs."""
    for hunk in stray:
        for was, now in literals.swapped(hunk, grounds.diagnostics):
            yield Sign(f"changes {_short(was)} to {_short(now)}, which was not requested", _CONSTANT)


def _beside(
    code: Sequence[Hunk], stray: Sequence[Hunk], before: Document, known: Language, grounds: Evidence
) -> Iterator[Sign]:
    """Yield one sign for the changed literals outside stray lines that no diagnostic mentions."""
    if found := literals.beside(code, stray, before, known, grounds.diagnostics):
        (was, now), more = found[0], f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        yield Sign(f"changes {_short(was)} to {_short(now)}{more}, which no diagnostic mentions", _BESIDE)


def _models(code: Sequence[Hunk], before: Document, grounds: Evidence) -> Iterator[Sign]:
    """Yield signs for changed model names: models tend to write the names that they know."""
    for hunk in code:
        gone, come = literals.models(hunk)
        if gone and come and not literals.is_asked(gone, come, before, grounds.diagnostics):
            yield Sign(f"changes the model {gone} to {come}, which was not requested", LIMIT)


def _hiding(code: Sequence[Hunk], known: Language, grounds: Evidence) -> Iterator[Sign]:
    """Yield signs for new handlers that swallow or catch every error; the limit if the edit does nothing else."""
    found = [each for hunk in code for each in suppressions.swallowing(hunk, known)]
    if found and not _speaks_of(grounds, r"\bexcept|\bcatch|blind|BLE001|S110|\btry\b"):
        alone = not any(hunk.old for hunk in code)
        yield Sign(f"swallows every error (“{found[0]}”)", LIMIT if alone else _HIDING)
    caught = [each for hunk in code for each in suppressions.catching(hunk, known)]
    if caught and not _speaks_of(grounds, r"\bexcept|BLE001|\btry\b"):
        yield Sign(f"catches every error (“{caught[0]}”)", _BROAD)


def _silenced(edited: EditedText, code: Sequence[Hunk], grounds: Evidence) -> Iterator[Sign]:
    """Yield a sign for new suppressions; the limit if the code is unchanged and a suppression is general."""
    known = edited.language
    found = suppressions.new_silences(edited.before, edited.after.text, known, grounds.diagnostics)
    wrong = [each for each in found if not each.is_acceptable]
    if wrong:
        alone = all(suppressions.code(hunk.old, known) == suppressions.code(hunk.new, known) for hunk in code)
        sure = alone and any(each.is_general for each in wrong)
        yield Sign(f"silences the tool (“{wrong[0].words}”)", LIMIT if sure else _SILENCED)
    elif found:
        yield Sign(f"silences the tool, as the diagnostic asks for (“{found[0].words}”)", _ASKED)


def _hidden(edited: EditedText, code: Sequence[Hunk], grounds: Evidence) -> Iterator[Sign]:
    """Yield signs for code that still exists but no longer runs."""
    known = edited.language
    leaves = known.import_style.is_python and any(_LEAVES.match(line) for hunk in code for line in hunk.new)
    if leaves and edited.hides_code():
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


def _packages(edited: EditedText, grounds: Evidence) -> Iterator[Sign]:
    """Yield signs for new imports of packages that the project lacks, unless code or a diagnostic uses them."""
    if grounds.packages is None:
        return
    known, packages = edited.language, grounds.packages
    before, found = _imports(edited.old), _imports(edited.new)
    there = {each.module for each in before}
    in_functions = known.import_style.is_python and _has_new_inner(edited)
    if in_functions:
        found += _parsed(edited.python.new_inner_imports(), known)
    fresh = [each for each in found if each.module not in there and is_new(each.module, known, packages)]
    if not fresh:
        return
    if in_functions:
        before += _parsed(edited.python.old_inner_imports(), known)
        there = {each.module for each in before}
    taken = {name for each in before for name in _called(each, known)}
    used = hunks.words([edited.before.text]) - (taken if known.import_style.packages_nest else set())
    asked = used | hunks.words(each.message for each in grounds.diagnostics)
    for each in fresh:
        if each.module not in there and not _called(each, known) & asked:
            there.add(each.module)
            weight = LIMIT if packages.complete else _UNSURE
            yield Sign(f"needs {each.module}, which the project does not have", weight)


def _called(imported: Imported, known: Language) -> set[str]:
    """Return the names by which code may refer to an import."""
    parts = imported.module.split(known.import_style.separator)
    named = parts[0]
    if known.import_style.packages_nest:  # A package is named by its last part that is not a version.
        is_version = len(parts) > 1 and re.fullmatch(r"v\d+", parts[-1])
        named = re.sub(r"\.v\d+$", "", parts[-2 if is_version else -1])
    return {imported.local, named} - {""}


def _imports(tree: Tree) -> list[Imported]:
    return _parsed((tree.text[span.start : span.end] for span in tree.import_statements()), tree.language)


def _parsed(statements: Iterable[str], known: Language) -> list[Imported]:
    return [each for statement in statements for each in known.import_style.parse(statement)]


def _has_new_inner(edited: EditedText) -> bool:
    """Report whether the edits write a possible import inside a function that the old text does not contain."""
    written = {*_INNER.findall(edited.lines[1])}
    return bool(written) and not written <= {*_INNER.findall(edited.before.text)}


def _only_imports(hunk: Hunk, known: Language) -> bool:
    lines = [line.strip() for line in (*hunk.old, *hunk.new) if line.strip()]
    return bool(lines) and bool(known.import_line) and all(re.match(known.import_line, line) for line in lines)


def _speaks_of(grounds: Evidence, pattern: str) -> bool:
    return any(re.search(pattern, f"{each.message} {each.code}", re.IGNORECASE) for each in grounds.diagnostics)


def _short(text: str) -> str:
    return text if len(text) <= len("a string of thirty characters.") else text[:30] + "…"
