"""Answers and request traces on disk."""

from __future__ import annotations

from tuppence.cache.answers import AnswerStore, StoredAnswer, key
from tuppence.cache.file import File
from tuppence.cache.traces import Traces

__all__ = ["AnswerStore", "File", "StoredAnswer", "Traces", "key"]
