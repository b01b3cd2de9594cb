from stockroom.items import Item
from stockroom.shelves import to_order, total_value

SHELVES = [Item("hammer", 12.5, 3), Item("nail", 0.05, 400)]


def test_what_runs_low_is_ordered() -> None:
    assert to_order(SHELVES) == {"hammer": 2}


def test_the_value_is_the_sum_of_all() -> None:
    assert total_value(SHELVES) == 57.5
