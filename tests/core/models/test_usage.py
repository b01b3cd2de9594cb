"""How tokens are divided into buckets, and how the buckets of two requests are added."""

from __future__ import annotations

from tuppence.core.models.usage import Usage, merge, split


def test_a_prompt_is_split_into_what_is_read_written_and_fresh() -> None:
    written = Usage(cache_write=20, cache_write_1h=30)
    assert split(100, 10, written) == Usage(40, 10, 20, 30)
    assert split(100, 10) == Usage(90, 10)
    assert split(100, 0) == Usage(100, None)
    assert split(100, 200, written) == Usage(0, 100, 0, 0)
    assert split(100, 90, written) == Usage(0, 90, 10, 0)
    assert split(100, 60, written) == Usage(0, 60, 20, 20)
    assert split(100, 10, written).prompt == 100


def test_two_requests_are_merged_bucket_by_bucket() -> None:
    first, second = Usage(1, 20, 300, 4_000, 50_000, 600_000), Usage(2, 30, 400, 5_000, 60_000, 700_000)
    assert merge(first, second) == Usage(3, 50, 700, 9_000, 110_000, 1_300_000)
    assert merge(Usage(), Usage()).cache_read is None
    assert merge(Usage(cache_read=7), Usage()).cache_read == 7
    assert merge(Usage(), Usage(cache_read=7)).cache_read == 7
    assert merge(Usage(cache_read=0), Usage()).cache_read == 0
