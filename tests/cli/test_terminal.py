"""Words of others in a terminal, a sheet, JSON and a page: no escape, no formula, no markup, no key."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from planted_keys import KEYS, environment, in_text

from tuppence import cli, terminal
from tuppence.cache import AnswerStore, Traces
from tuppence.cli import _terminal
from tuppence.config import load
from tuppence.core.billing.entry import Entry
from tuppence.core.models.usage import Usage
from tuppence.core.prompt_cache.prefix import Link
from tuppence.core.prompt_cache.state import Trace
from tuppence.engine import cost_report
from tuppence.ledger import Ledger
from tuppence.reporting.words import cell

EVIL = (
    "\x1b[31m\x1b]0;owned\x07\x1b]8;;https://evil.example\x1b\\\x9b2J\x90q\u202e\u200b\x08\x00"
    "[bold]b[/bold] :smile: <img src=x>"
)
LIVE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]")
FORMULAS = [
    '=cmd|"/C calc"!A0', "+1+cmd", "-2+3+cmd|x", "@SUM(1+1)", "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", '"=1+1', "x;=1+1",
    "a|=1", "x,@y", "\uff1d1+1", "\uff0b1", "\uff0d1+1", "\uff20SUM(1)", "\u22121+1", ";\t=HYPERLINK(1)",
]  # fmt: skip


def record(**fields: Any) -> Entry:
    usual: dict[str, Any] = {
        "run": "run", "session": "s", "at": datetime.now(UTC), "action": "fix", "language": "python",
        "provider": "mine", "model": "small", "tier": "budget", "usage": Usage(fresh=10, output=5), "seconds": 1.5,
        "estimated": False, "difficulty": 0.3, "outcome": "kept", "best_cost": Decimal("0.05"), "reason": "easy",
    }  # fmt: skip
    return Entry(cost=Decimal("0.01"), **{**usual, **fields})


@pytest.fixture
def _kept() -> None:
    """Enter a request whose every word is hostile into the ledger and the traces."""
    ledger = Ledger("")
    ledger.add(record(run="r1", project=EVIL, model=EVIL, provider="m", reason=EVIL, action=EVIL, language=EVIL))
    for number, formula in enumerate(FORMULAS):
        ledger.add(record(run=f"f{number}", project=formula, reason=formula))
    ledger.close()
    answers = AnswerStore()
    trace = Trace(run="1", action="fix", name=EVIL, place=EVIL, model=f"m/{EVIL}", at=datetime.now(UTC),
                  links=(Link("a", 1, EVIL),), size=1, held=(), life="5m", expected=0)  # fmt: skip
    Traces(answers.file).add(trace)
    answers.close()


@pytest.mark.usefixtures("_kept")
@pytest.mark.attack("local surfaces", "a terminal escape in a ledger or a file")
@pytest.mark.parametrize(
    "words",
    [["cost"], ["cost", "--json"], ["cost", "--csv"], ["cache"], ["cache", "--json"], ["models"], ["models", "--json"]],
    ids=" ".join,
)
def test_no_command_obeys_what_it_prints(words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[providers."p\\u001b[2J\\u202e"]\nwire = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n"\\u001b[2J" = 1\n'
        '[[models]]\nid = "m\\u001b]0;x\\u0007\\u009b"\nprovider = "p\\u001b[2J\\u202e"\ntier = "budget"\n'
        "context = 1000\nmax_output = 100\n",
        encoding="utf-8",
    )
    cli.main([*words, *(["--config", str(config)] if words[0] != "cache" else [])])
    out, err = capsys.readouterr()
    assert out
    assert not LIVE.search(out), repr(LIVE.search(out))
    assert not LIVE.search(err)
    if "--json" in words:
        assert out.isascii()
        assert json.loads(out)
    if words == ["cost", "--json"]:
        assert "[bold]b[/bold]" in out, "nothing is lost or read as markup"


@pytest.mark.attack("local surfaces", "a terminal escape in a ledger or a file")
@pytest.mark.parametrize("name", ["a\x1b[2J.py", "a\u202eyp.b", "a\x9b2J.py", "a\r\x1b]0;x\x07.py"])
def test_names_of_files(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["route", str(tmp_path / name)]) == 2
    (tmp_path / "b.py").write_text(f"def f\u202e\x1b[2J(x):\n    return x\n\ndef {'g' * 500}(x):\n    return x\n")
    cli.main(["route", f"{tmp_path / 'b.py'}:4"])
    out, err = capsys.readouterr()
    assert not LIVE.search(out + err)
    assert "g" * 200 not in out.replace("\n", "")


@pytest.mark.usefixtures("_kept")
@pytest.mark.attack("local surfaces", "a formula in a sheet")
def test_no_cell_is_a_formula(capsys: pytest.CaptureFixture[str], record_property: Any) -> None:
    record_property("cases", 2 * len(FORMULAS))
    assert cli.main(["cost", "--csv"]) == 0
    text = capsys.readouterr().out
    head, *rows = csv.reader(io.StringIO(text))
    assert len(rows) == 1 + len(FORMULAS)
    for delimiter in (",", ";", "\t", "|"):
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            assert not [each for each in row if _starts(each)], row
    assert {row[head.index("cost")] for row in rows} == {"0.01"}


def _starts(each: str) -> bool:
    """Report whether a spreadsheet takes a cell for a formula."""
    bare = each.strip().lstrip('"').strip()
    return bare[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20\u2212") and not re.fullmatch(r"[-+]?[\d.]+", bare)


@pytest.mark.parametrize("number", ["-0.5", "+3", "12", "-12.340", "0"])
def test_a_number_stays_one(number: str) -> None:
    assert cell(number) == number


@pytest.mark.parametrize(
    "words", ["shop", "easy [0.30]; asked first", "a-b", "claude-sonnet-4-6", "m/x", "2026-11-30", "Größe"]
)
def test_ordinary_words_stay(words: str) -> None:
    assert cell(words) == words


@pytest.mark.usefixtures("_kept")
@pytest.mark.attack("local surfaces", "a script or a hidden character in the cost page")
def test_the_page_holds_words_alone(record_property: Any) -> None:
    record_property("cases", 5 + len(FORMULAS))
    scripts = [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onload='x",
        "</style><script>",
        "&lt;b&gt;",
    ]
    ledger = Ledger("")
    for number, script in enumerate(scripts):
        ledger.add(record(run=f"s{number}", project=script, model=script, reason=script, action=script))
    now = datetime.now(UTC) + timedelta(minutes=1)
    page = cost_report.page(cost_report.read_report(ledger, load(), now.astimezone(), 30))
    ledger.close()
    assert not LIVE.search(page)
    parser = _Tags()
    parser.feed(page)
    assert not parser.tags & {"script", "img", "iframe", "a", "object", "form", "link", "base"}
    assert not [each for each in parser.attributes if each.startswith("on")]
    assert scripts[0] in "".join(parser.text)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.attack("local surfaces", "an escape or a key in what goes to stderr")
def test_stderr_is_safe_whoever_writes(monkeypatch: pytest.MonkeyPatch, record_property: Any) -> None:
    record_property("cases", 4)
    behind = io.StringIO()
    monkeypatch.setattr(sys, "stderr", behind)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    for name, key in environment().items():
        monkeypatch.setenv(name, key)
    terminal.protect(cli._hide)
    logging.getLogger("tuppence.x").warning("it failed: %s\nforged line", EVIL)
    try:
        int(f"{EVIL}\n{KEYS['OPENAI_API_KEY']}")
    except ValueError:
        logging.getLogger("other").exception("a fault")
        sys.excepthook(*sys.exc_info())
    print(EVIL, KEYS["MINE_API_KEY"][:20], file=sys.stderr)
    sys.stderr.write(KEYS["MINE_API_KEY"][:9])
    sys.stderr.write(KEYS["MINE_API_KEY"][9:])
    sys.stderr.flush()
    said = behind.getvalue()
    assert not LIVE.search(said)
    assert in_text(said) == []
    assert said.count("[key of MINE_API_KEY]") == 2
    assert "\nforged line" not in said
    assert said.count("Traceback (most recent call last):") == 2


def test_a_line_without_an_end_is_written_when_it_is_flushed(monkeypatch: pytest.MonkeyPatch) -> None:
    behind = io.StringIO()
    stream = terminal.SafeStream(behind, str)
    stream.write("no end")
    assert behind.getvalue() == ""
    stream.flush()
    assert behind.getvalue() == "no end"
    stream.write("x" * 100_000)
    assert len(behind.getvalue()) == 100_006
    monkeypatch.setattr(sys, "stderr", None)
    terminal.protect(str)
    assert sys.stderr is None


@pytest.mark.attack("local surfaces", "a terminal escape in a ledger or a file")
def test_a_console_shows_nothing_but_its_own_styles(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.table import Table

    table = Table(title=EVIL)
    table.add_column(EVIL)
    table.add_row(EVIL)
    console = _terminal.console()
    console.print(table)
    console.print(EVIL)
    _terminal.say(EVIL)
    _terminal.say_json({"a": EVIL, EVIL: [EVIL]})
    out = capsys.readouterr().out
    assert not LIVE.search(out)
    assert out.count(":smile:") >= 4
