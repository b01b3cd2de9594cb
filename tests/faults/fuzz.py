"""Coverage-guided nonsense for what reads bytes from outside: messages, framing, configuration files. ``make fuzz``.

It needs atheris, which nothing else does: ``pip install atheris`` (Linux, CPython 3.11 to 3.13). A reader that does
anything but return or refuse by its own error ends the run; the bytes are left in a file ``crash-...``, for a test.
Arguments are libFuzzer's, such as ``-max_total_time=600`` or ``-runs=100000``; the seeds are the messages and the files
that the tests of faults begin with.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

atheris: Any = importlib.import_module("atheris")
with atheris.instrument_imports(include=["tuppence", "json", "tomllib"], enable_loader_override=False):
    from client_messages import samples
    from odd_config import spelled_out
    from paths import ROOT

    from tuppence.config.config import narrowing
    from tuppence.errors import Broken, ConfigError
    from tuppence.lsp.protocol import incoming
    from tuppence.lsp.protocol.framing import frame, read_message

_MESSAGE, _FRAME, _FILE = b"m", b"f", b"c"
"""The first byte of an input: what the others are."""


def message(body: bytes) -> None:
    """Read a message's body as the server does, and write again what is in it."""
    with contextlib.suppress(incoming.NotAMessage):
        data = incoming.parsed(body)
        json.dumps(data)
        if "method" in data:
            incoming.call(data, lambda _method: True)
        else:
            for kind in (None, *_ANSWERS):
                incoming.answer(data, 1, kind)


def framing(stream: bytes) -> None:
    """Read a stream to its end."""

    async def read() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(stream)
        reader.feed_eof()
        with contextlib.suppress(Broken):
            while await read_message(reader) is not None:
                pass

    asyncio.run(read())


def configuration(raw: bytes) -> None:
    """Read a file as a project's own, which takes every reader of the text but those of the tier table."""
    with contextlib.suppress(ConfigError):
        limits, mistakes = narrowing(Path("a.toml"), raw)
        assert all(each.what and each.remedy for each in mistakes)
        assert limits.soft <= 1


def try_one(data: bytes) -> None:
    """Try one input."""
    readers = {_MESSAGE: message, _FRAME: framing, _FILE: configuration}
    if (reader := readers.get(data[:1])) is not None:
        reader(data[1:])


def _answers() -> tuple[Any, ...]:
    from lsprotocol import types

    asked = (
        "workspace/applyEdit",
        "window/showDocument",
        "window/showMessageRequest",
        "window/workDoneProgress/create",
    )
    return tuple(types.METHOD_TO_TYPES[each][1] for each in asked)


_ANSWERS = _answers()


def main() -> None:
    """Fuzz until something breaks, or as long as the arguments say."""
    with TemporaryDirectory() as folder:
        bodies = [json.dumps({"jsonrpc": "2.0", **each}).encode() for each in samples("file:///a.py")]
        example = spelled_out((ROOT / "config.example.toml").read_text("utf-8")).encode()
        seeds = [*(_MESSAGE + each for each in bodies), *(_FRAME + frame(each) for each in bodies), _FILE + example]
        for number, seed in enumerate(seeds):
            (Path(folder) / str(number)).write_bytes(seed)
        atheris.Setup([sys.argv[0], *sys.argv[1:], folder], try_one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
