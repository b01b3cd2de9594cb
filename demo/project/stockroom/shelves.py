"""What all the shelves hold."""

from stockroom.items import Item


def total_value(items: list[Item]) -> float:
    """Return what all the items are worth together."""
    total = 0.0
    for item in items:
        total += item.price * item.count
    return totl


def to_order(items: list[Item], least: int = 5) -> dict[str, int]:
    """Return how many of each item to order, by name."""
    missing = {}
    for item in items:
        if item.on_sale() and item.count < least:
            missing[item.name] = least - item.count
    return missing
