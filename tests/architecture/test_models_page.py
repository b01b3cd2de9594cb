"""docs/models.md: its table of the ten kinds of task is reckoned again, and its configurations are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from founding import CANDIDATES, FIGURES, ROWS, best, cheapest, listed, select_model, stated
from paths import ROOT

from tuppence.config import Config, load
from tuppence.core.actions import ACTIONS
from tuppence.core.billing.report import GUIDE
from tuppence.core.models.model import TIERS, Model
from tuppence.core.prompt.compose import Prompt
from tuppence.providers import find_wire

TODAY = date(2026, 11, 30)
PAGE = (ROOT / "docs" / "models.md").read_text("utf-8")
TABLE = {model.name: model for model in load(today=TODAY).models}


def rows(title: str) -> list[list[str]]:
    """Return the cells of the table under a heading, without its head."""
    part = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


KINDS = rows("The ten kinds of task")


def line(row: Model) -> Iterator[Model]:
    """Yield a row and those that it follows, newest first."""
    seen: Model | None = row
    while seen is not None:
        yield seen
        seen = seen.predecessor


def todays(name: str) -> str:
    """Return the id of the last in line after a model of the documents that is served and has a price."""
    founding = ROWS[name]
    heirs = [
        (sum(1 for _ in line(row)), -listed(row), row)
        for row in TABLE.values()
        if row.price and not row.retired(TODAY) and founding in [each.name for each in line(row)]
    ]
    return max(heirs, key=lambda each: each[:2])[2].id


def verdict(returned: str, right: str) -> str:
    return "right" if returned == right else "wrong"


def test_the_ten_kinds_are_those_of_the_documents_in_their_order() -> None:
    assert [names(cells[0]) for cells in KINDS] == [[kind] for kind in CANDIDATES]


@pytest.mark.parametrize("cells", KINDS, ids=lambda cells: cells[0])
def test_a_kind_names_actions_and_a_tier_that_there_are(cells: list[str]) -> None:
    assert names(cells[1])
    assert set(names(cells[1])) <= {action.id for action in ACTIONS}
    assert cells[2] in TIERS
    assert cells[2] in GUIDE


@pytest.mark.parametrize("cells", KINDS, ids=lambda cells: cells[0])
def test_todays_models_are_the_last_in_line_cheapest_first(cells: list[str]) -> None:
    (kind,) = names(cells[0])
    ids = dict.fromkeys(todays(name) for name in CANDIDATES[kind])
    served = {row.id: row for row in TABLE.values() if row.id in ids}
    assert names(cells[3]) == sorted(ids, key=lambda each: listed(served[each]))
    assert not any(row.retired(TODAY) for row in served.values())


@pytest.mark.parametrize("cells", KINDS, ids=lambda cells: cells[0])
def test_low_is_held_against_the_cheapest_of_its_own_three(cells: list[str]) -> None:
    (kind,) = names(cells[0])
    returned, right = select_model(kind, "low"), cheapest(kind)
    assert returned == CANDIDATES[kind][-1]
    now = min(CANDIDATES[kind], key=lambda name: listed(TABLE[ROWS[name]]))
    assert names(cells[4]) == [returned]
    assert names(cells[5]) == list(dict.fromkeys((right, now)))
    own = stated(returned) / stated(right)
    dearer = listed(TABLE[ROWS[returned]]) / listed(TABLE[ROWS[now]])
    assert cells[6] == ("right" if own == dearer == 1 else f"wrong: {own:.1f}x, today {dearer:.1f}x")


@pytest.mark.parametrize("cells", KINDS, ids=lambda cells: cells[0])
def test_high_is_held_against_the_best_by_its_own_figures(cells: list[str]) -> None:
    (kind,) = names(cells[0])
    returned, right = select_model(kind, "high"), best(kind)
    assert names(cells[7]) == [returned]
    assert names(cells[8]) == [right]
    assert cells[9] == ("right" if returned == right else f"wrong: {FIGURES[returned][2]} < {FIGURES[right][2]}")


def test_what_is_said_of_the_whole_is_so() -> None:
    low = [kind for kind in CANDIDATES if select_model(kind, "low") != cheapest(kind)]
    high = [kind for kind in CANDIDATES if select_model(kind, "high") != best(kind)]
    inverted = [kind for kind in CANDIDATES if stated(select_model(kind, "low")) > stated(select_model(kind, "medium"))]
    dear = [kind for kind in CANDIDATES if stated(select_model(kind, "medium")) > stated(select_model(kind, "high"))]
    worst = max(stated(select_model(kind, "low")) / stated(cheapest(kind)) for kind in CANDIDATES)
    now = sum(cells[6] != "right" for cells in KINDS)
    prose = " ".join(PAGE.split())
    assert f"`low` and budget mode are not the cheapest in {len(low)} of 10 by its own prices" in prose
    assert f"in {now} by the list prices of this table" in prose
    assert f"up to {worst:.0f} times" in prose
    assert f"`low` costs more than `medium` in {len(inverted)}" in prose
    assert f"`medium` more than `high` in {len(dear)}" in prose
    assert f"`high` is not the best by its own HumanEval in {len(high)}" in prose


def configuration(folder: Path, heading: str) -> Config:
    """Return what the block of TOML under a heading makes."""
    block = PAGE.partition(f"\n## {heading}\n")[2].partition("```toml\n")[2].partition("```")[0]
    assert block
    path = folder / "config.toml"
    path.write_text(block, "utf-8")
    found = load(path, today=TODAY)
    assert found.mistakes == ()
    return found


def test_the_readme_counts_the_rows_that_there_are() -> None:
    providers = load(today=TODAY).providers
    assert f"Built in are {len(TABLE)} models of {len(providers)} providers" in (ROOT / "README.md").read_text("utf-8")


def test_azures_row_is_asked_in_the_words_of_its_model(tmp_path: Path) -> None:
    found = configuration(tmp_path, "Azure OpenAI")
    (row,) = [model for model in found.models if model.provider.name == "azure"]
    assert row.like is not None
    twin = next(model for model in found.models if model.name == row.like)
    assert (row.price, row.context, row.cache, row.figures_id) == (twin.price, twin.context, twin.cache, twin.id)
    prompt = Prompt("s", ("f",), "t", 100, marks=(1,))
    request = find_wire("openai").request(prompt, row, "secret")
    assert re.fullmatch(r"https://[\w-]+\.openai\.azure\.com/openai/v1/chat/completions", request.url)
    assert request.headers == {"authorization": "Bearer secret"}
    assert request.body == {**find_wire("openai").request(prompt, twin, "secret").body, "model": row.id}


def test_a_successors_row_is_linked(tmp_path: Path) -> None:
    found = configuration(tmp_path, "The same model, and a successor")
    rows = [model for model in found.models if model.like or (model.follows and model.name not in TABLE)]
    assert {bool(row.like) for row in rows} == {True, False}
    assert all(row.predecessor is not None for row in rows if row.follows)
