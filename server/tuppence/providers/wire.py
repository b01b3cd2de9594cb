"""Their words: pure translation between a prompt and a wire format, one file a format.

A wire makes the request's body and headers, and turns server-sent events back into text, thinking, usage and the
reason to stop. It opens no socket (upstream/ does) and knows no prices. ``find_wire`` loads a wire by its file's name,
so a new format is one new file.
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
    """One HTTP POST."""

    url: str
    headers: Mapping[str, str]
    """Holds the key; never logged, never shown."""
    body: Mapping[str, object]
    """JSON."""

    @property
    def encoded(self) -> bytes:
        """The body as it is sent; half of a surrogate pair, which UTF-8 has no bytes for, becomes a question mark."""
        return json.dumps(dict(self.body), ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """A piece of the model's reasoning; never part of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class UsageReport:
    """The provider's counts so far; each replaces the one before."""

    usage: Usage
    cost: Decimal | None = None
    """What the provider itself says that it charges, USD; None where it does not say."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The model stopped."""

    reason: Literal["end", "length", "refused"]
    detail: str = ""
    """The provider's own word for it."""


CALLED = "tool_use"
"""The detail of a stop where the model called a tool; none was offered."""
ProviderEvent = Text | Thinking | UsageReport | Stop


Awaited = Literal["words", "counts", "mark"]
"""Words of the answer; its counts, where the reason to stop came; or, where both came, the mark of its end alone."""


class Decoder(Protocol):
    """Turns one answer's server-sent events into events of ours; holds the state of that one answer."""

    @property
    def identity(self) -> str:
        """The provider's own id of the answer; empty before it said one."""
        ...

    @property
    def served(self) -> str:
        """The name of the model that answers, as the answer says it; empty before it said one."""
        ...

    @property
    def awaits(self) -> Awaited:
        """What of the answer is still to come."""
        ...

    def feed(self, event: str, data: str) -> Iterable[ProviderEvent]:
        """Take one server-sent event: its name (``message`` where it has none) and its data.

        Unknown events yield nothing.

        :raises TuppenceError: the event is an error object, or no JSON where JSON is due.
        """
        ...

    def finish(self) -> Iterable[ProviderEvent]:
        """Take the end of the stream.

        :raises Broken: the stream ended before the answer did.
        """
        ...


class Wire(Protocol):
    """One wire format. Implemented by a module of this package."""

    @property
    def warms(self) -> bool:
        """Whether it has words for a prompt that wants no answer (``max_output`` 0) and only warms a cache."""
        ...

    def request(self, prompt: Prompt, model: Model, key: str | None) -> HttpRequest:
        """Put a prompt into the wire's words."""
        ...

    def decoder(self) -> Decoder:
        """Return a decoder for one answer."""
        ...

    def failure(self, status: int, headers: Mapping[str, str], body: str) -> TuppenceError:
        """Return the error that an HTTP status of 400 or more stands for; headers have lower-case names."""
        ...


_PACKAGE = __name__.rpartition(".")[0]


def find_wire(name: str) -> Wire:
    """Return the wire of that name.

    :raises ConfigError: there is none.
    """
    if name not in wire_names():
        mistake = Mistake(0, f'There is no wire "{name}".', f"Write one of: {', '.join(wire_names())}.")
        raise ConfigError("config.toml", (mistake,))
    return cast("Wire", importlib.import_module(f"{_PACKAGE}.{name}"))


def wire_names() -> tuple[str, ...]:
    """Return the names of all wires: this package's modules but this one and those with a leading underscore."""
    found = (module.name for module in pkgutil.iter_modules(importlib.import_module(_PACKAGE).__path__))
    return tuple(sorted(name for name in found if not name.startswith("_") and f"{_PACKAGE}.{name}" != __name__))
