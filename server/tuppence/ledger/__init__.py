"""The ledger: what each request cost, and what running requests have reserved."""

from __future__ import annotations

from tuppence.ledger.ledger import Ledger, midnight
from tuppence.ledger.reservations import PendingCost, Reservation

__all__ = ["Ledger", "PendingCost", "Reservation", "midnight"]
