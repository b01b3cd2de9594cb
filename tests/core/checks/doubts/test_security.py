"""Code that becomes less secure is a doubt in every language; a mention in a comment or a string is not."""

from __future__ import annotations

import pytest

from tuppence.core.checks.doubts.security import security_doubts
from tuppence.core.syntax.code_lines import code_lines
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Span


def doubts(old: str, new: str, lang: str) -> tuple[str, ...]:
    """Return the doubts about a new text in place of an old one."""
    row = language(lang)
    before, after = (code_lines(parse(text, row), Span(0, len(text))) for text in (old, new))
    return security_doubts(before, after, row.id)


RISKY = [
    ("python", "r = requests.get(url, verify=False)", "certificate"),
    ("python", "ctx = ssl._create_unverified_context()", "certificate"),
    ("typescript", "const a = new https.Agent({ rejectUnauthorized: false });", "certificate"),
    ("go", "var c = tls.Config{InsecureSkipVerify: true}", "certificate"),
    ("rust", "fn f() { b.danger_accept_invalid_certs(true); }", "certificate"),
    ("java", "class A { Object m = new X509TrustManager() { }; }", "certificate"),
    ("java", "class A { void f() { c.setHostnameVerifier(NoopHostnameVerifier.INSTANCE); } }", "certificate"),
    ("java", "class A { void f() { c.setHostnameVerifier((host, session) -> true); } }", "certificate"),
    ("cpp", "void f() { curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L); }", "certificate"),
    ("python", "x = eval(text)", "as code"),
    ("typescript", "const x = eval(text);", "as code"),
    ("typescript", 'const f = new Function("a", body);', "as code"),
    ("python", "subprocess.run(cmd, shell=True)", "shell"),
    ("python", "os.system(cmd)", "shell"),
    ("typescript", "child_process.exec(cmd);", "shell"),
    ("go", 'var c = exec.Command("sh", "-c", cmd)', "shell"),
    ("rust", 'fn f() { Command::new("sh").arg("-c"); }', "shell"),
    ("java", "class A { void f() { Runtime.getRuntime().exec(cmd); } }", "shell"),
    ("cpp", "void f() { system(cmd); }", "shell"),
    ("c", 'void f() { popen(cmd, "r"); }', "shell"),
    ("python", "x = pickle.loads(data)", "format that can run code"),
    ("python", "x = yaml.load(data)", "format that can run code"),
    ("java", "class A { Object o = new ObjectInputStream(in); }", "format that can run code"),
    ("python", 'password = "hunter2hunter2"', "secret"),
    ("typescript", 'const apiKey = "q8r7t6y5u4i3";', "secret"),
    ("go", 'var dbPassword = "s3cr3t-enough"', "secret"),
    ("java", 'class A { String secretKey = "abcdefgh1234"; }', "secret"),
    ("rust", 'fn f() { let token: &str = "ghp_0123456789012345678901234567890123456"; }', "secret"),
    ("python", 'c.execute(f"SELECT * FROM users WHERE name = {name}")', "SQL"),
    ("python", "c.execute(\"SELECT * FROM users WHERE name = '%s'\" % name)", "SQL"),
    ("typescript", "db.query(`SELECT * FROM users WHERE name = ${name}`);", "SQL"),
    ("go", 'var q = fmt.Sprintf("SELECT * FROM users WHERE name = %s", name)', "SQL"),
    ("rust", 'fn f() { let q = format!("DELETE FROM users WHERE name = {}", name); }', "SQL"),
    ("java", 'class A { String q = "SELECT * FROM users WHERE name = " + name; }', "SQL"),
    ("cpp", 'auto q = "SELECT * FROM users WHERE name = " + name;', "SQL"),
    ("python", "h = hashlib.md5(data)", "weak hash"),
    ("typescript", 'const h = crypto.createHash("md5");', "weak hash"),
    ("go", "var h = md5.New()", "weak hash"),
    ("java", 'class A { Object h = MessageDigest.getInstance("MD5"); }', "weak hash"),
    ("python", "os.chmod(path, 0o777)", "every user"),
    ("go", "var e = os.Chmod(path, 0777)", "every user"),
    ("cpp", "void f() { chmod(path, 0777); }", "every user"),
]


@pytest.mark.parametrize(("lang", "code", "word"), RISKY)
def test_new_risks_are_doubts_and_old_ones_are_none(lang: str, code: str, word: str) -> None:
    mark = language(lang).line_comment
    head = f"{mark} a file\n"
    found = doubts(head, f"{head}{code}\n", lang)
    assert len(found) == 1
    assert word in found[0]
    assert not doubts(f"{head}{code}\n", f"{head}{code}\n", lang), "it was there before"
    assert not doubts(head, f"{head}{mark} {code}\n", lang), "a mention in a comment"


def test_a_risk_named_in_a_text_is_none() -> None:
    for text in ("eval(", "verify=False", "os.system(x)", "pickle.loads(x)", "hashlib.md5(x)"):
        assert not doubts("x = 1\n", f"x = 'never call {text} here'\n", "python"), text


@pytest.mark.parametrize(
    ("lang", "code"),
    [
        ("python", "model.eval()"),
        ("python", "x = ast.literal_eval(text)"),
        ("typescript", "const m = /a/.exec(text);"),
        ("go", 'var c = exec.Command("git", "status")'),
        ("python", "x = yaml.load(data, Loader=yaml.SafeLoader)"),
        ("python", "password = os.environ['DB_PASSWORD']"),
        ("python", "c.execute('SELECT * FROM users WHERE name = ?', (name,))"),
        ("python", "os.chmod(path, 0o600)"),
        ("python", "x = random.choice(items)"),
        ("python", "r = requests.get(url, verify=True)"),
    ],
)
def test_what_only_looks_like_one_is_none(lang: str, code: str) -> None:
    assert not doubts("", f"{code}\n", lang)


def test_weak_randomness_counts_where_it_replaces_a_strong_one() -> None:
    found = doubts("t = secrets.choice(letters)\n", "t = random.choice(letters)\n", "python")
    assert found == ("uses weak randomness in place of a strong one (“t = random.choice(letters)”)",)
    assert doubts("class A { Random r = new SecureRandom(); }", "class A { Random r = new Random(); }", "java")


GUARDED = [
    ("python", "def f(user, x):\n    if not user.is_admin:\n        raise Denied\n    return x\n", 2),
    ("python", "@login_required\ndef f(x):\n    return x\n", 1),
    ("typescript", "function f(u, x) {\n  if (!u.hasPermission('w')) return null;\n  return x;\n}\n", 1),
    ("go", "func f(u User) int {\n\tif !u.IsAuthorized() {\n\t\treturn 0\n\t}\n\treturn 1\n}\n", 3),
    ("rust", "fn f(u: U) -> i32 {\n    if !u.has_role() {\n        return 0;\n    }\n    1\n}\n", 3),
    ("java", "class A { int f(U u) {\n    checkCsrfToken(u);\n    return 1;\n} }\n", 1),
    ("cpp", "int f(U u) {\n    if (!u.permitted()) return 0;\n    return 1;\n}\n", 1),
]


@pytest.mark.parametrize(("lang", "code", "lines"), GUARDED)
def test_a_check_of_access_that_is_gone_is_a_doubt(lang: str, code: str, lines: int) -> None:
    split = code.splitlines(keepends=True)
    first = 0 if split[0].startswith("@") else 1
    without = "".join([*split[:first], *split[first + lines :]])
    assert any("guards access or input" in each for each in doubts(code, without, lang))
    assert not doubts(code, code.replace("return x", "return x + 0"), lang)


def test_a_value_that_is_no_longer_escaped_is_a_doubt_and_a_renamed_check_is_none() -> None:
    old = "def f(name):\n    return page(html.escape(name))\n"
    assert doubts(old, "def f(name):\n    return page(name)\n", "python")
    assert not doubts(old, "def f(name):\n    return page(markupsafe.escape_all(name))\n", "python")


def test_the_end_of_a_very_long_line_is_not_looked_at() -> None:
    """Else the patterns with two stars in them would take the square of its length, and of many matches its cube."""
    long = "x = '" + "select x from " * 20_000 + "'; y = eval(z)\n"
    assert not doubts("", long, "python")
    assert doubts("", "x = '" + "a" * 900 + "'; y = eval(z)\n", "python")
