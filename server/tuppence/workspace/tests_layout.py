"""Where a project keeps its tests, learned from the tests it has.

First the test file that this very source file has already; then a new one, named and placed as the project's other
tests are; only then the language's own custom. Names are looked at, contents are not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from tuppence.core.syntax.languages import LANGUAGES, Language

_BESIDE = frozenset({"__tests__", "tests", "test", "spec"})
"""Folders beside the sources that hold their tests."""
_WEIGHT = 3
"""How much more a test says whose source is known than one that only shows a folder."""
_HEADERS = frozenset({".h", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".pyi"})
"""Suffixes that a test file does not take over from its source."""


@dataclass(frozen=True, slots=True, order=True)
class Habit:
    """How one test relates to its source."""

    name: str
    """The pattern of its name, as in the language's row."""
    sources: str | None
    """The folder that tests mirror; empty where one folder holds all tests; None where they lie beside their source."""
    tests: str
    """The folder of the tests; with None above, the folder beside the source, ``.`` for the same one."""

    def place(self, source: PurePosixPath) -> PurePosixPath | None:
        """Return where the test of a source would be; None where the habit does not reach that source."""
        if self.sources is None:
            folder = source.parent / self.tests
        elif not self.sources:
            folder = PurePosixPath(self.tests)
        else:
            base = PurePosixPath(self.sources)
            if not source.parent.is_relative_to(base):
                return None
            folder = PurePosixPath(self.tests) / source.parent.relative_to(base)
        return folder / named(self.name, source)


def named(pattern: str, source: PurePosixPath, suffix: str | None = None) -> str:
    """Return the name of a source's test file."""
    stem = source.parent.name if source.stem in {"__init__", "mod"} and source.parent.name else source.stem
    return pattern.format(stem=stem, suffix=source.suffix if suffix is None else suffix)


def is_test(path: PurePosixPath, language: Language) -> bool:
    """Report whether a file's name is that of a test."""
    return _stem(path, language) is not None


def existing(source: PurePosixPath, files: Iterable[PurePosixPath], language: Language) -> PurePosixPath | None:
    """Return the test file that a source has, the nearest where several are named so."""
    suffixes = (_suffix(source, language), *family(language))
    names = {named(pattern, source, suffix) for pattern in language.tests.names for suffix in suffixes}
    found = [each for each in files if each.name in names and each != source]
    return max(found, key=lambda each: (_nearness(source, each), -len(each.parts), each.as_posix()), default=None)


def learned(source: PurePosixPath, files: Iterable[PurePosixPath], language: Language) -> PurePosixPath | None:
    """Return where the project's other tests say that this source's test belongs; None where they say nothing."""
    source = source.with_suffix(_suffix(source, language))
    habits = Counter(_habits(list(files), language))
    for habit, _ in sorted(habits.items(), key=lambda each: (-each[1], each[0].name, each[0].tests)):
        place = habit.place(source)
        if place is not None:
            return place
    return None


def customary(source: PurePosixPath, language: Language) -> PurePosixPath:
    """Return where the language's own custom puts the test of a source; the path is relative to the project."""
    row = language.tests
    name = named(row.names[0], source, _suffix(source, language))
    folder = source.parent.as_posix()
    if row.mirror is not None and f"/{row.mirror[0]}/" in f"/{folder}/":
        swapped = f"/{folder}/".replace(f"/{row.mirror[0]}/", f"/{row.mirror[1]}/", 1)
        return PurePosixPath(swapped.strip("/")) / name
    return source.parent / name if row.folder == "." else PurePosixPath(row.folder) / name


def declared_elsewhere(path: Path, text: str) -> Path | None:
    """Return the file of a Rust source's ``mod tests;``, None where its tests stand inline."""
    if not re.search(r"^\s*mod\s+tests\s*;", text, re.MULTILINE):
        return None
    folder = path.parent if path.stem in {"mod", "lib", "main"} else path.parent / path.stem
    return folder / "tests.rs"


def family(language: Language) -> tuple[str, ...]:
    """Return the suffixes of a language and of those that import alike: TypeScript is tested in JavaScript, too."""
    if not language.import_style.is_parsed:
        return language.suffixes
    others = (row.suffixes for row in LANGUAGES if row.import_style is language.import_style)
    return tuple(dict.fromkeys((*language.suffixes, *chain.from_iterable(others))))


def _habits(files: list[PurePosixPath], language: Language) -> Iterator[Habit]:
    """Yield each test's folder, and how the test relates to its source where that is found."""
    sources: dict[str, list[PurePosixPath]] = {}
    for each in files:
        if _stem(each, language) is None:
            sources.setdefault(each.stem, []).append(each)
    for each in files:
        found = _stem(each, language)
        if found is None:
            continue
        stem, pattern = found
        candidates = sources.get(stem, [])
        source = max(candidates, key=lambda other: (_nearness(other, each), other.as_posix()), default=None)
        yield Habit(pattern, "", each.parent.as_posix())
        if source is not None:
            yield from (_relation(pattern, source, each),) * _WEIGHT


def _relation(pattern: str, source: PurePosixPath, test: PurePosixPath) -> Habit:
    if test.parent == source.parent:
        return Habit(pattern, None, ".")
    if test.parent.parent == source.parent and test.parent.name in _BESIDE and source.parent != PurePosixPath():
        return Habit(pattern, None, test.parent.name)
    ours, theirs = list(source.parent.parts), list(test.parent.parts)
    while ours and theirs and ours[-1] == theirs[-1]:
        ours.pop()
        theirs.pop()
    return Habit(pattern, PurePosixPath(*ours).as_posix(), PurePosixPath(*theirs).as_posix())


def _stem(path: PurePosixPath, language: Language) -> tuple[str, str] | None:
    """Return the stem of a test's source and the pattern of the test's name; None for a file that is no test."""
    for pattern in language.tests.names:
        head, _, tail = pattern.partition("{stem}")
        tail = tail.replace("{suffix}", "")
        for suffix in family(language):
            end = tail if tail.endswith(suffix) else tail + suffix
            if path.name.startswith(head) and path.name.endswith(end) and len(path.name) > len(head) + len(end):
                return path.name[len(head) : -len(end)], pattern
    return None


def _suffix(source: PurePosixPath, language: Language) -> str:
    return language.suffixes[0] if source.suffix in _HEADERS and language.suffixes else source.suffix


def _nearness(source: PurePosixPath, test: PurePosixPath) -> int:
    """Count the folders that two paths share, and prefer tests in the same folder."""
    shared = Counter(source.parent.parts) & Counter(test.parent.parts)
    return 2 * shared.total() + (source.parent == test.parent)
