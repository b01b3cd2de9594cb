"""The lines at the top of an answer that belong at the top of a file: imports, a package clause, comments.

They are found without a parser, because the code after them may be a method, which no grammar parses outside its class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tuppence.core.syntax.languages import Language

_PREAMBLE = re.compile(
    r"package\s+[\w.]+\s*;?$|#pragma\s+once\b|#!|<\?php\b|['\"]use strict['\"];?$|#!?\[(?:allow|cfg|warn|deny)\b.*\]$"
)
_OPENING, _CLOSING = "([{", ")]}"
_LONGEST = 400
"""Maximum number of lines of one import statement."""


@dataclass(frozen=True, slots=True)
class FileHead:
    """The lines at the top of an answer that are not part of the target."""

    imports: str
    """The import statements, line by line; empty if there are none."""
    end: int
    """Number of lines of the head; 0 if the answer begins with something else. Comments behind the last import or
    package clause are not counted, because they may belong to what follows."""


def file_head(lines: Sequence[str], language: Language) -> FileHead:
    """Return the imports and other lines of a file's head at the start of ``lines``."""
    pattern = re.compile(language.import_line)
    imports: list[str] = []
    at = end = 0
    in_comment = False
    while at < len(lines):
        line = lines[at].strip()
        if in_comment or line.startswith("/*"):
            in_comment = "*/" not in line
            at += 1
        elif not line or is_comment(line, language):
            at += 1
        elif pattern.match(line):
            last = _statement_end(lines, at)
            imports += lines[at : last + 1]
            at = end = last + 1
        elif _PREAMBLE.match(line):
            at = end = at + 1
        else:
            break
    return FileHead("\n".join(imports), end)


def is_comment(line: str, language: Language) -> bool:
    """Report whether a line, given without its indentation, is only a comment."""
    mark = language.line_comment
    if mark == "#" and line.startswith("#!"):
        return False
    return line.startswith((mark, "/*")) or (mark == "//" and re.match(r"\*(?:$|[\s/*])", line) is not None)


def _statement_end(lines: Sequence[str], first: int) -> int:
    """Return the index of the last line of a statement: the one that closes all its brackets."""
    depth = 0
    for at in range(first, min(len(lines), first + _LONGEST)):
        text = re.sub(r"//.*|#(?!include).*|\"[^\"]*\"|'[^']*'|<[^>\n]*>", "", lines[at])
        depth += sum(text.count(each) for each in _OPENING) - sum(text.count(each) for each in _CLOSING)
        if depth <= 0 and not text.rstrip().endswith(("\\", ",")):
            return at
    return first
