"""The rows of the tier table: providers and models, the user's joined to the built-in ones.

A row is (provider, id). The user's row for a built-in one changes it field by field; a row for a built-in model at
another provider takes what belongs to the model (ability, benchmarks, context, limits, cache rules, tier, edit form and
adherence, predecessor; on the same wire quirks and effort too) and nothing that belongs to the offer (price, rate
limits, retirement). A row that is ``like`` another takes as much from that row, its measured figures, and its price
unless the row says one; a list is asked only where that row has no price to give. A row that ``follows`` another is
linked to it, for the estimate of its quality, and takes nothing else. A row with a mistake is left out, and with it the
built-in row that it changes: it might have said ``public_only``. No file is opened here; config/config.py does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from tuppence.config import list_prices
from tuppence.config.model_columns import FREE, MODEL, PROVIDER
from tuppence.config.model_links import KEYS, LinkFault, Links, RowNames, in_order
from tuppence.config.readers import table
from tuppence.config.toml_locations import MOST, Bad, TomlLocation, nearest
from tuppence.core.models.host import ascii_host, is_loopback
from tuppence.core.models.model import Model, Provider, Quirks
from tuppence.core.models.pricing import Price
from tuppence.core.routing.quality import canonical
from tuppence.core.text.shown_text import quoted
from tuppence.providers import wire_names

_ENDS = {"openai": ("/chat/completions", "/completions"), "anthropic": ("/v1/messages", "/messages", "/v1")}
"""What is wrongly left at the end of a base URL, by wire."""
_OFFER = ("price", "steps", "peak")
_HOSTED = (
    *("rate_limits", "retires_on", "public_only", "as_of", "source"),
    *("seconds_to_first_token", "tokens_per_second"),
)
"""What belongs to a row's offer besides its price."""


@dataclass(frozen=True)
class Table:
    """The tier table of one file, or of the user's file joined to the built-in one."""

    providers: Mapping[str, Provider] = field(default_factory=dict)
    models: tuple[Model, ...] = ()
    named: frozenset[str] = frozenset()
    """The rows that stand in the user's file."""
    broken: frozenset[str] = frozenset()
    """The rows and providers that stand in the user's file and are left out of the table."""

    def find(self, name: str) -> Model | None:
        """Return the row of that name (``provider/id``), or None."""
        return next((model for model in self.models if model.name == name), None)

    def nearly(self, name: str) -> Model | None:
        """Return the row of that name in upper or lower case, or None: vendors themselves write it in both."""
        return next((model for model in self.models if model.name.casefold() == name.casefold()), None)


@dataclass(frozen=True)
class _Written:
    """A row of the file that is read, before it is checked."""

    raw: object
    place: TomlLocation
    same: Model | None
    """The built-in row that it changes."""
    twin: Model | None
    """The built-in row of the same model at another provider."""

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the row itself that refer to other rows."""
        return frozenset(key for key in KEYS if isinstance(self.raw, dict) and isinstance(self.raw.get(key), str))

    @property
    def links(self) -> Links:
        """The rows that it refers to, by key, with those that a built-in row gives it."""
        own: Mapping[str, str] = self.raw if isinstance(self.raw, dict) else {}
        base = self.same or (None if "like" in own else self.twin)
        return {**(_links(base) if base else {}), **{key: own[key] for key in self.keys}}


@dataclass(frozen=True)
class _Rows:
    """The table while it is read: the other table's rows, and those of the file that were read already."""

    builtin: Table
    served: Mapping[str, Provider]
    broken: set[str]
    names: RowNames
    found: dict[str, Model]
    today: date

    def named(self, name: str, place: TomlLocation) -> Model:
        """Return the row to which the key at a place refers."""
        known = self.names.find(name)
        if known in self.found:
            return self.found[known]
        if known in self.broken or name.partition("/")[0] in self.broken:  # That row's own mistake says it all.
            raise Bad
        bare = next((each for each in self.found if each.partition("/")[2] == name), None)
        near = "" if place.report.is_full else bare or nearest(name, self.found)
        remedy = 'Write "provider/id" of a built-in row or of one of your [[models]].'
        what = f"There is no model {quoted(name, 80)} in the tier table."
        raise place.wrong(what, f'Did you mean "{near}"?' if near else remedy)

    def listed(self, provider: str, model: str) -> Price | None:
        """Return the list price of a model at the host of a built-in provider; None where it has none."""
        hosts = {urlsplit(each.base_url).hostname for each in self.builtin.providers.values()}
        url = self.served[provider].base_url
        return list_prices.look_up(model, url, self.today) if urlsplit(url).hostname in hosts else None

    def linked(self, row: Model) -> Model:
        """Return a row that is linked to the one that it follows, if it follows one."""
        if row.follows is None:
            return row
        former = self.found.get(self.names.find(row.follows) or "") or self.builtin.find(row.follows)
        return replace(row, predecessor=former)


def read(data: Mapping[str, object], place: TomlLocation, builtin: Table, today: date) -> Table:
    """Return the table of a parsed file joined to the built-in one; what is wrong is reported and left out."""
    served, broken = _providers(data.get("providers", {}), place.key("providers"), builtin.providers)
    found = {model.name: _served(model, served) for model in builtin.models if model.provider.name in served}
    written = _written(data.get("models", []), place.key("models"), builtin)
    for each in written.values():
        if each.same is not None and each.same.name not in written:
            found.pop(each.same.name, None)  # The file writes its name in upper or lower case otherwise.
    names = tuple(dict.fromkeys((*found, *written)))
    rows = _Rows(builtin, served, set(broken), RowNames(names), found, today)
    for name, wrong in _in_order(found, written) if written else ():
        if place.report.is_full:
            break
        try:
            if wrong:
                raise written[name].place.key(wrong.key).wrong(wrong.what, wrong.remedy)
            found[name] = rows.linked(_model(written[name], rows) if name in written else found[name])
        except Bad:
            found.pop(name, None)
            rows.broken.add(name)
    models = tuple(found[name] for name in names if name in found)
    return Table(served, models, frozenset(written) - rows.broken, frozenset(rows.broken))


def _served(model: Model, served: Mapping[str, Provider]) -> Model:
    provider = served[model.provider.name]
    return model if provider is model.provider else replace(model, provider=provider)


def _written(value: object, place: TomlLocation, builtin: Table) -> dict[str, _Written]:
    """Return the rows of the file by name; a second one of a name is reported and left out."""
    rows: dict[str, _Written] = {}
    for index, raw in enumerate(_rows(value, place)):
        if place.report.is_full:
            break
        at, name = place.key(index), _name(raw)
        if not name:  # It has no provider or no id, which is reported here.
            with suppress(Bad):
                table(raw, at, MODEL, ("id", "provider"))
        elif name in rows:
            at.wrong(
                f"There are two rows for {quoted(name, 80)}.", "Remove one of them, or give one another provider or id."
            )
        else:
            rows[name] = _Written(raw, at, builtin.nearly(name), _twin(name.partition("/")[2], builtin))
    return rows


def _in_order(found: Mapping[str, Model], written: Mapping[str, _Written]) -> tuple[tuple[str, LinkFault | None], ...]:
    """Return the names of all rows, each after those to which it refers, with what is wrong with its references."""
    links = {name: _links(model) for name, model in found.items()}
    links |= {name: row.links for name, row in written.items()}
    return in_order(links, {name: row.keys for name, row in written.items()}, MOST)


def _links(model: Model) -> Links:
    return {key: name for key in KEYS if (name := getattr(model, key)) is not None}


def _providers(
    value: object, place: TomlLocation, builtin: Mapping[str, Provider]
) -> tuple[dict[str, Provider], frozenset[str]]:
    served = dict(builtin)
    broken: set[str] = set()
    if not isinstance(value, dict):
        place.wrong('"providers" must hold tables.', "Write [providers.mine] above the provider's settings.")
        return served, frozenset()
    for name, raw in value.items():
        if place.report.is_full:
            break
        try:
            served[name] = _provider(name, raw, place.key(name), builtin.get(name))
        except Bad:
            served.pop(name, None)
            broken.add(name)
    return served, frozenset(broken)


def _provider(name: str, raw: object, place: TomlLocation, base: Provider | None) -> Provider:
    if not name or "/" in name:
        raise place.wrong(f"A provider cannot be called {quoted(name, 80)}.", "Choose a name without a slash.")
    found = table(raw, place, PROVIDER, () if base else ("wire", "base_url"))
    provider = replace(base, **found) if base else Provider(name, **found)
    wires = [wire for wire in wire_names() if not wire.startswith("_")]
    if provider.wire not in wires:
        options = ", ".join(f'"{wire}"' for wire in wires)
        raise place.key("wire").wrong(f"There is no wire {quoted(provider.wire, 80)}.", f"Write one of: {options}.")
    return replace(provider, base_url=_url(provider, place.key("base_url")))


def _url(provider: Provider, place: TomlLocation) -> str:
    url = provider.base_url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host or any(mark.isspace() for mark in url):
        raise place.wrong(f"{quoted(provider.base_url, 80)} is not a web address.", 'Write "https://host/path".')
    if ascii_host(host) is None or not url.isprintable():
        what = f'"{place.name}" holds no name that a machine can have.'
        raise place.wrong(what, "A name is parts of 1 to 63 letters, digits and hyphens, with dots between them.")
    if parts.username or parts.password or parts.query or parts.fragment:
        # The address is not repeated: it may hold a password.
        raise place.wrong(
            f'"{place.name}" must be a bare address, without a name, a password, ? or #.', 'Write "https://host/path".'
        )
    if provider.key_env and parts.scheme == "http" and not is_loopback(host):
        raise place.wrong(
            f'The key in {provider.key_env} would cross the network to "{host}" unencrypted.',
            f"Write https://{parts.netloc}{parts.path}, or leave key_env out if no key is needed.",
        )
    for end in _ENDS.get(provider.wire, ()):
        if parts.path.endswith(end):
            raise place.wrong(
                f'"{place.name}" must not end in {end}, which is added to it.', f'Write "{url.removesuffix(end)}".'
            )
    return url


COMMON_MARK = {"cache_control": {"type": "ephemeral"}}
"""What marks the end of a block for OpenRouter, LiteLLM and Qwen: Anthropic's own field."""


def _rows(value: object, place: TomlLocation) -> list[object]:
    if isinstance(value, list):
        return value
    place.wrong('"models" must be an array of tables.', "Write [[models]], with two brackets, above each model.")
    return []


def _name(raw: object) -> str:
    """Return a row's name before the row is checked; empty where it has none."""
    parts = (raw.get("provider"), raw.get("id")) if isinstance(raw, dict) else ()
    return "/".join(str(part) for part in parts) if parts and all(parts) else ""


def _model(written: _Written, rows: _Rows) -> Model:
    place, same = written.place, written.same
    found = table(written.raw, place, MODEL, ("id", "provider"))
    owner = found["provider"]
    if owner in rows.broken:  # The provider's own mistake says it all.
        raise Bad
    if owner not in rows.served:
        raise place.key("provider").nothing("provider", owner, rows.served)
    provider = rows.served[owner]
    named = {key: rows.named(found[key], place.key(key)) for key in KEYS if key in found}
    like = named.get("like")
    base = _base(written, like, provider, found["id"])
    if base is None and "tier" not in found:
        raise place.wrong('"models" has no "tier" in this row.', 'Add tier = "workhorse", or another tier.')
    changes: dict[str, Any] = {
        **{key: value for key, value in found.items() if key not in _OFFER},
        **{key: model.name for key, model in named.items()},
        **({"like": like.like or like.name} if like else {}),
        "provider": provider,
        "price": _price(found, place, same, like, rows),
    }
    model = _marking(replace(base, **changes) if base else Model(**changes))
    if model.edit == "blocks" and model.edit_adherence is None:
        raise place.key("edit").wrong(
            '"edit" is "blocks", but the row does not say how many of its answers are well formed.',
            'Add edit_adherence = 0.97, or the share that was measured; or write edit = "whole".',
        )
    if "max_output" not in found and model.max_output > model.context:
        return replace(model, max_output=model.context)
    if model.max_output > model.context:
        raise place.key("max_output").wrong(
            f'"max_output" is {model.max_output}, more than the context of {model.context}.',
            "Write the number of answer tokens, which are part of the context.",
        )
    return model


def _base(written: _Written, like: Model | None, provider: Provider, model: str) -> Model | None:
    """Return what a row changes: a built-in row, what it takes from another one, or None where nothing is known."""
    same, other = written.same, like or written.twin
    if same is not None and like is None:
        return same
    if other is None:
        return None
    taken = _taken(other, provider, model)
    return replace(taken, **{key: getattr(same, key) for key in _HOSTED}) if same else taken


def _twin(model: str, builtin: Table) -> Model | None:
    """Return the built-in row of the same model, which is at another provider.

    Resellers put the maker before its id and write points for dashes: anthropic/claude-sonnet-4.6. What follows a colon
    is a smaller model or another way to serve it, of which nothing is known.
    """
    twins = [each for each in builtin.models if ":" not in model and canonical(each.id) == canonical(model)]
    return max(twins, key=lambda each: (each.id == model, each.id.casefold() == model.casefold()), default=None)


def _taken(other: Model, provider: Provider, model: str) -> Model:
    """Return what a row takes from the row of the same model at another provider, or under another name."""
    is_alike = other.provider.wire == provider.wire
    return Model(
        provider=provider,
        id=model,
        tier=other.tier,
        ability=other.ability,
        benchmarks=other.benchmarks,
        context=other.context,
        max_output=other.max_output,
        cache=other.cache,
        quirks=other.quirks if is_alike else Quirks(),  # They are in the words of one wire.
        effort=other.effort if is_alike else (),
        at_effort=other.at_effort if is_alike else {},
        edit=other.edit,
        edit_adherence=other.edit_adherence,
        public_only=other.public_only and other.provider.name == provider.name,
        follows=other.follows,
        like=other.like,
    )


def _marking(row: Model) -> Model:
    """Return the row with the common mark for an explicit cache, where it has none and its wire needs one."""
    if row.provider.wire != "openai" or row.cache.mode != "explicit" or row.quirks.cache_mark:
        return row
    return replace(row, quirks=replace(row.quirks, cache_mark=COMMON_MARK))


def _price(
    found: Mapping[str, Any], place: TomlLocation, same: Model | None, like: Model | None, rows: _Rows
) -> Price | None:
    """Return what a row costs: what it says itself, the built-in row that it changes, the row it is like, or a list."""
    given: Price | None = found.get("price")
    if given is FREE:
        return given
    own = same.price if same else None
    if given or own:
        former = own
    else:
        lent = _lent(like, rows.served[found["provider"]]) if like else None
        former = lent or rows.listed(found["provider"], found["id"])
    price = given or former
    if price is None:
        for key in ("steps", "peak"):
            if key in found:
                raise place.key(key).wrong(f'"{key}" needs a price to depart from.', "Add price = { input, output }.")
        return None
    return replace(
        price,
        steps=found.get("steps", former.steps if former else ()),
        peaks=found.get("peak", former.peaks if former else ()),
    )


def _lent(like: Model, provider: Provider) -> Price | None:
    """Return the price of the row that another is like; what is free on this machine is not known to be elsewhere."""
    is_here = is_loopback(urlsplit(provider.base_url).hostname or "")
    return None if like.price is None or (like.price.free and not is_here) else like.price
