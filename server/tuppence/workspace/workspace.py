"""The project around a document: what the target uses from it, its conventions, its tests, its private files.

Everything is read on demand, in small amounts, and never from outside the folders that the editor opened; symbolic
links that leave them are not followed (:mod:`tuppence.regular_files`). This module writes nothing and does not know
about models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from tuppence import regular_files
from tuppence.core.answer.insert_tests import INLINE_BLOCK, TestLocation
from tuppence.core.prompt.context import Surroundings
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.packages import Packages
from tuppence.core.syntax.target import Target
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document
from tuppence.errors import Unfit
from tuppence.regular_files import LEADS_OUT, Missing, Unreadable, root_of_real
from tuppence.workspace import conventions, files, manifests, secret_names, tests_layout
from tuppence.workspace.git_ignore import Look
from tuppence.workspace.used_definitions import Search, definitions

_MARKERS = ("pyproject.toml", "setup.py", "package.json", "go.mod", "Cargo.toml", "pom.xml", "build.gradle", ".git")
_SKIPPED = frozenset({"node_modules", "target", "build", "dist", "venv", "vendor", "__pycache__", "site-packages"})
_MOST_FOLDERS = 1500
"""Folders that are listed to learn a project's test habits."""
_MOST_ENTRIES = 20_000
"""Entries of one of them that are looked at."""
_MOST_LISTED = 200_000
"""Files of a project that are looked at, by their names."""


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
            roots=self._roots,
            readable=(readable := self.readable()),
        )
        return Surroundings(definitions(search), conventions.excerpts(root, readable))

    def test_location(self, path: Path, language: Language) -> TestLocation:
        """Return where a file's tests go, with the text on disk: its own, else as other tests go, else by custom."""
        path = path.resolve()
        root = self._project(path)
        source = PurePosixPath(path.relative_to(root).as_posix())
        text = files.read_text(path, (root,)) or ""
        if tests_layout.is_test(source, language) or (language.tests.inline and source.parts[0] == "tests"):
            return self._location(path, path, language)
        if language.tests.inline:
            elsewhere = tests_layout.declared_elsewhere(path, text)
            return self._location(elsewhere or path, path, language, block="" if elsewhere else INLINE_BLOCK)
        known = list(self._listed(root, language))
        found = tests_layout.existing(source, known, language) or tests_layout.learned(source, known, language)
        return self._location(root / (found or tests_layout.customary(source, language)), path, language)

    def hold_inside(self, path: Path, source: Path) -> Path:
        """Return the folder in which a file that is to hold the tests of a source really lies.

        :raises Unfit: a link leads it out of the folder that is open.
        """
        fence = files.root_of(source, self._roots) or self._project(source.resolve())
        try:
            if regular_files.real(path).is_relative_to(fence):
                return fence
            why = LEADS_OUT
        except Unreadable as error:
            why = str(error)
        raise Unfit(f"The tests belong in {path.name}, but {why}.", "Put a folder or a file in the link's place.")

    def stored(self, path: Path, source: Path) -> bytes | None:
        """Return what is in a file that is to hold the tests of a source; None where there is none yet.

        :raises Unfit: a link leads it out of the folder that is open, it is private, or it cannot be read.
        """
        fence = self.hold_inside(path, source)
        why, place = self._judged(path, Look(self._roots))
        if why or place is None:
            raise Unfit(f"The tests belong in {path.name}, which is never sent to a model: {why}.")
        try:
            return regular_files.read_place(place, fence, files.LARGEST)
        except Missing:
            return None
        except Unreadable as error:
            what = f"The tests belong in {path.name}, which cannot be read: {error}."
            raise Unfit(what, "Is it a UTF-8 text of a usual size?") from None

    @property
    def open_folders(self) -> tuple[Path, ...]:
        """The folders that the editor opened, without links in their paths."""
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
        """Return why a file is never sent to a model, as a clause; None where it may be.

        It is judged by every name that leads to it through links, and by its real place.
        """
        return self._judged(path, Look(self._roots))[0]

    def _judged(self, path: Path, look: Look) -> tuple[str | None, Path | None]:
        """Return why a file is private, None where it is not, and the real place that this was said of."""
        try:
            places = regular_files.places(path)
        except Unreadable as error:
            return str(error), None
        for place in (places[-1], *places[:-1]):
            root = root_of_real(place, self._roots)
            if root is None and place != places[-1]:
                why = secret_names.secret(Path(place.name))
            else:
                why = secret_names.secret(place.relative_to(root) if root else place) or look.why(place)
            if why:
                return why, places[-1]
        return None, places[-1]

    def is_secret(self, inner: Path) -> bool:
        """Report whether a file's path within its project says that it holds secrets."""
        return secret_names.secret(inner) is not None

    def asks_first(self, path: Path) -> bool:
        """Report whether a source file's name says that it may hold secrets: it is sent after a question only."""
        try:
            return any(map(secret_names.is_telling_source, regular_files.places(path)))
        except Unreadable:
            return True

    def readable(self) -> Callable[[Path], Path | None]:
        """Return what gives the real place of a file that may be read for context.

        Such a file is inside the roots, not private, and its name is not telling. What was read of ignore files holds
        for every file that it is asked about.
        """
        look = Look(self._roots)

        def judge(path: Path) -> Path | None:
            why, place = self._judged(path, look)
            is_shown = not why and not self.asks_first(path)
            return place if is_shown and place and root_of_real(place, self._roots) else None

        return judge

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
        look, left = Look(self._roots), _MOST_LISTED
        waiting = [PurePosixPath()]
        for count, folder in enumerate(waiting):
            if count >= _MOST_FOLDERS or left <= 0:
                return
            try:
                entries = regular_files.listed(root / folder, root, _MOST_ENTRIES)
            except Unreadable:
                continue
            left -= len(entries)
            for name, kind in entries:
                if kind == "folder":
                    hidden = name.startswith(".") or name in _SKIPPED
                    if not hidden and len(waiting) < _MOST_FOLDERS and look.why(root / folder / name) is None:
                        waiting.append(folder / name)
                elif kind and PurePosixPath(name).suffix in suffixes:
                    yield folder / name

    def _location(self, path: Path, source: Path, language: Language, block: str = "") -> TestLocation:
        fence = files.root_of(source, self._roots) or self._project(source)
        document = Document(path.as_uri(), language.id, None, files.read_text(path, (fence,)) or "")
        return TestLocation(str(path), document, is_new=not path.exists(), block=block)
