"""Record the calls of a function without changing it."""

from __future__ import annotations

from typing import Any

import pytest


def watch(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[tuple[Any, ...]]:
    """Return the list to which each future call of a function adds its positional arguments."""
    calls: list[tuple[Any, ...]] = []
    function = getattr(owner, name)

    def counting(*arguments: Any, **more: Any) -> Any:
        calls.append(arguments)
        return function(*arguments, **more)

    monkeypatch.setattr(owner, name, counting)
    return calls
