"""``tuppence route``: one JSON line per question for programs, one table for people; no provider is called."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import unmeasured
from benchmarks.routing.data import MODELS
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_code import snippets
from scenario import SRC
from server import environment
from work import lines as lines_run
from work import parses

from tuppence import cli
from tuppence.cli._route_jsonl import Router
from tuppence.cli.route import _moment
from tuppence.config import load
from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.credentials import Keys

PROVIDER = '[providers.p]\nwire = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
PRICES = ((5, 25), (3, 15), (2.5, 15), (0.8, 3), (0.6, 2.9), (1, 3), (0.34, 1.38), (0.11, 0.66))
ROW = '[[models]]\nprovider = "p"\nid = "{}"\nprice = {{ input = {}, output = {} }}\n'
EIGHT = PROVIDER + "".join(ROW.format(name, *price) for name, price in zip(MODELS, PRICES, strict=True))
"""The models that were measured, by their ids as the data has them, with nothing but a price."""
CODE = "def mean(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total / len(x)\n"
IDS = [each.id for each in ACTIONS]
FULL = {"id": 1, "action": "fix", "language": "python", "code": CODE, "diagnostics": [], "input_tokens": 900}


def ask(folder: Path, lines: Iterable[object], *words: str, config: str = EIGHT) -> tuple[int, list[dict[str, Any]]]:
    """Put lines, which are JSON unless they are bytes, through the command itself."""
    path = folder / "config.toml"
    path.write_text(config, encoding="utf-8")
    raw = b"".join((each if isinstance(each, bytes) else json.dumps(each).encode()) + b"\n" for each in lines)
    command = [sys.executable, "-m", "tuppence", "route", "--jsonl", "--config", str(path), *words]
    done = subprocess.run(command, check=False, capture_output=True, input=raw, timeout=60, env=environment(folder))
    assert b"Traceback" not in done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def router(folder: Path, config: str = EIGHT, quality: float | None = None) -> Router:
    path = folder / "config.toml"
    path.write_text(("" if quality is None else f"quality = {quality}\n") + config, encoding="utf-8")
    when = _moment("2026-11-21")
    return Router(load(path, today=when.date()), Keys({}), shipped(), when)


SHAPE = ("id", "model", "difficulty", "reasons", "expected_cost_usd", "expected_quality", "ladder")


def test_a_question_a_line_gives_a_choice_a_line(tmp_path: Path) -> None:
    code, [answer] = ask(tmp_path, [FULL])
    assert code == 0
    assert list(answer) == list(SHAPE)
    assert answer["id"] == 1
    assert answer["model"] in MODELS
    assert answer["ladder"][0] == answer["model"]
    assert set(answer["ladder"]) <= set(MODELS)
    assert 0 < answer["difficulty"] < 1
    assert all(isinstance(each, str) for each in answer["reasons"])
    assert 0 < answer["expected_cost_usd"] < 0.1
    assert 0 < answer["expected_quality"] < 1


def test_all_but_id_and_action_may_be_null_or_absent(tmp_path: Path) -> None:
    empty = dict.fromkeys(FULL) | {"id": "a", "action": "explain"}
    bare = {"id": "b", "action": "explain"}
    code, [first, second, third] = ask(tmp_path, [empty, bare, {**FULL, "input_tokens": None}])
    assert code == 0
    assert first["difficulty"] == 0.5
    assert first["reasons"] == ["the code is not known"]
    assert {**first, "id": "b"} == second
    assert first["expected_cost_usd"] > 0
    assert third["difficulty"] != first["difficulty"]
    assert third["reasons"][0] in {"simple", "moderate", "hard"}


def test_a_bad_line_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad: dict[str, object] = {
        "The line is not JSON.": b"{",
        "The line is not a JSON object.": [1],
        "The line is not UTF-8 text.": b'{"id": "\xff"}',
        'The line has no "id".': {"action": "fix"},
        'The line has no "action".': {"id": 2},
        f'"action" must be one of: {", ".join(IDS)}.': {"id": 2, "action": "dance"},
        '"language" must be a text or null.': {**FULL, "language": 7},
        '"code" must be a text or null.': {**FULL, "code": ["x"]},
        '"input_tokens" must be a whole number or null.': {**FULL, "input_tokens": -1},
        '"diagnostics" must be an array of LSP diagnostics or null.': {**FULL, "diagnostics": "F821"},
        'Each of "diagnostics" must be an LSP diagnostic, which has a "message".': {**FULL, "diagnostics": [{}]},
    }
    code, answers = ask(tmp_path, [FULL, *bad.values(), b"", FULL])
    assert code == 1
    first, *middle, blank, last = answers
    assert [each["error"] for each in middle] == list(bad)
    assert [each["id"] for each in middle] == [None] * 4 + [2, 2, 1, 1, 1, 1, 1]
    assert blank == {"id": None, "error": "The line is not JSON."}
    assert first == last
    assert "model" in first


@pytest.mark.parametrize("raw", [b'{"id": ' + b"[" * 100_000, b'{"id": ' + b"9" * 10_000 + b"}", b"\x00", b"nul"])
def test_no_line_is_too_odd(tmp_path: Path, raw: bytes) -> None:
    answer = router(tmp_path).answer(raw)
    assert answer == {"id": None, "error": "The line is not JSON."}


@pytest.mark.parametrize("raw", [b"NaN", b"-Infinity", b"1e999", b'[{"a": -1e999}]'])
def test_what_is_printed_is_json_for_everybody(tmp_path: Path, raw: bytes) -> None:
    answer = router(tmp_path).answer(b'{"action": "fix", "id": ' + raw + b"}")
    assert answer == {"id": None, "error": '"id" cannot be given back as it is.'}


@pytest.mark.parametrize("identity", ["", 0, False, 1.5, [1, {"a": None}], {"x": "é\u2028"}, "\ud800", 10**30])
def test_an_id_comes_back_as_it_is(tmp_path: Path, identity: object) -> None:
    answer = router(tmp_path).answer(json.dumps({**FULL, "id": identity}).encode())
    assert json.loads(json.dumps(answer))["id"] == identity
    assert "model" in answer


def test_lines_as_windows_writes_them_are_read(tmp_path: Path) -> None:
    plain = router(tmp_path).answer(json.dumps(FULL).encode())
    assert router(tmp_path).answer(b"\xef\xbb\xbf" + json.dumps(FULL).encode() + b"\r\n") == plain


@pytest.mark.parametrize(
    "told",
    [
        {"message": "m", "severity": 1},
        {"message": {"kind": "markdown", "value": "m"}},
        {"message": "m", "severity": 99, "range": None, "code": {"value": 1}, "source": 7, "tags": "all"},
    ],
)
def test_a_diagnostic_is_taken_for_what_it_says(tmp_path: Path, told: dict[str, object]) -> None:
    usual = router(tmp_path).answer(json.dumps({**FULL, "diagnostics": [{"message": "m"}]}).encode())
    assert router(tmp_path).answer(json.dumps({**FULL, "diagnostics": [told]}).encode()) == usual


def test_of_long_code_it_is_said_how_much_was_looked_at(tmp_path: Path) -> None:
    long = "".join(f"x{n} = {n}\n\n" for n in range(2000))
    answer = router(tmp_path).answer(json.dumps({**FULL, "code": long, "input_tokens": None}).encode())
    assert answer["reasons"] == [
        "moderate",
        "2000 lines",
        "counted in part",
        "models compared by its first 4,000 characters",
    ]
    short = router(tmp_path).answer(json.dumps({**FULL, "code": "f = lambda: 1\n"}).encode())
    assert short["reasons"] == ["simple", "1 closure", "1 line"]
    plain = router(tmp_path).answer(json.dumps({**FULL, "code": "x = 1\n"}).encode())
    assert plain["reasons"] == ["simple", "1 line"]


def test_nothing_but_the_question_the_configuration_and_the_day_decides(tmp_path: Path) -> None:
    """Two processes of different people: another home with a ledger in it, hash seed, language, time zone, folder."""
    asked = [{**FULL, "id": n, "action": IDS[n % len(IDS)], "code": CODE.replace("mean", f"é{n}")} for n in range(20)]
    raw = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in asked).encode()
    config = tmp_path / "config.toml"
    config.write_text(EIGHT)
    words = ("route", "--jsonl", "--config", str(config), "--at", "2026-11-21")
    told = []
    for seed, more in (
        ("1", {"LC_ALL": "C", "TZ": "Pacific/Kiritimati", "PYTHONIOENCODING": "latin-1"}),
        ("2", {"LC_ALL": "de_DE.UTF-8", "TZ": "America/Los_Angeles", "PYTHONUTF8": "0"}),
    ):
        home = tmp_path / f"home{seed}"
        home.mkdir()
        env = environment(home) | {"PYTHONHASHSEED": seed, **more}
        if seed == "2":
            subprocess.run(
                [sys.executable, "-m", "tuppence", "cost"], check=True, capture_output=True, env=env, timeout=60
            )
        done = subprocess.run(
            [sys.executable, "-m", "tuppence", *words], check=True, capture_output=True, input=raw, env=env, cwd=home,
            timeout=60,
        )  # fmt: skip
        assert done.stderr == b""
        told.append(done.stdout)
    assert told[0] == told[1]
    assert len(told[0].splitlines()) == len(asked)


@pytest.mark.parametrize("tokens", [True, "9", 1.5, float("nan"), float("inf"), 10**12, [], -0.5])
def test_tokens_are_counted_in_whole_numbers(tmp_path: Path, tokens: object) -> None:
    asked = json.dumps({**FULL, "input_tokens": tokens}).encode()
    assert router(tmp_path).answer(asked) == {"id": 1, "error": '"input_tokens" must be a whole number or null.'}


def test_who_may_not_answer_is_no_choice(tmp_path: Path) -> None:
    keyed = EIGHT.replace("[[models]]", 'key_env = "P_KEY"\n[[models]]', 1)
    code, [answer] = ask(tmp_path, [FULL], config=keyed)
    assert (code, list(answer)) == (1, ["id", "error"])
    assert answer["error"].startswith("No model may answer this: P_KEY is not set; ")
    code, [long, _] = ask(tmp_path, [{**FULL, "input_tokens": 900_000}, FULL])
    assert code == 0
    assert set(long["ladder"]) <= {"claude-opus-4-6", "claude-sonnet-4-6", "gpt-5.4", "qwen3.5-plus"}
    code, [answer] = ask(tmp_path, [{**FULL, "input_tokens": 5_000_000}])
    assert code == 1
    assert "does not fit the longest context, of 1050000; " in answer["error"]


def test_without_any_price_the_list_prices_are_reckoned_with(tmp_path: Path) -> None:
    bare = PROVIDER + "".join(f'[[models]]\nprovider = "p"\nid = "{name}"\n' for name in MODELS)
    asked = json.dumps(FULL).encode()
    answer = router(tmp_path, bare).answer(asked)
    assert answer["model"] in MODELS
    assert answer["expected_cost_usd"] > 0
    assert answer["reasons"][-1] == "reckoned with list prices, because the configuration states none"
    priced = bare + "price = { input = 1, output = 5 }\n"
    one = router(tmp_path, priced).answer(asked)
    assert one["model"] == answer["model"], "whether or not another one has a price"
    assert one["reasons"] == answer["reasons"]
    row = '[[models]]\nprovider = "p"\nid = "nobody-knows"\ntier = "premium"\n'
    assert router(tmp_path, bare + row).answer(asked) == answer, "whose price nobody knows is left out"
    unknown = PROVIDER + row
    assert "its price is unknown" in router(tmp_path, unknown).answer(asked)["error"]


def test_built_in_rows_with_a_key_do_not_keep_the_configurations_own_from_answering(tmp_path: Path) -> None:
    bare = PROVIDER + "".join(f'[[models]]\nprovider = "p"\nid = "{name}"\n' for name in MODELS)
    bare = f'exclude = ["anthropic/claude-haiku-5-5"]\n{bare}'
    (tmp_path / "config.toml").write_text(bare)
    when = _moment("2026-11-21")
    keyed = Router(load(tmp_path / "config.toml", today=when.date()), Keys({"ANTHROPIC_API_KEY": "k"}), shipped(), when)
    answer = keyed.answer(json.dumps(FULL).encode())
    assert answer["model"] in MODELS
    assert answer["model"] == router(tmp_path, bare).answer(json.dumps(FULL).encode())["model"]
    assert answer["reasons"][-1].startswith("reckoned with list prices")
    pinned = '[actions.fix]\nmodel = "anthropic/claude-sonnet-5-5"\n'
    (tmp_path / "config.toml").write_text(bare + pinned)
    only = Router(load(tmp_path / "config.toml", today=when.date()), Keys({"ANTHROPIC_API_KEY": "k"}), shipped(), when)
    told = only.answer(json.dumps(FULL).encode())
    assert told["model"] == "claude-sonnet-5-5"
    assert not [each for each in told["reasons"] if "list prices" in each]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "There is no such file."),
        (b"[providers\n", "This is not TOML: "),
        (b"\xff\n", "The file is not UTF-8 text."),
        ("folder", "This is not a file."),
    ],
)
@pytest.mark.parametrize("form", ["--jsonl", "stats.py:1"])
def test_a_configuration_that_was_named_and_cannot_be_read_answers_nothing(
    tmp_path: Path, content: bytes | str | None, why: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        path.mkdir()
    (tmp_path / "stats.py").write_text(SRC)
    place = form if form == "--jsonl" else str(tmp_path / form)
    assert cli.main(["route", place, "--config", str(path)]) == 2
    out, complaint = capsys.readouterr()
    assert out == ""
    assert complaint.startswith(f"{path}:")
    assert why in complaint


def test_a_usual_configuration_that_cannot_be_read_answers_nothing_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text("exclude = [\n")
    monkeypatch.setattr("tuppence.config.config.default_path", lambda: path)
    assert cli.main(["route", "--jsonl"]) == 2
    assert capsys.readouterr().err.startswith(f"{path}:")


def test_rows_at_list_prices_are_told_what_really_keeps_them(tmp_path: Path) -> None:
    bare = PROVIDER + "".join(f"[[models]]\nid = '{name}'\nprovider = 'p'\n" for name in MODELS)
    long = json.dumps({**FULL, "input_tokens": 5_000_000}).encode()
    assert "of about 5000000 tokens does not fit the longest context" in router(tmp_path, bare).answer(long)["error"]


def test_no_configuration_at_all_can_be_named() -> None:
    found = load(Path("/dev/null"))
    assert (found.mistakes, found.is_unread, found.models) == ((), False, load(Path("/nowhere")).models)


def test_an_id_at_two_providers_is_told_with_its_provider(tmp_path: Path) -> None:
    other = '[providers.q]\nwire = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'
    twice = EIGHT + other + "".join(ROW.format(name, 1, 5).replace('"p"', '"q"') for name in MODELS)
    answer = router(tmp_path, twice).answer(json.dumps(FULL).encode())
    assert answer["model"].partition("/")[0] in ("p", "q")
    alone = router(tmp_path, EIGHT + other).answer(json.dumps(FULL).encode())
    assert alone["model"] in MODELS


def test_a_quality_of_nothing_is_the_cheapest_of_all(tmp_path: Path) -> None:
    free = EIGHT + '[[models]]\nprovider = "p"\nid = "none"\ntier = "local"\nprice = 0\nability = { fix = 0.0 }\n'
    assert ask(tmp_path, [FULL], "--quality", "0", config=free)[1][0]["model"] == "none"


def test_quality_beats_what_the_configuration_says(tmp_path: Path) -> None:
    pinched = "quality = 0.9\n[actions.fix]\nquality = 0.01\n[languages.python]\nquality = 0.02\n" + EIGHT
    _, [cheap] = ask(tmp_path, [FULL], config=pinched)
    _, [best] = ask(tmp_path, [FULL], "--quality", "1", config=pinched)
    _, [named] = ask(tmp_path, [FULL], "--quality", "best", config=pinched)
    assert cheap["expected_quality"] < best["expected_quality"]
    assert cheap["expected_cost_usd"] < best["expected_cost_usd"]
    assert best == named


def test_the_day_decides_who_is_retired_and_what_it_costs(tmp_path: Path) -> None:
    dated = EIGHT + "".join(
        f'[[models]]\nprovider = "p"\nid = "m{n}"\ntier = "premium"\nability = {{ fix = 1 }}\nprice = 0\n{extra}'
        for n, extra in enumerate(["retires_on = 2026-06-01\n"])
    )
    _, [early] = ask(tmp_path, [FULL], "--at", "2026-05-31", config=dated)
    _, [late] = ask(tmp_path, [FULL], "--at", "2026-06-01", config=dated)
    assert early["model"] == "m0"
    assert late["model"] != "m0"


def test_the_same_question_gets_the_same_answer_whatever_stands_around_it(tmp_path: Path) -> None:
    asked = [{**FULL, "id": number, "action": IDS[number % len(IDS)]} for number in range(12)]
    _, together = ask(tmp_path, asked)
    _, reversed_ = ask(tmp_path, asked[::-1])
    assert together == reversed_[::-1]
    mixed = PROVIDER + "".join(
        ROW.format(name, *price) for name, price in reversed(list(zip(MODELS, PRICES, strict=True)))
    )
    _, other_order = ask(tmp_path, asked, config=mixed)
    assert other_order == together


def test_each_answer_is_there_before_the_next_question(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(EIGHT)
    command = [sys.executable, "-m", "tuppence", "route", "--jsonl", "--config", str(tmp_path / "config.toml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(json.dumps({**FULL, "id": number}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["id"] == number
        process.stdin.close()
        assert process.wait(60) == 0


def test_no_ledger_and_no_model_of_this_machine_is_looked_at(tmp_path: Path) -> None:
    """It runs where nothing can be written, and what it loads is neither network nor database."""
    code = (
        "import sys; from tuppence.cli import main\n"
        f"main(['route', '--jsonl', '--config', {str(tmp_path / 'config.toml')!r}])\n"
        "print(sorted({'sqlite3', 'xllamacpp'} & set(sys.modules)), file=sys.stderr)"
    )
    (tmp_path / "config.toml").write_text(EIGHT)
    home = {"HOME": "/nonexistent", "XDG_DATA_HOME": "/nonexistent", "XDG_RUNTIME_DIR": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, input=json.dumps(FULL).encode(),
        env=unmeasured.environment() | home, timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout)["id"] == 1
    assert done.stderr.strip() == b"[]"


odd = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
diagnostics = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("message", "severity", "range", "code", "source", "data", "tags"), odd)
)
questions = st.fixed_dictionaries(
    {},
    optional={
        "id": odd,
        "action": st.one_of(st.sampled_from(IDS), odd),
        "language": st.one_of(st.sampled_from(["python", "rust", "plaintext", "klingon"]), odd),
        "code": st.one_of(st.text(max_size=200), odd),
        "diagnostics": st.one_of(st.lists(diagnostics, max_size=3), odd),
        "input_tokens": st.one_of(st.integers(0, 2_000_000), odd),
    },
)
"""Questions of which any part may be missing or make no sense."""


@pytest.fixture(scope="module", name="one")
def _one(tmp_path_factory: pytest.TempPathFactory) -> Router:
    return router(tmp_path_factory.mktemp("one"))


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.builds(lambda each: json.dumps(each).encode(), st.one_of(questions, odd))))
def test_whatever_a_line_is_it_gets_one_answer_of_one_shape(one: Router, raw: bytes) -> None:
    answer = one.answer(raw)
    told = json.loads(json.dumps(answer, allow_nan=False))
    assert "\n" not in json.dumps(answer)
    if "error" in told:
        assert list(told) == ["id", "error"]
        assert told["error"]
        return
    assert list(told) == list(SHAPE)
    assert told["id"] == json.loads(raw.decode("utf-8-sig"))["id"]
    assert told["ladder"][0] == told["model"]
    assert all(isinstance(each, str) for each in (*told["reasons"], *told["ladder"]))
    assert 0 <= told["difficulty"] <= 1
    assert 0 <= told["expected_quality"] <= 1
    assert told["expected_cost_usd"] >= 0


codes = st.text("abc def():\n    =+[]xyz", max_size=400)


@settings(max_examples=60, deadline=None)
@given(codes, st.sampled_from(IDS), st.floats(0.5, 1), st.floats(0.5, 1))
def test_more_quality_is_never_less(
    tmp_path_factory: pytest.TempPathFactory, code: str, action: str, one: float, other: float
) -> None:
    folder = tmp_path_factory.mktemp("quality")
    asked = json.dumps({"id": 0, "action": action, "language": "python", "code": code}).encode()
    low, high = (router(folder, quality=each).answer(asked) for each in sorted((one, other)))
    assert low["expected_quality"] <= high["expected_quality"]


def test_five_hundred_lines_a_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        json.dumps({**FULL, "id": number, "action": IDS[number % len(IDS)], "code": code}).encode()
        for number, code in enumerate(snippets(400))
    ]
    lines = router(tmp_path)
    lines.answer(json.dumps({**FULL, "code": "def warm():\n    return 1\n"}).encode())
    parsed, read = parses(monkeypatch), list[int]()
    loads = json.loads

    def counted(text: Any, **how: Any) -> Any:
        read.append(len(text))
        return loads(text, **how)

    monkeypatch.setattr(json, "loads", counted)
    ran = [lines_run(lambda: lines.answer(each))[1] for each in asked]  # noqa: B023 - called at once
    print(f"route --jsonl: {sum(ran) / len(ran):.0f} lines of code for 60 lines of real code, at most {max(ran)}")
    assert len(parsed) == len(asked), "the code is parsed once for a question"
    assert len(read) == len(asked), "a question is read once"
    assert max(ran) < 15_000


# For a person


def test_the_table_names_every_model_and_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(EIGHT)
    (tmp_path / "stats.py").write_text(SRC)
    place = f"{tmp_path / 'stats.py'}:2"
    assert cli.main(["route", place, "--action", "explain", "--config", str(tmp_path / "config.toml")]) == 0
    shown = capsys.readouterr().out
    flat = " ".join(shown.split())
    assert "; explain rated " in flat
    for name in MODELS:
        assert f"p/{name} " in shown
    [first] = [line for line in shown.splitlines() if line.rstrip().endswith(" 1")]
    assert flat.startswith(f"Explain `mean`: {first.split()[0].removeprefix('p/')}, $")
    assert "OPENAI_API_KEY is not set" in shown
    assert "retired on 2026-10-23" in shown
    assert "±" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_byte_order_mark_is_no_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(EIGHT)
    shown = []
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "stats.py").write_bytes(mark + SRC.encode())
        assert cli.main(["route", f"{tmp_path / 'stats.py'}:1", "--config", str(tmp_path / "config.toml")]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


def test_where_nobody_may_answer_the_table_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "")
    (tmp_path / "config.toml").write_text(EIGHT.replace("[[models]]", 'key_env = "P_KEY"\n[[models]]', 1))
    (tmp_path / "stats.py").write_text(SRC)
    assert cli.main(["route", f"{tmp_path / 'stats.py'}:2", "--config", str(tmp_path / "config.toml")]) == 1
    shown, complaint = capsys.readouterr()
    assert complaint.startswith("tuppence: No model may answer this: P_KEY is not set; ")
    lines = shown.splitlines()
    assert lines[0] == "Fix `mean`: no model may answer."
    assert re.fullmatch(r"Prompt of about \d+ tokens\.", lines[1])
    mine = shown[shown.index("P_KEY is not set") :].partition("\n\n")[0]
    assert all(f"p/{name} " in mine for name in MODELS)
    assert "OPENAI_API_KEY is set but empty" in shown
    assert max(map(len, lines)) <= 80


def test_each_effort_is_a_row_of_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    efforts = (
        '[[models]]\nprovider = "p"\nid = "thinker"\ntier = "workhorse"\nprice = { input = 1, output = 5 }\n'
        "context = 128000\nmax_output = 16000\nability = { fix = 0.6 }\n"
        'at_effort = { low = { send = { e = "l" }, thinking = 500, ability = { fix = 0.65 } }, '
        'high = { send = { e = "h" }, thinking = 3000, ability = { fix = 0.7 } } }\n'
    )
    (tmp_path / "config.toml").write_text(PROVIDER + efforts)
    (tmp_path / "stats.py").write_text(SRC)
    words = ("route", f"{tmp_path / 'stats.py'}:2", "--config", str(tmp_path / "config.toml"))
    for quality, first in (("0.5", "p/thinker"), ("0.997", "p/thinker@low"), ("1", "p/thinker@high")):
        assert cli.main([*words, "--quality", quality]) == 0
        rows = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("p/thinker")]
        assert {row[0] for row in rows} == {"p/thinker", "p/thinker@low", "p/thinker@high"}
        assert [row[0] for row in rows if row[-1] == "1"] == [first]
    answer = router(tmp_path, PROVIDER + efforts, 1.0).answer(json.dumps(FULL).encode())
    assert (answer["model"], answer["reasons"][-1]) == ("thinker", "at high effort")


def test_the_table_says_who_is_asked_for_blocks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(
        f'[[models]]\nprovider = "p"\nid = "{name}"\ntier = "workhorse"\nprice = {{ input = 1, output = {output} }}\n'
        f"context = 128000\nmax_output = 16000\nability = {{ fix = {fix} }}\n"
        f'edit = "blocks"\nedit_adherence = {share}\n'
        for name, output, fix, share in (("a", 5, 0.6, 0.99), ("b", 6, 0.61, 0.99), ("c", 7, 0.62, 0.3))
    )
    (tmp_path / "config.toml").write_text(PROVIDER + rows)
    body = "".join(f"    xs = [*xs, {number}]\n" for number in range(120))
    (tmp_path / "stats.py").write_text(f"def mean(xs):\n{body}    return xs\n\n\ndef half(xs):\n    return xs\n")
    shown = {}
    for line in (1, 125):
        words = ("route", f"{tmp_path / 'stats.py'}:{line}", "--action", "fix", "--quality", "0.5")
        assert cli.main([*words, "--config", str(tmp_path / "config.toml")]) == 0
        out = capsys.readouterr().out
        assert max(map(len, out.splitlines())) <= 80
        rows_shown = [each.split() for each in out.splitlines() if each.startswith("p/")]
        shown[line] = {row[0]: row[-1] for row in rows_shown}, "asked for the changes alone" in " ".join(out.split())
    assert shown == {
        1: ({"p/a": "blocks", "p/b": "blocks", "p/c": "3"}, True),
        125: ({"p/a": "1", "p/b": "2", "p/c": "3"}, False),
    }


def test_a_long_piece_of_code_costs_less_in_blocks_but_with_marks_in_it(tmp_path: Path) -> None:
    row = ROW.format("a", 1, 5) + 'tier = "workhorse"\nmax_output = 16000\nedit_adherence = 1.0\nedit = "{}"\n'
    body = "".join(f"    xs = [*xs, {number}]\n" for number in range(120))
    code = f"def mean(xs):\n{body}    return xs\n"
    for text, less in ((code, True), (code + "=======\n", False), ("def half(xs):\n    return xs\n", False)):
        line = json.dumps({**FULL, "code": text}).encode()
        blocks, whole = (
            router(tmp_path, PROVIDER + row.replace("{}", form)).answer(line)["expected_cost_usd"]
            for form in ("blocks", "whole")
        )
        assert (blocks < whole) is less


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("gone.py:1", "gone.py cannot be read: No such file or directory."),
        ("stats.py:99", "There is no line 99: the file has 7."),
        ("stats.py:3-2", "There are no lines 3 to 2: the file has 7."),
        ("stats.py:0", "There is no line 0: the file has 7."),
        ("latin.py", "latin.py is not UTF-8 text."),
        ("blank.py", "There is no code at blank.py."),
        (".", ". cannot be read: Is a directory."),
    ],
)
def test_a_place_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str, complaint: str
) -> None:
    (tmp_path / "stats.py").write_text(SRC)
    (tmp_path / "latin.py").write_bytes(b"\xff")
    (tmp_path / "blank.py").write_text("\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["route", place]) == 2
    assert capsys.readouterr().err.startswith(f"tuppence: {complaint}")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ([], "name a FILE[:LINES|:NAME], or --jsonl and no file"),
        (["a.py", "--jsonl"], "name a FILE[:LINES|:NAME], or --jsonl and no file"),
        (["--jsonl", "--quality", "2"], '"2" is not a quality: write a number from 0 to 1, or thrifty, balanced, best'),
        (["--jsonl", "--at", "today"], '"today" is not a date: write 2026-11-21'),
        (["a.py", "--action", "dance"], "invalid choice: 'dance'"),
    ],
)
def test_a_mistaken_command_line_is_explained(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["route", *words]) == 2
    assert complaint in capsys.readouterr().err
