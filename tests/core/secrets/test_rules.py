"""Tokens of more vendors, and values that are on the line below the word that tells of them, are found."""

from __future__ import annotations

import string
from typing import Any

import pytest
from planted import Planter

from tuppence.core.secrets.detect import SecretDetector

DETECTOR = SecretDetector()
_P = Planter(71)
_ALNUM, _HEX = string.ascii_letters + string.digits, "0123456789abcdef"
_URL = _ALNUM + "-_"
_MIXED = "ABCDEFGHJKabcdefgh23456789"


def _any(count: int, alphabet: str = _ALNUM) -> str:
    return _P.chars(alphabet, count)


def _uuid() -> str:
    return "-".join(_any(count, _HEX) for count in (8, 4, 4, 4, 12))


CASES = {
    "LaunchDarkly": ('x = "{}"', "sdk-" + _uuid()),
    "HubSpot": ('x = "{}"', "pat-na1-" + _uuid()),
    "Langfuse": ('x = "{}"', "sk-lf-" + _uuid()),
    "AWS MWS": ('x = "{}"', "amzn.mws." + _uuid()),
    "Trello": ('x = "{}"', "ATTA" + _any(72, _HEX)),
    "Neon": ('x = "{}"', "npg_" + _any(12)),
    "Cerebras": ('x = "{}"', "csk-" + _any(48, "abcdefghijkmnpqrstuvwxyz23456789")),
    "Firecrawl": ('x = "{}"', "fc-" + _any(32, _HEX)),
    "Tinybird": ('x = "{}"', "p.eyJ" + _any(60, _URL) + "." + _any(43, _URL)),
    "encrypted JSON web token": ('x = "{}"', "eyJhbGciOiJkaXIifQ" + ".." + ".".join(_any(n) for n in (16, 60, 22))),
    "Azure DevOps": ('AZURE_DEVOPS_PAT = "{}"', _any(52, "abcdefghijklmnopqrstuvwxyz234567")),
    "Twilio": ('Client(account_sid, "{}")', _any(32, _HEX)),
    "Algolia": ('algoliasearch("APPID12345", "{}")', _any(32, _HEX)),
    "SonarQube": ("sonar.login={}", _any(40, _HEX)),
    "OpsGenie": ("Authorization: GenieKey {}", _uuid()),
    "Azure function": ("https://f.azurewebsites.net/api/x?code={}", _any(54, _URL) + "=="),
    "S3 address": ("https://b.s3.amazonaws.com/k?X-Amz-Date=2030&X-Amz-Signature={}", _any(64, _HEX)),
    "Apache's password file": ("bob:{}", "$apr1$" + _any(8) + "$" + _any(22)),
    "PowerShell": ("ConvertTo-SecureString '{}' -AsPlainText -Force", _any(14)),
    "sqlplus": ("sqlplus scott/{}@orcl", _any(14)),
    "JDBC of Oracle": ('"jdbc:oracle:thin:scott/{}@//db:1521/x"', _any(14)),
    "smbclient": ("smbclient //s/share -U bob%{}", _any(14)),
    "password with a slash": ('"postgres://bob:{}@db/x"', "Pp9" + _any(6) + "/" + _any(6)),
    "make": ("API_TOKEN := {}", _any(24)),
    "block of YAML": ("password: |\n  {}\n", _any(20, _MIXED)),
    "folded block of YAML": ("api_token: >-\n  {}\n", _any(20, _MIXED)),
    "list of YAML": ("passwords:\n  - none\n  - {}\n", _any(20, _MIXED)),
    "property list": ("<key>APIKey</key>\n<string>{}</string>", _any(24, _MIXED)),
    "continued line": ('password = \\\n    "{}"', _any(24, _MIXED)),
    "text of many lines": ('token = """\n{}\n"""', _any(24, _MIXED)),
    "here document": ("$password = <<<X\n{}\nX;", _any(24, _MIXED)),
    "word of another language": ("password: {}", "Gehäuse7Üxÿ9"),
}
HARMLESS = '''
URL = "http://localhost:8080/users/me@2"
image: registry:5000/team/app@sha256:4bf47b0e1e8a9c5cf0c5b5f5d5c5b5a595857565554535251504f4e4d4c4b4a49
import { api-client } from "x"
keys:
  - authenticationProvider
  - first_name
  - oauth2Client
token = """
authenticationRequired
"""
account_sid = os.environ["TWILIO_ACCOUNT_SID"]
https://x.azurewebsites.net/api/x?code=
authenticate(
    authenticationProvider,
    sessionStorageKey2,
)
passwordHasher :=
    newPasswordHasher2
'''


def hidden(text: str, secret: str, end: str) -> bool:
    text = f"import os\n\n\n{text}\n\nx = 1\n".replace("\n", end)
    rest = list(text)
    for each in DETECTOR.find(text):
        rest[each.span.start : each.span.end] = "\0" * len(each.span)
    return secret not in "".join(rest)


@pytest.mark.attack("what leaves", "a token in its vendor's form, or on the line below")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_it_is_found(end: str, record_property: Any) -> None:
    record_property("cases", len(CASES))
    assert [name for name, (form, value) in CASES.items() if not hidden(form.format(value), value, end)] == []


def test_what_only_looks_like_it_is_left_alone() -> None:
    assert [HARMLESS[each.span.start : each.span.end] for each in DETECTOR.find(HARMLESS)] == []
