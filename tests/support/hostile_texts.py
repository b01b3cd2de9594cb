"""Texts, in any size, for which some code once needed time proportional to the square of the size."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

LANGUAGES = (
    "python",
    "javascript",
    "typescript",
    "tsx",
    "go",
    "rust",
    "java",
    "c",
    "cpp",
    "ruby",
    "shellscript",
    "markdown",
)


def _staircase(size: int) -> str:
    """Return nested ``if`` statements, each indented by one more column."""
    return "".join(" " * column + "if a:\n" for column in range(int((2 * size) ** 0.5)))


def _noise(size: int) -> str:
    """Return characters of all kinds."""
    chosen = random.Random(size)  # noqa: S311 - nothing secret
    return "".join(chr(chosen.randrange(1, 256)) for _ in range(size))


def _row(piece: str, end: str = "") -> Callable[[int], str]:
    return lambda size: piece * (size // len(piece)) + end


TEXTS: Mapping[str, Callable[[int], str]] = {
    "(": _row("("),
    "[": _row("["),
    "{": _row("{"),
    ")": _row(")"),
    "()": lambda size: "(" * (size // 2) + ")" * (size // 2),
    "f(": _row("f("),
    "+": _row("+"),
    ";": _row(";"),
    "a+": _row("a+", "a"),
    "a.": _row("a.", "a"),
    "a<": _row("a<"),
    "-": _row("- ", "a"),
    "not": _row("not ", "a"),
    "lambda": _row("lambda:", "a"),
    "=>": _row("a=>", "a"),
    "1,": lambda size: "x = [" + "1," * (size // 2) + "]",
    "a backslash and a line feed": _row('"\\\n'),
    "escaped marks": _row('\\"'),
    "open strings": _row('"\n'),
    "open f-strings": _row('f"{'),
    "open templates": _row("`${"),
    "open comments": _row("/*"),
    "ends of comments": _row("int f(){}\n*/\n"),
    "conflict marks": _row("<<<<<<< a\n"),
    "functions in one line": _row("int f(){} "),
    "prototypes in one line": _row("int f();"),
    "functions": _row("def f():0\n"),
    "arrows in one statement": lambda size: "const " + "a = () => 1, " * (size // 13) + "b = 1",
    "ifs": _row("if(a)"),
    "else if": _row("if(a){}else "),
    "a staircase": _staircase,
    "white space": _row(" ", "x"),
    "white space behind a require": lambda size: 'const a = require("a")' + " " * size + "x",
    "white space in an import": lambda size: "import {" + " " * size + '} from "a"',
    "imports that begin": _row("import a "),
    "constants that begin": _row("const a "),
    "exports that begin": _row("export {\n"),
    "modules that begin": _row("pub(\n"),
    "words": _row("word "),
    "one word": _row("x"),
    "bytes": _noise,
    "attributes": _row("#[a]\n", "fn f(){}"),
    "decorators": _row("@a\n", "def f(): pass"),
    "comments": _row("# a\n", "def f(): pass"),
    "templates": _row("template<class T> ", "void f(){}"),
    "classes": _row("class A{"),
    "objects": _row("{a:"),
    "tags": _row("<a>"),
    "carriage returns": _row("\r"),
    "nulls of a width": _row("\u200b"),
    "guards": lambda size: "#ifndef A\n#define A\n" + "int a;\n" * (size // 7) + "#endif\n",
}
"""Generators by name; each returns a text of roughly the given number of characters."""
