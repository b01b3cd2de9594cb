"""Folders of the repository that tests read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVER = ROOT / "server"
PACKAGE = SERVER / "tuppence"
SUPPORT = ROOT / "tests" / "support"
RECORDED = ROOT / "tests" / "recorded"
