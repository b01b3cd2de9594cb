"""Another user of this machine, for tests of what such a user must not be able to do. Only root can switch users."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest

USER = 65534
"""The user ``nobody`` on all systems that we test on; the kernel also uses this number for users it cannot map."""
STRANGER = 61234
"""A user without a name, a group or files."""


def python() -> str:
    """Return a Python that the other user may start. Skip the test if there is none, or if we are not root."""
    if os.name == "nt" or os.geteuid() != 0:
        pytest.skip("only root can become another user")
    found = _usable()
    if found is None:
        pytest.skip("there is no Python that another user may start")
    return found


@cache
def _usable() -> str | None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        found = shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")
        if found and subprocess.run([found, "-I", "-c", ""], check=False, **identity(STRANGER)).returncode == 0:
            return found
    return None


def run(program: str, *arguments: object, user: int = STRANGER) -> subprocess.CompletedProcess[str]:
    """Run a Python program as another user, with only the standard library."""
    words = [python(), "-I", "-c", program, *map(str, arguments)]
    return subprocess.run(words, check=False, capture_output=True, text=True, timeout=60, **identity(user))


def start(program: str, *arguments: object, user: int = STRANGER) -> subprocess.Popen[str]:
    """Start a Python program as another user, with pipes as its standard streams."""
    words, pipe = [python(), "-I", "-c", program, *map(str, arguments)], subprocess.PIPE
    return subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **identity(user))


def identity(user: int) -> dict[str, Any]:
    """Return the keyword arguments that start a process as that user."""
    return {"user": user, "group": user, "extra_groups": [], "cwd": "/"}
