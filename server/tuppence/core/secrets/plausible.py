"""Decide whether a value that a rule matched is a secret, rather than a word, reference, template or example.

A false positive is harmless (the placeholder has the secret's shape and is restored); a false negative leaks a secret.
Therefore a value is rejected only if it is clearly something else.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

from tuppence.core.secrets.rules import Judge

_HARMLESS = frozenset(
    """
    password passwd passphrase secret secrets token tokens apikey api_key changeme change_me changeit example examples
    placeholder dummy test tests testing testpass testpassword test_password todo none null nil true false undefined
    default user username admin root guest postgres mysql redis mongo mongodb rabbitmq localhost string text hidden
    redacted removed masked sanitized mypassword my_password yourpassword your_password mysecret my_secret foobar foo
    bar baz pass pwd public private bearer basic required optional invalid wrong incorrect correct letmein qwerty abc
    abcdef abcd1234 passw0rd password1 password123 secret123 test123 test1234 hunter2 insecure supersecret super_secret
    notasecret s3cr3t p@ssw0rd pass1234 12345678 123456789 1234567890 token123 key123
    """.split()
)
"""Well-known example values, in lower case."""
_TEMPLATE = re.compile(
    r"""^(?: \$\{ | \$\( | \$[A-Za-z_]\w*$ | \{\{? | <[^<>]*>?$ | %[sdrv]$ | %\( | \[[A-Za-z_ -]+\]?$ | @[\w.]+@$
        | ENC\[ | x{3,} | \*{3,} | \.{3,} | _{3,} | \#\{ | \#[0-9a-f]{3,8}$ | ref\+ | vault: | op://
        | !(?:ref|sub|getatt|secret|vault|env_var)\b )""",
    re.IGNORECASE | re.VERBOSE,
)
_INSIDE = re.compile(r"\$\{|\{\{|<%|%\(\w+\)|\{[A-Za-z_][\w.\[\]]*(?:![rs])?(?::[^}]*)?\}|\$\(")
_REGEX = re.compile(r"\\[wdsWDSb](?![A-Za-z])|\[\^|\][*+?]|\(\?|%r|^[\s>^*]|\s$")
_STOP = re.compile(
    r"your[_-]|[_-]here\b|example|changeme|placeholder|dummy|fake[_-]|xxxx|<[a-z]|\.\.\.|insert[_-]|replace[_-]?me|lorem",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"[A-Za-z_$][\w$]*(?:(?:\.|->|::|\?\.)[A-Za-z_$][\w$]*)+(?:\(.*)?")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
_CODED = re.compile(r"\d[^\W\d_]")
_TECHNICAL = re.compile(
    r"(?<![A-Za-z0-9])(?:base|b|utf|sha|md|oauth|ipv|aes|rsa|ed|x|p|int|uint|float|http|s|k|ec|h|v|i|l|mp|rc|blake|argon|pkcs|curve|win|amd)"
    r"_?-?\d{1,5}(?:n(?=\b|_)|s(?=\b|_))?",
    re.IGNORECASE,
)
_PATH = re.compile(r"(?:[./~]|[A-Za-z]:\\|https?://|file:|/)[\w./\\~ -]*")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://")
"""A URL. It is not a secret as a whole; a separate rule finds the password in it."""
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_PUBLIC_NAME = re.compile(
    r"hash|sha\d|md5|digest|integrity|checksum|public|finger|uuid|guid|commit|etag|revision|version|resolved|"
    r"alphabet|charset|chars|digits|letters|pattern|regex|path|url|uri|href|src|class|style|import|from|name|content.?id",
    re.IGNORECASE,
)
_NO_SECRET_NAME = re.compile(
    r"(?:name|names|path|file|dir|url|uri|endpoint|type|kind|field|column|label|title|prompt|message|error|hint|help|"
    r"description|placeholder|header|param|parameter|prefix|suffix|length|size|count|limit|ttl|expir\w*|age|policy|"
    r"regex|pattern|format|encoding|algorithm|scheme|method|version|provider|mode|class|event|action|route|scope|"
    r"status|env|var|variable|_?id|ids|map|set|list|store|manager|service|handler|factory|validator|reset|confirm\w*|"
    r"required|enabled|strategy|separator|delimiter)$",
    re.IGNORECASE,
)
_SEQUENCES = ("abcdefgh", "bcdefghi", "0123456", "123456", "qwertyui", "ABCDEFGH")
_LOWEST = {"mixed": 3.0, "random": 4.2, "short": 3.7, "near": 3.2}
_HALF = 32
_SYLLABLES = re.compile(r"[a-z]{5}")
"""A run of lowercase letters that is rare in a short random value."""
_LONG_SYLLABLES = re.compile(r"[a-z]{8}")
_MIXED = 5
"""Minimum number of letter-digit neighbors in a random value."""
_HASH = re.compile(r"sha\d{1,3}-|md5-", re.IGNORECASE)
_DIGITS = 3
"""Minimum digits of a token that might otherwise be names joined by dots."""
_LONGEST = {"random": 512}
_LONGEST_NAMED = 16_384
"""Maximum code points of a value; a longer one is data."""
_LEAST, _WORD = 5, 8
"""Minimum code points of a password in a URL; below the second number, a plain word counts as a test value."""
_ALL_KINDS = 4
_LONG = 20
_PIN, _PHRASE = 6, 14
_PASSWORD_NAME = re.compile(r"pass(?:word|wd|phrase)?$|pwd$", re.IGNORECASE)
_TELLING = re.compile(
    r"pass|secret|token|key|valid|requir|reset|confirm|login|user|enter|type|incorrect|wrong|auth", re.IGNORECASE
)
"""Words of a value that describe a password rather than being one."""


def plausible(judge: Judge, value: str, name: str = "") -> bool:
    """Return whether a matched value is a secret.

    :param name: the name that it is assigned to; empty if unknown.
    """
    if len(value) > _LONGEST.get(judge, _LONGEST_NAMED):
        return judge == "sure"
    match judge:
        case "sure":
            return True
        case "mixed":
            least = _DIGITS if _DOTTED.fullmatch(value) else 1
            return sum(map(str.isdigit, value)) >= least and entropy(value) >= _LOWEST["mixed"]
        case "login":
            return _is_login_secret(value)
        case "random":
            return _is_random(value) and not _PUBLIC_NAME.search(name)
        case "near" | "quoted":
            return _is_near_random(value, is_quoted=judge == "quoted")
        case "named":
            return _is_named_secret(value, name)
        case "bare":  # pragma: no branch - the type of a judge names no other
            return _is_bare_secret(value, name)


def entropy(text: str) -> float:
    """Return the Shannon entropy of a text in bits per character."""
    size = len(text)
    return -sum(count / size * math.log2(count / size) for count in Counter(text).values()) if size else 0.0


def _is_login_secret(value: str) -> bool:
    """Return whether a password in a URL is a secret."""
    if len(value) < _LEAST or (len(value) < _WORD and value.isalpha() and value.islower()):
        return False
    return not (_is_harmless(value) or _TEMPLATE.match(value) or _INSIDE.search(value))


def _is_named_secret(value: str, name: str) -> bool:
    """Return whether a quoted value that is assigned to a name such as ``password`` is a secret."""
    if _is_reference(value) or (_UUID.fullmatch(value) and _NO_SECRET_NAME.search(name)):
        return False
    if " " in value.strip() and not (_has_digit(value) and len(value.split()) == 1):
        return _is_passphrase(value, name)
    strong = _kinds(value) >= 2 and (
        _has_digit(value) or any(not each.isalnum() and each not in "_-.:/ " for each in value)
    )
    if _NO_SECRET_NAME.search(name):
        return strong and len(value) >= _LONG and _kinds(value) >= 3 and entropy(value) >= 3.5
    if value.isdigit() and len(value) >= _PIN and _PASSWORD_NAME.search(name):
        return len(set(value)) > _DIGITS and not any(run in value for run in _SEQUENCES)
    if value.isalpha() and len(value) >= _PHRASE and _PASSWORD_NAME.search(name):
        return not _TELLING.search(value)
    if not strong:
        return (
            len(value) >= _LONG
            and value.isalpha()
            and not value.islower()
            and entropy(value) >= 3.8
            and not _is_words(value)
        )
    return not _is_words(value)


def _is_bare_secret(value: str, name: str) -> bool:
    """Return whether an unquoted value is a secret, rather than an identifier."""
    value = value.rstrip(".:;\\")
    if len(value) < 8 or _is_reference(value) or _DOTTED.fullmatch(value) or _NO_SECRET_NAME.search(name):
        return False
    if _UUID.fullmatch(value) or not _has_digit(value) or "=" in value[:-2] or "|" in value:
        return False
    if _IDENTIFIER.fullmatch(value):
        rest = _TECHNICAL.sub("", value)
        return bool(_CODED.search(rest)) and (rest.count("_") == 0 or entropy(value) >= 3.8) and len(rest) >= 8
    return any(each.isalpha() for each in value) and entropy(value) >= 2.5


def _is_passphrase(value: str, name: str) -> bool:
    """Return whether words with spaces are a passphrase or the seed phrase of a wallet."""
    words = value.split()
    if re.search(r"mnemonic|seed", name, re.IGNORECASE):
        return len(words) >= 12 and all(word.isalpha() and word.islower() for word in words)
    phrase = re.search(r"pass.?phrase$", name, re.IGNORECASE)
    return bool(phrase) and 4 <= len(words) <= 10 and all(word.isalpha() and word.islower() for word in words)


def _is_reference(value: str) -> bool:
    """Return whether a value is a template, an example or an ordinary word."""
    if _is_dense(value):
        return False
    if _is_harmless(value) or _TEMPLATE.match(value) or _INSIDE.search(value) or _REGEX.search(value):
        return True
    if _STOP.search(value) and not (len(value) >= _LONG and entropy(value) >= _LOWEST["mixed"] and _has_digit(value)):
        return True
    if "/" in value and _PATH.fullmatch(value) and not _is_random(value):
        return True
    return len(set(value)) <= 3 or _ADDRESS.match(value) is not None


def _is_dense(value: str) -> bool:
    """Return whether a value is too random to be a pattern or template, whatever symbols it has."""
    if len(value) < _LONG or any(each in value for each in " {}\\<>"):
        return False
    return _is_random(value) or (_kinds(value) == _ALL_KINDS and entropy(value) >= _LOWEST["random"])


def _is_harmless(value: str) -> bool:
    return value.strip().lower() in _HARMLESS


def _is_words(value: str) -> bool:
    """Return whether a value consists of words joined by symbols or in camel case, with no random part."""
    rest = _TECHNICAL.sub("", value)
    parts = [part for part in re.split(r"[\s_./:@-]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", rest)) if part]
    return all(re.fullmatch(r"[A-Za-z]{2,}\d{0,2}|\d{1,2}|[A-Za-z]", part) for part in parts) and _looks_spoken(parts)


def _looks_spoken(parts: list[str]) -> bool:
    """Return whether the longest part has vowels and capitals as in a word."""
    if len(parts) > 1:
        return all(sum(each in "aeiouyAEIOUY" for each in part) * 6 >= len(part) - 2 for part in parts)
    return not parts or (
        not _has_digit(parts[0]) and sum(each in "aeiouyAEIOUY" for each in parts[0]) * 5 >= len(parts[0])
    )


def _is_random(value: str) -> bool:
    if any(sequence in value for sequence in _SEQUENCES) or _UUID.fullmatch(value):
        return False
    if _HASH.match(value) or (len(value) < _HALF and _SYLLABLES.search(value)):
        return False
    least = _LOWEST["random"] if len(value) >= _HALF else _LOWEST["short"]
    digits = sum(each.isdigit() for each in value)
    cases = any(each.isupper() for each in value) and any(each.islower() for each in value)
    return digits >= 3 and _turns(value) >= _MIXED and cases and entropy(value) >= least and not _is_words(value)


def _is_near_random(value: str, *, is_quoted: bool = False) -> bool:
    """Return whether a token on a line about secrets is probably not an identifier; quoted ones rarely are."""
    if any(run in value for run in _SEQUENCES) or _UUID.fullmatch(value) or _HASH.match(value) or _is_words(value):
        return False
    if len(value) < _HALF and not is_quoted and _SYLLABLES.search(value):
        return False
    if value.count("_") + value.count("-") > len(value) // 8 or value.count("/") > 2 or _LONG_SYLLABLES.search(value):
        return False
    digits, letters = sum(map(str.isdigit, value)), [each for each in value if each.isalpha()]
    cases = any(map(str.isupper, letters)) and any(map(str.islower, letters))
    if not (cases or len(value) >= _HALF) or entropy(value) < _LOWEST["near"]:
        return False
    return digits >= 2 and _turns(value) >= (2 if is_quoted else 4)


def _turns(value: str) -> int:
    """Return the number of letter-digit neighbors: few in names, many in random values."""
    return sum(one.isdigit() != other.isdigit() and one.isalnum() and other.isalnum() for one, other in pairwise(value))


def _kinds(value: str) -> int:
    """Return the number of character classes in a value: lowercase, uppercase, digits, others."""
    return sum(
        (
            any(each.islower() for each in value),
            any(each.isupper() for each in value),
            any(each.isdigit() for each in value),
            any(not each.isalnum() for each in value),
        )
    )


def _has_digit(value: str) -> bool:
    return any(each.isdigit() for each in value)
