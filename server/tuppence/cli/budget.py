"""``tuppence budget``: show the limits and what is left of them; with a period and an amount, change a limit."""

from __future__ import annotations

import argparse
from decimal import Decimal, InvalidOperation
from pathlib import Path

from rich.table import Table

from tuppence import clock
from tuppence.cli._terminal import console
from tuppence.config import Config, edit_budget, load
from tuppence.core.billing.budget import PERIODS, WHEN, left
from tuppence.core.billing.entry import exact, money
from tuppence.errors import ConfigError
from tuppence.ledger import Ledger

HELP = "show what may be spent and what of it is left, or change a limit"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("period", nargs="?", choices=PERIODS, help="whose limit to change")
    parser.add_argument("amount", nargs="?", type=_amount, help='USD, such as 5.00, or "none" for no limit')
    parser.add_argument("--config", type=Path, metavar="FILE", help="the configuration that holds the budget")


def run(arguments: argparse.Namespace) -> int:
    """Change a limit or show all of them, and return the exit code."""
    config = load(arguments.config)
    terminal = console()
    if arguments.amount is not None:
        limit = None if arguments.amount == "none" else arguments.amount
        edit_budget.write(config.path, arguments.period, limit)
        now = "There is no limit any more" if limit is None else f"The limit is ${exact(limit)} now,"
        terminal.print(f"{now} {WHEN[arguments.period]}, in {config.path}; running servers follow.", soft_wrap=True)
        return 0
    if config.mistakes:
        raise ConfigError(str(config.path), config.mistakes)
    terminal.print(_shown(config, arguments.period))
    return 0


def _shown(config: Config, only: str | None) -> Table | str:
    ledger = Ledger(config.ledger)
    try:
        now = clock.now()
        ledger.recover(now)
        spent = ledger.spent("", "", now)
    finally:
        ledger.close()
    table = Table(title="Budget", title_justify="left", box=None, pad_edge=False)
    for name in ("", "limit", "spent or reserved", "left"):
        table.add_column(name, justify="right" if name else "left")
    known = [each for each in left(config.budget, spent) if only in (None, each.period)]
    for each in sorted(known, key=lambda each: PERIODS.index(each.period)):
        whole = each.period in ("day", "month")  # Limits for a session or a request belong to a server.
        used, remains = money(getattr(spent, each.period)), money(max(each.amount, Decimal(0)))
        table.add_row(WHEN[each.period], money(each.limit), used if whole else "", remains if whole else "")
    if known:
        return table
    return "There is no limit. To set one: tuppence budget day 5.00 (or request, session, month)."


def _amount(text: str) -> Decimal | str:
    if text == "none":
        return text
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0 or len(exact(amount)) > 30:  # noqa: PLR2004 - more than any budget needs
        raise argparse.ArgumentTypeError(f'"{text}" is not an amount of USD: write one such as 5.00, or none')
    return amount
