"""The rules by which secrets are found, as values: what to look for, when, and how much of a match is public.

The patterns are in the syntax of RE2, which matches in linear time whatever a file holds. A pattern has one group, the
secret. ``keywords`` are words in lower case without which a rule cannot match, so that most rules cost one search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tuppence.core.secrets.token_formats import TOKENS

Judge = Literal["sure", "mixed", "named", "bare", "login", "random", "near", "quoted"]
"""How a match is judged further, in :mod:`tuppence.core.secrets.plausible`."""


@dataclass(frozen=True, slots=True)
class SecretRule:
    """One rule."""

    kind: str
    """The name shown to the user; ``{name}`` is replaced by the name to which the value is assigned."""
    pattern: str
    keywords: tuple[str, ...]
    judge: Judge = "sure"
    prefixes: tuple[str, ...] = ()
    """Beginnings of the secret that are public, any of them."""


def _token_rules() -> tuple[SecretRule, ...]:
    found = []
    for each in TOKENS:
        starts = "|".join(_escaped(prefix) for prefix in each.prefixes)
        most = each.most if each.most <= _COUNTED else ""  # A counted repetition makes RE2's automaton as long.
        tail = r"\b" if each.most == each.least and "=" not in each.characters else ""
        pattern = rf"(?:^|[^A-Za-z0-9_])((?:{starts})[{each.characters}]{{{each.least},{most}}}){tail}"
        judge: Judge = (
            "mixed" if each.characters.endswith("-") or r"\w" in each.characters or each.kind in _WEAK else "sure"
        )
        keywords = tuple(prefix.lower() for prefix in each.prefixes)
        found.append(SecretRule(each.kind, pattern, keywords, judge, each.prefixes))
    return tuple(found)


def _escaped(text: str) -> str:
    return "".join(rf"\{each}" if each in r".$[]()+*?|^{}\/" else each for each in text)


_COUNTED = 64
_WEAK = frozenset({"API key", "Facebook token", "Alibaba key", "Fireworks key", "Notion token"})
"""Formats whose prefix could begin an ordinary word: a match needs a digit and a mixture."""
_SECRET_WORD = (
    r"pass(?:word|wd|phrase|code)?|pwd|secrets?|tokens?|api[_.-]?keys?|access[_.-]?keys?|auth(?:orization)?[_.-]?"
    r"(?:key|token)?|credentials?|creds?|private[_.-]?keys?|(?:encryption|signing|master|session|cookie|hmac|jwt|"
    r"storage|account|shared|license|webhook|deploy|admin|root|crypt|cipher|aes|des|seed|ssh|sig(?:nature)?|client|"
    r"consumer|app(?:lication)?|service|bot|server|user|project|write|read|ingest|publish|subscription|bearer)"
    r"[_.-]?(?:keys?|secrets?|salt|seed)|connection[_.-]?string|conn[_.-]?str|dsn|mnemonic|pepper|psk"
)
_FOREIGN_WORD = (
    "passwort|kennwort|contrase(?:ñ|n)a|senha|mot[_.-]?de[_.-]?passe|wachtwoord|parola|has(?:ł|l)o|пароль|密码|密碼|口令|"
    "パスワード|비밀번호"
)
_NAME = rf"[\w.-]*(?:{_SECRET_WORD}|{_FOREIGN_WORD})[\w.-]*"
_WORDS = (
    "pass", "pwd", "secret", "token", "key", "auth", "cred", "salt", "seed", "mnemonic", "pepper", "dsn", "conn", "psk",
    "kennwort", "contrase", "senha", "wachtwoord", "parola", "hasło", "haslo", "пароль", "密码", "密碼", "口令",
    "パスワード", "비밀번호",
)  # fmt: skip
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ASSIGNED = r"\s{0,4}(?::\s{0,2}[\w.\[\]| ]+)?\s{0,4}(?:=>|:=|\?=|\|\|=|\?\?=|=|:)\s{0,4}"
_QUOTED = r"""[rbuf@$]{0,2}\\{0,3}(?:"{1,3}([^"\r\n]{6,}?)\\{0,3}"|'{1,3}([^'\r\n]{6,}?)\\{0,3}'|`([^`\r\n]{6,}?)`)"""
_SPECIAL: tuple[SecretRule, ...] = (
    SecretRule("Slack webhook", r"hooks\.slack\.com/(?:services|workflows|triggers)/([\w+/-]{20,100})", ("hooks.slack",)),
    SecretRule("Discord webhook", r"discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d{10,25}/([\w-]{40,100})", ("/webhooks/",)),
    SecretRule("Teams webhook", r"webhook\.office\.com/webhookb2/([\w@/-]{60,})", ("webhook.office",)),
    SecretRule("Zapier webhook", r"hooks\.zapier\.com/hooks/catch/(\w{4,12}/\w{4,12})", ("hooks.zapier",)),
    SecretRule("Discord token", r"(?:^|[^\w.-])([MNO][\w-]{22,27}\.[\w-]{6,7}\.[\w-]{27,45})", (".",), "mixed"),
    SecretRule("Telegram token", r"(?:^|[^\w])(\d{7,12}:AA[\w-]{30,40})", (":aa",)),
    SecretRule("Heroku key", r"(?:^|[^\w])(HRKU-[\w-]{30,80})", ("hrku-",), "sure", ("HRKU-",)),
    SecretRule("Terraform token", r"(?:^|[^\w])([A-Za-z0-9]{14}\.atlasv1\.[\w=-]{50,80})", ("atlasv1",)),
    SecretRule("Asana token", r"(?:^|[^\w])([0-2]/\d{10,20}(?:/\d{10,20})?:[0-9a-f]{32})", (":",)),
    SecretRule("Airtable token", r"(?:^|[^\w])(pat[A-Za-z0-9]{14}\.[0-9a-f]{64})", ("pat",), "sure", ("pat",)),
    SecretRule("Mailchimp key", r"(?:^|[^\w])([0-9a-f]{32}-us\d{1,2})\b", ("-us",)),
    SecretRule("Azure secret", r"(?:^|[^\w~.-])([\w~.]{3}\dQ~[\w~.-]{31,34})", ("q~",)),
    SecretRule("Plaid token", r"(?:^|[^\w])(access-(?:sandbox|development|production)-[0-9a-f-]{36})", ("access-",)),
    SecretRule("Bitwarden token", r"(?:^|[^\w])(0\.[0-9a-f-]{36}\.[A-Za-z0-9]{20,40}:[A-Za-z0-9+/=]{24})", ("0.",)),
    SecretRule("1Password key", r"(?:^|[^\w])(A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3})", ("a3-",)),
    SecretRule("ElevenLabs key", r"(?:^|[^\w])(sk_[0-9a-f]{48})\b", ("sk_",), "sure", ("sk_",)),
    SecretRule("Resend key", r"(?:^|[^\w])(re_[A-Za-z0-9]{6,12}_[A-Za-z0-9]{18,30})\b", ("re_",), "mixed", ("re_",)),
    SecretRule("Sentry address", r"https?://([0-9a-f]{32})(?::[0-9a-f]{32})?@[\w.-]{1,80}/\d{1,20}", ("@",)),
    SecretRule("JSON web token", r"(?:^|[^\w])(eyJ[\w=-]{8,}\.eyJ[\w=-]{8,}\.[\w=-]{8,})", ("eyj",), "sure", ("eyJ",)),
    SecretRule(
        "API key",
        rf"(?:^|[^\w])((?:sdk-|api-|sk-[a-z]{{2,8}}-|pat-[a-z]{{2}}\d-|amzn\.mws\.){_UUID})",
        ("sdk-", "api-", "sk-", "pat-", "amzn."),
    ),
    SecretRule("Azure DevOps token", r"(?:^|[^\w])([a-z2-7]{52})\b", ("azure", "devops", "_pat", "vsts"), "mixed"),
    SecretRule(
        "key",
        r"(?i)(?:account_?sid|algoliasearch|airbrake|bugsnag|honeybadger|mixpanel|rollbar|sonar\.login)[^\r\n]{0,80}?[\"'=]([0-9a-f]{32}(?:[0-9a-f]{8})?)\b",
        ("sid", "algolia", "airbrake", "bugsnag", "honeybadger", "mixpanel", "rollbar", "sonar"),
        "mixed",
    ),
    SecretRule(
        "JSON web token",
        r"(?:^|[^\w])(eyJ[\w-]{10,}\.[\w-]{0,}\.[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})",
        ("eyj",),
        "sure",
        ("eyJ",),
    ),
    SecretRule("signature in an address", r"(?i)[?&]x-(?:amz|goog)-(?:signature|security-token)=([\w%+/=-]{20,})", ("x-amz-", "x-goog-")),
    SecretRule("token in an address", r"azurewebsites\.net/[^\s\"']{0,200}[?&]code=([\w%+/=-]{20,})", ("azurewebsites",)),
    SecretRule("password hash", r"(\$apr1\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{22})", ("$apr1",)),
    SecretRule("password", r"(?i)ConvertTo-SecureString\s+(?:-String\s+)?(?:\"([^\"\r\n]{4,100})\"|'([^'\r\n]{4,100})')", ("securestring",), "login"),
    SecretRule("login", r"(?i)(?:sqlplus\s+(?:-\w+\s+)*|jdbc:oracle:\w+:)\w{1,60}/([^\s/@\"']{4,100})@", ("sqlplus", "oracle"), "login"),
    SecretRule("login", r"(?:smbclient|rpcclient|winexe)\b[^\r\n]{0,200}\s-U\s?[\"']?[^\s%]{1,80}%([^\s\"']{4,100})", ("smbclient", "rpcclient", "winexe"), "login"),
    SecretRule(
        "password in an address",
        r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s:/@'\"`<>]{1,100}:([^\s/@'\"`<>]*[^\s\d/@'\"`<>][^\s/@'\"`<>]*/[^\s@'\"`<>]{1,60})@[\w.%\[{$-]",
        ("://",),
        "login",
    ),
    SecretRule("Azure signature", r"[?&;]sig=([\w%+/=-]{30,120})", ("sig=",)),
    SecretRule("Azure key", r"(?i)(?:AccountKey|SharedAccessKey|SharedSecret)=([\w+/=]{20,120})", ("accountkey", "shareda", "sharedsecret")),
    SecretRule("password in an address", r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s:/@'\"`<>]{0,100}:([^\s/@'\"`<>]{3,})@[\w.%\[{$-]", ("://",), "login"),
    SecretRule("token in an address", r"https?://([^\s:/@'\"`<>]{16,})@[\w.-]{4}", ("://",), "named"),
    SecretRule(
        "password in a connection string",
        r"(?i)[;?&](?:password|pwd|passwd)\s?=\s?([^;\s\"'&(){}]{4,120})",
        ("password", "pwd", "passwd"),
        "login",
    ),
    SecretRule(
        "token in an address",
        r"(?i)[?&](?:access_token|api_?key|apikey|auth_?token|token|client_secret|secret|key|signature)=([\w%+/=.~-]{12,})",
        ("token=", "key=", "secret=", "signature="),
        "named",
    ),
    SecretRule(
        "password in a connection string",
        r"(?i)\b(?:host|hostaddr|user|dbname|port|server)=[^\s,;\"']{1,80}(?:\s{1,2}\w{1,20}=[^\s,;\"']{1,80}){0,6}\s{1,2}"
        r"password=([^\s,\"'(){}]{4,100})",
        ("password=",),
        "login",
    ),
    SecretRule("bearer token", r"(?i)\bbearer[\s:]{1,3}([\w.~+/=-]{12,})", ("bearer",), "named"),
    SecretRule("basic login", r"(?i)\bbasic[\s:]{1,3}([A-Za-z0-9+/]{12,}={0,2})", ("basic",), "named"),
    SecretRule("token", r"(?i)authorization[\"']?\s{0,2}[:=,]\s{0,2}[\"']?(?:token|apikey|key|geniekey|ssws)[\s=:]{1,3}([\w.~+/=-]{12,})", ("authorization",), "named"),
    SecretRule("login", r"\bcurl\b[^\r\n]{0,}\s(?:-u|--user)[\s=]{1,3}[\"']?[\w.@+-]{1,80}:([^\s\"'`]{4,120})", ("curl",), "login"),
    SecretRule("token", r"(?i)\bx-[\w-]{0,30}(?:key|token|secret|auth)[\w-]{0,10}[\"']?\s{0,2}[:=,]\s{0,2}[\"']?([\w.~+/=-]{12,})", ("x-",), "named"),
    SecretRule("netrc login", r"(?i)\bmachine\s+\S{1,}\s+login\s+\S{1,}\s+password\s+(\S{4,})", ("machine",), "login"),
    SecretRule("npm login", r"(?i)_(?:auth|authToken|password)\s{0,2}=\s{0,2}[\"']?([\w+/=-]{12,})", ("_auth", "_password"), "bare"),
    SecretRule("password hash", r"(\$2[abxy]?\$\d\d\$[./A-Za-z0-9]{53})", ("$2",)),
    SecretRule("password hash", r"(\$(?:argon2(?:id|i|d)|scrypt|6|5|1|y|7)\$[\w=,.$+/-]{30,})", ("$",)),
    SecretRule("password", r"(?i)\bidentified\s+(?:with\s+\w{1,40}\s+)?by\s+(?:password\s+)?['\"]([^'\"\r\n]{4,100})['\"]", ("identified",), "login"),
    SecretRule("password", r"(?i)\bpassword\s+'([^'\r\n]{6,100})'", ("password",), "login"),
    SecretRule("{name}", rf"(?i)(?:^|[^\w.])({_NAME})[\"'`\]]{{0,2}}{_ASSIGNED}\(?\s*{_QUOTED}", _WORDS, "named"),
    SecretRule("{name}", rf"(?i)[\"'`]({_NAME})[\"'`]\s{{0,3}},\s{{0,3}}{_QUOTED}", _WORDS, "named"),
    SecretRule("{name}", rf"(?i)\b({_NAME})[\"'`\]]{{0,2}}\s{{0,3}}(?:===?|!==?|\.equals|\.eq)\s{{0,2}}\(?{_QUOTED}", _WORDS, "named"),
    SecretRule("{name}", rf"(?i)#\s*define\s+({_NAME})\s+{_QUOTED}", _WORDS, "named"),
    SecretRule("{name}", rf"(?i)\b({_NAME})\s?\(\s*{_QUOTED}", _WORDS, "named"),
    SecretRule("{name}", rf"(?i)\b(?:ENV|ARG|SET)\s+({_NAME})\s+([^\s\"'=]{{8,}})", _WORDS, "bare"),
    SecretRule("password", r"\bsshpass\s+-p\s*[\"']?([^\s\"']{5,})", ("sshpass",), "login"),
    SecretRule("password", r"\bmysql\w*\b[^\r\n]{0,200}\s-p([^\s\"'-][^\s\"']{4,})", ("mysql",), "login"),
    SecretRule(
        "session cookie",
        r"(?i)\bcookie[\"']?\s?[:=,]\s?[\"']?[^\r\n\"']*?(?:sess\w*|sid|token|auth\w*)=([\w%.+/=-]{16,})",
        ("cookie",),
        "named",
    ),
    SecretRule("{name}", rf"(?i)<({_NAME})(?:\s[^<>]{{0,100}})?>([^<>\s]{{6,}})</", _WORDS, "named"),
    SecretRule("{name}", rf"(?i)(?:^|[\s;&?\"'`,{{(-])({_NAME})(?:=|:\s{{1,4}}|\s{{0,4}}[:?]=\s{{0,4}}|\s{{1,4}}=\s{{1,4}})([^\s\"'`,;<>(){{}}\[\]]{{8,}})", _WORDS, "bare"),
    SecretRule("{name}", rf"(?i)--({_NAME})[\s=]{{1,2}}[\"']?([^\s\"'`,;<>(){{}}]{{8,}})", _WORDS, "bare"),
    SecretRule(
        "high-entropy value",
        rf"(?:([\w.-]+)[\"'`\]]{{0,2}}{_ASSIGNED}\(?)?[rbuf]{{0,2}}[\"'`]([A-Za-z0-9+/=_-]{{20,}})[\"'`]",
        ('"', "'", "`"),
        "random",
    ),
)  # fmt: skip
RULES: tuple[SecretRule, ...] = (*_token_rules(), *_SPECIAL)
"""Every rule but the one for key blocks, which are found by their first line (core/secrets/key_blocks.py)."""
TELLING_LINE = (
    r"(?im)[^\r\n]*(?:pass(?:w|phrase|code)|pwd|secret|token|key|auth|totp|credential|login|bearer|hmac|jwt|fernet|cipher|crypt|"
    r"signing|openssl|redis-cli|mysql|net use)[^\r\n]*(?:\r?\n[^\S\r\n]*value[\"']?:[^\r\n]*"
    r"|(?:\r?\n[^\S\r\n]*(?:-[^\S\r\n]+[^\s:]{1,}|(?:<string>)?[\"'`]?[A-Za-z0-9+/=_-]{12,}[\"'`]?(?:</string>|[,;)]{0,3}))[^\S\r\n]*\r?$){1,20})?"
)
"""A line that speaks of secrets, with what is below it: a value by that name, or lines that hold one word each."""
