"""The interface of wire formats: pure translation between a prompt and a format, one module per format.

A wire creates the request's body and headers, and converts server-sent events to text, thinking, usage and the reason
to stop. It opens no socket (upstream/ does) and knows no prices. ``find_wire`` loads a wire by its module's name, so a
new format is one new module.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol, cast

from tuppence.core.models.model import Model
from tuppence.core.models.usage import Usage
from tuppence.core.prompt.compose import Prompt
from tuppence.errors import ConfigError, Mistake, TuppenceError


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP POST request."""

    url: str
    headers: Mapping[str, str]
    """Includes the key; never logged or displayed."""
    body: Mapping[str, object]
    """The JSON body."""

    @property
    def encoded(self) -> bytes:
        """The encoded body; half of a surrogate pair, which UTF-8 cannot encode, becomes a question mark."""
        return json.dumps(dict(self.body), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of the model's reasoning, which is not part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The provider's counts so far; each report replaces the one before."""

    usage: Usage
    cost: Decimal | None = None
    """USD that the provider reports to charge; None if it reports none."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The model stopped."""

    reason: Literal["end", "length", "refused"]
    detail: str = ""
    """The provider's own term for the reason."""


CALLED = "tool_use"
"""The detail of a stop for a tool call, although no tool was offered."""
ProviderEvent = Text | Thinking | UsageReport | Stop


Awaited = Literal["words", "counts", "mark"]
"""Text of the answer; its counts, after the reason to stop; or only the end mark, after both."""


class Decoder(Protocol):
    """Converts one answer's server-sent events; holds the state of that answer."""

    @property
    def identity(self) -> str:
        """The provider's id of the answer; empty before it is known."""
        ...

    @property
    def served(self) -> str:
        """The name of the model that answers, as the answer says it; empty before it said one."""
        ...

    @property
    def awaits(self) -> Awaited:
        """What of the answer is still awaited."""
        ...

    def feed(self, event: str, data: str) -> Iterable[ProviderEvent]:
        """Take one server-sent event: its name (``message`` by default) and its data.

        Unknown events yield nothing.

        :raises TuppenceError: the event is an error object, or not JSON where JSON is required.
        """
        ...

    def is_whole(self, data: str) -> bool:
        """Report whether a text is an object that holds a whole answer, with its reason to stop; nothing is taken in.

        Some servers send such a one although a stream was asked for; ``feed`` takes it as an event.
        """
        ...

    def finish(self) -> Iterable[ProviderEvent]:
        """Take the end of the stream.

        :raises Broken: the stream ended before the answer did.
        """
        ...


class Wire(Protocol):
    """One wire format, implemented by a module of this package."""

    @property
    def warms(self) -> bool:
        """Whether it supports a prompt without an answer (``max_output`` 0) that only warms a cache."""
        ...

    def request(self, prompt: Prompt, model: Model, key: str | None) -> HttpRequest:
        """Translate a prompt into an HTTP request."""
        ...

    def decoder(self) -> Decoder:
        """Return a decoder for one answer."""
        ...

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> TuppenceError:
        """Return the error for an HTTP status of 400 or more; header names must be in lower case."""
        ...


_PACKAGE = __name__.rpartition(".")[0]


def find_wire(name: str) -> Wire:
    """Return the wire with a name.

    :raises ConfigError: there is none.
    """
    if name not in wire_names():
        mistake = Mistake(0, f'There is no wire "{name}".', f"Write one of: {', '.join(wire_names())}.")
        raise ConfigError("config.toml", (mistake,))
    return cast("Wire", importlib.import_module(f"{_PACKAGE}.{name}"))


def wire_names() -> tuple[str, ...]:
    """Return the names of all wires: the public modules of this package except this one."""
    found = (module.name for module in pkgutil.iter_modules(importlib.import_module(_PACKAGE).__path__))
    return tuple(sorted(name for name in found if not name.startswith("_") and f"{_PACKAGE}.{name}" != __name__))
