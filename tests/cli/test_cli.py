"""The command line: a light start, one-sentence errors, and figures that match the ledger."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import unmeasured

from tuppence import __version__, cli
from tuppence.core.billing.entry import Entry
from tuppence.core.models.usage import Usage
from tuppence.errors import TuppenceError
from tuppence.ledger import Ledger

HEAVY = {
    "rich", "sqlite3", "httpx", "keyring", "platformdirs", "tree_sitter", "genai_prices", "xllamacpp", "asyncio",
}  # fmt: skip


def tuppence(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tuppence", *words]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, **options)


def record(cost: str | None, **fields: Any) -> Entry:
    usual: dict[str, Any] = {
        "run": "run", "session": "s", "at": datetime.now(UTC), "action": "fix", "language": "python",
        "provider": "mine", "model": "small", "tier": "budget", "usage": Usage(fresh=10, output=5),
        "estimated": False, "difficulty": 0.3, "outcome": "kept", "best_cost": Decimal("0.05"),
        "reason": "easy [0.30]", "seconds": 1.5,
    }  # fmt: skip
    return Entry(cost=None if cost is None else Decimal(cost), **{**usual, **fields})


def test_without_a_command_it_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    shown = capsys.readouterr().out
    for name in ("cost", "local", "models", "serve"):
        assert f"    {name} " in shown


@pytest.mark.parametrize("name", cli.names())
def test_every_command_says_what_it_is_for(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 10 < len(cli._load(name).HELP) < 100
    assert cli.main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: tuppence {name} ")


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"tuppence {__version__}\n"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["colour"], "invalid choice: 'colour'"),
        (["--colour"], "--colour"),
        (["serve", "--tcp"], "expected one argument"),
        (["serve", "--stdio", "--tcp", "127.0.0.1:1"], "not allowed with"),
        (["cost", "--days", "0"], "not a number of days"),
        (["cost", "--days", "-1"], "--days"),
        (["cost", "--days", "many"], '"many" is not a number of days: write a whole number from 1 up'),
        (["cost", "--days", "9" * 30], "not a number of days"),
    ],
)
def test_a_mistaken_command_line_is_explained(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--version"], ["serve", "--help"]])
def test_nothing_heavy_is_imported_to_start_the_server(words: list[str]) -> None:
    code = f"import sys; from tuppence.cli import main; main({words!r}); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=unmeasured.environment()
    )
    loaded = {name.partition(".")[0] for name in eval(done.stderr)}  # noqa: S307 - it is what our own line printed
    assert "argparse" in loaded
    assert not loaded & HEAVY


def test_an_error_is_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = tuppence("cost", env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "file")})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("tuppence: The ledger ")
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_error_of_any_command_ends_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: object) -> int:
        raise TuppenceError("The tide is out.", "Wait.")

    monkeypatch.setattr("tuppence.cli.cost.run", fail)
    assert cli.main(["cost"]) == 1
    assert capsys.readouterr().err == "tuppence: The tide is out. Wait.\n"


@pytest.mark.parametrize(("words", "code"), [(["cost", "--json"], cli.BROKEN_PIPE), (["cost"], 1)])
def test_a_reader_that_goes_away_is_left_in_peace(words: list[str], code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "tuppence", *words]
    done = subprocess.run(command, check=False, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (code, "")


def test_an_interrupt_is_quiet(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom tuppence import cli\nfrom tuppence.cli import cost\n"
        "def wait(_): print('waiting', flush=True); time.sleep(30)\n"
        "cost.run = wait\nsys.exit(cli.main(['cost']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert (process.returncode, complaint) == (cli.INTERRUPTED, "")


def test_a_new_ledger_says_that_nothing_was_spent(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cost"]) == 0
    assert capsys.readouterr().out == "Nothing has been asked yet, so nothing was spent.\n"


def test_cost_as_json_is_the_ledgers_sum(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    old = datetime.now(UTC) - timedelta(days=40)
    ledger.add(record("7", run="old", at=old))
    ledger.add(record("0.0100000001", outcome="failed check"))
    ledger.add(record("0.02", model="large", tier="premium"))
    ledger.add(record(None, run="x", model="mystery", usage=None, best_cost=None))
    ledger.close()
    assert cli.main(["cost", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["session"] is None
    assert report["today"] == report["window"]["spent"] == {"usd": "0.0300000001", "display": "$0.0300"}
    assert report["saved"]["usd"] == "0.0199999999"
    assert (report["requests"], report["unknown"], report["window"]["days"]) == (3, 1, 30)
    assert [row["name"] for row in report["byModel"]] == ["mine/large", "mine/small", "mine/mystery"]
    assert (report["last"]["model"], report["last"]["cost"]["usd"]) == ("mystery", None)
    assert [each["cost"]["usd"] for each in report["recent"]] == ["7", "0.0100000001", "0.02", None]
    assert report["recent"][1]["tokens"]["cacheRead"] is None
    assert report["recent"][3]["tokens"] is None
    assert cli.main(["cost", "--json", "--days", "41"]) == 0
    assert json.loads(capsys.readouterr().out)["window"]["spent"]["usd"] == "7.0300000001"


def test_cost_for_a_person(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    ledger = Ledger()
    ledger.add(record("0.0011", run="a"))
    ledger.add(record("0.0033", run="b", model="large", tier="premium", outcome="cancelled", estimated=True))
    ledger.add(record(None, run="c", model="mystery"))
    ledger.close()
    assert cli.main(["cost"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = {" ".join(line.split()) for line in lines}
    assert "today $0.0044 ~$0.0033 $0.0489 3 1" in table
    assert "mine/large $0.0033 75 % 1" in table
    assert "mine/mystery unknown 1" in table
    assert "Requests of unknown price, which are in no sum: 1." in table
    assert [line.split()[3:6] for line in lines if "easy [0.30]" in line] == [
        ["fix", "mystery", "unknown"], ["fix", "large", "~$0.0033"], ["fix", "small", "$0.0011"]
    ]  # fmt: skip


def test_a_damaged_ledger_is_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    ledger = Ledger()
    ledger.add(record("0.01"))
    ledger.close()
    Path(ledger.place).write_bytes(b"no database " * 1000)
    assert cli.main(["cost", "--json"]) == 0
    assert "it was renamed to" in capsys.readouterr().err


CONFIG = """
exclude = ["mine/never"]
[providers.mine]
wire = "openai"
base_url = "http://127.0.0.1:1/v1"
[providers.keyed]
wire = "openai"
base_url = "https://models.example/v1"
key_env = "A_KEY_OF_NOBODY"
[[models]]
id = "small"
provider = "mine"
tier = "budget"
price = { input = 0.15, output = 0.60, cache_read = 0.0150 }
[[models]]
id = "never"
provider = "mine"
tier = "budget"
price = 0
[[models]]
id = "mystery"
provider = "mine"
tier = "premium"
[[models]]
id = "gone"
provider = "mine"
tier = "budget"
price = 0
retires_on = 2020-01-01
[[models]]
id = "locked"
provider = "keyed"
tier = "premium"
price = 1
"""


def test_models_says_who_may_answer_and_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.replace("price = 1\n", "price = { input = 1, output = 2 }\n"))
    assert cli.main(["models", "--config", str(path), "--json"]) == 0
    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)}
    assert next(iter(rows)) == "mine/small"
    assert rows["mine/small"]["ready"]
    assert rows["mine/small"]["price"] == {"input": "0.15", "output": "0.6", "cache_read": "0.015"}
    assert {name: rows[name]["whyNot"] for name in rows if name.startswith(("mine/", "keyed/"))} == {
        "mine/small": None,
        "mine/never": "excluded in the configuration",
        "mine/mystery": "price unknown: used only when pinned",
        "mine/gone": "retired on 2020-01-01",
        "keyed/locked": "A_KEY_OF_NOBODY is not set",
    }
    assert rows["mine/mystery"]["price"] is None
    assert (rows["mine/small"]["follows"], rows["mine/small"]["like"]) == (None, None)
    assert rows["openai/gpt-6.2-sol"]["follows"] == "openai/gpt-6.1-sol"
    assert len(rows) > 25


def test_models_for_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.replace("price = 1\n", "price = { input = 1, output = 2 }\n"))
    assert cli.main(["models", "--config", str(path)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "ready"
    assert lines[2] == "mine/small budget 0.15 0.6 0.015 32k"
    assert lines.index("A_KEY_OF_NOBODY is not set") < lines.index("keyed/locked premium 1 2 32k")
    assert any(line.startswith("1 of ") and "may answer" in line for line in lines)


def test_models_shows_mistakes_and_what_is_right_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('colour = "red"\n' + CONFIG)
    assert cli.main(["models", "--config", str(path)]) == 1
    shown = capsys.readouterr()
    assert f"{path}:1: " in shown.err
    assert "mine/small" in shown.out
