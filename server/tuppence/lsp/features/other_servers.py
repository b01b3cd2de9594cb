"""What the editor's other servers say of an answer that stands in the text, where the client tells (docs/protocol.md).

Only for an answer that is written while it streams: there the text can be shown, looked at and taken back within one
step of undo. The diagnostics before the answer are asked for while the model is still thinking. After it, a bad word is
believed only once the servers had time to look at the whole of it, since what they say first may be of a half-written
text; a good one at once. Where anything is unclear (somebody typed, a version does not fit, no server spoke) nothing
is claimed, and the verdict stays as it was.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from lsprotocol import types

from tuppence.core.checks.diagnostic_diff import (
    DiagnosticChange,
    EditUnderReview,
    ToolReport,
    compare,
    with_diagnostics,
)
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer
from tuppence.core.text.document import Document, apply
from tuppence.engine.request import Request
from tuppence.engine.verify import case
from tuppence.errors import Stale
from tuppence.lsp.documents import convert
from tuppence.lsp.output.client import EditorClient
from tuppence.lsp.output.findings import SOURCE
from tuppence.lsp.output.writer import Writer
from tuppence.lsp.protocol.json_values import Malformed
from tuppence.lsp.protocol.typed_json import read

FIRST = 1.5
"""Seconds that the servers get for their first word on an answer."""
FIRST_IF_SILENT = 0.6
"""The same where none has said anything of the file so far: most likely there is none."""
AT_EASE = 0.05
"""Seconds in which an editor answers that has nothing else to do. One that takes longer has slow servers too."""
SLOWEST = 3.0
"""How many times as long as at ease they get at most."""
REPLY = 3.0
"""Seconds that the client itself gets beyond what it may wait."""
PATIENCE = 5.0
"""Seconds after which a bad word is believed."""
PAUSE = 0.25
"""Seconds before each question; a client may wait further until its servers have spoken and rested."""


@dataclass(frozen=True, slots=True)
class _Report:
    """A client's answer."""

    said: ToolReport
    is_fresh: bool
    """Whether a server has spoken since this version of the document came to be."""
    seconds: float
    """What the client took to answer."""


class OtherServers:
    """Asks one client about one run's answers."""

    def __init__(self, client: EditorClient, request: Request, writer: Writer, title: str) -> None:
        self.landed = False
        """Whether the answer stands in the text already."""
        self.stale: Stale | None = None
        """Why it could not be brought there."""
        self._client = client
        self._ask = request
        self._writer = writer
        self._title = title
        self._before = asyncio.create_task(self._report(shown(request), 0))

    def close(self) -> None:
        """Stop asking."""
        self._before.cancel()

    async def inspect(self, answer: Answer) -> Verdict:
        """Bring an answer into the text and return the verdict with what the servers say of it there."""
        before = await self._before
        if before is None:
            return answer.verdict
        try:
            await self._writer.keep(answer.edits, self._title)
        except Stale as stale:
            self.stale = stale
            return answer.verdict
        self.landed = True
        effect = await self._effect(answer, before)
        if effect is None:
            return answer.verdict
        verdict = with_diagnostics(answer.verdict, effect, self._ask.diagnostic, "no new error in the editor")
        self.landed = verdict.fit
        return verdict

    async def _effect(self, answer: Answer, before: _Report) -> DiagnosticChange | None:
        """Return what the answer changed in what the servers say, None where that is not known."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        wanted = apply(self._ask.document.text, answer.edits)
        first = FIRST if before.said.diagnostics or self._ask.diagnostic else FIRST_IF_SILENT
        first *= min(max(before.seconds / AT_EASE, 1.0), SLOWEST)
        while True:
            await asyncio.sleep(PAUSE)
            now = self._now(wanted)
            left = began + PATIENCE - loop.time()
            report = await self._report(now, min(first, max(left, PAUSE))) if now else None
            if report is None:
                return None
            effect = compare(self._case(answer), before.said, report.said)
            if effect.good and report.is_fresh:
                return effect
            is_clear = report.is_fresh and (bool(effect.new) or not effect.stale)
            if loop.time() - began >= (PATIENCE if is_clear else first):
                return effect if is_clear else None

    def _case(self, answer: Answer) -> EditUnderReview:
        """Return the answer as a case: where it replaces another one, only what comes can be told, not what goes."""
        asked = case(self._ask, answer)
        return asked if self._ask.earlier is None else replace(asked, chosen=None)

    def _now(self, wanted: str) -> Document | None:
        """Return the document if it still is what the answer made of it."""
        document = self._client.documents.get(self._ask.document.uri)
        return document if document is not None and document.text == wanted else None

    async def _report(self, document: Document, seconds: float) -> _Report | None:
        """Ask the client once, None where it cannot tell of this version."""
        wait = {"wait": round(seconds * 1000)} if seconds else {}
        params: dict[str, object] = {"uri": document.uri, "version": document.version, **wait}
        loop = asyncio.get_running_loop()
        began = loop.time()
        reply = await self._client.request("tuppence/diagnostics", params, seconds + REPLY)
        took = loop.time() - began
        if not isinstance(reply, dict) or reply.get("version") != document.version:
            return None
        try:
            found = read(reply.get("diagnostics"), list[types.Diagnostic])
        except Malformed:
            return None
        others = [each for each in found if each.source != SOURCE]
        placed = tuple(convert.from_diagnostic(document, each, self._client.encoding) for each in others)
        return _Report(ToolReport(document, placed), reply.get("judged") == document.version, took)


def shown(request: Request) -> Document:
    """Return the document as the editor has it when the request is made."""
    return request.document if request.earlier is None else request.earlier.document
