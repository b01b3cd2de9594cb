"""The address of a piece of code in command arguments: a file, and lines or a name in it.

``stats.py`` is the whole file, ``stats.py:12-30`` those lines, ``stats.py:12`` the definition around line 12,
``stats.py:12:5`` the one around its column 5, ``stats.py:mean`` and ``stats.py:Stats.mean`` the definition with that
name (``::`` and ``#`` are separators too). A file name may contain colons: the longest existing path is the file.
"""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from tuppence.core.actions import Action
from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import Target, find_target
from tuppence.core.syntax.tree import Block, Tree
from tuppence.core.text.document import Document, Span
from tuppence.errors import TuppenceError

if TYPE_CHECKING:
    from tuppence.engine.request import Request

FORM = "FILE[:LINES|:NAME]"
"""The form of an address in a command's usage line."""
EXAMPLES = "stats.py, stats.py:12, stats.py:10-24, stats.py:mean or stats.py:Stats.mean"
_LARGEST = 32 * 2**20
"""Maximum size of the file in bytes; no prompt holds as much."""
_DIGITS = 9
"""Maximum number of digits of a line number."""
_SHOWN = 5
"""Maximum number of matches of a name that an error lists."""
_LINES = re.compile(r"(?P<first>[0-9]+)(?:-(?P<last>[0-9]+)|:(?P<column>[0-9]+))?")
_NAME = re.compile(r"[^\W\d][\w$]*[!?=]?(?:(?:\.|::|#)#?[^\W\d]?[\w$]*[!?=]?)*|[#$][\w$.#]+")
_SEPARATOR = re.compile(r"::|[.#]")
_RECEIVER = re.compile(r"func\s*\(\s*(?:\w+\s+)?\*?\s*(\w+)")
"""Matches the type of a Go method, whose definition is outside its type's."""
_DECLARED = frozenset({"prototype", "macro"})
"""Kinds of block that are not definitions."""


class AddressError(TuppenceError):
    """An address that names no code. A command then ends with exit code 2, as for other argument errors."""


@dataclass(frozen=True, slots=True)
class LocatedCode:
    """The code that an address names."""

    path: Path
    """The file's absolute path; symbolic links in it are not followed."""
    document: Document
    tree: Tree
    target: Target

    def request(self, action: Action) -> Request:
        """Return the request for an action on this code."""
        from tuppence.engine.request import Request

        return Request(
            run=uuid4().hex,
            action=action,
            document=self.document,
            tree=self.tree,
            target=self.target,
            path=self.path,
        )


def locate(address: str) -> LocatedCode:
    """Read and parse the file of an address, and return the code that it names.

    :raises AddressError: the file, or the code in it, does not exist.
    """
    path, rest = _split(address)
    text = _read(path)
    language = by_suffix(path.name)
    absolute = path.absolute()
    document = Document(absolute.as_uri(), language.id, None, text)
    tree = parse(text, language)
    target = _target(document, tree, path.name, rest)
    if target is None:
        raise AddressError(f"There is no code at {address}.", "Name lines that hold some, as in a.py:3-9.")
    return LocatedCode(absolute, document, tree, target)


def _split(address: str) -> tuple[Path, str | None]:
    """Split an address into the file (the longest existing path) and the rest after its colon, None without a rest.

    :raises AddressError: no prefix is an existing path.
    """
    ends = [len(address), *(found.start() for found in re.finditer(":", address))]
    for end in sorted(set(ends), reverse=True):
        if end and _exists(path := Path(address[:end])):
            return path, address[end + 1 :] if end < len(address) else None
    found = re.fullmatch(r"(?s)(?P<file>.+?)(?::[0-9]+(?:-[0-9]+|:[0-9]+)?|:[^\W\d:/\\][\w.$:#]*)?", address)
    named = (found["file"] if found else address) or "A file without a name"
    raise AddressError(f"{named} cannot be read: No such file or directory.", f"Write {FORM}, such as {EXAMPLES}.")


def _exists(path: Path) -> bool:
    try:
        path.lstat()
    except (OSError, ValueError):  # ValueError: the path contains a null character.
        return False
    return True


def _read(path: Path) -> str:
    """Return the text of a regular file, without its byte order mark.

    :raises AddressError: it is not a regular file, or cannot be decoded.
    """
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise AddressError(f"{path} cannot be read: Is a directory.", "Name a file in it.")
        if not stat.S_ISREG(about.st_mode):
            raise AddressError(f"{path} is not a regular file.")
        if about.st_size > _LARGEST:
            raise AddressError(f"{path} has {about.st_size:,} bytes; files of up to {_LARGEST:,} are read.")
        raw = path.read_bytes()
    except OSError as error:
        raise AddressError(f"{path} cannot be read: {error.strerror}.") from None
    if b"\0" in raw:
        raise AddressError(f"{path} is a binary file, and no model can read it.")
    try:
        return raw.decode("utf-8-sig")  # Editors hide the byte order mark.
    except UnicodeDecodeError:
        raise AddressError(f"{path} is not UTF-8 text.") from None


def _target(document: Document, tree: Tree, file: str, rest: str | None) -> Target | None:
    if rest is None:
        return find_target(document, tree, Span(0, len(document.text)))
    if found := _LINES.fullmatch(rest):
        return find_target(document, tree, _span(document, found["first"], found["last"], found["column"]))
    if _NAME.fullmatch(rest):
        return _named(document, tree, file, rest)
    raise AddressError(f"“{rest}” is neither lines nor a name.", f"Write {FORM}, such as {EXAMPLES}.")


def _span(document: Document, first: str, last: str | None, column: str | None) -> Span:
    """Return the span of the named lines; a single line is a cursor at its first character of code.

    :raises AddressError: the file has no such lines, or the line no such column.
    """
    start, end = (int(each) if len(each) <= _DIGITS else 10**_DIGITS for each in (first, last or first))
    if not 1 <= start <= end <= document.line_count:
        named = f"is no line {first}" if last is None else f"are no lines {first} to {last}"
        raise AddressError(f"There {named}: the file has {document.line_count}.")
    begin = document.line_span(start - 1)
    if last is not None:
        return Span(begin.start, document.line_span(end - 1).end)
    line = document.slice(begin)
    at = len(line) - len(line.lstrip())
    if column is not None:
        at = (int(column) if len(column) <= _DIGITS else 10**_DIGITS) - 1
        if not 0 <= at <= len(line):
            raise AddressError(f"There is no column {column} in line {first}: it has {len(line)} characters.")
    return Span(begin.start + at, begin.start + at)


def _named(document: Document, tree: Tree, file: str, name: str) -> Target:
    """Return the definition with a name; an exact qualified name is preferred to one with that last part.

    :raises AddressError: there is none, or more than one.
    """
    wanted = _parts(name)
    paths = [(block, _path(tree, block)) for block in tree.blocks() if block.name and block.kind not in _DECLARED]
    whole = [block for block, path in paths if path == wanted]
    found = whole or [block for block, path in paths if path[-len(wanted) :] == wanted]
    if len(found) == 1:
        return Target(document.whole_lines(found[0].span), found[0].name, found[0].kind)
    if found:
        lines = [document.line_at((block.named or block.span).start) + 1 for block in found]
        more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        listed = ", ".join(map(str, lines[:_SHOWN]))
        raise AddressError(
            f"`{name}` is defined {len(lines)} times in {file}: in the lines {listed}{more}.",
            f"Name one of them, as in {file}:{lines[0]}, or the class too.",
        )
    raise AddressError(f"There is no definition `{name}` in {file}.", "Name one of its lines.")


def _path(tree: Tree, block: Block) -> tuple[str, ...]:
    """Return the names of the definitions around a definition, and its own name."""
    outer = [part for each in tree.around(block.span) for part in _parts(each.name)]
    if tree.language.id == "go" and (receiver := _RECEIVER.match(tree.text, block.header.start, block.header.end)):
        outer.append(receiver[1])
    return (*outer, *_parts(block.name))


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in _SEPARATOR.split(name) if part)
