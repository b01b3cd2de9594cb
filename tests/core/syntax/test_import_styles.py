"""Import statements of each family: which names are used, what a statement takes, and what is written of the rest."""

from __future__ import annotations

import pytest

from tuppence.core.answer.merge_imports import merge
from tuppence.core.syntax.import_statements import Imported
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Document, apply


@pytest.mark.parametrize(
    ("known", "imported", "used", "unused"),
    [
        ("python", Imported("a.b"), "a", "b"),
        ("python", Imported("m", "x"), "x", "m"),
        ("python", Imported("m", "x", "y"), "y", "x"),
        ("python", Imported("m", "*"), "anything", ""),
        ("typescript", Imported("m", "x"), "x", "m"),
        ("typescript", Imported("m", "x", "y"), "y", "x"),
        ("typescript", Imported("m", "*", "n"), "n", "m"),
        ("go", Imported("a/fmt"), "fmt", "a"),
        ("go", Imported("a/fmt", "", "f"), "f", "fmt"),
        ("go", Imported("a/fmt", "", "."), "anything", ""),
        ("java", Imported("a", "B"), "B", "a"),
        ("java", Imported("static a", "b"), "anything", ""),
        ("java", Imported("a", "*"), "anything", ""),
        ("c", Imported("a.h"), "anything", ""),
    ],
)
def test_an_import_is_used_by_the_name_that_it_binds(known: str, imported: Imported, used: str, unused: str) -> None:
    style = language(known).import_style
    assert style.uses({used, "other"}, imported)
    if unused:
        assert not style.uses({unused, "other"}, imported)


def test_rust_declares_modules_of_other_files() -> None:
    style = language("rust").import_style
    text = "mod a;\npub mod b;\nmod tests {\n}\nuse c::d;\n"
    assert [(each.module, each.name) for each in style.other_imports(text)] == [("self", "a"), ("self", "b")]
    assert list(language("go").import_style.other_imports(text)) == []


@pytest.mark.parametrize(
    ("known", "before", "lines", "after"),
    [
        ("python", "from m import a\n", "from n import q\n", "from m import a\nfrom n import q\n"),
        (
            "python",
            "from n import (c,  # why\n d)\n",
            "from n import c, e, f as g\n",
            "from n import (c,  # why\n d)\nfrom n import e, f as g\n",
        ),
        ("python", "import a\n", "import a, b as c, d\n", "import a\nimport b as c, d\n"),
        (
            "typescript",
            "import { a, // why\n b } from 'm';\n",
            "import { a, c } from 'm';\n",
            "import { a, // why\n b } from 'm';\nimport { c } from 'm';\n",
        ),
        (
            "javascript",
            "const { a } = require('m');\n",
            "const { a, b, c: d } = require('m');\n",
            "const { a } = require('m');\nconst { b, c: d } = require('m');\n",
        ),
        (
            "go",
            'package p\n\nimport "fmt"\n',
            'import (\n\t"fmt"\n\t"os"\n\tx "io"\n)\n',
            'package p\n\nimport "fmt"\nimport (\n\t"os"\n\tx "io"\n)\n',
        ),
        (
            "go",
            'package p\n\nimport "fmt"\n',
            'import (\n\t"fmt"\n\t"os"\n)\n',
            'package p\n\nimport "fmt"\nimport "os"\n',
        ),
        ("rust", "use a::b;\n", "use a::{b, c::{d, e}, };\n", "use a::b;\nuse a::c::d;\nuse a::c::e;\n"),
        ("java", "import a.B;\n", "import a.B;\nimport a.*;\n", "import a.B;\nimport a.*;\n"),
        ("c", "#include <a.h>\n", '#include <a.h>\n#include "b.h"\n', '#include <a.h>\n#include "b.h"\n'),
    ],
)
def test_of_a_statement_only_what_is_missing_is_written(known: str, before: str, lines: str, after: str) -> None:
    document = Document("file:///a", known, 1, before)
    edits = merge(document, parse(before, language(known)), lines)
    assert apply(before, edits) == after
    again = Document("file:///a", known, 2, after)
    assert merge(again, parse(after, language(known)), lines) == ()


def test_a_statement_without_names_is_written_as_it_is() -> None:
    style = language("typescript").import_style
    for statement in ('import "m";', "const a = require('m');"):
        assert style.write(statement, (Imported("m"),)) == statement


def test_a_family_without_lists_writes_the_statement_itself() -> None:
    style = language("c").import_style
    assert style.write('#include "b.h"', (Imported("b.h"),)) == '#include "b.h"'
