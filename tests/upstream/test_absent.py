"""A module that is not installed is looked for once, and not at each request."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from typing import Any

import pytest
from scripted_provider import ScriptedUpstream

from tuppence.core.models.model import Model, Provider
from tuppence.core.prompt.compose import Prompt
from tuppence.upstream import ModelClient, absent


class Asked(MetaPathFinder):
    """Notes which modules are looked for, and finds none."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, *_: Any) -> None:
        self.names.append(name)


async def test_a_request_looks_for_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, absent.NAME, raising=False)
    async with ScriptedUpstream() as upstream:
        model = Model(provider=Provider("acme", "openai", upstream.openai, None), id="m-1", tier="budget")
        client, asked = ModelClient(), Asked()
        for _ in range(2):
            upstream.says("yes")
            _ = [piece async for piece in client.answer(Prompt("Be brief.", (), "Explain it.", 100), model, None)]
            if asked not in sys.meta_path:
                monkeypatch.setattr(sys, "meta_path", [asked, *sys.meta_path])
        await client.close()
    assert asked.names == []


def test_a_module_that_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent, "NAME", "json")
    absent.remember()
    assert sys.modules["json"] is not None
