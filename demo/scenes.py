"""One scene of the demo: a menu is opened, an entry picked, the run watched, and its end held against the facts.

The server says how a run ended; the scene does not take its word for it. What was put back must be the text as it was,
what was kept must be in the text, and everything must have been entered in the accounts.
"""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor import Buffer, Editor
from linter import lint
from lsprotocol import types
from page import Page

SECONDS = 120.0
"""What one action may take; the embedded model needs ten on two cores."""
_ROUTED = re.compile(r"\S+: ")
"""How a line of progress begins that names a model and why it was chosen."""


class Undefined(Exception):
    """A scene came to no defined end; the sentence says what happened instead."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is done, and where."""

    entry: str
    """How the menu's entry begins."""
    file: str
    """Relative to the project."""
    at: str
    """The text at whose beginning the cursor stands."""
    about: str
    """What there is to see."""
    rule: str = ""
    """The linter's rule whose diagnostic the menu is opened on; empty for a bare cursor."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A defined end."""

    what: str
    """In a few words."""
    known: str
    """What is known about the answer, and what is not."""
    sure: bool = False
    """Whether more is known than that it parses."""


SCENES = (
    Scene(
        "Fix: ",
        "stockroom/items.py",
        'self.status is "active"',
        "Ruff found a real bug and knows the fix itself: no model is asked, it costs nothing.",
        rule="F632",
    ),
    Scene("Explain", "stockroom/shelves.py", "def to_order", "A bare cursor in a function: the function is meant."),
    Scene("Fix: ", "stockroom/shelves.py", "totl", "Ruff found a bug that it cannot fix: a model is asked.", rule="F821"),
    Scene("Review", "stockroom/prices.py", "def discount", "A discount of 20 per cent on 100 gives -1900. Is it seen?"),
    Scene(
        "Generate tests", "stockroom/prices.py", "def average", "The tests go where this project keeps its tests."
    ),
)


async def play(scene: Scene, editor: Editor, page: Page) -> Ending:
    """Play a scene and show it.

    :raises Undefined: it came to no defined end.
    """
    buffer = opened(editor, scene.file)
    start = buffer.text.index(scene.at)
    found = [each for each in lint(editor.root / scene.file, buffer.text) if scene.rule and each.code == scene.rule]
    for each in found:
        page.row("Ruff", f"{scene.file}:{each.range.start.line + 1}: {each.message} ({each.code})", "yellow")
    if not found:
        page.row("Cursor", f"{scene.file}:{buffer.text.count(chr(10), 0, start) + 1}: {_line(buffer.text, start)}")
    menu = await editor.menu(buffer, start, diagnostics=found)
    entry = next((each for each in menu if each.title.startswith(scene.entry)), None)
    if entry is None:
        raise Undefined(f"The menu has no entry that begins with “{scene.entry}”.")
    page.menu([each.title for each in menu], entry.title)
    before, begun = texts(editor), len(editor.seen.messages)
    known = len(editor.seen.costs)
    watch(editor, page)
    began = time.monotonic()
    await _run(editor, entry)
    seconds = time.monotonic() - began
    if len(editor.seen.costs) == known:
        raise Undefined(f"“{entry.title}” ended without an entry in the accounts.")
    for uri, text in texts(editor).items():
        page.diff(Path(uri).relative_to(editor.root.as_uri()).as_posix(), before.get(uri, ""), text)
    ending = judge(editor, buffer, before, [each.message for each in editor.seen.messages[begun:]])
    page.row("Verdict", f"{ending.what}: {ending.known}", "green" if ending.sure else "yellow")
    if ending.what == "kept" and found:
        _look_again(editor, page, buffer, scene)
    _receipt(editor, page, seconds)
    return ending


def opened(editor: Editor, file: str) -> Buffer:
    """Return the buffer of a file, opened where it is not."""
    path = editor.root / file
    return editor.buffers.get(path.as_uri()) or editor.open(path, "python")


def texts(editor: Editor) -> dict[str, str]:
    """Return what stands in the buffers, by URI."""
    return {uri: buffer.text for uri, buffer in editor.buffers.items()}


def watch(editor: Editor, page: Page) -> None:
    """Print what the server shows, as it comes."""

    def progress(value: Any) -> None:
        line = getattr(value, "message", None)
        if line and _ROUTED.match(line):
            page.row("Route", line, "magenta")
        elif line:
            page.tick(line)

    def shown(method: str, params: Any) -> None:
        match method:
            case "tuppence/edit":
                for edit in params.edits:
                    page.stream(edit.newText)
            case types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS:
                for each in params.diagnostics[-1:]:
                    page.row("Finding", f"line {each.range.start.line + 1}: {each.message}", "yellow")
            case types.WINDOW_SHOW_MESSAGE:
                page.row("Message", params.message, "bold")

    editor.on_progress, editor.on_explanation, editor.on_shown = progress, page.stream, shown


def judge(editor: Editor, buffer: Buffer, before: dict[str, str], said: list[str]) -> Ending:
    """Hold what the server says of the end against what is there.

    :raises Undefined: they do not agree, or it is no end that a person could make sense of.
    """
    last = editor.seen.costs[-1].last
    changed = {uri for uri, text in texts(editor).items() if text != before.get(uri, "")}
    findings = len(editor.seen.diagnostics.get(buffer.uri, ()))
    if not said:
        raise Undefined("The run ended without a word to the person.")
    if last.outcome == "failed check":
        if changed or (last.action == "review" and findings):
            raise Undefined("The answer was to be put back, but something of it is still there.")
        return Ending("no usable finding" if last.action == "review" else "put back", "the text is as it was")
    if last.outcome != "kept":
        raise Undefined(" ".join(said))
    if bool(changed) != (last.action in ("fix", "tests")):
        raise Undefined("The answer was kept, but the text does not show it." if not changed else "A text changed.")
    match last.action:
        case "fix" if last.tier == "none":
            return Ending("kept", "sure, it is the linter's own safe fix", sure=True)
        case "fix" | "tests":
            return Ending("kept", "parses, not proven right")
        case "review" if not findings:
            return Ending("no finding", "the model saw nothing, which proves nothing")
        case "review":
            return Ending("kept", f"{findings} on lines that are really there, not proven right")
    return Ending("kept", "it speaks of this code, not proven right")


async def _run(editor: Editor, entry: types.CodeAction) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            await editor.run(entry)
    except TimeoutError:
        raise Undefined(f"“{entry.title}” did not end within {SECONDS:.0f} s.") from None


def _look_again(editor: Editor, page: Page, buffer: Buffer, scene: Scene) -> None:
    """Ask the linter about the text as it is now."""
    left = [each for each in lint(editor.root / scene.file, buffer.text) if each.code == scene.rule]
    page.row("Ruff", f"still says {scene.rule}" if left else f"has no {scene.rule} to report any more")


def _receipt(editor: Editor, page: Page, seconds: float) -> None:
    last = editor.seen.costs[-1].last
    cached = f", {last.cachedTokens} prompt tokens from the cache" if last.cachedTokens else ""
    page.row("Receipt", f"{last.model} ({last.tier}), {last.cost.display}{cached}, {seconds:.1f} s")


def _line(text: str, start: int) -> str:
    return text[start:].partition("\n")[0]
