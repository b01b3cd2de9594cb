"""Following a reply line by line through the text that it replaces, so that an editor sees it grow.

What is emitted is never revised here: a line that is still where it was is passed over, a new one is inserted before
what is left of the old text, and old lines go when the reply is seen to have moved past them. That takes evidence,
because a closing brace is everywhere: the further the reply seems to have jumped, the more lines in a row must agree,
and the more text goes, the longer they must be, because it may come again. Until then they are held back (they stand in
the editor already, so holding them costs nothing), and new lines behind them, unless what was sent of new ones is worth
the risk that the old ones are sent in vain.

A line that resembles the next old one waits a little too, to take its place as one edit: a cursor in an old line that
goes only after its successor came would have been pushed down by then.

Whatever is left over at the end, core/answer/patch.py settles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from tuppence.core.answer.reindent import alike
from tuppence.core.text.diff import differences
from tuppence.core.text.document import Edit, Span

_NEAR, _FAR = 3, 30
"""Up to so many skipped lines one telling line in common is enough; up to so many two; beyond, four."""
_HELD = 16
"""Lines held back at most while their place is open, where that is worth the risk."""
_SLACK = 60
"""Code points that may be sent in vain, or gone in vain, whatever else is sent."""
_ALIKE = 3
"""Lines held back at most while each resembles the old line whose place it may take."""
_CANDIDATES = 8
"""Places looked at for one line; a line more frequent than that proves nothing."""


class Follower:
    """Turns new lines into edits of a region; every call costs the same however long the region is."""

    def __init__(self, lines: Sequence[tuple[str, str]], newline: str, start: int) -> None:
        self._old = lines
        self._newline = newline
        self._next = 0
        self._start = self._at = start
        self._held: list[str] = []
        self._done: list[str] = []
        # How long the lines taken are that no old line says, and those that may yet turn out to be old ones that stay.
        self._fresh = self._doubtful = 0
        self._places: dict[str, deque[int]] = {}
        self._offsets = [0]
        for number, (text, ending) in enumerate(lines):
            self._places.setdefault(text, deque()).append(number)
            self._offsets.append(self._offsets[-1] + len(text) + len(ending))

    @property
    def text(self) -> str:
        """What stands in the region after every edit so far."""
        return "".join((*self._done, *(text + ending for text, ending in self._old[self._next :])))

    @property
    def length(self) -> int:
        """How long that is, in code points."""
        return self._at - self._start + self._offsets[-1] - self._offsets[self._next]

    def take(self, line: str) -> list[Edit]:
        """Take the next new line; return the edits that it allows, each relative to the text after the one before."""
        if self._next < len(self._old) and not self._held and self._old[self._next][0] == line:
            self._keep(1)
            return []
        places = self._ahead(line)
        self._held.append(line)
        self._doubtful += len(line) if places else 0
        self._fresh += len(line) if line not in self._places else 0
        if not places:
            return self._succeed() if len(self._held) <= _HELD else self._release()
        place, run = max(((place, self._run(place)) for place in places), key=lambda each: (each[1], -each[0]))
        skipped = place + 1 - run - self._next
        if self._convinced(run, skipped):
            return self._jump(place, run)
        return self._release() if len(self._held) > _HELD else []

    def _ahead(self, line: str) -> list[int]:
        """Return where the line stands in the rest of the old text, the nearest places first."""
        places = self._places.get(line, deque())
        # Places behind the reply are dropped for good, so that each is passed over once.
        while places and places[0] < self._next:
            places.popleft()
        return list(islice(places, _CANDIDATES))

    def _run(self, place: int) -> int:
        """Return how many of the lines held last agree with the old ones up to that place."""
        run = 0
        while run < len(self._held) and place - run >= self._next:
            if self._old[place - run][0] != self._held[-1 - run]:
                break
            run += 1
        return run

    def _convinced(self, run: int, skipped: int) -> bool:
        agreed = self._held[-run:]
        size = sum(map(len, agreed))
        gone = self._offsets[self._next + skipped] - self._offsets[self._next]
        if max(gone, self._doubtful - size - self._fresh / 2) > 1.5 * size + _SLACK:
            return False
        if not skipped:
            return True
        telling = sum(any(map(str.isalnum, line)) for line in agreed)
        return telling >= (1 if skipped <= _NEAR else 2 if skipped <= _FAR else 4)

    def _succeed(self) -> list[Edit]:
        """Insert the lines held back, unless they seem to be old lines rewritten: then wait, or take their places."""
        # The last line has no ending and is left to what settles the rest.
        olds = [
            text for text, _ in islice(self._old, self._next, min(self._next + len(self._held), len(self._old) - 1))
        ]
        count = 0
        while count < len(olds) and alike(self._held[count], olds[count]):
            count += 1
        if count == len(self._held):
            return self._replace(1) if count == _ALIKE else []
        return [*(self._replace(count) if count else []), *self._release()]

    def _replace(self, count: int) -> list[Edit]:
        """Let the first lines held back take the places of as many old ones, each its own."""
        new = "".join(line + self._newline for line in self._held[:count])
        edit = Edit(Span(self._at, self._at + self._long(count)), new)
        self._held = self._held[count:]
        self._write(new)
        self._next += count
        return [edit]

    def _long(self, count: int) -> int:
        """Return how long the next so many old lines are."""
        return self._offsets[self._next + count] - self._offsets[self._next]

    def _jump(self, place: int, run: int) -> list[Edit]:
        """Put what is new in the place of what was skipped, and go on behind the lines in common."""
        skipped, come = [text for text, _ in self._old[self._next : place + 1 - run]], self._held[:-run]
        # What agrees is no longer in doubt, and it speaks against as much of what does not.
        self._doubtful -= 2 * sum(map(len, self._held[-run:]))
        self._held = []
        edits: list[Edit] = []
        done = 0
        for first, last, low, high in differences(skipped, come):
            self._stay(first - done)
            new = "".join(line + self._newline for line in come[low:high])
            edits.append(Edit(Span(self._at, self._at + self._long(last - first)), new))
            self._write(new)
            self._next += last - first
            done = last
        self._stay(len(skipped) - done)
        self._keep(run)
        self._doubtful = max(0, self._doubtful)
        return edits

    def _stay(self, count: int) -> None:
        """Pass over old lines that the lines held back hold too."""
        self._doubtful -= sum(len(text) for text, _ in self._old[self._next : self._next + count])
        self._keep(count)

    def _release(self) -> list[Edit]:
        """Insert the lines held back, unless too much of them may turn out to be old lines that stay."""
        if self._doubtful > _SLACK + self._fresh / 2:
            return []
        end = self._next == len(self._old)
        new = "".join(self._newline + line if end else line + self._newline for line in self._held)
        edit = Edit(Span(self._at, self._at), new)
        self._held = []
        self._write(new)
        return [edit]

    def _write(self, text: str) -> None:
        self._done.append(text)
        self._at += len(text)

    def _keep(self, count: int) -> None:
        for text, ending in self._old[self._next : self._next + count]:
            self._write(text + ending)
        self._next += count
