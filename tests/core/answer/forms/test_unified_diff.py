"""Unified diffs: read in the forms that models write, applied where they are certain, else refused."""

from __future__ import annotations

import difflib
import random
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES
from work import lines as lines_run

from tuppence.core.answer.forms.unified_diff import DiffHunk, MalformedDiff, _trimmed, apply_diff, looks_like_diff

RUNS = EXAMPLES or 300
CODE = "import os\n\n\ndef f(a):\n    b = a\n    return b\n\n\ndef g():\n    return 1\n"
CHANGED = CODE.replace("    b = a\n    return b\n", "    return a\n")
HUNK = "@@ -4,3 +4,2 @@\n def f(a):\n-    b = a\n-    return b\n+    return a\n"
HEADERS = "--- a/app.py\n+++ b/app.py\n"


def refused(original: str, diff: str) -> str:
    with pytest.raises(MalformedDiff) as caught:
        apply_diff(original, diff)
    return str(caught.value)


@pytest.mark.parametrize(
    "diff",
    [
        HEADERS + HUNK,
        HUNK,
        f"diff --git a/app.py b/app.py\nindex 1a2b3c4..5d6e7f8 100644\n{HEADERS}{HUNK}",
        f"Index: app.py\n{'=' * 67}\n--- app.py\t(revision 1)\n+++ app.py\t(working copy)\n{HUNK}",
        HEADERS + HUNK.replace("@@ -4,3 +4,2 @@", "@@ -400,30 +1 @@"),
        HUNK.replace("@@ -4,3 +4,2 @@", "@@"),
        HUNK.replace("@@ -4,3 +4,2 @@", "@@ ... @@"),
        HUNK.replace("@@ -4,3 +4,2 @@", "@@ ... @@ def f(a):"),
        HUNK.replace("@@ -4,3 +4,2 @@", "@@ def f(a):"),
        HEADERS + HUNK.partition("\n")[2],
        f"*** Begin Patch\n*** Update File: app.py\n@@\n{HUNK.partition(chr(10))[2]}*** End Patch\n",
        HUNK.partition("\n")[2],
        HUNK.replace("\n", "\r\n"),
        HUNK + "\n\n\n",
        HUNK + "\n@@ -9 +8 @@\n def g():\n-    return 1\n+    return 1\n",
        re.sub("(?m)^([-+ ])(    )", r"\1", HUNK).replace(" def f(a):\n", ""),
        re.sub("(?m)^([-+ ])", r"\1  ", HUNK),
        HUNK.replace("b = a", "b = a  "),
        "@@ -1,6 +1,5 @@\n import os\n\n\n def f(a):\n-    b = a\n-    return b\n+    return a\n",
        f"{HUNK}\\ No newline at end of file\n".replace(
            "-    return b\n", "-    return b\n\\ No newline at end of file\n"
        ),
    ],
)
def test_the_forms_that_models_write(diff: str) -> None:
    assert looks_like_diff(diff, CODE)
    assert apply_diff(CODE, diff) == CHANGED


def test_several_hunks_in_order() -> None:
    other = "@@ -1 +1,2 @@\n import os\n+import re\n"
    both = CHANGED.replace("import os\n", "import os\nimport re\n")
    assert apply_diff(CODE, HEADERS + other + HUNK) == both
    assert apply_diff(CODE, HEADERS + other + HEADERS + HUNK) == both
    assert "not in order" in refused(CODE, HUNK + other)
    assert "not in order" in refused(CODE, HUNK + HUNK)


def test_hunks_may_share_context_but_no_change() -> None:
    first, second = "@@\n a\n-b\n+B\n c\n d\n", "@@\n c\n d\n-e\n+E\n f\n"
    assert apply_diff("a\nb\nc\nd\ne\nf\n", first + second) == "a\nB\nc\nd\nE\nf\n"
    assert "not in order" in refused("a\nb\nc\nd\n", "@@\n a\n-b\n+B\n c\n@@\n b\n+x\n c\n")


@pytest.mark.parametrize(
    ("original", "diff", "said"),
    [
        ("x\ny\nx\n", "@@ -1 +1 @@\n-x\n+z\n", "fits in 2 places"),
        ("x\nif y:\n    x\n", "@@ -1 +1 @@\n-x\n+z\n", "fits in 2 places"),
        (CODE, HUNK.replace("b = a", "b = c"), "not in the file"),
        (CODE, HUNK.replace("     b", "    b").replace("-    return b", "-   return b"), "not in the file"),
        (CODE, HUNK.replace("-    b = a", "...\n-    b = a"), "neither context nor a change"),
        (CODE, HUNK.replace(" def f(a):", "def f(a):"), "neither context nor a change"),
        (CODE, "@@ -0,0 +1 @@\n+import re\n", "no line by which"),
        (CODE, "@@ -2 +1 @@\n-\n", "no line by which"),
        (CODE, "@@ -1 +1 @@\n import os\n", "changes nothing"),
        (CODE, "", "changes nothing"),
        (CODE, HEADERS, "changes nothing"),
        (CODE, HEADERS.replace("b/app.py", "/dev/null") + "@@ -1 +0,0 @@\n-import os\n", "deletes the file"),
        (CODE, f"deleted file mode 100644\n{HUNK}", "adds, deletes or renames"),
        (CODE, f"rename from a.py\nrename to b.py\n{HUNK}", "adds, deletes or renames"),
        (CODE, f"*** Begin Patch\n*** Delete File: a.py\n{HUNK}", "adds, deletes or renames"),
        (CODE, f"{HEADERS}{HUNK}{HEADERS.replace('app', 'b')}@@ -1 +1 @@\n-x\n+y\n", "more than one file"),
        (CODE, f"{HUNK}{HEADERS}@@ -9 +9 @@\n-def g():\n+def h():\n", "more than one file"),
        (CODE, f"{HUNK}\\ No newline at end of file\n", "not at the end"),
        (CODE, "@@\n-        return b\n+  return a\n", "not indented alike"),
        (CODE, "@@\n-import os\rimport re\n+x\n", "line ending"),
        ("", "@@ -1 +1 @@\n-x\n+y\n", "not in the file"),
    ],
)
def test_what_is_not_certain_is_refused(original: str, diff: str, said: str) -> None:
    assert said in refused(original, diff)


def test_a_file_is_written_and_emptied() -> None:
    assert apply_diff("", "--- /dev/null\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+a\n+b\n") == "a\nb\n"
    assert apply_diff("", "@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n") == "a"
    assert apply_diff("a\nb\n", "@@ -1,2 +0,0 @@\n-a\n-b\n") == ""


def test_comments_of_two_dashes_are_no_headers() -> None:
    sql = "-- old\nselect 1;\n-- end\n"
    diff = "--- a/q.sql\n+++ b/q.sql\n@@ -1,3 +1,3 @@\n--- old\n+-- new\n select 1;\n--- end\n+++ end\n"
    assert apply_diff(sql, diff) == "-- new\nselect 1;\n++ end\n"
    assert "more than one file" in refused(sql, f"{diff}@@ -1 +1 @@\n-x\n+y\n")


def test_line_endings_follow_the_document() -> None:
    windows = CODE.replace("\n", "\r\n")
    assert apply_diff(windows, HUNK) == CHANGED.replace("\n", "\r\n")
    assert apply_diff("a\r\nb\nc\r\n", "@@\n b\n+x\n") == "a\r\nb\nx\r\nc\r\n"
    with pytest.raises(MalformedDiff, match="line ending"):
        apply_diff("a\rb\n\nc\n", "@@\n a\n-b\n c\n".replace(" c", " \n c"))


def test_the_last_line_ending() -> None:
    none = "\\ No newline at end of file\n"
    assert apply_diff("a\nb", f"@@\n a\n-b\n{none}+b\n") == "a\nb\n"
    assert apply_diff("a\nb\n", f"@@\n a\n-b\n+b\n{none}") == "a\nb"
    assert apply_diff("a\nb", f"@@\n a\n-b\n{none}+c\n{none}") == "a\nc"
    assert apply_diff("a\nb", f"@@\n a\n b\n{none}-c\n".replace("-c\n", "")[:-1] + "\n@@\n-a\n+c\n") == "c\nb"
    assert apply_diff("a\nb", "@@\n a\n-b\n+c\n") == "a\nc"


def test_context_stays_as_the_document_has_it() -> None:
    assert apply_diff("if a:  \n    b\n", "@@\n if a:\n-    b\n+    c\n") == "if a:  \n    c\n"
    assert apply_diff("if a:\n\tb\n\tc\n", "@@\n b\n-c\n+d\n") == "if a:\n\tb\n\td\n"


def test_code_is_no_diff() -> None:
    for code in (
        "@@count = 0\n@@ = 1\n",
        "- a\n- b\n",
        "---\na: 1\n---\nb: 2\n",
        "--- Docs of Lua.\nlocal x\n",
        "x = (\n    -1\n    +2\n)\n",
        "-1\n",
        "",
        "\n\n",
    ):
        assert not looks_like_diff(code, "")
    lists = "- a\n+ b\n"
    assert not looks_like_diff(lists, f"# A\n\n{lists}")


def test_a_document_that_holds_diffs_makes_code_no_diff() -> None:
    tests_of_a_tool = f'TEXT = """\n{HEADERS}{HUNK}"""\n'
    assert not looks_like_diff(tests_of_a_tool.replace("b = a", "b = 2"), tests_of_a_tool)
    assert not looks_like_diff(HEADERS + HUNK, HEADERS + HUNK)
    assert not looks_like_diff("diff --git a/x b/x\n", f"x = 1\n    diff --git a/a b/a\n{HUNK}")


def test_it_is_recognized_by_its_first_lines() -> None:
    for begins in ("@@\n", "@@ def f():\n", "@@ -1 +1 @@\n", HEADERS, "diff --git a/a b/a\n", "*** Begin Patch\n"):
        assert looks_like_diff(begins)


LINES = st.sampled_from(
    ["", "a", "b", "    a", "    b", "        a", "\ta", "}", "-- a", "++ b", "@@ a", "+", "-", " "]
)


def rendered(old: list[str], new: list[str], context: int, dice: random.Random) -> str:
    """Return a diff with false numbers, some without headers, some with bare hunks, some with lost spaces."""
    lines = [line.rstrip("\n") for line in difflib.unified_diff(old, new, "a/f.py", "b/f.py", n=context, lineterm="")]
    kind = dice.randrange(4)
    result: list[str] = []
    for line in lines:
        if line.startswith("@@"):
            figures = [dice.randrange(99) for _ in range(4)]
            line = "@@" if kind == 1 else "@@ -{},{} +{},{} @@".format(*figures)  # noqa: PLW2901
        elif line == " " and kind == 2:
            line = ""  # noqa: PLW2901
        result.append(line)
    return "\n".join([*(result[2:] if kind == 3 else result), ""])


@settings(max_examples=RUNS)
@given(
    st.lists(LINES, max_size=12), st.lists(LINES, max_size=12), st.integers(0, 4), st.integers(0, 9999), st.booleans()
)
def test_the_edited_text_byte_for_byte_or_nothing(
    old: list[str],
    new: list[str],
    context: int,
    seed: int,
    crlf: bool,  # noqa: FBT001
) -> None:
    newline = "\r\n" if crlf and old else "\n"
    diff = rendered(old, new, context, random.Random(seed))  # noqa: S311
    try:
        result = apply_diff("".join(line + newline for line in old), diff)
    except MalformedDiff:
        return
    assert result == "".join(line + newline for line in new)


@settings(max_examples=RUNS)
@given(st.data(), st.integers(1, 4), st.sampled_from(["", "    ", "\t"]))
def test_lines_that_are_all_different_are_never_refused(data: st.DataObject, context: int, shift: str) -> None:
    count = data.draw(st.integers(1, 20))
    old = [f"{shift}{'    ' * (at % 3)}line {at}" for at in range(count)]
    new = [line for line in old if data.draw(st.integers(0, 4))]
    for at in data.draw(st.lists(st.integers(0, count), max_size=4)):
        new.insert(min(at, len(new)), f"{shift}new {at}")
    dice = random.Random(data.draw(st.integers(0, 9999)))  # noqa: S311
    diff = rendered(
        [line.removeprefix(shift) for line in old], [line.removeprefix(shift) for line in new], context, dice
    )
    if old != new:
        assert apply_diff("".join(f"{line}\n" for line in old), diff) == "".join(f"{line}\n" for line in new)


def test_what_git_writes_gives_what_git_compared(tmp_path: Path) -> None:
    dice = random.Random(5)  # noqa: S311
    counts = [0, 0]
    choice = ["", "a", "b", "    a", "    b", "}", "-- x", "++ x", "\tz", "é", "c\x0cd", "@@ -1 +1 @@"]
    for _ in range(120):
        newline = dice.choice(["\n", "\r\n"])
        old = [f"{dice.choice(choice)}{dice.randrange(30)}" for _ in range(dice.randrange(14))]
        new = [line for line in old if dice.randrange(5)]
        for _ in range(dice.randrange(3)):
            new.insert(dice.randrange(len(new) + 1), dice.choice(choice))
        texts = [newline.join(lines) + dice.choice(["", newline]) for lines in (old, new)]
        for name, text in zip("ab", texts, strict=True):
            (tmp_path / name).write_bytes(text.encode())
        command = ["git", "diff", "--no-index", "--no-color", f"-U{dice.randrange(5)}", "a", "b"]
        diff = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).stdout.decode()
        uniform = len(set(re.findall(r"\r\n|\n", texts[0])) | {newline}) == 1 and bool(texts[0].strip())
        if not diff or not uniform:
            continue
        try:
            result = apply_diff(texts[0], re.sub(r"(?m)^@@ \S+ \S+ @@", "@@ -7,7 +7,7 @@", diff))
        except MalformedDiff:
            counts[1] += 1
            continue
        # A text of one line without an ending does not say which ending the next one has.
        expected = texts[1] if newline in texts[0] else texts[1].replace("\r\n", "\n")
        assert result == expected
        counts[0] += 1
    assert counts[0] > 2 * counts[1] > 0


@settings(max_examples=RUNS)
@given(st.lists(st.sampled_from(["@@", "--- a", "+++ a", "-a", "+b", " a", "", "\\ No newline", "a"]), max_size=12))
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    try:
        result = apply_diff("a\n", "\n".join(lines))
    except MalformedDiff:
        return
    assert set(result) <= set("ab-+ \n")


@pytest.mark.parametrize("text", ["<", "=", "-", "+", "@", " ", "\t", "@@ ", "--- ", "diff ", "\\"])
def test_a_line_of_64_kb_costs_one_look(text: str) -> None:
    line = text * (65536 // len(text))

    def look() -> None:
        looks_like_diff(line, line)

    _, many = lines_run(look)
    assert many < 60


def test_repetitive_texts_cost_no_square() -> None:
    def cost(count: int) -> int:
        diff = " a\n" * (count // 2) + "-b\n+c\n"

        def work() -> None:
            with pytest.raises(MalformedDiff):
                apply_diff("a\n" * count, diff)

        return lines_run(work)[1]

    assert cost(4000) < 2.2 * cost(2000)


def test_blank_lines_without_a_sign_around_a_hunk_are_none_of_it() -> None:
    lines = [("", ""), ("", ""), ("-", "a"), ("", ""), ("+", "b"), ("", "")]
    assert _trimmed(DiffHunk(lines)).lines == lines[2:5]
    assert _trimmed(DiffHunk([("", "")])).lines == []
