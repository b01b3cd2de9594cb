"""``tuppence budget``: a limit is changed in the configuration, and nothing else there."""

from __future__ import annotations

import re
import shlex
import stat
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenario import FIXED, GOOD, SRC, messages
from server import Stage, pick, stage
from tests.e2e.test_spending_limits import DEAR

from tuppence import cli
from tuppence.config import edit_budget
from tuppence.core.billing.budget import PERIODS, Period
from tuppence.errors import TuppenceError


@pytest.mark.parametrize(
    ("before", "limit", "after"),
    [
        ("", "5", "[budget]\nday = 5\n"),
        ("quality = 1.0", "5", "quality = 1.0\n\n[budget]\nday = 5\n"),
        ("quality = 1.0\n", "0.50", "quality = 1.0\n\n[budget]\nday = 0.5\n"),
        ("[budget]", "5", "[budget]\nday = 5\n"),
        ("[budget]\nday = 5.00  # a lot\nmonth = 50\n", "7.5", "[budget]\nday = 7.5  # a lot\nmonth = 50\n"),
        ("[budget]\r\n  day=5\r\n", "7", "[budget]\r\n  day=7\r\n"),
        (" [ budget ] # mine\nmonth = 5\n[x]\ny = 1", "7", " [ budget ] # mine\nday = 7\nmonth = 5\n[x]\ny = 1"),
        ("[budget]\nday = 5\nmonth = 6\n", None, "[budget]\nmonth = 6\n"),
        ("[budget]\nmonth = 6\n", None, "[budget]\nmonth = 6\n"),
        ("x = 1\n", None, "x = 1\n"),
        ("\ufeff[budget]\nday = 5\n", "6", "\ufeff[budget]\nday = 6\n"),
    ],
)  # fmt: skip
def test_only_the_one_line_changes(tmp_path: Path, before: str, limit: str | None, after: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(before.encode())
    path.chmod(0o640)
    edit_budget.write(path, "day", None if limit is None else Decimal(limit))
    assert path.read_bytes().decode() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "budget = { day = 5 }\n",
        "budget.day = 5\n",
        "budget = 5\n",
        'note = """\n[budget]\n"""\n[budget]\nday = 5\n',
        "[budget]\n'day' = 5\n",
        "[budget\n",
    ],
)
def test_what_is_not_understood_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(TuppenceError, match=r"could not be changed: .* Write `day = 6` there by hand\.$"):
        edit_budget.write(path, "day", Decimal(6))
    assert path.read_text() == text


LINES = st.lists(
    st.sampled_from((
        "# why", "", "[budget]", "day = 1", "month = 2.5 # much", "[actions.fix]", "quality = 1", "[[models]]",
        'id = "[budget]"', "day=3", "'day' = 1", "budget.day = 4", "soft = 0.9",
    ))
)  # fmt: skip


@given(LINES, st.sampled_from(PERIODS), st.none() | st.decimals("0", "1000", places=3))
def test_a_limit_is_set_or_nothing_is(lines: list[str], period: Period, limit: Decimal | None) -> None:
    before = "\n".join(lines)
    after = edit_budget.changed(before, period, limit)
    if not edit_budget._as_wanted(before, after, period, limit):
        return
    old, new = (tomllib.loads(each, parse_float=Decimal) for each in (before, after))
    assert new.get("budget", {}).get(period) == limit
    for each in (old, new):
        each.setdefault("budget", {}).pop(period, None)
    assert old == new


def test_the_command_shows_and_changes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "config.toml"
    where = ["--config", str(path)]
    assert cli.main(["budget", *where]) == 0
    assert "There is no limit. To set one" in capsys.readouterr().out
    assert cli.main(["budget", "day", "7.50", *where]) == 0
    assert capsys.readouterr().out == f"The limit is $7.5 now, today, in {path}; running servers follow.\n"
    assert cli.main(["budget", "session", "$1", *where]) == 0
    assert path.read_text() == "[budget]\nsession = 1\nday = 7.5\n"
    capsys.readouterr()
    assert cli.main(["budget", *where]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert shown == ["Budget", "limit spent or reserved left", "this session $1.0000", "today $7.5000 $0 $7.5000"]
    assert cli.main(["budget", "day", "none", *where]) == 0
    assert path.read_text() == "[budget]\nsession = 1\n"


@pytest.mark.parametrize("words", ["day -1", "day much", "day nan", "day 1e99", "week 3"])
def test_what_is_no_limit_is_a_sentence(words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    assert cli.main(["budget", "--config", str(path), *words.split(" ")]) == 2
    assert "error: argument" in capsys.readouterr().err
    assert not path.exists()


async def fix(s: Stage) -> str:
    buffer = s.editor.open(s.write("stats.py", SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
    return buffer.text


async def test_the_command_of_a_refusal_raises_the_limit_of_a_running_server(tmp_path: Path) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    async with stage(folder, config=DEAR, extra="[budget]\nday = 0.001  # not much\n") as s:
        assert await fix(s) == SRC
        found = re.search(r"as `tuppence (budget .*)` does\.", messages(s)[-1])
        assert found, messages(s)[-1]
        assert cli.main(shlex.split(found[1])) == 0
        s.upstream.says(GOOD)
        assert await fix(s) == FIXED
        assert "  # not much\n" in s.config.read_text()


async def test_where_the_project_narrows_it_the_refusal_says_so(tmp_path: Path) -> None:
    async with stage(tmp_path, config=DEAR, extra="[budget]\nday = 5\n") as s:
        s.write(".tuppence.toml", "[budget]\nday = 0.001\n")
        assert await fix(s) == SRC
        assert "The project's own .tuppence.toml narrows your budget; look there first." in messages(s)[-1]


def test_a_file_that_cannot_be_changed_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(
        TuppenceError, match=r"could not be changed: This is not a file\. Name the configuration file itself\.$"
    ):
        edit_budget.write(tmp_path / "config.toml", "day", Decimal(1))
    (tmp_path / "latin.toml").write_bytes(b"# \xe4\n")
    with pytest.raises(TuppenceError, match="is not UTF-8 text"):
        edit_budget.write(tmp_path / "latin.toml", "day", Decimal(1))
