# ruff: noqa: RUF001 - letters that look like others are the subject
"""The scripts of a word's letters, and what it looks like in ASCII: for names that pass for others.

After UTS 39 (Unicode 16). A letter's script is the first word of its name, after compatibility forms are resolved; for
letters that agrees with the property Script but for a few signs. What looks like a letter of ASCII is what
confusables.txt has of scripts in use today, and some that are alike in the fonts of editors. A library would bring ten
thousand pairs, most of them of signs that no name may hold; these are what names can be forged with.
"""

from __future__ import annotations

import unicodedata

_LIKE = {
    # Cyrillic
    "а": "a", "в": "b", "е": "e", "о": "o", "р": "p", "с": "c", "у": "y", "х": "x", "і": "i", "ј": "j", "ѕ": "s",
    "һ": "h", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ѵ": "v", "ӏ": "l", "г": "r", "к": "k", "п": "n", "ь": "b", "т": "t",
    "м": "m", "н": "h", "ү": "y", "ԍ": "g", "А": "A", "В": "B", "Е": "E", "К": "K", "М": "M", "Н": "H", "О": "O",
    "Р": "P", "С": "C", "Т": "T", "У": "Y", "Х": "X", "І": "I", "Ј": "J", "Ѕ": "S", "Ԛ": "Q", "Ԝ": "W", "Ү": "Y",
    "Ѵ": "V", "Ӏ": "l", "Ԍ": "G", "Ғ": "F", "З": "3", "Ь": "b", "ѡ": "w", "ё": "e", "ї": "i",
    # Greek
    "α": "a", "γ": "y", "ι": "i", "ν": "v", "ο": "o", "ρ": "p", "σ": "o", "υ": "u",
    "ϲ": "c", "ϳ": "j", "Α": "A", "Β": "B", "Ε": "E", "Ζ": "Z", "Η": "H", "Ι": "I",
    "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T", "Υ": "Y", "Χ": "X", "Ϲ": "C", "Ϝ": "F", "Ϳ": "J",
    # Armenian, Georgian, Hebrew
    "ո": "n", "ս": "u", "օ": "o", "հ": "h", "ց": "g", "զ": "q", "յ": "j", "ա": "w", "ք": "f", "գ": "q", "լ": "l",
    "Տ": "S", "Օ": "O", "Ս": "U", "ղ": "n", "ყ": "y", "ס": "o", "ו": "l", "ן": "l",
    # Cherokee and Lisu
    "Ꭰ": "D", "Ꭱ": "R", "Ꭲ": "T", "Ꭵ": "i", "Ꭹ": "Y", "Ꭺ": "A", "Ꭻ": "J", "Ꭼ": "E", "Ꮃ": "W", "Ꮇ": "M", "Ꮋ": "H",
    "Ꮐ": "G", "Ꮓ": "Z", "Ꮢ": "R", "Ꮤ": "W", "Ꮥ": "S", "Ꮩ": "V", "Ꮪ": "S", "Ꮮ": "L", "Ꮯ": "C", "Ꮲ": "P", "Ꮶ": "K",
    "Ꮷ": "d", "Ᏼ": "B", "ꮃ": "w", "ꮓ": "z", "ꮩ": "v", "ꮪ": "s", "ꮯ": "c", "ꭰ": "D", "ꓮ": "A", "ꓐ": "B", "ꓑ": "P",
    "ꓒ": "d", "ꓓ": "D", "ꓔ": "T", "ꓖ": "G", "ꓗ": "K", "ꓙ": "J", "ꓚ": "C", "ꓜ": "Z", "ꓝ": "F", "ꓠ": "N", "ꓡ": "L",
    "ꓢ": "S", "ꓣ": "R", "ꓦ": "V", "ꓧ": "H", "ꓪ": "W", "ꓫ": "X", "ꓬ": "Y", "ꓰ": "E", "ꓲ": "l", "ꓳ": "O", "ꓴ": "U",
    # Coptic, Hangul and signs that other scripts have
    "ⲟ": "o", "ⲣ": "p", "ⲥ": "c", "Ⲟ": "O", "Ⲣ": "P", "Ⲥ": "C", "Ⲁ": "A", "Ⲃ": "B", "ᴏ": "o", "ᴄ": "c", "ᴠ": "v",
    "ᴡ": "w", "ᴢ": "z", "ꜱ": "s", "ɑ": "a", "ɡ": "g", "ı": "i", "ɩ": "i", "ʏ": "y", "ӕ": "ae", "ǀ": "l", "ا": "l",
    "०": "o", "௦": "o", "๐": "o", "๏": "o", "ഠ": "o", "ം": "o", "ዐ": "o", "ߋ": "o", "ㅣ": "l",
}  # fmt: skip
"""Letters that look like one of ASCII."""
_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Scripts that one language writes with (UTS 39, "highly restrictive")."""
_SIGNS = frozenset("ǃǀǁǂʹʺʻʼʽˈˊˋˌːꓸꓹꓺꓻꓼꓽ꓾꓿ᐳᐸㅡ丶ⵏߺ՚ᛌ᱿")
"""Letters that look like a sign, such as the one for a click, which looks like an exclamation mark."""
_OVERLAYS = frozenset("\u0332\u0333\u0334\u0335\u0336\u0337\u0338\u0347\u20d2\u20d3\u20d8\u20d9\u20e5\u20e6")
"""Marks that hardly change how a letter looks."""
_LONGEST = 200
"""Code points of a word that are looked at."""


def scripts(word: str) -> frozenset[str]:
    """Return the scripts of a word's letters, by their names in Unicode, in capitals; digits and signs have none."""
    found = set()
    for character in unicodedata.normalize("NFKC", word[:_LONGEST]):
        if unicodedata.category(character)[0] == "L":
            name = unicodedata.name(character, "").split(" ", 1)[0]
            found.add({"IDEOGRAPHIC": "CJK", "MICRO": "GREEK", "OHM": "GREEK"}.get(name, name.partition("-")[0]))
    return frozenset(found - {"", "MODIFIER", "FEMININE", "MASCULINE"})


def is_mixed(word: str) -> bool:
    """Report whether a word has letters of scripts that no one language writes with.

    Greek beside Latin is how mathematics is written (``Δx``): it counts only where a Greek letter looks like ASCII's.
    """
    found = scripts(word)
    if len(found) <= 1 or any(found <= together for together in _WRITTEN_TOGETHER):
        return False
    if found == {"LATIN", "GREEK"}:
        return any(each in _LIKE for each in word if scripts(each) == {"GREEK"})
    return True


def skeleton(word: str) -> str:
    """Return what a word looks like, in ASCII as far as its letters look like letters of ASCII."""
    plain = unicodedata.normalize("NFKD", word[:_LONGEST])
    return "".join(_LIKE.get(each, each) for each in plain if each not in _OVERLAYS)


def signs(word: str) -> str:
    """Return the letters of a word that look like signs, which a reader takes for operators or quotation marks."""
    return "".join(each for each in word[:_LONGEST] if each in _SIGNS)
