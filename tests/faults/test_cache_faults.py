"""An answer cache that is damaged, locked, full or not a file causes a miss, and never an error for the user."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from scenario import SRC, messages
from scripted_provider import answer
from server import Stage, pick, stage
from tests.cache.test_answers import KEPT
from tests.faults.test_ledger_faults import SPOILED

from tuppence.cache import AnswerStore, File, Traces


@pytest.mark.fault("life cycle", "stored answers damaged")
@pytest.mark.parametrize("kind", [*SPOILED, "no bytes"])
def test_a_damaged_file_of_stored_answers_is_dropped_and_begun_again(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "answers.sqlite3"
    first = AnswerStore(path)
    for number in range(300):
        first.put(f"k{number}", KEPT, f"s{number}")
    first.close()
    path.write_bytes(SPOILED[kind](path.read_bytes()) if kind in SPOILED else b"")
    store = AnswerStore(path)
    for _ in range(2):  # What is damaged shows at the latest once all of it was asked for.
        assert {store.get(f"k{number}") for number in range(300)} <= {None, KEPT}
        assert store.latest("s7") in (None, KEPT)
    assert Traces(store.file).all() == ()
    store.put("new", KEPT, "new")
    store.close()
    again = AnswerStore(path)
    assert again.get("new") == KEPT
    assert again.latest("new") == KEPT
    assert again.size()[0] >= 1
    again.clear()
    assert again.size()[0] == 0
    again.close()


def locked(path: Path) -> object:
    """Lock a file for as long as what is returned lives."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


def folder(path: Path) -> object:
    path.unlink(missing_ok=True)
    path.mkdir()
    return None


def foreign_tables(path: Path) -> object:
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("DROP TABLE answer")
        other.execute("CREATE TABLE answer (key TEXT, mine INTEGER)")
    other.close()
    return None


def foreign_values(path: Path) -> object:
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("UPDATE answer SET text = x'ff', at = 'soon', cost = 'much'")
        other.execute("INSERT INTO trace (data) VALUES ('{}')")
    other.close()
    return None


@pytest.mark.fault("life cycle", "stored answers that cannot be used")
@pytest.mark.parametrize(
    "spoil",
    [locked, foreign_values, *(pytest.param(each, marks=pytest.mark.long) for each in (folder, foreign_tables))],
)
async def test_stored_answers_that_cannot_be_used_cost_nobody_an_answer(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    path = tmp_path / "home" / "cache" / "tuppence" / "answers.sqlite3"
    first = AnswerStore(path)
    first.put("k", KEPT)
    first.close()
    async with stage(tmp_path) as s:
        holder = spoil(path)
        s.upstream.always(answer("`mean` divides the `sum` of `xs` by their number."))
        assert await explain(s, "a.py")
        assert await explain(s, "b.py")
        said = "".join((*messages(s), *s.editor.seen.logs))
        assert "sqlite" not in said.lower()
        assert "Traceback" not in said + s.editor.seen.errors
        assert [each.outcome for each in s.entries()] in (["kept", "kept"], ["kept"])
        del holder


async def explain(s: Stage, name: str) -> bool:
    """Explain the example; return whether an answer was shown, and a hover is there before and after."""
    buffer = s.editor.open(s.write(name, SRC.replace("mean", f"mean_{name[0]}")), "python")
    assert await s.editor.hover(buffer, 5)
    entered = len(s.upstream.requests)
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Explain"))
    assert await s.editor.hover(buffer, 5)
    return len(s.upstream.requests) == entered + 1


def test_a_file_is_not_waited_for(tmp_path: Path) -> None:
    """What the wait costs a hover is bounded by SQLite's own time-out, which is read back."""
    file = File(tmp_path / "answers.sqlite3")
    (wait,) = file.do(lambda connection: connection.execute("PRAGMA busy_timeout").fetchone())
    assert wait <= 200
    file.close()
