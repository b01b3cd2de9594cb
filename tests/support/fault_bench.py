"""A bench for faults of a provider: each case is a whole run through the engine, and ``held`` says what must be so.

    with bench(tmp_path) as on:                                # one session, one ledger, one server, in this process
        on.tries(Case("refused", [refusal(503)], says="503"))  # on both wires; raises for all cases that do not hold

Real sockets and real HTTP, but virtual time (``virtual_time.Sockets``), so that each time-out is the real one and
passes at once. A case says what the provider does, and what must come of it: an answer, or a sentence with these words.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar
from unittest import mock

import planted_keys
from fault_provider import Begin, FaultProvider, Script, turns, whole
from scripted_provider import WireName
from virtual_time import Sockets

from tuppence.cache import AnswerStore
from tuppence.config import config as configs
from tuppence.core.actions import FIX
from tuppence.core.billing.entry import Entry
from tuppence.core.events import EditsDrafted, Event, ModelChosen, Retracted, RunFinished
from tuppence.core.models.model import Model
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span, apply
from tuppence.credentials import Keys
from tuppence.engine.admission import Providers
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import Request
from tuppence.engine.run import run
from tuppence.engine.session import OwnModels, Session
from tuppence.ledger import Ledger
from tuppence.ledger.worker import Worker
from tuppence.upstream import ModelClient
from tuppence.workspace import Workspace

_T = TypeVar("_T")
WIRES: tuple[WireName, ...] = ("openai", "anthropic")
KEY = planted_keys.KEYS["MINE_API_KEY"]
MOST_TRIES = 3
"""Requests that one run may send to one model."""
CONFIG = """
[providers.mine]
wire = "{wire}"
base_url = "{base}"
{key}
[[models]]
id = "small"
provider = "mine"
tier = "budget"
price = {{ input = 1, output = 5 }}
context = 128000
max_output = 8192
ability = {{ explain = 0.8, fix = 0.8, tests = 0.8, review = 0.8 }}
"""
Bill = Literal["nothing", "estimate", "counted"]
"""What the ledger must hold of a run: no charge, an estimate that is marked as one, or what the provider counted."""
_FOREIGN = re.compile(
    r"Traceback|\w+Error\b|\w+Exception\b|Errno|httpx|httpcore|h11|anyio|ssl\.|\.py\b|[{}<>\\]|None\b"
)
"""What no sentence for a person holds."""
_LONGEST = 420
SOURCE = "function mean(xs) {\n  return sum(xs) / x.length;\n}\n\nfunction other() {\n  return 1;\n}\n"
"""What is to be fixed. It is not Python, for which a linter would be started in each run."""
ANSWER = "```javascript\nfunction mean(xs) {\n  return sum(xs) / xs.length; // été 🐍\n}\n```"
CURED = SOURCE.replace("x.length;", "xs.length; // été 🐍")
_QUESTION = Document("file:///stats.js", "javascript", 1, SOURCE)


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a provider does, and what must come of it."""

    name: str
    scripts: Sequence[Script] = ()
    """One for each request; the last is repeated."""
    says: str | Sequence[str] = ()
    """Words of the sentence at the end; none where the answer comes whole."""
    bill: Bill = "nothing"
    tries: int | None = None
    """Requests that arrive; None: at most three."""
    begins: Begin = "body"
    base: str = ""
    """The base_url; empty: the provider's own."""
    seconds: float = 600.0
    """Seconds of virtual time after which it must have ended."""


@dataclass(frozen=True)
class Ended:
    """How one run ended."""

    events: Sequence[Event]
    entries: Sequence[Entry]
    """What the ledger holds of it."""
    tries: int
    seconds: float
    """Of virtual time."""
    left: str
    """What is still there that was not there before: tasks, connections, files."""

    @property
    def done(self) -> RunFinished:
        """The last event."""
        last = self.events[-1]
        assert isinstance(last, RunFinished)
        return last


class Bench:
    """One session for many cases; each case finds providers that have not failed yet."""

    def __init__(self, session: Callable[[WireName, str], Session], provider: FaultProvider, loop: Any) -> None:
        self.provider = provider
        self.session = session
        self.kept = 0
        """Connections that the client may leave open for its next request; none to loopback."""
        self.host = "127.0.0.1"
        self._loop = loop
        self._numbers = count()

    def do(self, work: Any) -> Any:
        """Run a coroutine on the loop of the bench."""
        return self._loop.run(work)

    def tries(self, *cases: Case, wires: Iterable[WireName] = WIRES) -> int:
        """Try each case on each wire; return how many were tried.

        :raises AssertionError: some did not hold; it names them all.
        """
        return self._all_hold((case, wire) for case in cases for wire in wires)

    def alternates(self, *cases: Case) -> int:
        """Try each case on one wire, the next one on the other: for what lies below a wire; return how many there were.

        :raises AssertionError: as ``tries``.
        """
        return self._all_hold((case, WIRES[at % len(WIRES)]) for at, case in enumerate(cases))

    def _all_hold(self, runs: Iterable[tuple[Case, WireName]]) -> int:
        wrong: list[str] = []
        number = 0
        for case, wire in runs:
            number += 1
            wrong += [f"{case.name} ({wire}): {each}" for each in held(case, self.ended(case, wire))]
        assert not wrong, f"{len(wrong)} faults in {number} cases:\n" + "\n".join(wrong)
        return number

    def ended(self, case: Case, wire: WireName = "openai") -> Ended:
        """Carry out the run of a case."""
        ended: Ended = self.do(self._run(case, wire))
        return ended

    async def _run(self, case: Case, wire: WireName) -> Ended:
        provider = self.provider
        provider.forget()
        provider.begins = case.begins
        provider.script(*case.scripts)
        if case.scripts:
            provider.always(case.scripts[-1])
        session = replace(self.session(wire, case.base or provider.base(wire, self.host)), providers=Providers())
        name = f"run-{next(self._numbers)}"
        receipt = Receipt(run=name, session="s", action="fix", language="javascript")
        before, files, clock = asyncio.all_tasks(), _files(), asyncio.get_running_loop().time
        began = clock()
        events = [event async for event in run(_question(name), session, receipt)]
        seconds = clock() - began
        await turns()
        left = await _left(provider, before, files, self.kept)
        stored = [each for each in session.ledger.entries() if each.run == name]
        assert stored == receipt.entries, "the ledger holds what the receipt says"
        return Ended(events, stored, len(provider.requests), seconds, left)


def held(case: Case, ended: Ended) -> list[str]:
    """Return what is wrong with how a case ended, a line each; none where it held."""
    done = ended.done
    wrong = [*_text(case, ended), *_sentence(case, done), *_charged(case, ended)]
    if ended.tries > MOST_TRIES or case.tries not in (None, ended.tries):
        wrong.append(f"{ended.tries} requests arrived, {case.tries or 'at most 3'} were due")
    if ended.seconds > case.seconds:
        wrong.append(f"it took {ended.seconds:.0f} s, at most {case.seconds:.0f} were due")
    return [*wrong, *([f"left behind: {ended.left}"] if ended.left else [])]


def _text(case: Case, ended: Ended) -> Iterator[str]:
    """Check that the text is as it was, or exactly the answer."""
    answer = ended.done.answer
    text = SOURCE if answer is None else apply(SOURCE, answer.edits)
    due = SOURCE if case.says else CURED
    if text != due:
        yield f"the text became {text!r}" if answer else f"there is no answer: {ended.done.why}"
    kinds = [type(event) for event in ended.events]
    shown = max((at for at, kind in enumerate(kinds) if kind is EditsDrafted), default=-1)
    if answer is None and shown >= 0 and Retracted not in kinds[shown:]:
        yield "edits were shown, and not taken back"
    if kinds.count(RunFinished) != 1 or kinds.count(ModelChosen) != 1:
        yield f"the steps were {[kind.__name__ for kind in kinds]}"


def _sentence(case: Case, done: RunFinished) -> Iterator[str]:
    """Check that one sentence says the cause and one what to do, in words for a person."""
    if not case.says:
        if done.why:
            yield f"it says {done.why!r}"
        return
    yield from sentence_faults(done.why)
    for words in (case.says,) if isinstance(case.says, str) else case.says:
        if words not in done.why:
            yield f"{words!r} is not in {done.why!r}"


def sentence_faults(why: str) -> Iterator[str]:
    """Yield what is wrong with the sentences that a person sees at the end of a failed run."""
    sentences = [each for each in re.split(r"(?<=[.?!”])\s+", why.strip()) if each]
    if len(sentences) < 2 or not why.endswith((".", "”", '"')):
        yield f"there is no cause with a remedy in {why!r}"
    if len(set(sentences)) != len(sentences):
        yield f"it says something twice: {why!r}"
    if "mine" not in why and "small" not in why:
        yield f"{why!r} does not say which provider"
    if found := _FOREIGN.search(why):
        yield f"{why!r} holds {found[0]!r}"
    if KEY[:12] in why or planted_keys.in_text(why):
        yield "the sentence holds the key"
    if len(why) > _LONGEST:
        yield f"the sentence has {len(why)} characters: {why!r}"


def _charged(case: Case, ended: Ended) -> Iterator[str]:
    """Check what the ledger holds."""
    if len(ended.entries) != 1:
        yield f"the ledger holds {len(ended.entries)} entries"
        return
    entry = ended.entries[0]
    paid = entry.cost is not None and entry.cost > 0
    found: Bill = "nothing"
    if paid or entry.estimated or entry.usage is not None:
        found = "estimate" if entry.estimated else "counted"
    if found != case.bill or (found != "nothing") != paid:
        yield f"the ledger holds {found} ({entry.cost} USD, {entry.usage}), {case.bill} was due"
    if (entry.outcome == "kept") != (not case.says):
        yield f"the outcome is {entry.outcome}"


async def _left(provider: FaultProvider, before: set[asyncio.Task[Any]], files: int, kept: int) -> str:
    """Return what is left of a run once its end has had time to reach the other side."""
    for _ in range(200):
        tasks = asyncio.all_tasks() - before - provider.serving
        if not tasks and provider.open <= kept and _files() <= files + 2 * kept:
            return ""
        await asyncio.sleep(0.01)
    found = [f"{len(tasks)} tasks" if tasks else "", f"{provider.open} connections" if provider.open > kept else ""]
    return ", ".join(filter(None, [*found, f"{_files() - files} files"]))


def _files() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208 - the names are all that is wanted


def _question(name: str) -> Request:
    tree = parse(SOURCE, language("javascript"))
    target = find_target(_QUESTION, tree, Span(10, 10))
    assert target is not None
    return Request(run=name, action=FIX, document=_QUESTION, tree=tree, target=target, path=None, bypass_cache=True)


@dataclass
class _Sessions:
    """Sessions that share a ledger and connections: one for each address that is asked."""

    folder: Path
    client: ModelClient
    has_key: bool = True
    made: dict[tuple[WireName, str], Session] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = LedgerWriter(Ledger(self.folder / "ledger.sqlite3"), "s", lambda: datetime.now(UTC))
        self.answers = AnswerStore(self.folder / "answers.sqlite3")

    def of(self, wire: WireName, base: str) -> Session:
        """Return the session for a provider at this address."""
        if (wire, base) not in self.made:
            path = self.folder / f"config-{len(self.made)}.toml"
            key = 'key_env = "MINE_API_KEY"' if self.has_key else ""
            path.write_text(CONFIG.format(wire=wire, base=base, key=key), encoding="utf-8")
            watched = configs.Watched(path)
            self.made[wire, base] = Session(
                config=lambda: watched.current,
                keys=Keys({}, {"MINE_API_KEY": KEY}),
                upstream=self.client,
                ledger_writer=self.ledger,
                answer_store=self.answers,
                workspace=Workspace(()),
                own_models=OwnModels(find_servers=_no_models, start_embedded=_no_models),
                open_document=lambda _path: None,
                id="s",
                now=lambda: datetime.now(UTC),
            )
        return self.made[wire, base]

    def close(self) -> None:
        self.ledger.ledger.close()
        self.answers.close()


async def _no_models() -> tuple[Model, ...]:
    return ()


@contextmanager
def waited_for(loop: Any) -> Iterator[None]:
    """Let the clock of a loop wait while the ledger's threads are at work."""
    submit = Worker.submit

    def submitted(self: Worker, work: Callable[[], Any], result: Any = None) -> Any:
        future = submit(self, work, result)
        loop.waits_for(future)
        return future

    with mock.patch.object(Worker, "submit", submitted):
        yield


def in_virtual_time(work: Coroutine[Any, Any, _T]) -> _T:
    """Return what a coroutine gives that has both ends of its connections here: what it waits for passes at once."""
    with asyncio.Runner(loop_factory=Sockets) as runner, waited_for(runner.get_loop()):
        return runner.run(work)


@contextmanager
def bench(
    folder: Path, provider: FaultProvider | None = None, *, host: str = "127.0.0.1", has_key: bool = True, kept: int = 0
) -> Iterator[Bench]:
    """Start a bench, and warm it with two runs: what they open for all others is no leak.

    :param host: what the provider's base_url calls it.
    :param kept: connections that the client may keep.
    """
    provider = provider or FaultProvider()
    warm = Case(name="warm", scripts=[whole(ANSWER)], bill="counted")
    with asyncio.Runner(loop_factory=Sockets) as loop, waited_for(loop.get_loop()):
        loop.run(provider.__aenter__())
        sessions = _Sessions(folder, ModelClient(), has_key)
        try:
            bench = Bench(sessions.of, provider, loop)
            bench.host, bench.kept = host, kept
            for wire in WIRES:
                bench.ended(warm, wire)
            yield bench
        finally:
            loop.run(sessions.client.close())
            loop.run(provider.__aexit__())
            sessions.close()
