"""Convert a reply, line by line, into edits of the text that it replaces, so that an editor shows it growing.

Emitted edits are never revised here. A line that is at its old place is skipped, a new line is inserted before the rest
of the old text, and old lines are removed when the reply has evidently moved past them. Evidence is needed because
lines such as a closing brace occur everywhere: the further the reply seems to have jumped, the more consecutive lines
must match, and the more text would be removed, the longer they must be, because it may come again. Until then they are
held back (the editor already shows them, so this costs nothing), and so are new lines after them, unless so much new
text was sent that it is acceptable to send some old lines unnecessarily.

A line that resembles the next old one also waits briefly, to replace it in one edit. If the new line were inserted
first and the old one removed later, a cursor in the old line would be pushed down.

core/answer/patch.py handles what is left over at the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from itertools import islice

from tuppence.core.answer.reindent import alike
from tuppence.core.text.diff import differences
from tuppence.core.text.document import Edit, Span

_NEAR, _FAR = 3, 30
"""Up to ``_NEAR`` skipped lines, one matching line with a letter or digit is enough; up to ``_FAR``, two; beyond,
four."""
_HELD = 16
"""Maximum number of lines held back while their place is open, if that is acceptable."""
_SLACK = 60
"""Code points that may be sent or removed unnecessarily, whatever else is sent."""
_ALIKE = 3
"""Maximum number of lines held back while each resembles the old line that it may replace."""
_CANDIDATES = 8
"""Maximum number of places considered for one line; a more frequent line is no evidence."""


class Follower:
    """Converts new lines into edits of a region; the cost of a call does not depend on the region's length."""

    def __init__(self, lines: Sequence[tuple[str, str]], newline: str, start: int) -> None:
        self._old = lines
        self._newline = newline
        self._next = 0
        self._start = self._at = start
        self._held: list[str] = []
        self._done: list[str] = []
        # Lengths of the taken lines that equal no old line, and of those that may turn out to be unchanged old lines.
        self._fresh = self._doubtful = 0
        self._places: dict[str, deque[int]] = {}
        self._offsets = [0]
        for number, (text, ending) in enumerate(lines):
            self._places.setdefault(text, deque()).append(number)
            self._offsets.append(self._offsets[-1] + len(text) + len(ending))

    @property
    def text(self) -> str:
        """The text of the region after every edit so far."""
        return "".join((*self._done, *(text + ending for text, ending in self._old[self._next :])))

    @property
    def length(self) -> int:
        """The length of ``text`` in code points."""
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
        """Return the indexes of the line in the rest of the old text, nearest first."""
        places = self._places.get(line, deque())
        # Places before the current one are dropped for good, so that each is skipped only once.
        while places and places[0] < self._next:
            places.popleft()
        return list(islice(places, _CANDIDATES))

    def _run(self, place: int) -> int:
        """Return how many of the last held lines equal the old lines that end at an index."""
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
        """Insert the held lines; if they seem to be rewritten old lines, wait, or replace those."""
        # The last line has no ending and is left to the final edits.
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
        """Replace as many old lines by the first held lines, one for one."""
        new = "".join(line + self._newline for line in self._held[:count])
        edit = Edit(Span(self._at, self._at + self._long(count)), new)
        self._held = self._held[count:]
        self._write(new)
        self._next += count
        return [edit]

    def _long(self, count: int) -> int:
        """Return the length of the next ``count`` old lines."""
        return self._offsets[self._next + count] - self._offsets[self._next]

    def _jump(self, place: int, run: int) -> list[Edit]:
        """Replace the skipped old lines by the new ones, and continue after the matching lines."""
        skipped, come = [text for text, _ in self._old[self._next : place + 1 - run]], self._held[:-run]
        # Matching lines are no longer in doubt, and they offset as much text that is.
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
        """Skip old lines that the held lines contain too."""
        self._doubtful -= sum(len(text) for text, _ in self._old[self._next : self._next + count])
        self._keep(count)

    def _release(self) -> list[Edit]:
        """Insert the held lines, unless too much of them may turn out to be unchanged old lines."""
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
