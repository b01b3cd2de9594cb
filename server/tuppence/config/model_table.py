"""The rows of the tier table: providers and models, the user's joined to the built-in ones.

A row is (provider, id). The user's row for a built-in one changes it field by field; his row for a built-in model at
another provider takes what belongs to the model (ability, benchmarks, context, limits, cache rules, tier, edit form and
adherence; on the same wire quirks and effort too) and nothing that belongs to the offer (price, rate limits,
retirement). A row with a mistake is left out, and with it the built-in row that it changes: it might have said
``public_only``. No file is opened here; config/config.py does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from tuppence.config import list_prices
from tuppence.config.model_columns import FREE, MODEL, PROVIDER
from tuppence.config.readers import table
from tuppence.config.toml_locations import Bad, TomlLocation
from tuppence.core.models.host import ascii_host, is_loopback
from tuppence.core.models.model import Model, Provider, Quirks
from tuppence.core.models.pricing import Price
from tuppence.core.routing.quality import canonical
from tuppence.core.text.shown_text import quoted
from tuppence.providers import wire_names

_ENDS = {"openai": ("/chat/completions", "/completions"), "anthropic": ("/v1/messages", "/messages", "/v1")}
"""What is wrongly left at the end of a base URL, by wire."""
_OFFER = ("price", "steps", "peak")


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


def read(data: Mapping[str, object], place: TomlLocation, builtin: Table, today: date) -> Table:
    """Return the table of a parsed file joined to the built-in one; what is wrong is reported and left out."""
    served, broken = _providers(data.get("providers", {}), place.key("providers"), builtin.providers)
    rows = {
        model.name: replace(model, provider=served[model.provider.name])
        for model in builtin.models
        if model.provider.name in served
    }
    named: dict[str, int] = {}
    for index, raw in enumerate(_rows(data.get("models", []), place.key("models"))):
        if place.report.is_full:
            break
        at = place.key("models", index)
        name = _name(raw)
        if name and name in named:
            at.wrong(
                f"There are two rows for {quoted(name, 80)}.", "Remove one of them, or give one another provider or id."
            )
            continue
        named[name] = index
        try:
            row = _model(raw, at, served, builtin, broken)
        except Bad:
            rows.pop(name, None)
            broken |= {name}
            continue
        if (former := builtin.nearly(name)) is not None and former.name != name:
            rows.pop(former.name, None)
        rows[name] = _priced(row, builtin, today)
    return Table(served, tuple(rows.values()), frozenset(named) - broken, broken)


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


def _model(
    raw: object, place: TomlLocation, served: Mapping[str, Provider], builtin: Table, broken: frozenset[str]
) -> Model:
    found = table(raw, place, MODEL, ("id", "provider"))
    owner = found["provider"]
    if owner in broken:  # The provider's own mistake says it all.
        raise Bad
    if owner not in served:
        raise place.key("provider").nothing("provider", owner, served)
    same = builtin.nearly(f"{owner}/{found['id']}")
    base = same or _elsewhere(found["id"], served[owner], builtin)
    if base is None and "tier" not in found:
        raise place.wrong('"models" has no "tier" in this row.', 'Add tier = "workhorse", or another tier.')
    changes: dict[str, Any] = {
        **{key: value for key, value in found.items() if key not in _OFFER},
        "provider": served[owner],
        "price": _price(found, place, same),
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


def _elsewhere(model: str, provider: Provider, builtin: Table) -> Model | None:
    """Return what a row takes from the built-in row of the same model at another provider.

    Resellers put the maker before its id and write points for dashes: anthropic/claude-sonnet-4.6. What follows a colon
    is a smaller model or another way to serve it, of which nothing is known.
    """
    twins = [each for each in builtin.models if ":" not in model and canonical(each.id) == canonical(model)]
    twin = max(twins, key=lambda each: (each.id == model, each.id.casefold() == model.casefold()), default=None)
    if twin is None:
        return None
    is_alike = twin.provider.wire == provider.wire
    return Model(
        provider=provider,
        id=model,
        tier=twin.tier,
        ability=twin.ability,
        benchmarks=twin.benchmarks,
        context=twin.context,
        max_output=twin.max_output,
        cache=twin.cache,
        quirks=twin.quirks if is_alike else Quirks(),  # They are in the words of one wire.
        effort=twin.effort if is_alike else (),
        at_effort=twin.at_effort if is_alike else {},
        edit=twin.edit,
        edit_adherence=twin.edit_adherence,
    )


def _marking(row: Model) -> Model:
    """Return the row with the common mark for an explicit cache, where it has none and its wire needs one."""
    if row.provider.wire != "openai" or row.cache.mode != "explicit" or row.quirks.cache_mark:
        return row
    return replace(row, quirks=replace(row.quirks, cache_mark=COMMON_MARK))


def _price(found: Mapping[str, Any], place: TomlLocation, same: Model | None) -> Price | None:
    given: Price | None = found.get("price")
    if given is FREE:
        return given
    former = same.price if same else None
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


def _priced(row: Model, builtin: Table, today: date) -> Model:
    """Return the row with its list price, where it has no price and its host is one of the built-in providers'."""
    hosts = {urlsplit(provider.base_url).hostname for provider in builtin.providers.values()}
    if row.price is not None or urlsplit(row.provider.base_url).hostname not in hosts:
        return row
    return replace(row, price=list_prices.look_up(row.id, row.provider.base_url, today))
