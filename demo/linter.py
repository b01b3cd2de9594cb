"""What an editor's linter says: the real ruff, its findings as the language server protocol has them.

Editors run ruff themselves and show its diagnostics; when a person opens the menu on one, the editor hands it to
tuppence. This does the same.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from lsprotocol import types
from ruff import find_ruff_bin

SOURCE = "Ruff"
"""How ruff's own language server signs its diagnostics."""


def lint(path: Path, text: str) -> list[types.Diagnostic]:
    """Return what ruff says about a buffer; columns are right as long as no character lies beyond U+FFFF."""
    command = [find_ruff_bin(), "check", "--no-cache", "--output-format", "json", "--stdin-filename", str(path), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=False)
    return [_diagnostic(entry) for entry in json.loads(done.stdout or "[]")]


def _diagnostic(entry: dict[str, Any]) -> types.Diagnostic:
    return types.Diagnostic(
        range=types.Range(_position(entry["location"]), _position(entry["end_location"])),
        message=entry["message"],
        severity=types.DiagnosticSeverity.Warning,
        source=SOURCE,
        code=entry["code"],
    )


def _position(place: dict[str, int]) -> types.Position:
    return types.Position(place["row"] - 1, place["column"] - 1)
