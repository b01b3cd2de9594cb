"""A row of the tier table: a model at a provider, what it costs, what it can do, how it wants to be asked.

The rows are data (models.toml and the user's config.toml, read by config/config.py); nothing here names a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from tuppence.core.models.pricing import Price
from tuppence.core.models.time_limits import UNSET, TimeLimits

Tier = Literal["premium", "workhorse", "budget", "specialised", "local"]
TIERS: tuple[Tier, ...] = ("premium", "workhorse", "budget", "specialised", "local")
Premium = Literal["use", "ask", "never"]
"""Whether models of the premium tier are used, used after a question, or not at all."""
EditForm = Literal["whole", "blocks"]
"""How new text of a target is asked for: all of it, or SEARCH/REPLACE blocks inside of the target."""
EDIT_FORMS: tuple[EditForm, ...] = ("whole", "blocks")


@dataclass(frozen=True, slots=True)
class Provider:
    """A service that offers models over a known wire format."""

    name: str
    """The user's name for it, unique in the configuration."""
    wire: str
    """The wire format: the name of a module in providers/."""
    base_url: str
    """What precedes ``/chat/completions`` on the openai wire, and ``/v1/messages`` on the anthropic wire."""
    key_env: str | None = None
    """The environment variable that holds the key; None means that no key is sent."""
    bill: str | None = None
    """What follows ``base_url`` where it tells afterwards what an answer cost, ``{id}`` for its id; None: nowhere."""
    timeouts: TimeLimits = UNSET
    """How long a call to it may take, where that is not as the general settings say."""
    at_once: int | None = None
    """Requests that it is asked at the same time; None: as many as is usual for where it runs."""


@dataclass(frozen=True, slots=True)
class CacheRules:
    """How the provider's prompt cache behaves for this model."""

    mode: Literal["none", "automatic", "explicit"] = "none"
    """Explicit: only what precedes a mark is cached."""
    minimum: int = 0
    """Prompt tokens below which nothing is cached, silently."""
    ttl: tuple[str, ...] = ()
    """Times to live on offer, shortest first, such as ``5m`` and ``1h``."""
    ready: Literal["start", "end"] = "start"
    """When another request can read what one writes: as its answer starts, or not before its end."""
    uses: int = 1
    """How many requests must have had a prefix before the next one reads it."""
    renew: bool = False
    """Whether a request for no answer at all is served, which only writes the cache or keeps it alive."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """How this model wants to be asked where it differs from its wire's common form."""

    limit: str = "max_tokens"
    """The name of the field that limits the answer (``max_completion_tokens`` on newer OpenAI models)."""
    temperature: float | None = None
    """Sent only if set, because several models reject any value."""
    thinking_off: Mapping[str, object] = field(default_factory=dict)
    """Fields merged into the body to switch thinking off; empty where it cannot or need not be."""
    stream_usage: bool = True
    """Whether the server accepts ``stream_options``."""
    brief: bool = False
    """Whether it is too small for the whole prompt, and is shown the target alone with one line of instruction."""
    cache_mark: Mapping[str, object] = field(default_factory=dict)
    """On the openai wire, the fields that mark a shared block's end where the cache is explicit; vendors differ."""
    cache_options: Mapping[str, object] = field(default_factory=dict)
    """Fields merged into the body that tell the server how to cache."""
    cache_key: str = ""
    """On the openai wire, the field that takes a word by which requests with one prefix reach one machine."""
    cache_header: str = ""
    """On the openai wire, the header that takes this word, in lower case, where it is not a field."""
    file_message: bool = False
    """On the openai wire, whether the shared blocks go as a message of their own, whose end the server caches."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How a model is asked to think so much, and what that is worth."""

    send: Mapping[str, object]
    """Fields merged into the body instead of those that switch thinking off."""
    ability: Mapping[str, float] = field(default_factory=dict)
    """Action to expected quality, 0 to 1, where it is another one than the row's."""
    thinking: int = 0
    """Tokens that it usually thinks for one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One row of the tier table."""

    provider: Provider
    id: str
    """The id as sent on the wire; case-sensitive."""
    tier: Tier
    price: Price | None = None
    """None is unknown: used only when pinned, and shown as unknown."""
    context: int = 32_768
    """Prompt and answer tokens together."""
    max_output: int = 4096
    """Answer tokens."""
    ability: Mapping[str, float] = field(default_factory=dict)
    """Expected quality by action, 0 to 1; actions without a measurement are absent."""
    benchmarks: Mapping[str, float] = field(default_factory=dict)
    """Published figures by benchmark name, 0 to 100."""
    cache: CacheRules = CacheRules()
    quirks: Quirks = Quirks()
    effort: tuple[str, ...] = ()
    """Thinking efforts that the model offers, least first."""
    at_effort: Mapping[str, Effort] = field(default_factory=dict)
    """Efforts that the router may choose besides the default; only those with a stated quality."""
    chosen_effort: str = ""
    """The effort of ``at_effort`` that this variant of the row is asked with; empty for the row itself."""
    edit: EditForm = "whole"
    """The form in which it may be asked for a long target's new text; core/routing/edit_form.py says when it is."""
    edit_adherence: float | None = None
    """The share of its answers in blocks that are well formed, above 0 to 1; None where it is not stated."""
    public_only: bool = False
    """Never given a private file."""
    seconds_to_first_token: float | None = None
    tokens_per_second: float | None = None
    rate_limits: Mapping[str, int] = field(default_factory=dict)
    """Limits of the account, each above 0: ``requests_per_minute``, ``tokens_per_minute`` (prompt and answer),
    ``input_tokens_per_minute``, ``output_tokens_per_minute``, ``concurrent_requests``."""
    as_of: date | None = None
    """The day on which the row's figures were read."""
    source: str = ""
    """Where the figures were read, and what the founding documents said where they differ."""
    retires_on: date | None = None
    """The day from which the provider does not serve it."""
    follows: str | None = None
    """The name of the row of its predecessor, which gives it nothing but its figures."""
    like: str | None = None
    """The name of the row of the same model under another name, whose figures are its own."""
    predecessor: Model | None = field(default=None, compare=False, repr=False)
    """The row that ``follows`` names, with its own predecessor in turn; the table links them, without a circle."""

    @property
    def name(self) -> str:
        """The row's key, ``provider/id``; for a variant at another effort ``provider/id@effort``."""
        return f"{self.row}@{self.chosen_effort}" if self.chosen_effort else self.row

    @property
    def row(self) -> str:
        """The key of the row that it is, or is a variant of."""
        return f"{self.provider.name}/{self.id}"

    @property
    def figures_id(self) -> str:
        """The id under which measured figures are looked up: that of the row which it is like, or its own."""
        return self.like.partition("/")[2] if self.like else self.id

    @property
    def title(self) -> str:
        """The name shown to the user: the id, and the effort if one was chosen."""
        return f"{self.id} at {self.chosen_effort} effort" if self.chosen_effort else self.id

    def variants(self) -> tuple[Model, ...]:
        """Return the row and its variants at other efforts."""
        return (self, *(self._at(name, effort) for name, effort in self.at_effort.items()))

    def goes_by(self, name: str) -> bool:
        """Return whether a user's name for a model means this one: a row's name means all its variants."""
        return name in (self.name, self.row)

    def _at(self, name: str, effort: Effort) -> Model:
        quirks = replace(self.quirks, thinking_off=effort.send)
        return replace(self, chosen_effort=name, quirks=quirks, ability={**self.ability, **effort.ability})

    def retired(self, today: date) -> bool:
        """Report whether the provider has stopped serving it."""
        return self.retires_on is not None and self.retires_on <= today
