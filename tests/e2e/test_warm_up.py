"""What is heavy is loaded once a document is open: the first request of a session loads no module any more."""

from __future__ import annotations

import re
from pathlib import Path

from scenario import GOOD, SRC, until
from server import Stage, pick, stage

LOADED = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s*(\S+)", re.MULTILINE)
"""A line that Python writes for each module that it loads, where it is asked to."""
LAST = "tuppence.providers._think_tags"
"""The last module of the warm-up: the wire of the model that has a key."""


def modules(s: Stage) -> list[str]:
    """Return the modules that the server has loaded, in order."""
    return LOADED.findall(s.editor.seen.errors)


async def test_the_first_request_loads_nothing_heavy(tmp_path: Path) -> None:
    async with stage(tmp_path, keys={"PYTHONPROFILEIMPORTTIME": "1"}) as s:
        await until(lambda: "tuppence.lsp.service" in modules(s))
        assert "httpx" not in modules(s), "nothing is loaded ahead of the first document"
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        await until(lambda: LAST in modules(s))
        entry = pick(await s.editor.menu(buffer, 5), "Fix")
        s.upstream.says(GOOD)
        await s.editor.run(entry)
        before = modules(s)
        assert {"httpx", "httpcore", "h11", "anyio._backends._asyncio", "re2", "tree_sitter"} <= set(before)
        sent = before[before.index(LAST) + 1 :]
        # What only some requests need is small, and the backends of the keyring come with the first key asked for.
        heavy = {"httpx", "httpcore", "h11", "re2", "tree_sitter", "tuppence.core.secrets.detect", "ssl", "certifi"}
        assert heavy.isdisjoint(sent)
        assert len(s.upstream.requests) == 1


async def test_a_hover_before_everything_is_loaded_waits_beside_the_event_loop(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        buffer = s.editor.open(s.write("stats.py", SRC), "python")
        assert await s.editor.hover(buffer, SRC.index("mean")) is not None
        assert not s.upstream.requests
