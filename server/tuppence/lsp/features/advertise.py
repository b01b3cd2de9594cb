"""What the answer to ``initialize`` tells a client beyond LSP: the actions that there are (docs/protocol.md).

A client that shows actions outside the menu, such as in a command palette, builds its list from this.
"""

from __future__ import annotations

from typing import Any

from tuppence.core.actions import ACTIONS


def advertised() -> dict[str, Any]:
    """Return the value of ``capabilities.experimental`` in the answer to ``initialize``."""
    actions = [{"id": each.id, "verb": each.verb, "kind": each.kind, "shape": each.shape} for each in ACTIONS]
    return {"tuppence": {"actions": actions}}
