"""What a machine's own accounts say of models: how many of their answers were kept, put back, or failed a check.

A request that was cancelled, that no provider answered, or whose text changed meanwhile says nothing of a model and is
left out. How much such counts weigh against what was measured elsewhere is core/routing/quality.py's affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tuppence.core.billing.entry import Entry
from tuppence.core.routing.feedback import Outcomes

_SUPPOSED = 20
"""Answers, of a usual fate, that are supposed beside those that there were: the first few say little."""
Learned = Mapping[str, Mapping[str, Outcomes]]
"""By action, then by the model's name (``provider/id``)."""


def learn(entries: Iterable[Entry]) -> Learned:
    """Return what the entries say."""
    counts = Counter((entry.action, f"{entry.provider}/{entry.model}", entry.outcome) for entry in entries)
    found: dict[str, dict[str, Outcomes]] = {}
    for action, model, _ in counts:
        kept, undone, failed = (counts[action, model, outcome] for outcome in ("kept", "undone", "failed check"))
        if kept + undone + failed:
            found.setdefault(action, {})[model] = Outcomes(kept, undone, failed)
    return {action: _compared(rows) for action, rows in found.items()}


def _compared(rows: Mapping[str, Outcomes]) -> Mapping[str, Outcomes]:
    """Return an action's outcomes, each with the share that is usually kept of the other models' answers here."""
    kept, number = (sum(getattr(each, name) for each in rows.values()) for name in ("kept", "number"))
    before = _SUPPOSED * Outcomes().usual
    return {
        model: replace(each, usual=(kept - each.kept + before) / (number - each.number + _SUPPOSED))
        for model, each in rows.items()
    }
