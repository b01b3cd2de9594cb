"""Run generated tests to judge them: they must pass on the current code and fail on a mutant of it.

A trial runs in a temporary copy of the project, with limits of time, memory and processes, with environment variables
from an allow list, isolated from the user's files, sockets, processes and network. No process is left at its end. Each
run starts from a fresh copy, so no run sees another's files, and the server reads none of them. Without a working
isolation method nothing is run (sandbox/walls.py). Trials happen only if the user enabled them and trusts the project
(engine/verify.py), because the tests are a model's code.

An answer fails only if the tests are certainly to blame: a stub that only loads the tested file passes where they fail.
The modules sandbox/pytest_runner.py and sandbox/node_runner.py know how to run each kind of tests.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tuppence.core.checks.mutation import mutants
from tuppence.core.checks.verdict import Verdict
from tuppence.core.text.document import apply
from tuppence.core.text.shown_text import quoted
from tuppence.sandbox import project_copy
from tuppence.sandbox.launcher import NO_WALL, OUT_OF_MEMORY, TIME_IS_UP, TOO_LARGE, TOO_MANY, clear
from tuppence.sandbox.node_runner import node
from tuppence.sandbox.order import LAUNCHER, ROOM, WALLS, Place, RunLimits, Wall, order
from tuppence.sandbox.pytest_runner import pytest
from tuppence.sandbox.runner import End, Run, Runner, TrialInput

__all__ = ["TrialInput", "prove", "runs"]

SECONDS = 20.0
"""Time limit of one run of the tests."""
ALL_SECONDS = 60.0
"""Time limit of a trial; mutants that are not tried by then are skipped."""
MEMORY = 4 * 1024**3
"""Bytes of memory for all processes of a run together; for some runners also bytes of address space per process."""
PROCESSES = 256
"""Maximum number of processes of a run at a time."""
_MOST_SAID = 100_000
"""Maximum bytes of a run's output to store."""
_SHOWN = 160
"""Maximum code points of a test failure in a reason."""
_LIMITS: Mapping[int, End] = {
    NO_WALL: "no wall",
    TIME_IS_UP: "time",
    OUT_OF_MEMORY: "memory",
    TOO_MANY: "processes",
    TOO_LARGE: "bytes",
}
_RUNNERS: Mapping[str, Callable[[TrialInput, Place], Runner | str]] = {
    "python": pytest,
    **dict.fromkeys(("javascript", "typescript", "tsx"), node),
}


def runs(language: str) -> bool:
    """Return whether tests in a language can be run."""
    return language in _RUNNERS


async def prove(case: TrialInput, walls: Sequence[Wall] = WALLS) -> Verdict:
    """Run a trial and return its verdict. If the tests cannot be run, that is a doubt, not a failure.

    :param walls: the isolation methods to try, in this order.
    """
    if sys.platform != "linux":
        return _undecided("only Linux can keep them from changing other files")
    place = Place(Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="tuppence-trial-")))
    try:
        try:
            await asyncio.to_thread(project_copy.copy, case.root, place.origin, case.is_private)
            runner = await asyncio.to_thread(_RUNNERS[case.language], case, place)
            if isinstance(runner, str):
                return _undecided(runner)
            packages = await asyncio.to_thread(project_copy.link, case.root, place, runner.wants)
        except project_copy.TooLarge:
            return _undecided("the project is too large to be copied for it")
        except OSError as error:
            return _undecided(f"the project could not be copied: {error.strerror or type(error).__name__}")
        visible = {**await asyncio.to_thread(runner.visible), **{each: each for each in packages}}
        return await _Trial(case, place, runner, visible, walls).hold()
    finally:
        await asyncio.shield(asyncio.to_thread(clear, place.folder))


class _Trial:
    """One trial in one copy."""

    def __init__(
        self, case: TrialInput, place: Place, runner: Runner, visible: Mapping[Path, Path], walls: Sequence[Wall]
    ) -> None:
        self._case = case
        self._place = place
        self._source = place.origin / case.source.relative_to(case.root)
        self._tests = place.origin / case.tests.relative_to(case.root)
        self._runner = runner
        self._visible = visible
        self._walls = walls
        self._end = time.monotonic() + ALL_SECONDS
        place.root.mkdir()

    async def hold(self) -> Verdict:
        """Run the tests on the code, then on its mutants until one is detected."""
        case = self._case
        _write(self._source, case.code)
        _write(self._tests, case.text)
        began = time.monotonic()
        run = await self._try(SECONDS)
        if run.end == "no wall":
            return _undecided("this system lets nothing be walled in, by namespaces or by Landlock with seccomp")
        if run.end != "passed":
            return await self._blamed(run)
        # A mutant that loops forever counts as detected, so a short time limit is enough.
        patience = min(SECONDS, 2 + 3 * (time.monotonic() - began))
        made = mutants(case.code, case.target, case.language)
        tried = 0
        for each in made:
            if time.monotonic() + patience > self._end:
                break
            tried += 1
            if await self._notices(apply(case.code, [each.edit]), patience):
                return Verdict.accepted("tests pass, mutant caught")
        return await self._survived(tried, patience)

    async def _survived(self, tried: int, patience: float) -> Verdict:
        """Judge tests that pass and detected no mutant."""
        if not tried:
            return Verdict.accepted("tests pass", "no mutant was tried")
        if not await self._notices(self._runner.spoilt(self._case.code), patience):
            # They may test an installed copy of the project, which mutants do not change.
            return Verdict.accepted("tests pass", "they did not load the file as it is in the editor")
        many = f"none of {tried} mutants" if tried > 1 else "not even the one mutant that there is"
        return _unfit(f"The tests pass, but they prove little: of the code they catch {many}.")

    async def _notices(self, code: str, seconds: float) -> bool:
        _write(self._source, code)
        return (await self._try(seconds)).end != "passed"

    async def _blamed(self, run: Run) -> Verdict:
        """Judge tests that fail: they are to blame only if a stub in their place passes."""
        stub, text = self._runner.stub(self._tests)
        _write(stub, text)
        control = await self._run(self._runner.command(self._place.inside(stub), ()), SECONDS)
        if control.end != "passed":
            return _undecided(self._complaint(control) or f"{self._runner.name} does not run in this project")
        if module := self._runner.is_own(run.said):
            return _undecided(f"{self._runner.name} does not find the project's own module “{module}”")
        said = self._complaint(run)
        whys: Mapping[End, str] = {
            "time": f"The tests did not end within {SECONDS:.0f} seconds.",
            "memory": f"The tests took more than {MEMORY / 1e9:.1f} GB of memory.",
            "processes": f"The tests had more than {PROCESSES} processes at a time.",
            "bytes": f"The tests wrote more than {ROOM / 1e6:.0f} MB.",
            "no test": f"{self._runner.name} finds no test in the answer.",
        }
        return _unfit(whys.get(run.end, f"The tests fail on the code as it is{f': {said}' if said else ''}."))

    def _complaint(self, run: Run) -> str:
        """Return the line of a run's output that describes the failure, quoted and shortened; empty if there is none.

        The quotation is shown and never stored in the ledger (``unquoted`` of core/billing/entry.py).
        """
        line = self._runner.complaint(run.said).replace(str(self._place.project), "").strip().rstrip(".")
        return quoted(line, _SHOWN, "“") if line else ""

    async def _try(self, seconds: float) -> Run:
        return await self._run(self._runner.command(self._place.inside(self._tests), self._case.names), seconds)

    async def _run(self, command: list[str], seconds: float) -> Run:
        """Run a command in the copy; in every case all its processes end."""
        limits = RunLimits(
            seconds=seconds, memory=MEMORY, addresses=MEMORY * self._runner.addresses, processes=PROCESSES
        )
        asked = await asyncio.to_thread(order, self._place, limits, command, self._visible, self._walls)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(LAUNCHER), asked),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._place.folder,
            env=self._runner.environment(),
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            async with asyncio.timeout(seconds + 10):
                said = await _read(process.stdout)
                status = await process.wait()
                return Run(_LIMITS.get(status) or self._runner.ended(status, said), said)
        except TimeoutError:
            return Run("time", "")
        finally:
            # When its standard input closes, the launcher kills all processes and then exits.
            process.stdin.close()
            with suppress(TimeoutError, ProcessLookupError):
                await asyncio.shield(asyncio.wait_for(process.wait(), 5))


async def _read(stream: asyncio.StreamReader) -> str:
    """Return the beginning of the output; read and drop the rest, so that the process does not block."""
    kept = bytearray()
    while chunk := await stream.read(65_536):
        kept += chunk[: max(0, _MOST_SAID - len(kept))]
    return kept.decode("utf-8", "replace")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8", "replace"))


def _undecided(why: str) -> Verdict:
    return Verdict.accepted("", f"the tests were not run: {why}")


def _unfit(why: str) -> Verdict:
    return Verdict.rejected(why)
