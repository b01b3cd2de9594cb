"""Preload what the first request of a session needs: in the background, in small steps, once a document is open.

Nothing is sent, no key is requested, and no model is started. Each import holds Python's global lock for a while, which
a hover may need; so there are many small steps with a pause after each.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib import import_module

from tuppence.config.shipped import shipped
from tuppence.core.actions import FIX
from tuppence.engine.session import Session

_log = logging.getLogger(__name__)
MODULES = (
    *("email.parser", "http.client", "urllib.request", "http.cookiejar", "calendar", "mimetypes"),
    *("h11", "anyio.abc", "anyio.to_thread", "anyio._backends._asyncio", "certifi"),
    *("httpcore._models", "httpcore._sync", "httpcore._async", "httpcore"),
    *("httpx._models", "httpx._transports.default", "httpx._client", "httpx"),
    *("re2", "tuppence.core.secrets.rules", "tuppence.core.secrets.detect"),
    *("tuppence.upstream.loopback", "tuppence.engine.disclosure.salt"),
    *("importlib_metadata", "keyring.core", "keyring"),
)
"""Modules in the order in which they are loaded, small ones before those that load them. A missing module is not an
error here; whatever needs it reports that."""
DELAY = 0.3
"""Seconds before the first step, so that the editor's first requests for a new document come first."""
PAUSE = 0.005
"""Seconds between two steps."""


class WarmUp:
    """Preloads modules once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._begun = False
        self.done = asyncio.Event()
        """Set when everything is loaded."""

    def begin(self) -> None:
        """Start loading in the background, unless that was done before."""
        if not self._begun:
            self._begun = True
            self._session.spawn(self._run())

    async def _run(self) -> None:
        await asyncio.sleep(DELAY)
        for step in self._steps():
            try:
                await step()
            except Exception:  # noqa: BLE001 - what fails here fails again where it is needed, and is said there
                _log.debug("A step of the warm-up failed", exc_info=True)
            await asyncio.sleep(PAUSE)
        # Objects loaded so far are permanent: the garbage collector need not search them again, which takes 60 ms each
        # time.
        gc.freeze()
        self.done.set()

    def _steps(self) -> Iterator[Callable[[], Awaitable[object]]]:
        session = self._session
        for name in MODULES:
            yield partial(asyncio.to_thread, import_module, name)
        yield partial(asyncio.to_thread, shipped)
        yield partial(asyncio.to_thread, shipped().gain, FIX.id, "python", "def f(a):\n    return a\n")
        yield partial(asyncio.to_thread, session.disclosures.scanner.find, "a = 1", session.config().allowed_secrets)
        yield partial(asyncio.to_thread, lambda: session.prompt_cache.traces)
        yield partial(session.feedback.of, FIX.id, session.ledger)
        opened = set()
        for model in session.config().models:
            provider = model.provider
            if provider.name in opened or not session.keys.is_known(provider) or not session.keys.ready(provider):
                continue
            opened.add(provider.name)
            yield partial(session.upstream.open_ahead, model)
