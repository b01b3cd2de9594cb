"""Secrets of many kinds with valid shapes, generated at random for each test. None of them grants access to anything.

No secret appears literally in this file, so that a scanner of this repository finds none.
"""

from __future__ import annotations

import base64
import json
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_B64 = _ALNUM + "+/"
_URL = _ALNUM + "-_"


_FORMS = (
    'client("s3", aws_secret_access_key="{}")', '{{"apiKey": "{}"}}', '{{"access_token":"{}","x":1}}',
    "export const apiKey: string = '{}';", 'const API_TOKEN: &str = "{}";', 'static SECRET: &\'static str = "{}";',
    'private static final String PASSWORD = "{}";', 'public const string ClientSecret = "{}";', 'val apiKey = "{}"',
    "define('DB_PASSWORD', '{}');", "$password = '{}';", "'password' => '{}',", 'Password: "{}",',
    'static const char *password = "{}";', 'char api_key[] = "{}";', 'std::string token{{"{}"}};',
    'config.secret_key = "{}"', "  - name: DB_PASSWORD\n    value: {}", '  - name: DB_PASSWORD\n    value: "{}"',
    "adminPassword: {}", "ENV DB_PASSWORD={}", "      - POSTGRES_PASSWORD={}", '      - "POSTGRES_PASSWORD={}"',
    'export TOKEN="{}"', 'auth=("bob", "{}")', 'HTTPBasicAuth("bob", "{}")', 'server.login("bob", "{}")',
    'create_engine("mysql+pymysql://bob:{}@localhost/db")', 'req.Header.Set("X-Auth-Token", "{}")', "api-key: {}",
    "# password is {}", "// the token: {}", 'const secret = process.env.SECRET || "{}"',
    'secret = os.environ.get("X") or "{}"', 'token = "" if dev else "{}"', 'jwt.encode(payload, "{}", "HS256")',
    'hmac.new(b"{}", message)', 'Fernet("{}")', 'visit("{}")', '<add key="ApiKey" value="{}" />', "password: `{}`",
    "mysqldump -u root -p'{}' db", "redis-cli -a {} ping", "GITHUB_TOKEN: {}", 'if (token := "{}"):',
    'def f(password="{}"): pass', 'TOKENS = ["{}"]', 'API_KEYS = {{"a": "{}"}}', 'client.api_key = "{}"',
)  # fmt: skip
"""Ways in which people write a secret in code."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret in a line of code."""

    kind: str
    code: str
    secrets: tuple[str, ...]
    """The parts of ``code`` that must not leave the machine."""


class Planter:
    """A generator of secrets from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing of it opens anything

    def chars(self, alphabet: str, count: int) -> str:
        """Return random characters, with a digit among the first three if the alphabet has digits."""
        found = [self._random.choice(alphabet) for _ in range(count)]
        if "7" in alphabet:
            found[1], found[count // 2], found[-2] = "7", "3", "5"
        return "".join(found)

    def pem(self, label: str = "RSA PRIVATE KEY", lines: int = 8) -> list[str]:
        """Return the lines of a PEM block."""
        body = [self.chars(_B64, 64) for _ in range(lines)] + [self.chars(_B64, 22) + "=="]
        return ["-----BEGIN " + label + "-----", *body, "-----END " + label + "-----"]

    def jwt(self) -> str:
        """Return a signed JSON Web Token."""
        parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": self.chars(_ALNUM, 12), "iat": 1_700_000_000})
        coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        return ".".join((*coded, self.chars(_URL, 43)))

    def all(self) -> list[Planted]:
        """Return one secret of each kind."""
        return [*self._tokens(), *self._blocks(), *self._generic()]

    def forms(self) -> list[Planted]:
        """Return random values in each way in which people write a secret in code."""
        made = ((form, self.chars(_ALNUM, 24)) for form in _FORMS)
        return [Planted(form, form.format(value), (value,)) for form, value in made]

    def _tokens(self) -> list[Planted]:
        rows: list[tuple[str, str]] = [
            ("AWS key id", "AKIA" + self.chars(string.ascii_uppercase + "234567", 16)),
            ("AWS session key id", "ASIA" + self.chars(string.ascii_uppercase + "234567", 16)),
            *((f"GitHub {each}", f"{each}_" + self.chars(_ALNUM, 36)) for each in ("ghp", "gho", "ghu", "ghs", "ghr")),
            ("GitHub fine-grained", "github_pat_" + self.chars(_ALNUM, 22) + "_" + self.chars(_ALNUM, 59)),
            ("GitLab", "glpat-" + self.chars(_URL, 20)),
            ("Slack bot", "xoxb-" + self.chars(string.digits, 12) + "-" + self.chars(_ALNUM, 24)),
            ("Slack app", "xapp-1-A" + self.chars(_ALNUM, 10) + "-" + self.chars(string.digits, 12)),
            ("Stripe live", "sk_live_" + self.chars(_ALNUM, 24)),
            ("Stripe restricted", "rk_live_" + self.chars(_ALNUM, 24)),
            ("webhook", "whsec_" + self.chars(_ALNUM, 32)),
            ("Anthropic", "sk-ant-" + "api03-" + self.chars(_URL, 93) + "AA"),
            ("OpenAI", "sk-" + self.chars(_ALNUM, 48)),
            ("OpenAI project", "sk-proj-" + self.chars(_URL, 100)),
            ("OpenRouter", "sk-or-" + "v1-" + self.chars(_HEX, 64)),
            ("Google API", "AIza" + self.chars(_URL, 35)),
            ("Google OAuth", "ya29." + self.chars(_URL, 80)),
            ("Google client", "GOCSPX-" + self.chars(_URL, 28)),
            ("Hugging Face", "hf_" + self.chars(_ALNUM, 34)),
            ("npm", "npm_" + self.chars(_ALNUM, 36)),
            ("PyPI", "pypi-" + "AgEIcHlwaS5vcmc" + self.chars(_URL, 80)),
            ("RubyGems", "rubygems_" + self.chars(_HEX, 48)),
            ("Docker Hub", "dckr_pat_" + self.chars(_URL, 27)),
            ("DigitalOcean", "dop_v1_" + self.chars(_HEX, 64)),
            ("SendGrid", "SG." + self.chars(_URL, 22) + "." + self.chars(_URL, 43)),
            ("Mailgun", "key-" + self.chars(_HEX, 32)),
            ("Mailchimp", self.chars(_HEX, 32) + "-us12"),
            ("Twilio", "SK" + self.chars(_HEX, 32)),
            ("Telegram", self.chars("123456789", 9) + ":AA" + self.chars(_URL, 33)),
            ("Discord", "M" + self.chars(_ALNUM, 23) + "." + self.chars(_URL, 6) + "." + self.chars(_URL, 38)),
            ("Shopify", "shpat_" + self.chars(_HEX, 32)),
            ("Square", "sq0atp-" + self.chars(_URL, 22)),
            ("Databricks", "dapi" + self.chars(_HEX, 32)),
            ("Doppler", "dp.pt." + self.chars(_ALNUM, 43)),
            ("Linear", "lin_api_" + self.chars(_ALNUM, 40)),
            ("Notion", "ntn_" + self.chars(_ALNUM, 46)),
            ("Figma", "figd_" + self.chars(_URL, 40)),
            ("New Relic", "NRAK-" + self.chars(string.ascii_uppercase + string.digits, 27)),
            ("Grafana", "glsa_" + self.chars(_ALNUM, 32) + "_" + self.chars(_HEX, 8)),
            ("Vault", "hvs." + self.chars(_URL, 90)),
            ("Terraform", self.chars(_ALNUM, 14) + ".atlasv1." + self.chars(_URL, 64)),
            ("Postman", "PMAK-" + self.chars(_HEX, 24) + "-" + self.chars(_HEX, 34)),
            ("Atlassian", "ATATT3" + self.chars(_URL, 180)),
            ("Airtable", "pat" + self.chars(_ALNUM, 14) + "." + self.chars(_HEX, 64)),
            ("Groq", "gsk_" + self.chars(_ALNUM, 52)),
            ("Replicate", "r8_" + self.chars(_ALNUM, 37)),
            ("Tailscale", "tskey-auth-" + self.chars(_ALNUM, 12) + "-" + self.chars(_ALNUM, 32)),
            ("Azure client", self.chars(_ALNUM, 3) + "8Q~" + self.chars(_ALNUM, 34)),
            ("age", "AGE-SECRET-" + "KEY-1" + self.chars(string.ascii_uppercase + string.digits, 58)),
            ("Alibaba", "LTAI" + self.chars(_ALNUM, 20)),
            ("JSON web token", self.jwt()),
        ]
        return [Planted(kind, f'    client = connect("{value}", retries=3)', (value,)) for kind, value in rows]

    def _blocks(self) -> list[Planted]:
        found = []
        labels = ("RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
                  "DSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK")  # fmt: skip
        for label in labels:
            lines = self.pem(label)
            found.append(Planted(label, 'KEY = """' + "\n".join(lines) + '\n"""', tuple(lines[1:-1])))
        lines = self.pem()
        found.append(Planted("one-line key", 'KEY = "' + "\\n".join(lines) + '\\n"', tuple(lines[1:-1])))
        lines = self.pem()
        found.append(Planted("key in JSON", '{"private_key": "' + "\\n".join(lines) + '"}', tuple(lines[1:-1])))
        lines = self.pem()
        glued = "\n".join(f'    "{line}\\n"' for line in lines)
        found.append(Planted("glued key", f"KEY = (\n{glued}\n)", tuple(lines[1:-1])))
        lines = self.pem()
        found.append(Planted("commented key", "\n".join(f"# {line}" for line in lines), tuple(lines[1:-1])))
        lines = self.pem()[:-1]
        found.append(
            Planted("key without an end", "\n".join(lines) + "\n\n\ndef after():\n    pass\n", tuple(lines[1:]))
        )
        return found

    def _generic(self) -> list[Planted]:
        make: Callable[[str, int], str] = self.chars
        login, aws = make(_ALNUM, 18), make(_B64, 40)
        basic = base64.b64encode(f"bob:{make(_ALNUM, 15)}".encode()).decode()
        rows: list[tuple[str, str, str]] = [
            ("AWS secret", "AWS_SECRET_ACCESS_KEY = '{}'", aws),
            ("password", 'password = "{}"', "hunter2" * 2),
            ("password with marks", 'DB_PASSWORD = "{}"', "k9#" + make(_ALNUM, 7) + "!x"),
            ("password by type", 'password: str = "{}"', make(_ALNUM, 14)),
            ("password as argument", 'connect(user="bob", password="{}", port=1)', make(_ALNUM, 12)),
            ("password in a dict", "{{'user': 'bob', 'password': '{}'}}", make(_ALNUM, 12)),
            ("password in brackets", 'config["db_password"] = "{}"', make(_ALNUM, 13)),
            ("password in JavaScript", "const dbPassword = `{}`;", make(_ALNUM, 13)),
            ("password in YAML", "password: {}", make(_ALNUM, 16)),
            ("password in a shell", "export DB_PASSWORD={}", make(_ALNUM, 16)),
            ("password in Go", 'apiSecret := "{}"', make(_ALNUM, 24)),
            ("password in Ruby", ':password => "{}"', make(_ALNUM, 14)),
            ("password in XML", "<password>{}</password>", make(_ALNUM, 14)),
            ("password in properties", "spring.datasource.password={}", make(_ALNUM, 14)),
            ("password compared", 'if password == "{}":', make(_ALNUM, 14)),
            ("password in SQL", "CREATE USER bob IDENTIFIED BY '{}';", make(_ALNUM, 14)),
            ("password on a line below", 'password = (\n    "{}"\n)', make(_ALNUM, 14)),
            ("default of a variable", 'os.environ.get("API_TOKEN", "{}")', make(_ALNUM, 32)),
            ("phrase", 'admin_password = "{}"', "correcthorse" + "batterystaple"),
            ("PostgreSQL address", 'URL = "postgres://bob:{}@db.internal:5432/app"', login),
            ("MongoDB address", 'URL = "mongodb+srv://bob:{}@cluster0.mongodb.net/x"', make(_ALNUM, 16)),
            ("Redis address", 'URL = "redis://:{}@cache:6379/0"', make(_ALNUM, 16)),
            ("web address", 'URL = "https://bob:{}@example.org/x"', make(_ALNUM, 16)),
            ("ADO connection", '"Server=db;Database=x;User Id=sa;Password={};"', make(_ALNUM, 14)),
            ("libpq connection", '"host=db user=bob password={} dbname=x"', make(_ALNUM, 14)),
            ("Azure storage", '"AccountName=x;AccountKey={};EndpointSuffix=core"', make(_B64, 86) + "=="),
            ("bearer header", 'headers = {{"Authorization": "Bearer {}"}}', make(_ALNUM, 40)),
            ("basic header", 'headers = {{"Authorization": "Basic {}"}}', basic),
            ("key header", "'X-Api-Key': '{}'", make(_ALNUM, 32)),
            ("curl", "curl -u bob:{} https://example.org", make(_ALNUM, 14)),
            ("query", 'get("https://api.example.org/v1?api_key={}")', make(_ALNUM, 32)),
            ("flag", "deploy --token {} --now", make(_ALNUM, 30)),
            ("secret key", 'SECRET_KEY = "{}"', make(_ALNUM + "!@#%^&*(-_=+)", 50)),
            ("client secret", 'client_secret: "{}"', make(_URL, 40)),
            ("encryption key", 'ENCRYPTION_KEY = "{}"', make(_HEX, 64)),
            ("unnamed entropy", 'blob = "{}"', make(_ALNUM, 48)),
            (
                "Slack webhook",
                '"https://hooks.slack.com/services/{}"',
                "T" + make(_ALNUM, 8) + "/B" + make(_ALNUM, 8) + "/" + make(_ALNUM, 24),
            ),
            ("Discord webhook", '"https://discord.com/api/webhooks/123456789012345678/{}"', make(_URL, 68)),
            ("netrc", "machine example.org login bob password {}", make(_ALNUM, 14)),
            ("npmrc", "//registry.example.org/:_authToken={}", make(_URL, 36)),
            ("password hash", 'HASH = "{}"', "$2b$12$" + make(_ALNUM, 53)),
            ("Sentry", '"https://{}@o1.ingest.sentry.io/2"', make(_HEX, 32)),
            (
                "mnemonic",
                'mnemonic = "{}"',
                "legal winner thank year wave sausage worth useful legal winner thank yellow",
            ),
        ]
        return [Planted(kind, form.format(value), (value,)) for kind, form, value in rows]
