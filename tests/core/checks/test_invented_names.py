"""Invented names in explanations: few false alarms, and none for the code itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from paths import PACKAGE

from tuppence.core.checks.invented_names import Named, named
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse

SOURCES = sorted(PACKAGE.rglob("*.py"))
CODE = '''\
import os.path


class FileCache:
    def read_all(self, folder):
        """Read what is there."""
        return {name: self.openFile(os.path.join(folder, name)) for name in os.listdir(folder)}
'''


def check(text: str, there: set[str], nowhere: set[str]) -> Named:
    found = named(text, CODE, language("python"))
    assert (set(found.there), set(found.nowhere)) == (there, nowhere)
    return found


def test_names_are_held_against_the_code() -> None:
    good = "`read_all(folder)` calls `self.openFile` with `os.path.join`, so `FileCache` may raise `FileNotFoundError`."
    assert not check(
        good, {"read_all(folder)", "self.openFile", "os.path.join", "FileCache", "FileNotFoundError"}, set()
    ).is_invented
    bad = "`parse_header()` fills `HeaderMap` and calls `stream.next_token`; `read_all` is not used."
    assert check(bad, {"read_all"}, {"parse_header()", "HeaderMap", "stream.next_token"}).is_invented


@pytest.mark.parametrize(
    "text",
    [
        "It reads `folder`, `x`, `None`, `O(n)`, `name == 1`, `'a_b'`, `[1, 2]` and `~/.cache`.",
        "```python\ninvented_one()\ninvented_two()\ninvented_three()\n```",
        "Plain words: invented_one, inventedTwo, invented.three.",
        "``a `b_c` d``",
        "`timeout` `retries` `backoff` `jitter`",
    ],
)
def test_what_is_no_name_is_not_counted(text: str) -> None:
    check(text, set(), set())


def test_what_belongs_to_the_language_is_there() -> None:
    check(
        "`dict.items()`, `isinstance()`, `__enter__`, `str.splitlines`, `ValueError()`, `OddError`",
        {
            "dict.items()",
            "isinstance()",
            "__enter__",
            "str.splitlines",
            "ValueError()",
            "OddError",
        },
        set(),
    )


def test_what_other_languages_bring_along_is_there_too() -> None:
    text = "It could use `Promise.all`, `JSON.parse()` or an `AbortController`, and not `loadAll()`."
    found = named(text, "const load = (name) => read(name);", language("typescript"))
    assert found.nowhere == {"loadAll()"}
    found = named("It calls `strings.Join` and `vec.push_all()`.", "func f() {}", language("go"))
    assert found.nowhere == {"vec.push_all()"}


def test_one_or_two_other_names_are_no_fault() -> None:
    assert not check(
        "Prefer `theirs.scan_folder` or `scan_tree`.", set(), {"theirs.scan_folder", "scan_tree"}
    ).is_invented
    mostly = "`read_all` `openFile` `os.listdir` `FileCache` `not_here` `nor_here` `neither_here`"
    assert not named(mostly, CODE, language("python")).is_invented


def test_what_a_known_module_brings_is_a_suggestion() -> None:
    check("Better `statistics.fmean`, `numpy.mean()`, `np.mean`, `math.fsum` or `pathlib.Path.iterdir`.", set(), set())
    check("`statistics.fmean` `read_all` `no_one.no_two`", {"read_all"}, {"no_one.no_two"})
    for text, lang in (("`_.sortBy()`", "javascript"), ("`slices.Max`", "go"), ("`tokio::spawn`", "rust")):
        found = named(f"{text} `no_one`", "x = 1", language(lang))
        assert ({*found.there}, {*found.nowhere}) == (set(), {"no_one"}), text
    for text, lang in (("`Collectors.toList()`", "java"), ("`std::accumulate`", "cpp"), ("`fmean()`", "python")):
        assert bool(named(text, "x = 1", language(lang)).nowhere) is (lang == "python"), text


@pytest.mark.parametrize(
    ("text", "invented"),
    [
        ("`no_one` `no_two`", False),
        ("`no_one` `no_two` `no_three`", True),
        ("`no_one` `no_two` `no_three` `read_all` `openFile`", True),
        ("`no_one` `no_two` `no_three` `read_all` `openFile` `FileCache`", False),
    ],
)
def test_three_names_that_are_nowhere_and_more_than_are_there(text: str, *, invented: bool) -> None:
    assert named(text, CODE, language("python")).is_invented is invented


def test_the_owner_or_the_last_part_of_a_name_tells_whether_it_is_there() -> None:
    check("`cache.read_all` `os.walk_all` `theirs.of_theirs`", {"cache.read_all", "os.walk_all"}, {"theirs.of_theirs"})
    check("`thing.ab` `thing.abc`", set(), {"thing.abc"})
    in_go = named("`theirs.isinstance()` `OddError()`", CODE, language("go"))
    assert (set(in_go.there), set(in_go.nowhere)) == ({"OddError()"}, {"theirs.isinstance()"})


@pytest.mark.parametrize("path", SOURCES, ids=lambda each: each.name)
def test_the_names_of_a_file_are_always_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = parse(text, language("python"))
    said = " ".join(f"`{block.name}()`" for block in tree.blocks() if block.name)
    assert not named(said, text, language("python")).nowhere
