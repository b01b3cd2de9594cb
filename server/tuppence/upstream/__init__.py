"""The only way to a provider: one HTTP exchange, streamed, retried and limited."""

from __future__ import annotations

from tuppence.upstream.client import Piece, Sending, Upstream, Waiting
from tuppence.upstream.exchange import Fate
from tuppence.upstream.retry import Patience

__all__ = ["Fate", "Patience", "Piece", "Sending", "Upstream", "Waiting"]
