"""The configuration file: its meaning, its error messages, and how changes are applied."""

from __future__ import annotations

import os
import tomllib
from dataclasses import fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import PACKAGE, ROOT

from tuppence.config import Config, Override, Watched, config, load, model_columns
from tuppence.config.config import SETTINGS
from tuppence.config.policy import routing_policy
from tuppence.config.settings import BUDGET
from tuppence.config.toml_locations import Lines
from tuppence.core.actions import EXPLAIN, FIX
from tuppence.core.billing.budget import PERIODS, Limits
from tuppence.core.models.model import Model

TODAY = date(2026, 11, 21)
EXAMPLE = ROOT / "config.example.toml"
MINE = '[providers.mine]\nwire = "openai"\nbase_url = "http://127.0.0.1:18080/v1"\n'
SMALL = '[[models]]\nid = "small"\nprovider = "mine"\ntier = "budget"\nprice = 0\n'


def read(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_bytes(text.encode())
    return load(path, today=TODAY)


def check(folder: Path, text: str, expected: list[str]) -> Config:
    """Hold the mistakes of a file against lines such as ``3: There is no wire "soap".``, remedy after a bar."""
    found = read(folder, text)
    assert [f"{each.line}: {each.what} | {each.remedy}" for each in found.mistakes] == expected
    return found


# Defaults and settings


def test_no_file_gives_the_defaults() -> None:
    found = load(today=TODAY)
    assert (found.quality, found.preset, found.edits, found.exclude) == (None, "balanced", "live", frozenset())
    assert (found.actions, found.languages, found.mistakes, found.warnings) == ({}, {}, (), ())
    assert len(found.models) > 40
    assert "anthropic" in found.providers
    assert found.path == config.default_path()


def test_a_named_file_that_is_missing_is_said(tmp_path: Path) -> None:
    found = load(tmp_path / "confg.toml")
    assert found.mistakes == ()
    assert found.warnings == (f"There is no file {tmp_path / 'confg.toml'}; the defaults apply.",)


def test_the_default_path_lies_in_the_users_config_folder() -> None:
    assert config.default_path() == Path(os.environ["XDG_CONFIG_HOME"]) / "tuppence" / "config.toml"


@pytest.mark.parametrize(
    ("preset", "quality", "fix"), [("thrifty", 0.85, 0.85), ("balanced", 0.92, 0.92), ("best", 1.0, 1.0)]
)
def test_a_preset_stands_for_a_quality(tmp_path: Path, preset: str, quality: float, fix: float) -> None:
    for text in (f'preset = "{preset}"', f'quality = "{preset}"', f'preset = "best"\nquality = "{preset}"'):
        found = check(tmp_path, text, [])
        assert (found.preset, found.quality) == (preset, None)
        assert (routing_policy(found, EXPLAIN, "rust").quality, routing_policy(found, FIX, "rust").quality) == (
            quality,
            fix,
        )
    numbered = check(tmp_path, f'preset = "{preset}"\nquality = 0.5', [])
    assert (routing_policy(numbered, EXPLAIN, "rust").quality, routing_policy(numbered, FIX, "rust").quality) == (
        0.5,
        0.5,
    )
    assert check(tmp_path, f'[actions.fix]\nquality = "{preset}"', []).actions["fix"].quality == quality


def test_premium_models_and_the_amount_to_ask_above_can_be_set(tmp_path: Path) -> None:
    none = load(today=TODAY)
    assert (none.premium, none.ask_above) == ("use", Decimal("0.05"))
    found = check(tmp_path, 'premium = "ask"\nask_above = 0.2\n', [])
    assert (found.premium, found.ask_above) == ("ask", Decimal("0.2"))
    check(
        tmp_path,
        'premium = "no"\nask_above = -1\n',
        [
            '1: "premium" cannot be "no". | Write one of: "use", "ask", "never".',
            '2: "ask_above" must be an amount of USD, not -1. | Write US dollars: 0.05.',
        ],
    )


def test_the_users_own_providers_are_known(tmp_path: Path) -> None:
    assert read(tmp_path, MINE + SMALL).own == {"mine"}
    assert read(tmp_path, '[[models]]\nprovider = "openai"\nid = "gpt-4o-mini"\n').own == {"openai"}


def test_overrides(tmp_path: Path) -> None:
    text = '[actions.fix]\nquality = 0.98\n[languages.rust]\nmodel = "openai/gpt-6-luna"\n'
    found = check(tmp_path, text, [])
    assert found.actions == {"fix": Override(0.98)}
    assert found.languages == {"rust": Override(None, "openai/gpt-6-luna")}


def test_a_byte_order_mark_and_windows_line_endings_are_no_mistake(tmp_path: Path) -> None:
    assert check(tmp_path, '\ufeffpreset = "best"\r\nedits = "final"\r\n', []).edits == "final"
    check(
        tmp_path,
        '\ufeff# one\r\n# two\r\nedits = "later"\r\n',
        ['3: "edits" cannot be "later". | Write one of: "live", "final".'],
    )


# Mistakes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('presett = "best"', '1: Unknown key "presett". | Did you mean "preset"?'),
        (
            "\n[cupboard]\nday = 1",
            (
                '2: Unknown key "cupboard". | '
                "Write one of: quality, preset, exclude, premium, ask_above, pair_above, timeouts, edits, "
                "keep_answers, hover, hover_cap, keep_alive, ledger, run_tests, trusted, public, "
                "actions, languages, providers, models, budget, secrets."
            ),
        ),
        ('preset = "cheap"', '1: "preset" cannot be "cheap". | Write one of: "thrifty", "balanced", "best".'),
        (
            'quality = "high"',
            (
                '1: "quality" cannot be "high". | '
                'Write a number from 0.01 to 1, or one of: "thrifty", "balanced", "best".'
            ),
        ),
        ("quality = 97", '1: "quality" must be a number from 0.01 to 1, not 97. | Write a number from 0.01 to 1.'),
        ("quality = nan", '1: "quality" must be a number from 0.01 to 1, not NaN. | Write a number from 0.01 to 1.'),
        ("quality = true", '1: "quality" must be a number from 0.01 to 1, not true. | Write a number from 0.01 to 1.'),
        ('hover = "on"', '1: "hover" cannot be "on". | Write one of: "kept", "offer", "auto", "off".'),
        ("run_tests = 1", '1: "run_tests" must be true or false, not 1. | Write true or false.'),
        ('trusted = ["here"]', '1: "trusted" must be a whole path, not "here". | Write "/..." or "~/...".'),
        (
            'ledger = "postgresql://user:pa/ss@host/books"',
            (
                '1: "ledger" is not a valid PostgreSQL address. | Leave the password out of it, for ~/.pgpass or '
                "PGPASSWORD; or write its special characters as %2F for a slash, %40 for an at sign, %25 for a percent "
                "sign."
            ),
        ),
        ('public = ["~", 7]', '1: "public" must be a text, not 7. | Write it in quotes: "...".'),
        ("keep_alive = true", '1: "keep_alive" must be an amount of USD, not true. | Write US dollars: 0.05.'),
        ("hover_cap = -1", '1: "hover_cap" must be an amount of USD, not -1. | Write US dollars: 0.05.'),
        ('exclude = "a/b"', '1: "exclude" must be an array. | Write exclude = ["provider/id"].'),
        ("exclude = [7]", '1: "exclude" must be a text, not 7. | Write it in quotes: "...".'),
        (
            'exclude = [\n  "openai/gpt-6-luna",\n  "openai/gpt-6-lunar",\n]',
            '3: There is no model "openai/gpt-6-lunar" in the tier table. | Did you mean "openai/gpt-6-luna"?',
        ),
        (
            '[actions.fix]\nmodel = "gpt-6-luna"',
            '2: There is no model "gpt-6-luna" in the tier table. | Did you mean "openai/gpt-6-luna"?',
        ),
        (
            '[actions.fix]\nmodel = "zzz/qqq"',
            (
                '2: There is no model "zzz/qqq" in the tier table. | '
                'Write "provider/id" of a built-in row or of one of your [[models]].'
            ),
        ),
        ("[actions.fux]\nquality = 1", '1: Unknown action "actions.fux". | Did you mean "fix"?'),
        ('[actions.fix]\nmodle = "a/b"', '2: Unknown key "actions.fix.modle". | Did you mean "model"?'),
        ("actions = 3", '1: "actions" must hold tables. | Write [actions.fix].'),
        ("[languages]\nrust = 1", '2: "languages.rust" must be a table, not 1. | Write { key = value, ... }.'),
        (
            "[providers]\nmine = 1",
            '2: "providers.mine" must be a table, not 1. | Write { key = value, ... }.',
        ),
        (
            "models = 1",
            '1: "models" must be an array of tables. | Write [[models]], with two brackets, above each model.',
        ),
        (
            "[models]\nid = 1",
            '1: "models" must be an array of tables. | Write [[models]], with two brackets, above each model.',
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_to_write(tmp_path: Path, text: str, expected: str) -> None:
    check(tmp_path, text, [expected])


@pytest.mark.parametrize(
    ("text", "header"),
    [
        (MINE + "quality = 0.9", "providers.mine"),
        (MINE + SMALL + 'preset = "best"', "models"),
        ("[actions.fix]\nexclude = []", "actions.fix"),
        ("[actions]\nquality = 0.9", "actions"),
        ("[languages.rust]\nedits = 'final'", "languages.rust"),
    ],
)
def test_a_setting_below_a_table_is_recognised(tmp_path: Path, text: str, header: str) -> None:
    (mistake,) = read(tmp_path, text).mistakes
    assert mistake.line == text.count("\n") + 1
    assert mistake.what.endswith(f'is below the header of "{header}", so it belongs to that table.')
    assert mistake.remedy == "Move it above the first [table] of the file."


def test_every_mistake_is_reported_at_once_and_the_good_rows_still_work(tmp_path: Path) -> None:
    text = (
        'preset = "best"\nedit = "live"\n' + MINE + SMALL + '[[models]]\nid = "bad"\nprovider = "mine"\ntier = "top"\n'
    )
    text += "context = -1\nprice = { input = -1, output = 1 }\n[actions.fix]\nquality = 2\n"
    found = check(
        tmp_path,
        text,
        [
            '2: Unknown key "edit". | Did you mean "edits"?',
            '14: "tier" cannot be "top". | Write one of: "premium", "workhorse", "budget", "specialised", "local".',
            (
                '15: "context" must be a whole number of at least 1, not -1. | '
                "Write a whole number without quotes, such as 8192."
            ),
            '16: "price.input" must not be negative. | Write USD per million tokens: 0.15.',
            '18: "actions.fix.quality" must be a number from 0.01 to 1, not 2. | Write a number from 0.01 to 1.',
        ],
    )
    assert found.preset == "best"
    assert "mine/small" in {model.name for model in found.models}
    assert "mine/bad" not in {model.name for model in found.models}


def test_a_pin_on_a_missing_row_stays_a_pin(tmp_path: Path) -> None:
    found = read(tmp_path, '[actions.fix]\nmodel = "mine/gone"')
    assert len(found.mistakes) == 1
    assert found.actions["fix"].model == "mine/gone"


def test_a_model_that_is_found_while_running_can_be_named_before(tmp_path: Path) -> None:
    found = check(tmp_path, 'exclude = ["ollama/llama3"]\n[actions.fix]\nmodel = "embedded/smollm2-135m"', [])
    assert found.actions["fix"].model == "embedded/smollm2-135m"


def test_a_name_of_a_broken_row_is_not_reported_twice(tmp_path: Path) -> None:
    text = 'exclude = ["mine/small"]\n' + MINE + SMALL + "conttext = 1\n"
    check(tmp_path, text, ['10: Unknown key "conttext". | Did you mean "context"?'])


SENSELESS = "This is not TOML that makes sense"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a = \n", "1: This is not TOML: Invalid value."),
        (b'quality = 0.9\npreset = "best\n', "2: This is not TOML: Illegal character '\\n'."),
        (b"a = [1,\n", "1: This is not TOML: Invalid value."),
        (b"a = 1\na = 2\n", "2: This is not TOML: Cannot overwrite a value."),
        (b"\n\xff = 1\n", "2: The file is not UTF-8 text."),
        (b"\na = " + b"[" * 5000, f"2: {SENSELESS}: its tables or arrays are nested too deeply."),
        (b"\na = " + b"9" * 5000, f"2: {SENSELESS}: a number has too many digits."),
        (b"\n\na = 1e99999999999999999999", f"3: {SENSELESS}: a number has too many digits."),
        (b"#" * 1_000_001, "0: The file is larger than a megabyte."),
    ],
)
def test_a_file_that_is_no_toml_gives_the_defaults_and_one_mistake(tmp_path: Path, raw: bytes, expected: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(raw)
    found = load(path)
    assert [f"{each.line}: {each.what}" for each in found.mistakes] == [expected]
    assert found.models == load().models


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert [each.what for each in load(tmp_path).mistakes] == ["This is not a file."]


# Warnings


def test_a_retired_row_warns_only_where_it_is_named(tmp_path: Path) -> None:
    sentence = "openai/gpt-3.5-turbo retired on 2026-10-23; it is not used."
    assert load(today=TODAY).warnings == ()
    assert check(tmp_path, '[actions.fix]\nmodel = "openai/gpt-3.5-turbo"', []).warnings == (sentence,)
    named = '[[models]]\nprovider = "openai"\nid = "gpt-3.5-turbo"\n'
    assert check(tmp_path, named, []).warnings == (sentence,)
    assert check(tmp_path, named + "retires_on = 2030-01-01", []).warnings == ()


def test_an_unknown_price_is_said(tmp_path: Path) -> None:
    found = check(tmp_path, MINE + SMALL.replace("price = 0\n", ""), [])
    assert found.warnings == ("The price of mine/small is unknown; it is used only if it is pinned.",)


# Following the file


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    watched = Watched(path)
    assert watched.refresh() is None
    path.write_text('preset = "best"')
    assert watched.refresh() is None
    assert watched.current.preset == "best"
    path.write_text('preset = "thrifty"')
    assert watched.refresh() is None
    assert watched.current.preset == "thrifty"


@pytest.mark.parametrize("broken", ['preset = "thrifty', None])
def test_a_bad_reload_keeps_the_old_and_is_said_once(tmp_path: Path, broken: str | None) -> None:
    path = tmp_path / "config.toml"
    path.write_text('preset = "best"')
    watched = Watched(path)
    if broken is None:
        path.unlink()
    else:
        path.write_text(broken)
    error = watched.refresh()
    assert error is not None
    assert len(error.mistakes) == 1
    assert watched.refresh() is None
    assert watched.current.preset == "best"
    path.write_text('preset = "thrifty" ')
    assert watched.refresh() is None
    assert watched.current.preset == "thrifty"


def test_a_reload_with_a_bad_row_takes_the_good_ones(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    watched = Watched(path)
    path.write_text('preset = "best"\nedits = "never"')
    error = watched.refresh()
    assert error is not None
    assert str(error).startswith(f'{path}:2: "edits" cannot be "never".')
    assert watched.current.preset == "best"
    assert watched.refresh() is None


# The example file


def test_the_example_says_what_holds_without_it() -> None:
    example, none = load(EXAMPLE, today=TODAY), load(today=TODAY)
    assert replace(example, path=none.path) == none


def test_every_general_setting_is_written_out_in_the_example() -> None:
    assert set(tomllib.loads(EXAMPLE.read_text())) == set(SETTINGS)


def test_the_example_names_every_key_and_its_examples_are_right(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace("#:", "")
    found = check(tmp_path, text, [])
    data = tomllib.loads(text)
    (row,) = data["models"]
    assert set(row) == set(model_columns.MODEL)
    assert set(row["price"]) == set(model_columns.PRICE)
    assert set(row["steps"][0]) == set(model_columns.STEP)
    assert set(row["peak"][0]) == set(model_columns.PEAK)
    assert set(row["cache"]) == set(model_columns.CACHE)
    assert set(row["quirks"]) == set(model_columns.QUIRKS)
    assert set(row["rate_limits"]) == set(model_columns.RATE_LIMITS)
    assert set(data["providers"]["mine"]["timeouts"]) == set(data["timeouts"]) == set(model_columns.TIMEOUTS)
    assert set(row["at_effort"]["high"]) == set(model_columns.EFFORT)
    assert set(data["budget"]) == set(BUDGET)
    assert found.budget == Limits(
        request=Decimal("0.05"), session=Decimal(1), day=Decimal(5), month=Decimal(50), soft=Decimal("0.8")
    )
    assert set(data["providers"]["mine"]) == set(model_columns.PROVIDER)
    assert {key for each in data["actions"].values() for key in each} == {field.name for field in fields(Override)}
    assert found.models[-1].name == "mine/small"


def test_every_field_of_a_model_can_be_configured() -> None:
    chosen = {"chosen_effort", "predecessor"}  # The router's and the table's, not a row's.
    assert {field.name for field in fields(Model)} - chosen == set(model_columns.MODEL) - {"steps", "peak"}


# Lines


def paths(value: object, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return {path} - {()} | {each for key, below in inner for each in paths(below, (*path, key))}


TRICKY = """\
a.b = 1
"quoted \\u00e9 \\"key\\"".'literal key' = '''
[not] = "a table"
'''
text = \"\"\"
x = 1 \\\"""
# no comment\"\"\"\"\"
when = 1979-05-27 07:32:00  # a [comment]
many = [
  1, # one, two ]
  { x = "}", y = [ '#', "]" ] },
  [[2.5, inf]],
]
[t.u]
v = { w.x = true, "}" = {} }
[[rows]]
id = "one"
[rows.price]
input = 1
[[rows.steps]]
above = 1
[[rows.steps]]
above = 2
[[rows]]
price.input = 3
"""


def test_every_key_has_its_line() -> None:
    lines = Lines(TRICKY)
    assert paths(tomllib.loads(TRICKY)) <= set(lines.found)
    for path, line in {
        ("a", "b"): 1,
        ('quoted é "key"', "literal key"): 2,
        ("text",): 5,
        ("when",): 8,
        ("many", 1, "y", 1): 11,
        ("many", 2, 0, 1): 12,
        ("t", "u", "v", "w", "x"): 15,
        ("rows", 0, "price", "input"): 19,
        ("rows", 0, "steps", 1, "above"): 23,
        ("rows", 1): 24,
        ("rows", 1, "price", "input"): 25,
    }.items():
        assert lines.of(path) == line, path
    assert lines.of(("rows", 1, "absent")) == 24
    assert lines.of(("absent",)) == 0


def test_every_key_of_the_built_in_table_has_its_line() -> None:
    text = (PACKAGE / "models.toml").read_text()
    assert paths(tomllib.loads(text)) <= set(Lines(text).found)


@settings(deadline=None)
@given(st.text(alphabet="[]{}=.,\"'#\\\n ab1-:", max_size=60))
def test_any_text_is_scanned_to_its_end_and_right_where_it_is_toml(text: str) -> None:
    lines = Lines(text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert paths(data) <= set(lines.found)


def test_money_is_never_a_float(tmp_path: Path) -> None:
    found = check(tmp_path, MINE + SMALL.replace("price = 0", "price = { input = 0.1, output = 0.2 }"), [])
    price = found.models[-1].price
    assert price is not None
    assert price.base.input == Decimal("0.1")
    assert all(isinstance(each.price.base.input, Decimal) for each in found.models if each.price)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ('[budget]\nday = "5"\nmonth = 50\n', ("day",)),
        ("[budget]\nday = -1\nsession = nan\n", ("session", "day")),
        ("budget = 5\n", ("day",)),
        ("[budget]\nsoft = 2\nday = 1\n", ()),
    ],
)
def test_a_limit_that_cannot_be_read_lets_nothing_be_spent(tmp_path: Path, text: str, closed: tuple[str, ...]) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    found = load(path)
    assert found.mistakes
    assert tuple(period for period in PERIODS if getattr(found.budget, period) == 0) == closed


def test_values_that_are_no_secrets(tmp_path: Path) -> None:
    assert read(tmp_path, '[secrets]\nallow = ["^test-", "dummy$"]\n').allowed_secrets == ("^test-", "dummy$")
    what = '2: "secrets.allow" is not a regular expression that RE2 can parse.'
    unreadable = f"{what} | See its syntax page; write \\. for a dot."
    check(
        tmp_path,
        '[secrets]\nallow = ["(", "^ok$", ".*", 1, "(?=x)"]\nother = 1\n',
        [
            unreadable,
            unreadable,
            '2: "secrets.allow" matches every value. | Write a pattern of the values that are no secrets.',
            '2: "secrets.allow" must be a text, not 1. | Write it in quotes: "...".',
            '3: Unknown key "secrets.other". | Write one of: allow.',
        ],
    )
