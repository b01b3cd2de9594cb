"""The project around a document: what the target uses from it, its rules, where its tests are, what is private.

Everything is read when it is asked for, little of it, and never from outside the folders that the editor opened;
symbolic links that leave them are not followed. Nothing is written, and nothing here knows what a model is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from tuppence.core.answer.insert_tests import INLINE_BLOCK, TestLocation
from tuppence.core.prompt.context import Surroundings
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document
from tuppence.workspace import conventions, files, ignore, manifests, tests_layout
from tuppence.workspace.used_definitions import Search, definitions

_MARKERS = ("pyproject.toml", "setup.py", "package.json", "go.mod", "Cargo.toml", "pom.xml", "build.gradle", ".git")
_SKIPPED = frozenset({"node_modules", "target", "build", "dist", "venv", "vendor", "__pycache__", "site-packages"})
_MOST_FOLDERS = 1500
"""Folders that are listed to learn a project's test habits."""


class Workspace:
    """The folders that the editor opened."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = tuple(root.resolve() for root in roots)

    def relative(self, path: Path) -> str:
        """Return a path as people and models read it: from its root, with ``/``; the bare name outside the roots."""
        root = files.root_of(path, self._roots)
        return path.resolve().relative_to(root).as_posix() if root else path.name

    def project(self, path: Path) -> str:
        """Return the name of the folder that the editor opened around a file, without its path; empty outside any."""
        root = files.root_of(path, self._roots)
        return root.name if root else ""

    def surroundings(self, document: Document, tree: Tree, target: Target, path: Path | None) -> Surroundings:
        """Return the project's definitions that the target uses and its conventions; nothing outside the roots."""
        root = files.root_of(path, self._roots) if path else None
        if root is None or path is None:
            return Surroundings()
        search = Search(
            tree=tree,
            span=target.span,
            text=document.slice(target.span),
            path=path.resolve(),
            root=root,
            readable=self._readable,
        )
        return Surroundings(definitions(search), conventions.excerpts(root, self._readable))

    def test_location(self, path: Path, language: Language) -> TestLocation:
        """Return where a file's tests go, with the text on disk: its own, else as other tests go, else by custom."""
        path = path.resolve()
        root = self._project(path)
        source = PurePosixPath(path.relative_to(root).as_posix())
        text = files.read_text(path) or ""
        if tests_layout.is_test(source, language) or (language.tests.inline and source.parts[0] == "tests"):
            return _location(path, language)
        if language.tests.inline:
            elsewhere = tests_layout.declared_elsewhere(path, text)
            return _location(elsewhere or path, language, block="" if elsewhere else INLINE_BLOCK)
        known = list(self._listed(root, language))
        found = tests_layout.existing(source, known, language) or tests_layout.learned(source, known, language)
        return _location(root / (found or tests_layout.customary(source, language)), language)

    @property
    def roots(self) -> tuple[Path, ...]:
        """The real folders that the editor opened."""
        return self._roots

    def home(self, path: Path) -> Path:
        """Return the real folder whose files belong together with a file: its project's.

        It is the file's own folder where no marker says what the project is, and for a file outside the roots.
        """
        try:
            real = path.resolve()
        except (OSError, RuntimeError):  # Links that lead in a circle.
            return path.parent
        if files.root_of(real, self._roots) is None:
            return real.parent
        folder = self._project(real)
        return folder if any((folder / marker).exists() for marker in _MARKERS) else real.parent

    def root(self, path: Path) -> Path | None:
        """Return the real folder that is open and holds a file: what a request may read; None outside the roots."""
        return files.root_of(path, self._roots)

    def folder(self, path: Path) -> Path | None:
        """Return the real folder of the project around a file, within its root; None outside the roots."""
        return self._project(path.resolve()) if files.root_of(path, self._roots) else None

    def packages(self, path: Path | None, language: Language) -> Packages | None:
        """Return what a file of the project can import; None for a file outside the roots."""
        root = files.root_of(path, self._roots) if path else None
        if path is None or root is None:
            return None
        path = path.resolve()
        return manifests.packages(path, root, language, self._listed(self._project(path), language))

    def private(self, path: Path) -> bool:
        """Report whether a file is never sent to a model."""
        return self.why_private(path) is not None

    def why_private(self, path: Path) -> str | None:
        """Return why a file is never sent to a model, as a clause; None where it may be."""
        real = path.resolve()
        root = files.root_of(real, self._roots)
        inner = real.relative_to(root) if root else Path(real.name)
        return (
            ignore.secret(inner)
            or ignore.secret(Path(path.name))
            or (None if root else ignore.secret(real))
            or (ignore.ignored(real, root) if root else None)
        )

    def is_secret(self, inner: Path) -> bool:
        """Report whether a file's path within its project says that it holds secrets."""
        return ignore.secret(inner) is not None

    def _readable(self, path: Path) -> bool:
        """Report whether a file may be read for context: inside the roots and not private."""
        return files.root_of(path, self._roots) is not None and not self.private(path)

    def _project(self, path: Path) -> Path:
        """Return the innermost folder around a file that looks like a project, within its root."""
        root = files.root_of(path, self._roots)
        for folder in path.parents:
            if any((folder / marker).exists() for marker in _MARKERS) or folder == root:
                return folder
        return path.parent

    def _listed(self, root: Path, language: Language) -> Iterator[PurePosixPath]:
        """Yield the project's files in a language, folder by folder, those near the root first."""
        suffixes = tests_layout.family(language)
        waiting = [root]
        for count, folder in enumerate(waiting):
            if count >= _MOST_FOLDERS:
                return
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                continue
            for entry in entries:
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    hidden = entry.name.startswith(".") or entry.name in _SKIPPED
                    if not hidden and ignore.ignored(path, root) is None:
                        waiting.append(path)
                elif path.suffix in suffixes and entry.is_file(follow_symlinks=False):
                    yield PurePosixPath(path.relative_to(root).as_posix())


def _location(path: Path, language: Language, block: str = "") -> TestLocation:
    document = Document(path.as_uri(), language.id, None, files.read_text(path) or "")
    return TestLocation(str(path), document, is_new=not path.exists(), block=block)
