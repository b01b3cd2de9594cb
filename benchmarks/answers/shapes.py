"""Shapes of right answers: those that follow the prompt, and those that a reader would still understand.

Each renderer is pure: of a case it makes a model's words and the document that is right. What a good answer looks like
is the case's new text, which people wrote.
"""

from __future__ import annotations

import difflib
import html
import json
import random
import re
from dataclasses import replace
from math import gcd

from benchmarks.answers.mine import Case
from benchmarks.answers.rendering import (
    Rendered,
    Shape,
    dedented,
    fence,
    fenced,
    known,
    manner,
    merged,
    parses,
    placed,
    right,
    statements,
    without,
)
from benchmarks.answers.wording import AFTER, BEFORE
from tuppence.core.text.document import Span

_WHOLE = 400
"""Lines of a file that a model gives back whole."""


def plain(case: Case) -> Rendered:
    """Return the new text in the fence that the prompt asks for, and nothing else."""
    return right(case, fenced(case, case.code) + "\n")


def _plain(case: Case, _: random.Random) -> Rendered:
    return plain(case)


def _with_imports(case: Case, _: random.Random) -> Rendered | None:
    if not case.imports:
        return None
    return Rendered(f"{fenced(case, case.code)}\n\n{fence(case.imports, 'imports')}\n", (merged(case),))


def _change(case: Case, dice: random.Random) -> Rendered:
    return _with_imports(case, dice) or plain(case)


def _prose_before(case: Case, dice: random.Random) -> Rendered:
    return right(case, dice.choice(BEFORE).format(name=case.target.name) + fenced(case, case.code) + "\n")


def _prose_after(case: Case, dice: random.Random) -> Rendered:
    return right(case, fenced(case, case.code) + dice.choice(AFTER).format(name=case.target.name))


def _cut_in_prose(case: Case, dice: random.Random) -> Rendered:
    after = dice.choice(AFTER).format(name=case.target.name)
    return right(case, fenced(case, case.code) + after[: len(after) // 2], "length")


def _other_word(case: Case, dice: random.Random) -> Rendered:
    return right(case, fence(case.code, dice.choice([*manner(case).infos[1:], "code", "text"])) + "\n")


def _no_word(case: Case, _: random.Random) -> Rendered:
    return right(case, fence(case.code) + "\n")


def _tildes(case: Case, _: random.Random) -> Rendered:
    return right(case, fence(case.code, manner(case).infos[0], "~") + "\n")


def _in_a_list(case: Case, _: random.Random) -> Rendered:
    code = fence(dedented(case.code), manner(case).infos[0], indent="   ")
    return right(case, f"1. Replace the function:\n\n{code}\n\n2. Run the tests again.\n")


def _at_column_0(case: Case, _: random.Random) -> Rendered | None:
    code = dedented(case.code)
    return right(case, fenced(case, code) + "\n") if code != case.code else None


def _whole_file(case: Case, _: random.Random) -> Rendered | None:
    short = case.document.line_count <= _WHOLE
    return right(case, fenced(case, case.expected.rstrip("\n")) + "\n") if short else None


def wrapped(case: Case, wrapper: str, code: str) -> str:
    """Return code inside the beginning and the end of what holds it, at column 0."""
    margin = wrapper[: len(wrapper) - len(wrapper.lstrip(" \t"))]
    closing = manner(case).closing
    if closing == "};" and not re.match(r"\s*(?:class|struct|template|enum)\b", wrapper):
        closing = "}"
    return dedented(f"{wrapper}\n{code}" + (f"\n{margin}{closing}" if closing else ""))


def _in_its_class(case: Case, _: random.Random) -> Rendered | None:
    return right(case, fenced(case, wrapped(case, case.wrapper, case.code)) + "\n") if case.wrapper else None


def _imports_on_top(case: Case, _: random.Random) -> Rendered | None:
    if not case.imports:
        return None
    return Rendered(fenced(case, f"{case.imports}\n\n\n{dedented(case.code)}") + "\n", (merged(case),))


def _imports_again(case: Case, _: random.Random) -> Rendered | None:
    return right(case, fenced(case, f"{case.needs}\n\n\n{dedented(case.code)}") + "\n") if case.needs else None


def _package_on_top(case: Case, dice: random.Random) -> Rendered | None:
    package = manner(case).package
    if not package:
        return None
    own = re.search(r"^package\b.*$", case.document.text, re.MULTILINE)
    head = own[0] if own and dice.random() < 1 / 2 else package
    code = wrapped(case, case.wrapper, case.code) if case.wrapper else case.code
    return right(case, fenced(case, f"{head}\n\n{code}") + "\n")


def _usage(case: Case, _: random.Random) -> Rendered:
    return right(case, fenced(case, dedented(case.code) + manner(case).usage.format(name=case.target.name)) + "\n")


def _old_and_new(case: Case, dice: random.Random) -> Rendered:
    one, two = dice.choice([("Before:", "After:"), ("**Original**", "**Fixed**"), ("The old code:", "The new code:")])
    return right(case, f"{one}\n\n{fenced(case, case.old)}\n\n{two}\n\n{fenced(case, case.code)}\n")


def _options(case: Case, _: random.Random) -> Rendered | None:
    found = statements(case)
    if not found:
        return None
    lines = case.code.split("\n")
    at = found[0][0]
    margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    other = "\n".join((*lines[:at], margin + known(case).comment("Written another way"), *lines[at:]))
    text = f"Option 1:\n\n{fenced(case, case.code)}\n\nOption 2:\n\n{fenced(case, other)}\n"
    return Rendered(text, (case.expected, placed(case, other)))


def _diff(case: Case, numbers: str) -> str:
    old, new = case.document.text.split("\n"), case.expected.split("\n")
    lines = list(difflib.unified_diff(old, new, f"a/{case.path}", f"b/{case.path}", lineterm=""))
    if numbers == "wrong":
        lines = [re.sub(r"^@@ .*", "@@ -1,7 +1,9 @@", line) for line in lines]
    if numbers == "none":
        lines = [line for line in lines[2:] if not line.startswith("@@")]
    return fence("\n".join(lines), "diff") + "\n"


def _exact_diff(case: Case, _: random.Random) -> Rendered:
    return right(case, _diff(case, "exact"))


def _wrong_diff(case: Case, _: random.Random) -> Rendered:
    return right(case, _diff(case, "wrong"))


def _bare_diff(case: Case, _: random.Random) -> Rendered:
    return right(case, _diff(case, "none"))


def _block(old: str, new: str) -> str:
    return f"<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE"


def _search_replace(case: Case, dice: random.Random) -> Rendered:
    block = _block(case.old, case.code)
    way = dice.choice(["in a fence", "below the path", "bare"])
    texts = {"in a fence": fenced(case, block), "below the path": f"{case.path}\n{fenced(case, block)}", "bare": block}
    return right(case, texts[way] + "\n")


def _several_blocks(case: Case, _: random.Random) -> Rendered | None:
    old, new = case.old.split("\n"), case.code.split("\n")
    groups = list(difflib.SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(1))
    pairs = [(old[g[0][1] : g[-1][2]], new[g[0][3] : g[-1][4]]) for g in groups]
    if len(pairs) < 2 or any(case.old.count("\n".join(was)) != 1 for was, _ in pairs):  # noqa: PLR2004 - several
        return None
    return right(case, "\n\n".join(fenced(case, _block("\n".join(was), "\n".join(now))) for was, now in pairs) + "\n")


def _bare(case: Case, _: random.Random) -> Rendered:
    return right(case, case.code + "\n")


def _bare_after_prose(case: Case, dice: random.Random) -> Rendered:
    return right(case, dice.choice(BEFORE).format(name=case.target.name) + case.code + "\n")


def _after_thinking(case: Case, dice: random.Random) -> Rendered:
    quoted = f"\n{fenced(case, case.old)}\n" if dice.random() < 1 / 2 else ""
    thought = f"<think>\nThe user wants `{case.target.name}` corrected.{quoted}\nI will change the condition.\n</think>"
    return right(case, f"{thought}\n\n{fenced(case, case.code)}\n")


def _with_mark(case: Case, dice: random.Random) -> Rendered:
    outside = dice.random() < 1 / 2
    return right(case, ("\ufeff" + fenced(case, case.code) if outside else fenced(case, "\ufeff" + case.code)) + "\n")


def _numbered(case: Case, dice: random.Random) -> Rendered:
    mark = dice.choice([": ", " | ", "\t"])
    first = case.document.line_at(case.target.span.start) + 1
    lines = [f"{number:>4}{mark}{line}" for number, line in enumerate(case.code.split("\n"), first)]
    return right(case, fenced(case, "\n".join(lines)) + "\n")


def _json(case: Case, dice: random.Random) -> Rendered:
    said = json.dumps({"code": case.code}, ensure_ascii=False, indent=dice.choice([None, 2]))
    return right(case, (fence(said, "json") if dice.random() < 1 / 2 else said) + "\n")


def _tabs(case: Case, _: random.Random) -> Rendered | None:
    """Return the code with tabs for spaces; where it is indented by tabs, with spaces for tabs."""
    unit = _unit(case.code)
    lines = case.code.split("\n")
    if any(line.startswith("\t") for line in lines):
        code = "\n".join(re.sub(r"^\t+", lambda found: "    " * len(found[0]), line) for line in lines)
    elif unit:
        code = "\n".join(re.sub(r"^ +", lambda found: "\t" * (len(found[0]) // unit), line) for line in lines)
    else:
        return None
    return right(case, fenced(case, code) + "\n") if code != case.code and parses(case, code) else None


def _other_width(case: Case, _: random.Random) -> Rendered | None:
    unit = _unit(case.code)
    if unit not in (2, 4):
        return None
    wide = 6 - unit
    lines = case.code.split("\n")
    code = "\n".join(re.sub(r"^ +", lambda found: " " * (len(found[0]) // unit * wide), line) for line in lines)
    return right(case, fenced(case, code) + "\n") if code != case.code else None


def _unit(code: str) -> int:
    """Return by how many spaces a text is indented, 0 where that is not certain."""
    margins = [len(line) - len(line.lstrip(" ")) for line in code.split("\n") if line.strip()]
    unit = gcd(*margins) if '"""' not in code and "`" not in code else 0
    return unit if unit in (2, 4) and max(margins) <= unit * 12 else 0


def _entities(case: Case, _: random.Random) -> Rendered | None:
    code = html.escape(case.code, quote=False)
    fresh = not re.search(r"&(?:lt|gt|amp|quot|#)", case.document.text)
    return right(case, fenced(case, code) + "\n") if fresh and code != case.code else None


def _smart_quotes(case: Case, _: random.Random) -> Rendered | None:
    if re.search("[\u2018-\u201d]", case.document.text + case.code):
        return None
    single = re.sub(r"'([^'\n]*)'", "\u2018\\1\u2019", case.code)
    code = re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", single)
    return right(case, fenced(case, code) + "\n") if code != case.code else None


def _crlf(case: Case, _: random.Random) -> Rendered:
    return right(case, (fenced(case, case.code) + "\n").replace("\n", "\r\n"))


def _crlf_file(case: Case, _: random.Random) -> Rendered:
    """Return a reply with LF to a file whose lines end with CRLF."""
    text, span = case.document.text, case.target.span
    before, old = text[: span.start].replace("\n", "\r\n"), case.old.replace("\n", "\r\n")
    document = replace(case.document, text=text.replace("\n", "\r\n"))
    target = replace(case.target, span=Span(len(before), len(before) + len(old)))
    expected = case.expected.replace("\n", "\r\n")
    other = replace(case, document=document, target=target, code=case.code.replace("\n", "\r\n"))
    return Rendered(fenced(case, case.code) + "\n", (expected,), case=other)


def _doc_again(case: Case, _: random.Random) -> Rendered | None:
    return right(case, fenced(case, f"{case.doc}\n{case.code}") + "\n") if case.doc else None


def _dropped_lines_said(case: Case, _: random.Random) -> Rendered | None:
    """Return the whole code, and below it a line of it again."""
    found = statements(case)
    if len(found) < 2:  # noqa: PLR2004 - one is the whole body
        return None
    quoted = "\n".join(case.code.split("\n")[slice(*found[0])])
    text = f"{fenced(case, case.code)}\n\nThe line that matters:\n\n{fenced(case, dedented(quoted))}\n"
    return right(case, text) if without(case, [found[0]]) != case.code else None


CHANGE = Shape(group="change", title="people's own change, as the prompt asks", render=_change, imports=True)
LEANING = Shape(group="change", title="people's own change that needs other changes", render=_change, imports=True)
RIGHT = (
    Shape(group="right", title="one fence", render=_plain),
    Shape(group="right", title="a fence for code and one for imports", render=_with_imports, imports=True),
    Shape(group="right", title="prose before the fence", render=_prose_before),
    Shape(group="right", title="explanation after the fence", render=_prose_after),
    Shape(group="right", title="cut off in the prose after the fence", render=_cut_in_prose),
    Shape(group="right", title="another word after the fence's opening", render=_other_word),
    Shape(group="right", title="no word after the fence's opening", render=_no_word),
    Shape(group="right", title="a fence of tildes", render=_tildes),
    Shape(group="right", title="a fence in a list item", render=_in_a_list),
    Shape(group="right", title="a method at column 0", render=_at_column_0),
    Shape(group="right", title="a reply with CRLF", render=_crlf),
    Shape(group="right", title="a file with CRLF, a reply with LF", render=_crlf_file),
)
RECOVERABLE = tuple(
    Shape(group="recoverable", title=title, render=render, imports=render is _imports_on_top)
    for title, render in (
        ("the whole file", _whole_file),
        ("a method inside its class, impl or namespace", _in_its_class),
        ("new imports on top of the same fence", _imports_on_top),
        ("the file's imports again on top of the fence", _imports_again),
        ("a package clause on top", _package_on_top),
        ("a use of the function below it", _usage),
        ("a fence with the old code, then one with the new", _old_and_new),
        ("a fence with the code, then one that quotes a line of it", _dropped_lines_said),
        ("two options, both right", _options),
        ("unified diff, right line numbers", _exact_diff),
        ("unified diff, wrong line numbers", _wrong_diff),
        ("unified diff without headers", _bare_diff),
        ("one SEARCH/REPLACE block", _search_replace),
        ("several SEARCH/REPLACE blocks", _several_blocks),
        ("no fence", _bare),
        ("no fence, after a sentence of prose", _bare_after_prose),
        ("a fence after <think>", _after_thinking),
        ("a byte order mark", _with_mark),
        ("line numbers before the lines", _numbered),
        ('JSON with the key "code"', _json),
        ("tabs for spaces, or spaces for tabs", _tabs),
        ("another width of indentation", _other_width),
        ("HTML entities", _entities),
        ("curly quotation marks", _smart_quotes),
        ("the comment above the function again", _doc_again),
    )
)
