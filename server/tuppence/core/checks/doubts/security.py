r"""Find changes that make code less secure. Each is a doubt, never a rejection.

The risks are a table of language family, pattern and clause. A match must be outside comments and start outside
strings, so that text about ``eval`` does not match. A risk is new if the target's new text has more matches than the
old one. Removed authorization checks, and removed calls that escape or validate, are found by their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tuppence.core.pauses import pause
from tuppence.core.syntax.code_lines import CodeLine

_WIDEST = 1_000
"""Maximum code points of a line. Longer lines are generated, and some patterns are quadratic."""
_Q = r"[\"'`]"
_SQL = r"(?:SELECT\s.*?\bFROM|INSERT\s+INTO|UPDATE\s.*?\bSET|DELETE\s+FROM)\b"


@dataclass(frozen=True, slots=True)
class Risk:
    """A way to make code less secure."""

    clause: str
    """A clause whose subject is the answer."""
    pattern: re.Pattern[str]
    """Matches the code; a match must start outside strings."""
    languages: frozenset[str] = frozenset()
    """Languages to which it applies; empty for all."""
    in_place_of: re.Pattern[str] | None = None
    """If set, the risk counts only if this pattern has fewer matches than before."""


def _risk(clause: str, *patterns: str, only: str = "", instead: str = "") -> Risk:
    in_place_of = re.compile(instead) if instead else None
    return Risk(clause, re.compile("|".join(patterns)), frozenset(only.split()), in_place_of)


_JS = "javascript typescript tsx"
_C = "c cpp"
RISKS: tuple[Risk, ...] = (
    _risk(
        "turns certificate checks off",
        r"\bverify(?:_ssl|_certs?)?\s*[=:]\s*False\b|\bssl\s*=\s*False\b|\bCERT_NONE\b|\bcheck_hostname\s*=\s*False\b",
        r"\b_create_unverified_context\b",
        r"\brejectUnauthorized[\"']?\s*:\s*false\b|\bNODE_TLS_REJECT_UNAUTHORIZED\b|\bstrictSSL\s*:\s*false\b",
        r"\bInsecureSkipVerify\s*[:=]\s*true\b",
        r"\bdanger_accept_invalid_(?:certs|hostnames)\s*\(\s*true\b|\bSslVerifyMode::NONE\b|\bset_verify\(.*\bNONE\b",
        r"\bNoopHostnameVerifier\b|\bALLOW_ALL_HOSTNAME_VERIFIER\b|\bAllowAllHostnameVerifier\b|\bTrustAll\w*",
        r"\bnew\s+X509(?:Extended)?TrustManager\b|HostnameVerifier\s*\(?.*->\s*true\b|\bcheckServerTrusted\(.*\{\s*\}",
        r"\bCURLOPT_SSL_VERIFY(?:PEER|HOST)\s*,\s*(?:0L?|false)\b|\bSSL_VERIFY_NONE\b|\bssl::verify_none\b",
    ),
    _risk("runs text as code", r"(?<![\w.>:$])(?:eval|exec)\s*\(", only="python ruby php"),
    _risk(
        "runs text as code",
        r"(?<![\w.$])eval\s*\(|(?<![\w.$])(?:new\s+)?Function\s*\(|\bvm\.runIn\w*Context\s*\(",
        only=_JS,
    ),
    _risk("runs text as code", r"\bScriptEngine\b.*\beval\s*\(|\.eval\s*\(", only="java"),
    _risk(
        "runs a command in a shell",
        r"\bshell\s*=\s*True\b|\bos\.(?:system|popen)\s*\(|\bsubprocess\.(?:getoutput|getstatusoutput)\s*\(",
        only="python",
    ),
    _risk(
        "runs a command in a shell",
        r"\bchild_process\b[\"')]*\.exec(?:Sync)?\s*\(|\bexecSync\s*\(|(?<![\w.$])exec\s*\(|\bshell\s*:\s*true\b",
        only=_JS,
    ),
    _risk("runs a command in a shell", rf"\bexec\.Command(?:Context)?\s*\(.*?{_Q}(?:/bin/)?(?:ba|z)?sh{_Q}", only="go"),
    _risk(
        "runs a command in a shell", r"\bCommand::new\s*\(\s*\"(?:/bin/)?(?:(?:ba|z)?sh|cmd(?:\.exe)?)\"", only="rust"
    ),
    _risk(
        "runs a command in a shell",
        r"\bgetRuntime\s*\(\s*\)\s*\.exec\s*\(|\bruntime\.exec\s*\(|\bProcessBuilder\s*\(.*\"(?:/bin/)?(?:ba)?sh\"",
        only="java",
    ),
    _risk("runs a command in a shell", r"(?<![\w.>])(?:std::)?(?:system|_?popen)\s*\(", only=f"{_C} ruby php"),
    _risk(
        "reads data in a format that can run code",
        r"\b(?:c?pickle|_pickle|dill|cloudpickle|marshal|joblib|shelve)\.(?:loads?|Unpickler|open)\s*\(",
        r"\byaml\.(?:unsafe_load|full_load)(?:_all)?\s*\(|\byaml\.load(?:_all)?\s*\((?!.*Safe)|\bUnsafeLoader\b",
        r"\bObjectInputStream\s*\(|\bXMLDecoder\s*\(|\breadObject\s*\(\s*\)|\bserialize\.unserialize\s*\(",
    ),
    _risk(
        "writes a secret into the code",
        rf"(?i:\b\w*(?:passw(?:or)?d|passwd|secret|api_?key|private_?key|access_?key|auth_?token|access_?token)\w*)"
        rf"{_Q}?\s*(?::\s*[\w&' ]+?)?\s*(?::?=|:)\s*{_Q}[^\"'`\s{{}}<>$%]{{6,}}{_Q}",
        rf"{_Q}(?:AKIA[0-9A-Z]{{16}}|sk-[\w-]{{20,}}|gh[pousr]_\w{{30,}}|xox[abpr]-[\w-]{{10,}}|AIza[\w-]{{30,}})",
        rf"{_Q}(?:eyJ[\w-]{{10,}}\.eyJ[\w-]{{10,}}|glpat-[\w-]{{20}}|-----BEGIN [A-Z ]*PRIVATE KEY)",
    ),
    _risk(
        "composes SQL from text",
        rf"(?i:\bf[rb]?{_Q}++[^\"'`]*?{_SQL}[^\"]*?\{{)",
        rf"(?i:(?<!{_Q}){_Q}++(?>[^\"`]*?{_SQL})[^\"`]*{_Q}{{1,3}}\s*(?:%(?!\s*$)|\+|\.format\s*\(|\.concat\s*\())",
        rf"(?i:`[^`]*?{_SQL}[^`]*?\$\{{)",
        rf"(?i:\b(?:Sprintf|format!?|String\.format|StrCat|sprintf|snprintf)\s*\([^\"`]*[\"`][^\"`]*?{_SQL})",
        rf"(?i:\bformatted\b.*{_SQL})",
    ),
    _risk(
        "uses a weak hash",
        r"(?i:\bhashlib\.(?:md5|sha1)\s*\(|\bcreateHash\s*\(\s*[\"'](?:md5|sha1)[\"']"
        r"|\b(?:md5|sha1)\.(?:New|Sum)\s*\(|\b(?:Md5|Sha1)::|\bgetInstance\s*\(\s*\"(?:md5|sha-?1)\""
        r"|\bEVP_(?:md5|sha1)\b|(?<![\w.])(?:MD5|SHA1)(?:_Init|_Update)?\s*\(|\bmd5::compute\s*\()",
    ),
    _risk(
        "uses weak randomness in place of a strong one",
        r"\brandom\.(?:random|randint|randrange|choices?|getrandbits|sample)\s*\(|\bMath\.random\s*\(",
        r"\brand\.(?:Int\w*|Read|Perm|Seed|New)\s*\(|\bnew\s+Random\s*\(|(?<![\w.>])(?:std::)?s?rand\s*\(|\bmt19937\b",
        r"\bSmallRng\b|\bfastrand::",
        instead=r"\bsecrets\.|\bSystemRandom\b|\bos\.urandom\b|\brandomBytes\b|\bgetRandomValues\b|\brandomUUID\b"
        r"|\brand\.Reader\b|\bSecureRandom\b|\bOsRng\b|\bgetrandom\b|\bRAND_bytes\b|\brandom_device\b|\brandomInt\b",
    ),
    _risk(
        "opens a file to every user",
        r"\b(?:0o?)(?:777|666)\b|\bS_IRWXO\b|[\"']rwxrwxrwx[\"']|\bchmod\b.*(?:\b0?777\b|a\+rwx|\+w)|\bS_IWOTH\b",
    ),
)
"""All risks."""
_OF_ACCESS = re.compile(
    r"auth(?!or(?:s|ed|_|\b))|permi(?:t|ss)|\badmin|_admin|isadmin|\broles?\b|role_|_role|hasrole|csrf|xsrf|sanitiz|escap"
    r"|validat|login|logged_?in|privileg|forbid|access_?(?:control|check|allowed)|superuser|is_?staff|owner(?:ship)?_"
    r"|(?:verify|check|access|auth|session|api)_?token|signature|allow_?list|deny|whitelist"
)
"""Parts of lowercase names that indicate authorization, escaping or validation."""
_CHECKS = re.compile(r"\b(?:if|elif|unless|guard|assert|while|when|require)\b|\w\s*!?\(|^\s*(?:@|#\[)")
_NAME = re.compile(r"[^\W\d]\w*")


def security_doubts(old: Sequence[CodeLine], new: Sequence[CodeLine], language: str) -> tuple[str, ...]:
    """Return the security risks in a target's new lines, as clauses.

    :param language: the language id.
    """
    return tuple(dict.fromkeys((*_risks(old, new, language), *_unchecked(old, new))))


def _risks(old: Sequence[CodeLine], new: Sequence[CodeLine], language: str) -> Iterator[str]:
    for risk in RISKS:
        if risk.languages and language not in risk.languages:
            continue
        pause()
        now = _found(risk.pattern, new)
        if not now or len(now) <= len(was := _found(risk.pattern, old)):
            continue
        if risk.in_place_of and len(_found(risk.in_place_of, new)) >= len(_found(risk.in_place_of, old)):
            continue
        there = {"".join(line.split()) for line in was}
        shown = next((line for line in now if "".join(line.split()) not in there), now[-1])
        yield f"{risk.clause} (“{shown}”)"


def _found(pattern: re.Pattern[str], lines: Sequence[CodeLine]) -> list[str]:
    """Return the matching lines, trimmed and shortened, without matches in comments and strings."""
    return [
        _short(line.code.strip())
        for line in lines
        for each in pattern.finditer(line.code[:_WIDEST])
        if line.bare[each.start()] == line.code[each.start()]
    ]


def _unchecked(old: Sequence[CodeLine], new: Sequence[CodeLine]) -> Iterator[str]:
    """Yield removed lines that checked authorization, escaped or validated, if those names are gone."""
    now = {name for line in new for name in _NAME.findall(line.bare)}
    was = {name for line in old for name in _NAME.findall(line.bare)}
    if any(_OF_ACCESS.search(name.lower()) for name in now - was):
        return  # The check was renamed.
    # A remaining name may be used less often.
    for line in old:
        names = {name for name in _NAME.findall(line.bare) if _OF_ACCESS.search(name.lower())}
        if names and _CHECKS.search(line.bare) and not names & now:
            yield f"drops what guards access or input (“{_short(line.code.strip())}”)"
            return


def _short(text: str) -> str:
    limit = 60
    return text if len(text) <= limit else text[:limit] + "…"
