"""The texts from which a request is made, and the secrets in them.

A prompt consists of excerpts. The whole texts are searched, so that a key is found even if an excerpt cut off its
beginning. The end of the prompt, with text about the code from other sources, is searched too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tuppence.core.answer.insert_tests import TestLocation
from tuppence.core.prompt.compose import Prompt, TestFile
from tuppence.core.prompt.context import Context
from tuppence.core.secrets.encodings import encodings
from tuppence.core.secrets.replacements import Replacements, occurrences, replacements
from tuppence.core.text.document import line_starts
from tuppence.engine.disclosure.disclosure import Disclosure, ReplacedSecret
from tuppence.engine.request import Request
from tuppence.engine.session import Session
from tuppence.errors import Unfit
from tuppence.workspace import conventions, files

_KEY = 12
"""Minimum length of a provider's key; shorter ones are ordinary words that a local server may require."""
_MOST = 100
"""Maximum number of secrets of a request that are searched in other encodings."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text from which a request is made."""

    text: str
    file: str = ""
    """The file's name for display; empty if the text is not a file."""
    is_edited: bool = False
    """Whether an answer may be written into it, so that no placeholder may occur in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A prompt, and the texts from which it was made."""

    prompt: Prompt
    context: Context
    place: TestLocation | None
    tests: TestFile | None


def disclose(request: Request, composed: Composed, session: Session) -> Disclosure:
    """Return the replacements for a prompt; reads files, and takes time for a text that was not searched yet.

    :raises Unfit: a text cannot be judged, so nothing is sent.
    """
    return _disclosed(tuple(_sources(request, composed, session)), composed.prompt.text, session)


def of_document(request: Request, session: Session) -> Disclosure:
    """Return the replacements for a request's document alone.

    :raises Unfit: it cannot be judged.
    """
    source = Source(request.document.text, _name(request), is_edited=True)
    return _disclosed((source,), source.text, session)


def _disclosed(sources: tuple[Source, ...], sent: str, session: Session) -> Disclosure:
    keys = _keys(session)
    found: list[tuple[str, str, int]] = [(key, f"your {name}", 0) for name, key in keys.items()]
    found = [each for each in found if any(each[0] in source.text for source in sources)]
    for source in sources:
        found += _searched(source, session)
    if not found:
        return Disclosure(keys=tuple(keys.values()))
    found += _written_otherwise(found, sources)
    edited = [source.text for source in sources if source.is_edited]
    try:
        all_of_them = replacements(found, session.disclosures.salt(), lambda text: any(text in each for each in edited))
    except Exception as error:  # noqa: BLE001 - whatever it is, nothing is sent
        raise _unfit(sources[0], str(error)) from None
    masked = all_of_them.masked(sent)
    return Disclosure(all_of_them, tuple(_places(sources, all_of_them, masked)), tuple(keys.values()))


def _searched(source: Source, session: Session) -> Iterator[tuple[str, str, int]]:
    try:
        found = session.disclosures.scanner.find(source.text, session.config().allowed_secrets)
    except Exception as error:  # noqa: BLE001 - a detector that fails says nothing of the text, so it is not sent
        raise _unfit(source, str(error)) from None
    for each in found:
        yield source.text[each.span.start : each.span.end], each.kind, each.keep


def _written_otherwise(found: list[tuple[str, str, int]], sources: tuple[Source, ...]) -> list[tuple[str, str, int]]:
    """Return the secrets that occur in a text in another encoding too; only the first of very many are searched."""
    values = dict.fromkeys((value, kind) for value, kind, _ in found)
    return [
        (other, kind, 0)
        for value, kind in list(values)[:_MOST]
        for other in encodings(value)
        if any(other in source.text for source in sources)
    ]


def _unfit(source: Source, why: str) -> Unfit:
    because = f": {why}" if why else ""
    return Unfit(
        f"Nothing was sent, because {source.file or 'the request'} cannot be searched for secrets{because}.",
        "Move the code to a file of its own, or list the file in .tuppenceignore if it only is looked into.",
    )


def _sources(request: Request, composed: Composed, session: Session) -> Iterator[Source]:
    context = composed.context
    yield Source(request.document.text, _name(request), is_edited=True)
    root = session.workspace.root(request.path) if request.path is not None else None
    if composed.place is not None and composed.place.document.text != request.document.text:
        yield Source(composed.place.document.text, Path(composed.place.path).name, is_edited=True)
    others = [each.path for each in context.definitions]
    if composed.tests is not None and composed.tests.example[0]:
        others.append(composed.tests.example[0])
        yield Source(composed.tests.example[1])
    others += [name for name, _ in conventions.SOURCES if f"{name}:\n" in context.conventions]
    for name in dict.fromkeys(others):
        text = files.read_text(root / name, (root,)) if root is not None else None
        if text:
            yield Source(text, name)
    # The files may have changed since they were read for the prompt.
    yield Source(context.conventions)
    yield Source("\n\n".join(each.text for each in context.definitions))
    yield Source(composed.prompt.tail)


def _places(sources: Iterable[Source], all_of_them: Replacements, masked: str) -> Iterator[ReplacedSecret]:
    """Yield the places in files of the secrets that would be sent."""
    for source in sources:
        if not source.file:
            continue
        starts = line_starts(source.text)
        at: list[tuple[int, int]] = []
        for index, each in enumerate(all_of_them.all):
            if each.placeholder in masked:
                at += ((bisect_right(starts, offset) - 1, index) for offset in occurrences(source.text, each.value))
        for line, index in sorted(at):
            each = all_of_them.all[index]
            yield ReplacedSecret(each.kind, source.file, line, each.placeholder)


def _name(request: Request) -> str:
    return request.path.name if request.path is not None else request.document.uri.rpartition("/")[2]


def _keys(session: Session) -> dict[str, str]:
    """Return the known provider keys, by the names of their environment variables."""
    found: dict[str, str] = {}
    for provider in session.config().providers.values():
        key = session.keys.of(provider)
        if key is not None and provider.key_env is not None and len(key) >= _KEY:
            found[provider.key_env] = key
    return found
