"""The file that every editor is shown, what the model says about it, and an answer that waits to be let through."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from scripted_provider import Reply, Talk, events
from tests.editors.session import Session
from tests.editors.terminal import until

SOURCE = '''"""Statistics."""


def mean(values):
    total = 1
    for value in values:
        total += value
    return total / len(value)


def top(values):
    return max(values)  # 😀
'''
HALF = SOURCE.replace("total = 1", "total = 0")
"""With the first of two changes."""
FIXED = HALF.replace("len(value)", "len(values)")
ANSWER = """```python
def mean(values):
    total = 0
    for value in values:
        total += value
    return total / len(values)
```"""
BROKEN = ANSWER.replace("len(values)", "len(values")
IMPORTING = f"{ANSWER}\n\n```imports\nimport math\n```"
_IMPORTED = FIXED.replace('."""\n', '."""\n\nimport math\n', 1)
_END = "\n\n\ndef top"
DOCUMENTS = {
    "lf.py": (SOURCE, ANSWER, FIXED),
    "crlf.py": (SOURCE.replace("\n", "\r\n"), ANSWER, FIXED.replace("\n", "\r\n")),
    "unended.py": (SOURCE[:-1], ANSWER, FIXED[:-1]),
    "last.py": (SOURCE[: SOURCE.index(_END)] + "\n", ANSWER, FIXED[: FIXED.index(_END)] + "\n"),
    "last_unended.py": (SOURCE[: SOURCE.index(_END)], ANSWER, FIXED[: FIXED.index(_END)]),
    "imports.py": (SOURCE, IMPORTING, _IMPORTED),
}
"""By file: the text, what the model says of it, and the text with that."""
TESTED = """from stats import mean


def test_mean():
    assert mean([1, 3]) == 2
"""
FINDING = """severity: error
line: `    return total / len(value)`
problem: value is the last item, not the list.
```
    return total / len(values)
```
"""


@dataclass
class Gate:
    """An answer that stops before its last characters until it is let through."""

    text: str
    hold: int = 8
    """How many characters at the end wait."""
    delay: float = 0.0
    """Seconds between the characters that waited."""
    opened: threading.Event = field(default_factory=threading.Event)
    sent: threading.Event = field(default_factory=threading.Event)
    """Set when all of it was sent."""

    def reply(self) -> Reply:
        """Return it as a scripted reply."""

        async def play(talk: Talk) -> None:
            pieces = events(talk.seen.wire, self.text, size=1)
            await talk.head()
            at = len(self.text) - self.hold
            for piece in pieces[:at]:
                await talk.chunk(piece)
            while not self.opened.is_set():  # noqa: ASYNC110 - the event belongs to the test's thread
                await asyncio.sleep(0.01)
            for piece in pieces[at:]:
                await talk.chunk(piece)
                await asyncio.sleep(self.delay)
            await talk.end()
            self.sent.set()

        return Reply(play)


def show(session: Session, text: str) -> None:
    """Wait until a text is on the screen or among what was said."""
    until(lambda: text in session.terminal.screen() or text in session.told(), f"{text!r} to be shown")


def closes(session: Session, text: str, count: int) -> None:
    """Wait until a closing message has been said so many times."""
    until(lambda: _times(session.told(), text) >= count, f"{text!r} to be said for the {count}. time")


def _times(said: str, text: str) -> int:
    """Return how often a text begins what was said; Emacs says the same thing twice in one line."""
    found = re.findall(rf"{re.escape(text)}[^\n]*?(?: \[(\d+) times\])?$", said, re.MULTILINE)
    return sum(int(times or 1) for times in found)


def becomes(session: Session, text: str) -> None:
    """Wait until the document has a text."""
    with contextlib.suppress(AssertionError):
        until(lambda: session.text() == text, f"the text to become {text!r}")
    # Unlike a wait that was too short, a wrong text is damage, and no test is run again for it.
    assert session.text() == text


def leaves(session: Session, text: str) -> None:
    """Wait until the document no longer has a text."""
    until(lambda: session.text() != text, "the text to change")


def answered(gate: Gate) -> Callable[[], None]:
    """Return what lets an answer through and waits until its edit has been sent to an editor that hears nothing."""

    def let() -> None:
        gate.opened.set()
        until(gate.sent.is_set, "the answer to be sent")
        # The checks and the edit follow it within a few tenths, and nothing outside the deaf editor shows it.
        time.sleep(1.5)

    return let
