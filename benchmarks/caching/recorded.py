"""Plays sittings through tuppence itself, on both wires, against a loopback server that plays providers' caches.

    python -m benchmarks.caching.recorded

Everything between the person's question and the HTTP request is the real thing: context, plan, route, prompt, marks,
wire, stream, account. The clock is the sitting's own, so that times to live count. No provider is asked. A row is the
mean of six sittings of thirty actions over four files of 8,000 tokens with ten edits; the factors are of input cost, on
what it would be without any cache. What a mark inside of what was read does is not published: rows with a star take it
that it keeps an entry, those without that it keeps none.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from scripted_provider import Reply, ScriptedUpstream, Seen, answer

from benchmarks.caching.published import (
    Automatic,
    Block,
    Detected,
    Ideal,
    Marked,
    Never,
    Published,
    at_the_end,
    blocks,
    in_one,
)
from benchmarks.caching.sitting import Deed, edit, plan, source
from tuppence.cache import AnswerStore
from tuppence.config import config as configs
from tuppence.core.models.model import Model
from tuppence.core.models.pricing import cost
from tuppence.core.models.usage import Usage
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span
from tuppence.credentials import Keys
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import Request
from tuppence.engine.run import run
from tuppence.engine.session import OwnModels, Session
from tuppence.ledger import Ledger
from tuppence.upstream import ModelClient
from tuppence.workspace import Workspace

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""Outside DeepSeek's dear hours."""
NAMES = ("shelves", "orders", "prices", "labels")
SIZE = 8000
"""Tokens of a file."""
OUTPUT = 400
"""Tokens of an answer."""


@dataclass(frozen=True)
class Case:
    """A model of the built-in table, and how its provider's cache works."""

    name: str
    cache: Callable[[], Published]
    usual: Callable[[tuple[Block, ...]], tuple[Block, ...]]
    """What a request looks like to a provider whose caching is left to itself."""
    note: str = ""
    """After the name in the table."""


def whole(pieces: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return a request as it is."""
    return pieces


def explicit(name: str, minimum: int, lookback: int = 20, life: str = "5m") -> tuple[Case, Case]:
    """Return the two readings of an explicit cache: what a mark inside of what was read does is not published."""
    return (
        Case(name, lambda: Marked(minimum, lookback=lookback, life=life), at_the_end),
        Case(name, lambda: Marked(minimum, lookback=lookback, life=life, marks="all"), at_the_end, " *"),
    )


CASES = (
    *explicit("anthropic/claude-sonnet-4-6", 1024),
    *explicit("anthropic/claude-sonnet-5-5", 512),
    *explicit("anthropic/claude-haiku-4-5", 4096),
    *explicit("openai/gpt-6.1-terra", 1024, 80, "30m"),
    Case("openai/gpt-5.4", lambda: Automatic(1024, 128, timedelta(hours=24)), whole),
    *explicit("dashscope/qwen3.8-flash", 1024),
    Case("deepseek/deepseek-flash", Detected, whole),
)
SITTINGS = 6


@dataclass(frozen=True)
class Result:
    """What a sitting took."""

    model: Model
    bodies: tuple[tuple[tuple[Block, ...], datetime], ...]
    """Each request's pieces and time."""
    usages: tuple[Usage, ...]
    """By the recorder."""
    entered: Decimal
    """USD by tuppence's own account, answers included."""

    def priced(self, usages: tuple[Usage, ...]) -> Decimal:
        """Return what so many tokens of input cost, USD."""
        assert self.model.price is not None
        times = (at for _, at in self.bodies)
        return sum((cost(each, self.model.price, at) for each, at in zip(usages, times, strict=True)), Decimal(0))

    def replayed(self, cache: Published, seen: Callable[[tuple[Block, ...]], tuple[Block, ...]]) -> tuple[Usage, ...]:
        """Return what another cache makes of the same requests."""
        return tuple(cache.take(seen(pieces), at) for pieces, at in self.bodies)


async def measure(case: Case, deeds: list[Deed], folder: Path) -> Result:
    """Play a sitting with one model."""
    cache, now, kept = case.cache(), [START], list[tuple[tuple[Block, ...], datetime, Usage]]()

    def reply(seen: Seen) -> Reply:
        pieces = blocks(seen.body)
        usage = cache.take(pieces, now[0])
        kept.append((pieces, now[0], usage))
        return answer("It counts what is there.", usage=replace(usage, output=OUTPUT))

    async with ScriptedUpstream() as server:
        server.always(reply)
        session = _house(case.name, server, folder, lambda: now[0])
        texts = [source(name, SIZE) for name in NAMES]
        spent = Decimal(0)
        for number, deed in enumerate(deeds):
            now[0] += timedelta(seconds=deed.seconds)
            if deed.edits is not None:
                texts[deed.file] = edit(texts[deed.file], deed.edits)
            path = folder / f"{NAMES[deed.file]}.py"
            path.write_text(texts[deed.file], encoding="utf-8")
            ask = _ask(deed, path, number)
            account = Receipt(run=ask.run, session="s", action=ask.action.id, language="python")
            async for _step in run(ask, session, account):
                pass
            assert account.total is not None
            spent += account.total
        await session.upstream.close()
        session.ledger.close()
        session.answer_store.close()
    model = next(each for each in session.config().models if each.name == case.name)
    assert len(kept) == len(deeds), "each action asks once"
    return Result(model, tuple((pieces, at) for pieces, at, _ in kept), tuple(usage for *_, usage in kept), spent)


def _house(name: str, server: ScriptedUpstream, folder: Path, now: Callable[[], datetime]) -> Session:
    provider = name.partition("/")[0]
    base = server.anthropic if provider == "anthropic" else server.openai
    others = [model.name for model in configs.load(folder / "none").models if model.name != name]
    served = f'[providers.{provider}]\nbase_url = "{base}"\nkey_env = ""\n'
    # Nobody is there to be asked about what may cost more than five cents.
    (folder / "config.toml").write_text(f"exclude = {others}\nask_above = 100\n{served}", encoding="utf-8")
    watched = configs.Watched(folder / "config.toml")

    async def nobody() -> tuple[Model, ...]:
        return ()

    return Session(
        config=lambda: watched.current,
        keys=Keys({}, {}),
        upstream=ModelClient(),
        ledger_writer=LedgerWriter(Ledger(folder / "ledger.sqlite3"), "s", now),
        answer_store=AnswerStore(folder / "answers.sqlite3"),
        workspace=Workspace((folder,)),
        own_models=OwnModels(find_servers=nobody, start_embedded=nobody),
        open_document=lambda _path: None,
        id="s",
        now=now,
    )


def _ask(deed: Deed, path: Path, number: int) -> Request:
    text = path.read_text("utf-8")
    document = Document(path.as_uri(), "python", number, text)
    tree = parse(text, language("python"))
    start = text.index(f"_{deed.function}(")
    target = find_target(document, tree, Span(start, start))
    assert target is not None
    return Request(
        run=str(number), action=deed.action, document=document, tree=tree, target=target, path=path, bypass_cache=True
    )


def report(result: Result, case: Case) -> dict[str, float]:
    """Return a sitting's figures."""
    uncached = float(result.priced(result.replayed(Never(), whole)))
    read = sum(usage.cache_read or 0 for usage in result.usages)
    ideal = sum(usage.cache_read or 0 for usage in result.replayed(Ideal(), whole))
    single = result.replayed(case.cache(), in_one if case.usual is at_the_end else whole)
    return {
        "tuppence": float(result.priced(result.usages)) / uncached,
        "automatic": float(result.priced(result.replayed(case.cache(), case.usual))) / uncached,
        "one mark": float(result.priced(single)) / uncached,
        "of prompt": read / sum(usage.prompt for usage in result.usages),
        "of ideal": read / ideal,
        "input $": float(result.priced(result.usages)),
        "total $": float(result.entered),
    }


async def mean(case: Case, kind: Literal["moving on", "jumping"]) -> dict[str, float]:
    """Return the mean of a kind of sitting."""
    found: list[dict[str, float]] = []
    for seed in range(1, SITTINGS + 1):
        with TemporaryDirectory() as folder:
            found.append(report(await measure(case, plan(kind, seed), Path(folder)), case))
    return {name: statistics.mean(each[name] for each in found) for name in found[0]}


async def main() -> None:
    """Print the tables."""
    for kind in ("moving on", "jumping"):
        print(f"\n{kind:28}{'tuppence':>10}{'automatic':>10}{'one mark':>10}{'of prompt':>11}{'of ideal':>10}", end="")
        print(f"{'input $':>10}{'total $':>10}")
        for case in CASES:
            row = await mean(case, kind)
            factors = "".join(f"{row[name]:9.2f}x" for name in ("tuppence", "automatic", "one mark"))
            print(f"{case.name + case.note:28}{factors}{row['of prompt']:11.1%}{row['of ideal']:10.1%}", end="")
            print(f"{row['input $']:10.4f}{row['total $']:10.4f}", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
