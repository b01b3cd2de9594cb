"""Import lines merged into a file's own, in each language's manner."""

from __future__ import annotations

import pytest

from tuppence.core.answer.merge_imports import merge
from tuppence.core.syntax.import_statements import Imported
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Document, apply


def check(language_id: str, text: str, lines: str, expected: str) -> None:
    """Merge, compare, and merge again: the second time there is nothing to do."""
    document = Document("file:///a", language_id, 1, text)
    edits = merge(document, parse(text, language(language_id)), lines)
    after = apply(text, edits)
    assert after == expected
    assert bool(edits) == (text != expected)
    again = Document("file:///a", language_id, 2, after)
    assert merge(again, parse(after, language(language_id)), lines) == ()


def test_python_adds_behind_the_last_import() -> None:
    check("python", "import os\n\n\ndef f(): ...\n", "import sys", "import os\nimport sys\n\n\ndef f(): ...\n")


def test_python_extends_a_statement_that_imports_from_the_module() -> None:
    check("python", "from a import b\nimport c\n", "from a import b, d as e", "from a import b, d as e\nimport c\n")
    check("python", "from a import (\n    b,\n)\n", "from a import c", "from a import (\n    b,\n    c,\n)\n")
    check("python", "from a import (b)\n", "from a import c", "from a import (b, c)\n")


def test_python_leaves_a_statement_with_a_comment_or_no_room_alone() -> None:
    check("python", "from a import (b  # why\n)\n", "from a import c", "from a import (b  # why\n)\nfrom a import c\n")
    long = f"from a import {'b' * 80}\n"
    check("python", long, "from a import c", f"{long}from a import c\n")


def test_python_names_only_what_is_missing() -> None:
    check("python", "import os\nimport re\n", "import os, sys\nimport re\n", "import os\nimport re\nimport sys\n")


def test_python_has_nothing_to_do_for_what_is_there() -> None:
    check(
        "python",
        "from a import (\n    b,\n    c,\n)\n",
        "from a import c, b\nfrom a import b",
        "from a import (\n    b,\n    c,\n)\n",
    )


def test_python_puts_future_imports_first() -> None:
    check(
        "python",
        '"""Doc."""\n\nimport os\n',
        "from __future__ import annotations\nimport re",
        '"""Doc."""\n\nfrom __future__ import annotations\nimport os\nimport re\n',
    )


def test_python_s_first_import_stands_below_docstring_and_shebang() -> None:
    check(
        "python",
        '#!/usr/bin/env python\n"""Doc."""\nx = 1\n',
        "import re",
        '#!/usr/bin/env python\n"""Doc."""\n\nimport re\n\nx = 1\n',
    )
    check("python", "x = 1\n", "import re", "import re\n\nx = 1\n")
    check("python", "", "import re", "import re\n")
    check("python", '"""Doc."""', "import re", '"""Doc."""\n\nimport re\n')


def test_a_comment_right_above_a_definition_stays_with_it() -> None:
    check(
        "go",
        "package a\n\n// F is.\nfunc F() {}\n",
        'import "fmt"',
        'package a\n\nimport "fmt"\n\n// F is.\nfunc F() {}\n',
    )


@pytest.mark.parametrize("lines", ["os.system('rm')", "def f(): ...", "x = 1", "", "```", "import", "from a import ("])
def test_what_is_no_import_is_passed_over(lines: str) -> None:
    check("python", "import os\n", lines, "import os\n")


@pytest.mark.parametrize(
    ("language_id", "lines"),
    [
        ("javascript", 'const a = require("a"), b = evil();'),
        ("javascript", 'const a = require("a")(evil());'),
        ("lua", 'local a = require("a"); os.exit()'),
        ("c", "#define X 1"),
        ("rust", "fn evil() {}"),
        ("go", "var x = evil()"),
        ("java", "class Evil {}"),
    ],
)
def test_code_cannot_come_in_as_an_import(language_id: str, lines: str) -> None:
    check(language_id, "", lines, "")


def test_an_import_is_taken_out_from_between_other_code() -> None:
    check("python", "import os\n", "import re; evil()\nx = 1\nimport sys", "import os\nimport re\nimport sys\n")


def test_windows_line_endings_are_kept() -> None:
    check(
        "python",
        "import os\r\n\r\nx = 1\r\n",
        "import re\nimport sys",
        "import os\r\nimport re\r\nimport sys\r\n\r\nx = 1\r\n",
    )


def test_typescript_extends_braces_and_keeps_other_forms_apart() -> None:
    check(
        "typescript", 'import { a } from "x";\n', "import { a, b as c } from 'x';", 'import { a, b as c } from "x";\n'
    )
    check(
        "typescript", 'import {\n  a,\n} from "x";\n', 'import { b } from "x";', 'import {\n  a,\n  b,\n} from "x";\n'
    )
    check(
        "typescript",
        'import { a } from "x";\n',
        'import D, { a } from "x";',
        'import { a } from "x";\nimport D from "x";\n',
    )
    check(
        "typescript",
        'import * as n from "x";\nf();\n',
        'import { a } from "x";',
        'import * as n from "x";\nimport { a } from "x";\nf();\n',
    )
    check(
        "typescript",
        'import "side";\n',
        'import "side";\nimport type { T } from "t";',
        'import "side";\nimport type { T } from "t";\n',
    )
    check(
        "typescriptreact",
        "export const A = () => <a />;\n",
        'import React from "react";',
        'import React from "react";\n\nexport const A = () => <a />;\n',
    )


def test_javascript_knows_require_and_directives() -> None:
    check(
        "javascript",
        '"use strict";\n\nf();\n',
        'const fs = require("fs");',
        '"use strict";\n\nconst fs = require("fs");\n\nf();\n',
    )
    check("javascript", 'const { a } = require("x");\n', 'const { a } = require("x");', 'const { a } = require("x");\n')


def test_go_extends_its_block_in_order() -> None:
    block = 'package a\n\nimport (\n\t"fmt"\n\t"os"\n\n\t"x.com/y"\n)\n'
    check(
        "go",
        block,
        '"bytes"\n"strings"\n"x.com/z"',
        'package a\n\nimport (\n\t"bytes"\n\t"fmt"\n\t"os"\n\t"strings"\n\n\t"x.com/y"\n\t"x.com/z"\n)\n',
    )
    check("go", block, 'import (\n\t"fmt"\n\t"os"\n)', block)
    check("go", 'package a\n\nimport "fmt"\n', 'import "os"', 'package a\n\nimport "fmt"\nimport "os"\n')
    check("go", "package a\n\nfunc f() {}\n", '"fmt"', 'package a\n\nimport "fmt"\n\nfunc f() {}\n')


def test_rust_sees_through_braces_and_globs() -> None:
    text = "use std::collections::{HashMap, hash_map::{self, Entry}};\nuse a::*;\n"
    check("rust", text, "use std::collections::HashMap;\nuse std::collections::hash_map::Entry;\nuse a::b;", text)
    check("rust", text, "use std::collections::{HashMap, HashSet};", f"{text}use std::collections::HashSet;\n")
    check(
        "rust",
        "//! Crate.\n#![allow(x)]\n\nfn f() {}\n",
        "use std::fmt;",
        "//! Crate.\n#![allow(x)]\n\nuse std::fmt;\n\nfn f() {}\n",
    )


def test_java_adds_behind_the_package_and_knows_wildcards() -> None:
    check(
        "java",
        "package a;\n\nclass A {}\n",
        "import java.util.List;",
        "package a;\n\nimport java.util.List;\n\nclass A {}\n",
    )
    check("java", "import java.util.*;\n", "import java.util.List;", "import java.util.*;\n")
    check(
        "java", "import a.B;\nclass A {}\n", "import static a.C.d;", "import a.B;\nimport static a.C.d;\nclass A {}\n"
    )


@pytest.mark.parametrize("language_id", ["c", "cpp"])
def test_c_includes_once_whatever_the_brackets(language_id: str) -> None:
    check(
        language_id,
        "#include <a.h>\nint x;\n",
        '#include "a.h"\n#include <b.h>',
        "#include <a.h>\n#include <b.h>\nint x;\n",
    )
    guarded = "#ifndef A_H\n#define A_H\n\nint x;\n#endif\n"
    check(language_id, guarded, "#include <b.h>", "#ifndef A_H\n#define A_H\n\n#include <b.h>\n\nint x;\n#endif\n")
    check(language_id, "#pragma once\n\nint x;\n", "#include <b.h>", "#pragma once\n\n#include <b.h>\n\nint x;\n")


def test_other_languages_add_whole_lines() -> None:
    check(
        "lua",
        'local a = require("a")\nprint(a)\n',
        'local b = require("b")',
        'local a = require("a")\nlocal b = require("b")\nprint(a)\n',
    )
    check("ruby", "# frozen\n\nx = 1\n", "require 'json'", "# frozen\n\nrequire 'json'\n\nx = 1\n")


@pytest.mark.parametrize(
    ("language_id", "statement", "expected"),
    [
        ("python", "import a.b as c, d", [Imported("a.b", "", "c"), Imported("d")]),
        ("python", "from .x import (\n  y,  # why\n  z as w,\n)", [Imported(".x", "y"), Imported(".x", "z", "w")]),
        (
            "typescript",
            'import D, { type a, b as c } from "./m"',
            [("./m", "default", "D"), ("./m", "a", ""), ("./m", "b", "c")],
        ),
        ("javascript", "const { a, b: c } = require('m')", [("m", "a", ""), ("m", "b", "c")]),
        ("go", 'import (\n\tx "a/b" // why\n\t"c"\n)', [("a/b", "", "x"), ("c", "", "")]),
        ("rust", "pub use crate::a::{self, b as c};", [("crate", "a", ""), ("crate::a", "b", "c")]),
        ("java", "import static a.B.c;", [("static a.B", "c", "")]),
        ("c", '#  include "x/y.h"', [('"x/y.h"', "", "")]),
    ],
)
def test_a_statement_says_what_it_brings(
    language_id: str, statement: str, expected: list[Imported | tuple[str, str, str]]
) -> None:
    wanted = tuple(each if isinstance(each, Imported) else Imported(*each) for each in expected)
    assert language(language_id).import_style.parse(statement) == wanted
