"""Check comments and handlers in new lines: comments that repeat code or silence a tool, handlers that swallow errors.

Only what an edit adds is judged, from the text. :func:`new_silences` is the single rule on suppressions; the slop
score, the check before the linter runs, and the fixes that tools attach to diagnostics all use it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from tuppence.core.checks.hunks import Hunk
from tuppence.core.syntax.import_statements import StyleName
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.diff import common_ends
from tuppence.core.text.document import Document, Span

_SILENCE = re.compile(
    r"(?P<head>#[ \t]*(?:(?:flake8|ruff):[ \t]*)?noqa\b"
    r"|#[ \t]*(?:type|pyright|mypy|pyrefly|ty|ruff):[ \t]*(?:ignore(?:-errors)?|disable)\b"
    r"|#[ \t]*(?:pylint|shellcheck|rubocop):?[ \t]*disable(?:-next)?\b|#[ \t]*nosec\b|\bswiftlint:disable\b"
    r"|\b(?:eslint|tslint|stylelint|oxlint)-disable(?:-next-line|-line)?\b|\btslint:disable\b"
    r"|\bbiome-ignore\b|\bdeno-lint-ignore(?:-file)?\b|@ts-(?:ignore|expect-error|nocheck)\b"
    r"|//[ \t]*(?:nolint|NOLINT(?:NEXTLINE)?|NOSONAR|noinspection)\b|@phpstan-ignore[\w-]*|\bphpcs:ignore\b"
    r"|#!?\[(?:allow|expect)\(|@Suppress(?:Warnings|LintAnnotation|Lint)?\b|#pragma warning disable\b"
    r"|---@diagnostic[ \t]+disable[\w-]*|\bluacheck:[ \t]*ignore\b)(?P<rest>[^#\n\r]*)"
)
_WIDE = re.compile(
    r"(?:flake8|ruff):[ \t]*noqa|ignore-errors|ts-nocheck|#!\[|ignore-file|ruff:[ \t]*disable"
    r"|(?:eslint|tslint|stylelint|oxlint)[-:]disable(?!-)|pragma warning disable|swiftlint:disable"
    r"|rubocop:?[ \t]*disable"
)
"""Matches suppressions that apply beyond their line."""
_RULE_LIST = re.compile(r"[ \t]*(?:[\[(:=][ \t]*)?[\"{]?((?:[@\w][\w@/.:-]*[\"]?(?:[ \t]*,[ \t]*[\"]?|(?=\W|$)))+)")
_MUST_OPEN = (("noqa", ":"), ("ignore", "["), ("nosec", ":"), ("nolint", ":"), ("NOLINT", "("), ("NOLINTNEXTLINE", "("))
"""Endings of a suppression's head, and the character that must follow before a list of rules."""
_STUBS = re.compile(
    r"\bstubs\b|\bpy\.typed\b|\bimport-untyped\b|reportMissing(?:TypeStubs|ModuleSource)|missing module source",
    re.IGNORECASE,
)
"""Matches diagnostics about missing types of an import, which no change of the file can add."""
_NEEDLESS = re.compile(r"unused|unnecessary|needless|no matching|not needed", re.IGNORECASE)
_STRINGS: Mapping[StyleName, str] = {
    "python": "(string) @it",
    "es": "[(string) (template_string)] @it",
    "go": "[(interpreted_string_literal) (raw_string_literal)] @it",
    "rust": "[(string_literal) (raw_string_literal)] @it",
    "java": "(string_literal) @it",
    "include": "(string_literal) @it",
}
"""Tree-sitter queries for string literals, by language family."""
_BROAD = re.compile(r"except\s*:|except\s*\(?[^:\n]*\b(?:Base)?Exception\b[^:\n]*:")
_SUPPRESS = re.compile(r"\bsuppress\([^()#]*\b(?:Base)?Exception\b")
_SWALLOW = re.compile(
    r"(?:pass|continue|break|\.\.\.|return(?:\s+(?:None|False|True|\[\]|\{\}|\(\)|-?\d+|''|\"\"))?)\s*(?:#.*)?$"
)
_EMPTY_CATCH = re.compile(r"catch\s*(?:\([^()]*\))?\s*\{\s*(?:\}|$)")
_NARRATED = re.compile(r"\W*(?:fix|fixed|changed|added|updated|corrected|modified|new)\b\s*[:\-(]", re.IGNORECASE)
_IDLE = (
    "a an and the this that it its is are be to of in on for from with by as at or if we us our now here then so each "
    "every all set sets get gets return returns returned check checks call calls create creates make makes loop loops "
    "iterate iterates over through initialize initialise init define defines function method variable value values "
    "assign add adds increment compute calculate new whether into using use uses"
)
"""Words that say nothing about code, separated by spaces."""
_FAR = 40
"""Maximum number of lines within which the code of a suppression is searched."""
_LEAST = 2
"""Minimum number of meaningful words of a comment that is compared to the code below it."""
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class NewSilence:
    """A comment or attribute that an edit adds and that silences a tool."""

    words: str
    """Its text, without the end of a block comment."""
    is_general: bool
    """Whether it silences a whole tool, or more than its line, instead of a rule."""
    is_acceptable: bool
    """Whether it may be the right answer to a diagnostic on its line."""


@dataclass(frozen=True, slots=True)
class _Silence:
    head: str
    """Its first words, which identify the tool."""
    rules: frozenset[str]
    code: str
    """The code to which it applies, without white space: that of its own line, else of the next line with code."""
    words: str = field(compare=False)
    line: int = field(compare=False)
    is_wide: bool = field(compare=False)

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        """The tool and the rules that it silences."""
        return self.head, self.rules


@dataclass(frozen=True, slots=True)
class _Complaint:
    """A diagnostic and its line."""

    diagnostic: Diagnostic
    line: int
    code: str
    """The line's code without white space and comments."""
    text: str


def repeating(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the new comments that repeat the code beside them, or describe the edit."""
    old = Counter(_comment(line, known)[1].strip() for line in hunk.old)
    lines = (*hunk.new, hunk.below)
    for index, line in enumerate(hunk.new):
        own, comment = _comment(line, known)
        if not comment or old[comment.strip()] or _SILENCE.search(f"{known.line_comment}{comment}"):
            continue
        at = own if own.strip() else next((_comment(each, known)[0] for each in lines[index + 1 :] if each.strip()), "")
        if _NARRATED.match(comment) or _repeats(comment, at):
            yield comment.strip()


def new_silences(
    before: Document, after: str, known: Language, diagnostics: Sequence[Diagnostic]
) -> tuple[NewSilence, ...]:
    """Return the comments and attributes that an edit adds and that silence a tool, in order.

    A suppression that is narrower than before, or that moved with a rewritten line, is not new. A new one is acceptable
    if it names only rules of a diagnostic on its line, and that diagnostic is about missing types of an import or asks
    for the comment itself, or if it moved within the statement for which it was written.

    :param diagnostics: the diagnostics that the edit is to fix, placed in ``before``.
    """
    # New suppressions are in changed lines. Most edits have none there, which saves parsing both texts.
    if not _SILENCE.search(_changed_lines(before.text, after)):
        return ()
    now = _silences(after, known)
    was, complaints = _silences(before.text, known), _complaints(before, known, diagnostics)
    same = Counter(was)
    fresh = [each for each in now if not _take(same, each)]
    gone = [each for each in was if _take(same, each)]
    found: list[NewSilence] = []
    for each in fresh:
        about = [complaint for complaint in complaints if complaint.code == each.code]
        alike = [other for other in gone if other.key == each.key]
        if alike and not about:
            gone.remove(alike[0])
        elif not any(other.code == each.code and _is_narrower(each, other) for other in gone):
            moved = any(_in_one_statement(before, other, complaint) for other in alike for complaint in about)
            is_right = moved or any(_asks(complaint, each, known) for complaint in about)
            found.append(NewSilence(each.words, is_general=each.is_wide or not each.rules, is_acceptable=is_right))
    return tuple(found)


def swallowing(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the new handlers, and ``suppress`` calls, that catch every error and do nothing with it."""
    old = Counter(line.strip() for line in hunk.old)
    lines = (*hunk.new, hunk.below)
    for index, line in enumerate(hunk.new):
        text = line.strip()
        if old[text]:
            continue
        if known.import_style.is_python:
            found = _BROAD.match(text)
            silent = found is not None and _swallows(text[found.end() :], lines[index + 1 :], _depth(line))
            if silent or _SUPPRESS.search(_comment(text, known)[0]):
                yield text
        elif (caught := _EMPTY_CATCH.search(text)) and _is_empty(caught.group(), lines[index + 1 :]):
            yield text


def catching(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the new Python handlers that catch every error and raise nothing, except those that swallow it."""
    if not known.import_style.is_python:
        return
    swallowed, old = set(swallowing(hunk, known)), {line.strip() for line in hunk.old}
    for index, line in enumerate(hunk.new):
        text = line.strip()
        if text in old or text in swallowed or not _BROAD.match(text):
            continue
        body = takewhile(lambda each: not each.strip() or _depth(each) > _depth(line), hunk.new[index + 1 :])  # noqa: B023 - it is used up here
        if not any(each.strip().startswith("raise") for each in body):
            yield text


def commented(hunk: Hunk, known: Language) -> Iterator[str]:
    """Yield the old lines of code that are now only a comment."""
    there = Counter("".join(_comment(line, known)[1].split()) for line in hunk.new)
    for line in hunk.old:
        own = "".join(_comment(line, known)[0].split())
        if len(own) > _LEAST and there[own] > 0:
            there[own] -= 1
            yield line.strip()


def code(lines: Sequence[str], known: Language) -> list[str]:
    """Return the code of the lines, without comments and white space; lines without code are left out."""
    bare = ("".join(_comment(line, known)[0].split()) for line in lines)
    return [line for line in bare if line]


def _changed_lines(before: str, after: str) -> str:
    """Return the whole lines of a text from the first to the last code point that differs from the other text."""
    head, tail = common_ends(before, after)
    start = max(after.rfind("\n", 0, head), after.rfind("\r", 0, head)) + 1
    ends = [at for mark in "\n\r" if (at := after.find(mark, len(after) - tail)) >= 0]
    return after[start : min(ends, default=len(after))]


def _silences(text: str, known: Language) -> list[_Silence]:
    """Return the suppressions in a text, in order; those in string literals do not count."""
    matches = list(_SILENCE.finditer(text))
    if not matches:
        return []
    strings, lines = _strings(text, known), Document("", known.id, None, text)
    found: list[_Silence] = []
    for match in matches:
        if any(span.start <= match.start() < span.end for span in strings):
            continue
        at = lines.line_at(match.start())
        line = lines.line_span(at)
        if not strings and _is_quoted(text[line.start : match.start()], known):
            continue
        words = match.group().strip().removesuffix("*/").strip()
        head = match["head"].lstrip("#/ \t")
        own = "".join(_comment(text[line.start : match.start()], known)[0].replace("/*", " ").split())
        governed = own or _next_code(lines, at, known)
        found.append(
            _Silence(head, _rules(head, match["rest"]), governed, words, at, bool(_WIDE.search(match["head"])))
        )
    return found


def _strings(text: str, known: Language) -> Sequence[Span]:
    """Return the spans of the string literals of a text, unordered; empty if no grammar parses it."""
    tree, query = parse(text, known), _STRINGS.get(known.import_style.name)
    return tree.queried(query, Span(0, len(text))) if isinstance(tree, SyntaxTree) and query else ()


def _is_quoted(head: str, known: Language) -> bool:
    """Report whether the start of a line ends inside a string literal, judged from this line alone."""
    own, comment = _comment(head, known)
    bare = re.sub(r"\\.|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`", "", own)
    return not comment and any(mark in bare for mark in "\"'`")


def _next_code(lines: Document, at: int, known: Language) -> str:
    """Return the code of the next line that has any, without white space."""
    below = (lines.slice(lines.line_span(line)) for line in range(at + 1, min(at + _FAR, lines.line_count)))
    return next((own for line in below if (own := "".join(_comment(line, known)[0].split()))), "")


def _rules(head: str, rest: str) -> frozenset[str]:
    """Return the rules that a suppression names, in lower case; empty if it silences all."""
    opens = next((mark for end, mark in _MUST_OPEN if head.endswith(end)), "")
    if "@ts-" in head or (opens and not rest.lstrip().startswith(opens)):
        return frozenset()
    found = _RULE_LIST.match(rest)
    return frozenset(re.findall(r"[^\s,\"]+", found[1].lower())) if found else frozenset()


def _complaints(before: Document, known: Language, diagnostics: Sequence[Diagnostic]) -> list[_Complaint]:
    found: list[_Complaint] = []
    for each in diagnostics:
        at = before.line_at(min(each.span.start, len(before.text)))
        line = before.slice(before.line_span(at))
        found.append(_Complaint(each, at, "".join(_comment(line, known)[0].split()), line))
    return found


def _take(among: Counter[_Silence], one: _Silence) -> bool:
    if among[one] <= 0:
        return False
    among[one] -= 1
    return True


def _is_narrower(one: _Silence, other: _Silence) -> bool:
    """Report whether a suppression silences less than another one for the same tool."""
    return one.head == other.head and bool(one.rules) and (not other.rules or one.rules < other.rules)


def _in_one_statement(before: Document, silence: _Silence, complaint: _Complaint) -> bool:
    """Report whether open brackets join the lines of a suppression and a complaint."""
    first, last = sorted((silence.line, complaint.line))
    depth = 0
    for line in range(first, min(last, first + _FAR)):
        text = before.slice(before.line_span(line))
        depth += sum((each in "([{") - (each in ")]}") for each in text)
        if depth <= 0:
            return False
    return last - first < _FAR


def _asks(complaint: _Complaint, silence: _Silence, known: Language) -> bool:
    """Report whether only a suppression of its own rule can answer a diagnostic."""
    said = complaint.diagnostic
    own = {said.code.lower(), *(each.lower() for each in re.findall(r"\[([\w-]+)\]\s*$", said.message))} - {""}
    if silence.is_wide or not silence.rules or not silence.rules <= own:
        return False
    is_import = re.match(known.import_line, complaint.text.strip()) is not None
    if is_import and _STUBS.search(f"{said.message} {said.code}"):
        return True
    asked = "".join(silence.words.split()) in "".join(said.message.split())
    return asked and not _NEEDLESS.search(said.message)


def _swallows(rest: str, below: Sequence[str], depth: int) -> bool:
    """Report whether a handler's body is one statement that discards the caught error."""
    if rest.strip() and not rest.strip().startswith("#"):
        return _SWALLOW.match(rest.strip()) is not None
    body: list[str] = []
    for line in below:
        if line.strip() and _depth(line) <= depth:
            break
        if line.strip() and not line.strip().startswith("#"):
            body.append(line.strip())
    return len(body) == 1 and _SWALLOW.match(body[0]) is not None


def _is_empty(opening: str, below: Sequence[str]) -> bool:
    closed = opening.rstrip().endswith("}")
    return closed or next((line.strip().startswith("}") for line in below if line.strip()), False)


def _repeats(comment: str, at: str) -> bool:
    said = {_stem(word) for word in _parts(comment) if word not in _IDLE.split()}
    there = {_stem(word) for word in _parts(at)}
    return len(said) >= _LEAST and said <= there


def _parts(text: str) -> list[str]:
    """Return the words of a text in lower case, with names split into their parts."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return [word.lower() for word in _WORD.findall(apart.replace("_", " "))]


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ed|es|s)$", "", word) or word


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _comment(line: str, known: Language) -> tuple[str, str]:
    """Return a line's code and its comment; each may be empty."""
    mark, quote, at = known.line_comment, "", 0
    if mark not in line:
        return line, ""
    while at < len(line):
        character = line[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif line.startswith(mark, at):
            return line[:at], line[at + len(mark) :]
        at += 1
    return line, ""
