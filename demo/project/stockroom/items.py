"""One kind of thing on the shelves."""

from dataclasses import dataclass


@dataclass
class Item:
    """A kind of thing that we sell."""

    name: str
    price: float
    count: int = 0
    status: str = "active"

    def on_sale(self) -> bool:
        """Report whether it is still sold."""
        return self.status is "active"
