"""The benchmark of answers in every shape, on generated sources: how it mines, renders, judges and counts."""

from __future__ import annotations

import random
import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.answers import __main__ as command
from benchmarks.answers import releases, report
from benchmarks.answers.mine import Case, cases, chosen
from benchmarks.answers.pipeline import Outcome, judge
from benchmarks.answers.rendering import Rendered, Shape, statements
from benchmarks.answers.shapes import CHANGE, LEANING, RECOVERABLE, RIGHT, plain
from benchmarks.answers.spoilt import BAD, HARMFUL
from benchmarks.answers.tally import Bar, bars, counted
from benchmarks.answers.wording import MANNERS, PLACEHOLDERS

from tuppence.core.syntax.packages import Packages

PYTHON = """\
import json


class Store:
    def load(self, path, strict=False):
        if strict and not path:
            raise ValueError(path)
        self.seen = []
        with open(path) as file:
            text = file.read()
        self.note(path)
        for row in json.loads(text):
            self.seen.append(row)
        return self.seen

    def note(self, path):
        kind = "row"
        size = len(path)
        print(kind, path, size)

    def count(self):
        found = self.seen
        most = 3
        return min(len(found), most)

    def clear(self):
        self.note("clear")
        self.seen = []
        return None


class Other:
    def load(self, path):
        one = path
        two = one + one
        return two
"""
TYPESCRIPT = """\
export class Store {
  private seen: string[] = [];

  // Reads all rows.
  load(path: string, strict: boolean): string[] {
    if (strict && !path) {
      throw new Error(path);
    }
    const text = read(path);
    this.note(path);
    for (const row of text.split(",")) {
      this.seen.push(row);
    }
    return this.seen;
  }

  note(path: string): void {
    const size = path.length;
    console.log(path, size);
  }
}
"""
GO = """\
package store

func Load(path string, strict bool) []string {
	if strict && path == "" {
		panic(path)
	}
	text := read(path)
	note(path)
	rows := split(text)
	return rows
}

func note(path string) {
	size := len(path)
	print(path, size)
}
"""
RUST = """\
struct Store {
    seen: Vec<String>,
}

impl Store {
    fn load(&mut self, path: &str, strict: bool) -> usize {
        if strict && path.is_empty() {
            return 0;
        }
        let text = read(path);
        self.note(path);
        let rows = split(&text);
        rows.len()
    }

    fn note(&self, path: &str) {
        let size = path.len();
        println!("{} {}", path, size);
    }
}
"""
JAVA = """\
package store;

import java.util.List;

class Store {
    List<String> load(String path, boolean strict) {
        if (strict && path.isEmpty()) {
            throw new IllegalArgumentException(path);
        }
        String text = read(path);
        note(path);
        List<String> rows = split(text);
        return rows;
    }

    void note(String path) {
        int size = path.length();
        System.out.println(path + size);
    }
}
"""
CPP = """\
#include <string>

namespace store {

int load(const std::string& path, bool strict) {
  if (strict && path.empty()) {
    throw 1;
  }
  auto text = read(path);
  note(path);
  auto rows = split(text);
  return rows.size();
}

void note(const std::string& path) {
  int size = path.size();
  print(path, size);
}

}  // namespace store
"""
SOURCES = {
    "python": ("a/store.py", PYTHON, "read()", "read().strip()"),
    "typescript": ("a/store.ts", TYPESCRIPT, "read(path);", "read(path).trim();"),
    "go": ("a/store.go", GO, "read(path)\n", "read(trim(path))\n"),
    "rust": ("a/store.rs", RUST, "read(path);", "read(path.trim());"),
    "java": ("a/Store.java", JAVA, "read(path);", "read(path.trim());"),
    "cpp": ("a/store.cpp", CPP, "read(path);", "read(trim(path));"),
}
"""The path, the older text, and what of it the newer one has otherwise."""
SHAPES = {each.title: each for each in (*RIGHT, *RECOVERABLE, *BAD, *HARMFUL)}


def mined(language: str, new: str = "") -> list[Case]:
    path, old, was, now = SOURCES[language]
    assert was in old
    return list(cases("made", {path: old}, {path: new or old.replace(was, now)}, seed=1))


def function(language: str) -> Case:
    [case] = [each for each in mined(language) if not each.is_class]
    return case


def dice() -> random.Random:
    return random.Random(1)  # noqa: S311 - chunks


def judged(title: str, case: Case) -> Outcome | None:
    reply = SHAPES[title].render(case, dice())
    return None if reply is None else judge(SHAPES[title], case, reply, dice())


@pytest.mark.parametrize("language", SOURCES)
def test_a_changed_function_is_a_case(language: str) -> None:
    case = function(language)
    path, old, was, now = SOURCES[language]
    assert (case.target.name.lower(), case.leans, case.imports, case.is_small) == ("load", False, "", True)
    assert case.expected == old.replace(was, now)
    first, *_, last = [case.code.split("\n")[begin].strip() for begin, _ in statements(case)]
    assert first.startswith("if")
    assert "r" in last
    assert all(each in case.code for each in ("note", "strict"))
    assert path == case.path


def test_what_is_no_case() -> None:
    assert not mined("python", PYTHON)
    renamed = mined("python", PYTHON.replace("def count(self):", "def number(self):"))
    assert [each.target.name for each in renamed] == ["Store"], "the class is, and the function is in one of them only"
    assert not mined("python", PYTHON.replace("read()", "read(")), "it does not parse"


def test_a_change_leans_on_others_and_brings_imports() -> None:
    helped = PYTHON.replace("file.read()", "_read(file)") + "\n\ndef _read(file):\n    return file.read()\n"
    assert [each.leans for each in mined("python", helped) if not each.is_class] == [True]
    new = PYTHON.replace("file.read()", "os.fspath(file)").replace("import json", "import json\nimport os")
    [case] = [each for each in mined("python", new) if not each.is_class]
    assert (case.leans, case.imports, case.needs) == (False, "import os", "import json")
    reply = CHANGE.render(case, dice())
    assert reply is not None
    assert reply.expected == (new,)
    assert judge(CHANGE, case, reply, dice()).fate == "exact"


@pytest.mark.parametrize("language", SOURCES)
def test_every_right_reply_in_the_asked_form_lands(language: str) -> None:
    case = function(language)
    for title in ("one fence", "prose before the fence", "a fence of tildes", "a file with CRLF, a reply with LF"):
        found = judged(title, case)
        assert found is not None
        assert (found.fate, found.is_live_right, found.doubts) == ("exact", True, ()), (title, found.why)


@pytest.mark.parametrize("language", SOURCES)
def test_bad_code_parses_and_differs(language: str) -> None:
    """So what finds it is no check of syntax alone, and what keeps it is wrong."""
    case, other = function(language), 0
    for shape in (*BAD, *HARMFUL):
        if shape.classes or "cut" in shape.title or (reply := shape.render(case, dice())) is None:
            continue
        other += 1
        assert case.code not in reply.text or shape.title == "a check of rights dropped", shape.title
        assert (reply.case or case).expected == reply.expected[0]
    assert other > len(PLACEHOLDERS)


def test_a_class_loses_two_methods() -> None:
    [case] = [each for each in mined("python") if each.is_class]
    reply = SHAPES["a class without two of its methods"].render(case, dice())
    assert reply is not None
    assert case.code.count("    def ") - reply.text.count("    def ") == 2


def test_another_class_has_the_method() -> None:
    reply = SHAPES["another class's method of that name"].render(function("python"), dice())
    assert reply is not None
    assert reply.text.startswith("```python\nclass Other:\n    def load(self, path):\n        one")


def test_what_becomes_of_a_reply() -> None:
    case = function("python")
    shape, bad = SHAPES["one fence"], SHAPES["a refusal"]

    def fate(text: str, which: Shape = shape) -> str:
        return judge(which, case, Rendered(text, (case.expected,)), dice()).fate

    assert fate(f"```\n{case.code}\n```\n") == "exact"
    assert fate(f"```\n{case.code}\n```\n", bad) == "exact", "a bad reply may hold the right code all the same"
    assert fate("I can't.\n") == "refused"
    assert fate(f"```\n{case.code.replace('strip()', 'lstrip()')}\n```\n") == "damaged"
    assert fate(f"```\n{case.code.replace('strip()', 'lstrip()')}\n```\n", bad) == "kept"
    deeper = case.code.replace("            self.seen.append", "             self.seen.append")
    assert fate(f"```\n{deeper}\n```\n") == "layout"
    other = case.code.replace("        return self.seen", "            return self.seen")
    assert fate(f"```\n{other}\n```\n") == "damaged", "in Python white space has a meaning"


def outcome(shape: Shape, fate: Any, *doubts: str, live: bool = True) -> Outcome:
    return Outcome(shape.title, "python", "", fate, doubts, "", live)


def test_what_is_counted() -> None:
    right, other, bad, harmful = RIGHT[0], RECOVERABLE[0], BAD[0], HARMFUL[0]
    shapes = (CHANGE, right, other, bad, harmful)
    good = [outcome(each, "exact") for each in (CHANGE, right, other)]
    good += [outcome(bad, "refused"), outcome(harmful, "kept", "a doubt")]
    assert all(each.is_met for each in bars(counted(good), shapes, CHANGE.title))

    def missed(extra: Outcome) -> list[str]:
        return [each.what for each in bars(counted([*good, extra]), shapes, CHANGE.title) if not each.is_met]

    assert len(missed(outcome(right, "refused"))) == 1
    assert len(missed(outcome(CHANGE, "refused"))) == 1
    assert len(missed(outcome(other, "refused"))) == 1
    assert not missed(outcome(other, "layout"))
    assert len(missed(outcome(right, "damaged"))) == 2
    assert missed(outcome(bad, "kept")) == ["bad answers kept"]
    assert missed(outcome(bad, "kept", "a doubt")) == ["bad answers kept"]
    assert missed(outcome(right, "exact", live=False)) == ["live edits that give another text"]
    assert not Bar("of nothing", 0.0, 0.0, at_least=False, of=0).is_met
    table = report.tables(counted([*good, outcome(harmful, "kept")]), shapes, ["python"])
    assert f"| {harmful.title} | 2 | 0 | 2 | 1 | 1/2 |" in table


def test_samples_are_of_every_package() -> None:
    both = [*mined("python"), *mined("go")]
    named = [*both, *mined("rust")]
    assert chosen(named, 2, seed=1) == chosen(named, 2, seed=1)
    assert len(chosen(named, 99, seed=1)) == len(named)


def test_manners_are_complete() -> None:
    assert set(MANNERS) == set(SOURCES)
    assert sum(map(len, PLACEHOLDERS.values())) >= 40
    assert len(PLACEHOLDERS) == 11, "dots, and ten languages of people"
    titles = [each.title for each in (CHANGE, LEANING, *RIGHT, *RECOVERABLE, *BAD, *HARMFUL)]
    assert len(titles) == len(set(titles))


def test_the_page_is_written_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"a\n{report.BEGIN}\nold\n{report.END}\nb\n", "utf-8")
    report.write(page, "new")
    assert page.read_text("utf-8") == f"a\n{report.BEGIN}\nnew\n{report.END}\nb\n"
    page.write_text("no marks", "utf-8")
    with pytest.raises(ValueError, match="no place"):
        report.write(page, "new")
    assert report.BEGIN in command.PAGE.read_text("utf-8")


def test_a_release_is_read_from_its_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = releases.Package("npm", "made", ("1", "2"), ("typescript",))
    asked: list[Sequence[str]] = []

    def run(words: Sequence[str], *, cwd: Path, **_: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(words)
        for name in ("package/a.ts", "package/a.d.ts", "package/vendor/b.ts", "package/made.ts"):
            (tmp_path / "file").write_text("// Code generated\n" if "made" in name else "let a = 1;\n", "utf-8")
            with tarfile.open(cwd / "made.tar", "a") as tarball:
                tarball.add(tmp_path / "file", name)
        (cwd / "made.tar").rename(cwd / "made.tgz")
        return subprocess.CompletedProcess(words, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(shutil, "which", lambda _: "npm")
    for _ in range(2):
        assert releases.read(package, tmp_path / "kept") == ({"a.ts": "let a = 1;\n"}, {"a.ts": "let a = 1;\n"})
    assert [each[-1] for each in asked] == ["made@1", "made@2"], "the second time they are there"


def test_a_doubt_about_the_right_answer_is_none_about_what_was_spoilt() -> None:
    """People's own change may be doubted; that does not make up for what was not seen."""
    new = PYTHON.replace("text = file.read()", "text = file.read()  # type: ignore[no-any-return]")
    [case] = [each for each in mined("python", new) if not each.is_class]
    assert judge(CHANGE, case, plain(case), dice()).doubts
    [found] = command._judged((case, ("a call dropped",)))
    assert (found.fate, found.doubts) == ("kept", ("drops the call “self.note(path)”",))
    refused = PYTHON.replace("text = file.read()", "import fastutils\n            text = fastutils.read(file)")
    [case] = [each for each in mined("python", refused) if not each.is_class]
    case = replace(case, packages=Packages(frozenset({"json"}), complete=True))
    assert judge(CHANGE, case, plain(case), dice()).fate == "refused"
    assert not command._judged((case, ("a call dropped",)))


def test_a_missing_package_is_said_and_too_few_cases_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_of_package", lambda *_: None)
    monkeypatch.setattr(command, "ProcessPoolExecutor", Inline)
    assert command.main(["--keep", str(tmp_path), "--languages", "go"]) == 1
    said = capsys.readouterr().out
    assert "Not to be had here, so left out: wandb" in said
    assert "too few functions in Go: 0" in said


class Inline:
    """A pool of processes that is none."""

    def __init__(self, *_: object) -> None: ...

    def __enter__(self) -> Inline:
        return self

    def __exit__(self, *_: object) -> None: ...

    def map(self, work: Any, *some: Any, **_: Any) -> Any:
        return map(work, *some)


def fates(shapes: Sequence[Shape], language: str) -> dict[str, Outcome]:
    """Return what becomes of the function of a generated source in each shape that it can be put into."""
    found: dict[str, Outcome] = {}
    for case in mined(language):
        for shape in shapes:
            usable = shape.classes == case.is_class and shape.title not in found
            if usable and (reply := shape.render(case, dice())) is not None:
                found[shape.title] = judge(shape, case, reply, dice())
    return found


@pytest.mark.parametrize("language", SOURCES)
def test_every_right_shape_lands(language: str) -> None:
    found = fates((*RIGHT, *RECOVERABLE), language)
    assert len(found) >= 29
    lost = {title: (each.fate, each.why) for title, each in found.items() if each.fate != "exact"}
    assert lost == {}
    assert all(each.is_live_right for each in found.values())


@pytest.mark.parametrize("language", SOURCES)
def test_no_bad_shape_is_kept(language: str) -> None:
    found = fates(BAD, language)
    assert len(found) > 22
    assert {title: each.fate for title, each in found.items() if each.fate != "refused"} == {}


@pytest.mark.parametrize("language", SOURCES)
def test_no_harmful_shape_is_kept_without_a_doubt(language: str) -> None:
    found = fates(HARMFUL, language)
    assert len(found) >= 5
    assert [title for title, each in found.items() if each.fate == "kept" and not each.doubts] == []
