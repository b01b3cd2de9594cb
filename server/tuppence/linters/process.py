"""Run a linter as a subprocess on text from its standard input, with resource limits.

A project's configuration controls the linter, so a hostile one can make it read an endless file, hang, or print without
end. Therefore its memory, time and output are limited, it cannot write files, its environment variables come from an
allow list without keys, and its working directory is outside the project.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuppence.core.text.shown_text import quoted

SECONDS = 5.0
"""Time limit in seconds; a typical run takes ten milliseconds."""
MEMORY = 1_000_000_000
"""Maximum bytes of address space, where the platform can limit it."""
OUTPUT = 4_000_000
"""Maximum bytes of output."""
_ERRORS = 2_000
"""Maximum bytes of standard error to store."""
_SHOWN = 160
"""Maximum code points of an error message to show."""
_LET_IN = (
    *("HOME", "XDG_CONFIG_HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR"),
    *("SYSTEMROOT", "USERPROFILE", "APPDATA", "TEMP", "TMP"),
)
_ROOT = Path(sys.executable).anchor
_WITHIN = f"""\
ulimit -c 0; ulimit -f 0; ulimit -t {int(SECONDS) + 1}; ulimit -v {MEMORY // 1024} 2>/dev/null
exec "$@"
"""


class CouldNotRun(Exception):
    """A linter could not be run or did not finish. The message is a clause with its name and the cause."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} could not run: {why}")


@dataclass(frozen=True, slots=True)
class LinterRun:
    """The result of a linter run."""

    status: int
    """The exit status."""
    out: bytes
    complaint: str
    """Its standard error, on one line."""


def environment() -> Mapping[str, str]:
    """Return the environment variables of a linter."""
    # glibc reserves address space for each thread's arena, which would exceed the limit on many processors.
    return {name: os.environ[name] for name in _LET_IN if name in os.environ} | {"RAYON_NUM_THREADS": "2"}


async def run(name: str, command: Sequence[str], text: bytes) -> LinterRun:
    """Run a linter on text.

    :param name: the linter's name in messages.
    :raises CouldNotRun: the linter cannot be started, takes too long, or prints too much.
    """
    within = ["/bin/sh", "-c", _WITHIN, "sh"] if os.name == "posix" else []
    try:
        process = await asyncio.create_subprocess_exec(
            *within,
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=_ROOT,
            env=environment(),
            start_new_session=True,
        )
    except OSError as error:
        raise CouldNotRun(name, error.strerror or type(error).__name__) from error
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async with asyncio.timeout(SECONDS):
            out, errors, _ = await asyncio.gather(
                _take(process.stdout, OUTPUT, process), _take(process.stderr, _ERRORS), _give(process.stdin, text)
            )
            status = await process.wait()
    except TimeoutError as error:
        raise CouldNotRun(name, f"it took longer than {SECONDS:.0f} seconds") from error
    finally:
        _end(process)
        await asyncio.shield(_ended(process, process.stdout, process.stderr))
    if len(out) > OUTPUT:
        raise CouldNotRun(name, f"it said more than {OUTPUT // 1_000_000} MB")
    return LinterRun(status, out, _complaint(errors.decode("utf-8", "replace")))


def _complaint(words: str) -> str:
    """Return a program's message on one line, shortened and quoted; empty for an empty message."""
    return quoted(words, _SHOWN, "“") if words.strip() else ""


async def _give(stream: asyncio.StreamWriter, text: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # The process ended before it read all of its input.
        stream.write(text)
        await stream.drain()
    stream.close()


async def _take(stream: asyncio.StreamReader, most: int, process: asyncio.subprocess.Process | None = None) -> bytes:
    """Return at most ``most`` + 1 bytes of a stream; the rest is read and dropped.

    :param process: a process to kill if the stream has more.
    """
    kept = bytearray()
    while chunk := await stream.read(65_536):
        kept += chunk[: most + 1 - len(kept)]
        if process and len(kept) > most:
            _end(process)
    return bytes(kept)


async def _ended(process: asyncio.subprocess.Process, *streams: asyncio.StreamReader) -> None:
    """Wait until a killed process and its output streams have ended."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(process.wait(), *(_take(each, 0) for each in streams))


def _end(process: asyncio.subprocess.Process) -> None:
    """Kill a process and everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
