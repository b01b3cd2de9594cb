"""A fix of Python is looked at by ruff as it would stand: the diagnostic gone, nothing new, or another try."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from scenario import GOOD, SRC, messages
from scripted_provider import answer
from server import CONFIG, pick, stage

from tuppence.core.billing.entry import unquoted
from tuppence.core.checks.diagnostic_diff import EditUnderReview
from tuppence.core.checks.verdict import Verdict
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Edit, Span
from tuppence.linters import recheck

PARSES = Verdict(fit=True, proved="parses")


async def check(before: str, new: str, part: str, expected: Verdict, **how: str) -> None:
    """Judge an answer that replaces the whole text, asked for by a diagnostic on one part of it."""
    start = before.index(part) if part else 0
    code = how.get("code", "")
    said = Diagnostic(Span(start, start + len(part)), how.get("message", "m"), "error", how.get("source", "Ruff"), code)
    case = EditUnderReview(
        chosen=said if part else None, target=Span(0, len(before)), name="f", edits=(edit(before, new),)
    )
    document = Document("file:///a.py", how.get("language", "python"), 1, before)
    assert await recheck(PARSES, case, document, None) == expected


def edit(before: str, new: str) -> Edit:
    return Edit(Span(0, len(before)), new)


def proved(what: str) -> Verdict:
    return Verdict(fit=True, proved=what)


def failed(why: str) -> Verdict:
    return Verdict(fit=False, proved="nothing", reasons=(why,))


UNDEFINED = {"code": "F821", "message": "Undefined name `x`"}
BEFORE = "def f(xs):\n    return len(x)\n"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("def f(xs):\n    return len(xs)\n", proved("parses, diagnostic gone")),
        ("def f(x):\n    return len(x)\n", proved("parses, diagnostic gone")),
        (
            "def f(xs):\n    # x is what we count\n    return len(x) or 0\n",
            failed("The problem to fix is still there: “Undefined name `x`” (Ruff)."),
        ),
        (
            "def f(xs):\n    return len(y)\n",
            failed("It adds a new problem in line 2: “Undefined name `y`” (ruff)."),
        ),
        # A remark is none: an import that is not used, a line that is too long.
        ("def f(xs):\n    import os\n    return len(xs)\n", proved("parses, diagnostic gone")),
    ],
)
async def test_a_fix_of_what_ruff_said(new: str, expected: Verdict) -> None:
    await check(BEFORE, new, "x)\n", expected, **UNDEFINED)


async def test_another_tool_s_error_at_the_very_place_is_the_same_one() -> None:
    said = {"source": "Pyright", "message": '"y" is not defined', "code": "reportUndefinedVariable"}
    before = "def f(xs):\n    return len(y)\n"
    await check(before, "def f(xs):\n    return len(xs)\n", "y", proved("parses, diagnostic gone"), **said)
    await check(
        before,
        "def f(xs):\n    return 0 + len(y)\n",
        "y",
        failed("The problem to fix is still there: “Undefined name `y`” (ruff)."),
        **said,
    )
    # What only the other tool knows is not claimed.
    await check(
        before, "def f(xs):\n    return len(y) or 1\n", "len", proved("parses, ruff finds no new error"), **said
    )


async def test_without_a_diagnostic_only_new_errors_count() -> None:
    await check(BEFORE, "def f(xs):\n    return x + 1\n", "", proved("parses, ruff finds no new error"))
    await check(
        BEFORE,
        "def f(xs):\n    return x + z\n",
        "",
        failed("It adds a new problem in line 2: “Undefined name `z`” (ruff)."),
    )


async def test_the_target_s_lost_name_is_missed_elsewhere() -> None:
    before = "def f(xs):\n    return 1\n\n\nprint(f([]))\n"
    whole = Span(0, before.index("\n\n\n"))
    case = EditUnderReview(chosen=None, target=whole, name="f", edits=(Edit(whole, "def g(xs):\n    return 1"),))
    verdict = await recheck(PARSES, case, Document("file:///a.py", "python", 1, before), None)
    assert verdict.reasons == ("It adds a new problem in line 5: “Undefined name `f`” (ruff).",)


@pytest.mark.parametrize(("language", "text"), [("go", BEFORE), ("python", "x = '\ud800'\n")])
async def test_where_ruff_has_nothing_to_say_nothing_is_claimed(language: str, text: str) -> None:
    await check(text, f"{text}# more\n", "", PARSES, language=language)


async def test_a_rule_that_only_the_editor_switched_on_is_asked_too(tmp_path: Path) -> None:
    del tmp_path
    said = {"code": "B006", "message": "Do not use mutable data structures for argument defaults"}
    before = "def f(xs=[]):\n    return xs\n"
    await check(before, "def f(xs=()):\n    return xs\n", "[]", proved("parses, diagnostic gone"), **said)
    still = "The problem to fix is still there: “Do not use mutable data structures for argument defaults” (Ruff)."
    await check(before, "def f(xs={}):\n    return xs\n", "[]", failed(still), **said)


async def fixed(tmp_path: Path, *replies: str) -> tuple[str, list[str], list[tuple[str, str, str]]]:
    """Let a person fix the undefined name; return the text, what was said, and the ledger's lines."""
    async with stage(tmp_path, config=CONFIG) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        start = SRC.index("x)\n")
        given = types.Diagnostic(
            s.editor.range(SRC, start, start + 1), "Undefined name `x`", code="F821", source="Ruff"
        )
        s.upstream.script(*map(answer, replies))
        await s.editor.run(pick(await s.editor.menu(buffer, start, diagnostics=[given]), "Fix: Undefined"))
        return buffer.text, messages(s), [(each.model, each.outcome, each.reason) for each in s.entries()]


async def test_a_person_sees_what_was_proved(tmp_path: Path) -> None:
    text, said, entries = await fixed(tmp_path, GOOD)
    assert "len(xs)" in text
    assert said[-1].endswith("(parses, diagnostic gone).")
    assert [entry[:2] for entry in entries] == [("small", "kept")]
    assert entries[0][2].endswith("; proved: parses, diagnostic gone")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (GOOD.replace("len(xs)", "len(x) or 1"), "The problem to fix is still there: “Undefined name `x`” (Ruff)"),
        (GOOD.replace("len(xs)", "size(xs)"), "It adds a new problem in line 2: “Undefined name `size`” (ruff)"),
        (
            GOOD.replace("len(xs)", "len(x)  # noqa: F821"),
            "It silences the complaint (“# noqa: F821”) and leaves its cause",
        ),
    ],
)
async def test_an_answer_that_does_not_fix_it_is_not_kept_and_a_better_model_is_asked(
    tmp_path: Path, bad: str, why: str
) -> None:
    text, said, entries = await fixed(tmp_path, bad, GOOD)
    assert "return sum(xs) / len(xs)" in text
    assert [entry[:2] for entry in entries] == [("small", "failed check"), ("big", "kept")]
    assert entries[0][2].endswith(f"; {unquoted(why)}"), "the ledger quotes no code"
    assert entries[1][2].startswith(f"asked after small, whose answer was rejected: {unquoted(why)}")
    assert f"(parses, diagnostic gone); asked after small, whose answer was rejected: {why}" in said[-1]
