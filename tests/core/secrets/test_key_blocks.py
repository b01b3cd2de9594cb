"""A private key's block is found in whatever dress: comments, escapes, base64, other dashes; what is public stays."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from planted import Planter

from tuppence.core.secrets.key_blocks import key_runs

LINES = Planter(72).pem()
BODY = LINES[1:-1]
Dress = Callable[[], str]
DRESSES: dict[str, Dress] = {
    "CRLF": lambda: "\r\n".join(LINES),
    "CR": lambda: "\r".join(LINES),
    "indented": lambda: "\n".join(f"\t    {each}" for each in LINES),
    "comment": lambda: "/*\n" + "\n".join(f" * {each}" for each in LINES) + "\n */",
    "mail": lambda: "\n".join(f"> {each}" for each in LINES),
    "diff": lambda: "\n".join(f"+{each}" for each in LINES),
    "glued": lambda: " +\n".join(f"'{each}\\n'" for each in LINES),
    "list": lambda: ",\n".join(f'"{each}"' for each in LINES),
    "HTML": lambda: "<br>".join(LINES),
    "XML": lambda: "&#10;".join(LINES),
    "JSON": lambda: "\\r\\n".join(LINES),
    "JSON in JSON": lambda: "\\\\n".join(LINES),
    "code points": lambda: "\\u000a".join(LINES),
    "one line": lambda: " ".join(LINES),
    "URL": lambda: "%0A".join(each.replace(" ", "%20") for each in LINES),
    "form": lambda: "%0A".join(each.replace(" ", "+") for each in LINES),
    "small letters": lambda: "\n".join((LINES[0].lower(), *BODY, LINES[-1].lower())),
    "SSH2": lambda: "\n".join(
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", *BODY, "---- END SSH2 ENCRYPTED PRIVATE KEY ----")
    ),
    "first line in two parts": lambda: '"-----BEGIN " + "RSA PRIVATE KEY-----\\n" +\n'
    + " +\n".join(f'"{each}\\n"' for each in BODY),
    "dashes apart": lambda: '"-----" + "BEGIN RSA PRIVATE KEY" + "-----\\n" +\n'
    + " +\n".join(f'"{each}\\n"' for each in BODY),
}  # fmt: skip


def left(text: str) -> str:
    rest = list(text)
    for start, end in key_runs(text):
        rest[start:end] = "\0" * (end - start)
    return "".join(rest)


@pytest.mark.attack("what leaves", "a private key in another dress")
def test_nothing_of_it_is_left(record_property: Any) -> None:
    record_property("cases", len(DRESSES))
    found = {name: left(f"import os\n\nkey = f({dress()})\n\nx = 1\n") for name, dress in DRESSES.items()}
    assert [name for name, rest in found.items() if any(line in rest for line in BODY)] == []


@pytest.mark.attack("what leaves", "a private key in base64 once more")
@pytest.mark.parametrize("label", ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY",
                                   "ENCRYPTED PRIVATE KEY", "DSA PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])  # fmt: skip
@pytest.mark.parametrize("encode", [base64.b64encode, base64.encodebytes])
def test_nothing_of_a_coded_one_is_left(label: str, encode: Callable[[bytes], bytes]) -> None:
    data = "\n".join(Planter(73).pem(label)).encode()
    coded = encode(data).decode()
    rest = left(f"client-key-data: {coded}\nauthenticationProvider:\n  x: authenticationProvider\n")
    assert not [line for line in coded.split() if line in rest]
    assert rest.count("authenticationProvider") == 2


def test_what_is_public_stays() -> None:
    certificate = "\n".join(Planter(74).pem("CERTIFICATE"))
    for text in (
        certificate,
        base64.b64encode(certificate.encode()).decode(),
        "\n".join(Planter(75).pem("PUBLIC KEY")),
        "---- BEGIN SSH2 PUBLIC KEY ----\n" + "\n".join(BODY) + "\n---- END SSH2 PUBLIC KEY ----",
        "-------- Begin of the private key section --------\nclass Authenticated:\n    sessionStorageProvider = 1\n",
    ):
        assert list(key_runs(text)) == []


def test_the_private_lines_of_a_putty_key_are_found_and_the_public_ones_stay() -> None:
    public, private = BODY[3], "\n".join(BODY[:3])
    text = (
        f"PuTTY-User-Key-File-3: ssh-ed25519\nPublic-Lines: 1\n{public}\nPrivate-Lines: 3\n{private}\nPrivate-MAC: 00\n"
    )
    assert [text[start:end] for start, end in key_runs(text)] == BODY[:3]
    assert list(key_runs("Private-Lines: 3\n\nnothing\n")) == []


def test_the_headers_of_a_block_stay() -> None:
    header = "Comment: abcdefgh12345678"
    text = "\n".join((LINES[0], header, "", *BODY, LINES[-1]))
    assert [text[start:end] for start, end in key_runs(text)] == BODY
    assert header in left(text)
