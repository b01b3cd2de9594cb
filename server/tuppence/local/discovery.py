"""Find model servers that run on this machine: Ollama, LM Studio, llama.cpp.

A server is identified by responses that only its API gives; a port number proves nothing. It is asked only for its
model names, and receives no data. A server that needs a key must be configured by the user.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, get_args

from tuppence.core.models.model import CacheRules, Model, Provider, Quirks
from tuppence.core.models.pricing import Price, Rates
from tuppence.local import loopback_http

Kind = Literal["ollama", "lmstudio", "llamacpp"]
PORTS: Mapping[Kind, int] = MappingProxyType({"ollama": 11434, "lmstudio": 1234, "llamacpp": 8080})
TITLES: Mapping[Kind, str] = MappingProxyType({"ollama": "Ollama", "lmstudio": "LM Studio", "llamacpp": "llama.cpp"})
FREE = Price(Rates(Decimal(0), Decimal(0)))

# The default context of Ollama (https://docs.ollama.com/context-length) and LM Studio. They cut a longer prompt
# silently, so a guess that is too small is the safe one.
_CAUTIOUS_CONTEXT = 4096
_LARGEST_OUTPUT = 4096
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class DiscoveredServer:
    """A model server that runs on this machine."""

    kind: Kind
    base_url: str
    """The URL before ``/chat/completions``; ends in ``/v1``."""
    models: tuple[str, ...]
    """The model ids to send; empty if the server has no model for text, or runs none on this machine."""
    context: int | None
    """Prompt and answer tokens together, the minimum of its loaded models; None if not reported."""

    @property
    def title(self) -> str:
        """The server's product name."""
        return TITLES[self.kind]


async def find_servers(
    timeout: float = 0.5,  # noqa: ASYNC109 - a bound on the whole search, kept by asyncio.timeout in local/loopback_http.py
    ports: Mapping[Kind, int] = PORTS,
) -> tuple[DiscoveredServer, ...]:
    """Return the model servers that respond on loopback within ``timeout`` seconds, in the order of ``Kind``."""
    searches = [_identify(kind, ports[kind], timeout) for kind in get_args(Kind) if kind in ports]
    return tuple(found for found in await asyncio.gather(*searches) if found is not None)


def rows(found: DiscoveredServer) -> tuple[Model, ...]:
    """Return the tier table's rows for a found server: free, with unknown ability."""
    provider = Provider(found.kind, "openai", found.base_url, key_env=None)
    context = found.context or _CAUTIOUS_CONTEXT
    return tuple(
        Model(
            provider=provider,
            id=name,
            tier="local",
            price=FREE,
            context=context,
            max_output=min(_LARGEST_OUTPUT, context // 2),
            cache=CacheRules("automatic"),
            quirks=Quirks(cache_options={"cache_prompt": True} if found.kind == "llamacpp" else {}),
            source=f"{found.title} at {found.base_url}",
        )
        for name in found.models
    )


async def _identify(kind: Kind, port: int, seconds: float) -> DiscoveredServer | None:
    root = f"http://{loopback_http.HOST}:{port}"
    try:
        async with asyncio.timeout(seconds):
            match kind:
                case "ollama":
                    return await _ollama(root, seconds)
                case "lmstudio":
                    return await _lmstudio(root, seconds)
                case "llamacpp":
                    return await _llamacpp(root, seconds)
    except TimeoutError:
        return None


async def _ollama(root: str, seconds: float) -> DiscoveredServer | None:
    version, tags = await asyncio.gather(
        loopback_http.get(f"{root}/api/version", seconds), loopback_http.get(f"{root}/api/tags", seconds)
    )
    if not isinstance(_field(version, "version"), str) or not isinstance(_field(tags, "models"), list):
        return None
    names = [_field(each, "name") for each in _list(tags, "models") if _runs_here(each)]
    loaded = _list(await loopback_http.get(f"{root}/api/ps", seconds), "models")
    return _found("ollama", root, names, [_field(each, "context_length") for each in loaded])


def _runs_here(tag: Any) -> bool:
    """Report whether Ollama runs this text model itself: its list also contains models of its cloud service."""
    name = str(_field(tag, "name"))
    if _field(tag, "remote_host") or _field(tag, "remote_model") or name.endswith(("-cloud", ":cloud")):
        return False
    return "bert" not in str(_field(_field(tag, "details"), "family"))


async def _lmstudio(root: str, seconds: float) -> DiscoveredServer | None:
    listed = await loopback_http.get(f"{root}/api/v1/models", seconds)
    models = _list(listed, "models")
    if models and all(isinstance(_field(each, "loaded_instances"), list) and _field(each, "key") for each in models):
        names = [_field(each, "key") for each in models if _field(each, "type") == "llm"]
        loaded = [instance for each in models for instance in _list(each, "loaded_instances")]
        return _found("lmstudio", root, names, [_field(_field(each, "config"), "context_length") for each in loaded])
    return await _lmstudio_before_0_4(root, seconds)


async def _lmstudio_before_0_4(root: str, seconds: float) -> DiscoveredServer | None:
    models = _list(await loopback_http.get(f"{root}/api/v0/models", seconds), "data")
    if not models or not all(_field(each, "state") and _field(each, "compatibility_type") for each in models):
        return None
    text = [each for each in models if _field(each, "type") in ("llm", "vlm")]
    loaded = [each for each in text if _field(each, "state") == "loaded"]
    contexts = [_field(each, "loaded_context_length") for each in loaded]
    return _found("lmstudio", root, [_field(each, "id") for each in text], contexts)


async def _llamacpp(root: str, seconds: float) -> DiscoveredServer | None:
    props, listed = await asyncio.gather(
        loopback_http.get(f"{root}/props", seconds), loopback_http.get(f"{root}/v1/models", seconds)
    )
    settings = _field(props, "default_generation_settings")
    models = _list(listed, "data")
    if not isinstance(settings, dict) or any(_field(each, "owned_by") != "llamacpp" for each in models):
        return None
    return _found("llamacpp", root, [_field(each, "id") for each in models], [_field(settings, "n_ctx")])


def _found(kind: Kind, root: str, names: list[Any], contexts: list[Any]) -> DiscoveredServer:
    known = [size for size in contexts if isinstance(size, int) and size > 0]
    models = tuple(dict.fromkeys(name for name in names if isinstance(name, str) and _is_name(name)))
    return DiscoveredServer(kind, f"{root}/v1", models, min(known, default=None))


def _is_name(name: str) -> bool:
    """Report whether a model's name can be displayed and sent back: any program may listen at such a port."""
    return bool(name) and name.isprintable() and len(name) <= _LONGEST_NAME


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any, name: str) -> list[Any]:
    items = _field(value, name)
    return items if isinstance(items, list) else []
