"""A copy of the package with lines added in one place, as an extension of the project would add them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from paths import PACKAGE


def extended(folder: Path, file: str, after: str, lines: str) -> Path:
    """Return a folder from which the package can be imported, with lines added to one of its files.

    :param file: path inside the package.
    :param after: the complete line after which the lines are added; it must occur exactly once.
    """
    shutil.copytree(PACKAGE, folder / "tuppence", ignore=shutil.ignore_patterns("__pycache__"))
    path = folder / "tuppence" / file
    text = path.read_text("utf-8")
    assert text.count(f"\n{after}\n") == 1, f"{file} has no such line, or several: {after}"
    path.write_text(text.replace(f"\n{after}\n", f"\n{after}\n{lines}\n"), "utf-8")
    return folder


def run(folder: Path, program: str, *arguments: str) -> str:
    """Run a program with the package in that folder and return its output."""
    command = [sys.executable, "-c", program, *arguments]
    environment = os.environ | {"PYTHONPATH": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
