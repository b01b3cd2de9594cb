"""Terminal output: everything that a command prints, foreign text included, is safe to display.

A console's output is made safe after the layout, so no table, title or cell is missed; rich's own styles remain. Rich's
interpretation of markup, emoji names and links in text is turned off. Output for programs is plain ASCII JSON.
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
    """Return a console for lines whose hidden characters are already visible, and which must not change further."""
    return Console(markup=False, highlight=False, emoji=False)


def say_body(body: bytes) -> None:
    """Write a JSON body byte for byte; on a terminal, control characters become equivalent JSON escapes."""
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
    """Print lines unwrapped to stdout or stderr."""
    print(safe(text), file=sys.stderr if errors else sys.stdout, flush=errors)


def say_json(value: Any, *, indent: int | None = 2) -> None:
    """Print a value as JSON, with escapes for all non-ASCII characters, because a terminal may display it."""
    print(_scan().hide(json.dumps(value, indent=indent, allow_nan=False)), flush=True)  # noqa: T201 - this is the outlet


def say_lines(text: str) -> None:
    """Print a table for programs unchanged: its cells were made safe when they were written."""
    sys.stdout.write(_scan().hide(text))


def safe(text: str) -> str:
    """Return a text that a terminal may display."""
    return shown(_scan().hide(text), lines=True)


@cache
def _scan() -> KeyScan:
    """Return a scanner for the keys in the environment, which a command reads once."""
    return environment_scan(os.environ)


class _Safe(RenderHook):
    """Makes everything that a console prints safe."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return safe versions of the renderables."""
        return [_SafeRenderable(each) for each in renderables]


class _SafeRenderable:
    """A renderable whose output is made safe."""

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the segments; only rich itself may add those that control the terminal."""
        yield from _segments(console.render(self._renderable, options))


def _segments(segments: Iterable[Segment]) -> Iterable[Segment]:
    for segment in segments:
        if segment.control:
            continue  # No output of tuppence moves the cursor, and foreign text must not.
        yield Segment(safe(segment.text), segment.style)
