"""The user's rows joined to the built-in ones: overriding, inheriting, pricing, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import genai_prices
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.config import Config, config, list_prices, load, model_columns
from tuppence.config.config import SETTINGS
from tuppence.config.toml_locations import MistakeReport
from tuppence.core.models.host import is_loopback
from tuppence.core.models.model import CacheRules, Model, Quirks
from tuppence.core.models.pricing import Peak, Price, PriceTier, Rates, cost
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.providers import find_wire

TODAY = date(2026, 11, 21)
MINE = '[providers.mine]\nwire = "openai"\nbase_url = "http://127.0.0.1:18080/v1"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def read(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text)
    return load(path, today=TODAY)


def row(found: Config, name: str) -> Model:
    assert found.mistakes == ()
    return next(model for model in found.models if model.name == name)


def builtin(name: str) -> Model:
    return row(load(today=TODAY), name)


def check_refused(folder: Path, text: str, line: int, what: str, remedy: str) -> Config:
    found = read(folder, text)
    assert [(each.line, each.what, each.remedy) for each in found.mistakes] == [(line, what, remedy)]
    return found


# A row of one's own


def test_a_row_holds_what_was_written(folder: Path) -> None:
    text = f"""{MINE}key_env = "MINE_API_KEY"
    [[models]]
    id = "small"
    provider = "mine"
    tier = "budget"
    price = {{ input = 0.15, output = 0.60, cache_read = 0.015, cache_write = 0.19, batch = 0.5 }}
    steps = [{{ above = 272000, input = 10, output = 45 }}]
    peak = [{{ days = "fri-mon", from = "01:00", to = "24:00", input = 0.3, output = 1.2 }}]
    context = 128000
    ability = {{ explain = 0.8, fix = 1 }}
    cache = {{ mode = "explicit", minimum = 1024, ttl = ["5m", "1h"] }}
    quirks = {{ limit = "max_completion_tokens", thinking_off = {{ budget = 0.5, deep = {{ on = false }} }} }}
    effort = ["off", "low"]
    """
    found = row(read(folder, text), "mine/small")
    assert found.provider.key_env == "MINE_API_KEY"
    money = Decimal
    assert found.price == Price(
        Rates(money("0.15"), money("0.60"), money("0.015"), money("0.19")),
        (PriceTier(272000, Rates(money(10), money(45))),),
        (Peak(frozenset({4, 5, 6, 0}), time(1), time.max, Rates(money("0.3"), money("1.2"))),),
        batch=money("0.5"),
    )
    assert (found.context, found.max_output, found.tier) == (128000, 4096, "budget")
    assert found.ability == {"explain": 0.8, "fix": 1.0}
    assert found.cache == CacheRules("explicit", 1024, ("5m", "1h"))
    off = {"budget": 0.5, "deep": {"on": False}}
    mark = {"cache_control": {"type": "ephemeral"}}
    assert found.quirks == Quirks(limit="max_completion_tokens", thinking_off=off, cache_mark=mark)
    assert isinstance(found.quirks.thinking_off["budget"], float)
    assert found.effort == ("off", "low")


@pytest.mark.parametrize(
    "written",
    [
        "[[models]]\nid='s'\nprovider='mine'\ntier='budget'\nprice.input = 1\nprice.output = 2\n",
        "[[models]]\nid='s'\nprovider='mine'\ntier='budget'\n[models.price]\ninput = 1\noutput = 2\n",
        "models = [{id='s', provider='mine', tier='budget', price={input=1,output=2}}]\n",
    ],
)
def test_all_of_tomls_ways_to_write_a_row_are_one(folder: Path, written: str) -> None:
    provider = "[providers]\nmine = { wire='openai', base_url='http://[::1]:1/v1/' }\n"
    text = written + provider if written.startswith("models") else provider + written
    found = row(read(folder, text), "mine/s")
    assert found.price == Price(Rates(Decimal(1), Decimal(2)))
    assert found.provider.base_url == "http://[::1]:1/v1"


def test_a_small_context_bounds_the_answer(folder: Path) -> None:
    found = row(read(folder, MINE + "[[models]]\nid='s'\nprovider='mine'\ntier='local'\ncontext=2048\n"), "mine/s")
    assert found.max_output == 2048


def test_ids_are_case_sensitive(folder: Path) -> None:
    rows = "".join(f"[[models]]\nid='{each}'\nprovider='mine'\ntier='local'\n" for each in ("A", "a"))
    found = read(folder, MINE + rows)
    assert found.mistakes == ()
    assert [model.id for model in found.models[-2:]] == ["A", "a"]


def test_an_id_may_hold_slashes(folder: Path) -> None:
    text = "[actions.fix]\nmodel = 'mine/a/b'\n" + MINE + "[[models]]\nid='a/b'\nprovider='mine'\ntier='local'\n"
    assert row(read(folder, text), "mine/a/b").id == "a/b"


# Overriding a built-in row


def test_a_row_for_a_built_in_pair_changes_it_field_by_field(folder: Path) -> None:
    text = "[[models]]\nid='gpt-5.4'\nprovider='openai'\ncontext=1000\nmax_output=10\nability={fix=0.1}\n"
    expected = replace(builtin("openai/gpt-5.4"), context=1000, max_output=10, ability={"fix": 0.1})
    found = read(folder, text)
    assert row(found, "openai/gpt-5.4") == expected
    assert [model.name for model in found.models] == [model.name for model in load(today=TODAY).models]


def test_a_price_of_ones_own_leaves_the_steps_and_free_leaves_nothing(folder: Path) -> None:
    was = builtin("openai/gpt-5.5").price
    assert was is not None
    head = "[[models]]\nid='gpt-5.5'\nprovider='openai'\n"
    found = row(read(folder, head + "price = { input = 1, output = 2 }"), "openai/gpt-5.5").price
    assert found == Price(Rates(Decimal(1), Decimal(2)), was.steps)
    found = row(read(folder, head + "steps = []"), "openai/gpt-5.5").price
    assert found == replace(was, steps=())
    found = row(read(folder, head + "price = 0"), "openai/gpt-5.5").price
    assert found is not None
    assert found.free


def test_a_built_in_provider_can_be_changed_and_its_rows_follow(folder: Path) -> None:
    found = read(folder, "[providers.openai]\nbase_url = 'https://gate.example/v1'\n")
    model = row(found, "openai/gpt-5.4")
    assert (model.provider.base_url, model.provider.key_env) == ("https://gate.example/v1", "OPENAI_API_KEY")
    assert model.price == builtin("openai/gpt-5.4").price


def test_no_key_is_sent_where_key_env_is_empty(folder: Path) -> None:
    found = read(folder, "[providers.openai]\nbase_url = 'http://localhost:4000/v1'\nkey_env = ''\n")
    assert found.providers["openai"].key_env is None


def test_a_broken_override_takes_the_built_in_row_with_it(folder: Path) -> None:
    found = read(folder, "[[models]]\nid='gpt-5.4'\nprovider='openai'\npublic_only='yes'\n")
    assert [each.line for each in found.mistakes] == [4]
    names = {model.name for model in found.models}
    assert "openai/gpt-5.4" not in names
    assert "openai/gpt-5.5" in names


def test_a_broken_provider_takes_its_rows_with_it_and_is_said_once(folder: Path) -> None:
    text = "[providers.openai]\nbase_url = 'nonsense'\n[[models]]\nid='x'\nprovider='openai'\ntier='local'\n"
    found = read(folder, text)
    assert [each.line for each in found.mistakes] == [2]
    assert not [model for model in found.models if model.provider.name == "openai"]
    assert "anthropic" in found.providers


# Inheriting from another provider's row


BLOCKS = MINE + '[[models]]\nid = "small"\nprovider = "mine"\ntier = "budget"\n'


def test_a_row_may_be_asked_for_blocks_with_the_share_that_are_well_formed(folder: Path) -> None:
    mine = row(read(folder, BLOCKS), "mine/small")
    assert (mine.edit, mine.edit_adherence) == ("whole", None)
    for share in ("0.97", "1", "0.001"):
        mine = row(read(folder, f'{BLOCKS}edit = "blocks"\nedit_adherence = {share}\n'), "mine/small")
        assert (mine.edit, mine.edit_adherence) == ("blocks", float(share))


@pytest.mark.parametrize("share", ["0", "-0.5", "1.01", "97", "true", '"0.97"', "nan", "inf", "[0.97]"])
def test_a_share_that_is_none_is_refused_with_its_row(folder: Path, share: str) -> None:
    shown = {"nan": "NaN", "inf": "Infinity", "[0.97]": "an array"}.get(share, share)
    found = check_refused(
        folder,
        f'{BLOCKS}edit = "blocks"\nedit_adherence = {share}\n',
        9,
        f'"edit_adherence" must be a number above 0, 1 at most, not {shown}.',
        "Write the share of its answers in blocks that are well formed, such as 0.97.",
    )
    assert all(each.name != "mine/small" for each in found.models)


@pytest.mark.parametrize("form", ['"diff"', '"Blocks"', "true", "1"])
def test_an_unknown_form_is_refused(folder: Path, form: str) -> None:
    what = f'"edit" cannot be {form}.'
    check_refused(folder, f"{BLOCKS}edit = {form}\n", 8, what, 'Write one of: "whole", "blocks".')


def test_blocks_need_the_share_that_is_well_formed(folder: Path) -> None:
    what = '"edit" is "blocks", but the row does not say how many of its answers are well formed.'
    remedy = 'Add edit_adherence = 0.97, or the share that was measured; or write edit = "whole".'
    check_refused(folder, f'{BLOCKS}edit = "blocks"\n', 8, what, remedy)
    known = '[[models]]\nprovider = "anthropic"\nid = "claude-opus-4-6"\nedit = "blocks"\n'
    check_refused(folder, known, 4, what, remedy)


def test_the_built_in_form_holds_until_the_row_says_another(folder: Path) -> None:
    name = "openai/gpt-4o-2024-11-20"
    mine = '[[models]]\nprovider = "openai"\nid = "gpt-4o-2024-11-20"\n'
    assert (builtin(name).edit, builtin(name).edit_adherence) == ("blocks", 0.951)
    assert row(read(folder, mine), name).edit == "blocks"
    assert row(read(folder, f"{mine}edit_adherence = 0.9\n"), name).edit_adherence == 0.9
    assert row(read(folder, f'{mine}edit = "whole"\n'), name).edit == "whole"
    elsewhere = '[[models]]\nprovider = "openrouter"\nid = "openai/gpt-4o-2024-11-20"\nprice = 0\n'
    found = row(read(folder, elsewhere), "openrouter/openai/gpt-4o-2024-11-20")
    assert (found.edit, found.edit_adherence) == ("blocks", 0.951)


def test_a_built_in_id_elsewhere_takes_what_belongs_to_the_model_alone(folder: Path) -> None:
    twin = builtin("moonshot/kimi-k2.5")
    assert twin.retires_on
    assert twin.price
    found = row(read(folder, MINE + "[[models]]\nid='kimi-k2.5'\nprovider='mine'\n"), "mine/kimi-k2.5")
    assert found == Model(
        provider=found.provider,
        id=twin.id,
        tier=twin.tier,
        benchmarks=twin.benchmarks,
        context=twin.context,
        max_output=twin.max_output,
        cache=twin.cache,
        quirks=twin.quirks,
        effort=twin.effort,
        follows=twin.follows,
    )
    assert found.benchmarks
    assert found.follows == "moonshot/kimi-k2-0905-preview"
    assert found.predecessor is not None


def test_a_resellers_name_is_known_and_its_cache_is_marked_in_its_words(folder: Path) -> None:
    twin = builtin("anthropic/claude-sonnet-4-6")
    found = row(
        read(folder, "[[models]]\nid='anthropic/claude-sonnet-4.6'\nprovider='openrouter'\n"),
        "openrouter/anthropic/claude-sonnet-4.6",
    )
    assert (found.tier, found.context, found.cache) == (twin.tier, twin.context, twin.cache)
    assert found.quirks == Quirks(cache_mark={"cache_control": {"type": "ephemeral"}})
    assert found.price is not None, "its list price is OpenRouter's"
    prompt = Prompt("system", ("file",), "tail", 9, marks=(0, 1))
    messages: Any = find_wire("openai").request(prompt, found, "k").body["messages"]
    assert [["cache_control" in part for part in each["content"]] for each in messages] == [[True], [True, False]]
    smaller = read(folder, MINE + "[[models]]\nid='deepseek-r1:7b'\nprovider='mine'\ntier='local'\n")
    assert row(smaller, "mine/deepseek-r1:7b").benchmarks == {}, "what follows a colon is another model"


def test_an_explicit_cache_without_a_mark_gets_the_common_one(folder: Path) -> None:
    text = MINE + "[[models]]\nid='x'\nprovider='mine'\ntier='local'\ncache={mode='explicit'}\n"
    assert row(read(folder, text), "mine/x").quirks.cache_mark == {"cache_control": {"type": "ephemeral"}}
    own = row(read(folder, f"{text}quirks={{cache_mark={{keep=true}}}}\n"), "mine/x")
    assert own.quirks.cache_mark == {"keep": True}


def test_what_is_written_goes_before_what_is_inherited(folder: Path) -> None:
    text = MINE + "[[models]]\nid='claude-opus-4-6'\nprovider='mine'\ntier='local'\nability={}\nprice=0\n"
    found = row(read(folder, text), "mine/claude-opus-4-6")
    assert (found.tier, found.ability, found.rate_limits) == ("local", {}, {})
    assert found.context == 1_000_000


# List prices


def test_a_known_vendors_model_takes_its_list_price(folder: Path) -> None:
    found = row(read(folder, "[[models]]\nid='gpt-5-mini'\nprovider='openai'\ntier='budget'\n"), "openai/gpt-5-mini")
    assert found.price is not None
    check_listed(found.price, "openai", "gpt-5-mini", 1000)


def test_an_unknown_model_of_a_known_vendor_has_no_price(folder: Path) -> None:
    found = read(folder, "[[models]]\nid='gpt-99'\nprovider='openai'\ntier='budget'\n")
    assert row(found, "openai/gpt-99").price is None


@pytest.mark.parametrize("prompt", [1000, 100_000, 100_001, 900_000])
@pytest.mark.parametrize(
    ("provider", "url", "model"),
    [
        ("anthropic", "https://api.anthropic.com", "claude-haiku-5-5"),
        ("openai", "https://api.openai.com/v1", "gpt-5.5"),
        ("deepseek", "https://api.deepseek.com", "deepseek-v4-pro"),
    ],
)
def test_list_prices_cost_what_the_dataset_says(provider: str, url: str, model: str, prompt: int) -> None:
    found = list_prices.look_up(model, url, TODAY)
    assert found is not None
    check_listed(found, provider, model, prompt)


def check_listed(price: Price, provider: str, model: str, prompt: int) -> None:
    """Hold what a request costs by the price against what the dataset's own library says, in DeepSeek's dear hours."""
    when = datetime(2026, 11, 21, 2, tzinfo=UTC)
    usage = Usage(fresh=prompt - 500, cache_read=500, output=700)
    theirs = genai_prices.Usage(input_tokens=prompt, cache_read_tokens=500, output_tokens=700)
    expected = genai_prices.calc_price(theirs, model, provider_id=provider, genai_request_timestamp=when)
    assert cost(usage, price, when) == expected.total_price


def builtin_price(name: str) -> Price:
    price = builtin(name).price
    assert price is not None
    return price


@pytest.mark.parametrize(
    ("config", "imported"),
    [
        ("", False),
        (MINE + "[[models]]\nid='gpt-5-mini'\nprovider='mine'\ntier='budget'\n", False),
        (
            (
                "[providers.far]\nwire='openai'\nbase_url='https://llm.example/v1'\n"
                "[[models]]\nid='gpt-5-mini'\nprovider='far'\ntier='budget'\n"
            ),
            False,
        ),
        ("[[models]]\nid='gpt-5-mini'\nprovider='openai'\ntier='budget'\nprice=0\n", False),
        ("[[models]]\nid='gpt-5-mini'\nprovider='openai'\ntier='budget'\n", True),
    ],
)
def test_list_prices_are_imported_only_where_one_is_asked_for(folder: Path, config: str, *, imported: bool) -> None:
    path = folder / "config.toml"
    path.write_text(config)
    code = (
        "import sys, pathlib; from tuppence.config.config import load; found = load(pathlib.Path(sys.argv[1]));"
        "assert not found.mistakes; print('genai_prices' in sys.modules, 'httpx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(imported), "False"]


# What is refused

ROW = "[[models]]\nid='s'\nprovider='mine'\ntier='budget'\n"


@pytest.mark.parametrize(
    ("text", "line", "what", "remedy"),
    [
        ("contxt = 1", 8, 'Unknown key "contxt".', 'Did you mean "context"?'),
        (
            "price = 0.5",
            8,
            '"price" must be 0 or a table, not 0.5.',
            "Write price = { input = 0.15, output = 0.60 } in USD per million tokens, or price = 0 for free.",
        ),
        ("price = { input = 1 }", 8, '"price" has no "output".', "Add output = ..."),
        (
            "price = { input = 1, output = '2' }",
            8,
            '"price.output" must be a number, not "2".',
            "Write USD per million tokens: 0.15.",
        ),
        (
            "[models.price]\ninput = 1\noutput = inf",
            10,
            '"price.output" must be a number, not Infinity.',
            "Write USD per million tokens: 0.15.",
        ),
        (
            "price = { input = 1, output = 1, cach_read = 1 }",
            8,
            'Unknown key "price.cach_read".',
            'Did you mean "cache_read"?',
        ),
        (
            "steps = [{ above = 9, input = 1, output = 1 }]",
            8,
            '"steps" needs a price to depart from.',
            "Add price = { input, output }.",
        ),
        (
            'price = 0\npeak = [\n { days = "mon-fri", from = "22:00", to = "06:00", input = 1, output = 1 },\n]',
            10,
            '"peak" ends before it begins.',
            "Write two entries, one on each side of midnight.",
        ),
        (
            'peak = [{ days = "noday", from = "01:00", to = "02:00", input = 1, output = 1 }]',
            8,
            '"peak.days" must name weekdays, not "noday".',
            'Write "mon-fri", "sat" or "mon,wed".',
        ),
        (
            'peak = [{ days = "mon", from = "1:00", to = "02:00", input = 1, output = 1 }]',
            8,
            '"peak.from" must be a time of day, UTC, not "1:00".',
            'Write "01:00".',
        ),
        ("ability = { fux = 0.5 }", 8, 'Unknown key "ability.fux".', 'Did you mean "fix"?'),
        (
            "ability = { fix = 60 }",
            8,
            '"ability.fix" must be a number from 0 to 1, not 60.',
            "Write a number from 0 to 1.",
        ),
        ("cache = { minimum = 5 }", 8, '"cache" has no "mode".', "Add mode = ..."),
        (
            'cache = { mode = "explicit", ttl = ["5 m"] }',
            8,
            '"cache.ttl" must be a time to live, not "5 m".',
            'Write "5m" or "1h".',
        ),
        (
            "quirks = { thinking_off = { at = 2026-01-01 } }",
            8,
            '"quirks.thinking_off.at" cannot be sent as JSON.',
            "Write a text, a number, true, false or a table.",
        ),
        ("as_of = '2026-11-21'", 8, '"as_of" must be a date, not "2026-11-21".', "Write it bare: 2026-11-21."),
        ("effort = 'low'", 8, '"effort" must be an array, not "low".', "Write [ ..., ... ]."),
        ("public_only = 1", 8, '"public_only" must be true or false, not 1.', "Write true or false."),
        (
            "context = 100\nmax_output = 200",
            9,
            '"max_output" is 200, more than the context of 100.',
            "Write the number of answer tokens, which are part of the context.",
        ),
        (
            "seconds_to_first_token = -1",
            8,
            '"seconds_to_first_token" must be a number from 0 to 3600, not -1.',
            "Write a number from 0 to 3600.",
        ),
        (ROW, 8, 'There are two rows for "mine/s".', "Remove one of them, or give one another provider or id."),
        (
            "[[models]]\nid='t'\nprovider='mime'\ntier='local'",
            10,
            'There is no provider "mime".',
            'Did you mean "mine"?',
        ),
        (
            "[[models]]\nid='t'\nprovider='mine'",
            8,
            '"models" has no "tier" in this row.',
            'Add tier = "workhorse", or another tier.',
        ),
        ("[[models]]\nprovider='mine'\ntier='local'", 8, '"models" has no "id".', "Add id = ..."),
        (
            "[[models]]\nid=' '\nprovider='mine'\ntier='local'",
            9,
            '"id" must be a text, not " ".',
            'Write it in quotes: "...".',
        ),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(folder: Path, text: str, line: int, what: str, remedy: str) -> None:
    found = check_refused(folder, MINE + ROW + text, line, what, remedy)
    assert len(found.models) >= len(load(today=TODAY).models)


HTTPS = 'Write "https://host/path".'


@pytest.mark.parametrize(
    ("provider", "line", "what", "remedy"),
    [
        ("wire='openai'", 1, '"providers.far" has no "base_url".', "Add base_url = ..."),
        ("wire='soap'\nbase_url='https://h/v1'", 2, 'There is no wire "soap".', 'Write one of: "anthropic", "openai".'),
        ("wire='openai'\nbase_url='h/v1'", 3, '"h/v1" is not a web address.', HTTPS),
        ("wire='openai'\nbase_url='ftp://h/v1'", 3, '"ftp://h/v1" is not a web address.', HTTPS),
        ("wire='openai'\nbase_url='https://h:port/v1'", 3, '"https://h:port/v1" is not a web address.', HTTPS),
        (
            "wire='openai'\nbase_url='https://me:secret@h/v1'",
            3,
            '"providers.far.base_url" must be a bare address, without a name, a password, ? or #.',
            HTTPS,
        ),
        (
            "wire='openai'\nbase_url='http://h:8/v1'\nkey_env='FAR_KEY'",
            3,
            'The key in FAR_KEY would cross the network to "h" unencrypted.',
            "Write https://h:8/v1, or leave key_env out if no key is needed.",
        ),
        (
            "wire='openai'\nbase_url='https://h/v1/chat/completions'",
            3,
            '"providers.far.base_url" must not end in /chat/completions, which is added to it.',
            'Write "https://h/v1".',
        ),
        (
            "wire='anthropic'\nbase_url='https://h/v1'",
            3,
            '"providers.far.base_url" must not end in /v1, which is added to it.',
            'Write "https://h".',
        ),
        (
            "wire='openai'\nbase_url='https://h/v1'\nkey_env='sk-ant-123'",
            4,
            '"providers.far.key_env" must be the name of an environment variable, not the key itself.',
            'Write a name such as "MINE_API_KEY", and put the key into that variable.',
        ),
        (
            "wire='openai'\nbase_url='https://h/v1'\nkey='x'",
            4,
            'Unknown key "providers.far.key".',
            'Did you mean "key_env"?',
        ),
    ],
)
def test_a_bad_provider_is_refused_with_its_reason(
    folder: Path, provider: str, line: int, what: str, remedy: str
) -> None:
    found = check_refused(folder, f"[providers.far]\n{provider}\n", line, what, remedy)
    assert "far" not in found.providers


def test_a_providers_name_holds_no_slash(folder: Path) -> None:
    text = "[providers.'a/b']\nwire='openai'\nbase_url='https://h/v1'\n"
    check_refused(folder, text, 1, 'A provider cannot be called "a/b".', "Choose a name without a slash.")


@pytest.mark.parametrize("url", ["http://10.0.0.5:8000/v1", "http://localhost/v1", "https://h/v1/"])
def test_without_a_key_plain_http_is_allowed(folder: Path, url: str) -> None:
    found = read(folder, f"[providers.far]\nwire='openai'\nbase_url='{url}'\n")
    assert found.mistakes == ()
    assert found.providers["far"].base_url == url.rstrip("/")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "app.localhost"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0", "10.0.0.1", ""])  # noqa: S104 - nothing binds to it here
def test_no_other_machine_is_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_key_may_go_to_this_machine_in_plain(folder: Path) -> None:
    found = read(folder, MINE + "key_env = 'MINE_API_KEY'\n")
    assert found.mistakes == ()
    assert found.providers["mine"].key_env == "MINE_API_KEY"


# Whatever a file holds

GROUPS = (
    model_columns.MODEL,
    model_columns.PRICE,
    model_columns.PEAK,
    model_columns.CACHE,
    model_columns.QUIRKS,
    model_columns.PROVIDER,
    model_columns.TIMEOUTS,
    model_columns.RATE_LIMITS,
)
KEYS = st.sampled_from([*SETTINGS, *(key for group in GROUPS for key in group)])
VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-10, 10**20),
        st.decimals(),
        st.text(max_size=8),
        st.dates(),
        st.times(),
        st.datetimes(),
        st.sampled_from(["mine", "openai", "gpt-5.4", "http://h/v1", "budget", "mon-fri", "5m", 0, 1]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | KEYS, inner, max_size=4),
    max_leaves=12,
)
NAMED = {"id": "s", "provider": "openai", "tier": "local"}
ROWS = st.dictionaries(KEYS, VALUES, max_size=6).map(lambda row: NAMED | row)


@settings(deadline=None)
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "models": st.lists(ROWS, max_size=3) | VALUES,
            "providers": st.dictionaries(st.sampled_from(["openai", "mine"]), st.dictionaries(KEYS, VALUES)) | VALUES,
            "actions": st.dictionaries(st.sampled_from(["fix", "fux"]), VALUES) | VALUES,
            "languages": VALUES,
            "exclude": VALUES,
            "quality": VALUES,
            "preset": VALUES,
            "edits": VALUES,
            "other": VALUES,
        },
    )
)
def test_nothing_that_toml_can_say_is_more_than_a_mistake(data: dict[str, object]) -> None:
    found = config._assemble(Path("config.toml"), data, MistakeReport(), TODAY)
    assert found.quality is None or 0 < found.quality <= 1
    for model in found.models:
        assert model.provider == found.providers[model.provider.name]
        assert model.max_output <= model.context
        json.dumps(dict(model.quirks.thinking_off), allow_nan=False)
        if model.price:
            assert cost(Usage(fresh=7, output=7), model.price, datetime(2026, 11, 21, tzinfo=UTC)) >= 0
    assert all(mistake.what and mistake.remedy for mistake in found.mistakes)


# Prices as the accounts will use them


def test_deepseeks_peak_costs_double() -> None:
    price = builtin_price("deepseek/deepseek-flash")
    usage = Usage(fresh=1_000_000, cache_read=1_000_000, output=1_000_000)
    friday, saturday = datetime(2026, 11, 20, 2, tzinfo=UTC), datetime(2026, 11, 21, 2, tzinfo=UTC)
    assert cost(usage, price, friday) == Decimal("1.506")
    assert cost(usage, price, saturday) == Decimal("0.753")


def test_haiku_costs_five_times_as_much_above_its_step() -> None:
    price = builtin_price("anthropic/claude-haiku-5-5")
    when = datetime(2026, 11, 21, tzinfo=UTC)
    below = cost(Usage(fresh=100_000, output=1000), price, when)
    above = cost(Usage(fresh=100_001, output=1000), price, when)
    assert below == Decimal("0.0105")
    assert above == Decimal("0.0525005")


@pytest.mark.parametrize(
    "value",
    ['"authorization"', '"x-api-key"', '"X-Grok-Conv-Id"', '"x-a\\r\\nhost"', '"x-"', '""', "7", '"x-é"', '"host"'],
)
def test_a_caches_header_is_no_header_of_another_use(folder: Path, value: str) -> None:
    text = MINE + f"[[models]]\nid='x'\nprovider='mine'\ntier='local'\nquirks={{cache_header={value}}}\n"
    (mistake,) = read(folder, text).mistakes
    assert "must be the name of a header for a cache" in mistake.what
    good = row(read(folder, text.replace(f"={value}}}", '="x-session-id"}')), "mine/x")
    assert good.quirks.cache_header == "x-session-id"
