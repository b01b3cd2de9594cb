"""The settings of the policy toward providers: time-outs, width, rate limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuppence.config import config as configs
from tuppence.config.config import Config
from tuppence.core.models.time_limits import UNSET, USUAL, TimeLimits

MINE = "[providers.mine]\nwire = 'openai'\nbase_url = 'http://127.0.0.1:1/v1'\n"
ROW = "[[models]]\nid = 'small'\nprovider = 'mine'\ntier = 'budget'\n"


def read(folder: Path, text: str) -> Config:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return configs.load(path)


def test_general_time_outs_are_whole_and_a_providers_own_are_what_it_says(tmp_path: Path) -> None:
    found = read(tmp_path, "timeouts = { idle = 7 }\n" + MINE + "timeouts = { first_word = 180 }\n")
    assert not found.mistakes
    assert found.timeouts == TimeLimits(5, 60, 7, 600)
    mine = found.providers["mine"].timeouts
    assert mine == TimeLimits(first_word=180)
    assert mine.over(found.timeouts) == TimeLimits(5, 180, 7, 600)
    assert found.providers["anthropic"].timeouts == UNSET
    assert read(tmp_path, "").timeouts == USUAL
    assert read(tmp_path, "[timeouts]\ntotal = 30\n").timeouts == TimeLimits(5, 60, 60, 30)


def test_a_built_in_provider_takes_time_outs_and_a_width(tmp_path: Path) -> None:
    found = read(tmp_path, "[providers.anthropic]\nat_once = 9\ntimeouts = { total = 1200 }\n")
    anthropic = found.providers["anthropic"]
    assert (anthropic.at_once, anthropic.timeouts) == (9, TimeLimits(total=1200))
    assert anthropic.key_env == "ANTHROPIC_API_KEY"
    assert {model.provider.at_once for model in found.models if model.provider.name == "anthropic"} == {9}
    assert found.providers["openai"].at_once is None


@pytest.mark.parametrize("value", ["0", "-1", "101", "2.5", '"4"', "true", "inf", "nan", "[4]", "99999999999999999999"])
def test_a_width_that_makes_no_sense_is_a_mistake_with_its_line(tmp_path: Path, value: str) -> None:
    found = read(tmp_path, f"{MINE}at_once = {value}\n{ROW}")
    assert [each.line for each in found.mistakes] == [4]
    assert "from 1 to 100" in found.mistakes[0].what
    assert "mine" not in found.providers


@pytest.mark.parametrize("name", ["connect", "first_word", "idle", "total"])
@pytest.mark.parametrize("value", ["0", "-1", "1e9", "inf", "nan", '"60"', "true", "{}"])
def test_a_time_out_that_makes_no_sense_is_a_mistake(tmp_path: Path, name: str, value: str) -> None:
    found = read(tmp_path, f"timeouts = {{ {name} = {value} }}\n")
    assert [each.line for each in found.mistakes] == [1]
    assert found.timeouts == USUAL
    found = read(tmp_path, f"{MINE}timeouts = {{ {name} = {value} }}\n")
    assert [each.line for each in found.mistakes] == [4]


@pytest.mark.parametrize("what", ["forever = 3", "connect.x = 3"])
def test_an_unknown_time_out_is_a_mistake(tmp_path: Path, what: str) -> None:
    assert len(read(tmp_path, f"timeouts = {{ {what} }}\n").mistakes) == 1


def test_rate_limits_are_those_that_are_obeyed(tmp_path: Path) -> None:
    found = read(tmp_path, MINE + ROW + "rate_limits = { requests_per_minute = 3, concurrent_requests = 2 }\n")
    assert not found.mistakes
    assert found.models[-1].rate_limits == {"requests_per_minute": 3, "concurrent_requests": 2}
    for wrong in ("requests_per_minute = 0", "requests_per_minute = 1.5", "requests_per_second = 3"):
        assert len(read(tmp_path, f"{MINE}{ROW}rate_limits = {{ {wrong} }}\n").mistakes) == 1


def test_every_limit_in_the_built_in_table_is_one_that_is_obeyed(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert any(model.rate_limits for model in found.models)
    assert not found.mistakes
