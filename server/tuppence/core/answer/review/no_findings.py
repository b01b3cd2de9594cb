"""Detect whether a review's reply says that there is nothing to report, in any wording and language.

A reply says so if a clause negates a problem (a negation and a noun such as "issue", in either order) or approves the
code, and nothing else in the reply contradicts that: no apology or inability, question, line number, quoted code,
contrast or announcement of more. Any other reply is not a review: text that is not understood never counts as approval.
"""

# ruff: noqa: RUF001 - models write in many scripts

from __future__ import annotations

import json
import re
from typing import Literal

from tuppence.core.answer.review.finding_forms import line_numbers

_LONGEST = 1_000
"""Maximum number of characters of a reply that says only that there is nothing to report."""
_TALK = 3
"""Number of other clauses from which on the denial is doubted."""
_DENIES = re.compile(
    # English
    r"\b(?:no|zero|without(?: any)?|free (?:of|from)|any|found nothing, no)\s+"
    r"(?:(?!(?:an?|the|this|that|doubt|longer|only|more|error|exception)\b)[\w-]+,?\s+){0,4}?"
    r"(?:issues?|problems?|bugs?|errors|concerns?|findings?|defects?|mistakes?|flaws?|vulnerabilit\w+|faults?)\b"
    r"(?!\s+(?:handling|checks?|messages?|(?:is|are|get|gets) (?:raised|handled|caught|thrown|logged|reported)"
    r"|when|if))"
    r"|\bnothing (?:wrong|to (?:report|fix|flag|add|complain|change|note)|stands out|found)\b"
    r"|\bno changes? (?:is |are )?(?:needed|required|necessary)\b"
    # German, Dutch, Nordic
    r"|\b(?:kein\w*|ohne|geen|inga|ingen|inget)\s+(?:\w+\s+){0,3}?(?:probleme?n?|fehler|mängel|bugs?|auffälligkeiten"
    r"|beanstandungen|befunde?|fouten|bevindingen|opmerkingen|problemer|fel|feil|fejl)\b(?!\s+(?:ab|behandelt))"
    r"|\bnichts (?:zu beanstanden|gefunden|auszusetzen|zu melden)\b"
    # Romance
    r"|\b(?:aucune?s?|pas d(?:e |['’])|sans|zéro)\s*(?:\w+\s+){0,2}?(?:problèmes?|erreurs?|bugs?|anomalies?|défauts?"
    r"|remarques?)\b|\brien à (?:signaler|redire)\b"
    r"|\b(?:ning[uú]n\w*|sin|nenhum\w*|sem|nessun\w*|no (?:se |hay |he |veo )[\w ]{0,30}?"
    r"|não (?:há|foram|encontrei|se)[\w ]{0,30}?|non (?:ci sono|ho trovato|sono stat)[\w ]{0,30}?)\s*(?:\w+\s+){0,2}?"
    r"(?:problemas?|errores|bugs?|fallos?|defectos?|hallazgos?|erros?|falhas?|problem[ai]|errori|difetti)\b"
    r"|\bnada que (?:reportar|señalar|informar)\b|\bniente da segnalare\b|\bnada a (?:relatar|apontar)\b"
    r"|\b(?:nu (?:am găsit|există|sunt))\s+(?:\w+\s+)?(?:probleme|erori)\b"
    # Slavic
    r"|\b(?:brak|nie (?:znaleziono|znalazłem|znalazłam|wykryto|ma|stwierdzono)|žádn\w+|nenašel jsem žádn\w+)\s+"
    r"(?:\w+\s+){0,2}?(?:problem\w*|problém\w*|błęd\w*|uwag|chyb\w*)\b"
    r"|\b(?:нет|не (?:найден|обнаружен|выявлен|знайден|виявлен)\w*|без|немає|не (?:нашёл|нашел|вижу))\s+"
    r"(?:\w+\s+){0,2}?(?:проблем|ошибок|замечаний|помилок|зауважень)\b"
    r"|\b(?:проблем|ошибок|замечаний|помилок|зауважень)\s+(?:не\s|нет\b|немає\b)"
    # Turkish, Finnish, Hungarian, Vietnamese, Indonesian, Greek
    r"|\b(?:sorun|hata|problem)\w*\s+(?:bulunamadı|yok|bulunmadı|tespit edilmedi)"
    r"|\bei (?:\w+ )?(?:ongelmia|virheitä|huomautettavaa)\b|\bn(?:incs\w*|em találtam) (?:\w+ )?(?:hib|problém)\w*"
    r"|\bkhông (?:có|tìm thấy|phát hiện)(?: \w+){0,2}? (?:vấn đề|lỗi)"
    r"|\btidak (?:ada|ditemukan|menemukan)(?: \w+)? (?:masalah|kesalahan|bug)\b"
    r"|\bδεν (?:βρέθηκαν|βρήκα|υπάρχουν) (?:προβλήματα|σφάλματα|λάθη)"
    # Chinese, Japanese, Korean
    r"|(?:没有|沒有|未|没|沒|無|无|并未|無法|无法|未能)(?:能|发现|發現|找到|检测到|檢測到|检查出|看到|看出|存在|任何|明显|明顯|的|什么"
    r"|其他|严重|嚴重|重大|到|出|有|潜在|逻辑|语法|功能|安全|性|上)*(?:问题|問題|错误|錯誤|缺陷|漏洞|bug)"
    r"|(?:問題|指摘事項|指摘|エラー|バグ|不具合|欠陥|誤り|懸念|気になる)点?(?:[はがもを]|等は)?(?:特に|何も|一切)?"
    r"(?:ありません|ございません|ない|なし|無し|見つかりません|見当たりません|見つけられません|検出されません|見受けられません)"
    r"|問題を?見つけることができません"
    r"|(?:문제|오류|버그|결함|이슈)점?[가는를이은도]?\s?(?:없|발견되지|발견하지|찾지 못|찾을 수 없)"
    # Arabic, Hindi, Thai, Hebrew
    r"|(?:لا توجد|لا يوجد|لم يتم العثور على|لم أجد)\s+(?:أي\s+)?(?:مشاكل|مشكلات|أخطاء|مشكلة)"
    r"|कोई\s+(?:भी\s+)?(?:समस्या|त्रुटि|गलती)\s+नहीं|ไม่(?:พบ|มี)(?:ปัญหา|ข้อผิดพลาด)"
    r"|(?:לא נמצאו|אין|לא מצאתי)\s+(?:בעיות|שגיאות)",
    re.IGNORECASE,
)
"""Patterns for a negation with a noun such as "issue", by language."""
_APPROVES = re.compile(
    r"\bLGTM\b|\blooks? (?:\w+ )?(?:good|fine|great|ok|okay|correct|solid|clean)\b|\ball (?:good|clear|fine)\b"
    r"|\b(?:is|are|seems?|appears?) (?:\w+ )?(?:fine|correct|sound|clean|bug-free|well[- ]written)\b"
    r"(?! (?:if|when|only))"
    r"|\b(?:sieht|sehen) (?:\w+ )?gut aus\b|\balles (?:gut|in ordnung|ok)\b|\bziet er goed uit\b"
    r"|\btout (?:est|semble) (?:bon|correct|ok)\b|\bsemble (?:bon|correct)\b|\btodo (?:est[áa] )?(?:bien|correcto)\b"
    r"|\bse ve bien\b|\btudo (?:certo|bem)\b|\btutto (?:ok|a posto|bene)\b|вс[её] (?:хорошо|в порядке)|выглядит хорошо"
    r"|(?:看起来|看上去|看起來)(?:很|都)?(?:好|不错|不錯|正常|正确)"
    r"|一切(?:正常|良好)|代码(?:很好|正确|没问题)|良さそうです|좋아 보입니다",
    re.IGNORECASE,
)
_BARE = frozenset(
    [
        "none",
        "n/a",
        "na",
        "nil",
        "nothing",
        "ok",
        "okay",
        "approved",
        "keine",
        "keins",
        "nichts",
        "rien",
        "aucun",
        "aucune",
        "ninguno",
        "ninguna",
        "nada",
        "nessuno",
        "nenhum",
        "нет",
        "brak",
        "yok",
        "geen",
        "无",
        "無",
        "没有",
        "なし",
        "無し",
        "特になし",
        "없음",
        "✅",
        "✔",
        "✓",
        "👍",
        "☑",
    ]
)
"""Whole replies that mean that there is nothing."""
_HARMLESS = re.compile(
    r"\b(?:(?:could|can|did|do|was|were|am)\s?(?:not|n['’]t)|cannot|can['’]t|unable to|not able to|failed to)"
    r"(?: \w+)? (?:find|see|spot|identify|detect|notice)\b"
    r"(?= (?:\w+ ){0,3}?(?:issue|problem|bug|error|concern|defect|flaw))"
    r"|(?:無法|无法|未能)(?:找到|发现|發現|看出)|見つけることができません|찾을 수 없",
    re.IGNORECASE,
)
"""Matches an inability to find a problem, which is not a refusal."""
_DECLINES = re.compile(
    r"\b(?:sorry|apologi[sz]e|cannot|can['’]?t|unable|not able|won['’]?t|refuse|as an ai|please"
    r"|i (?:need|require|would need)"
    r"|no (?:idea|access|context)|(?:don['’]t|do not) (?:have|know|see|understand)"
    r"|(?:not|n['’]t) (?:enough|sure|provided|given)"
    r"|insufficient|not allowed|no (?:code|file|target)\b(?! (?:issue|problem|bug|error|smell|quality))"
    r"|leider|entschuldig\w*|tut mir leid|kann (?:\w+ ){0,5}nicht|bitte|helaas|kan (?:\w+ ){0,4}niet"
    r"|désolée?|ne peux pas|impossible|veuillez|lo siento|no puedo|por favor|desculpe|não (?:posso|consigo)"
    r"|mi dispiace|non posso|przepraszam|nie mogę|proszę|üzgünüm|xin lỗi|không thể|maaf|tidak (?:bisa|dapat))\b"
    r"|извините|не могу|к сожалению|пожалуйста|抱歉|对不起|對不起|無法|无法|不能|请|請|没有提供|沒有提供|看不到"
    r"|申し訳|すみません|できません|できかね|わかりません|分かりません|ください|죄송|수 없|주세요"
    r"|آسف|عذر|لا أستطيع|لا يمكن"
    r"|क्षमा|माफ|ขอโทษ|ไม่สามารถ",
    re.IGNORECASE,
)
"""Matches an apology, an inability or a request."""
_CONTRASTS = re.compile(
    r"\b(?:but|however|except|although|though|apart from|aber|jedoch|allerdings|außer|mais|cependant|sauf|pero"
    r"|salvo|excepto"
    r"|mas|exceto|ma|tranne|maar|ale|men|ama|fakat)\b|\b(?:но|однако|кроме)\b|但|不过|然而|除了|ただし|しかし|ですが|하지만|그러나",
    re.IGNORECASE,
)
_MARKS = " \t*_#>|~`-–—:：\"“”'()"
_FENCE_LINE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[^\n`]*$", re.MULTILINE)
_CODE = re.compile(r"`[^`\n]*[^\w`\n.:()][^`\n]*`")
"""Matches a code span that contains more than a name."""
_CLAUSE_END = re.compile(r"[!。！;；\n]|\.(?=\s|$)")


def nothing_found(reply: str) -> Literal["surely", "perhaps", "no"]:
    """Report whether a whole reply says that there is nothing to report; ``perhaps`` if it also says much else."""
    text = _FENCE_LINE.sub("", reply).strip()
    if not text or len(text) > _LONGEST:
        return "no"
    if text[0] in "[{":
        return "surely" if _is_empty_json(text) else "no"
    if text.strip(_MARKS + "\ufe0f.!。！").casefold() in _BARE:
        return "surely"
    asks = any(mark in text for mark in "?？؟") or text.rstrip(" *_`").endswith((":", "：", "…", "..."))
    speaks_of_code = _CODE.search(text) or line_numbers(text)
    rest = _HARMLESS.sub("any", text)
    if asks or speaks_of_code or _DECLINES.search(rest) or _CONTRASTS.search(rest):
        return "no"
    clauses = [each.strip(_MARKS) for each in _CLAUSE_END.split(text) if each.strip(_MARKS + "\ufe0f")]
    clear = [each for each in clauses if _DENIES.search(_HARMLESS.sub(_denied, each)) or _APPROVES.search(each)]
    if not clear:
        return "no"
    return "surely" if len(clauses) - len(clear) < _TALK else "perhaps"


def _denied(found: re.Match[str]) -> str:
    """Return the replacement for an inability to find a problem: ``any`` if it is English, else itself."""
    return found.group() if not found.group()[0].isascii() else "any"


def _is_empty_json(text: str) -> bool:
    """Report whether JSON is an empty list, or an object with lists that are all empty and no objects."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if isinstance(value, list):
        return not value
    lists = [each for each in value.values() if isinstance(each, list)]
    return bool(lists) and not any(lists) and not any(isinstance(each, dict) for each in value.values())
