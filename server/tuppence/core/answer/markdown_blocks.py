"""Block structure for core/answer/markdown.py: the markers of a line, and fenced code."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DEEPEST = 8
"""Maximum number of quotes and list items that begin on one line."""
_FARTHEST = 24
"""Maximum indentation of a fenced block in columns."""
CAP = 3
"""Maximum indentation of a fence outside lists, in columns."""
_SPACES = re.compile(r"[ \t]*")
_MARKER = re.compile(r">|(?:[-+*]|[0-9]{1,9}[.)])(?=[ \t]|\Z)")
_HEADING = re.compile(r"#{1,6}(?=[ \t]|\Z)")
_INFO = re.compile(r"[ \t]{0,40}\{?\.?([\w+#.-]{1,30})")
_HIGHLIGHTED = frozenset(
    """
    asm astro awk bash basic bat batch c c# c++ cc clj clojure cmake cmd cobol coffeescript console cpp cs csharp
    css csv cu cuda cxx cython d dart diff docker dockerfile dotenv elisp elixir elm erb erlang ex f# f90 fish
    fortran fsharp gitignore gleam glsl go golang gradle graphql groovy h haskell hcl hlsl hpp hs html http ini j2
    java javascript jinja jl js json json5 jsonc jsonl jsx julia kotlin kt latex less lisp log lua makefile markdown
    matlab md meson mjs ml nasm nginx nim nix objc objective-c ocaml octave pascal patch perl php pl plaintext
    plpgsql postgresql powershell prolog properties proto protobuf ps1 pwsh py pycon pyi pytb python python-repl
    python3 r raku rb regex rs rst ruby rust sass scala scheme scss sh shell shell-session shellscript solidity sql
    starlark svelte swift systemverilog tcl terraform tex text tf toml ts tsx txt typescript vb verilog vhdl vim vue
    wasm wat xml yaml yml zig zsh
    """.split()  # noqa: SIM905 - a list would be a page long
)
"""Allowed info strings. Others may make a renderer draw the code, or load what draws it."""


@dataclass(slots=True)
class CodeBlock:
    """A fenced block that is open."""

    marks: str
    """The opening fence in the input."""
    quotes: int
    """Number of block quotes around it."""
    indent: int
    """Its indentation in the input, in columns."""
    spaces: str
    """The text written before each of its lines."""
    written: str
    """The fence in the output."""
    info: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, separated from its markers."""

    before: str
    """Indentation, quotes, list markers and hashes, unchanged."""
    text: str
    quotes: int
    columns: int
    """Columns before the text, without quotes."""
    has_marker: bool
    is_heading: bool


def introduced(line: str) -> Line:
    """Separate a line's markers from its text."""
    at = quotes = inner = 0
    has_marker = False
    for _ in range(_DEEPEST):
        found = _MARKER.match(line, _behind_spaces(line, at))
        if found is None:
            break
        at = found.end()
        if found[0] == ">":
            quotes += 1
            inner = at + (line[at : at + 1] == " ")
        else:
            has_marker = True
    at = _behind_spaces(line, at)
    columns = len(line[inner:at].expandtabs(4))
    heading = _HEADING.match(line, at)
    if heading:
        at = _behind_spaces(line, heading.end())
    return Line(line[:at], line[at:], quotes, columns, has_marker, heading is not None)


def _behind_spaces(line: str, at: int) -> int:
    found = _SPACES.match(line, at)
    return found.end() if found else at


def split(line: str) -> tuple[int, str]:
    """Return the indentation of a line in columns, and its text."""
    at = _behind_spaces(line, 0)
    return len(line[:at].expandtabs(4)), line[at:]


def dedented(line: str, columns: int) -> str:
    """Return a line without up to ``columns`` columns of indentation; a tab beyond them becomes spaces."""
    at = passed = 0
    while passed < columns and line[at : at + 1] in (" ", "\t"):
        passed += 1 if line[at] == " " else 4 - passed % 4
        at += 1
    return " " * (passed - columns) + line[at:]


def rule_of(line: str) -> str:
    """Return a thematic break in canonical form; empty if the line is not one.

    It is written with asterisks, because hyphens could make a heading, a table or front matter.
    """
    bare = line.replace(" ", "").replace("\t", "")
    marks = bare.lstrip(">")
    if len(marks) < len("---") or marks[0] not in "-_*" or marks != marks[0] * len(marks):
        return ""
    quotes = min(len(bare) - len(marks), _DEEPEST)
    return f"{'> ' * quotes}***" if quotes else f"{line[: min(_behind_spaces(line, 0), _FARTHEST)]}***"


def opened(read: Line, item: int) -> CodeBlock | None:
    """Return the fenced block that a line opens; None if it opens none.

    :param item: column at which the text of the list item above begins; 0 outside lists.
    """
    text = read.text
    mark = text[:1]
    if mark not in ("`", "~"):
        return None
    run = len(text) - len(text.lstrip(mark))
    if run < len("```") or (mark == "`" and "`" in text[run:]):
        return None
    found = _INFO.match(text, run)
    info = found[1] if found and found[1].lower() in _HIGHLIGHTED else ""
    indent = read.columns
    if read.quotes:
        spaces = 0
    elif read.has_marker:
        spaces = len(read.before.expandtabs(4).rstrip()) + 1
        spaces = spaces if spaces <= _FARTHEST else 0
    else:
        spaces = min(indent, item + CAP, _FARTHEST)
    return CodeBlock(text[:run], read.quotes, indent, " " * spaces, "`" * (run if mark == "`" else 3), info)


def is_under_header(text: str) -> bool:
    """Return whether a text could turn the line above into a table header or a heading."""
    marks = set(text)
    return "-" in marks and marks <= set(" \t|:-")
