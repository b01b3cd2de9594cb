"""``make demo``: the main job, end to end, on a model of one's own; nothing is canned, and nothing leaves this machine.

The real server is started as an editor starts it, by a real language client, on an example project with real bugs. The
exit code is 0 when every action came to a defined end (kept, put back, no usable finding), 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from editor import Editor
from page import Page
from sandbox import Sandbox, copy, sandbox, scratch
from scenes import SCENES, Ending, Undefined, play

from tuppence.errors import TuppenceError
from tuppence.local import Embedded

INTERRUPTED = 130
"""What a shell reports for a program that Ctrl-C ended."""
GOOD_FOR = "It has 135 million parameters: good for trying the wiring, right about once in four."


def main() -> int:
    """Play the demo and return the exit code."""
    parser = argparse.ArgumentParser(description="Play all actions on an example project, on the embedded model.")
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="use your own configuration, keys and accounts: code of the example project is sent to your providers, "
        "and costs money",
    )
    remote = parser.parse_args().allow_remote
    page = Page()
    try:
        with scratch() as temporary, _place(temporary, remote) as place:
            return asyncio.run(perform(place, page))
    except TuppenceError as error:
        page.say(str(error), "bold red")
        return 1
    except KeyboardInterrupt:
        page.say("Stopped. Nothing is left behind.")
        return INTERRUPTED


@contextlib.contextmanager
def _place(temporary: Path, remote: bool) -> Iterator[Sandbox]:
    if remote:
        yield Sandbox(copy(temporary), closed=False)
        return
    Embedded().install(print)
    with sandbox(temporary) as place:
        yield place


async def perform(place: Sandbox, page: Page) -> int:
    began = time.monotonic()
    editor = Editor([sys.executable, "-m", "tuppence", "serve"], place.root, streams=True)
    endings: list[Ending] = []
    async with editor:
        for scene in SCENES:
            page.title(scene.about)
            endings.append(await play(scene, editor, page))
    page.title("Totals")
    print(editor.seen.costs[-1], time.monotonic()-began, editor.seen.errors)
    return 0


if __name__ == "__main__":
    sys.exit(main())
