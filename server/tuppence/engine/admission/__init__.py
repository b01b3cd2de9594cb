"""When a request to a provider may be sent: the account's limits, the provider's queue, and its circuit breakers."""

from __future__ import annotations

from tuppence.engine.admission.admission import ProviderAccess, Providers, Resting

__all__ = ["ProviderAccess", "Providers", "Resting"]
