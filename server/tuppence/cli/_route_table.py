"""The table for one routing decision: every model with its expected quality and cost, or why it may not answer.

The request is planned exactly as in an editor, and not sent. Information that only an editor has is missing: other
servers' diagnostics, unsaved text, warm caches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from rich.console import Console
from rich.table import Table

from tuppence.cli._address import locate
from tuppence.cli._offline import offline_session
from tuppence.cli._terminal import console, safe
from tuppence.config import Config
from tuppence.config.shipped import shipped
from tuppence.core.actions import find_action, title
from tuppence.core.billing.entry import money
from tuppence.core.routing.candidates import Candidate, RoutingRequest, allowance, bound
from tuppence.core.routing.no_model import NoEligibleModel
from tuppence.engine.prepare import prepare
from tuppence.engine.request import PreparedRequest, Request

_WIDEST = 30
"""Number of characters after which a model's name is wrapped, so that a row fits a terminal of 80 columns."""
_FIGURE = {"quality": 11, "cost": 8, "at most": 8}
"""Width in characters of each number column."""


def show(place: str, action: str, config: Config, when: datetime | None) -> int:
    """Print the choice for an action on a piece of a file, and return the exit code.

    :param when: the time whose prices apply; None for now.
    :raises AddressError: there is no such code.
    :raises Nobody: no model may answer; the reason was printed.
    """
    known, terminal = find_action(action), console()
    assert known is not None, "the command line knows the actions"
    ask = locate(place).request(known)
    try:
        plan = asyncio.run(_plan(ask, config, when))
    except NoEligibleModel as nobody:
        terminal.print(f"{title(ask.action, ask.target.name)}: no model may answer.")
        terminal.print(f"Prompt of about {nobody.need.prompt_tokens} tokens.")
        _rest(nobody.table, nobody.need, terminal)
        raise
    _print(plan, terminal)
    return 0


async def _plan(ask: Request, config: Config, when: datetime | None) -> PreparedRequest:
    async with offline_session(config, when) as session:
        return await prepare(ask, session)


def _print(plan: PreparedRequest, console: Console) -> None:
    route = plan.route
    console.print(f"{title(plan.request.action, plan.request.target.name)}: {route.line}.")
    console.print(f"Prompt of about {plan.need.prompt_tokens} tokens.")
    for sentence in plan.context.cut:
        console.print(sentence)
    console.print()
    names = [each.name for each in route.ladder]
    fit = sorted((each for each in route.table if not each.why_not), key=_order)
    table = _section("", fit, "from", "step")
    for row in fit:
        table.add_row(safe(row.model.name), *_figures(row, plan.need), row.estimate.source, _step(row, names, plan))
    console.print(table)
    _rest(route.table, plan.need, console)
    console.print(
        "\nStep 1 answers; if its answer fails the check, step 2 does; if its provider cannot answer, a spare one. "
        f"Quality is what to expect, and one standard deviation of doubt, which only breaks ties; {_worth(plan)}. The "
        f"cost, in USD, is of this model's answer alone.{_about_blocks(fit)}"
    )


def _worth(plan: PreparedRequest) -> str:
    """Return how the rows were compared."""
    bar = plan.route.weighing.bar
    if bar.worth is None:
        return "the best one is step 1, whatever it costs"
    value = money(Decimal(float(bar.worth / 100)))
    least = f"below {bar.floor:.2f} none is step 1 while another one may answer"
    return f"for a point of quality (0.01) up to {value} more is paid, and {least}"


def _about_blocks(rows: Sequence[Candidate]) -> str:
    if all(row.edit == "whole" for row in rows):
        return ""
    return " Blocks: such a model is asked for the changes alone, which is expected to cost less."


def _rest(rows: Sequence[Candidate], need: RoutingRequest, console: Console) -> None:
    """Print the models that may not answer, grouped by reason."""
    rest = sorted((each for each in rows if each.why_not), key=_order)
    for why_not, alike in groupby(rest, key=lambda each: each.why_not):
        console.print()
        table = _section(why_not.rstrip("."), rest)
        for row in alike:
            table.add_row(safe(row.model.name), *_figures(row, need))
        console.print(table)


def _section(title: str, rows: Sequence[Candidate], *more: str) -> Table:
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    width = min(_WIDEST, max(len(row.model.name) for row in rows))
    table.add_column("model", min_width=width, overflow="fold")
    for name in ("quality", "cost", "at most"):
        table.add_column(name, justify="right", min_width=_FIGURE[name], no_wrap=True)
    for name in more:
        table.add_column(name)
    return table


def _figures(row: Candidate, need: RoutingRequest) -> tuple[str, str, str]:
    most = bound(row.model, need, allowance(row.model, need, shipped()))
    return (f"{row.estimate.quality:.2f} ± {row.estimate.doubt:.2f}", money(row.cost), money(most))


def _step(row: Candidate, ladder: list[str], plan: PreparedRequest) -> str:
    """Return the row's role in the plan, and whether its answer is requested as edit blocks."""
    spare = "spare" if row.model in plan.route.spare else ""
    step = str(ladder.index(row.model.name) + 1) if row.model.name in ladder else spare
    return f"{step}, blocks" if step and row.edit == "blocks" else step


def _order(row: Candidate) -> tuple[bool, str, bool, object, str]:
    return (bool(row.why_not), row.why_not, row.cost is None, row.cost or 0, row.model.name)
