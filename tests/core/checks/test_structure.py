"""Preservation and restoration of a file's structure."""

from __future__ import annotations

import pytest

from tuppence.core.answer.patch import Patch
from tuppence.core.answer.review.findings import Findings
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.structure import check_edit, check_explanation, check_review, check_tests
from tuppence.core.checks.verdict import Ending, Verdict
from tuppence.core.text.document import Document, Span

PYTHON = "import os\n\n\ndef mean(items):\n    total = sum(items)\n    return total / len(items)\n"
GO = "package a\n\nfunc f() int {\n\treturn 1\n}\n"


def edited(reply: str, text: str = PYTHON, language: str = "python", ending: Ending = "end") -> Verdict:
    """Judge a reply that replaces the whole document."""
    document = Document("file:///a", language, 1, text)
    patch = Patch(document, Span(0, len(text.rstrip("\n"))))
    patch.feed(reply)
    return check_edit(EditedText(document, patch.final()), patch.parts, ending)


def fenced(code: str) -> str:
    return f"```\n{code}\n```\n"


FIXED = PYTHON.rstrip("\n").replace("len(items)", "max(len(items), 1)")


def test_a_good_edit() -> None:
    assert edited(fenced(FIXED)) == Verdict(fit=True, proved="parses")
    assert edited(f"{fenced(FIXED)}\nThis code is", ending="length").fit, "only talk was cut off"
    assert edited(fenced(GO.strip().replace("1", "2")), GO, "go").fit
    assert edited(fenced("a = (1)\nb = 2"), "a = 1\nb = 2", "toml") == Verdict(fit=True, proved="brackets match")


@pytest.mark.parametrize(
    ("reply", "ending", "reason"),
    [
        ("", "end", "The answer is empty."),
        ("  \n", "end", "The answer is empty."),
        (f"```python\n{FIXED}", "length", "The answer was cut off at the model's output limit."),
        (f"{fenced(FIXED)}\n```imports\nimport", "length", "The answer was cut off inside its code block."),
        (fenced(FIXED), "refused", "The model refused to answer."),
        (f"```python\n{FIXED}", "end", "The answer was cut off inside its code block."),
        (fenced(" "), "end", "The answer's code block is empty."),
        (fenced(PYTHON.strip()), "end", "The answer changes nothing."),
        ("```imports\nimport re\n```", "end", "The answer contains no code block."),
        (
            fenced("def mean(items):\n    # ... rest of the code ..."),
            "end",
            "The answer leaves code out: “# ... rest of the code ...”.",
        ),
    ],
)
def test_what_was_sent_is_not_fit(reply: str, ending: Ending, reason: str) -> None:
    assert edited(reply, ending=ending) == Verdict(fit=False, proved="nothing", reasons=(reason,))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("def mean(items:\n    return 1", "no longer parses: line 1"),
        # tree-sitter takes these.
        ("def mean(items):\nreturn 1", "line 2, expected an indented block"),
        ("x = 1\n    y = 2", "line 2, unexpected indent"),
        ("if x:\n        a\n    b", "line 3, unindent"),
        ("try:\n    x\ny", "line 3, expected 'except'"),
    ],
)
def test_code_that_no_longer_parses_is_not_fit(code: str, words: str) -> None:
    verdict = edited(fenced(code))
    assert not verdict.fit
    assert words in verdict.reasons[0]


def test_a_file_that_did_not_parse_may_stay_so_but_not_get_worse() -> None:
    broken = "def f(:\n    pass\n\n\ndef g():\n    return 1\n"
    assert edited(fenced(broken.strip().replace("1", "2")), broken) == Verdict(fit=True, proved="nothing")
    assert edited(fenced(broken.strip().replace("f(:", "f():")), broken) == Verdict(fit=True, proved="parses")
    assert not edited(fenced(broken.strip().replace("g()", "g((")), broken).fit


def test_newer_syntax_than_ours_is_not_called_broken() -> None:
    assert edited(fenced(FIXED + "\nprint(f'{x['a']}')")).fit


@pytest.mark.parametrize(
    "line",
    [
        "# ...",
        "// … existing code …",
        "    # existing code",
        "# rest of the function remains unchanged",
        "/* ... */",
        "<!-- rest of file -->",
        "# the remaining methods stay the same",
        "... rest of code ...",
        "# your implementation here",
        "# Add your code here",
        "// (previous code unchanged)",
        "-- other methods omitted ...",
        "# code remains unchanged",
    ],
)
def test_code_left_out(line: str) -> None:
    assert "leaves code out" in edited(fenced(f"{FIXED}\n{line}")).reasons[0]
    assert "leaves code out" not in " ".join(edited(fenced(f"{FIXED}\n{line}"), f"{PYTHON}{line}\n").reasons)


@pytest.mark.parametrize(
    "line",
    [
        "...",
        "# Use the existing code path when the cache is warm.",
        "# The rest of the items are handled by the caller.",
        "# Skip the other lines of the header",
        "# ignore the same value twice",
        "# -----------",
        "# wait... what?",
        "print('... rest of code ...')",
        "x = [...]",
        "def f(): ...",
    ],
)
def test_code_that_only_sounds_like_it(line: str) -> None:
    assert edited(fenced(f"{FIXED}\n{line}")) == Verdict(fit=True, proved="parses")


@pytest.mark.parametrize(
    "reply",
    [
        "```diff\n-x = 1\n+x = 2\n```",
        fenced("--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-x = 1\n+x = 2"),
        fenced("<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE"),
        fenced("-x = 1\n+x = 2\n y = 3"),
    ],
)
def test_a_diff_is_not_the_code(reply: str) -> None:
    assert edited(reply).reasons == ("The answer is a diff, not the code itself.",)


def test_taking_conflict_markers_out_is_fine() -> None:
    conflict = "x = 1\n<<<<<<< ours\ny = 1\n=======\ny = 2\n>>>>>>> theirs\n"
    assert edited(fenced("x = 1\ny = 2"), conflict).fit


def test_code_without_a_fence() -> None:
    assert edited(FIXED).fit
    for prose in ("Sorry", "I cannot help with that.", "Done!", "The function is fine as it is."):
        assert not edited(prose).fit
        assert not edited(prose, "a = 1\nb = 2\n", "toml").fit


def added(code: str, before: str = "") -> Verdict:
    document = Document("file:///test_a.py", "python", None, before)
    patch = Patch(document, Span(len(before), len(before)))
    patch.feed(fenced(code))
    return check_tests(EditedText(document, patch.final()), patch.parts, "end")


def test_tests() -> None:
    good = "from a import mean\n\n\ndef test_mean():\n    assert mean([1]) == 1"
    assert added(good) == Verdict(fit=True, proved="parses")
    assert added(good, "import os\n\n").fit
    assert added("x = 1").reasons == ("The answer contains no test.",)
    assert not added("def test_mean(:\n    assert 1").fit
    assert added(good).fit


def review(reply: str, ending: Ending = "end") -> Verdict:
    findings = Findings(Document("", "python", 1, PYTHON), Span(0, len(PYTHON)))
    found = (*findings.feed(reply), *findings.finish())
    return check_review(reply, found, findings.dropped, ending)


FINDING = "severity: error\nline: `import os`\nproblem: Unused.\n---\n"


def test_reviews() -> None:
    assert review(FINDING) == Verdict(fit=True, proved="quotes the code")
    assert review("No findings.") == Verdict(fit=True, proved="nothing")
    assert review(FINDING + FINDING.replace("import os", "import re")).fit
    assert review("It looks good to me.") == Verdict(fit=True, proved="nothing")
    assert review("I have no idea.").reasons == ("The answer is not in the form of a review.",)
    assert review(" \n").reasons == ("The answer is empty.",)
    assert review(FINDING.replace("import os", "elsewhere")).reasons == ("Its finding quotes no line of the code.",)
    assert not review("", "length").fit
    assert review(FINDING, "length").fit
    assert not review(FINDING, "refused").fit


NAMES = frozenset({"mean", "items", "total"})


def test_explanations() -> None:
    good = "`mean` divides the sum of its items by their number."
    assert check_explanation(good, "end", NAMES) == Verdict(fit=True, proved="mentions the code")
    assert check_explanation("It adds things up.", "end", ()) == Verdict(fit=True, proved="nothing")
    doubted = Verdict(fit=True, proved="nothing", doubts=("it mentions no name from the code",))
    assert check_explanation("It parses the header.", "end", {"parse_header", "x"}) == doubted
    assert check_explanation("This function computes an average of numbers.", "end", {"mean_of", "xs"}) == doubted
    assert check_explanation("Die Funktion berechnet den Durchschnitt.", "end", {"mean_of", "xs"}) == doubted
    assert check_explanation("计算平均值。", "end", {"mean_of", "xs"}) == doubted
    assert check_explanation("A header is read.", "end", {"parseHeader"}) == doubted
    assert check_explanation("The parse header step.", "end", {"parse_header"}).fit
    assert check_explanation("  \n", "end", NAMES).reasons == ("The answer is empty.",)
    assert not check_explanation(good, "length", NAMES).fit
    assert not check_explanation(good, "refused", NAMES).fit
    assert not check_explanation("A recipe for soup.", "end", NAMES).fit
    assert not check_explanation("I'm sorry, I cannot explain this function.", "end", NAMES).fit
    assert not check_explanation("Please provide the code that you mean to ask of.", "end", {"total"}).fit
    assert not check_explanation("The mean is a mean of items. " * 10, "end", NAMES).fit


def test_code_without_a_fence_that_does_not_parse_is_no_code() -> None:
    broken = "def f(:\n    return 1\n"
    assert edited("def f(:\n    return 2", broken).reasons == ("The answer contains no code block.",)
    assert edited(fenced("def f(:\n    return 2"), broken).fit, (
        "where it was broken before, a fence says that it is code"
    )


@pytest.mark.parametrize("reply", ["Well.", "I would say: hm.", "line"])
def test_a_reply_that_is_neither_findings_nor_their_absence_is_no_review(reply: str) -> None:
    assert check_review(reply, (), 0, "end").reasons == ("The answer is not in the form of a review.",)
