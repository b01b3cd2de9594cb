"""Speed up imports of an uninstalled module that httpcore tries to import at each of its locks.

That is seven times per request, and each search of all of Python's folders takes some tenths of a millisecond. If a
name is None in ``sys.modules``, Python raises immediately.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import cast

NAME = "sniffio"
"""It detects the library that runs the event loop; without it, httpcore assumes asyncio, which is right here."""


def remember() -> None:
    """Search for the module once; if it is missing, record that."""
    if NAME not in sys.modules and find_spec(NAME) is None:
        cast("dict[str, object]", sys.modules)[NAME] = None
