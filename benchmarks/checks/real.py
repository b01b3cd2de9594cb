"""Answers that should be kept: what people changed from one release to the next, and what ruff itself would change.

A change of a release is a definition that stands in both, with another text: the old one is the target, the new one the
answer, and what it needs of the new file's imports comes in the fence for imports. A change that uses a word that other
changes of its file bring in, or that moves sideways, is left out: alone, as an answer has to stand, it would be wrong.
Nobody named a diagnostic there, so lines without a reason are not weighed; that is what ruff's fixes are for: each is
made for one.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruff import find_ruff_bin

from benchmarks.checks.sample import FIX, Sample, had, whole
from tuppence.core.syntax import target as targets
from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.syntax.tree import Block
from tuppence.core.text.diagnostic import Diagnostic, rated
from tuppence.core.text.document import Document, Span, apply
from tuppence.linters.ruff import edits_of, span_of

A_RULE = 20
"""Fixes of one rule in one package at most: a few rules on layout would else be nearly all."""
_SYNTAX = ("E999", "invalid-syntax")


def changes(older: Mapping[str, str], newer: Mapping[str, str]) -> Iterator[Sample]:
    """Yield the definitions that two releases have with different texts."""
    packages = had(older.items())
    for path in sorted(older.keys() & newer.keys()):
        known = by_suffix(path)
        if known.grammar is None or older[path] == newer[path]:
            continue
        document = Document(f"file:///{path}", known.id, 1, older[path])
        before, after = parse(older[path], known), parse(newer[path], known)
        if not (isinstance(before, SyntaxTree) and isinstance(after, SyntaxTree) and before.sound() and after.sound()):
            continue
        there = _named(after.blocks())
        imports = _new_imports(before, after)
        now = Document("", known.id, None, newer[path])
        for name, block in _named(before.blocks()).items():
            other = there.get(name)
            if other is None or block.kind == "class":
                continue
            target, code = whole(document, block), now.slice(now.whole_lines(other.span))
            needed = "\n".join(each for each in imports if "__future__" in each or _words(each) & _words(code))
            was = document.slice(target.span)
            if was != code and _margin(was) == _margin(code) and not _leans(code, needed, older[path], newer[path]):
                yield Sample(action=FIX, document=document, target=target, code=code, imports=needed, packages=packages)


def fixes(folder: Path, texts: Mapping[str, str], dice: random.Random) -> Iterator[Sample]:
    """Yield ruff's own safe fixes in Python files, each as the answer to its diagnostic."""
    packages = had(texts.items())
    python = {path: text for path, text in texts.items() if path.endswith(".py")}
    for path, text in python.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    command = [find_ruff_bin(), "check", "--isolated", "--no-cache", "--select", "ALL", "--output-format", "json"]
    done = subprocess.run([*command, "--quiet", str(folder)], check=False, capture_output=True)
    said: list[dict[str, Any]] = json.loads(done.stdout)
    dice.shuffle(said)
    count: Counter[str] = Counter()
    for entry in said:
        path = Path(entry["filename"]).relative_to(folder.resolve()).as_posix()
        code = entry.get("code") or ""
        if count[code] >= A_RULE or code in _SYNTAX or path not in python:
            continue
        if sample := _fixed(Document(f"file:///{path}", "python", 1, python[path]), entry, packages):
            count[code] += 1
            yield sample


def _fixed(document: Document, entry: dict[str, Any], packages: Packages) -> Sample | None:
    """Return one fix as an answer; None where it has none, or writes outside the target and the imports."""
    edits = edits_of(document, entry)
    if not edits:
        return None
    known = by_suffix("a.py")
    span = span_of(document, entry["location"], entry["end_location"])
    chosen = rated(Diagnostic(span, entry["message"], source="ruff", code=entry.get("code") or ""))
    target = targets.find_target(document, parse(document.text, known), span, chosen)
    if target is None:
        return None
    inside = [edit for edit in edits if target.span.covers(edit.span)]
    outside = [edit for edit in edits if not target.span.covers(edit.span)]
    imports = "\n".join(edit.text.strip() for edit in outside)
    if not inside or any(edit.span or not edit.text.lstrip().startswith(("import ", "from ")) for edit in outside):
        return None
    at = target.span.start
    moved = [type(edit)(Span(edit.span.start - at, edit.span.end - at), edit.text) for edit in inside]
    code = apply(document.slice(target.span), moved)
    if not code.strip():
        return None
    return Sample(
        action=FIX,
        document=document,
        target=target,
        code=code,
        imports=imports,
        chosen=chosen,
        packages=packages,
    )


def _leans(code: str, imports: str, old: str, new: str) -> bool:
    """Report whether a change uses words that its file did not have and other changes of it have."""
    elsewhere = new.replace(code, "")
    return bool(_words(code) & (_words(elsewhere) - _words(f"{old}\n{imports}")))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d]\w*", text)) - {"import", "from", "as", "const", "require", "type"}


def _margin(text: str) -> int:
    return len(text) - len(text.lstrip())


def _named(blocks: tuple[Block, ...]) -> dict[str, Block]:
    """Return definitions by the names around them; without those that share one, and those inside a function."""
    found: dict[str, Block] = {}
    often: set[str] = set()
    around: list[Block] = []
    for block in blocks:
        while around and not around[-1].span.covers(block.span):
            around.pop()
        around.append(block)
        if any(each.kind in ("function", "method") for each in around[:-1]):
            continue
        name = ".".join(each.name for each in around)
        (often.add(name) if name in found else found.setdefault(name, block))
    return {name: block for name, block in found.items() if name not in often and block.name}


def _new_imports(before: SyntaxTree, after: SyntaxTree) -> list[str]:
    there = {before.text[each.start : each.end].strip() for each in before.import_statements()}
    now = (after.text[each.start : each.end].strip() for each in after.import_statements())
    return [each for each in now if each not in there]
