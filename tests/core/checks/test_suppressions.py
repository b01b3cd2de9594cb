"""One rule says whether a new suppression is right, for the signs of slop and for the check before the linter."""

from __future__ import annotations

import pytest

from tuppence.core.checks.diagnostic_diff import silenced
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.hunks import Hunk
from tuppence.core.checks.slop import Evidence, judge
from tuppence.core.checks.suppressions import new_silences, swallowing
from tuppence.core.syntax.languages import language
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Edit, Span

CODE = 'import yaml\nimport os\n\n\ndef f(x):\n    return yaml.load(\n        x,\n        "a # b",\n    )\n'
STUBS = (
    "import yaml",
    'Skipping analyzing "yaml": module is installed, but missing library stubs or py.typed marker',
    "import-untyped",
)


def about(before: str, said: tuple[str, str, str]) -> Diagnostic:
    at, message, code = said
    return Diagnostic(Span(before.index(at), before.index(at) + len(at)), message, "error", "tool", code)


def outcome(before: str, after: str, said: tuple[str, str, str], lang: str = "python") -> str:
    """Return ``""`` for nothing new, ``doubt`` for an acceptable suppression, ``refused`` for another."""
    document, told = Document("file:///a", lang, 1, before), (about(before, said),)
    found = new_silences(document, after, language(lang), told)
    refused = silenced(document, after, told)
    whole = Span(0, len(before))
    slop = judge(EditedText(document, (Edit(whole, after),)), whole, Evidence(told))
    signs = [sign for sign in slop.signs if sign.what.startswith("silences")]
    assert bool(signs) == bool(found), "the signs of slop and the check of the texts follow one rule"
    assert bool(refused) == any("as the diagnostic asks" not in sign.what for sign in signs)
    assert not (signs and not refused and slop.is_too_much)
    return "refused" if refused else "doubt" if found else ""


@pytest.mark.parametrize(
    ("new", "said", "expected"),
    [
        ("import yaml  # type: ignore[import-untyped]", STUBS, "doubt"),
        ("import yaml  # type: ignore[import-untyped]  # no stubs are published", STUBS, "doubt"),
        ("import yaml  # pyright: ignore[reportMissingModuleSource]",
         ("yaml", 'Import "yaml" could not be resolved from source', "reportMissingModuleSource"), "doubt"),
        ("import yaml  # pyright: ignore[reportMissingTypeStubs]",
         ("yaml", 'Stub file not found for "yaml"', "reportMissingTypeStubs"), "doubt"),
        ("import yaml  # type: ignore[import-untyped]",
         ("import yaml", 'Library stubs not installed for "yaml"  [import-untyped]', ""), "doubt"),
        ("import yaml  # type: ignore", STUBS, "refused"),
        ("import yaml  # noqa", STUBS, "refused"),
        ("import yaml  # noqa: F401", STUBS, "refused"),
        ("import yaml  # type: ignore[import-untyped, attr-defined]", STUBS, "refused"),
        ("import yaml  # type: ignore[import-not-found]",
         ("yaml", 'Cannot find implementation or library stub for module named "yaml"', "import-not-found"), "refused"),
        ("# mypy: ignore-errors\nimport yaml", STUBS, "refused"),
        ("import yaml  # noqa: E402", ("yaml", "Module level import not at top of file", "E402"), "refused"),
        ("import yaml  # noqa: E402", ("yaml", "Import is late on purpose? Add `# noqa: E402`", "E402"), "doubt"),
        ("import yaml  # noqa: E402", ("yaml", "Unused `# noqa: E402`", "E402"), "refused"),
        ("import yaml  # noqa: F401", ("yaml", "`yaml` imported but unused", "F401"), "refused"),
    ],
)  # fmt: skip
def test_what_may_be_the_right_answer(new: str, said: tuple[str, str, str], expected: str) -> None:
    assert outcome(CODE, CODE.replace("import yaml", new, 1), said) == expected


def test_the_right_comment_on_another_line_is_refused() -> None:
    after = CODE.replace("import os", "import os  # type: ignore[import-untyped]")
    assert outcome(CODE, after, STUBS) == "refused"


def test_a_call_of_an_untyped_function_is_no_import() -> None:
    said = ("yaml.load", "Call to untyped function with missing library stubs", "no-untyped-call")
    after = CODE.replace("yaml.load(", "yaml.load(  # type: ignore[no-untyped-call]")
    assert outcome(CODE, after, said) == "refused"


@pytest.mark.parametrize(
    "new",
    ['"a # noqa"', '"a # type: ignore"', "'// @ts-ignore'", '"""a\n# noqa\n"""', "'eslint-disable-next-line'"],
)
def test_words_in_a_string_silence_nothing(new: str) -> None:
    assert outcome(CODE, CODE.replace('"a # b"', new), ("x,", "wrong", "X1")) == ""


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("typescript", "const a = '// @ts-ignore';"),
        ("typescript", "const a = `\n// eslint-disable-next-line\n`;"),
        ("go", "var a = `\n//nolint\n`"),
        ("rust", 'const A: &str = "#[allow(dead_code)]";'),
        ("java", 'String a = "@SuppressWarnings";'),
        ("ruby", 'a = "# rubocop:disable all"'),
    ],
)
def test_words_in_a_string_of_another_language_silence_nothing(lang: str, line: str) -> None:
    assert outcome("x\n", f"{line}\n", ("x", "wrong", "X1"), lang) == ""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("x = f()  # noqa: E501\n", "x = f()\n", ""),  # It is taken away.
        ("x = f()  # type: ignore\n", "x = f()  # type: ignore[attr-defined]\n", ""),  # It is narrower.
        ("x = f()  # type: ignore[a, b]\n", "x = f()  # type: ignore[a]\n", ""),
        ("x = f()  # type: ignore[a]\n", "x = f()  # type: ignore[a, b]\n", "refused"),
        ("x = f()  # type: ignore[a]\n", "x = f()  # type: ignore\n", "refused"),
        ("x = f()  # noqa: E501\n", "x = g()  # noqa: E501\n", ""),  # Its line was rewritten.
        ("x = f()  # noqa: E501\n", "x = f()  # noqa: E501 - the table is wide\n", ""),
        ("x = f()\ny = 1  # noqa\n", "x = f()  # noqa\ny = 1\n", "refused"),  # It was another line's.
        ("x = f(\n    1,\n)  # type: ignore[a]\n", "x = f(  # type: ignore[a]\n    1,\n)\n", "doubt"),
        ("x = f()\ny = (\n    1,\n)  # type: ignore[a]\n", "x = f()  # type: ignore[a]\ny = (\n    1,\n)\n", "refused"),
    ],
)
def test_what_was_there_before(before: str, after: str, expected: str) -> None:
    assert outcome(before, after, ("x = f(", "wrong", "X1")) == expected


@pytest.mark.parametrize(
    ("lang", "before", "after"),
    [
        ("javascript", "f()\n", "// eslint-disable-next-line no-undef\nf()\n"),
        ("javascript", "f()\n", "/* eslint-disable */\nf()\n"),
        ("typescript", "f()\n", "// @ts-expect-error it is fine\nf()\n"),
        ("go", "f()\n", "f() //nolint:errcheck\n"),
        ("rust", "fn f() {}\n", "#[allow(dead_code)]\nfn f() {}\n"),
        ("java", "int f() {}\n", '@SuppressWarnings("unused")\nint f() {}\n'),
        ("lua", "f()\n", "---@diagnostic disable-next-line: undefined-global\nf()\n"),
        ("python", "f()\n", "f()  # pylint: disable=undefined-variable\n"),
        ("python", "f()\n", "f()  # ty: ignore[unresolved-reference]\n"),
    ],
)
def test_every_tools_comment_is_seen(lang: str, before: str, after: str) -> None:
    assert outcome(before, after, ("f(", "f is not defined", "no-undef"), lang) == "refused"


def test_a_handler_that_was_there_is_no_new_one() -> None:
    handler = ("except Exception:", "    pass")
    known = language("python")
    assert list(swallowing(Hunk(0, ("f()",), handler), known)) == ["except Exception:"]
    assert list(swallowing(Hunk(0, ("except Exception:", "    f()"), handler), known)) == []
