"""What things cost."""


def average(prices: list[float]) -> float:
    """Return the mean price."""
    return sum(prices) / len(prices)


def discount(price: float, percent: float) -> float:
    """Return the price after a discount."""
    return price - price * percent
