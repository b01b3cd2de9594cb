"""The clients' own files agree with the server's table of actions."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tuppence.core.actions import ACTIONS, find_action

VSCODE = Path(__file__).parents[2] / "clients" / "vscode"
NEOVIM = Path(__file__).parents[2] / "clients" / "neovim"


def test_the_commands_of_the_vscode_manifest_are_actions_of_the_server() -> None:
    manifest = json.loads((VSCODE / "package.json").read_text("utf-8"))
    titles = {each["command"]: each["title"] for each in manifest["contributes"]["commands"]}
    declared = re.search(r"ACTIONS_IN_PALETTE[^=]*= \[([^]]*)\]", (VSCODE / "src" / "actions.ts").read_text("utf-8"))
    assert declared is not None
    ids = re.findall(r'"(\w+)"', declared[1])
    assert sorted(ids) == ["explain", "fix", "review", "tests"]
    for each in ids:
        action = find_action(each)
        assert action is not None, f"the manifest has a command for `{each}`, which the server does not have"
        assert titles[f"tuppence.{each}"].lower() == action.verb.lower().removesuffix(" for")
    assert titles["tuppence.pickAction"] == "Run Action…"


def test_the_neovim_client_lists_no_action() -> None:
    for path in NEOVIM.rglob("*.lua"):
        words = set(re.findall(r"[\"'](\w+)[\"']", path.read_text("utf-8")))
        assert not words & {each.id for each in ACTIONS}, f"{path.name} names an action; the server names them"
