"""When a request to a provider may go out: the account's limits, the queue before the provider, and its breakers."""

from __future__ import annotations

from tuppence.engine.admission.admission import ProviderAccess, Providers, Resting

__all__ = ["ProviderAccess", "Providers", "Resting"]
