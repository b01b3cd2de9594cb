"""The one way to the terminal: whatever a command prints, words of others included, is safe to look at.

A console's output is made safe after the layout, so no table, title or cell can be forgotten; rich's own styles remain.
Where rich would read markup, emoji names or links in a text, that is off. What is for programs is plain ASCII JSON.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from functools import cache
from typing import Any

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from tuppence.core.text.hidden import hidden
from tuppence.core.text.key_scan import KeyScan, environment_scan
from tuppence.core.text.shown_text import shown


def console(*, errors: bool = False) -> Console:
    """Return a console for stdout, or for stderr."""
    made = Console(stderr=errors, markup=False, highlight=False, emoji=False)
    made.push_render_hook(_Safe())
    return made


def exact_console() -> Console:
    """Return a console for lines in which every hidden character was made visible, and nothing else may change."""
    return Console(markup=False, highlight=False, emoji=False)


def say_body(body: bytes) -> None:
    """Write a body of JSON byte for byte; on a terminal, what would steer it as JSON's escapes, which mean the same."""
    if not sys.stdout.isatty():
        sys.stdout.flush()
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
        return
    text = body.decode()
    for found in {each[0] for each in hidden(text)}:
        text = text.replace(found, json.dumps(found)[1:-1])
    print(text)  # noqa: T201 - this is the outlet


def say(text: str, *, errors: bool = False) -> None:
    """Print lines as they are, not wrapped, to stdout or to stderr."""
    print(safe(text), file=sys.stderr if errors else sys.stdout, flush=errors)


def say_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON, with escapes for all but ASCII: a terminal may look at it too."""
    print(_scan().hide(json.dumps(value, indent=indent, allow_nan=False)), flush=True)  # noqa: T201 - this is the outlet


def say_lines(text: str) -> None:
    """Print a table for programs as it is: its cells were made safe where they were written."""
    sys.stdout.write(_scan().hide(text))


def safe(text: str) -> str:
    """Return a text as a terminal may show it."""
    return shown(_scan().hide(text), lines=True)


@cache
def _scan() -> KeyScan:
    """Return what finds the keys of the environment, which a command reads once."""
    return environment_scan(os.environ)


class _Safe(RenderHook):
    """Makes everything that a console prints safe."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return what is printed in place of these."""
        return [_SafeRenderable(each) for each in renderables]


class _SafeRenderable:
    """Another renderable's output, made safe."""

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments; those that control the terminal are rich's own."""
        yield from _segments(console.render(self._renderable, options))


def _segments(segments: Iterable[Segment]) -> Iterable[Segment]:
    for segment in segments:
        if segment.control:
            continue  # Nothing here moves the cursor, and words of others must not.
        yield Segment(safe(segment.text), segment.style)
