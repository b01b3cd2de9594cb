"""The values of a trial: its input, the interface of a test runner, and the result of one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tuppence.core.text.document import Span

End = Literal["passed", "failed", "no test", "time", "memory", "processes", "bytes", "no wall"]
"""How a run ended. Four are limits; ``no wall`` means that no isolation method works and nothing was run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialInput:
    """The input of a trial."""

    language: str
    """The language id of the tested file."""
    root: Path
    """The project folder, which is only read."""
    source: Path
    """The tested file, inside the project."""
    code: str
    """The contents of the tested file, as in the editor."""
    target: Span
    """The tested code in it."""
    tests: Path
    """The test file, inside the project. It need not exist."""
    text: str
    """The new contents of the test file."""
    names: tuple[str, ...]
    """The names of the new tests, as the runner knows them; empty for all tests of the file."""
    is_private: Callable[[Path], bool]
    """Returns whether a path, relative to the project, must not be copied."""


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one run."""

    end: End
    said: str
    """The beginning of its output."""


class Runner(Protocol):
    """How to run one kind of tests in a copy of a project."""

    name: str
    """The runner's name in messages."""
    wants: Sequence[str]
    """Names of project folders whose entries are linked into the copy, read-only."""

    addresses: int
    """Address space limit of each process, as a multiple of the memory limit; 0 for no limit."""

    def command(self, tests: Path, names: Sequence[str]) -> list[str]:
        """Return the command that runs the named tests of a file in the run's copy; all tests if ``names`` is empty."""
        ...

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables of a run."""
        ...

    def visible(self) -> Mapping[Path, Path]:
        """Return the outside files and folders that a run may read, by the paths at which it expects them."""
        ...

    def stub(self, tests: Path) -> tuple[Path, str]:
        """Return the path and contents of a test that passes if the tested file can be loaded."""
        ...

    def ended(self, status: int, said: str) -> End:
        """Return the meaning of an exit status."""
        ...

    def complaint(self, said: str) -> str:
        """Return the line of the output that describes the failure; empty if there is none."""
        ...

    def spoilt(self, code: str) -> str:
        """Return code that fails when it is loaded."""
        ...

    def is_own(self, said: str) -> str:
        """Return the name of the project module that a run could not import; empty if that was not the failure."""
        ...
