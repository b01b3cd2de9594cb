"""The ledger: what each request cost, and what running requests have reserved."""

from __future__ import annotations

from tuppence.ledger.ledger import EDITOR, Ledger, Patience, midnight
from tuppence.ledger.reservations import PendingCost, Reservation

__all__ = ["EDITOR", "Ledger", "Patience", "PendingCost", "Reservation", "midnight"]
