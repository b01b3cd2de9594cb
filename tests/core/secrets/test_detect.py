"""Secrets are found in the shapes in which people write them, in linear time, and ordinary code is left alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from planted import Planted, Planter

from tuppence.core.secrets import detect
from tuppence.core.secrets.detect import FoundSecret, SecretDetector, _apart
from tuppence.core.secrets.placeholder import Unsearchable
from tuppence.core.secrets.plausible import plausible
from tuppence.core.text.document import Span

DETECTOR = SecretDetector()
ORDINARY = """
password = "secret"
password = "password"
password = "test"
password = ""
password = None
password = getpass.getpass("Password: ")
password = os.environ["DB_PASSWORD"]
password = config.get("database", "password")
password = f"{prefix}-{suffix}"
password = "${DB_PASSWORD}"
password = "{{ vault_password }}"
password = "<your password>"
password = "changeme"
password = "your-password-here"
password_field = "current-password"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
label = "Enter your password"
error = "The password must have 8 characters or more"
token = next(tokens)
token = "access_token"
token_type = "bearer"
TOKEN_URL = "https://auth.example.org/oauth2/token"
token: str = Depends(oauth2_scheme)
api_key = settings.api_key
api_key = "API_KEY"
api_key_header = "X-Api-Key"
key = "id"
key = lambda each: each.name
sort(key=len)
primary_key=True
secret_name = "prod/app/database"
client = SecretClient(vault_url=url, credential=DefaultAzureCredential())
URL = "postgres://user:password@localhost:5432/app"
URL = "postgres://app:app@db:5432/app"
URL = "amqp://guest:guest@rabbit:5672/"
URL = f"postgres://{user}:{password}@{host}/db"
URL = "https://example.org/path?token=%s"
URL = "https://github.com/psf/requests/blob/main/README.md"
commit = "9fceb02d0ae598e95dc970b74767f19372d61af8"
sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"integrity": "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
uuid = "123e4567-e89b-12d3-a456-426614174000"
tenant_id: 123e4567-e89b-12d3-a456-426614174000
color_token = "#dddddd"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
pattern = r"(?i)password\\s*=\\s*[\\"'](\\w+)"
TOKEN_RE = re.compile(r"[A-Za-z0-9_]+")
def reset_password(user, token): ...
raise ValueError("Invalid token or expired session")
assert response.json()["token_type"] == "bearer"
const token = await getToken(user.id)
const { accessToken, refreshToken } = useAuth()
export const AUTH_TOKEN_KEY = "auth.token"
headers: { Authorization: `Bearer ${token}` }
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
pem = "-----BEGIN PRIVATE KEY-----\\n" + encoded_private_key + "\\n-----END PRIVATE KEY-----"
basic authentication
func (t *Token) Validate(ctx context.Context) error {
private final SecretKeySpec keySpec = new SecretKeySpec(keyBytes, "AES");
std::string passwordHash = hash(password);
let api_key: String = env::var("API_KEY")?;
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
key = x25519.X25519PrivateKey.generate()
token = hashlib.sha256(key).hexdigest()
import { SecretsManagerClient, GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
model = "gpt-4o-mini-2024-07-18-token"
image: nginx@sha256:4bf47b0e1e8a9c5cf0c5b5f5d5c5b5a595857565554535251504f4e4d4c4b4a49
""".strip().split("\n")


def found(text: str) -> list[str]:
    return [text[each.span.start : each.span.end] for each in DETECTOR.find(text)]


def left(text: str) -> str:
    """Return a text without what was found."""
    rest = list(text)
    for each in DETECTOR.find(text):
        rest[each.span.start : each.span.end] = "\0" * len(each.span)
    return "".join(rest)


def hidden(planted: Planted, text: str) -> bool:
    """Report whether nothing of a planted secret is left."""
    rest = left(text)
    return not any(secret in rest for secret in planted.secrets)


@pytest.mark.attack("what leaves", "planted secrets")
@pytest.mark.parametrize("seed", range(3))
def test_planted_secrets_are_found(seed: int, record_property: Any) -> None:
    planted = Planter(seed).all()
    assert len(planted) >= 60
    assert len({each.kind for each in planted}) >= 40
    record_property("cases", len(planted))
    around = "import os\n\n\ndef work(client):\n{}\n    return client\n"
    missed = [each for each in planted if not hidden(each, around.format(each.code))]
    assert not missed, [(each.kind, each.code[:160]) for each in missed]


@pytest.mark.attack("what leaves", "planted secrets in one file")
def test_all_of_them_in_one_file_with_text_that_is_not_ascii(record_property: Any) -> None:
    planted = Planter(17).all()
    record_property("cases", len(planted))
    text = "\n\n".join(f"# Schlüssel für 日本語 😀\n{each.code}" for each in planted)
    rest = left(text)
    assert [each.kind for each in planted if any(secret in rest for secret in each.secrets)] == []


@pytest.mark.attack("what leaves", "random values in many ways of writing")
def test_random_values_are_found_however_they_are_written(record_property: Any) -> None:
    planted = [each for seed in range(6) for each in Planter(100 + seed).forms()]
    missed = [each for each in planted if not hidden(each, f"import os\n\n{each.code}\n")]
    record_property("cases", len(planted))
    assert len(missed) <= len(planted) // 50, [each.code for each in missed]


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_code_is_left_alone(line: str) -> None:
    assert found(f"import os\n{line}\nprint(os)\n") == []


def test_what_a_person_allows_is_left_alone() -> None:
    token = "ghp_" + Planter(3).chars("abcdefgh23456789", 36)
    assert found(f'x = "{token}"\n') == [token]
    assert found(f'x = "{token}"  # gitleaks:allow\ny = 1\n') == []
    assert found(f'x = "{token}"\n# gitleaks:allow\n') == [token]
    assert SecretDetector([r"^ghp_[a-h2-9]{36}$"]).find(f'x = "{token}"\n') == ()


def test_spans_do_not_overlap_and_are_in_order() -> None:
    text = "\n".join(each.code for seed in range(2) for each in Planter(seed).all())
    spans = [each.span for each in DETECTOR.find(text)]
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(spans)


@pytest.mark.attack("hostile sizes", "a text that cannot be judged")
def test_what_cannot_be_judged_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "LARGEST", 1000)
    with pytest.raises(Unsearchable, match="more than 1,000 characters"):
        DETECTOR.find("x" * 1001)
    monkeypatch.setattr(detect, "LARGEST", 2_000_000)
    planter = Planter(1)
    many = "\n".join("ghp_" + planter.chars("abcdefgh23456789", 36) for _ in range(detect.MOST + 1))
    with pytest.raises(Unsearchable, match="more than 1000 secrets"):
        DETECTOR.find(many)


@pytest.mark.parametrize("between", ["\n", " ", "\nregion = eu-west-1\nthing: "])
def test_a_long_secret_beside_the_id_of_an_aws_key_is_one_whatever_it_is_called(between: str) -> None:
    identity, secret = "AKIAIOSFODNN7QWERTYA", "wJalrXUtnFEMIaK7MDENGabPxRfiCYzzLKJHGFDS"
    near = f"{identity}{between}{secret}\n"
    assert [each.kind for each in DETECTOR.find(near)] == ["AWS key", "AWS secret key"]
    assert found(near) == [identity, secret]
    assert found(f"{identity}\n{'x ' * 300}\n{secret}\n") == [identity], "far away it may be anything"
    for other in (secret.lower(), "a" * 40, f"{secret}0"):
        assert found(f"{identity}{between}{other}\n") == [identity]


def test_a_text_with_too_many_places_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(f'password{number} = "Tr0ub4d{number}&x9!kQ"\n' for number in range(30))
    assert len(found(text)) == 30
    monkeypatch.setattr("tuppence.core.secrets.detect._MATCHES", 29)
    with pytest.raises(Unsearchable, match="more than 29 places"):
        DETECTOR.find(text)


@pytest.mark.parametrize(
    ("value", "secret"), [("839271", True), ("111111", False), ("123456", False), ("83927", False)]
)
def test_digits_are_a_secret_only_as_a_password_without_a_pattern(value: str, *, secret: bool) -> None:
    assert plausible("named", value, "password") is secret
    assert not plausible("named", value, "code")


def test_of_secrets_that_overlap_the_rest_is_one_too_and_nothing_is_none() -> None:
    first, second = FoundSecret(Span(0, 10), "token"), FoundSecret(Span(5, 15), "password")
    assert list(_apart([second, first])) == [first, FoundSecret(Span(10, 15), "password")]
    assert list(_apart([first, FoundSecret(Span(2, 10), "key"), FoundSecret(Span(3, 3), "key")])) == [first]
    assert list(_apart([FoundSecret(Span(3, 3), "key"), FoundSecret(Span(3, 9), "token")])) == [
        FoundSecret(Span(3, 9), "token")
    ]
    assert list(_apart([FoundSecret(Span(3, 3), "key")])) == []
