"""Reviews in the formats and languages that models use: everything that can be recovered is, and nothing else."""

# ruff: noqa: RUF001, E501 - models write in many scripts, and the tables of replies are read row by row

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tuppence.core.answer.review.findings import Findings
from tuppence.core.answer.review.no_findings import nothing_found
from tuppence.core.checks.structure import check_review
from tuppence.core.text.document import Document, Span

CODE = '''\
import json
import os


def load_rows(path, limit=30):
    """Read the rows of a file."""
    handle = open(path)
    rows = json.load(handle)
    total = 0
    for row in rows:
        if row["age"] == None:
            continue
        total += row["age"]
    mean = total / len(rows)
    return rows[:limit], mean
'''
DOCUMENT = Document("file:///p/rows.py", "python", 1, CODE)
TARGET = Span(CODE.index("def"), len(CODE))
LEAK, NONE, ZERO = 7, 11, 14
"""Lines of the planted mistakes, from 1."""
BAR = 0.95


@dataclass(frozen=True)
class Said:
    """The same three findings in one language."""

    leak: str
    none: str
    zero: str
    line: Callable[[int], str]
    error: str
    warning: str
    hint: str
    columns: tuple[str, str, str]
    """The words for line, severity and problem."""
    code: str
    intro: str
    nothing: tuple[str, ...]

    def all(self) -> list[tuple[int, str, str, str]]:
        """Return each finding's line, code, severity and message."""
        lines = CODE.splitlines()
        return [
            (ZERO, lines[ZERO - 1].strip(), self.error, self.zero),
            (LEAK, lines[LEAK - 1].strip(), self.warning, self.leak),
            (NONE, lines[NONE - 1].strip(), self.hint, self.none),
        ]


LANGUAGES: Mapping[str, Said] = {
    "English": Said(
        "The file `handle` is never closed, so it leaks when json.load raises.",
        'Comparing `row["age"]` with None by == is not idiomatic; use `is None`.',
        "Divides by zero when `rows` is empty.",
        lambda n: f"Line {n}", "Error", "Warning", "Suggestion", ("Line", "Severity", "Problem"), "Code",
        "Here is my review of `load_rows`:",
        (
            "No findings.", "LGTM", "LGTM!", "No issues found.", "Looks good to me.", "**No issues found.**", "[]", "None.",
            '{"findings": []}', "✅", "✅ No problems detected.", "I reviewed the function and found no bugs.", "N/A",
            "The code looks good. It is well written and handles its input.", "```json\n[]\n```", "I couldn't find any issues.",
            "I was unable to find any problems in this code.", "Nothing to report.", "# Review\n\nNo issues found.",
            '{"issues": [], "summary": "The code is fine."}', "There are no obvious bugs or security issues here.",
            "The implementation is correct.", "👍 Looks great!", "No significant concerns.", "No problems were found in `load_rows`.",
        ),
    ),
    "Chinese": Said(
        "文件 handle 没有关闭，json.load 抛出异常时会泄漏。",
        "用 == 比较 age 和 None 不规范，应使用 is None。",
        "当 rows 为空时会发生除以零错误。",
        lambda n: f"第{n}行", "错误", "警告", "建议", ("行号", "严重程度", "问题"), "代码", "以下是审查结果：",
        ("没有发现问题", "未发现问题。", "没有发现任何明显的问题。", "代码看起来很好，没有问题。", "无", "一切正常。", "无明显问题。"),
    ),
    "German": Said(
        "Die Datei `handle` wird nie geschlossen.",
        'Der Vergleich von `row["age"]` mit None sollte `is None` benutzen.',
        "Division durch null, wenn rows leer ist.",
        lambda n: f"Zeile {n}", "Fehler", "Warnung", "Hinweis", ("Zeile", "Schweregrad", "Beschreibung"), "Code",
        "Hier ist mein Review:",
        (
            "Keine Probleme gefunden", "Es wurden keine Fehler gefunden.", "Sieht gut aus.", "Nichts zu beanstanden.",
            "Ich konnte keine Probleme finden.", "Keine.", "Alles in Ordnung.",
        ),
    ),
    "Japanese": Said(
        "handle が閉じられていないため、リークします。",
        "age と None の比較には is None を使うべきです。",
        "rows が空の場合、ゼロ除算になります。",
        lambda n: f"{n}行目", "エラー", "警告", "提案", ("行", "重大度", "問題"), "コード", "レビュー結果：",
        ("問題ありません", "問題は見つかりませんでした。", "特に指摘事項はありません。", "なし", "問題を見つけることができませんでした。"),
    ),
    "French": Said(
        "Le fichier `handle` n'est jamais fermé.",
        "Comparer row[\"age\"] à None avec == n'est pas idiomatique.",
        "Division par zéro quand rows est vide.",
        lambda n: f"Ligne {n}", "Erreur", "Avertissement", "Suggestion", ("Ligne", "Gravité", "Problème"), "Code",
        "Voici ma revue :",
        ("Aucun problème trouvé.", "Je n'ai trouvé aucune erreur.", "Rien à signaler.", "Aucun.", "Tout est correct."),
    ),
    "Spanish": Said(
        "El archivo `handle` nunca se cierra.",
        "Comparar age con None usando == no es idiomático.",
        "División por cero si rows está vacío.",
        lambda n: f"Línea {n}", "Error", "Advertencia", "Sugerencia", ("Línea", "Gravedad", "Descripción"), "Código",
        "Esta es mi revisión:",
        ("No se encontraron problemas.", "Sin problemas.", "No hay errores.", "Ningún problema.", "Todo está bien."),
    ),
}  # fmt: skip
OTHERS = (
    "Проблем не найдено.", "Замечаний нет.", "Nenhum problema encontrado.", "Nessun problema trovato.", "Geen problemen gevonden.",
    "Brak uwag.", "Nie znaleziono żadnych problemów.", "Sorun bulunamadı.", "문제가 없습니다.", "문제를 찾을 수 없습니다.",
    "لا توجد مشاكل.", "Không tìm thấy vấn đề nào.", "Tidak ada masalah.", "कोई समस्या नहीं मिली।", "ไม่พบปัญหา", "Inga problem hittades.",
    "Žádné problémy.", "לא נמצאו בעיות.", "Δεν βρέθηκαν προβλήματα.",
)  # fmt: skip
FAILURES = (
    "", "   \n", "I cannot review this.", "I can't help with that.", "I'm sorry, but I cannot review this code.", "I have no idea.",
    "Sorry, no code was provided.", "Please provide the code that you want me to review.", "What should I look for?",
    "As an AI language model, I am unable to review code. No findings.", "No. The problem is that the mean divides by zero.",
    "Here is my review:", "I found the following issues:", "No issues found, but the mean may divide by zero.",
    "The code looks good, however it leaks a file.", "The function reads rows and returns their mean.", "42", "Sure!", "```", "{", "[",
    "无法审查此代码。", "抱歉，我不能帮助您。", "请提供代码。", "申し訳ありませんが、レビューできません。", "コードを提供してください。",
    "Leider kann ich diesen Code nicht prüfen.", "Ich kann das nicht beurteilen.", "Bitte stelle den Code bereit.",
    "Désolé, je ne peux pas examiner ce code.", "Lo siento, no puedo revisar este código.", "Извините, я не могу это проверить.",
    "죄송합니다. 검토할 수 없습니다.", "It has no error handling.", "There is no doubt that a bug is in the loop.",
    "The function does not close the file.", "没有处理错误", "エラー処理はありません", "No errors are handled when the file is missing.",
    "1. It could be faster.\n2. It could be shorter.", '{"error": "content policy"}', '[{"message": "It is bad."}]', "| a | b |\n|---|---|\n",
    "Line 99: something is wrong here.", "- Line 5000: the cache is stale.", "- Line 14: the database password is weak.",
    '[{"line": 14, "message": "The database password is weak."}]', "severity: error\nline: `no such line`\nproblem: Bad.",
    "| Line | Problem |\n|---|---|\n| 14 | The database password is weak. |", "In line 3 I see nothing that I know.",
    "Yes?", "No problem! Which file should I look at?", "I need more context to review it. No issues otherwise.", "No code to review.",
)  # fmt: skip


def form_of_fields(said: Said) -> str:
    return "\n---\n".join(f"severity: {s}\nline: `{q}`\nproblem: {m}" for _, q, s, m in said.all())


def form_of_fields_in_their_language(said: Said) -> str:
    line, severity, problem = said.columns
    return "\n---\n".join(f"{severity}: {s}\n{line}: {n}\n{problem}: {m}" for n, _, s, m in said.all())


def form_of_json(said: Said) -> str:
    return json.dumps([{"line": n, "severity": s, "message": m} for n, _, s, m in said.all()], ensure_ascii=False)


def form_of_fenced_json(said: Said) -> str:
    findings = [{"quote": q, "level": s, "description": m, "line_number": n} for n, q, s, m in said.all()]
    return f"{said.intro}\n\n```json\n{json.dumps({'findings': findings}, indent=2, ensure_ascii=False)}\n```\n"


def form_of_json_lines(said: Said) -> str:
    return "\n".join(
        json.dumps({"location": {"start": {"line": n}}, "issue": m, "type": s}) for n, _, s, m in said.all()
    )


def form_of_numbers(said: Said) -> str:
    items = (f"{at}. **{said.line(n)}**: {m}" for at, (n, _, _, m) in enumerate(said.all(), 1))
    return f"{said.intro}\n\n" + "\n".join(items)


def form_of_bullets(said: Said) -> str:
    return "\n".join(f"- L{n}-{n + 1}: {m}" for n, _, _, m in said.all())


def form_of_tagged_bullets(said: Said) -> str:
    return f"{said.intro}\n" + "\n".join(f"* **[{s}]** {said.line(n)} - {m}" for n, _, s, m in said.all())


def form_of_quoting_bullets(said: Said) -> str:
    return "\n\n".join(f"- `{q}`\n  {m}" for _, q, _, m in said.all())


def form_of_table(said: Said) -> str:
    rows = "\n".join(f"| {n} | {s} | {m} |" for n, _, s, m in said.all())
    return f"{said.intro}\n\n| {' | '.join(said.columns)} |\n|---|---|---|\n{rows}\n"


def form_of_table_of_quotes(said: Said) -> str:
    line, severity, problem = said.columns
    rows = "\n".join(f"| {at} | `{q}` | {s} | {m} |" for at, (_, q, s, m) in enumerate(said.all(), 1))
    return f"| # | {said.code} | {severity} | {problem} |\n|:-:|:--|---|---|\n{rows}\n\n{line}."


def form_of_headings(said: Said) -> str:
    return "\n\n".join(f"## {s}\n\n- {said.line(n)}: {m}" for n, _, s, m in said.all())


def form_of_a_heading_each(said: Said) -> str:
    return f"{said.intro}\n\n" + "\n\n".join(
        f"### {at}. {m}\n\n**{said.columns[0]}:** {n}\n\n```python\n{q}\n```"
        for at, (n, q, _, m) in enumerate(said.all(), 1)
    )


def form_of_items_with_fields(said: Said) -> str:
    line, severity, problem = said.columns
    return "\n".join(
        f"{at}. **{line}**: {n}\n   - **{severity}**: {s}\n   - **{problem}**: {m}"
        for at, (n, _, s, m) in enumerate(said.all(), 1)
    )


def form_of_paragraphs(said: Said) -> str:
    return "\n\n".join(f"**{said.line(n)} ({s}):** {m}" for n, _, s, m in said.all())


def form_of_bold_titles_below_severities(said: Said) -> str:
    return f"## Review: `load_rows`\n\n{said.intro}\n\n" + "\n\n".join(
        f"### {s}\n\n**{at}. {said.line(n)}**\n```python\n{q}\n```\n{m}"
        for at, (n, q, s, m) in enumerate(said.all(), 1)
    )


def form_of_compilers(said: Said) -> str:
    return "\n".join(f"rows.py:{n}:5: {m}" for n, _, _, m in said.all())


def form_of_items_with_a_severity_below(said: Said) -> str:
    severity = said.columns[1]
    return "\n\n".join(
        f"{at}. **{said.line(n)}**: {m}\n   - **{severity}**: {s}" for at, (n, _, s, m) in enumerate(said.all(), 1)
    )


FORMS = {name.removeprefix("form_of_"): form for name, form in list(globals().items()) if name.startswith("form_of_")}


def read(reply: str, size: int = 7) -> Findings:
    findings = Findings(DOCUMENT, TARGET)
    for at in range(0, len(reply), size):
        findings.feed(reply[at : at + size])
    findings.finish()
    return findings


def verdict(reply: str) -> Any:
    findings = read(reply)
    return check_review(reply, findings.found, findings.dropped, "end")


def recovered(form: str, language: str) -> set[int]:
    return {each.line + 1 for each in read(FORMS[form](LANGUAGES[language])).found}


def test_the_forms_are_recovered() -> None:
    taken: Counter[str] = Counter()
    missed: list[str] = []
    for form in FORMS:
        for language in LANGUAGES:
            there = recovered(form, language)
            assert there <= {LEAK, NONE, ZERO}, (form, language)
            taken[form] += len(there)
            missed += [f"{form} in {language}: {line}" for line in {LEAK, NONE, ZERO} - there]
    whole = len(FORMS) * len(LANGUAGES) * 3
    assert sum(taken.values()) >= BAR * whole, missed


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_recovered_in_english(form: str) -> None:
    findings = read(FORMS[form](LANGUAGES["English"]))
    assert [each.line + 1 for each in findings.found] == [ZERO, LEAK, NONE]
    assert findings.dropped == 0
    for each, (_, _, _, message) in zip(findings.found, LANGUAGES["English"].all(), strict=True):
        assert each.message.removeprefix(f"`{each.quote}` ") == message
    if form not in ("numbers", "bullets", "quoting_bullets", "a_heading_each", "compilers"):
        assert [each.severity for each in findings.found] == ["error", "warning", "hint"]


@pytest.mark.parametrize("form", FORMS)
def test_findings_appear_as_they_arrive(form: str) -> None:
    reply = FORMS[form](LANGUAGES["English"])
    early, findings = 0, Findings(DOCUMENT, TARGET)
    for character in reply[:-1]:
        early += len(findings.feed(character))
    at_once = ("json_lines", "fenced_json", "table", "table_of_quotes")
    assert early >= (0 if form == "json" else 2 if form in at_once else 1), "JSON in one line is one line"
    for size in (1, 40, len(reply)):
        assert read(reply, size).found == read(reply).found


def test_nothing_found_is_an_answer_in_any_language() -> None:
    replies = [*OTHERS, *(each for said in LANGUAGES.values() for each in said.nothing)]
    missed = [each for each in replies if not verdict(each).fit]
    assert len(replies) - len(missed) >= BAR * len(replies), missed


@pytest.mark.parametrize("reply", FAILURES)
def test_what_is_no_review_stays_a_failure(reply: str) -> None:
    assert not verdict(reply).fit


def test_what_talks_on_after_saying_so_is_doubted() -> None:
    talk = "No issues found. It reads a file. It sums the ages. It takes the mean. It returns both."
    assert verdict(talk).doubts == ("it says more than that it found nothing",)
    assert nothing_found("No issues found. It is short.") == "surely"


@pytest.mark.parametrize(
    ("reply", "lines"),
    [
        ("- Line 13: `mean` divides by zero when rows is empty.", [14]),  # Off by one.
        ("- Line 3: `mean` divides by zero.", []),
        ("- Line 14: Division by zero.", []),  # It names nothing that is there.
        ("- Line 1: `json` is unused.", []),  # Outside of the target.
        ("- `mean = total / len(rows)` divides by zero.", [14]),
        ("1. Line 14: `x` divides `mean`.\n2. Line 14: the cache is stale.", [14]),
    ],
)
def test_a_line_number_has_to_agree_with_the_message(reply: str, lines: list[int]) -> None:
    findings = read(reply)
    assert [each.line + 1 for each in findings.found] == lines
    assert len(findings.found) + findings.dropped == reply.count("\n") + 1


def test_a_title_is_no_finding_and_a_severity_below_an_item_is_its_own() -> None:
    assert read("## Review of `load_rows`\n\nIt is what it is.\n").found == []
    (found,) = read("1. **Leak (Line 7)**: `handle` stays open.\n   - **Severity**: High\n").found
    assert found.severity == "error"


def test_a_list_as_python_writes_it_is_read() -> None:
    (found,) = read("[{'line': 14, 'severity': 'error', 'message': 'mean divides by zero'}]").found
    assert (found.line, found.severity) == (13, "error")


def test_an_item_goes_on_below_and_its_second_block_is_the_fix() -> None:
    reply = (
        "1. **Division by zero** (line 14)\n   When `rows` is empty.\n   ```python\n   mean = total / len(rows)\n   ```\n"
        "   Suggested fix:\n   ```python\n   mean = total / len(rows) if rows else 0\n   ```\n\nThat is all that I found."
    )
    (found,) = read(reply).found
    assert (found.line, found.fix) == (13, "    mean = total / len(rows) if rows else 0")
    assert found.message.startswith("Division by zero (line 14) When `rows` is empty.")


def test_a_suggestion_in_json_that_is_prose_is_no_fix() -> None:
    one = {"quote": "    mean = total / len(rows)", "message": "It divides by zero."}
    (code,) = read(json.dumps([{**one, "fix": "    mean = total / max(1, len(rows))"}])).found
    (prose,) = read(json.dumps([{**one, "fix": "Check first that there is anything to divide by."}])).found
    assert code.fix == "    mean = total / max(1, len(rows))"
    assert prose.fix is None


def test_json_that_is_cut_off_or_broken_gives_what_is_whole() -> None:
    reply = form_of_json(LANGUAGES["English"])
    assert len(read(reply[: reply.rindex("{") + 20]).found) == 2
    assert len(read(reply.replace("}]", "},]")).found) == 3
    assert len(read(reply.replace("}, {", "}\n{")).found) == 3


def test_code_that_begins_as_json_does_is_read_as_words() -> None:
    reply = "```\n[\n  1, 2\n```\n- Line 14: `mean` divides by zero.\n"
    assert [each.line for each in read(reply).found] == [13]


def test_a_row_keeps_the_bars_of_its_code() -> None:
    code = "def f(a, b):\n    return a || b\n"
    findings = Findings(Document("", "python", 1, code), Span(0, len(code)))
    findings.feed("| Code | Problem |\n|---|---|\n| `return a || b` | That is no Python. |\n")
    assert [each.line for each in findings.found] == [1]


def _steps(reply: str) -> int:
    """Return how many functions are called to read a reply and judge it, those written in C included."""
    count = 0

    def counting(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        findings = Findings(DOCUMENT, TARGET)
        findings.feed(reply)
        findings.finish()
        nothing_found(reply)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece",
    ["|", "-", "|\n", "- \n", "- a", "*", "#", "`", "{", "[", "}", '{"a":', "[{", "L1 ", "line 1 ", "第", "1. ", "**", "\\", '"',
     "[[x](y)", "no ", "a: ", "| a |\n|--|\n", "```\n", "- `mean`\n", "- line 14: mean\n", "(", "行", "{}\n", "a|", "_", "\n"],
)  # fmt: skip
def test_the_work_is_linear(piece: str) -> None:
    small, large = (_steps(piece * (size // len(piece))) for size in (8_192, 65_536))
    assert large <= 12 * small + 2_000
