"""The whole server: a secret never reaches the provider, and the editor never shows its placeholder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from planted import Planter
from scenario import lines, messages
from scripted_provider import answer
from server import Stage, pick, stage
from tests.engine.disclosure.test_what_leaves import texts, whole

P = Planter(21)
TOKEN = "ghp_" + P.chars("ABCDEFabcdef0123456789", 36)
PEM = P.pem()
SRC = (
    'KEY = """\n' + "\n".join(PEM) + f'\n"""\n\n\ndef mean(xs):\n    call("{TOKEN}")\n    return sum(xs) / len(x)\n\n\n'
    "def other():\n    return 1\n"
)
SECRETS = (TOKEN, *PEM[1:-1])
FIXED = SRC.replace("len(x)", "len(xs)")


async def ask(s: Stage, title: str, name: str = "app.py") -> Any:
    """Run an action on ``mean``; return the buffer."""
    buffer = next(iter(s.editor.buffers.values()), None) or s.editor.open(s.write(name, SRC), "python")
    await s.editor.run(pick(await s.editor.menu(buffer, buffer.text.index("return sum")), title))
    return buffer


def leaked(s: Stage) -> list[str]:
    bodies = "\n".join(json.dumps(each.body) for each in s.upstream.requests)
    return [secret for secret in SECRETS if secret in bodies]


@pytest.mark.attack("what leaves", "the whole server")
@pytest.mark.parametrize("editor", [{"streams": True}, {}], ids=["live", "final"])
async def test_a_fix_comes_back_whole_and_nothing_leaves(tmp_path: Path, editor: dict[str, Any]) -> None:
    async with stage(tmp_path, **editor) as s:
        s.upstream.always(whole)
        buffer = await ask(s, "Fix")
        assert buffer.text == FIXED
        assert leaked(s) == []
        [seen] = s.upstream.requests
        shown = texts(seen).partition('call("')[2][: len(TOKEN)]
        assert shown.startswith("ghp_")
        assert shown != TOKEN
        assert TOKEN not in json.dumps([messages(s), lines(s), s.editor.seen.logs])
        assert shown not in "".join(map(str, (s.editor.seen.drafts, s.editor.seen.edits)))
        said = "2 secrets in `app.py` are replaced before it is sent (private key, line 3; GitHub token, line 17)."
        assert any(said in each for each in [*messages(s), *s.editor.seen.logs])
        await ask(s, "Explain")
        assert sum(said in each for each in [*messages(s), *s.editor.seen.logs]) == 1
    assert [path for path in s.home.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()] == []


@pytest.mark.attack("what leaves", "a source file with a telling name")
async def test_a_telling_source_is_asked_about(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        s.upstream.always(answer("`mean` averages `xs`."))
        s.editor.answer = lambda _params: "Don't send"
        await ask(s, "Explain", "secrets.py")
        assert s.upstream.requests == []
        assert s.editor.seen.questions == [
            "`secrets.py` may hold secrets. Send it to mine (what was detected is replaced)?"
        ]
        assert any(
            "secrets.py was not sent: it may hold secrets, and you did not agree." in each for each in messages(s)
        )
