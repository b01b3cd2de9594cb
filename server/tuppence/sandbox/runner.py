"""What is tried, how a kind of tests is run, and what came of one run: the values of a trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tuppence.core.text.document import Span

End = Literal["passed", "failed", "no test", "time", "memory", "processes", "bytes", "no wall"]
"""How a run ended: four are limits that it reached; with no wall around it, it did not begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialInput:
    """What is tried."""

    language: str
    """The row's id of the tested file's language."""
    root: Path
    """The project; it is only read."""
    source: Path
    """The tested file, inside the project."""
    code: str
    """What it holds, as the editor has it."""
    target: Span
    """The tested code in it."""
    tests: Path
    """The test file, inside the project; it need not be there."""
    text: str
    """What it will hold."""
    names: tuple[str, ...]
    """The new tests, as the runner names them; all of the file's where none is named."""
    is_private: Callable[[Path], bool]
    """Tells of a path inside the project, relative to it, whether it is left out of the copy."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one run."""

    end: End
    said: str
    """The beginning of what it wrote."""


class Runner(Protocol):
    """How one kind of tests is run in the copy of a project."""

    name: str
    """What people call it."""
    wants: Sequence[str]
    """Folders of the project, by name, whose entries the copy is given as links: they are read, never written."""

    addresses: int
    """How many times the limit of memory each of its processes may have of addresses; 0 for any number."""

    def command(self, tests: Path, names: Sequence[str]) -> list[str]:
        """Return what runs the tests of these names in a file of the run's copy; all of them where none is named."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Return the environment of a run."""
        ...

    def visible(self) -> Mapping[Path, Path]:
        """Return the files and folders of outside that a run may read, by the paths at which it finds them."""
        ...

    def stub(self, tests: Path) -> tuple[Path, str]:
        """Return a test, and its place beside the tests, that passes where the tested file can be loaded at all."""
        ...

    def ended(self, status: int, said: str) -> End:
        """Return what an exit status means."""
        ...

    def complaint(self, said: str) -> str:
        """Return the words in which a run says what is wrong, in one line; empty where it does not."""
        ...

    def spoilt(self, code: str) -> str:
        """Return code that fails as soon as it is loaded."""
        ...

    def is_own(self, said: str) -> str:
        """Return the module of the project that a run did not find, empty where that was not its trouble."""
        ...
