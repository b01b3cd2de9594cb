"""Tests of core/answer_builder.py: a reply, cut anywhere, becomes an answer with its verdict."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.core.actions import ACTIONS, EXPLAIN, FIX, REVIEW, TESTS, Action, find_action, title
from tuppence.core.answer.insert_tests import TestLocation
from tuppence.core.answer_builder import Task, builder_for
from tuppence.core.checks.slop import Evidence
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, EditsDrafted, Event, FindingAdded, MarkdownChunk
from tuppence.core.pauses import pause, pause_with
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target
from tuppence.core.text.document import Document, Span, apply

SOURCE = "import os\n\n\ndef mean(xs):\n    return sum(xs) / len(x)\n\n\nLAST = 1\n"
FIXED = SOURCE.replace("len(x)", "len(xs)")
REPLY = "```python\ndef mean(xs):\n    return sum(xs) / len(xs)\n```\n"


def work(action: Action, source: str = SOURCE, about: str = "mean", place: TestLocation | None = None) -> Task:
    """Return the work on the definition of that name, or on the lines that hold that text."""
    document = Document("file:///p/stats.py", "python", 1, source)
    tree = parse(source, language("python"))
    block = next((block for block in tree.blocks() if block.name == about), None)
    start = source.find(about)
    span = block.span if block else document.whole_lines(Span(start, start + len(about)))
    target = Target(span, about if block else "", "function" if block else "lines")
    return Task(action=action, document=document, tree=tree, language=tree.language, target=target, place=place)


def made(work: Task, reply: str, stop: Literal["end", "length", "refused"] = "end", size: int = 5) -> Answer:
    """Return the answer that a reply gives in pieces of that size."""
    return steps(work, reply, stop, size)[1]


def steps(
    work: Task, reply: str, stop: Literal["end", "length", "refused"] = "end", size: int = 5
) -> tuple[list[Event], Answer]:
    making = builder_for(work)
    shown: list[Event] = []
    for start in range(0, len(reply), size):
        shown += making.feed(reply[start : start + size])
    rest, answer = making.finish(stop)
    return [*shown, *rest], answer


def fixed(reply: str, source: str = SOURCE, about: str = "mean") -> str:
    """Return the file after a fix that was kept."""
    answer = made(work(FIX, source, about), reply)
    assert answer.verdict.fit, answer.verdict
    starts = [edit.span.start for edit in answer.edits]
    assert starts == sorted(set(starts)), "in order, and no two at one place"
    return apply(source, answer.edits)


def test_a_fix_replaces_the_target() -> None:
    assert fixed(REPLY) == FIXED


def test_its_imports_are_merged_in_the_same_edits() -> None:
    wanted = "```imports\nfrom math import nan\nimport os\n```\n"
    after = FIXED.replace("import os\n", "import os\nfrom math import nan\n")
    assert fixed(REPLY + wanted) == after
    assert fixed(REPLY + wanted, SOURCE.replace("\n", "\r\n")) == after.replace("\n", "\r\n")


def test_imports_at_the_targets_own_start() -> None:
    source = SOURCE.removeprefix("import os\n\n\n")
    assert fixed(REPLY + "```imports\nimport os\n```", source) == "import os\n\n" + source.replace("len(x)", "len(xs)")


def test_imports_inside_a_target_that_is_the_whole_file() -> None:
    answer = made(work(FIX, SOURCE, SOURCE), f"```python\n{FIXED}```\n```imports\nfrom math import nan\n```")
    assert apply(SOURCE, answer.edits) == FIXED.replace("import os\n", "import os\nfrom math import nan\n")


def test_imports_that_stand_below_the_target_move_with_it() -> None:
    source = "x = undefined\n\nimport os\nimport sys\n"
    after = fixed("```\nx = None\ny = 1\n```\n```imports\nimport re\n```", source, "x = undefined")
    assert after == "x = None\ny = 1\n\nimport os\nimport sys\nimport re\n"


def test_an_import_that_is_no_import_is_passed_over() -> None:
    assert fixed(REPLY + "```imports\nos.system('rm')\n```") == FIXED


@pytest.mark.parametrize(
    ("reply", "stop", "why"),
    [
        ("", "end", "The answer is empty."),
        ("I cannot.", "refused", "The model refused to answer."),
        (REPLY[:-9], "length", "The answer was cut off at the model's output limit."),
        ("```python\ndef mean(xs):\n    return (sum(xs)\n```", "end", "With the answer the file no longer parses"),
        ("```python\ndef mean(xs):\n    return sum(xs) / len(x)\n```", "end", "The answer changes nothing."),
    ],
)
def test_a_fix_that_is_of_no_use_is_not_fit(reply: str, stop: Literal["end", "length", "refused"], why: str) -> None:
    verdict = made(work(FIX), reply, stop).verdict
    assert not verdict.fit
    assert verdict.reasons[0].startswith(why)


@given(st.integers(1, 40))
def test_the_drafts_lead_to_the_same_text_however_the_reply_is_cut(size: int) -> None:
    shown, answer = steps(work(FIX), REPLY, size=size)
    text = SOURCE
    for step in shown:
        assert isinstance(step, EditsDrafted)
        for edit in step.edits:
            text = apply(text, [edit])
    assert text == apply(SOURCE, answer.edits) == FIXED


@given(st.integers(1, 60))
def test_an_explanation_is_clean_and_the_pieces_are_the_whole(size: int) -> None:
    reply = "`mean` **averages**.\n\n![x](https://e.example/x.png) <script>no</script> [docs](command:rm)\n"
    shown, answer = steps(work(EXPLAIN), reply, size=size)
    pieces = "".join(step.markdown for step in shown if isinstance(step, MarkdownChunk))
    assert pieces.strip() == answer.markdown
    assert answer.markdown == "`mean` **averages**.\n\nx &lt;script>no&lt;/script> docs"
    assert answer.verdict.fit


SCRIPT = "function sum(xs) {\n  let total = 1;\n  for (const x of xs) total += x;\n  return total;\n}\n\nsum([]);\n"
FAULT, MENDED = "```js\n  let total = 1;\n```\n", f"```js\n{SCRIPT[:-11].replace('1', '0')}\n```\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_quotation_never_takes_the_place_of_a_function(size: int) -> None:
    known, document = language("javascript"), Document("file:///p/sum.js", "javascript", 1, SCRIPT)
    tree = parse(SCRIPT, known)
    target = Target(Span(0, SCRIPT.index("\n\n")), "sum", "function")
    about = Task(action=FIX, document=document, tree=tree, language=known, target=target)
    mended = made(about, f"The fault:\n{FAULT}Fixed:\n{MENDED}", size=size)
    assert (mended.verdict.fit, apply(SCRIPT, mended.edits)) == (True, SCRIPT.replace("1", "0"))
    quoted = made(about, FAULT, size=size).verdict
    assert (quoted.fit, quoted.reasons) == (False, ("The answer does not define `sum`.",))
    either = made(about, f"{FAULT}is now\n{FAULT.replace('1', '0')}", size=size)
    assert (either.verdict.fit, either.edits) == (False, ())
    assert either.verdict.reasons == ("The answer contains several code blocks, and it is unclear which one is meant.",)


def test_a_method_that_nobody_calls_is_not_replaced_by_a_line_of_it() -> None:
    verdict = made(work(FIX), "```python\n    return sum(xs) / len(xs)\n```\n").verdict
    assert not verdict.fit
    source = SOURCE.replace("def mean", "def most(xs):\n    return max(xs)\n\n\ndef mean")
    verdict = made(work(FIX, source), "```python\n    total = sum(xs)\n```\n").verdict
    assert not verdict.fit
    assert verdict.reasons == ("The answer does not define `mean`.",)


def test_an_explanation_of_something_else_is_not_fit() -> None:
    assert not made(work(EXPLAIN), "Bananas grow in warm countries.").verdict.fit


def test_a_finding_is_told_as_soon_as_it_is_complete() -> None:
    making = builder_for(work(REVIEW))
    first = "severity: error\nline: `return sum(xs) / len(x)`\nproblem: Unknown.\n---\n"
    [found] = making.feed(first)
    assert isinstance(found, FindingAdded)
    assert SOURCE[found.finding.span.start : found.finding.span.end] == "return sum(xs) / len(x)"
    assert making.feed("severity: hint\nline: `LAST = 1`\nproblem: Not in the target.\n---\n") == ()
    shown, answer = making.finish("end")
    assert shown == ()
    assert [finding.message for finding in answer.findings] == ["Unknown."]
    assert answer.verdict.fit


def test_tests_are_for_their_place() -> None:
    place = TestLocation(
        "/p/tests/test_stats.py", Document("file:///p/tests/test_stats.py", "python", 3, ""), is_new=True
    )
    reply = "```python\ndef test_mean():\n    assert mean([1])\n```\n```imports\nfrom stats import mean\n```"
    answer = made(work(TESTS, place=place), reply)
    assert answer.verdict.fit
    assert answer.written is not None
    assert (answer.written.path, answer.written.imports) == ("/p/tests/test_stats.py", "from stats import mean")
    assert answer.edits == (), "the target's own document stays as it is"


def test_a_package_that_only_the_tests_need_is_a_doubt() -> None:
    place = TestLocation("/p/test_stats.py", Document("file:///p/test_stats.py", "python", 3, ""), is_new=True)
    grounds = Evidence(packages=Packages(frozenset({"stats", "attrs"}), complete=True))
    code = (
        "```python\ndef test_mean():\n    assert mean([1]), {0}\n```\n"
        "```imports\nimport {0}\nfrom stats import mean\n```"
    )
    for module, doubts in (
        ("hypothesis", ("needs hypothesis, which the project does not have",)),
        ("pytest", ()),
        ("math", ()),
        ("attr", ()),
    ):
        verdict = made(replace(work(TESTS, place=place), evidence=grounds), code.format(module)).verdict
        assert (verdict.fit, verdict.doubts) == (True, doubts)


@pytest.mark.parametrize(
    ("there", "why"),
    [
        ("def test_mean():\n    assert mean([1])\n", "The answer contains no test that the file does not have yet."),
        ("def test_mean():\n    assert 0\n", "The answer writes `test_mean` again, which the file has already."),
    ],
)
def test_tests_that_are_there_already_are_of_no_use(there: str, why: str) -> None:
    place = TestLocation("/p/t.py", Document("file:///p/t.py", "python", 3, there), is_new=False)
    verdict = made(work(TESTS, place=place), "```python\ndef test_mean():\n    assert mean([1])\n```").verdict
    assert (verdict.fit, verdict.reasons) == (False, (why,))


def test_the_titles_of_the_menu() -> None:
    assert [title(action, "mean") for action in ACTIONS] == [
        "Fix `mean`",
        "Explain `mean`",
        "Generate tests for `mean`",
        "Review `mean`",
    ]
    assert title(FIX, "mean", "undefined name 'foo'.\nmore") == "Fix: undefined name 'foo'"
    assert title(FIX, "", "x" * 100) == f"Fix: {'x' * 71}…"
    assert title(FIX, "", " \n ") == "Fix the selection"
    assert (find_action("fix"), find_action("nothing")) == (FIX, None)


LONG = """\
def settle(user, orders):
    if not user.is_admin:
        raise PermissionError(user)
    total = 0
    for order in orders:
        total += order.amont
    audit(user, total)
    notify(user)
    return total
"""


def test_a_fix_that_leaves_code_out_is_rejected_and_one_that_drops_a_check_is_doubted() -> None:
    lines = LONG.replace("amont", "amount").splitlines()

    def verdict(*kept: str) -> Verdict:
        return made(work(FIX, LONG, "settle"), "```python\n" + "\n".join(kept) + "\n```\n").verdict

    assert verdict(*lines) == Verdict(fit=True, proved="parses")
    assert verdict(*lines[:4], "    # wie bisher", lines[-1]).reasons == (
        "The answer leaves code out: “# wie bisher” in place of 4 lines.",
    )
    assert verdict(*lines[:6]).reasons == ("The answer ends early: the last 3 of 9 lines are missing.",)
    unguarded = verdict(lines[0], *lines[3:])
    assert unguarded.fit
    assert "drops the check “if not user.is_admin”" in unguarded.doubts
    assert any("guards access" in doubt for doubt in unguarded.doubts)
    assert "drops the call “audit(user, total)”" in verdict(*lines[:6], *lines[7:]).doubts
    assert any("runs text as code" in each for each in verdict(*lines[:-1], "    return eval(str(total))").doubts)


def test_an_explanation_that_names_what_is_not_there_is_not_fit() -> None:
    invented = "It calls `frobnicate_all()` and `Zorblax.merge_items()`, and `quux_table` holds the sum of `mean`.\n"
    verdict = made(work(EXPLAIN), invented).verdict
    assert not verdict.fit
    assert verdict.reasons[0].startswith("The answer names code that is absent: `")
    assert "frobnicate_all" in verdict.reasons[0]
    assert made(work(EXPLAIN), "`mean` divides the sum of `xs` by the length of `x`.\n").verdict.fit


def test_the_verdict_on_an_edit_pauses_between_its_checks() -> None:
    pauses: list[str] = []

    def judge() -> Answer:
        pause_with(lambda: pauses.append("pause"))
        return made(work(FIX), REPLY)

    assert copy_context().run(judge).verdict.fit
    assert len(pauses) >= 20
    made(work(FIX), REPLY)
    pause()
    assert len(pauses) < 60, "the hook is the context's"
