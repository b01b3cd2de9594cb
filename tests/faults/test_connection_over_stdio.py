"""The most serious connection faults again, through the real server, which must answer a hover in the meantime."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fault_bench import ANSWER, CONFIG, CURED, SOURCE, WIRES, Bill, sentence_faults
from fault_provider import (
    DROP,
    END,
    PAUSE,
    RESET,
    Arrived,
    FaultProvider,
    Script,
    Steps,
    body,
    chunk,
    head,
    plain,
    refusal,
    steps,
    whole,
)
from lsprotocol import types
from scenario import messages, until
from scripted_provider import events
from server import Stage, stage

from editor import Buffer

PAGE = b"<!DOCTYPE html><html><body>Please sign in.</body></html>"
EXPLAINED = "`other` returns one."
HOVER = 'hover = "kept"\n'


@dataclass(frozen=True)
class Fault:
    """What the provider does once it may go on, and what the person sees."""

    name: str
    script: Script
    says: str = ""
    """Words of the sentence; empty where the answer comes."""
    tries: int = 1
    bill: Bill = "nothing"


def first(count: int, *then: Any) -> Script:
    """Send so many events of the answer."""
    return lambda seen: [head(), *map(chunk, events(seen.wire, ANSWER)[:count]), *then]


def bytewise(seen: Arrived) -> Steps:
    """Send the answer byte by byte."""
    content = chunk(body(seen.wire, ANSWER, size=99)) + END
    return [head(), *(content[at : at + 1] for at in range(len(content)))]


FAULTS = (
    Fault("dropped", steps(DROP), "closed the connection before it answered. Ask again", 3),
    Fault("reset", steps(RESET), "closed the connection before it answered. Ask again", 3),
    Fault("dropped behind the headers", steps(head(), PAUSE, DROP), "closed the connection", 3, "estimate"),
    Fault("dropped in the answer", first(9, PAUSE, DROP), "broke off in the middle of the answer.", 1, "estimate"),
    Fault("reset in the answer", first(9, PAUSE, RESET), "broke off in the middle of the answer.", 1, "estimate"),
    Fault("dropped at the end", first(-1, PAUSE, DROP), "", 1, "counted"),
    Fault("byte by byte", bytewise, "", 1, "counted"),
    Fault("no end of the stream", first(-3, END), "ended before the answer did.", 1, "estimate"),
    Fault("a portal's page", plain(200, PAGE, {"content-type": "text/html"}), "but sent a web page."),
    Fault("a redirect", plain(302, b"", {"location": "http://127.0.0.1:9/"}), "a redirect is never followed."),
    Fault("a redirect to nothing", plain(307, b"", {"location": "::"}), "a redirect is never followed."),
    Fault("a wrong key", refusal(401), "Set a valid key, then ask again."),
    Fault("busy", refusal(503, {"retry-after": "0"}), "cannot answer now (503", 3),
    Fault("busy for an hour", refusal(429, {"retry-after": "3600"}), "limits how often it may be asked (429"),
    Fault("no HTTP", steps(b"220 mail.example ESMTP\r\n\r\n", PAUSE, DROP), "something that is not HTTP.", 3),
    Fault("not gzip", lambda seen: [head(headers={"content-encoding": "gzip"}), chunk(body(seen.wire, ANSWER)), END],
          "sent something that is not its protocol.", 1, "estimate"),
)  # fmt: skip


def configuration(provider: FaultProvider, number: int) -> str:
    """Return a configuration with one provider, whose name is used for one fault: none rests for another's failure."""
    wire = WIRES[number % len(WIRES)]
    return (
        CONFIG.format(wire=wire, base=provider.base(wire), key='key_env = "MINE_API_KEY"')
        .replace("mine]", f"mine{number}]")
        .replace('"mine"', f'"mine{number}"')
    )


def escaped(text: str) -> str:
    """Return a text that ``format`` leaves as it is."""
    return text.replace("{", "{{").replace("}", "}}")


async def ask(s: Stage, buffer: Buffer, action: str, part: str) -> None:
    """Ask for an action on the definition with that name."""
    at = s.editor.range(buffer.text, buffer.text.index(part), buffer.text.index(part)).start
    place = {"start": {"line": at.line, "character": at.character}, "end": {"line": at.line, "character": at.character}}
    arguments = {"action": action, "uri": buffer.uri, "range": place}
    params = types.ExecuteCommandParams("tuppence.run", [arguments])
    await s.editor.client.workspace_execute_command_async(params)


def files(s: Stage) -> int:
    """Return how many files and sockets the server has open."""
    return len(os.listdir(f"/proc/{s.pid}/fd"))  # noqa: PTH208 - the names are all that is wanted


@pytest.mark.fault("provider", "through the server, with a hover")
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the server's open files are counted by /proc")
async def test_the_server_survives_each_fault(tmp_path: Path, record_property: Any) -> None:
    async with (
        FaultProvider() as provider,
        stage(tmp_path, config=escaped(configuration(provider, len(FAULTS))), extra=HOVER) as s,
    ):
        provider.script(whole(EXPLAINED))
        known = s.editor.open(s.write("known.js", SOURCE), "javascript")
        await ask(s, known, "explain", "other")
        opened = files(s)
        for number, fault in enumerate(FAULTS):
            await _try(s, provider, known, number, fault)
        await until(lambda: files(s) <= opened)  # No socket is left; the last one may close after the reply.
        _, *entries = s.entries()
        for fault, entry in zip(FAULTS, entries, strict=True):
            bill: Bill = "estimate" if entry.estimated else "counted" if entry.cost else "nothing"
            assert (bill, entry.outcome) == (fault.bill, "failed" if fault.says else "kept"), fault.name
        assert "Traceback" not in "".join((*messages(s), *s.editor.seen.logs, s.editor.seen.errors))
    record_property("cases", len(FAULTS))


async def _try(s: Stage, provider: FaultProvider, known: Buffer, number: int, fault: Fault) -> None:
    """Let a fault happen while a hover is asked for, and look at what the person sees."""
    gate = asyncio.Event()
    provider.forget()
    provider.always(fault.script)
    play = fault.script
    provider.script(lambda seen: [gate, *(play(seen) if callable(play) else play)])
    s.config.write_text(HOVER + configuration(provider, number), encoding="utf-8")
    buffer = s.editor.open(s.write(f"file{number}.js", SOURCE), "javascript")
    before = len(messages(s))
    asking = asyncio.create_task(ask(s, buffer, "fix", "mean"))
    while not provider.requests:  # noqa: ASYNC110 - the server's process asks; a minute's time-out is the test's
        await asyncio.sleep(0.002)
    shown = await s.editor.hover(known, SOURCE.index("other"))
    assert shown is not None, fault.name
    assert shown.startswith(EXPLAINED), fault.name
    assert not asking.done(), fault.name
    gate.set()
    await asking
    assert buffer.text == (SOURCE if fault.says else CURED), fault.name
    [said] = messages(s)[before:]
    if fault.says:
        assert said.startswith("Could not fix `mean`. "), said
        assert fault.says in said, said
        assert not list(sentence_faults(said)), said
    else:
        assert said.startswith("Fixed `mean`"), said
    assert len(provider.requests) == fault.tries, fault.name
