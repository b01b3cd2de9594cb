"""Editors without a client of ours: what the user sees, with the configuration from the README."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.editors.conftest import end
from tests.editors.neovim import Neovim
from tests.editors.scene import (
    ANSWER,
    BROKEN,
    DOCUMENTS,
    FINDING,
    FIXED,
    IMPORTING,
    SOURCE,
    TESTED,
    Gate,
    answered,
    becomes,
    closes,
    leaves,
    show,
)
from tests.editors.session import SNIPPETS, Bench, Session, program
from tests.editors.tally import Tally
from tests.editors.terminal import until

pytestmark = pytest.mark.timeout(600)


def test_a_fix_is_one_edit_and_one_undo(plain: Session, bench: Bench, tally: Tally) -> None:
    for count, (name, (source, answer, fixed)) in enumerate(DOCUMENTS.items(), start=1):
        plain.visit(bench.write(name, source))
        bench.upstream.says(answer, delay=0.001)
        plain.pick(4, "Fix `mean`")
        becomes(plain, fixed)
        closes(plain, "Fixed `mean`: small, <$0.0001", count)
        tally.check(plain.text(), fixed)
        plain.undo()
        leaves(plain, fixed)
        tally.check(plain.text(), source)
        plain.save()


def test_a_climb_is_in_the_same_undo(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.says(BROKEN, delay=0.001)
    bench.upstream.says(ANSWER, delay=0.001)
    plain.pick(4, "Fix `mean`")
    show(plain, "Fixed `mean`: big")
    tally.check(plain.text(), FIXED)
    plain.undo()
    leaves(plain, FIXED)
    tally.check(plain.text(), SOURCE)
    assert [entry.model for entry in bench.settled(2)] == ["small", "big"]


def test_an_explanation_is_there_to_read_and_hover_shows_it_again(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.says("`mean` adds the values up and divides the sum by their number.")
    plain.pick(4, "Explain `mean`")
    show(plain, "adds the values up")
    show(plain, "Explained `mean`: small, <$0.0001")
    plain.visit(bench.root / "stats.py")
    tally.check(plain.text(), SOURCE)
    plain.hover(4)
    until(lambda: "asking again is free" in plain.terminal.screen(), "the hover")
    assert len(bench.upstream.requests) == 1


def test_generated_tests_get_a_file(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.says(f"```python\n{TESTED}```")
    plain.pick(4, "Generate tests for `mean`")
    plain.agree()
    show(plain, "Wrote tests for `mean`: small, <$0.0001")
    tally.check(plain.text(), SOURCE)
    plain.visit(bench.root / "tests" / "test_stats.py")
    tally.check(plain.text(), TESTED)


def test_a_review_marks_the_lines_that_it_quotes(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.says(FINDING)
    plain.pick(4, "Review `mean`")
    until(lambda: "value is the last item" in plain.marks(8), "the finding on its line")
    show(plain, "Reviewed `mean`: small, 1 finding, <$0.0001")
    tally.check(plain.text(), SOURCE)
    plain.pick(8, "Apply: ")
    leaves(plain, SOURCE)
    tally.check(plain.text(), SOURCE.replace("len(value)", "len(values)"))


def test_stop_closes_the_connection_and_leaves_the_text(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(Gate(ANSWER).reply())
    plain.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    plain.pick(4, "Stop: Fix `mean`")
    until(bench.upstream.requests[0].closed.is_set, "the connection to be closed")
    show(plain, "Stopped: Fix `mean`")
    tally.check(plain.text(), SOURCE)
    assert [entry.outcome for entry in bench.settled(1)] == ["cancelled"]


def test_typing_elsewhere_is_kept_and_the_fix_still_lands(plain: Session, bench: Bench, tally: Tally) -> None:
    gate = Gate(ANSWER)
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(gate.reply())
    plain.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    plain.insert(3, "LIMIT = 10")
    plain.insert(12, "SIZE = 5")
    gate.opened.set()
    show(plain, "Fixed `mean`")
    expected = FIXED.replace("\n\n\ndef mean", "\n\nLIMIT = 10\n\ndef mean")
    tally.check(plain.text(), expected.replace("def top", "SIZE = 5\ndef top"))


def test_an_edit_in_two_places_is_one_undo_after_typing(plain: Session, bench: Bench, tally: Tally) -> None:
    # Neovim tells of the first of two changes at once when it has been silent for 150 ms, and of the second later.
    plain.visit(bench.write("stats.py", SOURCE))
    plain.insert(11, "SIZE = 5")
    typed = SOURCE.replace("def top", "SIZE = 5\ndef top")
    bench.upstream.says(IMPORTING, delay=0.02)
    plain.pick(4, "Fix `mean`")
    show(plain, "Fixed `mean`")
    fixed = FIXED.replace('"""\n', '"""\n\nimport math\n', 1)
    tally.check(plain.text(), fixed.replace("def top", "SIZE = 5\ndef top"))
    plain.undo()
    becomes(plain, typed)
    tally.check(plain.text(), typed)


def test_typing_in_the_target_ends_the_run_and_stays(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(Gate(ANSWER).reply())
    plain.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    plain.amend(5, "  # zero")
    until(bench.upstream.requests[0].closed.is_set, "the connection to be closed")
    show(plain, "stays as you left it")
    tally.check(plain.text(), SOURCE.replace("total = 1\n", "total = 1  # zero\n"))


def test_an_edit_that_comes_too_late_for_its_version_is_made_anew(plain: Session, bench: Bench, tally: Tally) -> None:
    gate = Gate(ANSWER)
    plain.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(gate.reply())
    plain.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    plain.deaf(answered(gate), 3, "LIMIT = 10")
    show(plain, "Fixed `mean`")
    tally.check(plain.text(), FIXED.replace("\n\n\ndef mean", "\n\nLIMIT = 10\n\ndef mean"))


@pytest.fixture
def nvim(bench: Bench) -> Iterator[Neovim]:
    """Return a session of Neovim without our client: what a person does there meanwhile is the editor's own affair."""
    session = Neovim(program("nvim-0.10"), (SNIPPETS / "neovim-0.8.lua").read_text(), bench)
    try:
        yield session
    finally:
        end(session)


def begin(nvim: Neovim, bench: Bench) -> Gate:
    """Start a fix, and return its gate once the model was asked."""
    gate = Gate(ANSWER)
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(gate.reply())
    nvim.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    return gate


def test_another_buffer_meanwhile_does_not_matter(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    gate = begin(nvim, bench)
    nvim.command("set hidden")
    nvim.visit(bench.write("other.py", "x = 1\n"))
    gate.opened.set()
    show(nvim, "Fixed `mean`")
    tally.check(nvim.text(), "x = 1\n")
    nvim.command("buffer stats.py")
    becomes(nvim, FIXED)
    tally.check(nvim.text(), FIXED)
    nvim.undo()
    leaves(nvim, FIXED)
    tally.check(nvim.text(), SOURCE)


def test_saving_meanwhile_does_not_matter(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    gate = begin(nvim, bench)
    before = (bench.root / "stats.py").stat().st_mtime_ns
    nvim.save()
    until(lambda: (bench.root / "stats.py").stat().st_mtime_ns != before, "the file to be saved")
    gate.opened.set()
    show(nvim, "Fixed `mean`")
    tally.check(nvim.text(), FIXED)
    tally.check((bench.root / "stats.py").read_bytes().decode(), SOURCE)


def test_what_is_undone_meanwhile_counts_as_typed(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    gate = Gate(ANSWER)
    nvim.visit(bench.write("stats.py", SOURCE))
    nvim.insert(11, "SIZE = 5")
    bench.upstream.script(gate.reply())
    nvim.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    nvim.undo()
    becomes(nvim, SOURCE)
    gate.opened.set()
    show(nvim, "Fixed `mean`")
    becomes(nvim, FIXED)
    tally.check(nvim.text(), FIXED)


def test_closing_the_file_ends_the_run(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    begin(nvim, bench)
    nvim.command("bwipeout!")
    until(bench.upstream.requests[0].closed.is_set, "the connection to be closed")
    tally.check((bench.root / "stats.py").read_bytes().decode(), SOURCE)


def test_put_back_is_exact_whatever_lies_between(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    begin(nvim, bench).opened.set()
    show(nvim, "Fixed `mean`")
    nvim.insert(11, "SIZE = 5")
    nvim.insert(3, "LIMIT = 10")
    nvim.pick(5, "Put back")
    between = SOURCE.replace("def top", "SIZE = 5\ndef top").replace("\n\n\ndef mean", "\n\nLIMIT = 10\n\ndef mean")
    becomes(nvim, between)
    tally.check(nvim.text(), between)
