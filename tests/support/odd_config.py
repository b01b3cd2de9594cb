"""Invalid and unusual configuration files: seeded mutations of the example and of rows of the tier table."""

from __future__ import annotations

import random
import re

SECRET = "sk-live-51Hx9Qq7ZtYpLw3RbVn8KdMc2"
"""A key pasted into the file by mistake. No message may repeat it."""
VALUES = (
    "nan", "-inf", "inf", "1e400", "-1e400", "0x7fffffffffffffffffff", "9" * 4_000, "-" + "9" * 60, "1" + "0" * 20,
    "-1", "0", "1.5", "true", '""', '" "', '"\\u0000"', '"\\ud7ff\\U0010ffff"', "1979-05-27", "1979-05-27T07:32:00Z",
    "1979-05-27 07:32:00", "07:32:00", "[]", "{}", "[[[[[]]]]]", "{a={b={c={d={}}}}}", '["x", 5, nan]', "[{}, []]",
    '"' + "x" * 5_000 + '"', '"é😀\\u202e"', '"~/a\\u0000b"', '"mine/small"', '"mine"', '"../../etc/passwd"', '"%"',
    '"file:///etc/passwd"', '"http://user:pw@host/"', '"https://[::1"', f'"postgresql://u:{SECRET}@h"', '"(?=x)"',
    '"((((((((((a*)*)*)*)*)*)*)*)*)*"', '"a{1000}{1000}{1000}"', f'"{SECRET}"', "{ input = nan, output = -1 }",
    f'"https://h/?key={SECRET}"', f'["{SECRET}"]', f'{{ "{SECRET}" = 1 }}', "'''\na\n'''",
)  # fmt: skip
"""Right-hand sides of an assignment; each is valid TOML."""
LINES = (
    "[[models]]\nid = 5", "[[models]]", "[providers.mine2]", "[actions.fix.fix]", "[languages.'']", '[languages."a.b"]',
    '[providers."é"]\nwire = 5', "a.b.c.d.e.f = 1", f'key_env2 = "{SECRET}"', f"{SECRET} = 1", f"[providers.{SECRET}]",
    f'[providers.other]\nkey_env = "{SECRET}"', f'[providers.third]\napi_key = "{SECRET}"', "[[models]]\n" * 300,
    "x = " + "{a=" * 90 + "1" + "}" * 90, '[actions.nofix]\nquality = "x"', "[budgets]\nday = 5", "[n.a.b]\nc = nan",
)  # fmt: skip
"""Lines of valid TOML to insert before a table."""
BROKEN = (
    "[.]", "budget = 5", "models = 5", "[[budget]]", "providers = { mine = { wire = 5 } }", ".".join("a" * 30) + " = 1",
    "= 1", "x =", "\x00", "\x1b[31m", "\u2028", 'key = """', "[" * 500, "x = " + "[" * 500 + "]" * 500,
    "x = " + "[" * 20_000,
    "x = " + "9" * 5_000, "x = 1e99999999999999999999", f"[{SECRET}]\n[{SECRET}]", f'"{SECRET}"', f"key = {SECRET}",
    f"{SECRET} = 1\n{SECRET} = 2", "x = 1979-99-99", 'x = "\\q"', "x = {a = 1, a = 2}",
)  # fmt: skip
"""Lines that are invalid TOML, or that conflict with other lines."""
_PAIR = re.compile(r"^([\w.\"'-]+[ \t]*=[ \t]*)(.*)$")
_BYTES = (b"\xff", b"\xc3", b"\x00", b"\xed\xa0\x80", b"\r", b"\xef\xbb\xbf", b"\x80")
_WIDE = ("utf-16", "utf-16-le", "utf-32")


def spelled_out(example: str) -> str:
    """Return the example file with its commented examples turned into settings."""
    return "\n".join(line.removeprefix("#:") for line in example.splitlines() if not line.startswith("# ")) + "\n"


def odd_file(dice: random.Random, text: str) -> bytes:
    """Return the bytes of a configuration file with one to four errors in it."""
    lines = text.splitlines()
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(lines))
        pair = _PAIR.match(lines[at])
        if dice.random() < 0.3:
            _disturb(dice, lines, at)
        elif pair:
            lines[at] = pair[1] + dice.choice(VALUES)
        else:
            headers = [number for number, line in enumerate(lines) if line.startswith("[")] or [len(lines)]
            place = dice.choice(headers)
            lines[place:place] = dice.choice(LINES).split("\n")
    return _bytes(dice, dice.choice(("\n", "\n", "\r\n")).join(lines))


def _disturb(dice: random.Random, lines: list[str], at: int) -> None:
    """Delete, swap, repeat or break lines, or insert nonsense."""
    match dice.randrange(6):
        case 0 | 1:
            lines[at : at + 1] = lines[at : at + 1] if len(lines) < 4 else []
        case 2:
            other = dice.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at:at] = lines[at : at + dice.randint(1, 12)]
        case 4:
            lines[at:at] = dice.choice(BROKEN).split("\n")
        case _:
            lines[at] = lines[at].replace("=", f" {dice.choice(('.', '=', '#', ' '))} ", 1)


def _bytes(dice: random.Random, text: str) -> bytes:
    """Return the bytes of a text; sometimes truncated, corrupted, or in another encoding."""
    body = text.encode()
    at = dice.randrange(len(body) + 1)
    match dice.randrange(30):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + dice.choice(_BYTES) + body[at:]
        case 2:
            return b"\xef\xbb\xbf" + body
        case 3:
            return text.encode(dice.choice(_WIDE))
    return body
