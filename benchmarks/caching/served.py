"""How much of its prompts a real llama.cpp server reads from its cache, and how soon it begins to answer.

    python -m benchmarks.caching.served ten|sitting [--order tuppence|action-first|aider] [--first N]

*ten*: ten actions on one file of 1,800 of the model's tokens. *sitting*: thirty actions over four files of 900 with ten
edits. The model is the embedded one, whose server is started anew for each order, so each begins cold; the machine
should have nothing else to do; ``--first`` stops after so many actions. The other orders say the same words:

- *action-first*: the task and its place before the file, as a prompt that begins with the question has it;
- *aider*: what its page on prompt caching says that it keeps in this order: the system prompt, read-only files and the
  repository map (there are none here), then all files that were added to the chat; after them the talk so far, of which
  it keeps the last 1,000 tokens, and the new message.

What an ideal prefix cache would serve is what a request has in common, from its beginning, with any one before it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import platformdirs

from benchmarks.caching.published import Block, Ideal
from benchmarks.caching.recorded import NAMES, START
from benchmarks.caching.sitting import Deed, edit, plan, source
from tuppence.core.actions import ACTIONS
from tuppence.core.models.model import Model, Quirks
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt, compose
from tuppence.core.prompt.context import Question, Surroundings, gather
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span
from tuppence.local import Embedded, Endpoint
from tuppence.providers import Text, UsageReport
from tuppence.upstream import ModelClient, RetryPolicy

ORDERS = ("tuppence", "action-first", "aider")
WHOLE = 1800
"""The model's tokens of the one file."""
PART = 900
"""The model's tokens of each of four files."""
TALK = 3400
"""Characters of talk that Aider's order keeps: 1,000 tokens."""
ANSWER = "It goes through what it was given, adds up what counts, halves what is too much, and gives back the rest."


@dataclass(frozen=True)
class Measured:
    """One request."""

    usage: Usage
    seconds: float
    """To the first text."""
    ideal: float
    """The share of the prompt that an ideal prefix cache would have read."""

    @property
    def share(self) -> float:
        """The share of the prompt that was read."""
        return (self.usage.cache_read or 0) / self.usage.prompt


class Chat:
    """What an order makes of the same question."""

    def __init__(self, order: str) -> None:
        self._order = order
        self._files: dict[str, str] = {}
        self._talk: list[str] = []

    def said(self, name: str, prompt: Prompt) -> Prompt:
        """Return the prompt in this order."""
        if self._order == "tuppence":
            return prompt
        if self._order == "action-first":
            return replace(prompt, shared=(f"{prompt.tail}\n\n", *prompt.shared), tail="Do this task.")
        self._files[name] = "".join(prompt.shared)
        talk = "".join(self._talk)
        self._talk.append(f"{prompt.tail}\n\n{ANSWER}\n\n")
        while sum(map(len, self._talk)) > TALK:
            del self._talk[0]
        return replace(prompt, shared=tuple(self._files.values()), tail=talk + prompt.tail)


async def measure(order: str, deeds: list[Deed], size: int, endpoint: Endpoint, model: Model) -> list[Measured]:
    """Play a sitting in one order."""
    upstream, chat, ideal = ModelClient(RetryPolicy(first_event=300)), Chat(order), Ideal()
    texts = [_sized(name, size, endpoint) for name in NAMES]
    found: list[Measured] = []
    for deed in deeds:
        if deed.edits is not None:
            texts[deed.file] = edit(texts[deed.file], deed.edits)
        prompt = chat.said(NAMES[deed.file], _prompt(deed, texts[deed.file]))
        said = (Block(prompt.system), *(Block(each) for each in prompt.shared), Block(prompt.tail))
        served = ideal.take(said, START)
        began, seconds, usage = time.monotonic(), 0.0, Usage()
        async for piece in upstream.answer(prompt, model, endpoint.key):
            if isinstance(piece, Text) and not seconds:
                seconds = time.monotonic() - began
            if isinstance(piece, UsageReport):
                usage = piece.usage
        found.append(Measured(usage, seconds, (served.cache_read or 0) / served.prompt))
    await upstream.close()
    return found


def _prompt(deed: Deed, text: str) -> Prompt:
    document, tree = Document("file:///a.py", "python", 1, text), parse(text, language("python"))
    start = text.index(f"_{deed.function}(")
    target = find_target(document, tree, Span(start, start))
    assert target is not None
    return compose(deed.action, gather(Question(document, tree, target), Surroundings(), 24_000), 4)


def _sized(name: str, size: int, endpoint: Endpoint) -> str:
    """Return a file of so many of the model's tokens, within a few."""
    guess, text = size, ""
    for _ in range(6):
        text = source(name, guess, functions=10)
        guess = round(guess * size / _tokens(text, endpoint))
    return text


def _tokens(text: str, endpoint: Endpoint) -> int:
    url = endpoint.base_url.removesuffix("/v1") + "/tokenize"
    headers = {"authorization": f"Bearer {endpoint.key}", "content-type": "application/json"}
    request = urllib.request.Request(url, json.dumps({"content": text}).encode(), headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310 - loopback
        return len(json.load(reply)["tokens"])


def ten() -> list[Deed]:
    """Return ten actions on one file, on five of its functions."""
    return [Deed(0, 0, number // 2 * 2, ACTIONS[number % len(ACTIONS)], None) for number in range(10)]


def sitting() -> list[Deed]:
    """Return the first of the sittings, of files with ten functions."""
    return [
        replace(deed, function=deed.function % 10, edits=None if deed.edits is None else deed.edits % 10)
        for deed in plan("moving on")
    ]


def lines(kind: str, order: str, found: list[Measured]) -> Iterator[str]:
    """Yield what is to be printed."""
    prompt = sum(each.usage.prompt for each in found)
    read = sum(each.usage.cache_read or 0 for each in found)
    ideal = sum(each.ideal * each.usage.prompt for each in found)
    cold = found[0].seconds
    median = statistics.median(each.seconds for each in found)
    yield f"{kind} {order}: {len(found)} requests of {prompt / len(found):.0f} tokens"
    yield f"  read {read / prompt:.1%} of the prompts, {read / ideal:.1%} of what an ideal cache serves"
    yield f"  to the first text {median:.2f} s in the median, {sum(each.seconds for each in found):.1f} s in all"
    if kind == "ten":
        second, later = found[1], [each.seconds / cold for each in found[1:]]
        yield f"  cold: {found[0].usage.prompt} tokens, {cold:.2f} s"
        yield f"  second: {second.share:.1%} read, {second.seconds:.2f} s, {second.seconds / cold:.3f}x of cold"
        yield f"  nine: {min(each.share for each in found[1:]):.1%} or more read, "
        yield f"  {statistics.median(later):.3f}x of cold in the median, {max(later):.3f}x at most"


async def main(words: argparse.Namespace) -> None:
    """Print the figures of one order or of all."""
    home = platformdirs.user_data_path("tuppence", appauthor=False)
    Embedded(home).install(lambda _line: None)
    deeds, size = (ten(), WHOLE) if words.kind == "ten" else (sitting(), PART)
    for order in ORDERS if words.order is None else (words.order,):
        with TemporaryDirectory() as folder:
            embedded = Embedded(home, state=Path(folder) / "state")
            endpoint = await embedded.start()
            try:
                row = replace(embedded.row(endpoint), quirks=Quirks(temperature=0.0), max_output=4)
                found = await measure(order, deeds[: words.first], size, endpoint, row)
            finally:
                embedded.release()
                await asyncio.to_thread(embedded.stop)
        print("\n".join(lines(words.kind, order, found)), flush=True)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Cached tokens and time to the first text on a real model server.")
    parser.add_argument("kind", choices=("ten", "sitting"))
    parser.add_argument("--order", choices=ORDERS, help="default: all, one after the other")
    parser.add_argument("--first", type=int, metavar="N", help="stop after N actions")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(arguments()))
