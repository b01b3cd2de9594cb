"""The cost report for an editor: the page is written to the cache folder, and the editor is told where it is."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

from tuppence.engine import cost_report
from tuppence.engine.session import House
from tuppence.errors import TuppenceError

DAYS = 30
"""How many days the page covers, today included."""


async def write_page(house: House) -> Path:
    """Write the report of the last days as a page and return its path.

    :raises TuppenceError: the ledger could not be read, or the page not be written.
    """
    config, now = house.config(), house.now()
    drawing = house.ledger.queue(lambda: cost_report.draw(house.ledger, config, now, DAYS))
    return await asyncio.to_thread(_put, cost_report.page(await asyncio.wrap_future(drawing)))


def _put(text: str) -> Path:
    """Write the page, whole or not at all, for its owner alone."""
    path = user_cache_path("tuppence", appauthor=False) / "cost.html"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, part = tempfile.mkstemp(dir=path.parent, suffix=".html")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TuppenceError(f"The page {path} could not be written: {reason}.", "Check the folder.") from None
    return path
