"""A provider that sends a key back, by every way that it has: the key is found nowhere that the server writes."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from planted_keys import KEYS, disguises, environment, in_bytes, in_text, in_tree, keyring_package
from scenario import FIXED, GOOD, SRC, messages
from scripted_provider import Reply, answer, error, error_in_stream, raw, redirect, sse
from server import CONFIG, Stage, pick, stage

from editor import Editor

KEYED = CONFIG.replace('base_url = "{base}"\n', 'base_url = "{base}"\nkey_env = "MINE_API_KEY"\n')
KEY = KEYS["MINE_API_KEY"]
FEW = ("plain", "zero-width spaces")
TEE = Path(__file__).parents[1] / "support" / "tee.py"
PLAIN = ("plain", "capitals", "spaces", "base64", "its beginning")


@asynccontextmanager
async def watched(tmp_path: Path, **how: Any) -> AsyncIterator[Stage]:
    """Start a server with planted keys; see at the end that nothing which it wrote holds one."""
    traffic = tmp_path / "traffic.log"

    def tee(editor: Editor) -> None:
        editor.command = [sys.executable, str(TEE), str(traffic), *editor.command]

    how = {"config": KEYED, "keys": environment(), **how}
    async with stage(tmp_path, before=tee, **how) as s:
        yield s
        seen = s.editor.seen
    assert in_text(repr(seen)) == []
    assert in_text(seen.errors) == []
    assert len(traffic.read_bytes()) > 1000
    assert in_bytes(traffic.read_bytes()) == []
    assert s.home.is_dir()
    assert in_tree(tmp_path, {s.config}) == []


async def do(s: Stage, action: str, reply: Reply) -> str:
    """Carry out an action on the example, with the same reply to every request; return the closing message."""
    uri = (s.root / "stats.py").as_uri()
    buffer = s.editor.buffers.get(uri) or s.editor.open(s.write("stats.py", SRC), "python")
    s.upstream.always(reply)
    before = len(messages(s))
    await s.editor.run(pick(await s.editor.menu(buffer, 5), action))
    assert buffer.text == SRC
    return messages(s)[-1] if len(messages(s)) > before else ""


def errors(said: str) -> dict[str, Reply]:
    """Return an error of every kind with these words in it."""
    code = said if said.isascii() and said.isprintable() and " " not in said else KEY
    return {
        "message": error(400, {"error": {"message": f"your key {said} is wrong", "type": "invalid_request_error"}}),
        "code": error(400, {"error": {"code": code, "message": "no"}}),
        "type": error(403, {"error": {"type": code[:60], "message": "no"}}),
        "details": error(400, {"error": {"details": {"error_code": code[:59]}}}),
        "detail": error(422, {"detail": said}),
        "text": error(500, f"internal error at {said}", retry_after="0.001"),
        "not found": error(404, {"error": {"message": said, "code": code[:50]}}),
        "header": error(
            401, {"error": {"message": said}}, {"x-request-id": code, "www-authenticate": f"Bearer {code}"}
        ),
        "redirect": redirect(f"https://evil.example/{code}"),
        "in the stream": error_in_stream({"message": f"key {said}", "code": code[:59]}),
        "after text": error_in_stream({"message": f"key {said}", "type": code[:59]}, "```python\ndef mean"),
        "no stream": raw([said.encode()], headers={"content-type": "text/html"}),
        "odd stream": raw([sse(f"[{said.splitlines()[0]}]")]),
    }


@pytest.mark.attack("keys", "a key in a provider's error")
async def test_errors_thinking_ids_and_headers_with_the_key_in_them(tmp_path: Path, record_property: Any) -> None:
    cases = [(how, kind) for how in FEW for kind in errors(KEY)]
    record_property("cases", len(cases) + 3)
    bill = KEYED.replace('key_env = "MINE', 'bill = "generation?id={{id}}"\nkey_env = "MINE')
    async with watched(tmp_path, config=bill) as s:
        for how in FEW:
            for reply in errors(disguises(KEY)[how]).values():
                assert (await do(s, "Fix", reply)).startswith("Could not fix `mean`.")
        assert len(s.upstream.requests) >= len(cases)
        assert all(each.headers["authorization"] == f"Bearer {KEY}" for each in s.upstream.requests)
        count = len(s.upstream.requests)
        await do(s, "Fix", answer("No.", thinking=f"The key is {KEY}"))
        assert len(s.upstream.requests) > count
        chunk = {"id": KEY, "choices": [{"index": 0, "delta": {"content": "```python\n"}, "finish_reason": None}]}
        await do(s, "Fix", raw([sse(chunk)]))
        await do(s, "Fix", raw([sse(chunk)], headers={"content-type": "text/event-stream", "x-generation-id": KEY}))


KINDS = ("message", "code")
ANSWERS = {
    "Fix": "```python\ndef mean(xs):\n    key = '{key}'\n    return sum(xs) / len(xs)\n```",
    "Explain": "It computes the mean with the key {key}, which it knows.",
    "Generate tests": "```python\ndef test_mean():\n    assert mean([1, 3]) == 2, '{key}'\n```",
    "Review": "severity: error\nline: `    return sum(xs) / len(x)`\nproblem: The key is {key}.\n",
}


@pytest.mark.attack("keys", "a key in a model's answer")
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
async def test_an_answer_with_the_key_in_it(tmp_path: Path, record_property: Any, *, streams: bool) -> None:
    every = {how: disguises(KEY)[how].replace("\n", " ") for how in PLAIN}
    record_property("cases", len(every) * len(ANSWERS))
    async with watched(tmp_path, streams=streams) as s:
        for how, said in every.items():
            for action, text in ANSWERS.items():
                message = await do(s, action, answer(text.replace("{key}", said)))
                assert "contains the key in MINE_API_KEY" in message, (how, action)
        assert not [each for each in s.editor.seen.diagnostics.values() if each]
        assert not list(s.root.rglob("test_*"))
        # Nothing of it was kept: the next answer is asked for, and an honest one is taken.
        count = len(s.upstream.requests)
        s.upstream.always(answer("It computes the mean."))
        buffer = s.editor.buffers[(s.root / "stats.py").as_uri()]
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Explain"))
        assert len(s.upstream.requests) == count + 1


@pytest.mark.attack("keys", "a key from elsewhere than the environment")
async def test_a_key_of_the_keyring_is_hidden_and_honesty_heard(tmp_path: Path, record_property: Any) -> None:
    record_property("cases", len(KINDS))
    async with watched(tmp_path, keys=keyring_package(tmp_path, "MINE_API_KEY") | {"MINE_API_KEY": None}) as s:
        replies = errors(disguises(KEY)["spaces"])
        for kind in KINDS:
            assert "[key of MINE_API_KEY]" in await do(s, "Fix", replies[kind])
        assert s.upstream.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        masked = "Incorrect API key provided: mine-J****oDi. See https://mine.example/keys."
        said = await do(s, "Explain", error(400, {"error": {"message": masked, "code": "wrong_thing"}}))
        assert said.endswith(f'(400, wrong_thing). It says: "{masked}"')
        buffer = s.editor.buffers[(s.root / "stats.py").as_uri()]
        s.upstream.always(answer(GOOD))
        await s.editor.run(pick(await s.editor.menu(buffer, 5), "Fix"))
        assert buffer.text == FIXED
