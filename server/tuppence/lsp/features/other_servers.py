"""Check a written answer by the diagnostics of the editor's other servers (docs/protocol.md).

This applies only to an answer that is streamed into the document: there the text can be checked and taken back within
one undo step. The diagnostics before the answer are requested while the model is thinking. After it, a new problem is
believed only once the servers had time to check the complete text, because their first report may concern a partial
text; a good report is believed at once. If anything is unclear (the client does not report diagnostics, the user
typed, a version does not match, no server reported), the verdict is unchanged.
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
"""Seconds that the servers get for their first report on an answer."""
FIRST_IF_SILENT = 0.6
"""The value of ``FIRST`` if no server has reported anything for the file so far: probably there is none."""
AT_EASE = 0.05
"""Reply time in seconds of an idle editor. A slower one probably has slow servers too."""
SLOWEST = 3.0
"""Maximum factor by which the time for the first report is extended for a slow editor."""
REPLY = 3.0
"""Seconds added to the client's own waiting time."""
PATIENCE = 5.0
"""Seconds after which a new problem is believed."""
PAUSE = 0.25
"""Seconds before each request; the client may wait longer until its servers have reported."""


@dataclass(frozen=True, slots=True)
class _Report:
    """A client's reply."""

    said: ToolReport
    is_fresh: bool
    """Whether a server has reported since this version of the document."""
    seconds: float
    """Seconds that the client took to reply."""


class OtherServers:
    """Requests one client's diagnostics for the answers of one run."""

    def __init__(self, client: EditorClient, request: Request, writer: Writer, title: str) -> None:
        self.landed = False
        """Whether the answer is in the document."""
        self.stale: Stale | None = None
        """Why the answer could not be written."""
        self._client = client
        self._ask = request
        self._writer = writer
        self._title = title
        self._before = asyncio.create_task(self._report(shown(request), 0))

    def close(self) -> None:
        """Stop requesting."""
        self._before.cancel()

    async def inspect(self, answer: Answer) -> Verdict:
        """Write an answer into the document and return its verdict, updated by the servers' diagnostics."""
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
        """Return the change in the servers' diagnostics, None if it is not known."""
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
        """Return the case to compare. If the answer replaces an earlier one, only new diagnostics can be determined."""
        asked = case(self._ask, answer)
        return asked if self._ask.earlier is None else replace(asked, chosen=None)

    def _now(self, wanted: str) -> Document | None:
        """Return the document if it is exactly what the answer made of it, else None."""
        document = self._client.documents.get(self._ask.document.uri)
        return document if document is not None and document.text == wanted else None

    async def _report(self, document: Document, seconds: float) -> _Report | None:
        """Request diagnostics once; None if the client has none for this version."""
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
    """Return the document as the editor had it when the request was made."""
    return request.document if request.earlier is None else request.earlier.document
