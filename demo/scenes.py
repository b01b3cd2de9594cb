"""One scene of the demo: a menu is opened, an entry picked, the run watched, and its end held against the facts.

The server says how a run ended; a scene does not take its word for it. What was put back must be the text as it was,
what was kept must be in the text, and each run must have been entered in the accounts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types

from editor import Buffer, Editor
from linter import lint
from page import Page


class Undefined(Exception):
    """A scene came to no defined end; the sentence says what happened instead."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is done, and where."""

    title: str
    about: str
    """What there is to see."""
    entry: str
    """How the entry of the menu begins."""
    file: str
    """Relative to the project."""
    at: str
    """The text at whose beginning the cursor stands."""
    rule: str = ""
    """The linter's rule whose diagnostic the menu is opened on; empty for a bare cursor."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A defined end."""

    what: str
    """In a word or two."""
    known: str
    """What is known about the answer, and what is not."""
    sure: bool = False
    """Whether more is known than that it can be read."""


_REFUSED = {
    "explain": ("not kept", "the explanation did not pass its check"),
    "fix": ("put back", "the fix did not pass its check, and the text is as it was"),
    "tests": ("put back", "the tests did not pass their check, and no file was changed"),
    "review": ("no usable finding", "the review did not pass its check"),
}
"""How a run ends whose answer failed its check, by action."""
SCENES = (
    Scene(
        "Fix, and no model is needed",
        "An attribute is compared by identity. Ruff knows the cure itself, so nobody is asked and nothing is paid.",
        "Fix: ",
        "stockroom/items.py",
        'self.status is "active"',
        rule="F632",
    ),
    Scene(
        "Explain",
        "The cursor stands in a function, so that function is meant. The text comes as the model writes it.",
        "Explain",
        "stockroom/shelves.py",
        "def to_order",
    ),
    Scene(
        "Fix, by a model",
        "A name is misspelt. Ruff sees it and has no cure, so a model is asked for the function anew.",
        "Fix: ",
        "stockroom/shelves.py",
        "totl",
        rule="F821",
    ),
    Scene(
        "Review",
        "20 per cent off 100 come to -1900 here. Each finding appears on the line that it quotes.",
        "Review",
        "stockroom/prices.py",
        "def discount",
    ),
    Scene(
        "Generate tests",
        "They go where this project keeps its tests. This function has none, and fails on an empty list.",
        "Generate tests",
        "stockroom/prices.py",
        "def average",
    ),
)


async def play(scene: Scene, editor: Editor, page: Page) -> Ending:
    """Play a scene and show it.

    :raises Undefined: it came to no defined end.
    """
    buffer = _opened(editor, scene.file)
    entry = await _pick(scene, editor, page, buffer)
    before, told = _texts(editor), len(editor.seen.messages)
    watch(editor, page, before)
    entered, began = len(editor.seen.costs), time.monotonic()
    await editor.run(entry)
    seconds = time.monotonic() - began
    said = editor.seen.messages[told:]
    for uri, text in _texts(editor).items():
        page.diff(_name(editor, uri), before.get(uri, ""), text)
    if any(each.type == types.MessageType.Error for each in said) or len(editor.seen.costs) == entered:
        raise Undefined(f"“{entry.title}” came to no end of its own: {_words(said) or 'nothing was said'}")
    ending = judge(editor, buffer, before, said)
    page.row("Verdict", f"{ending.what}: {ending.known}", "green" if ending.sure else "yellow")
    if ending.what == "kept":
        await _look_again(scene, editor, page, buffer)
    last = editor.seen.costs[-1].last
    cached = f", {last.cachedTokens} prompt tokens from its cache" if last.cachedTokens else ""
    page.row("Receipt", f"{last.model} ({last.tier}), {last.cost.display}{cached}, {seconds:.1f} s")
    return ending


def watch(editor: Editor, page: Page, before: Mapping[str, str]) -> None:
    """Print what the server shows, as it comes; ``before`` holds the texts that may be put back, by URI."""
    routed: set[str] = set()

    def progress(value: Any) -> None:
        line = value.get("message") if isinstance(value, Mapping) else value.message
        if not line:
            return
        # Its line of progress begins with the model's name; the first one says what it costs and how hard it is, too.
        chosen, colon, _ = line.partition(": ")
        model = chosen.partition(",")[0]
        if colon and " " not in model:
            page.note("Climb" if routed else "Route", line, "magenta")
            routed.add(model)
        else:
            page.tick(line)

    def shown(method: str, params: Any) -> None:
        match method:
            case "tuppence/edit":
                _draft(editor.buffers[params.uri], page, params.edits, before.get(params.uri, ""))
            case types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS if params.diagnostics:
                last = params.diagnostics[-1]
                page.row("Finding", f"line {last.range.start.line + 1}: {last.message}", "yellow")
            case types.WINDOW_SHOW_MESSAGE:
                page.row("Message", params.message, "bold")

    editor.on_progress, editor.on_explanation, editor.on_shown = progress, page.stream, shown


def judge(editor: Editor, buffer: Buffer, before: Mapping[str, str], said: list[types.ShowMessageParams]) -> Ending:
    """Hold what the server says of the end against what is there.

    :raises Undefined: they do not agree, or it is no end that a person could make sense of.
    """
    last = editor.seen.costs[-1].last
    changed = any(text != before.get(uri, "") for uri, text in _texts(editor).items())
    findings = len(editor.seen.diagnostics.get(buffer.uri, ()))
    if last is None or not said:
        raise Undefined("The run ended without a word to the person.")
    if last.outcome == "failed check":
        if changed or (last.action == "review" and findings):
            raise Undefined("The answer was to be put back, but something of it is still there.")
        return Ending(*_REFUSED[last.action])
    if last.outcome != "kept":
        raise Undefined(_words(said))
    if changed != (last.action in ("fix", "tests")):
        raise Undefined("The answer was kept, but the text does not show it." if not changed else "A text was changed.")
    match last.action:
        case "fix" if last.tier == "none":
            return Ending("kept", "sure, because it is the linter's own safe fix", sure=True)
        case "fix" | "tests":
            return Ending("kept", "parses, not proven right")
        case "review" if not findings:
            return Ending("no finding", "the model saw nothing, which proves nothing")
        case "review":
            return Ending("kept", f"{findings} on lines that are really there, not proven right")
    return Ending("kept", "it speaks of this code, not proven right")


async def _pick(scene: Scene, editor: Editor, page: Page, buffer: Buffer) -> types.CodeAction:
    """Open the menu as a person would, show it, and return the scene's entry."""
    start = buffer.text.index(scene.at)
    found = _linted(scene, editor, buffer)
    for each in found:
        page.row("Ruff", f"{scene.file}:{each.range.start.line + 1}: {each.message} ({each.code})", "yellow")
    if not found:
        line = buffer.text.count("\n", 0, start) + 1
        page.row("Cursor", f"{scene.file}:{line}: {scene.at}…")
    menu = await editor.menu(buffer, start, diagnostics=found)
    entry = next((each for each in menu if each.title.startswith(scene.entry)), None)
    if entry is None:
        raise Undefined(f"The menu has no entry that begins with “{scene.entry}”.")
    page.menu([each.title for each in menu], entry.title)
    return entry


async def _look_again(scene: Scene, editor: Editor, page: Page, buffer: Buffer) -> None:
    """After an answer that is kept: the linter looks again, and a hover shows a kept explanation."""
    if scene.rule:
        left = _linted(scene, editor, buffer)
        page.row("Ruff", f"still says {scene.rule}" if left else f"has no {scene.rule} to report any more")
    if scene.entry == "Explain":
        shown = await editor.hover(buffer, buffer.text.index(scene.at))
        if shown:
            page.row("Hover", f"shows it from now on: “{shown.splitlines()[-1]}”")


def _linted(scene: Scene, editor: Editor, buffer: Buffer) -> list[types.Diagnostic]:
    return [each for each in lint(editor.root / scene.file, buffer.text) if scene.rule and each.code == scene.rule]


def _draft(buffer: Buffer, page: Page, edits: Sequence[Any], before: str) -> None:
    """Print a streamed edit: the lines that go and those that come, or that all of it is taken back."""
    lines = buffer.text.splitlines()
    hunks = [
        (edit.range.start.line, edit.range.end.line + (edit.range.end.character > 0), edit.newText.splitlines())
        for edit in edits
    ]
    after = list(lines)
    for first, last, new in sorted(hunks, reverse=True):
        after[first:last] = new
    if after == before.splitlines():
        page.row("Draft", "is taken back", "dim")
        return
    for first, last, new in hunks:
        page.changes("Draft", lines[first:last], new)


def _opened(editor: Editor, file: str) -> Buffer:
    path = editor.root / file
    return editor.buffers.get(path.as_uri()) or editor.open(path, "python")


def _texts(editor: Editor) -> dict[str, str]:
    return {uri: buffer.text for uri, buffer in editor.buffers.items()}


def _name(editor: Editor, uri: str) -> str:
    root = editor.root.as_uri()
    return uri.removeprefix(f"{root}/") if uri.startswith(root) else Path(uri).name


def _words(said: list[types.ShowMessageParams]) -> str:
    return " ".join(each.message for each in said)
