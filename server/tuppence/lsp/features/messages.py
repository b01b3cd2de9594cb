"""The sentences at the end of a run: what happened, and what it cost."""

from __future__ import annotations

from decimal import Decimal

from tuppence.core.actions import thing
from tuppence.core.billing.entry import money
from tuppence.core.events import RunFinished
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import Request

_ALONE = {
    "": "not checked",
    "nothing": "not checked",
    "parses": "it parses; nothing else was checked",
    "brackets match": "its brackets match; nothing else was checked",
}
"""Replacements for proofs that would claim too much if they stood alone."""
_REPAIRS = {
    "blocks": "read from SEARCH/REPLACE blocks",
    "diff": "read from a diff",
    "JSON": "read from JSON",
    "line numbers": "line numbers removed",
    "indentation": "indentation set to the file's",
    "byte order mark": "a byte order mark removed",
    "spaces": "non-breaking spaces replaced",
    "HTML entities": "HTML entities replaced",
    "quotation marks": "curly quotation marks replaced",
    "rest of the answer": "the target was taken out of a larger answer",
    "line ending": "line endings set to the file's",
    "final newline": "a last line ending added",
}
"""The clause of the closing message for each repair of :mod:`tuppence.core.answer.patch`."""


def done(end: RunFinished, request: Request, turns: tuple[str, ...]) -> str:
    """Return the closing message of an answer: ``Fixed `mean`: kimi-k2.6, $0.0011 (diagnostic gone).``.

    :param turns: why models other than the first were asked.
    """
    assert end.answer is not None, "there is something to close with"
    parts = [f"{request.action.past} {thing(request.target.name)}: {end.model}"]
    if request.action.shape == "findings":
        count = len(end.answer.findings)
        parts.append("no finding" if not count else f"{count} finding{'s' * (count > 1)}")
    parts.append("kept, $0" if end.kept else price(end.cost, estimated=end.estimated))
    verdict = end.answer.verdict
    repairs = [_REPAIRS[repair] for repair in end.answer.repairs]
    proved = "; ".join((_ALONE.get(verdict.proved, verdict.proved), *verdict.doubts, *repairs))
    return _closed("; ".join((f"{', '.join(parts)} ({proved})", *turns)) + ".", *end.notes)


def agrees(end: RunFinished, request: Request, turns: tuple[str, ...]) -> str:
    """Return the message that a better model gave the present answer too.

    For example: ``big agrees; nothing to change (Fix `mean`, $0.02).``

    :param turns: why models other than the first were asked.
    """
    about = f"{request.action.verb} {thing(request.target.name)}, {price(end.cost, estimated=end.estimated)}"
    return _closed("; ".join((f"{end.model} agrees; nothing to change ({about})", *turns)) + ".", *end.notes)


def could_not(request: Request, why: str, end: RunFinished) -> str:
    """Return the message on why there is no answer, and what that cost."""
    paid = "" if end.cost == 0 else f" It cost {price(end.cost, estimated=end.estimated)}."
    action = f"{request.action.verb[0].lower()}{request.action.verb[1:]}"
    return _closed(f"Could not {action} {thing(request.target.name)}. {why}{paid}", *end.notes)


def stopped(title: str, receipt: Receipt, *sentences: str) -> str:
    """Return the message that a run was stopped, and what it had cost so far."""
    paid = "" if receipt.total == 0 else f" ({price(receipt.total, estimated=receipt.estimated)})"
    return _closed(f"Stopped: {title}{paid}.", *sentences, *receipt.notes)


def price(cost: Decimal | None, *, estimated: bool) -> str:
    """Format an amount for a sentence."""
    if cost is None:
        return "price unknown"
    # Here "about" marks what a provider did not report, even where it is less than the smallest amount shown.
    return f"{'about ' if estimated and cost else ''}{money(cost)}"


def _closed(*sentences: str) -> str:
    return " ".join(filter(None, sentences))
