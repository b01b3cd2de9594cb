# ruff: noqa: RUF001 - letters that look like others are the subject
"""Find the scripts of a word's letters and its ASCII look-alike, to detect spoofed names.

Follows UTS 39 (Unicode 16). A letter's script is the first word of its Unicode name after compatibility decomposition;
for letters this agrees with the Script property, with a few exceptions. The look-alikes of ASCII letters are those in
confusables.txt from scripts in modern use, plus some that are alike in editor fonts. A library would add ten thousand
pairs, mostly of symbols that identifiers cannot contain.
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
"""Letters that look like an ASCII letter."""
_WRITTEN_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
"""Sets of scripts that one language combines (UTS 39, "highly restrictive")."""
_SIGNS = frozenset("ǃǀǁǂʹʺʻʼʽˈˊˋˌːꓸꓹꓺꓻꓼꓽ꓾꓿ᐳᐸㅡ丶ⵏߺ՚ᛌ᱿")
"""Letters that look like a symbol, such as the click letter that looks like an exclamation mark."""
_OVERLAYS = frozenset("\u0332\u0333\u0334\u0335\u0336\u0337\u0338\u0347\u20d2\u20d3\u20d8\u20d9\u20e5\u20e6")
"""Combining marks that hardly change how a letter looks."""
_LONGEST = 200
"""Maximum code points of a word to examine."""


def scripts(word: str) -> frozenset[str]:
    """Return the scripts of a word's letters, as in Unicode names, in upper case; digits and symbols have none."""
    found = set()
    for character in unicodedata.normalize("NFKC", word[:_LONGEST]):
        if unicodedata.category(character)[0] == "L":
            name = unicodedata.name(character, "").split(" ", 1)[0]
            found.add({"IDEOGRAPHIC": "CJK", "MICRO": "GREEK", "OHM": "GREEK"}.get(name, name.partition("-")[0]))
    return frozenset(found - {"", "MODIFIER", "FEMININE", "MASCULINE"})


def is_mixed(word: str) -> bool:
    """Return whether a word mixes scripts that no single language combines.

    Greek with Latin is common in mathematics (``Δx``), so it counts only if a Greek letter looks like an ASCII letter.
    """
    found = scripts(word)
    if len(found) <= 1 or any(found <= together for together in _WRITTEN_TOGETHER):
        return False
    if found == {"LATIN", "GREEK"}:
        return any(each in _LIKE for each in word if scripts(each) == {"GREEK"})
    return True


def skeleton(word: str) -> str:
    """Return the look-alike of a word, with each letter that looks like an ASCII letter replaced by it."""
    plain = unicodedata.normalize("NFKD", word[:_LONGEST])
    return "".join(_LIKE.get(each, each) for each in plain if each not in _OVERLAYS)


def signs(word: str) -> str:
    """Return the letters of a word that look like operators or quotation marks."""
    return "".join(each for each in word[:_LONGEST] if each in _SIGNS)
