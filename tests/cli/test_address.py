"""The address of code that every command takes: whatever is written there, code is found or a sentence says why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tuppence import cli
from tuppence.cli._address import AddressError, locate

STATS = (
    "import math\n\n\ndef mean(xs):\n    return sum(xs) / len(xs)\n\n\nclass Stats:\n    def mean(self):\n"
    "        return 0\n\n    def half(self):\n        return 1\n\n"
    "\ndef twice(x):\n    return x\n\n\ndef twice(y):\n    return y\n"
)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stats.py").write_text(STATS)
    return tmp_path


def found(address: str) -> tuple[str, int, int]:
    """Return the target's name, and its first and last line from 1."""
    place = locate(address)
    span, document = place.target.span, place.document
    return place.target.name, document.line_at(span.start) + 1, document.line_at(span.end) + 1


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("stats.py", ("", 1, 21)),
        ("stats.py:5", ("mean", 4, 5)),
        ("stats.py:4-5", ("mean", 4, 5)),
        ("stats.py:4-9", ("", 4, 9)),
        ("stats.py:9:5", ("mean", 9, 10)),
        ("stats.py:8:1", ("Stats", 8, 13)),
        ("./stats.py:mean", ("mean", 4, 5)),
        ("stats.py:Stats", ("Stats", 8, 13)),
        ("stats.py:Stats.mean", ("mean", 9, 10)),
        ("stats.py:Stats::mean", ("mean", 9, 10)),
        ("stats.py:Stats#mean", ("mean", 9, 10)),
        ("stats.py:half", ("half", 12, 13)),
    ],
)
def test_each_form_names_code(folder: Path, address: str, target: tuple[str, int, int]) -> None:
    assert found(address) == target
    assert found(str(folder / address)) == target


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("gone.py", "gone.py cannot be read: No such file or directory. Write FILE[:LINES|:NAME], such as stats.py"),
        ("gone.py:3", "gone.py cannot be read: No such file or directory."),
        ("gone.py:3-9", "gone.py cannot be read: No such file or directory."),
        ("gone.py:mean", "gone.py cannot be read: No such file or directory."),
        ("C:\\gone.py:3", "C:\\gone.py cannot be read: No such file or directory."),
        ("", "A file without a name cannot be read: No such file or directory."),
        ("\0.py", "\0.py cannot be read: No such file or directory."),
        ("a" * 5000, "a" * 5000 + " cannot be read: No such file or directory."),
        ("stats.py:23", "There is no line 23: the file has 22."),
        ("stats.py:0", "There is no line 0: the file has 22."),
        ("stats.py:9-4", "There are no lines 9 to 4: the file has 22."),
        ("stats.py:4-23", "There are no lines 4 to 23: the file has 22."),
        (f"stats.py:{'9' * 5000}", f"There is no line {'9' * 5000}: the file has 22."),
        (f"stats.py:4:{'9' * 5000}", f"There is no column {'9' * 5000} in line 4: it has 13 characters."),
        ("stats.py:4:15", "There is no column 15 in line 4: it has 13 characters."),
        ("stats.py:4:0", "There is no column 0 in line 4: it has 13 characters."),
        ("stats.py:2", "There is no code at stats.py:2."),
        ("stats.py:median", "There is no definition `median` in stats.py."),
        ("stats.py:Stats.median", "There is no definition `Stats.median` in stats.py."),
        (
            "stats.py:twice",
            "`twice` is defined 2 times in stats.py: in the lines 16, 20. Name one",
        ),
        ("stats.py:", "“” is neither lines nor a name."),
        ("stats.py:4-", "“4-” is neither lines nor a name."),
        ("stats.py:-4", "“-4” is neither lines nor a name."),
        ("stats.py:٤", "“٤” is neither lines nor a name."),
        ("stats.py:4:5:6", "“4:5:6” is neither lines nor a name."),
        ("stats.py:mean()", "“mean()” is neither lines nor a name."),
        ("folder", "folder cannot be read: Is a directory."),
        ("folder:3", "folder cannot be read: Is a directory."),
        ("binary.py:1", "binary.py is a binary file, and no model can read it."),
        ("latin.py:1", "latin.py is not UTF-8 text."),
        ("pipe.py:1", "pipe.py is not a regular file."),
        ("/dev/zero:1", "/dev/zero is not a regular file."),
        ("huge.py:1", "huge.py has 33,554,433 bytes; files of up to 33,554,432 are read."),
        ("broken.py:1", "broken.py cannot be read: No such file or directory."),
    ],
)
def test_what_names_no_code_is_said(folder: Path, address: str, complaint: str) -> None:
    (folder / "folder").mkdir()
    (folder / "binary.py").write_bytes(b"a = 1\0\n")
    (folder / "latin.py").write_bytes(b"a = '\xe9'\n")
    (folder / "broken.py").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.py")
    with (folder / "huge.py").open("wb") as file:
        file.truncate(32 * 2**20 + 1)
    with pytest.raises(AddressError) as raised:
        locate(address)
    assert str(raised.value).startswith(complaint)


@pytest.mark.parametrize("command", ["route", "preview"])
def test_a_mistaken_address_is_a_mistaken_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (folder / "config.toml").write_text("")
    assert cli.main([command, "stats.py:99", "--config", "config.toml"]) == 2
    assert capsys.readouterr() == ("", "tuppence: There is no line 99: the file has 22.\n")


def test_a_file_name_may_hold_colons(folder: Path) -> None:
    (folder / "a:b.py").write_text(STATS)
    (folder / "c:12").write_text("one\ntwo\n")
    (folder / "C:\\stats.py").write_text(STATS)
    assert found("a:b.py:mean") == ("mean", 4, 5)
    assert locate("a:b.py").path.name == "a:b.py"
    assert locate("c:12").path.name == "c:12"
    assert found("c:12:2")[1:] == (1, 2)
    assert found("C:\\stats.py:12:7") == ("half", 12, 13)
    (folder / "stats.py:5").write_text("x = 1\n")
    assert locate("stats.py:5").path.name == "stats.py:5", "the longest name that exists is the file"


@pytest.mark.parametrize(
    ("name", "text", "address", "target"),
    [
        ("a.go", "package p\n\ntype S struct{}\n\nfunc (s *S) Mean() int {\n\treturn 1\n}\n", "S.Mean", ("Mean", 5, 7)),
        ("a.rs", "struct S;\nimpl S {\n    fn mean(&self) -> i32 { 1 }\n}\n", "S::mean", ("mean", 3, 3)),
        ("a.cpp", "int S::mean() {\n  return 1;\n}\n", "S::mean", ("S::mean", 1, 3)),
        ("a.cpp", "int S::mean() {\n  return 1;\n}\n", "mean", ("S::mean", 1, 3)),
        ("a.h", "int f(int);\nint f(int a) { return a; }\n", "f", ("f", 2, 2)),
        ("a.ts", "class C {\n  #p() {}\n  q() {}\n}\n", "C.#p", ("#p", 2, 2)),
        ("a.java", "class C {\n  int größe() { return 1; }\n}\n", "C.größe", ("größe", 2, 2)),
    ],
)
def test_names_of_other_languages(
    folder: Path, name: str, text: str, address: str, target: tuple[str, int, int]
) -> None:
    (folder / name).write_text(text)
    assert found(f"{name}:{address}") == target


def test_the_route_of_a_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = '[providers.p]\nwire = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n[[models]]\nprovider = "p"\nid = "m"\n'
    (folder / "config.toml").write_text(f'{row}tier = "workhorse"\nprice = {{ input = 1, output = 5 }}\n')
    assert cli.main(["route", "stats.py:Stats.half", "--config", "config.toml"]) == 0
    assert capsys.readouterr().out.startswith("Fix `half`: m, $")
