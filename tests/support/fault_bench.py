"""A test bench for faults of a provider: each case is a complete run through the engine, and ``held`` checks it.

    with bench(tmp_path) as on:                                # one session, one ledger, one server, in this process
        on.tries(Case("refused", [refusal(503)], says="503"))  # on both wires; raises if any case fails

The sockets and HTTP are real, but time is virtual (``virtual_time.Sockets``), so that each time-out has its real value
and passes at once. A case names the provider's behavior and the required result: an answer, or a message with certain
words.
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
"""The most requests that one run may send to one model."""
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
"""The charge that the ledger must hold for a run: none, one marked as an estimate, or the one the provider reported."""
_FOREIGN = re.compile(
    r"Traceback|\w+Error\b|\w+Exception\b|Errno|httpx|httpcore|h11|anyio|ssl\.|\.py\b|[{}<>\\]|None\b"
)
"""Text that no message to the user may contain."""
_LONGEST = 420
SOURCE = "function mean(xs) {\n  return sum(xs) / x.length;\n}\n\nfunction other() {\n  return 1;\n}\n"
"""The source to fix. It is not Python, for which each run would start a linter."""
ANSWER = "```javascript\nfunction mean(xs) {\n  return sum(xs) / xs.length; // été 🐍\n}\n```"
CURED = SOURCE.replace("x.length;", "xs.length; // été 🐍")
_QUESTION = Document("file:///stats.js", "javascript", 1, SOURCE)


@dataclass(frozen=True, kw_only=True)
class Case:
    """How a provider behaves, and the required result."""

    name: str
    scripts: Sequence[Script] = ()
    """One script per request; the last one is repeated."""
    says: str | Sequence[str] = ()
    """Words that the closing message must contain; none if the answer must arrive complete."""
    bill: Bill = "nothing"
    tries: int | None = None
    """The number of requests that must arrive; None: at most three."""
    begins: Begin = "body"
    base: str = ""
    """The ``base_url``; if empty, the address of the fault provider."""
    seconds: float = 600.0
    """The virtual seconds within which the run must end."""


@dataclass(frozen=True)
class Ended:
    """The result of one run."""

    events: Sequence[Event]
    entries: Sequence[Entry]
    """The ledger entries of the run."""
    tries: int
    seconds: float
    """The virtual seconds that the run took."""
    left: str
    """Tasks, connections and files that the run left open."""

    @property
    def done(self) -> RunFinished:
        """The last event."""
        last = self.events[-1]
        assert isinstance(last, RunFinished)
        return last


class Bench:
    """One session for many cases. The providers of each case start without recorded failures."""

    def __init__(self, session: Callable[[WireName, str], Session], provider: FaultProvider, loop: Any) -> None:
        self.provider = provider
        self.session = session
        self.kept = 0
        """The connections that the client may keep open for its next request; 0 on loopback."""
        self.host = "127.0.0.1"
        self._loop = loop
        self._numbers = count()

    def do(self, work: Any) -> Any:
        """Run a coroutine on the bench's event loop."""
        return self._loop.run(work)

    def tries(self, *cases: Case, wires: Iterable[WireName] = WIRES) -> int:
        """Try each case on each wire; return the number of tries.

        :raises AssertionError: some cases failed; the message names all of them.
        """
        return self._all_hold((case, wire) for case in cases for wire in wires)

    def alternates(self, *cases: Case) -> int:
        """Try the cases on alternating wires, for code that does not depend on the wire; return the number of tries.

        :raises AssertionError: some cases failed; the message names all of them.
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
        """Perform the run of a case."""
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
    """Return the differences between the required and the actual result, one per line; empty if there are none."""
    done = ended.done
    wrong = [*_text(case, ended), *_sentence(case, done), *_charged(case, ended)]
    if ended.tries > MOST_TRIES or case.tries not in (None, ended.tries):
        wrong.append(f"{ended.tries} requests arrived, {case.tries or 'at most 3'} were due")
    if ended.seconds > case.seconds:
        wrong.append(f"it took {ended.seconds:.0f} s, at most {case.seconds:.0f} were due")
    return [*wrong, *([f"left behind: {ended.left}"] if ended.left else [])]


def _text(case: Case, ended: Ended) -> Iterator[str]:
    """Check that the text is either unchanged or exactly the answer."""
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
    """Check that the message states the cause and says what to do, in plain words."""
    if not case.says:
        if done.why:
            yield f"it says {done.why!r}"
        return
    yield from sentence_faults(done.why)
    for words in (case.says,) if isinstance(case.says, str) else case.says:
        if words not in done.why:
            yield f"{words!r} is not in {done.why!r}"


def sentence_faults(why: str) -> Iterator[str]:
    """Yield the defects in the message that a user sees after a failed run."""
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
    """Check the ledger entries."""
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
    """Return what a run left open, after waiting for the other side to notice its end."""
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
    """Sessions that share a ledger and an HTTP client: one session per wire and address."""

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
    """Stop the loop's clock while the ledger's threads are working."""
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
    """Start a bench and warm it up with two runs, so that what they open for all later runs does not count as a leak.

    :param host: the host in the provider's ``base_url``.
    :param kept: connections that the client may keep open.
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
