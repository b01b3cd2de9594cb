"""Other forms than the requested one in which models write findings: words, line numbers, items, table rows.

Each function looks at one line or one short text. Every pattern is bounded, so the work is linear in the reply.
"""

# ruff: noqa: RUF001 - models write in many scripts

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tuppence.core.text.diagnostic import Severity

FieldName = Literal["severity", "line", "quote", "message", "title", "fix"]
_LOOKED_AT = 400
"""Number of characters at the start of a line in which a form is searched."""
_SEVERITY_WORDS: Mapping[Severity, str] = {
    "error": (
        "error errors critical blocker high severe major bug bugs fatal security kritisch fehler "
        "schwerwiegend hoch erreur erreurs critique grave élevé élevée crítico critico crítica errores alto "
        "alta erro erros critica errore critici 严重 嚴重 错误 錯誤 高 致命 重大 エラー 심각 오류 높음 ошибка "
        "критично критическая 🔴 ❌ 🛑 🚨 🐛"
    ),
    "warning": (
        "warning warnings warn medium moderate warnung warnungen mittel avertissement avertissements moyen "
        "moyenne advertencia advertencias medio media aviso avisos avviso 警告 中 中等 경고 보통 "
        "предупреждение средняя 🟠 🟡 ⚠"
    ),
    "information": (
        "information info informational note notes low minor hinweis hinweise niedrig gering faible remarque "
        "información informacion bajo baja nota baixo basso 信息 低 轻微 情報 軽微 정보 낮음 информация "
        "низкая 🔵 🟢 ℹ"
    ),
    "hint": (
        "hint hints suggestion suggestions style nit nits nitpick nitpicks vorschlag vorschläge stil "
        "suggestions sugerencia sugerencias estilo sugestão suggerimento 提示 建议 建議 提案 ヒント 제안 "
        "совет 💡"
    ),
}
_SEVERITIES: Mapping[str, Severity] = {word: each for each, words in _SEVERITY_WORDS.items() for word in words.split()}
_FIELD_WORDS: Mapping[FieldName, str] = {
    "severity": (
        "severity severitylevel priority gravity level 严重性 严重程度 嚴重性 级别 等级 优先级 重大度 深刻度 "
        "重要度 レベル schweregrad schwere priorität gravité gravite sévérité niveau severidad gravedad "
        "severidade gravidade gravità 심각도 серьёзность серьезность уровень"
    ),
    "line": (
        "line lines linenumber linenumbers lineno linerange location position 行 行号 行數 行数 位置 所在行 "
        "行番号 箇所 該当行 該当箇所 zeile zeilen zeilennummer stelle ligne lignes numérodeligne emplacement "
        "línea linea líneas lineas ubicación linha linhas riga righe 줄 라인 строка строки"
    ),
    "quote": (
        "quote code snippet codesnippet codeline excerpt linecontent sourceline quotedline 代码 代码行 引用 "
        "コード 該当コード codezeile zitat extrait citation código codigo fragmento cita codice 코드 код"
    ),
    "message": (
        "problem message issue description explanation detail details comment finding concern 问题 問題 描述 "
        "说明 消息 问题描述 問題点 説明 指摘 指摘内容 内容 詳細 beschreibung meldung befund erklärung "
        "problème probleme explication constat problema descripción descripcion explicación mensaje hallazgo "
        "descrição descrizione messaggio 문제 설명 проблема описание"
    ),
    "title": ("title summary heading 标题 標題 タイトル titel titre título titulo titolo 제목 заголовок"),
    "fix": (
        "fix suggestion replacement recommendation suggestedfix proposedfix solution 修复 建议 修改建议 "
        "解决方案 修正 修正案 提案 改善案 対策 vorschlag lösung korrektur behebung empfehlung correction "
        "recommandation solución sugerencia corrección recomendación solução correção soluzione correzione "
        "수정 제안 исправление рекомендация"
    ),
}
_FIELDS: Mapping[str, FieldName] = {word: each for each, words in _FIELD_WORDS.items() for word in words.split()}
_DATA_FIELDS: Mapping[str, FieldName] = {
    **_FIELDS,
    **dict.fromkeys(("loc", "range", "start", "startline", "linestart", "ln", "row", "where", "begin"), "line"),
    **dict.fromkeys(("text", "body", "reason", "msg", "content", "what", "bug", "error"), "message"),
    **dict.fromkeys(("name", "rule", "category", "type", "kind"), "title"),
    **dict.fromkeys(("original", "originalcode", "source", "sourcecode", "context", "target"), "quote"),
    **dict.fromkeys(("suggestedcode", "fixedcode", "newcode", "corrected"), "fix"),
}
"""Field names that count where they cannot be prose: in JSON and in the head of a table."""
_KEY = re.compile(r"([^\W\d_][^\n:：*`|]{0,30}?)[*_`]{0,4}[ \t]{0,4}[:：][*_]{0,4}[ \t]*")
_TO = r"[ \t]{0,3}(?:-|–|—|~|〜|to|bis|à|至|到)[ \t]{0,3}L?"
_LINE_NUMBER = re.compile(
    r"(?<![^\W_])(?:lines?|ln|zeilen?|lignes?|l[ií]neas?|linhas?|riga|righe|regel|rad|строк\w{0,3}|satır|라인)"
    r"[ \t]{0,3}"
    rf"(?:n[°ºo.]{{1,2}}[ \t]{{0,2}})?[:#]?[ \t]{{0,3}}[`*]{{0,2}}(\d{{1,6}})(?!\d)(?:[`*]{{0,2}}{_TO}(\d{{1,6}}))?"
    rf"|(?<![^\W_])L(\d{{1,6}})(?:{_TO}(\d{{1,6}}))?(?!\w)"
    rf"|[第行][ \t]{{0,2}}(\d{{1,6}})(?:{_TO}(\d{{1,6}}))?"
    rf"|(?<!\d)(\d{{1,6}})(?:{_TO}(\d{{1,6}}))?[ \t]{{0,2}}(?:行|줄|번째|\.[ \t]?satır)",
    re.IGNORECASE,
)
_HEAD_NUMBER = re.compile(
    rf"(?:[^\W\d_]{{1,12}}\.?[ \t]{{1,3}})?#?(\d{{1,6}})(?:{_TO}(\d{{1,6}}))?[ \t]{{0,3}}[)\]】*_`]{{0,5}}[ \t]{{0,3}}"
    r"(?:[(\[][^()\[\]]{0,30}[)\]])?[*_` \t]{0,5}[:：,，、–—-]"
)
"""Matches a number at the start of an item with the punctuation of a line number, in any language."""
_BULLET = re.compile(r"(?:[-*+•‣▪·–][ \t]+|\(?\d{1,3}[.)、．](?!\d)[ \t]*|\(\d{1,3}\)[ \t]*|[①-⑳][ \t]*)")
_HEADING = re.compile(r"#{1,6}[ \t]+")
_PATH = re.compile(r"[`*]{0,3}[\w./\\-]{1,200}\.\w{1,5}:(\d{1,6})(?::\d{1,6})?[`*]{0,3}:?(?!\w)")
"""Matches a file name and a line number, as compilers write them."""
_SPAN = re.compile(r"``([^\n]{1,400}?)``|`([^`\n]{1,400})`|“([^”\n]{6,400})”|「([^」\n]{6,400})」|\"([^\"\n]{6,400})\"")
_OPENING = "*_([【# \t"
_AFTER = " \t*_)]】:：-–—,，、."
_WORD = re.compile(r"[^\W\d_]+|[🔴❌🛑🚨🐛🟠🟡⚠🔵🟢ℹ💡]")
_TAG = re.compile(r"[\[(【]([^\])】\n]{1,30})[\])】]|\*\*([^*\n]{1,40})\*\*|__([^_\n]{1,40})__")
_HEAD_OF_TAGS = 100
"""Number of characters at the start of an item in which tags are searched."""
_GROUP_WORDS = 4
"""Maximum number of words of a heading that may be a severity."""
_FILLERS = frozenset(
    [
        "issue",
        "issues",
        "problem",
        "problems",
        "finding",
        "findings",
        "severity",
        "priority",
        "level",
        "impact",
        "concern",
        "concerns",
        "and",
        "or",
        "und",
        "et",
        "y",
        "e",
        "probleme",
        "problèmes",
        "problème",
        "problemas",
        "problema",
        "de",
    ]
)
"""Words that may accompany a severity in the heading of a group."""
_SUFFIXES = "问题問題级級度的事项項目性別"
"""Characters that may follow a severity in the heading of a group."""
_SHARED = 0.3
"""Minimum share of a JSON fix's words that must be in the quoted line."""
_NUMBERS = re.compile(r"[*_`(\s]{0,5}L?(\d{1,6})(?!\w)(?:\s{0,3}[-–]\s{0,3}L?(\d{1,6}))?[*_`.)\s]{0,5}")


@dataclass(frozen=True, slots=True)
class ItemStart:
    """The first line of a finding that is written as an item, a heading, or a paragraph with a line number."""

    indent: int
    """Number of columns before it."""
    text: str
    """The text after its bullet, number or hashes."""
    kind: Literal["heading", "bullet", "line"]


def severity_of(word: str) -> Severity | None:
    """Return the severity that a word, or the first known one of several words, means; None if unknown."""
    words = [each.lower() for each in _WORD.findall(word[:_LOOKED_AT])]
    exact = next((_SEVERITIES[each] for each in words if each in _SEVERITIES), None)
    if exact is not None or word.isascii():
        return exact
    return next(
        (level for each, level in _SEVERITIES.items() if len(each) > 1 and not each.isascii() and each in word), None
    )


def group_of(heading: str) -> Severity | None:
    """Return the severity that a heading gives to the findings below it; None for another heading."""
    bare = heading.strip(" \t*_#:：")[:_LOOKED_AT]
    words = [each.lower() for each in _WORD.findall(bare)]
    if not 0 < len(words) <= _GROUP_WORDS or "`" in bare or bare[0].isdigit() or line_numbers(bare):
        return None
    found: Severity | None = None
    for word in words:
        head = next((word[:size] for size in range(len(word), 0, -1) if word[:size] in _SEVERITIES), "")
        is_other = word[len(head) :].strip(_SUFFIXES) != "" or (head != word and word.isascii())
        if is_other and word not in _FILLERS:
            return None
        found = found or (None if is_other else _SEVERITIES.get(head))
    return found


def tagged_severity(text: str) -> Severity | None:
    """Return the severity in a tag at the start of an item: in brackets, in bold, or before a colon; or None."""
    head = text[:_HEAD_OF_TAGS]
    tags = [next(filter(None, found.groups())) for found in _TAG.finditer(head)]
    before = re.split(r"[:：–—]", head, maxsplit=2)[:2] if re.search(r"[:：–—]", head) else []
    for tag in (*tags, *before):
        words = [each.lower() for each in _WORD.findall(_LINE_NUMBER.sub("", tag))]
        if words and all(each in _SEVERITIES for each in words):
            return _SEVERITIES[words[0]]
    return next((_SEVERITIES[each] for each in _WORD.findall(head) if not each.isalpha() and each in _SEVERITIES), None)


def field_of(text: str) -> tuple[FieldName, str] | None:
    """Return the name and value of a line ``name: value``, ignoring emphasis and bullets; None for another line."""
    head = text[:_LOOKED_AT].lstrip(" \t>#*_+-•`")
    if numbered := re.match(r"\d{1,3}[.)][ \t]*", head):
        head = head[numbered.end() :].lstrip("*_`")
    found = _KEY.match(head)
    name = _FIELDS.get(_plain_key(found[1])) if found else None
    if found is None or name is None:
        return None
    return name, text[len(text[:_LOOKED_AT]) - len(head) + found.end() :]


def data_field(name: str) -> FieldName | None:
    """Return the field for a JSON key or the title of a table column; None if unknown."""
    return _DATA_FIELDS.get(_plain_key(name))


def line_numbers(text: str) -> list[tuple[int, int]]:
    """Return the line ranges that a text names, each as first and last line, from 1."""
    found: list[tuple[int, int]] = []
    for each in _LINE_NUMBER.finditer(text):
        first, last = next((a, b) for a, b in zip(each.groups()[::2], each.groups()[1::2], strict=True) if a)
        found.append((int(first), max(int(first), int(last or first))))
    return found


def head_number(text: str) -> list[tuple[int, int]]:
    """Return the line range that the start of an item may name, as a list of at most one; lines count from 1."""
    if path := _PATH.match(text[:_LOOKED_AT].lstrip(_OPENING)):
        return [(int(path[1]), int(path[1]))]
    found = _HEAD_NUMBER.match(text[:_LOOKED_AT].lstrip(_OPENING))
    return [(int(found[1]), max(int(found[1]), int(found[2] or found[1])))] if found else []


def item_start(text: str) -> ItemStart | None:
    """Return the start of the finding that a line begins; None if it begins none."""
    bare = text.lstrip(" \t")
    indent = len(text) - len(bare)
    if heading := _HEADING.match(bare):
        numbered = _BULLET.match(bare, heading.end())
        return ItemStart(indent, bare[(numbered or heading).end() :].strip(), "heading")
    if bullet := _BULLET.match(bare):
        return ItemStart(indent, bare[bullet.end() :].strip(), "bullet")
    head = bare[:_LOOKED_AT].lstrip(_OPENING)
    if is_bold(bare):
        title = bare.strip().rstrip(":：")[2:-2]
        numbered = _BULLET.match(title)
        return ItemStart(indent, title[numbered.end() if numbered else 0 :].strip(), "heading")
    is_marked = bare[:1] != "" and unicodedata.category(bare[0]) == "So"
    is_marked = is_marked or (bare.startswith("**") and tagged_severity(bare) is not None) or bool(_PATH.match(head))
    starts = _LINE_NUMBER.match(head) or (head != bare[:_LOOKED_AT] and _HEAD_NUMBER.match(head))
    if starts or is_marked or (bare.startswith("**") and line_numbers(bare[:_HEAD_OF_TAGS])):
        return ItemStart(indent, bare.strip(), "line")
    in_line = _LINE_NUMBER.search(head[: len("In the function on line 123456")])
    return ItemStart(indent, bare.strip(), "line") if in_line and head[:1].isalpha() else None


def is_bold(text: str) -> bool:
    """Report whether a line is only bold text, as weak headings are."""
    bare = text.strip().rstrip(":：")
    return len(bare) > len("****") and bare[:2] == bare[-2:] == "**" and "**" not in bare[2:-2]


def spans_of(text: str) -> list[str]:
    """Return the parts of a text in code or quotation marks, in order."""
    return [next(filter(None, found.groups())) for found in _SPAN.finditer(text)]


def message_of(text: str) -> str:
    """Return an item's text without the line number and the severity at its start."""
    rest = text.strip()
    for _ in range(3):
        head = rest[:_LOOKED_AT].lstrip(_OPENING)
        cut = len(rest[:_LOOKED_AT]) - len(head)
        if found := (_PATH.match(head) or _LINE_NUMBER.match(head) or _HEAD_NUMBER.match(head)):
            rest = re.sub(r"\A[ \t]*行目?", "", rest[cut + found.end() :]).lstrip(_AFTER)
        elif (word := _WORD.match(head)) and word.group().lower() in _SEVERITIES and _ends(head[word.end() :]):
            rest = rest[cut + word.end() :].lstrip("\ufe0f" + _AFTER)
        else:
            break
    return rest.replace("**", "", 1) if rest.count("**") % 2 else rest


def only_numbers(value: str) -> tuple[int, int] | None:
    """Return the line range of a value that is only numbers, None for another value."""
    found = _NUMBERS.fullmatch(value)
    return (int(found[1]), max(int(found[1]), int(found[2] or 0))) if found else None


def leading_number(value: str) -> tuple[int, int] | None:
    """Return the line range that a value names or the number with which it begins; None if it has none."""
    found = _NUMBERS.match(value)
    named = line_numbers(value[:_LOOKED_AT])
    return named[0] if named else (int(found[1]), int(found[1])) if found else None


def shares_words(fix: str, quote: str) -> bool:
    """Report whether a replacement has words in common with the code that it replaces; prose rarely has."""
    old, new = ({*re.findall(r"\w+", each[:_LOOKED_AT])} for each in (quote, fix))
    return bool(new) and len(old & new) >= _SHARED * len(new)


def is_rule_of_table(text: str) -> bool:
    """Report whether a line separates the head of a table from its rows."""
    return "|" in text and "--" in text and not text.strip("|-: \t")


def cells(row: str) -> list[str]:
    """Return the cells of a table row; a ``|`` in a code span or after a backslash does not end a cell."""
    found: list[str] = []
    cell: list[str] = []
    in_code = False
    for piece in re.findall(r"\\.|`+|[^\\`|]+|.", row.strip()):
        if piece == "|" and not in_code:
            found.append("".join(cell).strip())
            cell = []
        else:
            in_code = in_code != (piece[0] == "`")
            cell.append("|" if piece == "\\|" else piece)
    found.append("".join(cell).strip())
    return found[row.strip().startswith("|") : len(found) - (not found[-1])]


def _ends(rest: str) -> bool:
    """Report whether a tag ends here and is not the beginning of a sentence."""
    return re.match(r"\ufe0f|[ \t]*[\])】*_:：–—-]|[ \t]+(?:\(|line|L\d|第|`)", rest) is not None


def _plain_key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
