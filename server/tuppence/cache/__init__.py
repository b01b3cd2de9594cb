"""Answers and request traces on disk."""

from __future__ import annotations

from tuppence.cache.answers import Answers, Kept, key
from tuppence.cache.file import File
from tuppence.cache.traces import Traces

__all__ = ["Answers", "File", "Kept", "Traces", "key"]
