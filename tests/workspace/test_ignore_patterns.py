"""Patterns of ignore files: as git matches them, and with work that only grows with their length."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import git_oracle
import pytest

from tuppence.workspace import ignore_patterns
from tuppence.workspace.ignore_patterns import TooMany, read

NAMES = (
    "a",
    "b",
    "ab",
    "abc",
    "a b",
    "b ",
    "a]b",
    "[x",
    "c-d",
    "A",
    "é",
    "x.py",
    "\\",
    "a\\b",
    "*",
    "!a",
    "#a",
    "\r",
    "a\n",
)
FOLDERS = ("a", "b", "ab", "A", "é", "c-d", "\\")
ATOMS = (
    *("a", "b", "ab", "c", "*", "**", "***", "?", "/", "/", "[ab]", "[!a]", "[^a-c]", "[a-c]", "[]a]", "[[:alpha:]]"),
    *(
        "[[:foo:]]",
        "[a",
        "\\a",
        "\\*",
        "\\[",
        "\\\\",
        "\\/",
        "\\",
        " ",
        "\\ ",
        "-",
        "é",
        "x.py",
        ".py",
        "[a/b]",
        "[\\]]",
    ),
    *(
        "[a-]",
        "[--0]",
        "[[:x]",
        "[:a:]",
        "\t",
        "]",
        "#",
        "!",
        "\r",
        "[\\\\]",
        "[z-a]",
        "[[:alpha:]-z]",
        "[!]",
        "[a-\\c]",
    ),
    *("**/", "/**", "/**/", "**/**", "{a,b}", "\0", "A"),
)


def generated(dice: random.Random) -> bytes:
    """Return the text of an ignore file with a few odd patterns."""
    lines = []
    for _ in range(dice.choice((1, 1, 2, 4))):
        body = "".join(dice.choice(ATOMS) for _ in range(dice.randint(1, 6)))
        lines.append(dice.choice(("", "", "", "!", "/", "#")) + body + dice.choice(("", "", "/", " ")))
    end = dice.choice(("\n", "\n", "\r\n"))
    return (dice.choice(("", "", "\ufeff")) + end.join(lines) + dice.choice(("", end))).encode()


@pytest.mark.attack("what leaves", "what git ignores")
def test_odd_patterns_match_as_gits_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    git_oracle.own_home(monkeypatch, tmp_path / "home")
    top = git_oracle.init(tmp_path / "top")
    for outer in FOLDERS:
        for inner in FOLDERS[:4]:
            (top / outer / inner).mkdir(parents=True)
    for folder in (top, top / "a", top / "ab/a", top / "é/b"):
        for name in NAMES:
            if not (folder / name).exists():
                (folder / name).write_text("")
    paths = [each for each in top.rglob("*") if ".git" not in each.parts]
    facts = [(each, os.fsencode(each.relative_to(top)), each.is_dir()) for each in paths]
    dice, cases = random.Random(7), 0  # noqa: S311 - the same patterns each time
    for _ in range(80):
        data, ignore_case = generated(dice), dice.random() < 0.25
        (top / ".gitignore").write_bytes(data)
        git_oracle.git(top, "config", "core.ignorecase", str(ignore_case).lower())
        theirs = git_oracle.ignored(top, paths)
        patterns = read(data, ignore_case=ignore_case)
        left_out: set[bytes] = set()
        for path, place, is_folder in sorted(facts, key=lambda each: each[1].count(b"/")):
            if place.rpartition(b"/")[0] in left_out or patterns.verdict(place, is_folder=is_folder):
                left_out.add(place)
            assert (place in left_out) == (path in theirs), (data, place, ignore_case)
            cases += 1
    record_property("cases", cases)
    assert cases > 5_000


def _repeats(pattern: bytes) -> Iterator[tuple[int, int]]:
    """Yield for each name of a pattern how many of its repeats can be looked back over: of characters, of folders.

    What is found for good, in an atomic group, is looked over once.
    """
    over_names = over_folders = 0
    for operation, argument in re._parser.parse(pattern, re.DOTALL):  # type: ignore[attr-defined]
        if str(operation) == "LITERAL" and argument == ord("/"):
            yield over_names, over_folders
            over_names = over_folders = 0
        elif str(operation) in {"MAX_REPEAT", "MIN_REPEAT"}:
            [*inner] = argument[2]
            over_names += len(inner) == 1 and str(inner[0][0]) != "SUBPATTERN"
            over_folders += len(inner) > 1 or str(inner[0][0]) == "SUBPATTERN"
        else:
            assert str(operation) in {"LITERAL", "NOT_LITERAL", "IN", "ANY", "ATOMIC_GROUP", "ASSERT_NOT", "FAILURE"}
    yield over_names, over_folders


@pytest.mark.attack("hostile sizes", "patterns that look back")
def test_no_pattern_looks_back_over_a_star(record_property: Callable[[str, object], None]) -> None:
    dice, cases = random.Random(8), 0  # noqa: S311
    for _ in range(1_000):
        for each in read(generated(dice)).wild:
            repeats = list(_repeats(each.match.pattern))
            assert all(over_names <= 1 for over_names, _ in repeats), each.match.pattern
            assert sum(over_folders for _, over_folders in repeats) <= 1, each.match.pattern
            cases += 1
    record_property("cases", cases)
    assert cases > 1_000


@pytest.mark.attack("hostile sizes", "patterns that look back")
@pytest.mark.parametrize(
    "pattern",
    [
        b"*a" * 1_900 + b"b",
        b"*" + b"?" * 250 + b"b",
        b"**/" * 1_300 + b"b",
        b"*/" * 1_900 + b"b",
        b"*[ab]" * 700 + b"c",
        b"a*" * 1_900 + b"/b",
    ],
)
def test_hostile_patterns_are_tried_to_their_end(pattern: bytes) -> None:
    """Each of them would take an expression that looks back longer than anybody lives."""
    patterns = read(pattern)
    for path in (b"a" * 255, b"/".join([b"a" * 30] * 60), b"a/" * 90 + b"a"):
        assert patterns.verdict(path, is_folder=False) is None


@pytest.mark.attack("hostile sizes", "many patterns")
def test_patterns_have_a_limit() -> None:
    for data in (b"a\n" * (ignore_patterns.MOST_PATTERNS + 1), b"*" + b"a" * 4_000, b"*abc?\n" * 8_100):
        with pytest.raises(TooMany):
            read(data)
    names = b"".join(b"name%d\n" % number for number in range(ignore_patterns.MOST_PATTERNS))
    patterns = read(names + b"# a comment\n" * 10_000)
    assert patterns.verdict(b"x/name9999", is_folder=False)
    assert patterns.verdict(b"x/name10000", is_folder=False) is None


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("build/", "build", None),
        ("*.log\n!keep.log", "a/keep.log", False),
        ("/a", "b/a", None),
        ("a/b", "c/a/b", None),
        ("**/a/b", "c/a/b", True),
        ("a/**", "a/b/c", True),
        ("a/**/b", "a/b", True),
        ("trailing   ", "trailing", True),
        ("kept\\ ", "kept ", True),
        ("\\!a", "!a", True),
        ("\\#a", "#a", True),
        ("a\\", "a", None),
        ("", "a", None),
    ],
)
def test_the_usual_patterns(text: str, path: str, expected: bool | None) -> None:  # noqa: FBT001 - a row of the table
    assert read(text.encode()).verdict(path.encode(), is_folder=False) is expected
