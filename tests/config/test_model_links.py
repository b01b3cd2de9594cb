"""Rows that refer to others: ``like``, the same model under another name, and ``follows``, a successor."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.config import Config, config, load
from tuppence.config.model_links import LONGEST, LinkFault, RowNames, in_order
from tuppence.config.toml_locations import MistakeReport
from tuppence.core.models.model import Model, Quirks
from tuppence.core.models.pricing import Price, PriceTier, Rates
from tuppence.errors import ConfigError

TODAY = date(2026, 11, 21)
MINE = """\
[providers.mine]
wire = "openai"
base_url = "http://127.0.0.1:18080/v1"
[providers.theirs]
wire = "openai"
base_url = "https://models.example/v1"
[providers.other]
wire = "anthropic"
base_url = "https://other.example"
"""
FULL = """
price = { input = 1, output = 4, cache_read = 0.1 }
steps = [{ above = 1000, input = 2, output = 8 }]
context = 70000
max_output = 9000
ability = { fix = 0.7 }
benchmarks = { aider_polyglot = 40 }
cache = { mode = "automatic", minimum = 512 }
quirks = { limit = "max_completion_tokens" }
effort = ["low", "high"]
at_effort = { high = { send = { reasoning_effort = "high" }, thinking = 10 } }
edit = "blocks"
edit_adherence = 0.97
rate_limits = { requests_per_minute = 7 }
seconds_to_first_token = 3
as_of = 2026-11-01
source = "Here."
retires_on = 2027-01-01
"""


def mine(model: str, text: str = "", provider: str = "theirs") -> str:
    return f'[[models]]\nid = "{model}"\nprovider = "{provider}"\n{text}\n'


def read(folder: Path, *rows: str) -> Config:
    path = folder / "config.toml"
    path.write_text(MINE + "".join(rows))
    return load(path, today=TODAY)


def row(found: Config, name: str) -> Model:
    assert found.mistakes == ()
    return next(model for model in found.models if model.name == name)


def said(found: Config) -> list[tuple[str, str]]:
    return [(each.what, each.remedy) for each in found.mistakes]


def names(found: Config) -> set[str]:
    return {model.name for model in found.models if model.provider.name in ("mine", "theirs", "other")}


# A successor


def test_a_successor_takes_nothing_and_is_linked(tmp_path: Path) -> None:
    found = read(
        tmp_path, mine("new", 'tier = "budget"\nfollows = "theirs/old"'), mine("old", f'tier = "premium"{FULL}')
    )
    new, old = row(found, "theirs/new"), row(found, "theirs/old")
    assert new == Model(provider=new.provider, id="new", tier="budget", follows="theirs/old")
    assert new.predecessor is old
    assert old.predecessor is None
    assert new.figures_id == "new"


def test_a_successor_says_its_tier_itself(tmp_path: Path) -> None:
    found = read(tmp_path, mine("new", 'follows = "openai/gpt-5.5"'))
    assert said(found) == [('"models" has no "tier" in this row.', 'Add tier = "workhorse", or another tier.')]


def test_a_line_of_successors_is_linked_whatever_their_order_in_the_file(tmp_path: Path) -> None:
    rows = [
        mine("c", 'tier = "budget"\nfollows = "theirs/b"'),
        mine("a", 'tier = "budget"\nability = { fix = 0.3 }'),
        mine("b", 'tier = "budget"\nfollows = "theirs/a"'),
    ]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)):
        found = read(tmp_path, *(rows[each] for each in order))
        last = row(found, "theirs/c")
        assert last.predecessor is not None
        assert last.predecessor.predecessor is not None
        assert last.predecessor.predecessor.ability == {"fix": 0.3}
        assert [model.id for model in found.models[-3:]] == ["cab"[each] for each in order], "as the file has them"


def test_a_successor_of_a_changed_row_is_linked_to_the_change(tmp_path: Path) -> None:
    changed = mine("gpt-5.5", "ability = { fix = 0.9 }", "openai")
    found = row(read(tmp_path, mine("new", 'tier = "budget"\nfollows = "openai/gpt-5.5"'), changed), "theirs/new")
    assert found.predecessor is not None
    assert found.predecessor.ability == {"fix": 0.9}
    assert found.predecessor.price is not None


def test_a_row_is_found_in_upper_or_lower_case_but_as_it_is_written_first(tmp_path: Path) -> None:
    follows = 'tier = "budget"\nfollows = "{}"'
    rows = [mine("A", 'tier = "budget"'), mine("a", follows.format("theirs/A")), mine("b", follows.format("THEIRS/A"))]
    found = read(tmp_path, *rows)
    assert row(found, "theirs/a").follows == "theirs/A", "another model than itself"
    assert row(found, "theirs/b").follows in ("theirs/A", "theirs/a")


# The same model


def test_the_same_model_elsewhere_takes_all_but_the_offer(tmp_path: Path) -> None:
    rows = [mine("x", 'like = "theirs/y"', "mine"), mine("y", f'tier = "premium"{FULL}')]
    x, y = (row(read(tmp_path, *rows), name) for name in ("mine/x", "theirs/y"))
    assert x == Model(
        provider=x.provider,
        id="x",
        tier="premium",
        price=y.price,
        context=70_000,
        max_output=9000,
        ability=y.ability,
        benchmarks=y.benchmarks,
        cache=y.cache,
        quirks=y.quirks,
        effort=y.effort,
        at_effort=y.at_effort,
        edit="blocks",
        edit_adherence=0.97,
        like="theirs/y",
    )
    assert x.price is not None
    assert x.price.steps
    assert x.figures_id == "y"


def test_over_another_wire_it_takes_no_words_of_the_first(tmp_path: Path) -> None:
    rows = [mine("x", 'like = "theirs/y"', "other"), mine("y", f'tier = "premium"{FULL}')]
    found = row(read(tmp_path, *rows), "other/x")
    assert (found.quirks, found.effort, found.at_effort) == (Quirks(), (), {})
    assert found.context == 70_000


def test_what_a_row_says_goes_before_what_it_is_like(tmp_path: Path) -> None:
    own = 'like = "theirs/y"\ntier = "budget"\nprice = { input = 3, output = 9 }\ncontext = 5000\nability = {}\n'
    own += "max_output = 40\n"
    found = row(read(tmp_path, mine("x", own), mine("y", f'tier = "premium"{FULL}')), "theirs/x")
    assert (found.tier, found.context, found.max_output, found.ability) == ("budget", 5000, 40, {})
    assert found.price == Price(Rates(Decimal(3), Decimal(9))), "without the steps of another price"
    assert found.cache.minimum == 512


def test_its_own_steps_depart_from_the_price_it_takes(tmp_path: Path) -> None:
    own = 'like = "theirs/y"\nsteps = [{ above = 9, input = 5, output = 5 }]'
    found = row(read(tmp_path, mine("x", own), mine("y", f'tier = "premium"{FULL}')), "theirs/x")
    base = Rates(Decimal(1), Decimal(4), Decimal("0.1"))
    assert found.price == Price(base, (PriceTier(9, Rates(Decimal(5), Decimal(5))),))


def test_what_is_like_a_like_row_has_the_figures_of_the_last(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        mine("x", 'like = "theirs/y"'),
        mine("y", 'like = "openai/gpt-5.5"\nfollows = "openai/gpt-5.4"'),
        mine("z", 'tier = "budget"\nlike = "theirs/x"\nfollows = "openai/gpt-6-luna"'),
    )
    assert {row(found, f"theirs/{each}").like for each in "xyz"} == {"openai/gpt-5.5"}
    assert {row(found, f"theirs/{each}").figures_id for each in "xyz"} == {"gpt-5.5"}
    x, z = row(found, "theirs/x"), row(found, "theirs/z")
    assert (x.follows, z.follows) == ("openai/gpt-5.4", "openai/gpt-6-luna")
    assert x.predecessor is not None
    assert x.predecessor.id == "gpt-5.4"


def test_the_price_of_the_row_it_is_like_goes_before_a_list(tmp_path: Path) -> None:
    builtin = read(tmp_path)
    for name in ("gpt-5-mini", "gpt-none"):  # A list has the first.
        found = row(read(tmp_path, mine(name, 'like = "openai/gpt-5.5"', "openai")), f"openai/{name}")
        assert found.price == row(builtin, "openai/gpt-5.5").price
    given = 'like = "openai/gpt-5.5"\nprice = { input = 3, output = 9 }'
    assert row(read(tmp_path, mine("gpt-5-mini", given, "openai")), "openai/gpt-5-mini").price == Price(
        Rates(Decimal(3), Decimal(9))
    )


def test_a_list_is_asked_where_the_row_it_is_like_has_no_price_to_give(tmp_path: Path) -> None:
    listed = row(read(tmp_path, mine("gpt-5-mini", 'tier = "budget"', "openai")), "openai/gpt-5-mini").price
    assert listed is not None
    here = mine("y", 'tier = "local"\nprice = 0', "mine")
    for other in ("openai/gpt-6.2-sol", "mine/y"):  # Of unknown price, and free on this machine.
        found = read(tmp_path, mine("gpt-5-mini", f'like = "{other}"', "openai"), here)
        assert row(found, "openai/gpt-5-mini").price == listed


def test_what_is_free_here_is_not_free_elsewhere(tmp_path: Path) -> None:
    free = mine("y", 'tier = "local"\nprice = 0', "mine")
    zeros = mine("y", 'tier = "local"\nprice = { input = 0, output = 0 }', "mine")
    for here in (free, zeros):
        found = read(tmp_path, mine("x", 'like = "mine/y"'), mine("z", 'like = "mine/y"', "mine"), here)
        assert row(found, "theirs/x").price is None
        assert (row(found, "mine/z").price or Price(Rates(Decimal(1), Decimal(1)))).free


def test_an_unknown_price_stays_unknown(tmp_path: Path) -> None:
    found = read(tmp_path, mine("x", 'like = "global-api/ga-standard"'))
    assert row(found, "theirs/x").price is None
    assert not row(found, "theirs/x").public_only, "another operator"
    private = read(tmp_path, mine("x", 'like = "theirs/y"'), mine("y", 'tier = "local"\npublic_only = true'))
    assert row(private, "theirs/x").public_only, "the same operator under another name"


def test_a_built_in_row_that_is_made_like_another_keeps_its_offer(tmp_path: Path) -> None:
    before = row(read(tmp_path), "openai/gpt-5.4")
    found = row(read(tmp_path, mine("gpt-5.4", 'like = "openai/gpt-6-luna"', "openai")), "openai/gpt-5.4")
    luna = row(read(tmp_path), "openai/gpt-6-luna")
    assert (found.price, found.source, found.as_of) == (before.price, before.source, before.as_of)
    assert (found.tier, found.cache, found.quirks, found.figures_id) == (luna.tier, luna.cache, luna.quirks, luna.id)


# What is refused

FAR = 'Write "provider/id" of a built-in row or of one of your [[models]].'
CHAIN = "Name a row nearer to the end of the chain, or remove the key."
REMEDY = "Name a row that does not lead back here, or remove the key."


@pytest.mark.parametrize("key", ["like", "follows"])
@pytest.mark.parametrize(
    ("value", "what", "remedy"),
    [
        ('"openai/gpt-5.6"', 'There is no model "openai/gpt-5.6" in the tier table.', 'Did you mean "openai/gpt-5.5"?'),
        ('"gpt-5.5"', 'There is no model "gpt-5.5" in the tier table.', 'Did you mean "openai/gpt-5.5"?'),
        ('"zzz/zzz"', 'There is no model "zzz/zzz" in the tier table.', FAR),
        ('"/"', 'There is no model "/" in the tier table.', FAR),
        ('""', '"{key}" must be a text, not "".', 'Write it in quotes: "...".'),
        ("7", '"{key}" must be a text, not 7.', 'Write it in quotes: "...".'),
        ('["openai/gpt-5.5"]', '"{key}" must be a text, not an array.', 'Write it in quotes: "...".'),
        ('"theirs/x"', '"{key}" names its own row.', REMEDY),
        ('"Theirs/X"', '"{key}" names its own row.', REMEDY),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(
    tmp_path: Path, key: str, value: str, what: str, remedy: str
) -> None:
    found = read(tmp_path, mine("x", f'tier = "budget"\n{key} = {value}'))
    assert said(found) == [(what.format(key=key), remedy)]
    assert found.mistakes[0].line == 14
    assert names(found) == set()


@pytest.mark.parametrize(("first", "second"), [*product(("like", "follows"), repeat=2)])
def test_a_circle_is_refused_with_all_of_its_rows(tmp_path: Path, first: str, second: str) -> None:
    rows = [
        mine("a", f'tier = "budget"\n{first} = "theirs/b"'),
        mine("b", f'tier = "budget"\n{second} = "theirs/a"'),
        mine("c", 'tier = "budget"\nfollows = "theirs/a"'),
        mine("d", 'tier = "budget"'),
    ]
    found = read(tmp_path, *rows)
    assert said(found) == [(f'"{second}" leads in a circle: "theirs/b", "theirs/a" and back to "theirs/b".', REMEDY)]
    assert names(found) == {"theirs/d"}


def test_a_long_circle_is_said_in_short(tmp_path: Path) -> None:
    rows = [mine(f"r{each}", f'tier = "budget"\nfollows = "theirs/r{(each + 1) % 9}"') for each in range(9)]
    ((what, _),) = said(read(tmp_path, *rows))
    assert what == (
        '"follows" leads in a circle: "theirs/r8", "theirs/r0", "theirs/r1", "theirs/r2", ... and back to "theirs/r8".'
    )


def test_each_circle_is_said(tmp_path: Path) -> None:
    rows = [mine(f"{each}{n}", f'tier = "budget"\nlike = "theirs/{each}{1 - n}"') for each in "pqr" for n in (0, 1)]
    found = read(tmp_path, *rows)
    assert len(found.mistakes) == 3
    assert names(found) == set()


def test_more_circles_than_anybody_reads_end_the_reading() -> None:
    links = {f"p/{each}": {"like": f"p/{each}"} for each in range(500)}
    found = in_order(links, {name: {"like"} for name in links}, 20)
    assert len(found) == 21
    assert all(isinstance(fault, LinkFault) for _, fault in found)
    rows = [{"id": name, "provider": "openai", "tier": "budget", "like": f"openai/{name}"} for name in links]
    with pytest.raises(ConfigError) as raised:
        config._assemble(Path("config.toml"), {"models": rows}, MistakeReport(), TODAY)
    assert raised.value.mistakes[-1].what == "There are more mistakes."


@pytest.mark.parametrize("key", ["like", "follows"])
def test_a_chain_has_an_end(tmp_path: Path, key: str) -> None:
    def chain(length: int) -> Config:
        linked = (mine(f"r{each}", f'tier = "budget"\n{key} = "theirs/r{each - 1}"') for each in range(1, length))
        return read(tmp_path, *reversed([mine("r0", 'tier = "budget"'), *linked]))

    assert row(chain(LONGEST), f"theirs/r{LONGEST - 1}")
    found = chain(3000)
    assert said(found) == [(f'"{key}" begins a chain of more than {LONGEST} rows.', CHAIN)]
    assert names(found) == {f"theirs/r{each}" for each in range(LONGEST)}


def test_what_refers_to_a_row_with_a_mistake_is_left_out_without_another(tmp_path: Path) -> None:
    rows = [mine("x", 'like = "theirs/y"'), mine("y", 'tier = "none"'), mine("z", 'follows = "theirs/x"')]
    found = read(tmp_path, *rows)
    assert len(found.mistakes) == 1
    assert '"tier"' in found.mistakes[0].what
    assert names(found) == set()
    provider = read(tmp_path, '[providers.openai]\nbase_url = "nonsense"\n', mine("x", 'like = "openai/gpt-5.5"'))
    assert len(provider.mistakes) == 1


# The order


def test_rows_come_after_those_to_which_they_refer() -> None:
    links = {"a/1": {"like": "B/2", "follows": "c/3"}, "b/2": {"follows": "c/3"}, "c/3": {}, "d/4": {"like": "e/5"}}
    found = [name for name, fault in in_order(links, {}, 9) if fault is None]
    assert found.index("c/3") < found.index("b/2") < found.index("a/1")
    assert "d/4" in found, "what it names is looked for elsewhere"


def test_a_name_is_found_as_it_is_or_in_another_case() -> None:
    known = RowNames(("a/X", "a/x", "b/Y"))
    assert [known.find(each) for each in ("a/X", "a/x", "b/y", "c")] == ["a/X", "a/x", "b/Y", None]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdefgA"), st.sampled_from("abcdef")),
        max_size=6,
        unique_by=lambda each: each[0],
    )
)
def test_every_row_that_is_left_ends_somewhere(rows: list[tuple[str, str, str]]) -> None:
    data = [
        {"id": name, "provider": "openai", "tier": "budget", "like": f"openai/{like}", "follows": f"openai/{follows}"}
        for name, like, follows in rows
    ] + [{"id": "g", "provider": "openai", "tier": "budget"}]
    found = config._assemble(Path("config.toml"), {"models": data}, MistakeReport(), TODAY)
    for model in found.models:
        seen: Model | None = model
        for _ in range(20):
            seen = seen.predecessor if seen else None
        assert seen is None
        assert (model.follows is None) == (model.predecessor is None)
    left = {model.name for model in found.models}
    if len(left & {f"openai/{name}" for name, _, _ in rows}) < len(rows):
        assert found.mistakes


# With the built-in rows


def test_a_built_in_successor_is_linked_to_the_users_row_in_another_case(tmp_path: Path) -> None:
    found = read(tmp_path, mine("minimax-m2.7", "ability = { fix = 0.9 }", "minimax"))
    assert not any(model.name == "minimax/MiniMax-M2.7" for model in found.models)
    successor = row(found, "minimax/MiniMax-M3")
    assert successor.predecessor is not None
    assert successor.predecessor.ability == {"fix": 0.9}


def test_a_users_change_reaches_every_row_of_its_line(tmp_path: Path) -> None:
    found = read(tmp_path, mine("claude-opus-4-6", "ability = { fix = 0.9 }", "anthropic"))
    line: list[Model] = []
    seen: Model | None = row(found, "anthropic/claude-opus-5-5")
    while seen is not None:
        line.append(seen)
        seen = seen.predecessor
    assert [each.id for each in line] == [
        "claude-opus-5-5", "claude-opus-5", "claude-opus-4-8", "claude-opus-4-7", "claude-opus-4-6"
    ]  # fmt: skip
    assert line[-1].ability == {"fix": 0.9}


def test_a_line_goes_on_over_a_built_in_row_that_a_mistake_took_away(tmp_path: Path) -> None:
    found = read(tmp_path, mine("claude-opus-4-6", 'tier = "none"', "anthropic"))
    assert len(found.mistakes) == 1
    assert not any(model.name == "anthropic/claude-opus-4-6" for model in found.models)
    (successor,) = [model for model in found.models if model.name == "anthropic/claude-opus-4-7"]
    assert successor.predecessor is not None
    assert successor.predecessor.id == "claude-opus-4-6", "its figures are as good as before"
    gone = read(tmp_path, '[providers.deepseek]\nbase_url = "nonsense"\n', mine("x", 'tier = "budget"'))
    assert len(gone.mistakes) == 1


@pytest.mark.parametrize(
    "rows",
    [
        # What a row takes from a built-in one of the same model leads back here.
        [mine("claude-opus-4-7"), mine("claude-opus-4-6", 'follows = "theirs/claude-opus-4-7"', "anthropic")],
        [mine("gpt-5.4", 'follows = "openai/gpt-5.5"', "openai")],
        [mine("gpt-5.4", 'like = "openai/gpt-5.5"', "openai")],
        [mine("x", 'like = "openai/gpt-6.1-sol"'), mine("gpt-5.4", 'follows = "theirs/x"', "openai")],
    ],
)
def test_a_circle_over_built_in_rows_is_refused_and_they_stay_as_they_were(tmp_path: Path, rows: list[str]) -> None:
    found = read(tmp_path, *rows)
    ((what, remedy),) = said(found)
    assert "leads in a circle" in what
    assert remedy == REMEDY
    for model in found.models:
        seen: Model | None = model
        for _ in range(LONGEST):
            seen = seen.predecessor if seen else None
        assert seen is None
