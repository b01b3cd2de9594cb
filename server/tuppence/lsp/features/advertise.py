"""The part of the ``initialize`` result that goes beyond LSP: the list of actions (docs/protocol.md).

A client that shows actions outside the code-action menu, such as in a command palette, builds its list from this.
"""

from __future__ import annotations

from typing import Any

from tuppence.core.actions import ACTIONS


def advertised() -> dict[str, Any]:
    """Return the value of ``capabilities.experimental`` for the ``initialize`` result."""
    actions = [{"id": each.id, "verb": each.verb, "kind": each.kind, "shape": each.shape} for each in ACTIONS]
    return {"tuppence": {"actions": actions}}
