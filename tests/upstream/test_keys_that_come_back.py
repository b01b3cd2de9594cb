"""A key that a provider sends back is removed, on each wire and in each field, also from what is stored."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from planted_keys import KEYS, disguises, environment, in_text, in_tree
from scripted_provider import Reply, ScriptedUpstream, answer, error, error_in_stream
from tests.ledger.test_reservations import NOON, entry

from tuppence.cache import AnswerStore, Traces
from tuppence.core.models.model import Model, Provider
from tuppence.core.prompt.compose import Prompt
from tuppence.core.prompt_cache.prefix import Link
from tuppence.core.prompt_cache.state import Trace
from tuppence.core.text.key_scan import KeyScan
from tuppence.credentials import Keys
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.errors import Broken, TuppenceError
from tuppence.ledger import Ledger
from tuppence.providers import Text, Thinking, wire_names
from tuppence.upstream import ModelClient, Piece, RequestSent, RetryPolicy, RetryScheduled

KEY, OTHER = KEYS["ANTHROPIC_API_KEY"], KEYS["OPENAI_API_KEY"]
PROMPT = Prompt("Be brief.", ("x = 1\n",), "Explain it.", 100)
QUICK = RetryPolicy(connect=2, first_event=3, between_events=3, base=0.001, cap=0.005)


class Heard:
    """What came of one question."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.error: TuppenceError | None = None

    @property
    def text(self) -> str:
        """All that was passed on."""
        said = [each.text for each in self.pieces if isinstance(each, Text | Thinking)]
        why = [each.why for each in self.pieces if isinstance(each, RetryScheduled)]
        ids = [each.identity() for each in self.pieces if isinstance(each, RequestSent)]
        broken = [str(self.error), repr(self.error), self.error.message, self.error.remedy] if self.error else []
        return "\n".join(("".join(said), *why, *ids, *broken))


class Asked:
    """One provider, and one client that is used for all questions: to open one takes a tenth of a second."""

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self._upstream = upstream
        self._client = ModelClient(QUICK, lambda: KeyScan([("OPENAI_API_KEY", OTHER)]))

    async def ask(self, wire: str, reply: Reply, prompt: Prompt = PROMPT) -> Heard:
        """Ask with a key, to be answered so."""
        base = self._upstream.openai if wire == "openai" else self._upstream.anthropic
        row = Model(provider=Provider("acme", wire, base, "ANTHROPIC_API_KEY"), id="m-1", tier="budget")
        self._upstream.always(reply)
        heard = Heard()
        try:
            async with aclosing(self._client.answer(prompt, row, KEY)) as pieces:
                async for piece in pieces:
                    heard.pieces.append(piece)
        except TuppenceError as found:
            heard.error = found
        return heard


@pytest.fixture
async def provider() -> AsyncIterator[Asked]:
    async with ScriptedUpstream() as upstream:
        asked = Asked(upstream)
        yield asked
        await asked._client.close()


@pytest.mark.attack("keys", "a key in a model's answer")
@pytest.mark.parametrize("wire", wire_names())
async def test_an_answer_is_stopped_before_the_key_is_whole(wire: str, provider: Asked, record_property: Any) -> None:
    cases = [
        (name, how, text)
        for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
        for how, text in disguises(KEYS[name]).items()
    ]
    record_property("cases", len(cases))
    for name, how, text in cases:
        heard = await provider.ask(wire, answer(f"The key: {text}. And so on, and so on.", size=5))
        assert isinstance(heard.error, Broken), (name, how)
        assert heard.error.message.startswith(f"The answer contains the key in {name}, so it was stopped")
        assert in_text(heard.text) == [], (name, how)


@pytest.mark.attack("keys", "a key in a model's answer")
async def test_thinking_and_a_key_between_two_kinds_of_text(provider: Asked) -> None:
    heard = await provider.ask("openai", answer("No.", thinking=f"It is {KEY}"))
    assert isinstance(heard.error, Broken)
    half = len(KEY) // 2
    heard = await provider.ask("openai", answer(KEY[half:], thinking=KEY[:half]))
    assert isinstance(heard.error, Broken)
    assert in_text(heard.text) == []


@pytest.mark.attack("keys", "a key in a provider's error")
@pytest.mark.parametrize("wire", wire_names())
async def test_no_error_holds_a_key(wire: str, provider: Asked, record_property: Any) -> None:
    ways = dict(list(disguises(KEY).items())[wire_names().index(wire) :: 2])
    record_property("cases", 3 * len(ways))
    for how, text in ways.items():
        for reply in (
            error(400, {"error": {"message": f"wrong: {text}", "code": text}}),
            error(404, {"error": {"type": text[:59], "message": text}}),
            error_in_stream({"message": text, "code": text[:50]}),
        ):
            heard = await provider.ask(wire, reply)
            assert heard.error is not None
            assert in_text(heard.text) == [], how


async def test_a_key_that_stood_in_the_code_is_said_to_have_stood_there(provider: Asked) -> None:
    prompt = replace(PROMPT, shared=(f"KEY = '{' '.join(KEY)}'\n",))  # As it is, it would not be sent.
    heard = await provider.ask("openai", answer(f"It is {KEY}"), prompt)
    assert heard.error is not None
    assert heard.error.remedy == "What was sent holds it: take it out of your code, and replace the key."


async def test_what_holds_no_key_is_passed_as_it_is(provider: Asked) -> None:
    text = "```python\nkey = 'sk-ant-api03-...'\nhash = '0123456789abcdef0123456789abcdef'\n```\n👩‍👩‍👧 %41 \\u0041"
    heard = await provider.ask("openai", answer(text, size=3))
    assert heard.error is None
    assert "".join(each.text for each in heard.pieces if isinstance(each, Text)) == text


@pytest.fixture
def scan() -> KeyScan:
    providers = [Provider(name, "openai", "https://h/v1", name) for name in KEYS]
    return Keys(environment()).scan(providers)


@pytest.mark.attack("keys", "a key in a stored file")
def test_the_ledger_and_the_traces_are_written_without_keys(
    tmp_path: Path, scan: KeyScan, record_property: Any
) -> None:
    ways = disguises(KEY)
    record_property("cases", 2 * len(ways))
    ledger = Ledger(str(tmp_path / "ledger.sqlite3"))
    writer = LedgerWriter(ledger, "mine", lambda: NOON, scan.hide)
    answers = AnswerStore(tmp_path / "answers.sqlite3")
    traces = Traces(answers.file, scan.hide)
    for how, text in ways.items():
        writer.record(replace(entry("0.01"), run=how, reason=f"because {text}", project=text))
        link = Link("digest", 10, f"def f(key='{text}'):")
        usual: dict[str, Any] = {"size": 1, "held": (), "life": "5m", "expected": 0, "place": "p", "model": "m/s"}
        traces.add(Trace(run=how, action="fix", name=f"{text}.py", at=datetime.now(UTC), links=(link,), **usual))
    ledger.queue(lambda: None).result()
    assert len(ledger.entries()) == len(ways)
    assert "[key of ANTHROPIC_API_KEY]" in ledger.entries()[0].reason
    ledger.close()
    answers.close()
    assert in_tree(tmp_path) == []
    assert "[key of ANTHROPIC_API_KEY]" in Traces(AnswerStore(tmp_path / "answers.sqlite3").file).all()[0].name


@pytest.mark.attack("keys", "a key from elsewhere than the environment")
def test_each_place_that_a_key_comes_from(monkeypatch: pytest.MonkeyPatch, record_property: Any) -> None:
    record_property("cases", 7)
    mine = Provider("mine", "openai", "https://h/v1", "MINE_API_KEY")
    for keys in _sources(monkeypatch):
        keys.of(mine)
        assert keys.scan([mine]).hide(KEYS["MINE_API_KEY"]) == "[key of MINE_API_KEY]"
    password = KEYS["PGPASSWORD"]
    address = f"postgresql://me:{password}@host/accounts"
    assert Keys({}).scan([], address).hide(f"no: {address}") == "no: postgresql://me:[key of the ledger]@host/accounts"
    assert Keys({"PGPASSWORD": password}).scan([]).holds(password) == "PGPASSWORD"
    for name in ("HTTPS_PROXY", "http_proxy"):
        proxied = Keys({name: f"http://me:{password}@proxy:8080"}).scan([])
        assert proxied.holds(f"cannot reach {password}").startswith(name.upper())
    assert not Keys({"MINE_API_KEY": "", "HTTPS_PROXY": "http://[bad"}).scan([mine])


def _sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    key = KEYS["MINE_API_KEY"]
    yield Keys({"MINE_API_KEY": f" {key}\n"})
    yield Keys({"MINE_API_KEY": ""}, {"MINE_API_KEY": key})
    monkeypatch.setattr("tuppence.credentials._keyring", lambda name: {"MINE_API_KEY": key}.get(name, ""))
    yield Keys({})


def test_a_key_that_is_handed_over_later_is_found_too() -> None:
    handed: dict[str, str] = {}
    keys = Keys({}, handed)
    before = keys.scan([])
    assert keys.scan([]) is before
    handed["MINE_API_KEY"] = KEYS["MINE_API_KEY"]
    assert json.loads(keys.scan([]).hide(json.dumps({"a": KEYS["MINE_API_KEY"]}))) == {"a": "[key of MINE_API_KEY]"}
