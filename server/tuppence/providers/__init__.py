"""The wire formats of providers: pure translation, one format a module."""

from __future__ import annotations

from tuppence.providers.wire import Event, Metered, Request, Stop, Text, Thinking, Wire, find_wire, wire_names

__all__ = ["Event", "Metered", "Request", "Stop", "Text", "Thinking", "Wire", "find_wire", "wire_names"]
