"""Tell the user about replaced secrets, once per file and server process."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from tuppence.engine.disclosure.disclosure import ReplacedSecret
from tuppence.engine.request import PreparedRequest
from tuppence.engine.session import Session

_BLOCK = "private key"
_SHOWN = 5
"""Maximum number of places in one sentence."""


def announced(prepared: PreparedRequest, session: Session) -> tuple[str, ...]:
    """Return a sentence for each file with secrets that has not been announced, and mark it as announced."""
    sentences: list[str] = []
    for file, found in groupby(prepared.replaced, key=lambda each: each.file):
        key = f"{session.workspace.project(prepared.request.path) if prepared.request.path else ''}/{file}"
        if key in session.disclosures.announced:
            continue
        session.disclosures.announced.add(key)
        sentences.append(sentence(file, tuple(found)))
    return tuple(sentences)


def sentence(file: str, replaced: Sequence[ReplacedSecret]) -> str:
    """Return a sentence about the secrets replaced in one file: each secret once, a key block as one."""
    places: list[tuple[str, int]] = []
    seen: set[str] = set()
    last: tuple[str, int] | None = None
    for each in replaced:
        if each.placeholder in seen:
            continue
        seen.add(each.placeholder)
        if last is None or each.kind != last[0] or each.kind != _BLOCK or each.line > last[1] + 1:
            places.append((each.kind, each.line + 1))
        last = (each.kind, each.line)
    shown = "; ".join(f"{kind}, line {line}" for kind, line in places[:_SHOWN])
    more = f"; and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    count = "1 secret" if len(places) == 1 else f"{len(places)} secrets"
    verb = "is" if len(places) == 1 else "are"
    return f"{count} in `{file}` {verb} replaced before it is sent ({shown}{more})."
