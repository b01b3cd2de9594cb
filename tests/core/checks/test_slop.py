"""Signs of answers that are technically valid but practically useless, and code that is not such a sign."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuppence.core.checks.edited_text import EditedText
from tuppence.core.checks.slop import LIMIT, Evidence, Slop, judge
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import Packages, is_new
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Edit, Span

CODE = '''\
import json


def load(path, strict=False):
    """Read the settings."""
    limit = 30
    seen = set()
    with open(path) as file:
        text = file.read()
    data = json.loads(text)
    for row in data:
        if row["id"] in seen:
            continue
        seen.add(row["id"])
        row["age"] = min(row["age"], limit)
        if strict and not row["name"]:
            raise ValueError("a row has no name")
    total = len(data)
    print(f"{totl} rows in {path}")
    return data
'''
UNDEFINED = ("totl", "Undefined name `totl`")
RIGHT = CODE.replace("{totl}", "{total}")


def weigh(  # noqa: PLR0913 - each is a keyword with a default, and a test names the one that it is about
    after: str,
    about: Sequence[tuple[str, str]] = (UNDEFINED,),
    *,
    before: str = CODE,
    lang: str = "python",
    packages: Packages | None = None,
    code: str = "F821",
) -> Slop:
    """Judge a whole new text; ``cache_key`` are a diagnostic's place and message."""
    document = Document("file:///a", lang, 1, before)
    diagnostics = tuple(
        Diagnostic(Span(before.index(at), before.index(at) + len(at)), message, code=code) for at, message in about
    )
    whole = Span(0, len(before))
    return judge(EditedText(document, (Edit(whole, after),)), whole, Evidence(diagnostics, "", packages))


def test_a_clean_fix_weighs_nothing() -> None:
    assert weigh(RIGHT) == Slop(())
    assert weigh(RIGHT, ()) == Slop(())
    assert weigh(RIGHT).score == 0


def test_an_edit_that_rewrites_what_nobody_asked_about() -> None:
    rewritten = RIGHT
    for old, new in (
        ("    limit = 30\n", "    maximum = 30\n"),
        ("    seen = set()\n", "    known: set[str] = set()\n"),
        ("    with open(path) as file:\n        text = file.read()\n", "    content = Path(path).read_text()\n"),
        ("    data = json.loads(text)\n    for row in data:\n", "    rows = json.loads(content)\n    for r in rows:\n"),
        ('        if row["id"] in seen:\n', '        if r["id"] in known:\n'),
        ('        seen.add(row["id"])\n', '        known.add(r["id"])\n'),
        ('        row["age"] = min(row["age"], limit)\n', '        r["age"] = min(maximum, r["age"])\n'),
        ('        if strict and not row["name"]:\n', '        if not r["name"] and strict:\n'),
    ):
        assert old in rewritten
        rewritten = rewritten.replace(old, new)
    found = weigh(rewritten)
    assert found.is_too_much
    assert "lines that the request gave no reason for" in found.clauses
    assert not weigh(rewritten, ()).signs, "nobody told where the mistake was, so it may be anywhere"


def test_a_few_stray_lines_are_shown_and_kept() -> None:
    found = weigh(RIGHT.replace("limit", "limit_").replace("set()", "set([])"))
    assert found.clauses == "changes 3 lines that the request gave no reason for"
    assert 0 < found.score < LIMIT


def test_what_follows_from_the_diagnostic_was_asked_for() -> None:
    parameter = ("strict=False", "Boolean default argument `strict`")
    assert not weigh(CODE.replace("strict", "is_strict"), (parameter,)).signs
    block = ("for row in data:", "loop can be simpler")
    shorter = CODE.partition("        if row")[0] + "        check(row)\n    total" + CODE.partition("    total")[2]
    assert not weigh(shorter, (block,)).signs
    deeper = CODE.replace("    limit = 30\n", "    limit = 30\n    if True:\n").replace("\n    ", "\n        ")
    assert not weigh(deeper, (("limit", "x"),)).signs, "what is only indented deeper has not changed"


def test_constants_that_became_others() -> None:
    found = weigh(RIGHT.replace("limit = 30", "limit = 20"))
    assert found.clauses == "changes 30 to 20, which was not requested"
    assert found.score < LIMIT
    assert not weigh(CODE.replace("30", "20"), (("print", "the limit is 20"),)).clauses
    assert not weigh(CODE.replace("30", "20"), (("limit = 30", "too high"),)).signs


def test_a_model_that_became_another() -> None:
    before = 'MODEL = "claude-opus-4-7"\nx = undefind\n'
    swapped = before.replace("claude-opus-4-7", "gpt-4o").replace("undefind", "undefined")
    assert (
        weigh(swapped, (), before=before).clauses
        == "changes the model claude-opus-4-7 to gpt-4o, which was not requested"
    )
    assert weigh(swapped, (), before=before).is_too_much
    told = (("claude-opus-4-7", "claude-opus-4-7 is retired"),)
    assert not weigh(swapped, told, before=before).is_too_much
    words = 'KIND = "llamas"\nx = undefind\n'
    assert not weigh(words.replace("llamas", "gemini"), (), before=words).is_too_much


@pytest.mark.parametrize(
    ("was", "now", "swap"),
    [
        ('model="o3"', 'model="o1"', True),
        ('corner="o3"', 'corner="o1"', False),
        ('MODEL = "sonnet-4.5"', 'MODEL = "command-r-plus"', True),
        ('x = "us.anthropic.claude-sonnet-4-v1:0"', 'x = "openai/gpt-4o"', True),
        ('llm = "opus-4.7"', 'llm = "chatgpt-4o"', True),
        ('codec = "opus-48"', 'codec = "opus-96"', False),
        ('run("command-line")', 'run("command-r")', False),
    ],
)
def test_which_names_are_a_model_s(was: str, now: str, *, swap: bool) -> None:
    before = f"{was}\nx = undefind\n"
    assert weigh(f"{now}\nx = undefined\n", (), before=before).is_too_much is swap


def test_a_diagnostic_on_a_model_s_name_is_a_reason_to_change_it() -> None:
    before = 'ask(model="gpt-3.5-turbo", txt=text)\n'
    after = before.replace("gpt-3.5-turbo", "gpt-4o")
    for about in (("gpt-3.5-turbo", "Model is deprecated"), ('"gpt-3.5-turbo"', "no"), (before[:-1], "old model")):
        assert not weigh(after, (about,), before=before).is_too_much, about
    for about in (("txt", "Model is deprecated"), (before[:-1], "unexpected keyword `txt`")):
        assert weigh(after, (about,), before=before).is_too_much, about


def test_a_constant_that_changes_near_a_diagnostic_or_without_one_is_told() -> None:
    near = CODE.replace("    total =", "    most = 30\n    total =")
    told = weigh(near.replace("most = 30", "most = 20").replace("{totl}", "{total}"), before=near)
    assert told.clauses == "changes 30 to 20, which no diagnostic mentions"
    assert 0 < told.score < LIMIT / 2
    assert weigh(CODE.replace("30", "20"), ()).clauses == told.clauses
    more = near.replace("most = 30", "most = 20").replace("limit = 30", "limit = 60")
    assert weigh(more, (), before=near).clauses == "changes 30 to 60 (and 1 more), which no diagnostic mentions"
    assert weigh(more, (), before=near).score == told.score
    assert not weigh(near.replace("most = 30", "most = 20"), (("totl", "`most` is too high"),), before=near).signs
    noted = CODE.replace("limit = 30", "limit = 30  # 30 rows")
    assert not weigh(noted.replace("30 rows", "40 rows"), (), before=noted).signs


def test_what_suppresses_every_error() -> None:
    line = '    print(f"{totl} rows in {path}")\n'
    for what in ("contextlib.suppress(Exception)", "suppress(OSError, BaseException)"):
        wrapped = CODE.replace(line, f"    with {what}:\n    {line}")
        assert weigh(wrapped).clauses == f"swallows every error (“with {what}:”)"
        assert weigh(wrapped).is_too_much
    assert not weigh(CODE.replace(line, f"    with suppress(KeyError):\n    {line}")).signs
    assert not weigh(CODE.replace(line, f"    # not with suppress(Exception)\n{line}")).is_too_much


def tried(handler: str) -> str:
    """Return the code with its faulty line under this handler."""
    opened = CODE.replace("    print(", "    try:\n        print(")
    return opened.replace("    return data", f"    {handler}\n    return data")


@pytest.mark.parametrize(
    "handler",
    ["except Exception:\n        pass", "except:\n        return None", "except (OSError, Exception) as e: return []"],
)
def test_handlers_that_swallow_everything(handler: str) -> None:
    wrapped = tried(handler)
    assert weigh(wrapped).clauses.startswith("swallows every error (“except")
    assert weigh(wrapped).is_too_much, "it does nothing else"
    mixed = weigh(wrapped.replace("{totl}", "{total}"))
    assert mixed.signs
    assert not mixed.is_too_much
    assert not weigh(wrapped, (("print", "Do not catch blind exception"),)).signs


@pytest.mark.parametrize(
    "handler",
    [
        "except KeyError:\n        pass",
        "except Exception:\n        log.exception('no')\n        raise",
        "except Exception as error:\n        raise Problem from error",
        "except Exception as error:\n        report(error)",
    ],
)
def test_handlers_that_do_not(handler: str) -> None:
    wrapped = tried(handler)
    assert not [sign for sign in weigh(wrapped).signs if "swallows" in sign.what]


def test_empty_catches() -> None:
    before = "function f() {\n  g(x);\n}\n"
    for catch in ("} catch (e) {\n  }\n", "} catch {}\n"):
        after = before.replace("  g(x);\n", f"  try {{\n  g(x);\n  {catch}")
        assert weigh(after, (("x", "'x' is not defined"),), before=before, lang="javascript").is_too_much
    after = before.replace("  g(x);\n", "  try {\n  g(x);\n  } catch (e) {\n    report(e);\n  }\n")
    assert not weigh(after, (("x", "'x' is not defined"),), before=before, lang="javascript").signs


def test_comments_that_silence_the_tool() -> None:
    line = '    print(f"{totl} rows in {path}")'
    for general in ("# noqa", "# type: ignore"):
        assert weigh(CODE.replace(line, f"{line}  {general}")).is_too_much
    named = weigh(CODE.replace(line, f"{line}  # noqa: F821"))
    assert named.clauses == "silences the tool (“# noqa: F821”)"
    assert not named.is_too_much
    there = CODE.replace(line, f"{line}  # noqa")
    assert not weigh(CODE, (("print", "Unused `noqa` directive"),), before=there).signs, "it is only taken away"
    before = "const a: number = f();\n"
    after = f"// @ts-ignore\n{before}"
    assert weigh(after, (("f()", "no overload"),), before=before, lang="typescript").is_too_much


def test_comments_that_say_nothing() -> None:
    said = {
        '    # Print the rows in path\n    print(f"{total} rows in {path}")': True,
        '    print(f"{total} rows in {path}")  # print rows': True,
        '    # Fixed: the name was wrong\n    print(f"{total} rows in {path}")': True,
        '    # The caller redirects this to a log.\n    print(f"{total} rows in {path}")': False,
        '    # rows\n    print(f"{total} rows in {path}")': False,
    }
    for lines, idle in said.items():
        found = weigh(CODE.replace('    print(f"{totl} rows in {path}")', lines))
        assert [sign.what.startswith("adds a comment that says nothing") for sign in found.signs] == [True] * idle, (
            lines
        )
        assert not found.is_too_much


def test_packages_that_the_project_does_not_have() -> None:
    here = Packages(frozenset({"requests", "pyyaml"}), complete=True)
    path = ("path", "use a faster reader")
    with_pandas = f"import pandas as pd\n{RIGHT}"
    found = weigh(with_pandas, (path,), packages=here)
    assert found.clauses == "needs pandas, which the project does not have"
    assert found.is_too_much
    assert not weigh(with_pandas, (path,), packages=Packages()).is_too_much, "no manifest says what the project has"
    assert not weigh(with_pandas, (path,)).signs, "nobody looked"
    assert not weigh(f"import pathlib\nimport yaml\nimport requests.adapters\n{RIGHT}", (path,), packages=here).signs
    before = CODE.replace("json.loads", "pd.loads")
    assert not weigh(
        f"import pandas as pd\n{before}", (("pd", "Undefined name `pd`"),), before=before, packages=here
    ).signs


@pytest.mark.parametrize(
    ("module", "lang", "new"),
    [
        ("os.path", "python", False),
        (".sibling", "python", False),
        ("yaml", "python", False),
        ("numpy.linalg", "python", True),
        ("./x", "typescript", False),
        ("node:fs", "typescript", False),
        ("fs/promises", "typescript", False),
        ("lodash/merge", "typescript", True),
        ("@scope/kit/part", "typescript", True),
        ("@scope/had", "typescript", False),
        ("net/http", "go", False),
        ("github.com/a/b", "go", True),
        ("std::collections", "rust", False),
        ("crate::inner", "rust", False),
        ("serde::de", "rust", True),
        ("java.util", "java", False),
        ("org.apache.x", "java", False),
        ("<vector>", "cpp", False),
    ],
)
def test_which_modules_are_new(module: str, lang: str, *, new: bool) -> None:
    here = Packages(frozenset({"pyyaml", "@scope/had"}), complete=True)
    assert is_new(module, language(lang), here) is new


def test_code_that_was_taken_away() -> None:
    gutted = CODE.partition("    limit")[0] + "    return None\n"
    for about in ((UNDEFINED,), ()):
        assert "empties `load`" in weigh(gutted, about).clauses
        assert weigh(gutted, about).is_too_much
    assert "empties" not in weigh(gutted, (("load", "`load` is never used"),)).clauses


def test_a_package_that_is_imported_inside_a_function() -> None:
    has = Packages(frozenset({"json"}), complete=True)
    inner = RIGHT.replace("    limit = 30\n", "    import fastload\n    limit = fastload.LIMIT\n")
    assert weigh(inner, packages=has).clauses.startswith("needs fastload, which the project does not have")
    assert not weigh(inner.replace("fastload", "math"), packages=has).signs
    careful = RIGHT.replace(
        "    limit = 30\n",
        "    limit = 30\n    try:\n        import fastload\n    except ImportError:\n        fastload = None\n",
    )
    assert "needs" not in weigh(careful, packages=has).clauses


def test_the_heaviest_sign_is_told_first() -> None:
    wrapped = tried("except Exception:\n        pass").replace("limit = 30", "limit = 20")
    found = weigh(wrapped)
    assert [sign.weight for sign in found.signs] == sorted((sign.weight for sign in found.signs), reverse=True)
    assert found.signs[0].what.startswith("swallows every error")
    assert found.signs[-1].what.startswith("changes 30 to 20")


def test_a_literal_that_changes_along_with_its_line_is_no_swapped_constant() -> None:
    assert "changes 30" not in weigh(RIGHT.replace("limit = 30", "highest = least + 20")).clauses
    assert not weigh(RIGHT.replace('row["name"]', "row['name']")).signs, "other quotation marks mean the same"
    long = CODE.replace("limit = 30", 'limit = "a text that is much longer than what is shown"')
    swapped = weigh(long.replace("{totl}", "{total}").replace("much longer", "a lot longer"), before=long)
    assert swapped.clauses.startswith('changes "a text that is much longer th… to "a text that is a lot longer t…,')


def test_a_model_that_only_goes_is_not_one_that_became_another() -> None:
    before = 'MODEL = "claude-opus-4-7"\nx = undefind\n'
    assert not weigh(before.replace('"claude-opus-4-7"', "choose()"), (), before=before).signs


def test_a_handler_beside_a_real_change_does_not_fail_an_answer_alone() -> None:
    wrapped = tried("except Exception:\n        pass")
    both = weigh(wrapped.replace("    total = len(data)", "    totl = len(data)"))
    assert both.clauses.startswith("swallows every error")
    assert not both.is_too_much


def test_a_silence_beside_a_real_change_does_not_fail_an_answer_alone() -> None:
    line = '    print(f"{total} rows in {path}")'
    found = weigh(RIGHT.replace(line, f"{line}  # noqa"))
    assert found.clauses == "silences the tool (“# noqa”)"
    assert not found.is_too_much


def test_comments_that_say_nothing_are_told_once() -> None:
    line = '    print(f"{total} rows in {path}")'
    found = weigh(RIGHT.replace(line, f"    # Print the rows in path\n{line}  # the path of rows"))
    assert found.clauses == "adds a comment that says nothing (“Print the rows in path” and 1 more)"
    one = weigh(RIGHT.replace(line, f"    # Print the rows in path\n{line}"))
    assert one.clauses == "adds a comment that says nothing (“Print the rows in path”)"
    assert one.score < found.score
    kept = CODE.replace('in {path}")', 'in {path}")  # the path of rows')
    assert not weigh(kept.replace("{totl}", "{total}"), before=kept).signs, "it was there before"


def test_a_comment_that_opens_a_body_does_not_empty_the_handler() -> None:
    assert weigh(tried("except Exception:  # whatever it is\n        pass")).is_too_much
    assert weigh(tried("except Exception:\n        # whatever it is\n        pass")).is_too_much
    assert not weigh(tried("except Exception:  # whatever it is\n        report(path)")).is_too_much
    assert not weigh(tried("except Exception:\n        report(path)\n        return None")).is_too_much


def test_a_package_that_is_imported_already_is_no_news() -> None:
    here = Packages(frozenset(), complete=True)
    before = f"import pandas as pd\n{CODE}"
    after = f"import pandas as pd\nimport pandas\n{RIGHT}"
    assert not weigh(after, before=before, packages=here).signs
    used = CODE.replace("json.loads", "pandas.io.loads")
    missing = (("pandas", "Undefined name"),)
    assert not weigh(f"import pandas.io\n{used}", missing, before=used, packages=here).signs


def test_only_imports_are_free_where_nobody_asked() -> None:
    assert not weigh(RIGHT.replace("import json\n", "import json\nimport math\nimport os\nimport re\n")).signs
    more = RIGHT.replace("import json\n", "import json\nimport math\nFIRST = 1\nSECOND = 2\n")
    assert weigh(more).clauses == "changes 3 lines that the request gave no reason for"


def test_code_that_is_there_and_not_run_any_more() -> None:
    early = CODE.replace("    limit = 30\n", "    return None\n    limit = 30\n")
    assert weigh(early).clauses == "puts code where it is never reached"
    assert weigh(early).is_too_much
    line = '    print(f"{totl} rows in {path}")\n'
    out = CODE.replace(line, f"    # {line.strip()}\n")
    assert weigh(out).clauses.startswith("comments code out (“print(")
    assert weigh(out).is_too_much, "it does nothing else"
    assert not weigh(out.replace("limit = 30", "limit = 31")).is_too_much
    assert not weigh(out, (("totl", "`totl` is unused"),)).signs


def test_handlers_that_catch_everything_and_say_so_are_a_doubt() -> None:
    told = tried("except Exception as error:\n        print(error)")
    assert weigh(told).clauses == "catches every error (“except Exception as error:”)"
    assert not weigh(told).is_too_much
    assert not weigh(tried("except Exception as error:\n        raise Problem from error")).signs


def test_checks_that_were_taken_away_without_a_reason() -> None:
    check = '        if strict and not row["name"]:\n            raise ValueError("a row has no name")\n'
    before = CODE.replace("    data = json", "    assert text\n    data = json")
    assert weigh(before.replace("    assert text\n", "").replace("totl", "total"), before=before).clauses == (
        "removes a check (“assert text”)"
    )
    assert not weigh(CODE.replace(check, ""), ()).signs, "nobody told where the mistake was"


@pytest.mark.parametrize(
    ("used", "new", "sign"),
    [
        ("load(1)", "", "removes `load`, which the file uses"),
        ("1", "limit = 1\n", "replaces `load` by other code and no longer defines it"),
        ("1", "def load(path, strict=False):\n    pass\n", "empties `load`"),
        ("load(1)", CODE.partition("\n\n\n")[2], ""),
    ],
)
def test_a_definition_that_is_gone_is_too_much(used: str, new: str, sign: str) -> None:
    before = f"{CODE}\n\ndef main():\n    return {used}\n"
    target = Span(before.index("def load"), len(CODE))
    document = Document("file:///a", "python", 1, before)
    slop = judge(EditedText(document, (Edit(target, new),)), target, Evidence(()))
    assert slop.is_too_much is bool(sign)
    assert [each.what for each in slop.signs if "`load`" in each.what] == ([sign] if sign else [])


def test_a_package_of_go_is_called_by_its_last_part_without_its_version() -> None:
    before = 'package p\n\nimport "fmt"\n\nfunc f() {\n\tfmt.Println(yaml.A, chi.B)\n}\n'
    new = before.replace('import "fmt"', 'import (\n\t"fmt"\n\n\t"{}"\n)')
    known = Packages(frozenset({"fmt"}), complete=True)
    for module, asked in (
        ("gopkg.in/yaml.v3", True),
        ("github.com/go-chi/chi/v5", True),
        ("github.com/x/other/v5", False),
    ):
        signs = weigh(new.replace("{}", module), (), before=before, lang="go", packages=known).signs
        assert any("which the project does not have" in each.what for each in signs) is not asked, module
