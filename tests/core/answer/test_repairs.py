"""Signs that came in on a reply's way go; string literals and comments stay as they are."""

# ruff: noqa: RUF001 - the quotation marks are what is tested
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import EXAMPLES
from work import lines as lines_run

from tuppence.core.answer.repairs import repaired
from tuppence.core.syntax.languages import language
from tuppence.core.text.document import Document, Span


def run(reply: str, around: str = "«x = 1»\n", language_id: str = "python") -> tuple[str, tuple[str, ...]]:
    """Repair a reply for the place between the marks « and »."""
    start, end = around.index("«"), around.index("»") - 1
    document = Document("", language_id, 1, around.replace("«", "").replace("»", ""))
    lines, names = repaired(reply.split("\n"), document, Span(start, end), language(language_id))
    return "\n".join(lines), names


def stays(reply: str, around: str = "«x = 1»\n", language_id: str = "python") -> None:
    assert run(reply, around, language_id) == (reply, ())


def test_a_byte_order_mark() -> None:
    for mark in ("\ufeff", "\u200b", "\ufeff\u200b"):
        assert run(f"{mark}x = 2") == ("x = 2", ("byte order mark",))
    stays("x = '\ufeff'")
    stays("\ufeffx = 2", "«\ufeffx = 1»\n")
    assert run("\ufeffx", "«a»\n", "markdown") == ("x", ("byte order mark",))


def test_non_breaking_spaces() -> None:
    assert run("if x:\n\u00a0\u00a0\u00a0\u00a0y = 2") == ("if x:\n    y = 2", ("spaces",))
    assert run("if x:\n  \u00a0\u202fy = 2") == ("if x:\n    y = 2", ("spaces",))
    stays('x = """\n\u00a0\u00a0a\n"""')
    stays("x = '\u00a0'  #\u00a0a")
    stays("/*\n\u00a0* a\n */", "«x;»\n", "c")
    stays("\u00a0\u00a0x = 2", "if a:\n«\u00a0x = 1»\n")
    stays("\u00a0\u00a0a", "«a»\n", "markdown")
    mixed = 'if x:\n\u00a0\u00a0y = """\n\u00a0a"""'
    assert run(mixed) == ('if x:\n  y = """\n\u00a0a"""', ("spaces",))


@pytest.mark.parametrize(
    ("language_id", "reply", "expected"),
    [
        ("python", "if a &lt; b and c &gt;= d:\n    e()", "if a < b and c >= d:\n    e()"),
        ("python", "print(&quot;a &amp; b&quot;, &#39;c&#39;)", "print(\"a & b\", 'c')"),
        ("python", "print(f&quot;a &lt; b&quot;)", 'print(f"a < b")'),
        ("python", "def f(a) -&gt; int:\n    return a &lt;&lt; 1", "def f(a) -> int:\n    return a << 1"),
        ("python", "def f():\n&nbsp;&nbsp;&nbsp;&nbsp;return 1", "def f():\n    return 1"),
        ("python", "x = a &#x26; b &#60; c", "x = a & b < c"),
        ("python", "x = a &lt; b  # c &lt; d", "x = a < b  # c < d"),
        ("python", "# a &lt; b", "# a < b"),
        ("rust", "// a &lt; b", "// a < b"),
        ("c", "#include &lt;a.h&gt;\nint f(int *a) { return a &amp;&amp; *a; }", None),
        ("typescript", "const f = (a: Map&lt;string, A&gt;) =&gt; a.b &amp;&amp; a.c;", None),
        ("java", "List&lt;String&gt; a = new ArrayList&lt;&gt;();", None),
        ("csharp", "var a = new List&lt;string&gt;();", None),
        ("python", "x = a &amp;lt; b", "x = a &lt; b"),
    ],
)
def test_html_entities(language_id: str, reply: str, expected: str | None) -> None:
    if expected is None:
        expected = reply.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    around = "«x = 1;»\n" if language_id != "python" else "«x = 1»\n"
    if reply.endswith("&lt; b") and "amp" in reply:
        assert run(reply, around, language_id) in ((expected, ("HTML entities",)), (reply, ()))
    else:
        assert run(reply, around, language_id) == (expected, ("HTML entities",))


@pytest.mark.parametrize(
    ("language_id", "reply"),
    [
        ("python", 'def escape(s):\n    return s.replace("<", "&lt;").replace("&", "&amp;")'),
        ("rust", "/// a &lt; b"),
        ("java", "/** a &lt; b */"),
        ("python", '"""a &lt; b"""'),
        ("python", 'if a &lt; b:\n    c = "d &lt; e"'),
        ("tsx", "const a = <p>b &lt; c&nbsp;d</p>;"),
        ("tsx", 'const a = <p title="b &amp; c">d</p>;'),
        ("javascript", "const a = `b &amp; c`;"),
        ("javascript", "const a = /b&amp;c/;"),
        ("c", "int *p = &lt;"),
        ("c", "int *p = &lt; int *q = &gt;"),
        ("markdown", "a &lt; b"),
        ("html", "<p>a &lt; b</p>"),
        ("shellscript", "cat <<EOF\na &lt; b\nEOF"),
        ("python", "x = a && b"),
    ],
)
def test_entities_that_may_be_meant_stay(language_id: str, reply: str) -> None:
    stays(reply, "«x = 1;»\n" if language_id != "python" else "«x = 1»\n", language_id)


def test_an_entity_that_the_document_has_stays() -> None:
    stays("# a &lt; b", "y = unescape_html(z)\n«x = 1»\n")
    stays("if a &lt; b:\n    c()", "y = '&lt;'\n«x = 1»\n")
    assert run("if a &lt; b:\n    c = &quot;d&quot;", "y = '&amp;'\n«x = 1»\n")[1] == ("HTML entities",)


def test_a_string_of_the_document_was_escaped_with_the_rest() -> None:
    around = "«if a > b:\n    c = 'd < e & f'»\n"
    assert run("if a &lt; b:\n    c = 'd &lt; e &amp; f'", around) == (
        "if a < b:\n    c = 'd < e & f'",
        ("HTML entities",),
    )
    stays("if a &lt; b:\n    c = 'd &lt; g &amp; f'", around)
    assert run("if a &lt; b:\n    g('d &lt; e &amp; f')", around)[0] == "if a < b:\n    g('d < e & f')"


@pytest.mark.parametrize(
    ("language_id", "reply", "expected"),
    [
        ("python", "print(“abc”)", 'print("abc")'),
        ("python", "print(‘abc’, “def”)", "print('abc', \"def\")"),
        ("python", "x = f“a{b}”", 'x = f"a{b}"'),
        ("python", "x = „abc“", 'x = "abc"'),
        ("python", "x = ”abc”", 'x = "abc"'),
        ("javascript", "import a from ‘a’;\nb(“c”);", "import a from 'a';\nb(\"c\");"),
        ("c", 'puts(“a”); puts("b “c” d");', 'puts("a"); puts("b “c” d");'),
        ("csharp", "var a = “b”;", 'var a = "b";'),
    ],
)
def test_quotation_marks(language_id: str, reply: str, expected: str) -> None:
    around = "«x = 1»\n" if language_id == "python" else "«x = 1;»\n"
    assert run(reply, around, language_id) == (expected, ("quotation marks",))


@pytest.mark.parametrize(
    ("language_id", "reply"),
    [
        ("python", 'x = "he said “hi”"'),
        ("python", 'x = """\n“a”\n"""'),
        ("python", "x = 1  # “a” and don’t and can’t"),
        ("python", 'x = “say "a"”'),
        ("python", "x = “a"),
        ("python", "x = “a\nb”"),
        ("python", "x = “a\\”"),
        ("javascript", "const a = `“b”`;"),
        ("tsx", "const a = <p>“b”</p>;"),
        ("cpp", 'auto a = "b “c” d" + x'),
        ("markdown", "“a”"),
        ("shellscript", "cat <<EOF\n“a”\nEOF"),
        ("swift", 'let a = """\n“b”\n"""'),
        ("csharp", "// “b”"),
    ],
)
def test_quotation_marks_that_may_be_text_stay(language_id: str, reply: str) -> None:
    stays(reply, "«x = 1»\n" if language_id == "python" else "«x = 1;»\n", language_id)


@pytest.mark.parametrize("mark", ["'", "", "’", '"', "`", "//", "/*"])
@pytest.mark.parametrize("language_id", ["cpp", "c", "java", "javascript", "go", "rust", "kotlin"])
def test_no_mark_misleads_into_a_string(language_id: str, mark: str) -> None:
    result, _ = run(f'f(“don{mark}t” + "b “c” d");', "«x = 1;»\n", language_id)
    assert '"b “c” d"' in result


def test_several_repairs_at_once() -> None:
    assert run("\ufeffif a &lt; b:\n\u00a0\u00a0c = “d”") == (
        'if a < b:\n  c = "d"',
        ("byte order mark", "spaces", "HTML entities", "quotation marks"),
    )


PIECES = st.sampled_from(
    [
        "x = ",
        '"',
        "'",
        "“",
        "”",
        "‘",
        "’",
        "&lt;",
        "&quot;",
        "&#39;",
        "&amp;",
        " a",
        " + ",
        "\n",
        "# ",
        '"""',
        "\u00a0",
        "(",
        ")",
    ]
)


@settings(max_examples=EXAMPLES or 400, deadline=None)
@given(st.lists(PIECES, max_size=14), st.sampled_from(["python", "cpp", "javascript", "kotlin"]))
def test_a_repair_is_made_once_and_a_sound_reply_never(pieces: list[str], language_id: str) -> None:
    import ast

    reply = "".join(pieces)
    result, names = run(reply, "«x»\n", language_id)
    assert (result == reply) == (not names)
    if language_id == "python" and "\u00a0" not in reply and "&" not in reply:
        try:
            ast.parse(reply)
        except (SyntaxError, ValueError):
            return
        assert result == reply


@pytest.mark.parametrize("text", ["&", "&lt;", "“", "“a", "‘", '"', "\u00a0", "\\", "&#", "&lt;“\u00a0"])
def test_a_long_line_costs_no_square(text: str) -> None:
    def cost(count: int) -> int:
        reply = text * (count // len(text))
        return lines_run(lambda: run(reply))[1]

    assert cost(16384) < 2.5 * cost(8192)
