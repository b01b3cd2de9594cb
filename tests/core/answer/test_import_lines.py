"""The head of a file, and what is a comment and nothing else."""

from __future__ import annotations

import pytest

from tuppence.core.answer.import_lines import file_head, is_comment
from tuppence.core.syntax.languages import language


@pytest.mark.parametrize(
    ("known", "line", "comment"),
    [
        ("python", "# x", True), ("python", "#!/usr/bin/env python", False), ("python", "x  # y", False),
        ("go", "// x", True), ("go", "* x", True), ("go", "*", True), ("go", "*x = 1", False), ("go", "/* x", True),
        ("python", "* x", False), ("lua", "-- x", True), ("lua", "- x", False),
    ],
)  # fmt: skip
def test_a_line_is_a_comment(known: str, line: str, *, comment: bool) -> None:
    assert is_comment(line, language(known)) is comment


def test_the_head_of_a_file_ends_at_its_first_code() -> None:
    head = file_head(
        ["#!/usr/bin/env python", "# One.", "", "import a", "from b import (", "    c,", ")", "x = 1"],
        language("python"),
    )
    assert (head.imports, head.end) == ("import a\nfrom b import (\n    c,\n)", 7)
    assert file_head(["x = 1", "import a"], language("python")).end == 0
