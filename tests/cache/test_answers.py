"""The answer cache: hits for identical content, bounded, private, and never a failure of the request."""

from __future__ import annotations

import logging
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.cache import AnswerStore, StoredAnswer, key
from tuppence.errors import TuppenceError

KEPT = StoredAnswer("It **adds**.", "small", datetime(2026, 3, 4, 12, tzinfo=UTC), Decimal("0.00110"))
PARTS = st.tuples(st.text(), st.text(), st.text(), st.text())


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[AnswerStore]:
    opened = AnswerStore(tmp_path / "cache" / "answers.sqlite3")
    yield opened
    opened.close()


def kept(text: str) -> StoredAnswer:
    return StoredAnswer(text, "small", KEPT.at, None)


@given(PARTS, PARTS)
def test_two_questions_share_a_key_only_when_they_are_the_same(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (key(*one) == key(*other)) == (one == other)


def test_a_key_does_not_confuse_where_one_part_ends() -> None:
    assert len({key("a", "b", "c"), key("ab", "", "c"), key("a", "bc", ""), key("a", "b", "", "c")}) == 4


def test_a_key_is_the_same_in_every_process() -> None:
    words = [
        sys.executable,
        "-c",
        "from tuppence.cache.answers import key; print(key('explain', 'go', 'x := \\ud800', '?'))",
    ]
    found = {subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip() for _ in range(2)}
    assert found == {key("explain", "go", "x := \ud800", "?")}
    assert len(found.pop()) == 64


@pytest.mark.parametrize(
    "given_answer",
    [
        KEPT,
        kept(""),
        kept("no zone of ours"),
        kept("emoji \U0001f600, CRLF\r\n, NUL \0, half \ud800"),
        StoredAnswer(
            "elsewhere", "m", datetime(2026, 3, 4, 12, tzinfo=timezone(timedelta(hours=13))), Decimal("1E-12")
        ),
    ],
)
def test_an_answer_survives_a_restart(answers: AnswerStore, given_answer: StoredAnswer) -> None:
    answers.put("k", given_answer)
    assert answers.get("k") == given_answer
    answers.close()
    assert AnswerStore(answers.path).get("k") == given_answer


def test_an_answer_that_was_never_given_is_none(answers: AnswerStore) -> None:
    assert answers.get("k") is None


def test_a_newer_answer_replaces_the_old_one(answers: AnswerStore) -> None:
    answers.put("k", kept("old"))
    answers.put("k", kept("new"))
    assert answers.get("k") == kept("new")
    assert answers.clear() == 1


def test_memory_is_bounded_and_the_rest_is_on_disk(tmp_path: Path) -> None:
    answers = AnswerStore(tmp_path / "answers.sqlite3", entries=3)
    for number in range(10):
        answers.put(str(number), kept(str(number)))
    assert len(answers._memory) == 3
    assert answers.get("0") == kept("0")
    assert len(answers._memory) == 3
    answers.close()


@pytest.mark.parametrize("size", [10, 900, 2_100, 5_000, 30_000])
def test_the_file_is_bounded_and_what_was_used_stays(tmp_path: Path, size: int) -> None:
    bound = 300_000
    answers = AnswerStore(tmp_path / "answers.sqlite3", entries=1, bytes_on_disk=bound)
    answers.put("used", kept("u" * size))
    for number in range(min(3_000, 3 * bound // size)):
        answers.put(str(number), kept("x" * size))
        assert answers.get("used") == kept("u" * size)
        assert answers.path.stat().st_size <= bound
    assert answers.get(str(number)) == kept("x" * size)
    assert (answers.get("0") is None) == (size > 10)
    answers.close()


def test_an_answer_that_would_fill_the_cache_is_not_kept(tmp_path: Path) -> None:
    answers = AnswerStore(tmp_path / "answers.sqlite3", bytes_on_disk=100_000)
    answers.put("k", kept("x" * 50_001))
    assert answers.get("k") is None


def test_clearing_forgets_all_of_it_in_every_process(answers: AnswerStore) -> None:
    for number in range(100):
        answers.put(str(number), kept("secret " * 500))
    other = AnswerStore(answers.path)
    assert other.get("7") == kept("secret " * 500)
    assert other.clear() == 100
    assert answers.get("7") is None
    assert other.get("7") is None
    assert b"secret" not in answers.path.read_bytes()
    assert answers.path.stat().st_size < 50_000
    other.close()


def test_the_last_answer_about_a_definition_is_known_whatever_its_code(answers: AnswerStore) -> None:
    answers.put("k1", kept("old"), "mean")
    answers.put("k2", kept("new"), "mean")
    answers.put("k3", kept("other"))
    assert answers.latest("mean") == kept("new")
    assert answers.latest("unknown") is None
    answers.close()
    again = AnswerStore(answers.path)
    assert again.latest("mean") == kept("new")
    assert again.size()[0] == 3
    again.clear()
    assert again.latest("mean") is None
    again.close()


def test_nobody_else_may_read_it(answers: AnswerStore) -> None:
    answers.put("k", KEPT)
    assert {stat.S_IMODE(path.stat().st_mode) for path in answers.path.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(answers.path.parent.stat().st_mode) == 0o700


def test_nothing_is_opened_before_it_is_needed() -> None:
    answers = AnswerStore()
    assert not answers.path.parent.exists()
    assert answers.path.name == "answers.sqlite3"


def test_a_damaged_file_is_begun_again(answers: AnswerStore) -> None:
    answers.put("k", KEPT)
    answers.close()
    answers.path.write_bytes(b"no database " * 1000)
    fresh = AnswerStore(answers.path)
    assert fresh.get("k") is None
    fresh.put("k", KEPT)
    fresh.close()
    assert AnswerStore(answers.path).get("k") == KEPT


def test_a_file_of_another_version_is_begun_again(answers: AnswerStore, monkeypatch: pytest.MonkeyPatch) -> None:
    answers.put("k", KEPT)
    answers.close()
    monkeypatch.setattr("tuppence.cache.file.VERSION", 99)
    assert AnswerStore(answers.path).get("k") is None


def test_a_file_that_cannot_be_used_is_only_a_miss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    answers = AnswerStore(tmp_path / "file" / "answers.sqlite3")
    with caplog.at_level(logging.WARNING):
        answers.put("k", KEPT)
    assert answers.get("k") == KEPT
    assert answers.get("other") is None
    assert "could not be used" in caplog.text
    with pytest.raises(TuppenceError, match=r"could not be cleared: .*\. Delete that file\.$"):
        answers.clear()
