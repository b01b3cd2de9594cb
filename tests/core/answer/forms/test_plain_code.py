"""The forms of a reply that are not the code itself: each becomes the code, or is refused with its reason."""

from __future__ import annotations

import difflib
import json

import pytest

from tuppence.core.actions import FIX
from tuppence.core.answer.forms.plain_code import as_code
from tuppence.core.answer.reply import Parts, Reply
from tuppence.core.answer_builder import Task, builder_for
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span

SOURCE = "import os\n\n\ndef mean(items):\n    total = sum(items)\n    return total / len(item)\n\n\nLAST = 1\n"
OLD = SOURCE[SOURCE.index("def") : SOURCE.index("\n\n\nLAST")]
NEW = OLD.replace("item)", "items)")
DOCUMENT = Document("file:///p/stats.py", "python", 1, SOURCE)
TARGET = Span(SOURCE.index("def"), SOURCE.index("def") + len(OLD))
BLOCK = "<<<<<<< SEARCH\n    return total / len(item)\n=======\n    return total / len(items)\n>>>>>>> REPLACE"


def read(reply: str) -> Parts:
    taken = Reply()
    taken.feed(reply)
    return as_code(taken.finish(), DOCUMENT, TARGET)


def diff(new: str = SOURCE.replace(OLD, NEW), context: int = 3) -> str:
    lines = difflib.unified_diff(
        SOURCE.splitlines(), new.splitlines(), "a/stats.py", "b/stats.py", lineterm="", n=context
    )
    return "\n".join(lines)


def numbered(mark: str, first: int = 4, width: int = 0) -> str:
    return "\n".join(f"{number:{width or ''}}{mark}{line}" for number, line in enumerate(NEW.split("\n"), first))


@pytest.mark.parametrize(
    ("form", "reply"),
    [
        ("blocks", f"```python\n{BLOCK}\n```"),
        ("blocks", f"Here it is:\n\nstats.py\n{BLOCK}\n"),
        ("blocks", f"```\n{BLOCK}\n```\n```imports\nimport math\n```"),
        ("diff", f"```diff\n{diff()}\n```"),
        ("diff", f"```\n{diff(context=0)}\n```"),
        ("diff", "```python\n@@ ... @@\n-    return total / len(item)\n+    return total / len(items)\n```"),
        ("JSON", f"```json\n{json.dumps({'code': NEW})}\n```"),
        ("JSON", json.dumps({"explanation": "It is a typo.", "fix": [{"code": NEW}]})),
        ("line numbers", f"```python\n{numbered(': ')}\n```"),
        ("line numbers", f"```python\n{numbered(' | ', 9, 3)}\n```"),
        ("line numbers", f"```python\n{numbered(chr(9))}\n```"),
    ],
)
def test_a_form_becomes_the_code(form: str, reply: str) -> None:
    parts = read(reply)
    assert [fence.text for fence in parts.fences if not fence.imports] == [NEW]
    assert (parts.form, parts.refused) == (form, "")
    assert len([fence for fence in parts.fences if fence.imports]) == reply.count("```imports")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (
            f"```diff\n{diff(SOURCE.replace(OLD, NEW).replace('LAST = 1', 'LAST = 2'))}\n```",
            "outside of what it was asked for",
        ),
        ("```diff\n@@ -1 +1 @@\n-    return nothing\n+    return 1\n```", "diff"),
        (f"```\n{BLOCK.replace('total /', 'sum /')}\n```", "edit"),
        (f"```\n{BLOCK.replace('=======', '')}\n```", "edit"),
        (f"```\n{BLOCK.replace('    return total / len(item)', 'LAST = 1', 1)}\n```", "edit"),
    ],
)
def test_what_cannot_be_applied_with_certainty_is_refused(reply: str, reason: str) -> None:
    parts = read(reply)
    assert reason in parts.refused.lower()
    assert not [fence for fence in parts.fences if not fence.imports]


def test_edits_that_are_cut_off_are_not_applied() -> None:
    for reply in (f"```\n{BLOCK}\n{BLOCK[:30]}", f"```diff\n{diff()}"):
        parts = read(reply)
        assert not parts.fences[0].closed or parts.refused


def test_code_is_left_as_it_is() -> None:
    for text in (NEW, "x = {'code': 1}\n", "1: a\n3: b", "12 items", '{"a": 1}', '{"code": "a\\nb", "fixed": "b\\nc"}'):
        parts = read(f"```python\n{text}\n```")
        assert (parts.fences[0].text.rstrip("\n"), parts.form) == (text.rstrip("\n"), "")


@pytest.mark.parametrize("about", ["mean", "    total = sum(items)", "LAST = 1"])
@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{BLOCK}\n```",
        f"```python\nstats.py\n{BLOCK}\n```",
        f"```python\n{diff()}\n```",
        "```python\n@@ -4,3 +4,3 @@ def mean(items):\n-    return total / len(item)\n+    return 1\n```",
        f"```json\n{json.dumps({'code': NEW}, indent=1)}\n```",
        f"```python\n{numbered(': ')}\n```",
    ],
)
def test_a_form_is_not_shown_as_code_while_it_comes(about: str, reply: str) -> None:
    tree = parse(SOURCE, language("python"))
    at = SOURCE.index(about)
    target = find_target(DOCUMENT, tree, Span(at, at + (0 if about == "mean" else len(about))))
    assert target is not None
    assert bool(target.name) == (about == "mean")
    builder = builder_for(Task(action=FIX, document=DOCUMENT, tree=tree, language=tree.language, target=target))
    assert [builder.feed(piece + "\n") for piece in reply.split("\n")] == [()] * len(reply.split("\n"))
