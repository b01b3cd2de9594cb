"""Bad answers made on purpose: ruff's right fix of a function with something planted in it, or something in its stead.

Each row says what was planted. Those that no check can find without knowing what the code is for (a condition turned
round, a statement gone) are planted as well, so that the table shows what is not found.
"""

from __future__ import annotations

import ast
import random
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks.checks.sample import Sample, answer
from tuppence.core.checks.mutation import mutants
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Span, apply

LINES = range(6, 80)
"""How long the functions are."""
_COMPOUND = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Draft:
    """A right fix of a function, to be spoilt."""

    sample: Sample
    old: str
    """The function before."""
    tree: ast.FunctionDef
    """The right answer's, its columns without ``depth``."""
    depth: int
    dice: random.Random

    @property
    def lines(self) -> list[str]:
        """The right answer's."""
        return self.sample.code.split("\n")

    @property
    def body(self) -> int:
        """The line of the first statement that is no docstring, from 0."""
        first, *rest = self.tree.body
        is_doc = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and rest
        return (rest[0] if is_doc else first).lineno - 1

    @property
    def margin(self) -> str:
        """The white space before a statement of the body."""
        line = self.lines[self.body]
        return line[: len(line) - len(line.lstrip())]


def draft(sample: Sample, dice: random.Random) -> Draft | None:
    """Return a right fix as something to spoil; None where its target is no function of a middling length."""
    if sample.target.kind not in ("function", "method") or sample.chosen is None:
        return None
    lines = sample.code.split("\n")
    if len(lines) not in LINES:
        return None
    try:
        [tree] = ast.parse(textwrap.dedent(sample.code)).body
    except (SyntaxError, ValueError):
        return None
    depth = len(lines[0]) - len(lines[0].lstrip())
    if not isinstance(tree, ast.FunctionDef) or tree.body[-1].lineno == tree.lineno:
        return None
    return Draft(sample, sample.document.slice(sample.target.span), tree, depth, dice)


def planted(given: Draft) -> Iterator[tuple[str, Sample]]:
    """Yield each bad answer that can be made of a right one, with what was planted."""
    for what, make in INSTEAD.items():
        yield from ((what, bad) for bad in make(given))
    for what, change in BESIDE.items():
        code = change(given)
        if code is not None and code != given.sample.code:
            yield what, replace(given.sample, code=code)


def _code(given: Draft, code: str) -> Iterator[Sample]:
    yield replace(given.sample, code=code, imports="")


def _marked(given: Draft, mark: str) -> Iterator[Sample]:
    """Yield the old text with a comment at the end of the line that the diagnostic is about."""
    sample = given.sample
    assert sample.chosen is not None
    document = sample.document
    at = document.line_span(document.line_at(sample.chosen.span.start)).end - sample.target.span.start
    if 0 < at <= len(given.old):
        yield from _code(given, f"{given.old[:at].rstrip()}  {mark}{given.old[at:]}")


def _gone(given: Draft, statement: str) -> Iterator[Sample]:
    yield from _code(given, "\n".join((*given.lines[: given.body], f"{given.margin}{statement}")))


def _wrapped(given: Draft) -> Iterator[Sample]:
    old = given.old.split("\n")
    if len(old) == len(given.lines) and old[given.body].startswith(given.margin):
        yield from _code(given, _tried(given, old))


def _tried(given: Draft, lines: list[str]) -> str:
    margin, at = given.margin, given.body
    inner = [f"    {line}" if line.strip() else line for line in lines[at:]]
    return "\n".join((*lines[:at], f"{margin}try:", *inner, f"{margin}except Exception:", f"{margin}    pass"))


def _left_out(given: Draft) -> Iterator[Sample]:
    half = (given.body + len(given.lines)) // 2
    yield from _code(given, "\n".join((*given.lines[:half], f"{given.margin}# ... rest of the code unchanged")))


def _cut(given: Draft) -> Iterator[Sample]:
    words = answer(given.sample.code)
    yield replace(given.sample, words=words[: len(words) * 2 // 3])


def _unbalanced(given: Draft) -> Iterator[Sample]:
    places = [found.start() for found in re.finditer(r"\)", given.sample.code)]
    code = given.sample.code
    spoilt = [code[:at] + code[at + 1 :] for at in places]
    if spoilt := [each for each in spoilt if not _parses(each)]:
        yield replace(given.sample, code=given.dice.choice(spoilt))


def _parses(code: str) -> bool:
    try:
        ast.parse(textwrap.dedent(code))
    except (SyntaxError, ValueError):
        return False
    return True


def _neighbor(given: Draft) -> Iterator[Sample]:
    """Yield the next function's text in place of the right answer."""
    document, span = given.sample.document, given.sample.target.span
    blocks = parse(document.text, language("python")).blocks()
    for each in blocks:
        lines = document.whole_lines(each.span)
        text = document.slice(lines)
        same = len(text) - len(text.lstrip()) == given.depth
        if lines.start > span.end and same and each.kind in ("function", "method") and each.name != given.tree.name:
            yield from _code(given, text)
            return


def _renamed(given: Draft) -> str | None:
    """Return the code with its local names changed."""
    found = (node for node in ast.walk(given.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    names = sorted({node.id for node in found})
    code = given.sample.code
    for name in names:
        code = re.sub(rf"(?<![\w.]){name}\b(?!\s*=[^=]*[,)])", f"my_{name}", code)
    return code if names else None


def _constant(given: Draft, many: int) -> str | None:
    """Return the code with other numbers and texts in so many places."""
    lines = given.lines
    nodes = [
        node
        for part in given.tree.body
        for node in ast.walk(part)
        if isinstance(node, ast.Constant)
        and node.lineno == node.end_lineno
        and node.lineno - 1 >= given.body
        and ((isinstance(node.value, int) and not isinstance(node.value, bool)) or isinstance(node.value, str))
    ]
    once = list({node.lineno: node for node in nodes}.values())
    if len(once) < many:
        return None
    for node in given.dice.sample(once, many):
        line, at = lines[node.lineno - 1], node.lineno - 1
        start, end = node.col_offset + given.depth, (node.end_col_offset or 0) + given.depth
        if not line.isascii() or ast.unparse(node).strip("'\"") not in line[start:end]:
            return None
        was = line[start:end]
        now = str(int(node.value) + 7) if isinstance(node.value, int) else f"{was[:-1]}_v2{was[-1]}"
        lines[at] = line[:start] + now + line[end:]
    return "\n".join(lines)


def _commented(given: Draft) -> str | None:
    """Return the code with a comment above each simple statement that says it again."""
    lines = given.lines
    simple = [node for node in ast.walk(given.tree) if isinstance(node, ast.Assign | ast.Return | ast.Expr)]
    at = sorted({node.lineno - 1 for node in simple if node.lineno - 1 >= given.body}, reverse=True)
    for line in at:
        words = re.findall(r"[A-Za-z]{3,}", lines[line].replace("_", " "))
        margin = lines[line][: len(lines[line]) - len(lines[line].lstrip())]
        if words and "return" not in words:
            lines.insert(line, f"{margin}# Set {' '.join(words).lower()}")
    return "\n".join(lines) if len(lines) > len(given.lines) else None


def _foreign(given: Draft) -> str | None:
    lines = given.lines
    lines[given.body : given.body] = [f"{given.margin}import fastutils", f"{given.margin}fastutils.enable()"]
    return "\n".join(lines)


def _imported(given: Draft) -> Iterator[Sample]:
    lines = given.lines
    lines[given.body : given.body] = [f"{given.margin}fastutils.enable()"]
    yield replace(given.sample, code="\n".join(lines), imports="import fastutils")


def _misspelt(given: Draft) -> str | None:
    """Return the code with one local name misspelt where it is read."""
    stored = {
        node.id for node in ast.walk(given.tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    read = [
        node
        for node in ast.walk(given.tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in stored
    ]
    if not read:
        return None
    node, lines = given.dice.choice(read), given.lines
    line, at = lines[node.lineno - 1], node.col_offset + given.depth
    if not line.isascii() or line[at : at + len(node.id)] != node.id:
        return None
    lines[node.lineno - 1] = f"{line[:at]}{node.id}_x{line[at + len(node.id) :]}"
    return "\n".join(lines)


def _mutant(given: Draft) -> str | None:
    text = textwrap.dedent(given.sample.code)
    found = mutants(text, Span(0, len(text)))
    changed = apply(text, [given.dice.choice(found).edit]) if found else None
    return textwrap.indent(changed, " " * given.depth, lambda line: bool(line.strip())) if changed else None


def _shorter(given: Draft) -> str | None:
    """Return the code without one of its simple statements."""
    body = [
        (one, following)
        for one, following in zip(given.tree.body, given.tree.body[1:], strict=False)
        if not isinstance(one, _COMPOUND) and one.lineno - 1 >= given.body
    ]
    if not body:
        return None
    one, following = given.dice.choice(body)
    return "\n".join((*given.lines[: one.lineno - 1], *given.lines[following.lineno - 1 :]))


def _swallowing(given: Draft) -> str | None:
    return _tried(given, given.lines)


INSTEAD: Mapping[str, Callable[[Draft], Iterator[Sample]]] = {
    "nothing changed": lambda given: _code(given, given.old),
    "an empty answer": lambda given: iter((replace(given.sample, words=" "),)),
    "only talk, no code": lambda given: iter((replace(given.sample, words="The line is too long; make it shorter."),)),
    "cut off in the code": _cut,
    "a closing bracket lost": _unbalanced,
    "the rest left out by a comment": _left_out,
    "body replaced by `pass`": lambda given: _gone(given, "pass"),
    "body replaced by `raise NotImplementedError`": lambda given: _gone(given, "raise NotImplementedError"),
    "another function in its place": _neighbor,
    "silenced: `# noqa`": lambda given: _marked(given, "# noqa"),
    "silenced: `# type: ignore`": lambda given: _marked(given, "# type: ignore"),
    "unfixed, all in `except Exception: pass`": _wrapped,
    "fix + a package that is not there": _imported,
}
BESIDE: Mapping[str, Callable[[Draft], str | None]] = {
    "fix + the same, imported in the function": _foreign,
    "fix + a name misspelt": _misspelt,
    "fix + all in `except Exception: pass`": _swallowing,
    "fix + all local names changed": _renamed,
    "fix + one constant changed": lambda given: _constant(given, 1),
    "fix + three constants changed": lambda given: _constant(given, 3),
    "fix + a comment at each statement": _commented,
    "fix + one operator or condition changed": _mutant,
    "fix + one statement gone": _shorter,
}
