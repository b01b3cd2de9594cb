"""Model requests: HTTP exchanges that are streamed, retried and limited. No other package contacts a provider."""

from __future__ import annotations

from tuppence.upstream.client import ModelClient, Piece, RequestSent, RetryScheduled
from tuppence.upstream.exchange import Fate, Hear
from tuppence.upstream.retry import RetryPolicy

__all__ = ["Fate", "Hear", "ModelClient", "Piece", "RequestSent", "RetryPolicy", "RetryScheduled"]
