"""Import statements as values, and the import style of a language family.

A style parses a statement into one :class:`Imported` per name, adds a name to a statement, and writes a statement. It
also defines other properties of the family: its standard modules, the form of module names, whether a module re-exports
its imports. The styles are in :mod:`tuppence.core.syntax.import_styles`.
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
"""An offset in the file, and the text to insert there."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One name or module that an import statement makes available."""

    module: str
    """The module, package, path or header, as written in the statement."""
    name: str = ""
    """The imported name; empty for the module itself, ``*`` for all names, ``default`` for a default export."""
    alias: str = ""
    """The local name, if it differs."""

    @property
    def local(self) -> str:
        """The name by which the file refers to it; empty if the import adds no single name."""
        return self.alias or (self.name if self.name not in {"*", "default"} else "")


@dataclass(frozen=True, slots=True)
class ImportStatement:
    """An import statement of the file."""

    span: Span
    text: str
    brings: tuple[Imported, ...]


class ImportStyle(ABC):
    """The import statements of one language family, with defaults for the styles that do not override them."""

    name: StyleName
    """The key of this style in tables of other modules, such as those for manifests."""
    is_parsed: bool = True
    """Whether statements are split into names; otherwise a statement is only a line of text."""
    is_python: bool = False
    """Whether the checks that use Python's own parser or syntax apply."""
    is_javascript: bool = False
    """Whether the checks of JavaScript modules apply, which share names only by export and import."""
    standard_modules: frozenset[str] = frozenset()
    """Top-level modules of the language or its runtime; empty if they are recognized by their form."""
    separator: str = "/"
    """The separator in a module's name."""
    statement_pattern: re.Pattern[str] | None = None
    """Matches import statements in code without comments; None if no check needs it."""
    string_pattern: re.Pattern[str] = re.compile(r'"(?:\\.|[^"\\\n])*"')
    """Matches a string literal."""
    blank_lines: int = 1
    """Number of blank lines between top-level definitions."""
    names_are_unique: bool = False
    """Whether a second function or class with a name is an error, or replaces the first."""
    passes_on: bool = False
    """Whether other files can import from a module what that module imports."""
    packages_are_exact: bool = False
    """Whether a manifest names a package exactly as imports do."""
    packages_nest: bool = False
    """Whether any prefix of an import's path may be a package, which only the manifest can tell."""
    has_wildcards: bool = False
    """Whether importing ``*`` from a module makes imports of single names redundant."""

    @abstractmethod
    def _imports(self, statement: str) -> Iterator[Imported]:
        """Yield the imports in a statement."""

    def parse(self, statement: str) -> tuple[Imported, ...]:
        """Return the imports in a statement, in order; a single entry for the whole line if the style has no names."""
        return tuple(self._imports(statement))

    def other_imports(self, text: str) -> Iterator[Imported]:  # noqa: ARG002 - most families have none
        """Yield the imports of a file that are not import statements."""
        return iter(())

    def join(self, statement: ImportStatement, imported: Imported) -> Insertion | None:  # noqa: ARG002 - it takes none
        """Return the insertion that adds a name to a statement; None if that is impossible."""
        return None

    def write(self, statement: str, rest: tuple[Imported, ...]) -> str:  # noqa: ARG002 - it has one name only
        """Return a statement that imports only some of the names of another statement."""
        return statement

    def covers(self, known: Collection[Imported], imported: Imported) -> bool:
        """Report whether a file with the known imports needs no further statement for another import."""
        if imported in known:
            return True
        is_plain = not imported.alias and not imported.module.startswith("static ")
        return self.has_wildcards and is_plain and Imported(imported.module, "*") in known

    def uses(self, names: Collection[str], imported: Imported) -> bool:
        """Report whether code with these names may use an import, as far as the import has a name."""
        return (imported.name == "*" and not imported.alias) or self._is_named(names, imported)

    def _is_named(self, names: Collection[str], imported: Imported) -> bool:  # noqa: ARG002 - any name may be meant
        """Report whether the names include the local name of an import that does not import all names."""
        return True

    def package_of(self, module: str) -> str:  # noqa: ARG002 - no package can be told from the name
        """Return the package to install for a module; empty if none is needed or it is unknown."""
        return ""

    def completed(self, lines: str) -> str:
        """Return the import lines quoted in a reply in a form that the grammar parses."""
        return lines

    def standalone(self, statement: str) -> str:
        """Return the text of a file that contains only a statement."""
        return statement
