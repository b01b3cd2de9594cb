"""Heavy modules are loaded once a document is open, so that the first request of a session loads none."""

from __future__ import annotations

import re
from pathlib import Path

from scenario import GOOD, SRC, until
from server import Stage, pick, stage

LOADED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s*(\S+)", re.MULTILINE)
"""A line that Python writes for each module that it loads, where it is asked to."""
SERVICE = "tuppence.lsp.features.warm_up"
"""One that the service needs; Python says nothing of the module itself that a name is given for."""
HEAVY = {"httpx._urls", "httpcore._api", "h11._connection", "anyio._core._eventloop", "certifi.core", "re2._re2"}
"""Parts of what takes long."""
LAST = "tuppence.providers._think_tags"
"""The last module of the warm-up: the wire of the model that has a key."""


def modules(s: Stage) -> list[str]:
    """Return the modules that the server has loaded, in order."""
    return LOADED.findall(s.editor.seen.errors)


async def test_the_first_request_loads_nothing_heavy(tmp_path: Path) -> None:
    async with stage(tmp_path, keys={"PYTHONPROFILEIMPORTTIME": "1"}) as s:
        await until(lambda: SERVICE in modules(s))
        assert HEAVY.isdisjoint(modules(s)), "nothing is loaded ahead of the first document"
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        await until(lambda: LAST in modules(s))
        before = modules(s)
        assert set(before) >= HEAVY
        s.upstream.says(GOOD)
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert len(s.upstream.requests) == 1
        assert HEAVY.isdisjoint(modules(s)[len(before) :])


async def test_a_hover_before_everything_is_loaded_waits_beside_the_event_loop(tmp_path: Path) -> None:
    async with stage(tmp_path, fresh=True) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        assert await s.editor.hover(buffer, SRC.index("mean")) is not None
        assert not s.upstream.requests
