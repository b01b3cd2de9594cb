"""Results derived from files remain valid while the files are unchanged, within a size limit."""

from __future__ import annotations

from tuppence.workspace.recently_read import RecentlyRead

FACTS = (1, 2, 3, 4, 5)


def test_a_file_that_changed_is_not_known() -> None:
    kept: RecentlyRead[str, str] = RecentlyRead(100)
    kept.put("a", FACTS, "made", 10)
    assert kept.get("a", FACTS) == "made"
    assert kept.get("a", (1, 2, 3, 4, 6)) is None
    assert kept.get("b", FACTS) is None


def test_what_was_used_last_stays() -> None:
    kept: RecentlyRead[str, str] = RecentlyRead(25)
    for name in ("a", "b"):
        kept.put(name, FACTS, name, 10)
    assert kept.get("a", FACTS)
    kept.put("c", FACTS, "c", 10)
    assert [name for name in "abc" if kept.get(name, FACTS)] == ["a", "c"]
    kept.put("c", FACTS, "c", 15)
    assert [name for name in "abc" if kept.get(name, FACTS)] == ["a", "c"]
    kept.put("huge", FACTS, "huge", 26)
    assert not [name for name in ("a", "c", "huge") if kept.get(name, FACTS)]
