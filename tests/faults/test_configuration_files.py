"""Invalid configuration files: each gives a usable configuration and messages that name the errors."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from odd_config import SECRET, odd_file, spelled_out
from paths import PACKAGE, ROOT

from tuppence.config import Config, load
from tuppence.config.config import Watched
from tuppence.config.policy import routing_policy
from tuppence.config.project import NAME, Narrowing
from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS, FIX
from tuppence.core.billing.budget import PERIODS, Limits
from tuppence.core.routing.candidates import RoutingRequest
from tuppence.core.routing.router import choose
from tuppence.core.text.shown_text import shown
from tuppence.errors import ConfigError, Mistake, NoModel

EXAMPLE = spelled_out((ROOT / "config.example.toml").read_text("utf-8"))
ROWS = (PACKAGE / "models.toml").read_text("utf-8").split("\n\n")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def files(seed: int, count: int) -> Iterator[tuple[random.Random, bytes]]:
    """Yield malformed files: every other one is made of rows of the tier table."""
    dice = random.Random(seed)  # noqa: S311 - a seeded test
    for number in range(count):
        base = EXAMPLE if number % 2 else "\n\n".join(dice.sample(ROWS, 6))
        yield dice, odd_file(dice, base)


def is_clear(mistake: Mistake) -> None:
    """See that a mistake is one sentence and a remedy, with no key in it and nothing that does not show."""
    assert mistake.what.endswith((".", "…")), mistake
    assert mistake.remedy.endswith((".", "…", "?")), mistake
    said = f"{mistake.what} {mistake.remedy}"
    assert SECRET not in said
    assert ":pw@" not in said
    assert len(said) < 800
    assert shown(said) == said


def is_usable(config: Config) -> None:
    """See that every decision can be made by a configuration."""
    for action in ACTIONS:
        policy = routing_policy(config, action, "python")
        assert 0 < policy.quality <= 1
    need = RoutingRequest(
        action=FIX, gain=shipped().gain("fix", "python", "x"), prompt_tokens=3000, target_tokens=600, when=NOON
    )
    try:
        route = choose(need, config.models, {}, shipped())
    except NoModel:
        return
    assert route.model.provider in config.providers.values()
    assert all(each is None or each.is_finite() for each in (config.ask_above, config.hover_cap, config.keep_alive))


def endure(path: Path, seed: int, count: int) -> None:
    """Read malformed files."""
    wrong = unread = 0
    for _, raw in files(seed, count):
        path.write_bytes(raw)
        config = load(path)
        mistakes = config.mistakes
        for each in mistakes:
            is_clear(each)
            # Only a file that is no text at all has no line to name.
            assert each.line > 0 or (config.is_unread and "file" in each.what), each
        assert list(mistakes) == sorted(mistakes)
        if config.is_unread:
            assert len(mistakes) == 1 or len(mistakes) > 200
            unread += 1
        if mistakes:
            assert str(ConfigError(str(path), mistakes)).startswith(f"{path}:{mistakes[0].line}: ")
            wrong += 1
        if wrong % 10 == 0:
            is_usable(config)
    assert wrong > 0.8 * count
    assert wrong - unread > 0.3 * count


@pytest.mark.fault("client", "random configuration files")
def test_a_malformed_file_gives_a_usable_configuration_and_clear_sentences(
    tmp_path: Path, record_property: Any
) -> None:
    endure(tmp_path / "config.toml", 1, 800)
    record_property("cases", 800)


@pytest.mark.long
@pytest.mark.timeout(0)
@pytest.mark.fault("client", "random configuration files")
def test_ten_thousand_malformed_files(tmp_path: Path, record_property: Any) -> None:
    endure(tmp_path / "config.toml", 2, 10_000)
    record_property("cases", 10_000)


@pytest.mark.fault("client", "a configuration file replaced while the server runs")
def test_garbage_in_place_of_a_file_is_reported_once_and_changes_nothing_that_it_cannot_say(
    tmp_path: Path, record_property: Any
) -> None:
    path = tmp_path / "config.toml"
    good = 'exclude = ["anthropic/claude-opus-4-7"]\n[budget]\nday = 2\n'
    path.write_text(good, encoding="utf-8")
    watched = Watched(path)
    for number, (_, raw) in enumerate(files(3, 100)):
        _put(path, good.encode(), number)
        watched.refresh()
        assert watched.current.budget.day == Decimal(2)
        _put(path, raw, number)
        error = watched.refresh()
        assert watched.refresh() is None
        if error is None:
            assert not watched.current.mistakes
            continue
        assert SECRET not in str(error)
        if watched.current.mistakes != error.mistakes:  # Nothing of it could be read: what was said stays in force.
            assert watched.current.budget.day == Decimal(2)
            assert watched.current.exclude == {"anthropic/claude-opus-4-7"}
    record_property("cases", 100)


def _put(path: Path, raw: bytes, number: int) -> None:
    """Write a file anew, with a time of its own."""
    path.write_bytes(raw)
    os.utime(path, ns=(number, 2 * number + len(raw)))


@pytest.mark.fault("client", "a path that is no configuration file")
def test_what_is_no_small_text_file_is_said(tmp_path: Path, record_property: Any) -> None:
    folder, pipe, large, link = (tmp_path / name for name in ("folder", "pipe", "large", "link"))
    folder.mkdir()
    os.mkfifo(pipe)
    with large.open("wb") as file:
        file.truncate(50_000_000)
    link.symlink_to(large)
    for path in (folder, pipe, large, link, Path("/dev/zero")):
        config = load(path)
        (mistake,) = config.mistakes
        is_clear(mistake)
        assert config.is_unread
        is_usable(config)
    ring = tmp_path / "ring"
    ring.symlink_to(ring)
    is_usable(load(ring))
    record_property("cases", 6)


PROJECT = "[budget]\nrequest = 0.01\nsession = 1\nday = 2.5\nmonth = 20\nsoft = 0.9\n"
OURS = Limits(request=Decimal(1), session=Decimal(5), day=Decimal(10), month=Decimal(50), soft=Decimal("0.8"))


@pytest.mark.fault("client", "random files of a project")
def test_a_projects_file_can_only_narrow_the_budget(tmp_path: Path, record_property: Any) -> None:
    said: list[str] = []
    narrowing = Narrowing((tmp_path,), said.append)
    path = tmp_path / NAME
    dice = random.Random(4)  # noqa: S311 - a seeded test
    narrowed = 0
    for number in range(300):
        said.clear()
        base = PROJECT if number % 3 else PROJECT + dice.choice(ROWS)
        _put(path, odd_file(dice, base), number)
        found = narrowing.of(OURS)
        for period in (*PERIODS, "soft"):
            limit, ours = getattr(found, period), getattr(OURS, period)
            assert limit is not None
            assert 0 <= limit <= ours, (period, found)
        narrowed += found != OURS
        assert len(said) <= 1
        assert all(each.startswith(f"{path}:") and SECRET not in each and len(each) < 20_000 for each in said)
        narrowing.of(OURS)
        assert len(said) <= 1
    assert narrowed > 60
    record_property("cases", 300)
