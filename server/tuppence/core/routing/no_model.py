"""Why no model may answer, in one sentence, and what would make one answer.

What keeps the user's own providers from answering comes first, then what keeps those that could be asked: forty
built-in rows without a key must not hide it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from tuppence.core.routing.candidates import Candidate, RoutingPolicy, RoutingRequest
from tuppence.errors import NoModel

_SHOWN = 3
"""Reasons that the sentence names."""
_LONG, _RETIRED = "the prompt of about ", "retired on "
_KEYS = "Set a provider's key, or run `tuppence local install` to try without one; `tuppence models` shows the table."
_REMEDIES = (
    (_LONG, "Select less code, or set the key of a provider with a longer context; `tuppence models` shows them."),
    ("its answers end at ", "Select less code, or name a model with a higher `max_output`."),
    ("excluded in ", "Take a model out of `exclude` in config.toml, or set another provider's key."),
    ("premium models ", 'Set premium = "ask" in config.toml, or set another provider\'s key.'),
    ("its price is unknown (", "State its price in config.toml, or pin it."),
    ("its price is unknown, ", "State its price in config.toml."),
    ("its answer costs ", "Raise the budget in config.toml, or wait until it begins anew."),
    (_RETIRED, "Name a model that is still served, or set another provider's key."),
)
"""How a reason begins, as core/routing/candidates.py words it, and what to do about it."""


class NoEligibleModel(NoModel):
    """No row of a table may answer; the table says why not, row by row."""

    def __init__(self, message: str, remedy: str, need: RoutingRequest, table: Sequence[Candidate]) -> None:
        super().__init__(message, remedy)
        self.need = need
        self.table = tuple(table)


def none(
    need: RoutingRequest, table: Sequence[Candidate], policy: RoutingPolicy, unready: Collection[str]
) -> NoEligibleModel:
    """Return the error for a table of which no row may answer.

    :param unready: the names of the providers that cannot be asked.
    """
    return NoEligibleModel(*_told(table, policy, unready), need, table)


def _told(table: Sequence[Candidate], policy: RoutingPolicy, unready: Collection[str]) -> tuple[str, str]:
    if not table:
        return "There is no model in the tier table.", "Run `tuppence local install`, or set a provider's key."
    if policy.pin:
        why_not = next((row.why_not for row in table if row.model.goes_by(policy.pin)), None)
        if why_not is None:
            return f"The pinned model {policy.pin} is not in the tier table.", "Correct `model` in config.toml."
        return f"The pinned model {policy.pin} may not answer: {why_not.rstrip('.')}.", "No other one is asked."
    if policy.only:
        why_not = next((row.why_not for row in table if row.model.name == policy.only), "it is not in the tier table")
        return f"{policy.only} may not answer now: {why_not.rstrip('.')}.", "Open the menu again: it shows who may."
    if policy.above and all(row.why_not or row.model.name == policy.above for row in table):
        return f"There is no better model than {policy.above} that may be asked.", "Set another provider's key."
    reasons = _reasons(table, policy, unready)
    if not reasons:
        return f"There is no better model than {policy.above}.", ""
    remedy = next((remedy for start, remedy in _REMEDIES if reasons[0].startswith(start)), _KEYS)
    return f"No model may answer this: {'; '.join(reasons[:_SHOWN])}.", remedy


def _reasons(table: Sequence[Candidate], policy: RoutingPolicy, unready: Collection[str]) -> list[str]:
    """Return what keeps the rows from answering, what matters most to this user first."""
    # One for all sizes of context, or these would be all that is said.
    longest = max((row.model.context for row in table if row.why_not.startswith(_LONG)), default=0)
    ranks: dict[str, tuple[bool, bool]] = {}
    counted: Counter[str] = Counter()
    for row in table:
        if not row.why_not:
            continue
        reason = row.why_not.rstrip(".")
        if reason.startswith(_LONG):
            reason = f"{reason.partition(' its context')[0]} the longest context, of {longest}"
        idle = row.model.provider.name in unready or reason.startswith(_RETIRED)
        ranks[reason] = min(ranks.get(reason, (True, True)), (row.model.provider.name not in policy.own, idle))
        counted[reason] += 1
    return sorted(counted, key=lambda reason: (*ranks[reason], -counted[reason], reason))
