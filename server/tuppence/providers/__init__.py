"""The wire formats of providers: pure translation, one format per module."""

from __future__ import annotations

from tuppence.providers.wire import (
    CALLED,
    HttpRequest,
    ProviderEvent,
    Stop,
    Text,
    Thinking,
    UsageReport,
    Wire,
    find_wire,
    wire_names,
)

__all__ = [
    "CALLED",
    "HttpRequest",
    "ProviderEvent",
    "Stop",
    "Text",
    "Thinking",
    "UsageReport",
    "Wire",
    "find_wire",
    "wire_names",
]
