"""Choose the place for generated tests, and describe it to the model.

The project's own habits determine the file (workspace/tests_layout.py). A test file that is open in the editor counts
with its text there, and a private one is never shown to a model. This module writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from tuppence import regular_files
from tuppence.core.answer.insert_tests import TestLocation, module_of_tests
from tuppence.core.prompt.compose import TestFile
from tuppence.core.prompt.excerpt import excerpt
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document, Span
from tuppence.errors import Unfit
from tuppence.regular_files import Unreadable
from tuppence.workspace import files, tests_layout
from tuppence.workspace.workspace import Workspace

_MOST = 200
"""Files beside a new test file among which an example is looked for."""


def find_test_location(
    source: Path | None, document: Document, tree: Tree, workspace: Workspace, opened: Callable[[str], Document | None]
) -> TestLocation:
    """Return where the tests of a document go.

    :param source: where the document is stored, or None.
    :param opened: returns the document that the editor has open at an absolute path, or None.
    :raises Unfit: there is no place for them, or it is private.
    """
    if source is None:
        raise Unfit("This document is not a file, so there is no place for its tests.", "Save it first.")
    location = workspace.test_location(source, tree.language)
    if location.block:
        module = module_of_tests(tree)
        return TestLocation(str(source), document, is_new=False, block=module.name if module else location.block)
    file = Path(location.path)
    path = _as_opened(file, source)
    if open_one := opened(str(path)):
        workspace.hold_inside(file, source)
        if why := workspace.why_private(file):
            raise Unfit(f"The tests belong in {file.name}, which is never sent to a model: {why}.")
        return TestLocation(str(path), open_one, is_new=not open_one.text.strip())
    text = files.text_of(workspace.stored(file, source) or b"")
    if text is None:
        raise Unfit(f"The tests belong in {path.name}, which cannot be read.", "Is it a UTF-8 text of a usual size?")
    known = Document(path.as_uri(), document.language, None, text)
    return TestLocation(str(path), known, is_new=not text.strip())


def describe(
    place: TestLocation, source: Path, tree: Tree, workspace: Workspace, budget: int
) -> tuple[TestFile, tuple[str, ...]]:
    """Return what the model is told of the place, in about so many tokens, and what was cut of it, for the user."""
    path = Path(place.path)
    known = tree.language
    document = place.document
    if place.block:
        module = module_of_tests(tree, place.block)
        document = Document(document.uri, known.id, None, document.slice(module.span) if module else "")
    end = len(document.text)
    text, gone = excerpt(document, parse(document.text, known), Span(end, end), budget) if document.text else ("", 0)
    example = _example(path, known, workspace, budget) if place.is_new else ("", "")
    shown = TestFile(
        path=workspace.relative(path),
        text=text,
        inline=bool(place.block),
        source=workspace.relative(source),
        example=example,
    )
    return shown, (f"{gone} of the {document.line_count} lines of {path.name} were left out.",) if gone else ()


def _as_opened(place: Path, source: Path) -> Path:
    """Return a real path as the editor would name it, which may have opened the project through a symbolic link."""
    for folder in source.parents:
        real = folder.resolve()
        if place.is_relative_to(real):
            return folder / place.relative_to(real)
    return place


def _example(path: Path, known: Language, workspace: Workspace, budget: int) -> tuple[str, str]:
    """Return another test of the project, its path and its beginning, which shows the framework; empty for none."""
    root = workspace.root(path)
    try:
        beside = regular_files.listed(path.parent, root, _MOST) if root else []
    except Unreadable:
        return "", ""
    readable = workspace.readable()
    for each in (path.parent / name for name, kind in beside if kind == "file"):
        is_other = each != path and tests_layout.is_test(PurePosixPath(each.name), known)
        place = readable(each) if is_other else None
        if place and (text := files.read_place(place, workspace.open_folders)):
            document = Document("", known.id, None, text)
            shown, _ = excerpt(document, parse(text, known), Span(0, 0), budget // 2)
            return workspace.relative(each), shown
    return "", ""
