"""What is settled before a model is called; no model is called here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tuppence import regular_files
from tuppence.cache import AnswerStore
from tuppence.config import Watched
from tuppence.config.model_columns import FREE
from tuppence.config.policy import routing_policy
from tuppence.core.actions import ACTIONS, EXPLAIN, FIX, REVIEW, TESTS, Action
from tuppence.core.billing.entry import money
from tuppence.core.checks.verdict import Verdict
from tuppence.core.events import Answer, MarkdownChunk
from tuppence.core.models.model import Model, Provider, Tier
from tuppence.core.models.pricing import Price, Rates
from tuppence.core.prompt.compose import Prompt, compose
from tuppence.core.prompt.context import Surroundings
from tuppence.core.routing.candidates import Candidate, bound, least_output
from tuppence.core.routing.quality import RUN
from tuppence.core.routing.quote import dearest, frugal
from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import SyntaxTree, parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.diagnostic import Diagnostic
from tuppence.core.text.document import Document, Span
from tuppence.credentials import Keys
from tuppence.engine import answer_cache, hover, prepare
from tuppence.engine.ledger_writer import LedgerWriter
from tuppence.engine.receipt import Receipt
from tuppence.engine.request import Request
from tuppence.engine.session import OwnModels, Session
from tuppence.errors import NoModel, OverBudget, Unfit
from tuppence.ledger import Ledger
from tuppence.upstream import ModelClient
from tuppence.workspace import Workspace, tests_placement

SOURCE = "from lib import tidy\n\n\ndef mean(xs):\n    return tidy(sum(xs) / len(x))\n"
MINE = """
[providers.mine]
wire = "openai"
base_url = "http://127.0.0.1:9/v1"
[[models]]
id = "small"
provider = "mine"
tier = "budget"
price = { input = 1, output = 2 }
context = CONTEXT
max_output = 4000
"""

Opened = Callable[..., Session]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def opened(root: Path, tmp_path: Path) -> Iterator[Opened]:
    """Return what opens a session on a configuration, with these buffers open."""
    houses: list[Session] = []

    def open_house(config: str = MINE, context: int = 128_000, buffers: dict[str, Document] | None = None) -> Session:
        path = tmp_path / "config.toml"
        path.write_text(config.replace("CONTEXT", str(context)))
        watched = Watched(path)
        assert not watched.current.mistakes
        session = Session(
            config=lambda: watched.current,
            keys=Keys({}, {}),
            upstream=ModelClient(),
            ledger_writer=LedgerWriter(
                Ledger(tmp_path / "ledger.sqlite3"), "s", lambda: datetime(2026, 1, 5, 12, tzinfo=UTC)
            ),
            answer_store=AnswerStore(tmp_path / "answers.sqlite3"),
            workspace=Workspace([root]),
            own_models=OwnModels(find_servers=nobody, start_embedded=nobody),
            open_document=(buffers or {}).get,
            id="s",
            now=lambda: datetime(2026, 1, 5, 12, tzinfo=UTC),
        )
        houses.append(session)
        return session

    yield open_house
    for session in houses:
        session.ledger.close()
        session.answer_store.close()


async def nobody() -> tuple[Model, ...]:
    return ()


def ask(action: Action, path: Path, text: str = SOURCE, about: str = "sum(xs)") -> Request:
    """Return a question about the definition around a piece of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    document = Document(path.as_uri(), by_suffix(path.name).id, 1, text)
    tree = parse(text, by_suffix(path.name))
    at = text.index(about)
    target = find_target(document, tree, Span(at, at))
    assert target is not None
    return Request(run="r", action=action, document=document, tree=tree, target=target, path=path)


async def test_the_context_holds_what_the_project_says(root: Path, opened: Opened) -> None:
    (root / "lib.py").write_text('def tidy(x):\n    """To cents."""\n    return x\n')
    (root / "AGENTS.md").write_text("Be brief.")
    made = await prepare.prepare(ask(EXPLAIN, root / "stats.py"), opened())
    assert [(each.path, each.name) for each in made.context.definitions] == [("lib.py", "tidy")]
    assert "To cents." in made.context.definitions[0].text
    assert made.context.conventions == "AGENTS.md:\nBe brief."
    assert made.context.cut == ()
    assert made.route.model.id == "small"


async def test_the_linter_is_asked_about_errors_where_the_editor_says_nothing(root: Path, opened: Opened) -> None:
    text = SOURCE.replace("def mean", "import os, sys\n\n\ndef mean")
    made = await prepare.prepare(ask(FIX, root / "stats.py", text), opened())
    assert [(each.code, each.message) for each in made.context.diagnostics] == [("F821", "Undefined name `x`")]
    whole = await prepare.prepare(ask(FIX, root / "stats.py", text, "import os"), opened())
    assert whole.context.diagnostics == (), "that an import is unused is no error"
    assert (await prepare.prepare(ask(EXPLAIN, root / "stats.py"), opened())).context.diagnostics == ()


async def test_of_very_many_diagnostics_the_gravest_are_told(root: Path, opened: Opened) -> None:
    question = ask(FIX, root / "stats.py")
    hints = tuple(Diagnostic(question.target.span, f"hint {n}", "hint") for n in range(60))
    error = Diagnostic(question.target.span, "an error", "error")
    far = Diagnostic(Span(0, 1), "not in the target", "error")
    made = await prepare.prepare(replace(question, diagnostics=(*hints, error, far)), opened())
    assert len(made.context.diagnostics) == 40
    assert error in made.context.diagnostics
    assert made.context.cut == ("21 of the 61 diagnostics, the least grave, were left out.",)


async def test_two_actions_on_a_file_at_the_edge_of_the_room_see_the_same_bytes(root: Path, opened: Opened) -> None:
    session = opened()
    line = "value = 'a line of some length, to fill the file with'\n"
    for count in range(1360, 1440, 20):
        text = SOURCE.replace("len(x)", "len(xs)") + line * count
        prompts = [
            compose(action, (await prepare.prepare(ask(action, root / "stats.py", text), session)).context, 1)
            for action in ACTIONS
        ]
        assert len({prompt.shared for prompt in prompts}) == 1


async def test_a_smaller_context_is_tried_and_what_it_cuts_is_said(root: Path, opened: Opened) -> None:
    text = SOURCE + "".join(
        f"\n\ndef f{n}():\n    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n" for n in range(500)
    )
    (root / "lib.py").write_text(f'def tidy(x):\n    """{"To cents. " * 1000}"""\n    return x\n')
    made = await prepare.prepare(ask(EXPLAIN, root / "stats.py", text), opened(context=10_000))
    assert made.need.prompt_tokens < 8000
    first, second = made.context.cut
    assert first == "Definitions from other files were left out: `tidy`."
    assert "of the file's 3506 lines, those far from the target, were left out." in second
    assert "def mean(xs):\n    return tidy(sum(xs) / len(x))\n" in made.context.file


async def test_whoever_has_no_model_is_not_told_to_select_less(root: Path, opened: Opened) -> None:
    text = SOURCE + "\n\ndef long():\n" + "    value = 'a line of some length'\n" * 1000
    with pytest.raises(NoModel):
        await prepare.prepare(ask(EXPLAIN, root / "stats.py", text, "value"), opened("quality = 0.9\n"))
    with pytest.raises(Unfit, match="Select a smaller part"):
        await prepare.prepare(ask(EXPLAIN, root / "stats.py", text, "value"), opened(context=6000))
    longer = text + text[text.index("    value") :] * 3
    with pytest.raises(Unfit, match="`long` has 4001 lines"):
        await prepare.prepare(ask(EXPLAIN, root / "stats.py", longer, "value"), opened(context=32_000))
    with pytest.raises(NoModel):
        await prepare.prepare(ask(EXPLAIN, root / "stats.py", longer, "value"), opened("quality = 0.9\n"))


async def test_long_code_goes_to_whoever_has_a_long_context(root: Path, opened: Opened) -> None:
    text = SOURCE + "\n\ndef long():\n" + "    value = 'a line of some length'\n" * 4000
    row = MINE[MINE.index("[[models]]") :].replace("small", "roomy").replace("CONTEXT", "1000000")
    both = opened(MINE + row.replace("input = 1,", "input = 9,"), context=32_000)
    usual = await prepare.prepare(ask(EXPLAIN, root / "stats.py"), both)
    assert usual.route.model.id == "small"
    made = await prepare.prepare(ask(EXPLAIN, root / "stats.py", text, "value"), both)
    assert made.route.model.id == "roomy"
    assert made.route.ladder == (made.route.model,)
    [short] = [each.why_not for each in made.route.table if each.model.name == "mine/small"]
    assert short.endswith("does not fit its context of 32000")
    assert 24_000 < made.need.prompt_tokens < 96_000
    assert text[text.index("def long") :] in "".join(prepare.prompt(made, made.route.model).shared)
    # A fix would be as long as the code, and no model here answers at such length.
    with pytest.raises(Unfit, match=r"`long` has 4001 lines, .* Select a smaller part\."):
        await prepare.prepare(ask(FIX, root / "stats.py", text, "value"), both)


async def test_what_is_private_goes_nowhere(root: Path, opened: Opened) -> None:
    (root / ".gitignore").write_text("tests/\n")
    with pytest.raises(Unfit, match=r"^secrets\.env is never sent to a model: "):
        await prepare.prepare(ask(EXPLAIN, root / "secrets.env"), opened())
    with pytest.raises(Unfit, match=r"^The tests belong in test_stats\.py, which is never sent to a model: "):
        await prepare.prepare(ask(TESTS, root / "stats.py"), opened())


async def test_a_test_file_that_cannot_be_read_is_left_alone(root: Path, opened: Opened) -> None:
    path = root / "tests" / "test_stats.py"
    path.parent.mkdir()
    path.write_bytes(b"# caf\xe9\n")
    with pytest.raises(Unfit, match=r"test_stats\.py, which cannot be read\. Is it a UTF-8 text"):
        await prepare.prepare(ask(TESTS, root / "stats.py"), opened())


async def test_a_buffer_beats_the_disk(root: Path, opened: Opened) -> None:
    question = ask(TESTS, root / "stats.py")
    path = root / "tests" / "test_stats.py"
    path.parent.mkdir()
    path.write_text("import stale\n")
    now = Document(path.as_uri(), "python", 9, "import fresh\n")
    made = await prepare.prepare(question, opened(buffers={str(path): now}))
    assert made.tests is not None
    assert made.task.place is not None
    assert made.tests.text == "import fresh\n"
    assert (made.task.place.document, made.task.place.is_new) == (now, False)
    empty = Document(path.as_uri(), "python", 9, "")
    made = await prepare.prepare(question, opened(buffers={str(path): empty}))
    assert made.task.place is not None
    assert made.task.place.is_new, "a buffer that was just created is a new file"


def test_a_document_that_is_no_file_has_no_place(root: Path) -> None:
    question = ask(TESTS, root / "stats.py")
    with pytest.raises(Unfit, match="Save it first"):
        tests_placement.find_test_location(
            None, question.document, question.tree, Workspace([root]), lambda _path: None
        )


async def test_the_limit_leaves_room_for_the_answer_and_keeps_within_the_models(root: Path, opened: Opened) -> None:
    made = await prepare.prepare(ask(FIX, root / "stats.py"), opened())
    model = made.route.model
    usual = prepare.output_limit(made, model)
    assert FIX.usual_output < usual < model.max_output
    long = SOURCE.replace("return", "\n    ".join(f"a{n} = 1" for n in range(900)) + "\n    return")
    assert (
        prepare.output_limit(await prepare.prepare(ask(FIX, root / "stats.py", long), opened()), model)
        == model.max_output
    )
    thinker = Model(
        provider=model.provider, id="t", tier="premium", effort=("low",), context=200_000, max_output=64_000
    )
    assert prepare.output_limit(made, thinker) == usual + 4096
    tiny = Model(provider=model.provider, id="t", tier="local", context=600, max_output=512)
    assert prepare.output_limit(made, tiny) == FIX.least_output


@pytest.mark.parametrize(
    ("config", "quality", "pin"),
    [
        ("", 0.92, None),
        ("quality = 0.9\n", 0.9, None),
        ("quality = 0.9\n[languages.python]\nquality = 0.8\n", 0.8, None),
        ("[languages.python]\nquality = 0.8\n[actions.fix]\nquality = 0.7\n", 0.7, None),
        ("[languages.python]\nmodel = 'mine/small'\n[actions.fix]\nquality = 0.7\n", 0.7, "mine/small"),
    ],
)
def test_an_actions_setting_beats_the_languages(config: str, quality: float, pin: str | None, opened: Opened) -> None:
    session = opened(config + MINE)
    wish = routing_policy(session.config(), FIX, "python")
    assert (wish.quality, wish.pin, wish.above) == (quality, pin, None)
    better = routing_policy(session.config(), FIX, "python", above="mine/small")
    assert (better.pin, better.above) == (None, "mine/small"), "a better model than the pinned one may be asked"


async def test_a_climb_is_reckoned_by_the_run_of_tests_only_where_they_are_run(root: Path, opened: Opened) -> None:
    for text, action, check in (
        ("", TESTS, ""),
        (f'run_tests = true\ntrusted = ["{root.parent}"]\n', TESTS, RUN),
        (f'run_tests = true\ntrusted = ["{root.parent}"]\n', FIX, ""),
        ('run_tests = true\ntrusted = ["/nowhere"]\n', TESTS, ""),
        (f'trusted = ["{root.parent}"]\n', TESTS, ""),
    ):
        made = await prepare.prepare(ask(action, root / "stats.py"), opened(text + MINE))
        assert made.need.check == check


async def test_a_budget_chooses_by_what_a_request_may_cost_at_most(root: Path, opened: Opened) -> None:
    text = SOURCE + "TABLE = [" + "7,1," * 3000 + "]\n"  # More tokens than its length makes one expect.
    head, row = MINE.split("[[models]]")
    dear = row.replace('"small"', '"dear"').replace("input = 1, output = 2", "input = 3, output = 4")
    config = f"{head}[[models]]{row}ability = {{ explain = 0.5 }}\n[[models]]{dear}ability = {{ explain = 0.9 }}\n"
    config = f"quality = 1.0\n{config}"
    rich = await prepare.prepare(ask(EXPLAIN, root / "stats.py", text), opened(config))
    assert rich.route.model.id == "dear"
    expected = bound(rich.route.model, replace(rich.need, most_tokens=0), least_output(rich.need))
    most = bound(rich.route.model, rich.need, least_output(rich.need))
    assert expected is not None
    assert most is not None
    assert expected < most
    between = (expected + most) / 2
    poor = await prepare.prepare(ask(EXPLAIN, root / "stats.py", text), opened(f"{config}[budget]\nday = {between}\n"))
    assert poor.route.model.id == "small"


async def test_a_model_for_public_code_sees_projects_that_are_named_public_only(root: Path, opened: Opened) -> None:
    pin = "[actions.fix]\nmodel = 'mine/small'\n"
    mine = MINE + "public_only = true\n"
    beside = root.with_name("project2")
    for text in (mine, pin + mine, f'public = ["{root}/inner", "{beside}"]\n' + mine):
        with pytest.raises(NoModel, match=r"public files only \(open a folder under `public` in config.toml\)"):
            await prepare.prepare(ask(FIX, root / "stats.py"), opened(text))
    for text in (mine, pin + mine):
        session = opened(f'public = ["{root.parent}"]\n' + text)
        assert (await prepare.prepare(ask(FIX, root / "stats.py"), session)).route.model.id == "small"
        with pytest.raises(NoModel, match="public files only"):
            await prepare.prepare(replace(ask(FIX, root / "stats.py"), path=None), session)


async def test_an_answer_is_kept_for_exactly_that_question(root: Path, opened: Opened) -> None:
    session = opened()
    question = ask(EXPLAIN, root / "stats.py")
    made = await prepare.prepare(question, session)
    reply = "`mean` averages. <b>Bold</b>"
    account = Receipt(run="r", session="s", action="explain", language="python")
    answer = Answer(Verdict(fit=True, proved="nothing"), markdown="...", reply=reply)
    assert again_of(question, session) is None
    about = answer_cache.content_key(question, session)
    answer_cache.store(replace(made, cache_key=about), answer, made.route.model, account, session)
    again = again_of(question, session)
    assert again is not None
    assert again.model == "small"
    shown = "".join(step.markdown for step in again.steps if isinstance(step, MarkdownChunk))
    assert shown == again.answer.markdown == "`mean` averages. &lt;b>Bold&lt;/b>"
    moved = ask(EXPLAIN, root / "other.py", "import re\n" + SOURCE)
    assert again_of(moved, session) is not None, "the same code in another place"
    for other in (
        ask(EXPLAIN, root / "stats.py", SOURCE.replace("len(x)", "len(xs)")),
        ask(REVIEW, root / "stats.py"),
        replace(question, bypass_cache=True),
        replace(question, better_than="mine/small"),
    ):
        assert again_of(other, session) is None
    assert again_of(question, opened("quality = 0.5\n" + MINE)) is None, "another quality is another question"
    fix = ask(FIX, root / "stats.py")
    answer_cache.store(await prepare.prepare(fix, session), answer, made.route.model, account, session)
    assert again_of(fix, session) is None, "only what changes nothing is given again"


def again_of(question: Request, session: Session, quality: float | None = None) -> answer_cache.CachedAnswer | None:
    return answer_cache.lookup(question, answer_cache.content_key(question, session), session, quality)


@pytest.mark.parametrize("action", [EXPLAIN, REVIEW])
async def test_an_answer_is_kept_only_as_long_as_what_the_code_leans_on_is_the_same(
    root: Path, opened: Opened, action: Action
) -> None:
    session = opened()
    (root / "lib.py").write_text('def tidy(x):\n    """To cents."""\n    return x\n')
    text = "SCALE = 2\nOTHER = 3\n\n\ndef half(x):\n    return x / SCALE\n\n\n" + SOURCE.replace(
        "len(x)", "half(len(x))"
    )
    question = ask(action, root / "stats.py", text)
    made = replace(await prepare.prepare(question, session), cache_key=answer_cache.content_key(question, session))
    account = Receipt(run="r", session="s", action=action.id, language="python")
    answer = Answer(Verdict(fit=True, proved="nothing"), reply="`mean` averages.")
    answer_cache.store(made, answer, made.route.model, account, session)
    assert again_of(ask(action, root / "stats.py", text.replace("OTHER = 3", "OTHER = 4")), session) is not None
    assert again_of(ask(action, root / "stats.py", text.replace("x / SCALE", "x * SCALE")), session) is None
    assert again_of(ask(action, root / "stats.py", text.replace("from lib", "from libs")), session) is None
    (root / "lib.py").write_text('def tidy(x):\n    """To whole euros."""\n    return x\n')
    assert again_of(question, session) is None


async def test_an_answer_for_less_money_is_not_given_as_one_of_full_quality(root: Path, opened: Opened) -> None:
    session = opened()
    question = ask(EXPLAIN, root / "stats.py")
    made = await prepare.prepare(question, session)
    poor = replace(made, cache_key=answer_cache.content_key(question, session), route=replace(made.route, wanted=0.85))
    account = Receipt(run="r", session="s", action="explain", language="python")
    answer_cache.store(
        poor, Answer(Verdict(fit=True, proved="nothing"), reply="`mean`."), made.route.model, account, session
    )
    assert again_of(question, session) is None
    assert again_of(question, session, 0.85) is not None


# Foreseeing: what a hover says before anybody is asked


async def test_what_asking_would_cost_is_foreseen_without_waking_anybody(root: Path, opened: Opened) -> None:
    async def woken() -> tuple[Model, ...]:
        raise AssertionError("somebody was looked for or started")

    question = ask(EXPLAIN, root / "stats.py")
    session = replace(opened(), own_models=OwnModels(find_servers=woken, start_embedded=woken))
    made = await prepare.prepare(question, session.offline())
    offer = await hover.quote(question, session)
    assert (offer.lines, offer.model, offer.cost) == (2, "small", made.route.table[-1].cost)
    assert offer.price == f"about {money(offer.cost)} at small"
    assert offer.size == "2 lines, simple"
    assert offer.difficulty == made.difficulty


async def test_what_a_hover_recalled_spares_its_estimate_a_second_look_around(
    root: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, look = list[str](), Workspace.surroundings

    def noted(of: Workspace, document: Document, *about: Any) -> Surroundings:
        looks.append(document.uri)
        return look(of, document, *about)

    monkeypatch.setattr(Workspace, "surroundings", noted)
    question, session = ask(EXPLAIN, root / "stats.py"), opened()
    cached, around = hover.recall(question, session)
    assert cached is None
    assert around is not None
    offer = await hover.quote(question, session, around)
    assert looks == [question.document.uri]
    assert offer == await hover.quote(question, session)


async def test_models_of_ones_own_are_foreseen_as_far_as_they_are_known(root: Path, opened: Opened) -> None:
    question = ask(EXPLAIN, root / "stats.py")
    mine = opened().config()
    own = replace(mine.models[-1], provider=Provider("embedded", "openai", "http://127.0.0.1:9/v1", None), price=FREE)
    alone = replace(opened(), config=lambda: replace(mine, models=()))
    assert (await hover.quote(question, alone)).price == "no model is known yet that may answer"
    for session in (
        replace(alone, own_models=replace(alone.own_models, known_servers=lambda: (own,))),
        replace(alone, own_models=replace(alone.own_models, installed_embedded=lambda: (own,))),
    ):
        assert (await hover.quote(question, session)).price == "$0 at small"
    # A model that is not started cannot be asked by a hover.
    with pytest.raises(NoModel, match="no model"):
        await hover.authorize(question, session)


@pytest.mark.parametrize(("cap", "text", "allowed"), [("1", SOURCE, True), ("0", SOURCE, False)])
async def test_a_hover_asks_within_its_cap(root: Path, opened: Opened, cap: str, text: str, allowed: bool) -> None:  # noqa: FBT001 - the expectation
    question = ask(EXPLAIN, root / "stats.py", text)
    session = opened(f"hover_cap = {cap}\n{MINE}")
    if not allowed:
        with pytest.raises(OverBudget, match=r"it could cost \$0\.\d+, and hover_cap is \$0"):
            await hover.authorize(question, session)
        return
    leave = await hover.authorize(question, session)
    assert [model.name for model in leave.session.config().models] == ["mine/small"]
    made = await prepare.prepare(question, leave.session)
    assert made.route.ladder == (leave.model,)
    assert made.route.spare == ()


def test_the_most_that_a_request_can_cost_counts_each_sending_and_the_whole_answer() -> None:
    price = Price(Rates(Decimal(1), Decimal(2), cache_write=Decimal(3), thinking=Decimal(4)))
    model = Model(provider=Provider("p", "openai", "http://127.0.0.1:9", None), id="m", tier="budget", price=price)
    # 1,000 bytes are at most 500 tokens, and the frame 64; a write to the cache is the dearest way to send them.
    prompt = Prompt("é" * 100, ("x" * 700,), "y" * 100, 1000)
    when = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert dearest(prompt, model, 3, when) == Decimal(3 * 564 * 3 + 1000 * 4) / 1_000_000
    assert dearest(prompt, replace(model, price=None), 3, when) is None


def test_the_frugal_choice_is_the_cheapest_of_the_cheapest_tier() -> None:
    def row(name: str, tier: Tier, cost: str | None, why_not: str = "") -> Candidate:
        model = Model(provider=Provider("p", "openai", "http://127.0.0.1:9", None), id=name, tier=tier, price=None)
        return Candidate(model, 0.5, None if cost is None else Decimal(cost), why_not)

    rows = [
        row("best", "premium", "0.0001"),
        row("dear", "budget", "0.02"),
        row("fine", "budget", "0.01"),
        row("gone", "budget", "0.001", "retired"),
        row("mystery", "local", None),
    ]
    assert (frugal(rows) or rows[0].model).id == "fine"
    assert frugal(rows[3:]) is None


@pytest.mark.attack("hostile sizes", "reads of a workspace on the event loop")
async def test_the_event_loop_opens_and_lists_nothing_of_a_workspace(
    root: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "lib.py").write_text("def tidy(x):\n    return x\n")
    (root / "tests").mkdir()
    (root / "tests/test_other.py").write_text("def test_other(): ...\n")
    (root / ".gitignore").write_text("x\n")
    calls: list[str] = []

    def note(name: str, owner: Any = regular_files) -> None:
        function = getattr(owner, name)

        def noting(*arguments: object, **more: object) -> object:
            calls.append(threading.current_thread().name)
            return function(*arguments, **more)

        monkeypatch.setattr(owner, name, noting)

    asked = [(ask(action, root / "stats.py"), opened()) for action in ACTIONS]
    for name in ("read", "read_here", "listed", "places", "real"):
        note(name)
    note("resolve", Path)
    for request, session in asked:
        await prepare.prepare(request, session)
    assert len(calls) > 10
    assert threading.main_thread().name not in calls


async def test_a_prompt_is_composed_and_its_parts_are_counted_once(
    root: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    composed, found, session = list[str](), [0], opened()
    blocks = SyntaxTree.meeting

    def noted(action: Action, *rest: Any) -> Any:
        composed.append(action.id)
        return compose(action, *rest)

    def met(self: SyntaxTree, span: Span) -> Any:
        found[0] += span == Span(0, len(self.text)) and "_blocks" not in vars(self)
        return blocks(self, span)

    monkeypatch.setattr(prepare, "compose", noted)
    monkeypatch.setattr(SyntaxTree, "meeting", met)
    request = ask(FIX, root / "stats.py")
    await prepare.prepare(request, session)
    await prepare.prepare(request, session)
    assert composed == ["fix", "fix"]
    assert found == [1], "the definitions of a version are looked up once, for all requests about it"
    assert session.disclosures.scanner.scans <= 2, "the document is searched for secrets once, as the tail is"
