"""``tuppence route``: show which model would answer, and why; nothing is sent or spent.

For people: a piece of a file, and the table of all models. For programs: one question per line (``--jsonl``), answered
by cli/_route_jsonl.py.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

from tuppence.cli._address import EXAMPLES, FORM, AddressError
from tuppence.cli._route_jsonl import Router
from tuppence.cli._terminal import say, say_json
from tuppence.cli.models import complaints
from tuppence.config import Config, load
from tuppence.config.settings import PRESETS
from tuppence.config.shipped import shipped
from tuppence.core.actions import ACTIONS
from tuppence.credentials import Keys
from tuppence.errors import ConfigError, Mistake

HELP = "show which model would answer a request, and why"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("place", nargs="?", metavar=FORM, help=f"the code, such as {EXAMPLES}")
    parser.add_argument(
        "--action", choices=[each.id for each in ACTIONS], default="fix", help="what would be asked for (default fix)"
    )
    parser.add_argument("--jsonl", action="store_true", help="answer questions on stdin, one JSON object a line")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: the platform's config folder)"
    )
    parser.add_argument("--quality", type=_quality, metavar="Q", help="0 to 1, or a preset, for every action")
    parser.add_argument("--at", type=_moment, metavar="DATE", help="as of that day (noon, UTC); default: today")


def run(arguments: argparse.Namespace) -> int:
    """Print the choice and return the exit code."""
    if arguments.jsonl == bool(arguments.place):
        say(f"tuppence route: name a {FORM}, or --jsonl and no file.", errors=True)
        return 2
    when: datetime = arguments.at or datetime.combine(datetime.now(UTC).date(), time(12), UTC)
    try:
        config = _config(arguments, when.date())
    except ConfigError as error:
        # A user who names a file expects an answer based on it, and would mistake one by the defaults for that.
        say(str(error), errors=True)
        return 2
    for line in complaints(config):
        say(line, errors=True)
    if arguments.jsonl:
        return _answer_lines(Router(config, Keys(os.environ), shipped(), when))
    from tuppence.cli._route_table import show

    try:
        return show(arguments.place, arguments.action, config, arguments.at)
    except AddressError as error:
        say(f"tuppence: {error}", errors=True)
        return 2


def _config(arguments: argparse.Namespace, today: date) -> Config:
    """Return the configuration.

    :raises ConfigError: it cannot be read, or the named file does not exist.
    """
    config = load(arguments.config, today=today)
    if config.is_unread:
        raise ConfigError(str(config.path), config.mistakes)
    if arguments.config is not None and not config.path.exists():
        raise ConfigError(
            str(config.path), (Mistake(0, "There is no such file.", "Name the configuration file itself."),)
        )
    if arguments.quality is None:
        return config
    return replace(
        config,
        preset=arguments.quality if arguments.quality in PRESETS else config.preset,
        quality=None if arguments.quality in PRESETS else arguments.quality,
        actions={name: replace(each, quality=None) for name, each in config.actions.items()},
        languages={name: replace(each, quality=None) for name, each in config.languages.items()},
    )


def _answer_lines(router: Router) -> int:
    """Print a result for each line on stdin, immediately; return 1 if any line had no answer."""
    code = 0
    for line in sys.stdin.buffer:
        answer = router.answer(line)
        code = code or int("error" in answer)
        say_json(answer, indent=None)
    return code


def _quality(text: str) -> float | str:
    if text in PRESETS:
        return text
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        names = ", ".join(PRESETS)
        raise argparse.ArgumentTypeError(f'"{text}" is not a quality: write a number from 0 to 1, or {names}')
    return value


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a date: write 2026-11-21') from None
    if "T" not in text and " " not in text:
        found = found.replace(hour=12)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
