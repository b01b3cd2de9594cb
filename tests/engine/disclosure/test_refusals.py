"""Requests that are never sent: unreadable files, telling names without consent, requests that would leak."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted_provider import answer
from tests.engine.disclosure.test_what_leaves import KEY, SRC, Scene, scene, texts, whole
from tests.engine.test_run import steps

from tuppence.core.actions import EXPLAIN, FIX
from tuppence.core.events import RunFinished
from tuppence.core.prompt.compose import Prompt
from tuppence.core.secrets import detect
from tuppence.core.secrets.detect import SecretDetector
from tuppence.core.secrets.placeholder import Unsearchable
from tuppence.engine import hover
from tuppence.engine.disclosure.disclosure import Disclosures
from tuppence.engine.keep_alive import KeepAlive
from tuppence.engine.session import ModelApprovals
from tuppence.errors import Refused, Unfit

PLAIN = "def mean(xs):\n    return sum(xs) / len(x)\n"


def why(made: list[Any]) -> str:
    done = made[-1]
    assert isinstance(done, RunFinished)
    assert done.answer is None
    return done.why


@pytest.mark.attack("what leaves", "a provider's key in a source file")
@pytest.mark.parametrize("place", ["constant", "comment", "target"])
async def test_a_providers_key_in_a_file_is_a_secret(tmp_path: Path, place: str) -> None:
    text = {
        "constant": f"x = f('{KEY}')\n\n\n{PLAIN}",
        "comment": f"# {KEY}\n\n\n{PLAIN}",
        "target": PLAIN.replace("    return", f"    call('{KEY}')\n    return"),
    }[place]
    async with scene(tmp_path) as s:
        s.upstream.always(whole)
        made = await steps(s.request(FIX, text=text, diagnostics=()), s.session)
        assert KEY not in texts(s.upstream.requests[0])
        assert isinstance(made[-1], RunFinished)
        assert made[-1].answer is not None


@pytest.mark.attack("what leaves", "the outermost guard")
@pytest.mark.parametrize("secret", ["a-secret-that-was-not-replaced", 'with "quotes" and \\ marks', "short9x"])
@pytest.mark.parametrize("wire", ["openai", "anthropic"])
async def test_a_request_that_would_leak_is_not_sent(tmp_path: Path, secret: str, wire: Any) -> None:
    async with scene(tmp_path, wire=wire) as s:
        model = next(each for each in s.session.config().models if each.id == "small")
        for prompt in (
            Prompt("system", (f"a file with {secret}\n",), "tail", 100, withheld=(secret,)),
            Prompt("system", (), f"x = '{secret}'", 100, withheld=("other-thing", secret)),
        ):
            with pytest.raises(Refused, match="a secret would have gone out"):
                async for _ in s.session.upstream.answer(prompt, model, KEY):
                    pass
        assert s.upstream.requests == []


@pytest.mark.attack("what leaves", "the outermost guard")
async def test_a_key_in_a_body_is_not_sent(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        model = next(each for each in s.session.config().models if each.id == "small")
        with pytest.raises(Refused, match="a secret would have gone out"):
            async for _ in s.session.upstream.answer(Prompt("", (f"# {KEY}",), "", 100), model, KEY):
                pass
        assert s.upstream.requests == []


@pytest.mark.attack("what leaves", "a file that cannot be judged")
@pytest.mark.parametrize("case", ["too long", "too many", "the detector fails"])
async def test_what_cannot_be_judged_is_not_sent(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_self: object, _text: str) -> Any:
        raise RuntimeError

    match case:
        case "too long":
            monkeypatch.setattr(detect, "LARGEST", len(SRC) - 1)
        case "too many":
            monkeypatch.setattr(detect, "MOST", 3)
        case _:
            monkeypatch.setattr(SecretDetector, "find", fails)
    async with scene(tmp_path) as s:
        said = why(await steps(s.request(FIX), s.session))
        assert said.startswith("Nothing was sent, because app.py cannot be searched for secrets")
        assert "Move the code to a file of its own" in said
        assert s.upstream.requests == []


def telling(s: Scene, *answers: str | None) -> list[tuple[str, tuple[str, ...]]]:
    """Have a person answer questions in that order; return the questions."""
    asked: list[tuple[str, tuple[str, ...]]] = []
    left = list(answers)

    async def ask(question: str, choices: tuple[str, ...]) -> str | None:
        asked.append((question, choices))
        return left.pop(0)

    s.session.approvals = ModelApprovals(ask_user=ask)
    return asked


def inside(s: Scene, action: Any = FIX) -> Any:
    """Ask about ``mean`` in a file with a telling name."""
    request = s.request(action, text=PLAIN, diagnostics=())
    path = s.root / "secrets.py"
    path.write_text(PLAIN)
    return replace(request, path=path, document=replace(request.document, uri=path.as_uri()))


@pytest.mark.attack("what leaves", "a source file with a telling name")
@pytest.mark.parametrize("word", ["Don't send", None])
@pytest.mark.parametrize("scheme", ["file", "git"])
async def test_a_telling_source_is_not_sent_without_a_word(tmp_path: Path, word: str | None, scheme: str) -> None:
    async with scene(tmp_path) as s:
        asked = telling(s, word)
        request = inside(s)
        if scheme == "git":
            old = replace(request.document, uri=request.document.uri.replace("file:", "git:") + "?%7B%22ref%22%7D")
            request = replace(request, document=old, path=None)
        said = why(await steps(request, s.session))
        assert said == "secrets.py was not sent: it may hold secrets, and you did not agree."
        assert s.upstream.requests == []
        assert asked == [
            (
                "`secrets.py` may hold secrets. Send it to mine (what was detected is replaced)?",
                ("Send", "Don't send"),
            )
        ]


async def test_a_telling_source_is_asked_about_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        asked = telling(s, "Send")
        s.upstream.always(whole)
        for _ in range(2):
            done = (await steps(inside(s), s.session))[-1]
            assert isinstance(done, RunFinished)
            assert done.answer is not None
        assert len(asked) == 1
        assert len(s.upstream.requests) == 2


@pytest.mark.attack("what leaves", "a source file with a telling name")
async def test_nothing_by_itself_asks_or_sends_a_telling_source(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        asked = telling(s)
        with pytest.raises(Unfit, match="only after a person says so"):
            await hover.authorize(inside(s, EXPLAIN), s.session)
        keeper = KeepAlive(s.session, lambda _uri: None)
        with pytest.raises(Unfit, match="only after a person says so"):
            await keeper.warm(inside(s, EXPLAIN))
        await keeper.close()
        assert await hover.quote(inside(s, EXPLAIN), s.session)
        assert (asked, s.upstream.requests) == ([], [])


@pytest.mark.attack("what leaves", "a telling source in the context of others")
async def test_a_telling_source_is_not_shown_with_another_file(tmp_path: Path) -> None:
    async with scene(tmp_path) as s:
        (s.root / "credentials.py").write_text('class Login:\n    """How people log in here."""\n')
        text = "from credentials import Login\nfrom helper import Box\n\n\n" + PLAIN.replace(
            "len(x)", "len(x), Login, Box"
        )
        text = text.replace("len(x), Login, Box", "len(x) + Login + Box")
        s.upstream.always(answer("no"))
        await steps(s.request(EXPLAIN, text=text, diagnostics=()), s.session)
        assert "How people log in here" not in json.dumps(s.upstream.requests[0].body)
        assert "class Box" in texts(s.upstream.requests[0])


async def test_a_key_that_cannot_be_kept_holds_for_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    known = Disclosures(lambda: tmp_path / "file" / "below")
    assert len(known.salt()) == 32
    assert known.salt() == known.salt()


@pytest.mark.attack("hostile sizes", "a text made to slow the detector")
@pytest.mark.parametrize(
    "unit",
    [
        "password=", "a.", "key = '", "-----BEGIN PRIVATE KEY-----\n", "eyJ", "://", "://a:", "A" * 50 + "=", "x-key",
        '"', "{", "token token ", "AKIA", "sk-ant-", "https://user:", "\\n", "Private-Lines: 9\n",
        "é password='a1b2c3d4' ",
    ],
)  # fmt: skip
def test_a_hostile_text_takes_steps_in_proportion(unit: str) -> None:
    import sys

    detector = SecretDetector()

    def steps_of(text: str) -> int:
        count = 0

        def profile(_frame: object, event: str, _argument: object) -> None:
            nonlocal count
            count += event in ("call", "c_call")

        sys.setprofile(profile)
        try:
            detector.find(text)
        except Unsearchable:
            pass
        finally:
            sys.setprofile(None)
        return count

    small, large = (steps_of(unit * (size // len(unit))) for size in (16_000, 64_000))
    assert large <= 5 * small + 2000
