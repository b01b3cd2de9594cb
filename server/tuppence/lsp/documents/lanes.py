"""Threads for work on documents: those in use by all, and a few for documents that take more work than code does.

A file may be anybody's, and forty hostile ones may be open at once. Each gets the work that code of its size takes in
the threads that everything else uses; what needs more waits for one of the few others. So no good file waits behind a
hostile one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from tuppence.core.text.document import Document, Edit

if TYPE_CHECKING:
    from tuppence.core.syntax.tree import Tree

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
LARGE = 200_000
"""Code points above which a document is one that takes long."""
WIDTH = 2
"""Threads for those."""
PAUSE = 0.3
"""Seconds without a change after which a document is read ahead."""


class Lanes:
    """The two kinds of threads; to be used on the event loop's thread only."""

    def __init__(self) -> None:
        self._slow: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[..., _T], *arguments: object, is_slow: bool) -> _T:
        """Return what some work gives, done in a thread.

        :param is_slow: whether it is about a document that takes long.
        """
        if not is_slow:
            return await asyncio.to_thread(work, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._few(), work, *arguments)

    async def parse(self, document: Document, old: Tree | None, edits: tuple[Edit, ...], *, is_slow: bool) -> Tree:
        """Return the tree of a document: at once where it takes no more work than code does, else in its turn.

        :param old: an earlier tree, from which the edits lead to the document.
        :param is_slow: whether an earlier version took long.
        """
        if not is_slow and len(document.text) <= LARGE:
            tree = await asyncio.to_thread(_parsed, document, old, edits, is_bounded=True)
            if tree is not None:
                return tree
        tree = await self.run(_parsed, document, old, edits, is_slow=True)
        assert tree is not None
        return tree

    def is_slow(self, tree: Tree) -> bool:
        """Return whether a parsed document takes long: its grammar gave up, or it is large."""
        return bool(tree.excess) or len(tree.text) > LARGE

    def outline(self, tree: Tree, also: Callable[[Tree], object]) -> None:
        """Find a tree's definitions ahead; nothing waits for it.

        :param also: called with the tree then, in the same thread.
        """
        asyncio.get_running_loop().run_in_executor(self._few(), _outlined, tree, also)

    def _few(self) -> ThreadPoolExecutor:
        if self._slow is None:
            self._slow = ThreadPoolExecutor(WIDTH, "tuppence-slow")
        return self._slow


def _parsed(document: Document, old: Tree | None, edits: tuple[Edit, ...], *, is_bounded: bool = False) -> Tree | None:
    """Return the tree of a document, with the lines that are known of it; None where a bounded parse took too much."""
    from tuppence.core.syntax import parser
    from tuppence.core.syntax.languages import language

    budget = parser.usual_budget if is_bounded else parser.parse_budget
    tree = parser.parse(document.text, language(document.language), old, edits, budget)
    if is_bounded and tree.excess == parser.TOO_MUCH:
        return None
    # Both have the text, so that the lines are counted once.
    vars(tree.lines)["line_starts"] = document.line_starts
    return tree


def _outlined(tree: Tree, also: Callable[[Tree], object]) -> None:
    from tuppence.core.prompt.context import outline

    try:
        outline(tree)
        also(tree)
    except Exception:  # noqa: BLE001 - what fails here fails again where it is needed, and is said there
        _log.debug("A version could not be read ahead", exc_info=True)
