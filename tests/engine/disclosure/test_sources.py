"""A secret that a text holds in several encodings leaves in none of them, and an edit beside it works."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.engine.disclosure.test_what_leaves import PLANTER, scene, texts, whole
from tests.engine.test_run import steps

from tuppence.core.actions import FIX
from tuppence.core.events import RunFinished
from tuppence.core.text.document import apply


@pytest.mark.attack("what leaves", "a secret in another encoding beside it")
async def test_a_secret_that_is_encoded_elsewhere_does_not_leave(tmp_path: Path) -> None:
    secret = "k9#" + PLANTER.chars("abcdefghkmnpq23456789", 9) + "&/x!"
    others = [quote(secret, safe=""), secret[::-1], secret.encode().hex(), base64.b64encode(secret.encode()).decode()]
    lines = "".join(f'    see("{each}")\n' for each in others)
    text = f'password = "{secret}"\n\n\ndef mean(xs):\n{lines}    return sum(xs) / len(x)\n'
    async with scene(tmp_path) as s:
        s.upstream.always(whole)
        made = await steps(s.request(FIX, text=text, diagnostics=()), s.session)
        body = texts(s.upstream.requests[0])
        assert not [each for each in (secret, *others) if each in body]
        done = made[-1]
        assert isinstance(done, RunFinished)
        assert done.answer is not None, done.why
        assert apply(text, done.answer.edits) == text.replace("len(x)", "len(xs)")
