"""The fixture for tests of the whole server: a scripted provider, a configuration, the real server, a real client."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import planted_keys
import slow_callbacks
import warm_server
from scripted_provider import ScriptedUpstream

from editor import Editor
from tuppence.core.billing.entry import Entry
from tuppence.ledger import Ledger

CONFIG = """
[providers.mine]
wire = "{wire}"
base_url = "{base}"
[[models]]
id = "small"
provider = "mine"
tier = "budget"
price = {{ input = 0.15, output = 0.60, cache_read = 0.015, cache_write = 0.19 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.8, fix = 0.8, tests = 0.8, review = 0.8 }}
[[models]]
id = "big"
provider = "mine"
tier = "premium"
price = {{ input = 5, output = 25 }}
context = 200000
max_output = 32000
ability = {{ explain = 0.82, fix = 0.82, tests = 0.82, review = 0.82 }}
"""


PLANTED = ("MINE_API_KEY", "PGPASSWORD")
"""The variables of the keys that each server receives. It uses the first."""
_ADDRESS = 'base_url = "{base}"\n'
"""The line after which ``stage`` adds the variable of the key."""


@dataclass
class Stage:
    """One server and its editor, with their surroundings."""

    editor: Editor
    upstream: ScriptedUpstream
    root: Path
    """The project's folder."""
    home: Path
    config: Path

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self.editor.pid

    def entries(self) -> tuple[Entry, ...]:
        """Return the ledger's entries once no more arrive: the server writes them after it has answered."""
        ledger = Ledger(self.home / "data" / "tuppence" / "ledger.sqlite3")
        try:
            before, found = None, ledger.entries()
            while found != before:
                time.sleep(0.03)
                before, found = found, ledger.entries()
            return found
        finally:
            ledger.close()

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path


@asynccontextmanager
async def stage(tmp_path: Path, *, wire: str = "openai", config: str = CONFIG, **how: Any) -> AsyncIterator[Stage]:
    """Start everything.

    The server receives a planted key. At the end, no file that it wrote and no message that it sent may contain it. No
    callback of its event loop may have done too much (tests/support/slow_callbacks.py).

    :param how: as for ``Editor``, and in addition: ``extra`` is put before the configuration, ``keys`` into the
        environment (None removes a planted key), ``folder`` names the project's folder, ``before`` is called with the
        editor before the server starts, ``fresh`` makes the server load its modules itself, and ``timed`` starts a
        program of its own, without the profiler that counts what callbacks do.
    """
    root, home = tmp_path / how.pop("folder", "project"), tmp_path / "home"
    root.mkdir(exist_ok=True)
    extra, how_keys, before = how.pop("extra", ""), how.pop("keys", {}), how.pop("before", None)
    fresh, timed = how.pop("fresh", False), how.pop("timed", False)
    async with ScriptedUpstream() as upstream:
        base = upstream.openai if wire == "openai" else upstream.anthropic
        path = tmp_path / "config.toml"
        keyed = config if "key_env" in config else config.replace(_ADDRESS, f'{_ADDRESS}key_env = "{PLANTED[0]}"\n', 1)
        path.write_text(extra + keyed.format(wire=wire, base=base), encoding="utf-8")
        editor = Editor([sys.executable, "-m", "tuppence", "serve", "--config", str(path)], root, **how)
        given = environment(home) | how_keys
        editor.environment = {name: value for name, value in given.items() if value is not None}
        slow = tmp_path / "no-callbacks" if timed else slow_callbacks.watch(editor.environment, tmp_path)
        if before is not None:
            before(editor)
        async with AsyncExitStack() as running:
            with warm_server.begun(fresh=fresh or timed):  # The process that is forked has the profiler.
                await running.enter_async_context(editor)
            yield Stage(editor, upstream, root, home, path)
    written = planted_keys.in_tree(home)
    assert not written, f"the server wrote a key: {written}"
    seen = editor.seen
    said = planted_keys.in_text("\n".join((*(each.message for each in seen.messages), *seen.logs, seen.errors)))
    assert not said, f"the server said a key: {said}"
    held_up = slow_callbacks.unexpected(slow)
    assert not held_up, f"the server held up its event loop: {held_up}"


def environment(home: Path) -> dict[str, str]:
    """Return an environment with its own home folder and only planted keys."""
    kept = {name: text for name, text in os.environ.items() if not name.endswith(("_API_KEY", "_proxy", "_PROXY"))}
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "CACHE", "STATE")}
    places = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")}
    return kept | folders | places | planted_keys.environment(*PLANTED)


def titles(actions: list[Any]) -> list[str]:
    """Return the titles of a menu."""
    return [action.title for action in actions]


def pick(actions: list[Any], start: str) -> Any:
    """Return the first entry whose title starts with this text."""
    found = [action for action in actions if action.title.startswith(start)]
    assert found, f"no entry starts with {start!r}: {titles(actions)}"
    return found[0]
