"""``make demo``: the main job, end to end, on a model of one's own; nothing is canned, and nothing leaves this machine.

The real server is started as an editor starts it, by a real language client, on an example project with real bugs. The
exit code is 0 when every action came to a defined end (kept, put back, no usable finding), and 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from pygls.exceptions import JsonRpcException

from editor import Editor
from page import Page
from sandbox import Sandbox, copy, sandbox, scratch
from scenes import SCENES, Ending, Scene, Undefined, play
from tuppence.errors import TuppenceError
from tuppence.local import Embedded

SERVE = (sys.executable, "-m", "tuppence", "serve")
STARTING = 30.0
"""Seconds that the server may take to start; it needs one."""
ENDING = 5.0
"""Seconds that the server may take to end; it needs a tenth of one."""
ACTING = 240.0
"""Seconds that one action may take; the embedded model needs some twenty on two cores, more where they are busy."""
HERE = ("embedded", "ruff")
"""Who may answer without ``--allow-remote``."""
INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""


def main(words: list[str] | None = None) -> int:
    """Play the demo and return the exit code."""
    chosen = _arguments(words)
    scenes = [SCENES[number - 1] for number in chosen.only]
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # typed as TextIO, which has no such method
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # What it has to say of the server is said here.
    page = Page()
    try:
        with scratch() as temporary, _place(temporary, page, remote=chosen.allow_remote) as place:
            asyncio.run(perform(scenes, place, page))
    except (TuppenceError, Undefined) as error:
        page.say("")
        page.say(f"The demo failed. {error}", "bold red")
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        page.say("Stopped.")
        return INTERRUPTED
    return 0


async def perform(scenes: Sequence[Scene], place: Sandbox, page: Page) -> None:
    """Play scenes on one server.

    :raises Undefined: a scene, or the server itself, came to no defined end.
    """
    began = time.monotonic()
    editor = Editor(SERVE, place.root, streams=True)
    editor.patience = ENDING
    editor.answer = lambda _question: "Never" if place.closed else None
    _introduce(place, page)
    endings: list[tuple[Scene, Ending]] = []
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    try:
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(STARTING):
                await stack.enter_async_context(editor)
            for number, scene in enumerate(scenes, 1):
                page.title(f"{number} of {len(scenes)}: {scene.title}", scene.about)
                async with asyncio.timeout(ACTING):
                    endings.append((scene, await play(scene, editor, page)))
    except TimeoutError:
        if this.cancelling():  # The server hung, and that is why the person wanted no more of it.
            raise asyncio.CancelledError from None
        doing = scenes[len(endings)].title if editor.initialized and len(endings) < len(scenes) else "The server"
        raise Undefined(f"{doing} did not come to an end in time.{_complaint(editor)}") from None
    except (RuntimeError, JsonRpcException, OSError) as error:
        raise Undefined(f"The server ended before its work was done: {error}.{_complaint(editor)}") from None
    finally:
        if editor.process.returncode is None:
            editor.process.kill()
    if "Traceback" in editor.seen.errors:
        raise Undefined(f"The server met an error of its own.{_complaint(editor)}")
    _total(endings, editor, page)
    asked = [row.name for row in editor.seen.costs[-1].byModel]
    if place.closed and (strangers := [name for name in asked if not name.startswith(HERE)]):
        raise Undefined(f"Somebody else was asked: {', '.join(strangers)}.")
    _farewell(place, page, time.monotonic() - began)


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make demo", description="All actions on an example project, on the embedded model."
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="use your own configuration, keys, models and accounts, as an editor would: the example project's code "
        "goes to whom they name, and may cost money",
    )
    numbers = range(1, len(SCENES) + 1)
    only = f"play these scenes only, of 1 to {len(SCENES)}"
    parser.add_argument("--only", nargs="+", type=int, choices=numbers, default=numbers, metavar="N", help=only)
    return parser.parse_args(words)


@contextmanager
def _place(temporary: Path, page: Page, *, remote: bool) -> Iterator[Sandbox]:
    """Return where the demo plays, with the embedded model installed."""
    if remote:
        yield Sandbox(copy(temporary), closed=False)
        return
    if not (embedded := Embedded()).installed():
        embedded.install(page.say)
    with sandbox(temporary) as place:
        yield place


def _introduce(place: Sandbox, page: Page) -> None:
    page.title("tuppence: the main job, from the menu to the receipt")
    page.row("Server", f"{Path(SERVE[0]).name} {' '.join(SERVE[1:])}, over stdio, with a real language client")
    page.row("Project", f"stockroom, a copy in {place.root.parent}; its bugs are real")
    if place.closed:
        page.row("Model", "SmolLM2-135M, on this machine: good for trying the wiring, not for its answers")
        page.row("Network", "none: the server is given no key, proxy or configuration of yours (--allow-remote does)")
    else:
        page.row("Model", "whichever your own configuration and keys lead to; requests are entered in your accounts")


def _total(endings: list[tuple[Scene, Ending]], editor: Editor, page: Page) -> None:
    """Print how each scene ended, and what the last ``tuppence/cost`` says of all."""
    page.title("What it came to")
    for scene, ending in endings:
        page.row("", f"{scene.title}: {ending.what} ({ending.known})", "green" if ending.sure else "default")
    cost = editor.seen.costs[-1]
    models = ", ".join(f"{row.name} {row.display}" for row in cost.byModel)
    count = f"{len(endings)} action{'s' * (len(endings) != 1)}"
    page.row("Spent", f"{cost.session.display} for {count}; today {cost.today.display} ({models})", "bold")
    page.row("Saved", f"{cost.saved.display} today against always asking the best model that could be asked")


def _farewell(place: Sandbox, page: Page, seconds: float) -> None:
    page.title(f"Every action came to a defined end, in {seconds:.0f} s")
    page.say("What next:")
    program = Path(sys.executable).with_name("tuppence")
    page.say(f"  In your editor     let it start `{program} serve` as a language server (README.md).")
    page.say("  Better answers     set a provider's key, such as ANTHROPIC_API_KEY; `tuppence models` shows the table.")
    page.say("  What it costs      `tuppence cost`.")
    if place.closed:
        page.say("  This, for real     `make demo ARGS=--allow-remote` uses your own configuration and keys.")
        page.say("Nothing is left behind but the model's weights; `tuppence local remove` deletes them.")


def _complaint(editor: Editor) -> str:
    """Return what the server last wrote to its standard error."""
    lines = editor.seen.errors.strip().splitlines()
    return f" It wrote: {lines[-1]}" if lines else ""


if __name__ == "__main__":
    sys.exit(main())
