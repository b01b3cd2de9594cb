"""What tuppence must know about a programming language to read and change its code: the shape of a row.

The rows themselves stand in core/syntax/languages.py. Node types are those of the language's tree-sitter grammar;
several are written as one string with spaces between. This file does not parse anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ImportStyle = Literal["python", "es", "go", "rust", "java", "include", "line"]


@dataclass(frozen=True, slots=True)
class Habits:
    """Where a language's tests live when a project shows no habit of its own."""

    names: tuple[str, ...] = ("test_{stem}{suffix}", "{stem}_test{suffix}")
    """Names of the test file of a source file, the usual one first; ``{stem}`` and ``{suffix}`` are the source's."""
    folder: str = "tests"
    """``.`` is beside the source; any other name is a folder in the project's root."""
    mirror: tuple[str, str] | None = None
    """A part of the path that tests replace, such as ``src/main/java`` by ``src/test/java``."""
    inline: bool = False
    """Whether unit tests stand in the source file itself."""
    module: tuple[str, str] = ("", "")
    """What opens and closes their block, where a source has none yet; the opening's first line marks such a block."""
    command: tuple[str, ...] = ()
    """How one test file is run, with ``{path}`` and ``{folder}`` in it; empty where it depends on the project."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One row of the table of languages."""

    name: str
    """What people call it."""
    ids: tuple[str, ...]
    """The languageIds of the protocol that it serves; the first is the row's own."""
    suffixes: tuple[str, ...] = ()
    """File suffixes with their dots, the usual one first; whole names such as ``Makefile`` are allowed."""
    grammar: str | None = None
    """Dotted path of the function that returns the grammar; None is read by indentation and brackets."""
    line_comment: str = "//"
    """What starts a comment that runs to the end of the line."""
    comment_end: str = ""
    """What must close it, where the language has block comments only."""
    definitions: Mapping[str, str] = field(default_factory=dict)
    """Kind (function, class, ...) to the node types that are enclosing blocks of that kind."""
    valued: str = ""
    """Those definitions that are one only when their value is one of ``functions``: ``const f = () => 1``."""
    functions: str = ""
    """Node types of functions without a name."""
    bodied: str = ""
    """Those definitions that are one only when they have a body: ``struct S { ... }`` but not ``struct S s``."""
    docstring: str = ""
    """Node type of the string at the top of a body that documents it; elsewhere the comment above does."""
    wrappers: str = ""
    """Node types that belong to the definition inside them: decorators, ``export``, ``template``."""
    attached: str = ""
    """Node types before a definition that belong to it: attributes, decorators."""
    transparent: str = ""
    """Node types whose children count as standing at the top level, such as an include guard."""
    imports: str = ""
    """Node types of import statements."""
    import_line: str = r"(import|from|use|using|require|include|open|alias|library|local\s+\w+\s*=\s*require)\b"
    """A pattern that every import statement matches at its start."""
    import_style: ImportStyle = "line"
    """How import statements are read and merged."""
    preamble: str = ""
    """Node types, besides comments, that must stand above the first import."""
    identifiers: str = "identifier"
    """Node types of names."""
    features: Mapping[str, str] = field(default_factory=dict)
    """Feature to node types, counted to judge difficulty; ``"async"`` in quotes is a keyword.

    ``nest`` is not counted itself: it holds what, besides ``loops``, makes the code inside it one level deeper."""
    tests: Habits = Habits()
    """Where tests live by default."""

    @property
    def id(self) -> str:
        """The row's own name, used in the user's configuration."""
        return self.ids[0]

    @property
    def fence(self) -> str:
        """The word after the three backticks of a code fence."""
        return self.id

    def comment(self, text: str) -> str:
        """Return a line of comment that says the text."""
        return f"{self.line_comment} {text} {self.comment_end}".rstrip()
