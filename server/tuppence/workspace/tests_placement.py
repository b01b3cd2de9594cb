"""Where generated tests go, and what the model is told of that place.

The project's own habits choose the file (workspace/tests_layout.py). A test file that is open in the editor counts as
it stands there, and a private one is not shown to anybody. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from tuppence.core.answer.insert_tests import module_of_tests
from tuppence.core.answer_builder import TestLocation
from tuppence.core.prompt.compose import TestFile
from tuppence.core.prompt.excerpt import excerpt
from tuppence.core.syntax.languages import Language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Document, Span
from tuppence.errors import Unfit
from tuppence.workspace import files, tests_layout
from tuppence.workspace.workspace import Workspace

_MOST = 200
"""Files beside a new test file among which an example is looked for."""


@dataclass(frozen=True, slots=True)
class TestedSource:
    """The file whose code is to be tested."""

    path: Path | None
    """Where it is stored; None for one that is not a file."""
    document: Document
    tree: Tree


def find_test_location(
    tested: TestedSource, known: Language, workspace: Workspace, buffer: Callable[[str], Document | None]
) -> TestLocation:
    """Return where the tests go.

    :param buffer: gives the document that the editor has open at an absolute path.
    :raises Unfit: there is no place for them, or it is private.
    """
    if tested.path is None:
        raise Unfit("This document is not a file, so there is no place for its tests.", "Save it first.")
    place = workspace.test_place(tested.path, known)
    if place.inline:
        module = module_of_tests(tested.tree)
        name = module.name if module else "tests"
        return TestLocation(str(tested.path), tested.document, is_new=False, block=name)
    if why := workspace.why_private(place.path):
        raise Unfit(f"The tests belong in {place.path.name}, which is never sent to a model: {why}.")
    path = _as_opened(place.path, tested.path)
    open_one = buffer(str(path))
    if open_one is None and place.exists and not place.text and path.stat().st_size:
        raise Unfit(f"The tests belong in {path.name}, which cannot be read.", "Is it a UTF-8 text of a usual size?")
    document = open_one or Document(path.as_uri(), tested.document.language, None, place.text)
    return TestLocation(str(path), document, is_new=not document.text.strip())


def describe(
    place: TestLocation, tested: TestedSource, workspace: Workspace, budget: int
) -> tuple[TestFile, tuple[str, ...]]:
    """Return what the model is told of the place, in about so many tokens, and what was cut of it, for the user."""
    assert tested.path is not None, "tests have a place only where the code has one"
    path = Path(place.path)
    known = tested.tree.language
    document = place.document
    if place.block:
        module = module_of_tests(tested.tree, place.block)
        document = Document(document.uri, known.id, None, document.slice(module.span) if module else "")
    end = len(document.text)
    text, gone = excerpt(document, parse(document.text, known), Span(end, end), budget) if document.text else ("", 0)
    example = _example(path, known, workspace, budget) if place.is_new else ("", "")
    shown = TestFile(
        path=workspace.relative(path),
        text=text,
        inline=bool(place.block),
        source=workspace.relative(tested.path),
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
    try:
        beside = sorted(islice(path.parent.iterdir(), _MOST))
    except OSError:
        return "", ""
    for each in beside:
        if each == path or not tests_layout.is_test(PurePosixPath(each.name), known) or workspace.private(each):
            continue
        if text := files.read_text(each):
            document = Document("", known.id, None, text)
            shown, _ = excerpt(document, parse(text, known), Span(0, 0), budget // 2)
            return workspace.relative(each), shown
    return "", ""
