# ruff: noqa: RUF001, E501 - characters like these are the subject
"""Invisible characters: new ones are refused by name; those that emoji and scripts need are allowed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from injections import SAMPLES, answered, judged, task

from tuppence.core.actions import REVIEW, TESTS
from tuppence.core.answer.insert_tests import TestLocation
from tuppence.core.answer_builder import builder_for
from tuppence.core.text.document import Document

attack = pytest.mark.attack("what comes back", "hidden characters")
HIDDEN = {
    "\u202e": "U+202E RIGHT-TO-LEFT OVERRIDE",
    "\u2066": "U+2066 LEFT-TO-RIGHT ISOLATE",
    "\u2069": "U+2069 POP DIRECTIONAL ISOLATE",
    "\u200e": "U+200E LEFT-TO-RIGHT MARK",
    "\u061c": "U+061C ARABIC LETTER MARK",
    "\u200b": "U+200B ZERO WIDTH SPACE",
    "\u200c": "U+200C ZERO WIDTH NON-JOINER",
    "\u200d": "U+200D ZERO WIDTH JOINER",
    "\u2060": "U+2060 WORD JOINER",
    "\u2063": "U+2063 INVISIBLE SEPARATOR",
    "\ufeff": "U+FEFF ZERO WIDTH NO-BREAK SPACE",
    "\U000e0001": "U+E0001 LANGUAGE TAG",
    "\U000e0061": "U+E0061 TAG LATIN SMALL LETTER A",
    "\ufe0f": "U+FE0F VARIATION SELECTOR-16",
    "\ufe00": "U+FE00 VARIATION SELECTOR-1",
    "\U000e0100": "U+E0100 VARIATION SELECTOR-17",
    "\u3164": "U+3164 HANGUL FILLER",
    "\uffa0": "U+FFA0 HALFWIDTH HANGUL FILLER",
    "\u115f": "U+115F HANGUL CHOSEONG FILLER",
    "\u17b4": "U+17B4 KHMER VOWEL INHERENT AQ",
    "\u2800": "U+2800 BRAILLE PATTERN BLANK",
    "\x0b": "U+000B LINE TABULATION",
    "\x0c": "U+000C FORM FEED",
    "\x08": "U+0008 BACKSPACE",
    "\x1b": "U+001B ESCAPE",
    "\x7f": "U+007F DELETE",
    "\x85": "U+0085, a control character",
    "\x9b": "U+009B CONTROL SEQUENCE INTRODUCER",
    "\u2028": "U+2028 LINE SEPARATOR",
    "\u2029": "U+2029 PARAGRAPH SEPARATOR",
    "\xad": "U+00AD SOFT HYPHEN",
    "\u034f": "U+034F COMBINING GRAPHEME JOINER",
    "\u180e": "U+180E MONGOLIAN VOWEL SEPARATOR",
    "\ufff9": "U+FFF9 INTERLINEAR ANNOTATION ANCHOR",
    "\ufffc": "U+FFFC OBJECT REPLACEMENT CHARACTER",
    "\ue000": "U+E000, a private-use character",
    "\U0010fffd": "U+10FFFD, a private-use character",
    "\ufdd0": "U+FDD0, no assigned character",
    "\U0001ffff": "U+1FFFF, no assigned character",
    "\U0001d173": "U+1D173 MUSICAL SYMBOL BEGIN BEAM",
    "\u206a": "U+206A INHIBIT SYMMETRIC SWAPPING",
}
NEEDED = {
    "a family": "👨\u200d👩\u200d👧",
    "a heart": "❤\ufe0f and ✈\ufe0e",
    "a profession with skin": "👩🏽\u200d💻",
    "a heart on fire": "❤\ufe0f\u200d🔥",
    "the flag of pride": "🏳\ufe0f\u200d🌈",
    "a keycap": "1\ufe0f\u20e3 and #\ufe0f\u20e3",
    "a country": "🇫🇷",
    "Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "Persian": "می\u200cخواهم خانه\u200cها",
    "an Arabic year": "۱۴۲۵ ه\u200d.",
    "Hindi": "क्\u200dष और क्\u200cष",
    "Bengali": "র\u200d্য",
    "Sinhala": "ශ්\u200dරී ලංකා",
    "Malayalam": "അവന്\u200d",
    "Khmer": "ភាសា\u200bខ្មែរ",
    "Thai": "ภาษา\u200bไทย",
    "Mongolian": "ᠨᠠ\u180e",
    "a name in Japanese": "葛\U000e0100城",
    "Braille": "⠓⠑⠇⠇⠕\u2800⠺⠕⠗⠇⠙",
    "Hebrew": "שלום עולם",
    "accents": "e\u0301 naïve café",
    "a French price": "12\u202f000\xa0€",
    "an ideographic space": "全\u3000角",
    "Arabic signs": "\u0600\u06dd",
    "a mark behind a sign in Hebrew": "שלום!\u200f",
    "a mark before Latin in Hebrew": "שלום \u200e(abc) ו\u200e-x",
    "a mark in Arabic": "مرحبا\u200f. 5%\u061c من",
}


def sentence(name: str) -> str:
    return f"The answer contains characters that do not show: {name}."


@attack
@pytest.mark.parametrize("language", SAMPLES)
def test_a_new_character_that_does_not_show_is_refused_by_name(language: str, record_property: Any) -> None:
    sample = SAMPLES[language]
    record_property("cases", 2 * len(HIDDEN))
    for character, name in HIDDEN.items():
        for place in (sample.comment, sample.text):
            verdict = answered(language, place.replace("@@", f"a{character}b"))
            assert verdict.reasons == (sentence(name),), (place, name)


@attack
@pytest.mark.parametrize("language", SAMPLES)
def test_between_the_words_of_code_too(language: str, record_property: Any) -> None:
    record_property("cases", len(HIDDEN))
    for character in HIDDEN:
        code = SAMPLES[language].fixed.replace("@@", "").replace("sum(", f"su{character}m(", 1)
        verdict = judged(task(language), code)
        assert not verdict.fit
        if character not in "\x0b\x0c\ufeff":  # What the form of a reply may take for white space or repair.
            assert "that do not show" in verdict.reasons[0]


@attack
@pytest.mark.parametrize(
    "said",
    [
        "user\u202e \u2066// only for admins\u2069 \u2066",
        "👨\u200d\u200d👩",
        "a\u200d👩",
        "👩\u200db",
        "❤\ufe0f\ufe0f",
        "😀\ufe01\ufe0f\U000e0150",
        "1\ufe0f",
        "1\ufe0e\u20e3",
        "🏴\U000e0067\U000e0062",
        "🏴\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065\U000e007f",
        "🏴" + "".join(chr(0xE0000 + ord(each)) for each in "run rm -rf") + "\U000e007f",
        "a\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "می\u200c\u200cخواهم",
        "क\u200d\u200c\u200dष",
        "na\u200cme",
        "می\u200cname",
        "name\u200cمی",
        "ไท\u200bname",
        "a\u200bខ្មែរ",
        "葛\U000e0100\U000e0101",
        "葛\ufe00\ufe01",
        "x\u2800",
        "\u2800" * 9,
        "abc\u200e",
        "\u200f!",
        "שלום\u200f\u200f",
        "שלום\u200e.\u200f",
        "שלום\u200f\u202e",
        "שלום abcd\u200e",
    ],
    ids=lambda said: "-".join(f"{ord(each):X}" for each in said[:4]),
)
def test_no_sequence_or_joiner_that_is_none(said: str) -> None:
    for language in ("python", "java"):
        verdict = answered(language, SAMPLES[language].text.replace("@@", said))
        assert "that do not show" in " ".join(verdict.reasons), said


@pytest.mark.parametrize("language", SAMPLES)
def test_what_emoji_and_scripts_need_stays(language: str) -> None:
    sample = SAMPLES[language]
    for what, said in NEEDED.items():
        for place in (sample.comment, sample.text):
            verdict = answered(language, place.replace("@@", said))
            assert verdict.fit, (what, verdict)
            assert not verdict.doubts or all("drops" not in each for each in verdict.doubts), what
            assert "script" not in verdict.words, what


@attack
def test_what_is_needed_in_a_text_is_refused_in_a_name() -> None:
    for name in ("می\u200cخواهم", "क्\u200dष", "שם\u200f"):
        assert "that do not show" in answered("python", f"    {name} = 1\n").reasons[0]
        assert "that do not show" in answered("javascript", f"  let {name} = 1;\n").reasons[0]


def test_what_the_old_text_has_as_often_is_not_new() -> None:
    page = SAMPLES["python"].source.replace("import os", "import os\n\x0c\nA = 1")
    assert judged(task("python", page), SAMPLES["python"].fixed.replace("@@", "")).fit
    there = SAMPLES["python"].source.replace("    return sum", "    # \u202e\n    return sum")
    fixed = SAMPLES["python"].fixed
    assert judged(task("python", there), fixed.replace("@@", "    # \u202e\n")).fit
    assert judged(task("python", there), fixed.replace("@@", "")).fit
    twice = judged(task("python", there), fixed.replace("@@", "    # \u202e\u202e\n"))
    assert twice.reasons == (sentence("U+202E RIGHT-TO-LEFT OVERRIDE"),)


@attack
def test_imports_and_tests_are_looked_at_too() -> None:
    bad = answered("javascript", imports='import { a\u200b } from "b";')
    assert bad.reasons == (sentence("U+200B ZERO WIDTH SPACE"),)
    place = TestLocation(
        "/p/tests/test_stats.py", Document("file:///p/tests/test_stats.py", "python", None, ""), is_new=True
    )
    work = replace(task("python"), action=TESTS, place=place)
    builder = builder_for(work)
    builder.feed("```python\nfrom stats import mean\n\n\ndef test_mean():\n    assert mean([1]) == 1  # \u2066\n```\n")
    verdict = builder.finish("end")[1].verdict
    assert verdict.reasons == (sentence("U+2066 LEFT-TO-RIGHT ISOLATE"),)


@attack
def test_a_findings_fix_with_them_is_not_offered() -> None:
    work = replace(task("python"), action=REVIEW)
    builder = builder_for(work)
    builder.feed(
        "severity: error\nline: `    return sum(xs) / len(x)`\nproblem: The name is unknown.\n"
        "```\n    return sum(xs) / len(xs)  # \u202e\n```\n---\n"
        "severity: error\nline: `    return sum(xs) / len(x)`\nproblem: Again.\n```\n    return sum(xs) / len(xs)\n```\n---\n"
    )
    first, second = builder.finish("end")[1].findings
    assert first.fix is None
    assert first.message.endswith(
        "Its fix is left out: it contains characters that do not show: U+202E RIGHT-TO-LEFT OVERRIDE."
    )
    assert second.fix == "    return sum(xs) / len(xs)"


@attack
@pytest.mark.parametrize(
    ("language", "inside", "doubt"),
    [
        ("python", "    pаypal = 1\n", "mixes the scripts Cyrillic and Latin in the name “pаypal”"),
        ("python", "    ѕum = 1\n", "mixes the scripts Cyrillic and Latin in the name “ѕum”"),
        ("python", "    хѕ = 1\n", "writes the name “хѕ”, which looks like `xs`"),
        ("python", "    оѕ = 1\n", "writes the name “оѕ”, which looks like `os`"),
        ("python", "    lеn = max\n", "mixes the scripts Cyrillic and Latin in the name “lеn”"),
        ("python", "    admin_rоle = 1\n", "mixes the scripts Cyrillic and Latin in the name “admin_rоle”"),
        ("python", "    ｅｘｅｃ = 1\n", "writes “ｅｘｅｃ”, which reads as `exec`"),
        ("python", "    𝐞𝐯𝐚𝐥('1')\n", "writes “𝐞𝐯𝐚𝐥”, which reads as `eval`"),
        ("python", "    ſum = 1\n", "writes “ſum”, which reads as `sum`"),
        ("python", "    οs = 1\n", "mixes the scripts Greek and Latin in the name “οs”"),
        ("python", "    xs\u0332 = 1\n", "writes the name “xs\u0332”, which looks like `xs`"),
        ("python", "    e\u0335val = max\n", "writes the name “e\u0335val”, which looks like `eval`"),
        ("python", "    import оs\n", "mixes the scripts Cyrillic and Latin in the name “оs”"),
        ("python", "    Τrue = 1\n", "mixes the scripts Greek and Latin in the name “Τrue”"),
        ("javascript", "  const env\u01c3 = 1;\n", "writes the name “envǃ”, in which “ǃ” looks like a sign"),
        ("javascript", "  const ѕum = 1;\n", "mixes the scripts Cyrillic and Latin in the name “ѕum”"),
        ("javascript", "  const \\u0073um2 = 1;\n", "writes the name “sum2” with escapes"),
        ("javascript", "  const b = { аdmin: 1 };\n", "mixes the scripts Cyrillic and Latin in the name “аdmin”"),
        ("go", "\tѕum := 1\n\t_ = ѕum\n", "mixes the scripts Cyrillic and Latin in the name “ѕum”"),
        ("rust", "    let ѕum = 1;\n", "mixes the scripts Cyrillic and Latin in the name “ѕum”"),
        ("java", "        int ѕum = 1;\n", "mixes the scripts Cyrillic and Latin in the name “ѕum”"),
        ("c", "  int ѕum = 1;\n", "mixes the scripts Cyrillic and Latin in the name “ѕum”"),
        ("c", "  int Ꮪum = 1;\n", "mixes the scripts Cherokee and Latin in the name “Ꮪum”"),
    ],
)
def test_a_name_that_looks_like_another_is_a_doubt(language: str, inside: str, doubt: str) -> None:
    verdict = answered(language, inside)
    assert verdict.fit, verdict
    assert doubt in verdict.doubts


@attack
@pytest.mark.parametrize(
    "inside",
    [
        "        // \\u000a System.exit(1);\n",
        "        // \\uuu000D System.exit(1);\n",
        '        String label = "a\\u0022 + System.getenv() + \\u0022b";\n',
        "        \\u0053ystem.exit(1);\n",
    ],
)
def test_code_in_javas_escapes_is_refused(inside: str) -> None:
    assert "The answer writes code as an escape" in answered("java", inside).words


@pytest.mark.parametrize(
    ("language", "inside"),
    [
        ("python", "    größe = naïve = 1\n"),
        ("python", "    é = e\u0301 = e = 1\n"),
        ("python", "    переменная = 1\n"),
        ("python", "    Δx = σ_x = λ = µs = π2 = 1\n"),
        ("python", "    変数 = データ数 = API名 = カウンタ = 1\n"),
        ("python", "    한글이름 = 사용자id = 1\n"),
        ("python", "    שם = اسم = 1\n"),
        ("python", "    user_имя = x_центр = 1\n"),
        ("python", '    label = "Привет, pаypal"\n'),
        ("java", '        String label = "\\u001b[0m \\u00e9 \\u0000";\n'),
        ("javascript", '  const label = "\\u0041\\u{1F600}";\n'),
        ("rust", "    let größe = 1;\n"),
    ],
)
def test_names_of_one_script_are_no_doubt(language: str, inside: str) -> None:
    verdict = answered(language, inside)
    assert verdict.fit, verdict
    assert not [each for each in verdict.doubts if "script" in each or "looks like" in each or "reads as" in each]
