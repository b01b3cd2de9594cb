"""A module that httpcore looks for at each of its locks, in all of Python's folders, where it is not installed.

That is seven times a request, of some tenths of a millisecond each. Where a name is None in ``sys.modules``, Python
says at once that there is no such module.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import cast

NAME = "sniffio"
"""Tells which library runs the event loop; without it httpcore takes asyncio, which is the one here."""


def remember() -> None:
    """Look for the module once; where it is not there, it is not looked for again."""
    if NAME not in sys.modules and find_spec(NAME) is None:
        cast("dict[str, object]", sys.modules)[NAME] = None
