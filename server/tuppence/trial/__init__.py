"""Are generated tests of use? They are run: they must pass on the code as it is and fail on a mutant of it.

Everything happens in a copy of the project in a temporary folder, within limits of time and memory, with an
environment that holds no key, and ends with no process and no file left. It is asked for only where the user switched
it on and trusts the project (proving.py): the tests are a model's code, and they run with the user's rights to read,
and with the network.

An answer fails only where the trial is sure that the tests are to blame: a stub that only loads the tested file must
pass where they do not. Python with pytest only; not on Windows, which lacks the limits.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tuppence.core.checks import Verdict
from tuppence.core.mutants import mutants
from tuppence.core.text import Span, apply
from tuppence.trial import replica
from tuppence.trial.interpreter import environment, find, module_of
from tuppence.trial.launch import TIME_IS_UP

SECONDS = 20.0
"""How long one run of the tests may take."""
ALL_SECONDS = 60.0
"""How long a trial may take; mutants that are not tried by then are left out."""
MEMORY = 4 * 1024**3
"""Bytes of address space for each process of a run."""
_MOST_SAID = 100_000
"""Bytes of a run's output that are kept."""
_SHOWN = 160
"""Code points of a test's complaint that a reason shows."""
_PASSED, _FAILED, _NOTHING_THERE = 0, 1, 5
"""pytest's exit statuses."""
_STUB = """\
import importlib


def test_that_the_tested_file_can_be_imported():
    importlib.import_module("{module}")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is tried."""

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
    """The new tests, as pytest names them behind the file; all of the file's where none is named."""
    is_private: Callable[[Path], bool]
    """Tells of a path inside the project, relative to it, whether it is left out of the copy."""


@dataclass(frozen=True, slots=True)
class _Run:
    status: int
    said: str


async def prove(case: Case) -> Verdict:
    """Return what a trial of the tests showed; one that cannot be made proves nothing and is a doubt, no failure."""
    if sys.platform == "win32":
        return _undecided("tests are not run on Windows")
    python = await asyncio.to_thread(find, case.root)
    if python is None:
        return _undecided("there is no Python to run them with")
    place = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="tuppence-trial-"))
    try:
        try:
            await asyncio.to_thread(replica.copy, case.root, place / "project", case.is_private)
        except replica.TooLarge:
            return _undecided("the project is too large to be copied for it")
        except OSError as error:
            return _undecided(f"the project could not be copied: {error.strerror or type(error).__name__}")
        return await _Trial(case, place, python).hold()
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, place, ignore_errors=True))


class _Trial:
    """One trial in one copy."""

    def __init__(self, case: Case, place: Path, python: str) -> None:
        self._case = case
        self._place = place
        self._project = place / "project"
        self._source = self._project / case.source.relative_to(case.root)
        self._tests = self._project / case.tests.relative_to(case.root)
        self._python = python
        self._end = time.monotonic() + ALL_SECONDS
        for name in ("home", "tmp"):
            (place / name).mkdir()

    async def hold(self) -> Verdict:
        """Run the tests on the code, then on its mutants until one is caught."""
        case = self._case
        _write(self._source, case.code)
        _write(self._tests, case.text)
        began = time.monotonic()
        run = await self._pytest(SECONDS)
        if run.status != _PASSED:
            return await self._blamed(run)
        # A mutant that loops for ever is caught too, so it need not loop for long.
        patience = min(SECONDS, 2 + 3 * (time.monotonic() - began))
        made = mutants(case.code, case.target)
        tried = 0
        for each in made:
            if time.monotonic() + patience > self._end:
                break
            tried += 1
            if await self._notices(apply(case.code, [each.edit]), patience):
                return Verdict(fit=True, proved="tests pass, mutant caught")
        return await self._survived(tried, patience)

    async def _survived(self, tried: int, patience: float) -> Verdict:
        """Judge tests that pass and caught none of the mutants."""
        if not tried:
            return Verdict(fit=True, proved="tests pass", doubts=("no mutant was tried",))
        if not await self._notices(f'raise RuntimeError("this file was loaded")\n{self._case.code}', patience):
            # They may test an installed copy of the project, which no mutant touches.
            return Verdict(fit=True, proved="tests pass", doubts=("they did not load the file as it is in the editor",))
        many = f"none of {tried} mutants" if tried > 1 else "not even the one mutant that there is"
        return _unfit(f"The tests pass, but they prove little: of the code they catch {many}.")

    async def _notices(self, code: str, seconds: float) -> bool:
        _write(self._source, code)
        return (await self._pytest(seconds)).status != _PASSED

    async def _blamed(self, run: _Run) -> Verdict:
        """Judge tests that do not pass: it is their fault only where a stub in their place passes."""
        stub = self._tests.with_name("test_tuppence_stub.py")
        _write(stub, _STUB.format(module=module_of(self._source, self._project)))
        control = await self._run(("-p", "no:cacheprovider", str(stub)), SECONDS)
        if control.status != _PASSED:
            return _undecided(_complaint(control) or "pytest does not run in this project")
        missing = re.search(r"No module named '([^'.]+)", run.said)
        if missing and self._has(missing[1]):
            return _undecided(f"pytest does not find the project's own module {missing[1]}")
        if run.status == TIME_IS_UP:
            return _unfit(f"The tests did not end within {SECONDS:.0f} seconds.")
        if run.status == _NOTHING_THERE:
            return _unfit("pytest finds no test in the answer.")
        said = _complaint(run)
        return _unfit(f"The tests fail on the code as it is{f': {said}' if said else ''}.")

    def _has(self, module: str) -> bool:
        """Report whether a module is the project's own."""
        folders = (self._project, self._project / "src", *self._source.parents)
        inside = (folder for folder in folders if folder.is_relative_to(self._project))
        return any((folder / module).is_dir() or (folder / f"{module}.py").is_file() for folder in inside)

    async def _pytest(self, seconds: float) -> _Run:
        named = [f"{self._tests}::{name}" for name in self._case.names] or [str(self._tests)]
        return await self._run(("-x", "-p", "no:cacheprovider", *named), seconds)

    async def _run(self, arguments: Sequence[str], seconds: float) -> _Run:
        """Run pytest in the copy; whatever comes of it, no process of it is left."""
        launcher = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
        limits = [str(seconds), str(MEMORY), str(self._place)]
        # A project's own options may ask for coverage, for many processes or for other tests.
        options = ["-q", "--no-header", "--tb=short", "-o", "addopts=", *arguments]
        process = await asyncio.create_subprocess_exec(
            *launcher,
            *limits,
            *(self._python, "-m", "pytest", *options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._project,
            env=environment(self._project, self._source, self._place),
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            async with asyncio.timeout(seconds + 10):
                said = await _read(process.stdout)
                return _Run(await process.wait(), said)
        except TimeoutError:
            return _Run(TIME_IS_UP, "")
        finally:
            # The launcher takes the end of its input as the sign to end everything, and itself last.
            process.stdin.close()
            with suppress(TimeoutError, ProcessLookupError):
                await asyncio.shield(asyncio.wait_for(process.wait(), 5))


async def _read(stream: asyncio.StreamReader) -> str:
    """Return the beginning of the output, and read the rest to let the process go on."""
    kept = bytearray()
    while chunk := await stream.read(65_536):
        kept += chunk[: max(0, _MOST_SAID - len(kept))]
    return kept.decode("utf-8", "replace")


def _complaint(run: _Run) -> str:
    """Return the line in which pytest, or Python, says what is wrong; empty where none does."""
    found = re.search(r"^(?:FAILED|ERROR) \S+? - (.+)$", run.said, re.MULTILINE)
    found = found or re.search(r"^E\s+(\S.*)$", run.said, re.MULTILINE)
    found = found or re.search(r"(No module named .+)$", run.said, re.MULTILINE)
    line = " ".join(found[1].split()).rstrip(".") if found else ""
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "replace"))


def _undecided(why: str) -> Verdict:
    return Verdict(fit=True, proved="", doubts=(f"the tests were not run: {why}",))


def _unfit(why: str) -> Verdict:
    return Verdict(fit=False, proved="nothing", reasons=(why,))
