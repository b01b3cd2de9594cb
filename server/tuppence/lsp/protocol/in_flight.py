"""The requests in progress: the futures that run for each, and the callbacks for its cancellation.

This module only keeps the records. lsp/protocol/json_rpc.py and lsp/protocol/lifecycle.py decide what a cancel ends and
how a request is answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

MsgId = int | str
"""A request's id, as its sender chose it."""
AnyFuture = Future[Any] | asyncio.Future[Any]
"""pygls runs coroutines as tasks and everything else behind a thread-safe future."""
Callback = Callable[[], object]
"""A function to call on a cancel; its return value is ignored."""

_log = logging.getLogger(__name__)


class Callbacks:
    """Callbacks for cancels, by key: a request or a progress token."""

    def __init__(self) -> None:
        self._by_key: dict[Hashable, list[Callback]] = {}

    def add(self, key: Hashable, callback: Callback) -> None:
        """Call ``callback`` when ``key`` is cancelled."""
        self._by_key.setdefault(key, []).append(callback)

    def forget(self, key: Hashable) -> None:
        """Discard the callbacks for ``key``, because it has ended."""
        self._by_key.pop(key, None)

    def call(self, key: Hashable) -> None:
        """Call the callbacks for ``key`` once."""
        for callback in self._by_key.pop(key, ()):
            try:
                callback()
            except Exception:  # noqa: BLE001 - one fault must not keep the cancel from the others
                _log.exception("A callback failed on the cancel of %s", key)


class Requests:
    """The requests in progress, by id."""

    def __init__(self) -> None:
        self.cancelled: dict[MsgId, bool] = {}
        """True from a request's cancel until the last of its futures has ended."""
        self._callbacks = Callbacks()
        self._futures: dict[MsgId, set[AnyFuture]] = {}

    def started(self, request: MsgId, future: AnyFuture) -> None:
        """Record that ``future`` runs for the request."""
        self._futures.setdefault(request, set()).add(future)

    def ended(self, request: MsgId, future: AnyFuture) -> None:
        """Record that ``future`` is done; a request without running futures is removed."""
        running = self._futures.get(request, set())
        running.discard(future)
        if running:
            return
        self._futures.pop(request, None)
        self.cancelled.pop(request, None)
        self._callbacks.forget(request)

    def on_cancel(self, request: MsgId, callback: Callback) -> None:
        """Call ``callback`` when the request is cancelled: at once if it already was, never if it has ended."""
        if request not in self._futures:
            return
        self._callbacks.add(request, callback)
        if request in self.cancelled:
            self._callbacks.call(request)

    def cancel(self, request: MsgId) -> tuple[AnyFuture, ...]:
        """Record the cancel, call its callbacks, and return the futures that run for the request."""
        if request not in self._futures:
            return ()
        self.cancelled[request] = True
        self._callbacks.call(request)
        return tuple(self._futures.get(request, ()))

    def running(self, apart_from: MsgId | None) -> tuple[AnyFuture, ...]:
        """Return the futures that run for all requests but one."""
        return tuple(
            future for request, running in self._futures.items() if request != apart_from for future in running
        )
