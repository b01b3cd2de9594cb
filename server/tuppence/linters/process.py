"""A linter, run as a program on text from its standard input, within limits.

A project's own configuration steers a linter, so it may ask for anything: to read a file without an end, to hang, to
say more than can be read. So its memory, time and output are limited, it can write no file, its environment is a list
of what is let in and holds no key, and it does not start in a folder of the project.
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
"""How long a linter may take; a usual run is over after ten milliseconds."""
MEMORY = 1_000_000_000
"""Bytes of addresses that it may have, where the system can limit them."""
OUTPUT = 4_000_000
"""Bytes that it may say; more takes too long to read."""
_ERRORS = 2_000
"""Bytes of its complaints that are kept."""
_SHOWN = 160
"""Code points of a complaint that are shown."""
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
    """A linter could not be run, or did not come to an end; the text says which and why, in one clause."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} could not run: {why}")


@dataclass(frozen=True, slots=True)
class LinterRun:
    """What a linter said."""

    status: int
    """Its exit status."""
    out: bytes
    complaint: str
    """What it wrote to its standard error, in one line."""


def environment() -> Mapping[str, str]:
    """Return the environment of a linter."""
    # One thread's pool of memory is enough, and many would pass the limit on machines of many processors.
    return {name: os.environ[name] for name in _LET_IN if name in os.environ} | {"RAYON_NUM_THREADS": "2"}


async def run(name: str, command: Sequence[str], text: bytes) -> LinterRun:
    """Run a program on text.

    :param name: what people call it.
    :raises CouldNotRun: it cannot be started, takes too long, or says too much.
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
    """Return words of a program in one line, short, between quotation marks; empty for none."""
    return quoted(words, _SHOWN, "“") if words.strip() else ""


async def _give(stream: asyncio.StreamWriter, text: bytes) -> None:
    with contextlib.suppress(ConnectionError):  # It ended before it read all.
        stream.write(text)
        await stream.drain()
    stream.close()


async def _take(stream: asyncio.StreamReader, most: int, process: asyncio.subprocess.Process | None = None) -> bytes:
    """Return what a stream holds: at most a byte more than so many. The rest is read and dropped.

    :param process: one that is ended where there is more.
    """
    kept = bytearray()
    while chunk := await stream.read(65_536):
        kept += chunk[: most + 1 - len(kept)]
        if process and len(kept) > most:
            _end(process)
    return bytes(kept)


async def _ended(process: asyncio.subprocess.Process, *streams: asyncio.StreamReader) -> None:
    """Wait for the end of a process that was killed, and of what it says."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(process.wait(), *(_take(each, 0) for each in streams))


def _end(process: asyncio.subprocess.Process) -> None:
    """End a process, and whatever it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
