"""Import statements as values, and the style in which a family of languages writes them.

A style parses a statement into one :class:`Imported` for each name, adds a name to a statement, and writes a statement
of its own. It also says what else depends on the family: its standard modules, how the names of its modules look,
whether a module passes on what it imports. The styles are in :mod:`tuppence.core.syntax.import_styles`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from tuppence.core.text.document import Span

StyleName = Literal["python", "es", "go", "rust", "java", "include", "line"]
Insertion = tuple[int, str]
"""An offset in the file, and the text that is inserted there."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One thing that an import statement brings in."""

    module: str
    """The module, package, path or header, as the statement writes it."""
    name: str = ""
    """The name taken from it; empty for the module itself, ``*`` for all names, ``default`` for a default export."""
    alias: str = ""
    """What the file calls it where that differs."""

    @property
    def local(self) -> str:
        """The name under which the file knows it; empty where it brings in none of its own."""
        return self.alias or (self.name if self.name not in {"*", "default"} else "")


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """An import statement of the file."""

    span: Span
    text: str
    brings: tuple[Imported, ...]


class ImportStyle(ABC):
    """The import statements of one family of languages; what is written here holds where a style says nothing else."""

    name: StyleName
    """The key of this style in a module's own table, such as the manifests that the workspace reads."""
    is_parsed: bool = True
    """Whether statements are split into names; otherwise a statement is known only as a line of text."""
    is_python: bool = False
    """Whether the checks that use Python's own parser or its syntax apply."""
    is_javascript: bool = False
    """Whether the checks of JavaScript's modules apply, which share names only by export and import."""
    standard_modules: frozenset[str] = frozenset()
    """Top-level modules that come with the language or its runtime; empty where their names are told by form."""
    separator: str = "/"
    """What separates the parts of a module's name."""
    statement_pattern: re.Pattern[str] | None = None
    """A pattern that finds import statements in code without comments; None where no check needs one."""
    string_pattern: re.Pattern[str] = re.compile(r'"(?:\\.|[^"\\\n])*"')
    """A pattern of a string literal."""
    blank_lines: int = 1
    """Blank lines between definitions at the top level."""
    names_are_unique: bool = False
    """Whether a second function or class with a name is a mistake, or hides the first one."""
    passes_on: bool = False
    """Whether other files can take from a module what that module imports."""
    packages_are_exact: bool = False
    """Whether a manifest names a package exactly as imports do."""
    packages_nest: bool = False
    """Whether a package may be any beginning of an import's path, to be told from the manifest alone."""
    has_wildcards: bool = False
    """Whether a statement that imports ``*`` from a module makes imports of single names redundant."""

    @abstractmethod
    def _imports(self, statement: str) -> Iterator[Imported]:
        """Yield what a statement brings in."""

    def parse(self, statement: str) -> tuple[Imported, ...]:
        """Return what a statement brings in, in its order; one whole-line entry where the style has no names."""
        return tuple(self._imports(statement))

    def other_imports(self, text: str) -> Iterator[Imported]:  # noqa: ARG002 - most families have none
        """Yield what a file brings in by statements that are not import statements."""
        return iter(())

    def join(self, statement: ImportStatement, imported: Imported) -> Insertion | None:  # noqa: ARG002 - it takes none
        """Return the insertion that adds a name to a statement; None where the statement cannot take it."""
        return None

    def write(self, statement: str, rest: tuple[Imported, ...]) -> str:  # noqa: ARG002 - it has one name only
        """Return a statement that brings in only some of the names of another statement."""
        return statement

    def covers(self, known: Collection[Imported], imported: Imported) -> bool:
        """Report whether a file that has the known imports needs no further statement for another one."""
        if imported in known:
            return True
        is_plain = not imported.alias and not imported.module.startswith("static ")
        return self.has_wildcards and is_plain and Imported(imported.module, "*") in known

    def uses(self, names: Collection[str], imported: Imported) -> bool:
        """Report whether code with these names may use an import, as far as the import has a name of its own."""
        return (imported.name == "*" and not imported.alias) or self._is_named(names, imported)

    def _is_named(self, names: Collection[str], imported: Imported) -> bool:  # noqa: ARG002 - any name may be meant
        """Report whether the names hold the one under which the file knows an import that is not of all names."""
        return True

    def package_of(self, module: str) -> str:  # noqa: ARG002 - no package can be told from the name
        """Return the package that has to be installed for a module; empty where none is, or none can be told."""
        return ""

    def completed(self, lines: str) -> str:
        """Return import lines that a reply quotes as a text that the language's grammar reads."""
        return lines

    def standalone(self, statement: str) -> str:
        """Return the text of a file that holds a statement and nothing else."""
        return statement
