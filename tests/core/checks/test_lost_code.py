# ruff: noqa: RUF001 - the letters of other languages are meant
"""Omissions in an answer: placeholders, a missing tail, lost checks and calls, a large share of the lines."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

import pytest

from tuppence.core.checks.lost_code import Loss, lost
from tuppence.core.syntax.code_lines import code_lines
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.text.document import Span

PYTHON = """\
def settle(user, orders, store):
    if not user.is_admin:
        raise PermissionError(user)
    total = 0
    for order in orders:
        if order.paid:
            continue
        amount = order.price * order.count
        total += amount
        store.save(order)
    audit(user, total)
    limit = store.limit(user)
    rest = limit - total
    store.close()
    return rest
"""
TYPESCRIPT = """\
function settle(user: User, orders: Order[], store: Store): number {
  if (!user.isAdmin) {
    throw new Error("denied");
  }
  let total = 0;
  for (const order of orders) {
    const amount = order.price * order.count;
    total += amount;
    store.save(order);
  }
  audit(user, total);
  const limit = store.limit(user);
  const left = limit - total;
  store.close();
  return left;
}
"""
GO = """\
func settle(user User, orders []Order, store *Store) (int, error) {
	if !user.IsAdmin {
		return 0, errDenied
	}
	total := 0
	for _, order := range orders {
		amount := order.Price * order.Count
		total += amount
		store.Save(order)
	}
	audit(user, total)
	limit := store.Limit(user)
	left := limit - total
	store.Close()
	return left, nil
}
"""
RUST = """\
fn settle(user: &User, orders: &[Order], store: &mut Store) -> i64 {
    if !user.is_admin {
        panic!("denied");
    }
    let mut total = 0;
    for order in orders {
        let amount = order.price * order.count;
        total += amount;
        store.save(order);
    }
    audit(user, total);
    let limit = store.limit(user);
    let left = limit - total;
    store.close();
    return left;
}
"""
JAVA = """\
class Desk {
    int settle(User user, List<Order> orders, Store store) {
        if (!user.isAdmin()) {
            throw new IllegalStateException("denied");
        }
        int total = 0;
        for (Order order : orders) {
            int amount = order.price * order.count;
            total += amount;
            store.save(order);
        }
        audit(user, total);
        int limit = store.limit(user);
        int left = limit - total;
        store.close();
        return left;
    }
}
"""
CPP = (
    JAVA.replace("class Desk {\n", "struct Desk {\n")
    .replace("    }\n}\n", "    }\n};\n")
    .replace("List<Order>", "Orders")
)
RUBY = """\
def settle(user, orders, store)
  raise Denied unless user.admin?
  total = 0
  orders.each do |order|
    amount = order.price * order.count
    total += amount
    store.save(order)
  end
  audit(user, total)
  limit = store.limit(user)
  left = limit - total
  store.close
  left
end
"""
CODE = {
    "python": PYTHON, "typescript": TYPESCRIPT, "go": GO, "rust": RUST, "java": JAVA, "cpp": CPP, "ruby": RUBY,
}  # fmt: skip
FORMS = {"python": ("# {}",), "ruby": ("# {}", "{}")}
"""How a language writes a comment; ``//`` and ``/* */`` where nothing is said."""
WORDS = (
    "(unchanged)", "same as before", "code omitted", "keep the rest as is", "as above", "snip", "[snip]",
    "rest unchanged",
    "... rest of the code ...", "…", "...", "[...]", "(...)", "<unchanged code>", "no changes here", "etc.", "---8<---",
    "truncated for brevity", "previous logic", "TODO: the rest", "existing implementation",
    "其余代码不变", "此处省略", "…其余部分保持不变…", "代码同上", "(省略)", "（略）",
    "残りは同じ", "以下省略", "変更なし", "(既存のコード)", "나머지 코드는 동일", "생략", "이하 동일",
    "der Rest bleibt unverändert", "unverändert", "wie bisher", "... (Rest wie oben)",
    "le reste est inchangé", "code existant", "… suite identique", "el resto sin cambios", "(resto del código)",
    "resto do código inalterado", "sem alterações", "il resto rimane invariato", "codice esistente",
    "остальной код без изменений", "как раньше", "باقي الكود كما هو", "دون تغيير", "बाकी कोड वही रहेगा",
    "reszta bez zmian", "jak wyżej", "de rest blijft ongewijzigd", "kodun geri kalanı aynı",
)  # fmt: skip
"""The rest, in twelve languages and more."""


def loss(old: str, new: str, lang: str = "python", *, unused: bool = False) -> Loss:
    """Return what a new text leaves out of an old one, each a whole document."""
    row = language(lang)
    places = Span(0, len(old.rstrip("\n"))), Span(0, len(new.rstrip("\n")))
    before, after = parse(old, row), parse(new, row)
    return lost(before, code_lines(before, places[0]), code_lines(after, places[1]), unused=unused)


def placed(code: str, mark: str) -> Iterator[tuple[str, str]]:
    """Yield the places of a placeholder in some code, and the code with it there."""
    lines = code.splitlines()
    total = next(at for at, line in enumerate(lines) if "total" in line and "= 0" in line)
    audit = next(at for at, line in enumerate(lines) if "audit" in line)
    last = max(at for at, line in enumerate(lines) if re.match(r"\s*(?:return )?(?:left|rest)\b(?! =)", line))
    head = next(at for at, line in enumerate(lines) if "settle" in line)
    loop = next(at for at, line in enumerate(lines) if "for " in line or "orders.each" in line)
    indent = lines[total][: len(lines[total]) - len(lines[total].lstrip())]
    closers = lines[last + 1 :]
    here = f"{indent}{mark}"
    yield "middle", "\n".join([*lines[:audit], here, *lines[last:]])
    yield "end", "\n".join([*lines[:audit], here, *closers])
    yield "alone", "\n".join([*lines[: head + 1], here, *closers])
    changed = lines[audit].replace("total", "total + 1")
    yield "changed above", "\n".join([*lines[:audit], changed, here, *lines[last:]])
    yield "inserted above", "\n".join([*lines[: audit - 1], lines[audit - 1], f"{indent}trace(user)", here, *closers])
    fill = [f"{indent}    pass"] if code is PYTHON else []
    yield (
        "branch",
        "\n".join([*lines[: loop + 1], f"{indent}    {mark}", *fill, *lines[audit - (code is not PYTHON) :]]),
    )


def test_placeholders_are_found_by_their_shape() -> None:
    caught, missed = 0, []
    for lang, code in CODE.items():
        for words in WORDS:
            for form in FORMS.get(lang, ("// {}", "/* {} */")):
                for where, text in placed(code, form.format(words)):
                    if any("leaves code out" in reason for reason in loss(code, text, lang).reasons):
                        caught += 1
                    else:
                        missed.append((lang, where, form.format(words)))
    assert caught + len(missed) > 4000
    assert caught / (caught + len(missed)) >= 0.98, missed[:40]


@pytest.mark.parametrize("bare", ["...", "unchanged", "snip", "其余代码不变", "[...]", "(...)", "…"])
def test_bare_placeholders_in_python(bare: str) -> None:
    found = loss(PYTHON, dict(placed(PYTHON, bare))["middle"])
    assert found.reasons == (f"The answer leaves code out: “{bare}” in place of 4 lines.",)


def test_what_the_document_says_already_is_no_placeholder() -> None:
    old = PYTHON.replace("    audit", "    # wie bisher\n    audit")
    new = dict(placed(PYTHON, "# wie bisher"))["middle"]
    assert not loss(old, new).reasons


@pytest.mark.parametrize(
    ("lang", "old", "new"),
    [
        ("python", PYTHON, PYTHON.replace("    audit(user, total)\n", "    # The audit is the caller's part.\n")),
        ("python", PYTHON, PYTHON.replace("    audit(", "    # Tell the auditors\n    audit(")),
        (
            "python",
            PYTHON,
            PYTHON.partition("    for ")[0]
            + "    # Sum up what is open\n    total = sum(each.price for each in orders)\n    audit"
            + PYTHON.partition("    audit")[2],
        ),
        ("python", 'def f(x):\n    """One.\n\n    Two\n    three.\n    """\n    g(x)\n    return x\n',
         'def f(x):\n    """One."""\n    g(x)\n    return x\n'),
        ("python", "class P(Protocol):\n    def f(self) -> int:\n        return 1\n",
         "class P(Protocol):\n    def f(self) -> int: ...\n"),
        ("python", "def f(a):\n    x = a[0]\n    y = a[1]\n    z = x\n    return z\n",
         "def f(a):\n    x = a[..., 0]\n    y: tuple[int, ...] = a[1]\n    z = Ellipsis\n    return z\n"),
        ("rust", RUST, RUST.replace("for order in orders", "for order in orders[1..].iter()")),
        ("typescript", TYPESCRIPT, TYPESCRIPT.replace("audit(user, total)", "audit(...[user, total])")),
        ("go", GO, GO.replace("orders []Order", "orders ...Order").replace("audit(user, total)", "audit(orders...)")),
        ("cpp", CPP, CPP.replace("Store store)", "Store store, ...)")),
    ],
)  # fmt: skip
def test_what_is_no_placeholder(lang: str, old: str, new: str) -> None:
    assert old != new
    assert not loss(old, new, lang).reasons


def test_code_that_was_commented_out_has_a_check_of_its_own() -> None:
    lines = PYTHON.splitlines()
    new = [f"    # {line.strip()}" if 4 <= at < 10 else line for at, line in enumerate(lines)]
    assert not any("leaves code out" in each for each in loss(PYTHON, "\n".join(new)).reasons)


def test_a_tail_that_is_gone_is_refused() -> None:
    for lang, code in CODE.items():
        lines = code.splitlines()
        audit = next(at for at, line in enumerate(lines) if "audit" in line)
        closers = [line for line in lines[-2:] if line.strip() in ("}", "};", "end")]
        found = loss(code, "\n".join([*lines[:audit], *closers]), lang)
        assert len(found.reasons) == 1, lang
        assert found.reasons[0].startswith("The answer ends early: the last 5 of "), lang
    assert loss(PYTHON, "\n".join(PYTHON.splitlines()[:-5])).reasons == (
        "The answer ends early: the last 5 of 15 lines are missing.",
    )


@pytest.mark.parametrize(
    "ending",
    ["    return finish(user, total)\n", "    return total\n", "    raise Unsettled(total)\n"],
)
def test_an_end_of_its_own_is_no_tail_that_is_gone(ending: str) -> None:
    assert not loss(PYTHON, PYTHON.partition("    audit")[0] + ending).reasons


def test_a_diagnostic_that_says_unused_is_a_reason_to_drop_code() -> None:
    cut = "\n".join(PYTHON.splitlines()[:-5])
    assert loss(PYTHON, cut, unused=True) == Loss()
    assert loss(PYTHON, f"{cut}\n    # ... rest\n    return rest\n", unused=True).reasons, "but for no placeholder"


@pytest.mark.parametrize(
    ("gone", "doubt"),
    [
        ("    if not user.is_admin:\n        raise PermissionError(user)\n", "drops the check “if not user.is_admin”"),
        ("    audit(user, total)\n", "drops the call “audit(user, total)”"),
        ("        store.save(order)\n", "drops the call “store.save(order)”"),
        ("        if order.paid:\n            continue\n", "drops the check “if order.paid”"),
    ],
)
def test_what_vanished_is_named(gone: str, doubt: str) -> None:
    assert gone in PYTHON
    found = loss(PYTHON, PYTHON.replace(gone, ""))
    assert not found.reasons
    assert doubt in found.doubts


def test_a_share_of_the_lines_is_named() -> None:
    lines = PYTHON.splitlines()
    found = loss(PYTHON, "\n".join([*lines[:3], *lines[10:]]))
    assert not found.reasons
    assert "drops 7 of 15 lines" in found.doubts


@pytest.mark.parametrize(
    "new",
    [
        PYTHON.replace("if not user.is_admin:", "if user is None or not user.is_admin:"),
        PYTHON.replace("    total = 0\n", "").replace("    if not user", "    total = 0\n    if not user"),
        PYTHON.replace("audit(user, total)", "audit(\n        user,\n        total,\n    )"),
        PYTHON.replace("audit(user, total)", "record(user, total)"),
        PYTHON.replace("        if order.paid:\n            continue\n", "").replace(
            "for order in orders:", "for order in (each for each in orders if not each.paid):"
        ),
    ],
)
def test_what_was_moved_or_rewritten_is_not_gone(new: str) -> None:
    assert new != PYTHON
    assert loss(PYTHON, new) == Loss()


def test_half_of_a_real_function_is_missed_at_once() -> None:
    """Functions of the standard library without whole statements of their second half."""
    cut = refused = dropped = doubted = 0
    for module in (ast, inspect, textwrap):
        for function in vars(module).values():
            if not inspect.isfunction(function) or function.__module__ != module.__name__:
                continue
            source = textwrap.dedent(inspect.getsource(function))
            body = ast.parse(source).body[0]
            assert isinstance(body, ast.FunctionDef)
            lines = source.splitlines()
            starts = [each.lineno - 1 for each in body.body[2:] if each.lineno > len(lines) / 3]
            if starts and len(lines) >= 12 and len(lines) - starts[0] >= len(lines) / 3:
                cut += 1
                refused += bool(loss(source, "\n".join(lines[: starts[0]])).reasons)
            for each in body.body[1:-1]:
                if isinstance(each, ast.If) and not each.orelse:
                    rest = [*lines[: each.lineno - 1], *lines[each.end_lineno :]]
                    dropped += 1
                    doubted += bool(loss(source, "\n".join(rest)).doubts)
    assert cut >= 15
    assert refused >= 0.95 * cut
    assert dropped >= 40
    assert doubted >= 0.9 * dropped


def test_an_exit_that_went_into_another_line_is_still_there() -> None:
    inline = PYTHON.replace("    if not user.is_admin:\n        raise PermissionError(user)\n",
                            "    if not user.is_admin: raise PermissionError(user)\n")  # fmt: skip
    assert inline != PYTHON
    assert not [each for each in loss(PYTHON, inline).doubts if "drops" in each]
    gone = PYTHON.replace("    if not user.is_admin:\n        raise PermissionError(user)\n", "")
    assert loss(PYTHON, gone).doubts


def test_several_lines_of_comment_explain_and_stand_for_nothing() -> None:
    part = PYTHON[PYTHON.index("    for order") : PYTHON.index("    audit")]
    told = PYTHON.replace(part, "    # the loop goes here\n    # exactly as it did\n")
    one = PYTHON.replace(part, "    # the loop goes here\n")
    assert any("leaves code out" in each for each in loss(PYTHON, one).reasons)
    assert not any("“# the loop" in each for each in loss(PYTHON, told).reasons)


def test_a_sentence_of_many_words_is_no_placeholder() -> None:
    part = PYTHON[PYTHON.index("    for order") : PYTHON.index("    audit")]
    said = " ".join(["words"] * 30)
    assert not any(said[:20] in each for each in loss(PYTHON, PYTHON.replace(part, f"    {said}\n")).reasons)


def test_a_return_behind_a_long_condition_is_still_there() -> None:
    new = PYTHON.replace(
        "    return rest\n", "    if rest and limit and total and user and orders and store: return rest\n    done()\n"
    )
    assert not [each for each in loss(PYTHON, new).doubts if "return rest" in each]
