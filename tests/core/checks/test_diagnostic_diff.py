"""What an answer does to what tools say: gone, still there, new, or not to be told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tuppence.core.checks.diagnostic_diff import (
    DiagnosticChange,
    EditUnderReview,
    ToolReport,
    _paired,
    compare,
    proving,
    with_diagnostics,
)
from tuppence.core.checks.verdict import Verdict
from tuppence.core.text.diagnostic import Diagnostic, Severity, rated
from tuppence.core.text.document import Document, Edit, Span, apply

TEXT = "import os\n\n\ndef mean(xs):\n    total = sum(xs)\n    return total / len(x)\n\n\nprint(mean([1]))\n"
START, END = TEXT.index("def"), TEXT.index("\n\n\nprint")


def document(text: str) -> Document:
    return Document("file:///a.py", "python", 1, text)


def at(text: str, part: str, message: str, **more: str) -> Diagnostic:
    start = text.index(part)
    severity: Severity = more.pop("severity", "error")  # type: ignore[assignment]  # the tests' own words
    return Diagnostic(
        Span(start, start + len(part)), message, severity, more.pop("source", "Pylance"), more.pop("code", "")
    )


CHOSEN = at(TEXT, "x)\n\n", "`x` is not defined", code="F821")


def effect(
    new: str, now: list[tuple[str, str, str]], chosen: Diagnostic | None = CHOSEN, source: str = ""
) -> DiagnosticChange:
    """Compare for a new text of the target; ``now`` holds a place, a message and a severity each."""
    edits = (Edit(Span(START, END), new),)
    after = apply(TEXT, edits)
    said = [
        at(after, place, message, severity=severity, source=source or (chosen.source if chosen else "Pylance"))
        for place, message, severity in now
    ]
    said = [
        Diagnostic(each.span, each.message, each.severity, each.source, chosen.code if chosen else "") for each in said
    ]
    case = EditUnderReview(chosen=chosen, target=Span(START, END), name="mean", edits=edits)
    before = (chosen,) if chosen else ()
    return compare(case, ToolReport(document(TEXT), before), ToolReport(document(after), tuple(said)))


GOOD = "def mean(xs):\n    return sum(xs) / len(xs)"
BAD = "def mean(xs):\n    return sum(xs) / len(y)"


def test_it_is_gone() -> None:
    found = effect(GOOD, [])
    assert (found.gone, found.new, found.good) == (True, (), True)


def test_it_is_still_there_wherever_it_moved() -> None:
    found = effect(f"# Why.\n{GOOD}", [("len", "`x` is not defined", "error")])
    assert (found.gone, found.good, found.stale) == (False, False, False)


def test_another_of_its_severity_came() -> None:
    found = effect(BAD, [("y)", "`y` is not defined", "error")])
    assert (found.gone, [each.message for each in found.new]) == (True, ["`y` is not defined"])
    assert found.told == "line 5"


@pytest.mark.parametrize("severity", ["information", "hint", "warning"])
def test_a_remark_is_no_reason(severity: str) -> None:
    assert effect(GOOD, [("len", "could be nicer", severity)]).good


def test_where_a_warning_was_to_be_fixed_a_new_warning_counts() -> None:
    warned = at(TEXT, "total", "unused", severity="warning")
    assert not effect(GOOD, [("len", "another", "warning")], warned).good
    assert effect(GOOD, [("len", "another", "hint")], warned).good


def test_elsewhere_only_an_error_counts_that_speaks_of_the_change() -> None:
    assert not effect(GOOD, [("mean([1])", "Expected 2 arguments", "error")]).good
    assert effect(GOOD, [("import os", "`os` is missing", "error")]).good
    assert effect(GOOD, [("mean([1])", "odd", "warning")]).good


def test_numbers_in_the_words_do_not_make_another_one() -> None:
    chosen = at(TEXT, "x)\n\n", "already defined in line 3")
    assert effect(f"\n\n{GOOD}", [("len", "already defined in line 5", "error")], chosen).gone is False
    assert effect(f"\n\n{GOOD}", [("len", "already defined in line 5", "error")], chosen).new == ()


def test_what_the_tools_never_said_is_not_known_to_be_gone() -> None:
    case = EditUnderReview(chosen=CHOSEN, target=Span(START, END), name="mean", edits=())
    found = compare(case, ToolReport(document(TEXT), ()), ToolReport(document(TEXT), ()))
    assert found.gone is None
    assert found.good


def test_one_of_two_that_say_the_same_is_enough() -> None:
    text = TEXT.replace("sum(xs)", "sum(x)")
    first, second = at(text, "x)\n    ", "`x` is not defined"), at(text, "x)\n\n", "`x` is not defined")
    edits = (Edit(Span(second.span.start, second.span.end), "xs)\n\n"),)
    case = EditUnderReview(chosen=second, target=Span(START, text.index("\n\n\nprint")), name="mean", edits=edits)
    after = ToolReport(document(apply(text, edits)), (first,))
    assert compare(case, ToolReport(document(text), (first, second)), after).gone


TWICE = "def f(a):\n    x = foo + 1\n    y = foo + 2\n    return x + y\n"
SAME = [Diagnostic(Span(at, at + 3), "Undefined name `foo`", "error", "ruff", "F821") for at in (18, 34)]


@pytest.mark.parametrize(
    ("which", "new", "left", "gone"),
    [
        (0, "def f(a):\n    x = foo + 1\n    y = a + 2\n    return x + y\n", ["foo + 1"], False),
        (1, "def f(a):\n    x = foo + 1\n    y = a + 2\n    return x + y\n", ["foo + 1"], True),
        (0, "def f(a):\n    x = a + 1\n    y = foo + 2\n    return x + y\n", ["foo + 2"], True),
        (1, "def f(a):\n    x = a + 1\n    y = foo + 2\n    return x + y\n", ["foo + 2"], False),
        (0, "def f(a):\n    # Why.\n    both = foo + 1 + a\n    return both + 2\n", ["foo + 1"], False),
        (1, "def f(a):\n    # Why.\n    both = foo + 1 + a\n    return both + 2\n", ["foo + 1"], True),
        (0, "def f(a):\n    if a:\n        x = a\n        y = foo + 2\n    return x + y\n", ["foo + 2"], True),
        (0, "def f(a):\n    y = a + 2\n    x = foo + 1\n    return x + y\n", ["foo + 1"], False),
        (0, "def f(a):\n    return foo + foo\n", ["foo + foo", "foo\n"], False),
    ],
)
def test_of_two_that_say_the_same_the_chosen_one_has_to_go(
    which: int, new: str, left: list[str], *, gone: bool
) -> None:
    whole = Span(0, len(TWICE))
    case = EditUnderReview(chosen=SAME[which], target=whole, name="f", edits=(Edit(whole, new),))
    now = [replace(SAME[0], span=Span(new.index(part), new.index(part) + 3)) for part in left]
    assert compare(case, ToolReport(document(TWICE), tuple(SAME)), ToolReport(document(new), tuple(now))).gone is gone


def test_a_hint_that_another_hint_took_the_place_of() -> None:
    hinted = at(TEXT, "total", "`total` is not accessed", severity="hint")
    found = effect(GOOD.replace("return", "n = 0\n    return"), [("n =", "`n` is not accessed", "hint")], hinted)
    assert (found.gone, found.good) == (True, False)
    assert effect(GOOD, [("print", "`print` is odd", "hint")], hinted).good, "elsewhere a hint is no reason"


def test_a_remark_of_ruff_s_that_moves_to_another_is_no_reason() -> None:
    remark = at(TEXT, "total", "Unnecessary assignment", source="Ruff", code="RET504", severity="information")
    assert effect(GOOD, [("return", "Unnecessary `else`", "information")], remark).good


@pytest.mark.parametrize(
    ("was", "now", "gone"),
    [
        ('Argument 1 to "f" has incompatible type "int"', 'Argument 2 to "f" has incompatible type "int"', True),
        ("`f` is too complex (12 > 10)", "`f` is too complex (11 > 10)", False),
        ("Line too long (120/100)", "Line too long (110/100)", False),
        (
            "'f' has a complexity of 22. Maximum allowed is 20.",
            "'f' has a complexity of 21. Maximum allowed is 20.",
            False,
        ),
        ("Too many parameters (7). Maximum allowed is 3.", "Too many parameters (4). Maximum allowed is 3.", False),
        ("x redeclared at a.go:3:5", "x redeclared at a.go:4:5", False),
    ],
)
def test_which_numbers_in_the_words_tell_which_it_is(was: str, now: str, *, gone: bool) -> None:
    found = effect(GOOD, [("len", now, "error")], at(TEXT, "x)\n\n", was))
    assert found.gone is gone
    assert not found.good


def test_a_tool_that_waits_for_a_save_is_not_believed_until_it_looked_again() -> None:
    chosen = at(TEXT, "x)\n\n", "cannot find value", source="rustc")
    place = TEXT.index("x)\n\n")
    line = document(TEXT).line_at(place)
    after = document(TEXT.replace("total = sum(xs)", "total = sum(xs) + 0"))
    edit = Edit(Span(START, END), after.text[START : END + 4])
    case = EditUnderReview(chosen=chosen, target=Span(START, END), name="mean", edits=(edit,))
    left = Span(after.line_starts[line] + place - document(TEXT).line_starts[line], len(after.text) - 20)
    stays = Diagnostic(left, chosen.message, "error", "rustc")
    assert compare(case, ToolReport(document(TEXT), (chosen,)), ToolReport(after, (stays,))).stale
    moved = Diagnostic(Span(left.start - 1, left.end), chosen.message, "error", "rustc")
    assert not compare(case, ToolReport(document(TEXT), (chosen,)), ToolReport(after, (moved,))).stale


@pytest.mark.parametrize(
    ("source", "code", "severity"),
    [
        ("Ruff", "F821", "error"),
        ("ruff", "E501", "information"),
        ("Ruff", "F841", "warning"),
        ("ruff", "", "error"),
        ("ruff", "DTZ005", "warning"),
        ("ruff", "D100", "information"),
        ("ruff", "SIM108", "information"),
        ("ruff", "C401", "information"),
        ("ruff", "B006", "warning"),
        ("Pylance", "E501", "hint"),
    ],
)
def test_ruff_s_server_calls_all_a_warning(source: str, code: str, severity: str) -> None:
    assert rated(Diagnostic(Span(0, 1), "m", "hint", source, code)).severity == severity


def test_a_verdict_says_what_was_proved() -> None:
    parses = Verdict(fit=True, proved="parses")
    assert with_diagnostics(parses, effect(GOOD, []), CHOSEN, "all is well").proved == "parses, diagnostic gone"
    assert with_diagnostics(parses, effect(GOOD, [], None), None, "all is well").proved == "parses, all is well"
    bad = with_diagnostics(parses, effect(BAD, [("y)", "`y` is not defined", "error")]), CHOSEN, "all is well")
    assert bad.reasons == ("It brings a new problem in line 5: “`y` is not defined” (Pylance).",)
    assert not bad.fit
    still = with_diagnostics(parses, effect(GOOD, [("len", "`x` is not defined", "error")]), CHOSEN, "all is well")
    assert still.reasons == ("What was to be fixed is still there: “`x` is not defined” (Pylance).",)
    assert proving(proving(Verdict(fit=True, proved="nothing"), "a"), "a").proved == "a"


def test_edits_outside_the_target_do_not_move_what_is_in_it() -> None:
    chosen = CHOSEN
    edits = (
        Edit(Span(0, 0), "import re\n"),
        Edit(Span(chosen.span.start, chosen.span.start + 1), "xs"),
        Edit(Span(len(TEXT), len(TEXT)), "print(mean([x]))\n"),
    )
    after = document(apply(TEXT, edits))
    case = EditUnderReview(chosen=chosen, target=Span(START, END), name="mean", edits=edits)
    behind = replace(chosen, span=Span(after.text.rindex("x]"), after.text.rindex("x]") + 1))
    assert compare(case, ToolReport(document(TEXT), (chosen,)), ToolReport(after, (behind,))).gone
    within = replace(chosen, span=Span(after.text.index("xs)\n\n"), after.text.index("xs)\n\n") + 2))
    assert not compare(case, ToolReport(document(TEXT), (chosen,)), ToolReport(after, (within,))).gone


def test_an_import_outside_the_target_may_be_anywhere_afterwards() -> None:
    unused = Diagnostic(Span(7, 9), "`os` imported but unused", "error", "ruff", "F401")
    edits = (Edit(Span(0, 10), "import re\nimport os\n"),)
    after = document(apply(TEXT, edits))
    case = EditUnderReview(chosen=unused, target=Span(START, END), name="mean", edits=edits)
    before = ToolReport(document(TEXT), (unused,))
    assert compare(case, before, ToolReport(after, ())).gone
    assert not compare(case, before, ToolReport(after, (replace(unused, span=Span(17, 19)),))).gone


def test_a_place_is_paired_with_one_other_the_nearest_first() -> None:
    assert _paired([10, 20, 30], [21]) == {1}
    assert _paired([10, 12], [11, 100]) == {0, 1}
    assert _paired([10, 11, 12], [9, 13]) == {0, 2}
    assert _paired([5, 5, 5], [5, 5]) == {0, 1}
    assert _paired([], [1]) == _paired([1], []) == set()


def test_without_a_name_an_error_elsewhere_speaks_of_no_change() -> None:
    edits = (Edit(Span(START, END), GOOD),)
    after = document(apply(TEXT, edits))
    elsewhere = at(after.text, "print", "`print` is deprecated", severity="error", source="Pylance")
    for name in ("", "mean", "print"):
        case = EditUnderReview(chosen=CHOSEN, target=Span(START, END), name=name, edits=edits)
        found = compare(case, ToolReport(document(TEXT), (CHOSEN,)), ToolReport(after, (elsewhere,)))
        assert bool(found.new) is bool(name), name
