"""The Neovim client in real Neovims: streamed edits as one undo step, the panel, the commands, and refusals."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from server import CONFIG
from tests.editors.conftest import CLIENTS, end
from tests.editors.neovim import Neovim, advice
from tests.editors.scene import (
    ANSWER,
    BROKEN,
    DOCUMENTS,
    FINDING,
    FIXED,
    HALF,
    IMPORTING,
    SOURCE,
    TESTED,
    Gate,
    answered,
    becomes,
    leaves,
    show,
)
from tests.editors.session import Bench, program
from tests.editors.tally import Tally
from tests.editors.terminal import until

from tuppence.core.actions import ACTIONS
from tuppence.core.billing.entry import money

pytestmark = pytest.mark.timeout(600)

LIMIT = Decimal("0.05")
BUDGET = f"""
[budget]
day = {LIMIT}
"""
PICTURES = os.environ.get("TUPPENCE_PICTURES", "")
MARKS = """
local space = vim.api.nvim_get_namespaces()["tuppence.region"]
return vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true })
"""
FILETYPES = """
local found = vim.tbl_map(function(buf) return vim.bo[buf].filetype end, vim.api.nvim_list_bufs())
table.sort(found)
return found
"""
BEYOND_EMOJI = """
local space = vim.api.nvim_create_namespace("another server")
vim.diagnostic.set(space, 0, {
  { lnum = 3, col = 4, end_lnum = 3, end_col = 8, message = "above", severity = 1, source = "compiler" },
  { lnum = 11, col = 26, end_lnum = 11, end_col = 30, message = "on it", severity = 1, source = "compiler" },
})
local uri, line = vim.uri_from_bufnr(0), { line = 11, character = 0 }
local range = { start = line, ["end"] = { line = 12, character = 0 } }
local told = require("tuppence.told").answer({ uri = uri, range = range }, "utf-16").diagnostics
local client, sent = require("tuppence.commands").client(0), nil
local request = client.request
client.request = function(...)
  for _, each in ipairs({ ... }) do
    if type(each) == "table" and each.command then sent = each.arguments[1].diagnostics end
  end
end
vim.cmd("12Tuppence fix")
client.request = request
return { told, sent }
"""
SAID = """
local run = { run = "odd", title = %s, uri = vim.uri_from_bufnr(0), state = "working", line = "small is answering" }
require("tuppence.hearing").handlers["tuppence/run"](nil, run, { client_id = 1 })
return true
"""
OTHER = """
local space = vim.api.nvim_create_namespace("another server")
local function judge()
  local found = {}
  for row, line in ipairs(vim.api.nvim_buf_get_lines(1, 0, -1, true)) do
    for _, bad in ipairs({ "len(value)", "+ 0" }) do
      local at = line:find(bad, 1, true)
      if at then
        local place = { lnum = row - 1, col = at - 1, end_lnum = row - 1, end_col = at - 1 + #bad }
        local said = { message = "wrong: " .. bad, severity = 1, source = "compiler" }
        table.insert(found, vim.tbl_extend("error", place, said))
      end
    end
  end
  vim.diagnostic.set(space, 1, found)
end
judge()
vim.api.nvim_buf_attach(1, false, { on_lines = function() vim.defer_fn(judge, 80) end })
return true
"""
MARKED = """
local space = vim.api.nvim_create_namespace("a debugger")
vim.api.nvim_buf_set_extmark(0, space, 2, 2, { id = 1 })
vim.api.nvim_buf_set_extmark(0, space, 7, 4, { id = 2 })
vim.api.nvim_buf_set_mark(0, "a", 3, 4, {})
vim.api.nvim_buf_set_mark(0, "b", 8, 6, {})
return true
"""
PLACES = """
local found = {}
local space = vim.api.nvim_create_namespace("a debugger")
for _, id in ipairs({ 1, 2 }) do
  table.insert(found, vim.api.nvim_buf_get_extmark_by_id(0, space, id, {}))
end
for _, name in ipairs({ "a", "b" }) do
  table.insert(found, vim.api.nvim_buf_get_mark(0, name))
end
return found
"""
PANEL = """
for _, win in ipairs(vim.api.nvim_list_wins()) do
  if vim.api.nvim_win_get_config(win).relative ~= "" then
    return table.concat(vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(win), 0, -1, true), "\\n")
  end
end
return ""
"""


@pytest.fixture(params=CLIENTS)
def nvim(request: pytest.FixtureRequest, bench: Bench) -> Iterator[Neovim]:
    """Return a session with what `tuppence neovim` prints as its whole configuration."""
    session = Neovim(program(CLIENTS[request.param]), advice(bench), bench)
    try:
        yield session
    finally:
        end(session)


def put_edits(bench: Bench) -> None:
    """Have answers that edit come as one edit at their end."""
    bench.configure(
        "tuppence", "config.toml", 'edits = "final"\n' + CONFIG.format(wire="openai", base=bench.upstream.openai)
    )


def begin(nvim: Neovim, bench: Bench, *, hold: int = 8) -> Gate:
    """Start a fix, and return its gate once the first of its two changes is in the text."""
    gate = Gate(ANSWER, hold)
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(gate.reply())
    nvim.pick(4, "Fix `mean`")
    becomes(nvim, HALF)
    return gate


def test_the_server_names_the_actions_that_are_completed(nvim: Neovim, bench: Bench) -> None:
    complete = 'return require("tuppence.commands").complete("")'
    ids = {each.id for each in ACTIONS}
    assert not ids & set(nvim.lua(complete)), "no list by hand"
    nvim.visit(bench.write("stats.py", SOURCE))
    assert ids < set(nvim.lua(complete))


def test_a_streamed_fix_is_one_undo(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    for name, (source, answer, fixed) in DOCUMENTS.items():
        nvim.visit(bench.write(name, source))
        bench.upstream.says(answer, delay=0.01)
        nvim.pick(4, "Fix `mean`")
        becomes(nvim, fixed)
        until(lambda: not nvim.lua(MARKS), "the highlight to go")
        show(nvim, "Fixed `mean`: small, <$0.0001")
        tally.check(nvim.text(), fixed)
        nvim.undo()
        leaves(nvim, fixed)
        tally.check(nvim.text(), source)
        nvim.press("\x12")  # Ctrl-R
        leaves(nvim, source)
        tally.check(nvim.text(), fixed)
        nvim.save()


def test_the_text_arrives_while_it_is_written_and_is_highlighted(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    gate = begin(nvim, bench)
    until(lambda: [(mark[1], mark[3]["end_row"]) for mark in nvim.lua(MARKS)] == [(3, 8)], "the highlight")
    until(lambda: "Fix `mean`" in nvim.terminal.screen().splitlines()[-2], "the run in the status line")
    gate.opened.set()
    show(nvim, "Fixed `mean`: small, <$0.0001")
    until(lambda: not nvim.lua(MARKS), "the highlight to go")
    tally.check(nvim.text(), FIXED)


def test_marks_in_lines_that_stay_stay_there(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    source = SOURCE.replace('."""\n', '."""\n\nLIMIT = 10\n', 1)
    fixed = FIXED.replace('."""\n', '."""\n\nimport math\n\nLIMIT = 10\n', 1)
    nvim.visit(bench.write("stats.py", source))
    nvim.lua(MARKED)
    assert nvim.lua(PLACES) == [[2, 2], [7, 4], [3, 4], [8, 6]]
    # All of it at once, so that each batch holds as many edits as it can.
    bench.upstream.says(IMPORTING, size=len(IMPORTING))
    nvim.pick(6, "Fix `mean`")
    show(nvim, "Fixed `mean`")
    tally.check(nvim.text(), fixed)
    assert nvim.lua(PLACES) == [[4, 2], [9, 4], [5, 4], [10, 6]]
    nvim.undo()
    leaves(nvim, fixed)
    tally.check(nvim.text(), source)
    assert nvim.lua(PLACES) == [[2, 2], [7, 4], [3, 4], [8, 6]]


def test_an_edit_of_a_file_that_is_not_open_is_carried_out(nvim: Neovim) -> None:
    edit = "{ changes = { ['file:///nowhere/at/all.py'] = {} } }"
    assert nvim.lua(f"return require('tuppence.stream').apart({edit}, function() return 'done' end)") == "done"


def test_a_climb_is_in_the_same_undo(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.says(BROKEN, delay=0.01)
    bench.upstream.says(ANSWER, delay=0.01)
    nvim.pick(4, "Fix `mean`")
    show(nvim, "Fixed `mean`: big")
    tally.check(nvim.text(), FIXED)
    nvim.undo()
    leaves(nvim, FIXED)
    tally.check(nvim.text(), SOURCE)


def test_what_another_server_says_of_an_answer_counts(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    nvim.lua(OTHER)
    bench.upstream.says(ANSWER.replace("len(values)", "(len(values) + 0)"), delay=0.01)
    bench.upstream.says(ANSWER, delay=0.01)
    nvim.pick(4, "Fix `mean`")
    show(nvim, "Fixed `mean`: big")
    tally.check(nvim.text(), FIXED)
    first, second = bench.settled(2)
    assert (first.outcome, second.outcome) == ("failed check", "kept")
    assert first.reason.endswith("; It adds a new problem in line 8: “…” (compiler)")
    assert "; proved: parses, ruff finds no new error, no new error in the editor" in second.reason
    nvim.undo()
    leaves(nvim, FIXED)
    tally.check(nvim.text(), SOURCE)


def test_a_final_answer_comes_as_one_edit(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    put_edits(bench)
    gate = Gate(IMPORTING)
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(gate.reply())
    nvim.pick(4, "Fix `mean`")
    until(lambda: nvim.lua(MARKS), "the highlight")
    tally.check(nvim.text(), SOURCE)
    gate.opened.set()
    show(nvim, "Fixed `mean`")
    fixed = FIXED.replace('."""\n', '."""\n\nimport math\n', 1)
    tally.check(nvim.text(), fixed)
    nvim.undo()
    leaves(nvim, fixed)
    tally.check(nvim.text(), SOURCE)


def test_generated_tests_get_a_file(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.says(f"```python\n{TESTED}```")
    nvim.command("4")
    nvim.command("Tuppence tests")
    show(nvim, "Wrote tests for `mean`: small, <$0.0001")
    tally.check(nvim.text(), SOURCE)
    nvim.visit(bench.root / "tests" / "test_stats.py")
    tally.check(nvim.text(), TESTED)


def test_hover_offers_an_explanation_and_shows_it_again(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    nvim.hover(4)
    until(lambda: "Explain" in nvim.terminal.screen(), "the offer")
    assert not bench.upstream.requests
    nvim.press("\x1b")
    bench.upstream.says("`mean` adds the values up and divides the sum by their number.")
    nvim.command("4")
    nvim.command("Tuppence explain")
    until(lambda: "Explained `mean`: small, <$0.0001" in nvim.lua(PANEL), "the closing line")
    nvim.command("Tuppence explanation")
    nvim.press("q")
    until(lambda: not nvim.lua(PANEL), "the panel to close")
    nvim.hover(4)
    until(lambda: "asking again is free" in nvim.terminal.screen(), "the hover")
    assert len(bench.upstream.requests) == 1
    tally.check(nvim.text(), SOURCE)


def test_what_others_say_is_told_of_a_range_and_in_the_servers_units(nvim: Neovim, bench: Bench) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    for said in nvim.lua(BEYOND_EMOJI):
        # The emoji is four bytes from column 26 on, and two units of UTF-16.
        assert [(each["message"], each["range"]["end"]) for each in said] == [("on it", {"line": 11, "character": 28})]


def test_no_key_gets_into_neovims_log(bench: Bench) -> None:
    key = "sk-of-the-password-store"
    keys = f'{{ keys = function() return {{ A_KEY = "{key}" }} end }}'
    lines = advice(bench).replace("setup()", f"setup({keys})")
    session = Neovim(program("nvim-0.10"), f'vim.lsp.set_log_level("trace")\n{lines}', bench)
    try:
        session.visit(bench.write("stats.py", SOURCE))
        log = Path(session.lua("return vim.lsp.get_log_path()"))
        until(lambda: "textDocument/didOpen" in log.read_text(encoding="utf-8"), "the log to go on")
        assert key not in log.read_text(encoding="utf-8")
        assert session.lua("return vim.lsp.log.get_level()") == 0
    finally:
        end(session)


def test_the_undo_before_it_stays_a_step_of_its_own(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    nvim.insert(11, "SIZE = 5")
    bench.upstream.says(ANSWER, delay=0.01)
    nvim.pick(4, "Fix `mean`")
    show(nvim, "Fixed `mean`")
    nvim.insert(11, "MORE = 6")
    more = FIXED.replace("def top", "MORE = 6\nSIZE = 5\ndef top")
    for before in (more.replace("MORE = 6\n", ""), SOURCE.replace("def top", "SIZE = 5\ndef top"), SOURCE):
        nvim.undo()
        becomes(nvim, before)
        tally.check(nvim.text(), before)


@pytest.mark.parametrize("delay", [0.01, 0.0], ids=["streamed", "at-once"])
def test_text_typed_in_the_same_insertion_stays_apart(nvim: Neovim, bench: Bench, tally: Tally, delay: float) -> None:
    gate = Gate(ANSWER, hold=len(ANSWER), delay=delay)
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(gate.reply())
    nvim.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    nvim.command("11")
    nvim.press("OSIZE = 5")
    typed = SOURCE.replace("def top", "SIZE = 5\ndef top")
    becomes(nvim, typed)
    gate.opened.set()
    fixed = FIXED.replace("def top", "SIZE = 5\ndef top")
    becomes(nvim, fixed)
    until(lambda: not nvim.lua(MARKS), "the highlight to go")
    nvim.press("0")
    becomes(nvim, fixed.replace("SIZE = 5", "SIZE = 50"))
    # Neovim 0.7 takes the whole insertion for one change, wherever in it the fix came.
    is_old = nvim.lua("return vim.fn.has('nvim-0.10') == 0")
    for before in (typed.replace("SIZE = 5", "SIZE = 50"), SOURCE) if is_old else (fixed, typed, SOURCE):
        nvim.undo()
        becomes(nvim, before)
        tally.check(nvim.text(), before)


def test_an_edit_that_comes_too_late_for_its_version_is_refused(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    gate = Gate(ANSWER, hold=len(ANSWER))
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.script(gate.reply())
    nvim.pick(4, "Fix `mean`")
    until(lambda: bench.upstream.requests, "the request")
    nvim.deaf(answered(gate), 3, "LIMIT = 10")
    show(nvim, "Fixed `mean`")
    tally.check(nvim.text(), FIXED.replace("\n\n\ndef mean", "\n\nLIMIT = 10\n\ndef mean"))


def test_typing_ten_characters_a_second_loses_none(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    gate = begin(nvim, bench)
    nvim.command("11")
    nvim.press("O")
    written = "alpha = 1234567890"
    began = time.monotonic()
    for count, letter in enumerate(written):
        time.sleep(max(0.0, began + count / 10 - time.monotonic()))
        nvim.press(letter)
        if letter == "4":
            gate.opened.set()
    rate = len(written) / (time.monotonic() - began)
    print(f"typed {rate:.1f} characters a second")
    assert gate.sent.is_set(), "the answer went on while somebody typed"
    nvim.press("\x1c\x0e")
    show(nvim, "Fixed `mean`")
    expected = FIXED.replace("def top", f"{written}\ndef top")
    becomes(nvim, expected)
    tally.check(nvim.text(), expected)
    nvim.command("Tuppence putback")
    leaves(nvim, expected)
    tally.check(nvim.text(), SOURCE.replace("def top", f"{written}\ndef top"))


def test_typing_in_the_target_ends_it_and_stays(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    begin(nvim, bench)
    nvim.amend(7, "  # sum")
    until(bench.upstream.requests[0].closed.is_set, "the connection to be closed")
    show(nvim, "stays as you left it")
    tally.check(nvim.text(), HALF.replace("total += value\n", "total += value  # sum\n"))


def test_undo_meanwhile_takes_it_back_and_ends_it(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    begin(nvim, bench)
    nvim.undo()
    until(bench.upstream.requests[0].closed.is_set, "the connection to be closed")
    show(nvim, "Stopped: Fix `mean`")
    tally.check(nvim.text(), SOURCE)


def test_saving_meanwhile_saves_what_stands_there_and_it_goes_on(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    gate = begin(nvim, bench)
    nvim.command("write")
    until(lambda: (bench.root / "stats.py").read_bytes().decode() == HALF, "the file to be saved")
    gate.opened.set()
    show(nvim, "Fixed `mean`")
    tally.check(nvim.text(), FIXED)


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


def test_closing_the_file_ends_it(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    begin(nvim, bench)
    nvim.command("bwipeout!")
    until(bench.upstream.requests[0].closed.is_set, "the connection to be closed")
    tally.check((bench.root / "stats.py").read_text(), SOURCE)


def test_stop_puts_the_text_back(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    begin(nvim, bench)
    nvim.command("Tuppence stop")
    until(bench.upstream.requests[0].closed.is_set, "the connection to be closed")
    show(nvim, "Stopped: Fix `mean`")
    tally.check(nvim.text(), SOURCE)


def test_an_explanation_streams_into_a_panel_and_nothing_of_it_runs(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    gate = Gate(
        "`mean` adds up **values**. %{execute('let g:ran = 1')}\n\n"
        "```vim\nlet g:ran = 1\n```\n\nvim: set filetype=vim foldexpr=execute('let\\ g\\:ran=1') foldmethod=expr:\n",
        hold=20,
    )
    bench.upstream.script(gate.reply())
    nvim.command("4")
    nvim.command("Tuppence explain")
    until(lambda: nvim.lua(PANEL).startswith("`mean` adds up **values**."), "the panel")
    gate.opened.set()
    until(lambda: "Explained `mean`: small, <$0.0001" in nvim.lua(PANEL), "the closing line")
    assert nvim.lua("return vim.g.ran == nil and vim.bo.filetype == 'python'")
    assert nvim.lua(FILETYPES) == ["", "python"]
    tally.check(nvim.text(), SOURCE)
    nvim.command("Tuppence explanation")
    nvim.press("q")
    until(lambda: not nvim.lua(PANEL), "the panel to close")


def test_the_commands_say_what_they_did(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    nvim.command("Tuppence again")
    show(nvim, "there is no answer here")
    bench.upstream.says(ANSWER)
    bench.upstream.says(ANSWER.replace("total = 0", "total = 0.0"))
    nvim.command("4,8Tuppence fix")
    show(nvim, "Fixed `mean`: small, <$0.0001")
    nvim.command("Tuppence again")
    show(nvim, "Fixed `mean`: big")
    tally.check(nvim.text(), FIXED.replace("total = 0", "total = 0.0"))
    nvim.command("Tuppence cost")
    until(lambda: "in 2 requests" in nvim.lua(PANEL) and "mine/big" in nvim.lua(PANEL), "the accounts")
    nvim.command("Tuppence log")
    until(lambda: "small" in nvim.lua(PANEL), "the log")
    nvim.press("q")
    nvim.command("Tuppence dance")
    show(nvim, "There is no action `dance`")


@pytest.fixture
def limited(bench: Bench) -> None:
    """Give the user a budget."""
    bench.configure("tuppence", "config.toml", CONFIG.format(wire="openai", base=bench.upstream.openai) + BUDGET)


@pytest.mark.usefixtures("limited")
def test_the_accounts_say_what_the_budget_leaves_and_follow_what_is_spent(nvim: Neovim, bench: Bench) -> None:
    gate = begin(nvim, bench)
    nvim.command("Tuppence cost")
    until(lambda: "**Today** $0 in 0 requests" in nvim.lua(PANEL), "the accounts")
    assert "**Budget** $0.0500 of $0.0500 left today." in nvim.lua(PANEL)
    gate.opened.set()
    until(lambda: "in 1 request;" in nvim.lua(PANEL), "the accounts to follow")
    (entry,) = bench.settled(1)
    assert entry.cost
    assert f"**Budget** {money(LIMIT - entry.cost)} of $0.0500 left today." in nvim.lua(PANEL)


def test_findings_are_cleared_and_kept_answers_forgotten_by_a_word(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    bench.upstream.says(FINDING)
    nvim.command("4")
    nvim.command("Tuppence review")
    until(lambda: "value is the last item" in nvim.marks(8), "the finding on its line")
    nvim.command("Tuppence clear")
    until(lambda: nvim.marks(8) == "", "the finding to go")
    nvim.command("Tuppence forget")
    show(nvim, "Forgot 1 kept answer.")
    nvim.command("Tuppence forget")
    show(nvim, "Forgot 0 kept answers.")
    tally.check(nvim.text(), SOURCE)


def test_the_report_is_a_page_that_is_named_where_nothing_opens_it(nvim: Neovim, bench: Bench, tally: Tally) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    nvim.command("Tuppence report")
    show(nvim, "The cost report is the page ")
    (page,) = re.findall(r"The cost report is the page (\S+)", nvim.told())
    assert "Spend by day" in Path(page).read_text(encoding="utf-8")
    tally.check(nvim.text(), SOURCE)


def test_the_status_line_shows_runs_and_costs_and_runs_nothing(nvim: Neovim, bench: Bench) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    until(lambda: "$0 today" in nvim.terminal.screen(), "the accounts in the status line")
    # A diagnostic's message, which anybody may have written, is a part of a title.
    title = "Fix: odd %{execute('let g:ran = 1')} %=name"
    nvim.lua(SAID % json.dumps(title))
    until(lambda: f"⋯ {title}: small is answering" in nvim.terminal.screen(), "the run in the status line, as it is")
    assert nvim.lua("return vim.g.ran == nil")


def test_checkhealth_finds_the_server(nvim: Neovim, bench: Bench) -> None:
    nvim.visit(bench.write("stats.py", SOURCE))
    until(lambda: "$0 today" in nvim.terminal.screen(), "the accounts")
    nvim.command("checkhealth tuppence")
    until(lambda: "The server runs in" in nvim.text(), "the report")
    said = nvim.text()
    assert f"runs in {bench.root}" in said
    assert "Today: $0" in said
    assert "ERROR" not in said


@pytest.mark.parametrize("is_first", [True, False], ids=["alone", "after-the-users"])
def test_a_projects_own_file_changes_nothing(bench: Bench, *, is_first: bool) -> None:
    ran = bench.root / "ran"
    evil = bench.write("evil", f"#!/bin/sh\ntouch {ran}\n")
    evil.chmod(0o755)
    bench.write(".nvim.lua", f'require("tuppence").setup({{ cmd = {{ "{evil}" }} }})\n')
    lines = advice(bench)
    if is_first:
        lines = lines.replace('require("tuppence").setup()', "")
    session = Neovim(program("nvim-0.10"), lines, bench)
    try:
        session.command(f"luafile {bench.root / '.nvim.lua'}")
        show(session, "a project's configuration file does not set it up")
        if is_first:
            session.command("edit stats.py")
        else:
            session.visit(bench.write("stats.py", SOURCE))
        assert session.lua("return require('tuppence').about().settings.cmd[1]") == "tuppence"
        assert not ran.exists()
    finally:
        session.close()


@pytest.mark.skipif("neovim-0.12" not in CLIENTS, reason="Neovim 0.12 belongs to the long mode")
def test_a_project_cannot_change_the_program_afterwards(bench: Bench) -> None:
    ran = bench.root / "ran"
    evil = bench.write("evil", f"#!/bin/sh\ntouch {ran}\n")
    evil.chmod(0o755)
    session = Neovim(program("nvim-0.12"), advice(bench), bench)
    try:
        session.command(f'lua vim.lsp.config("tuppence", {{ cmd = {{ "{evil}" }} }})')
        session.command(f"edit {bench.write('stats.py', SOURCE)}")
        show(session, "another program was configured after setup()")
        assert not ran.exists()
    finally:
        end(session)


@pytest.mark.skipif(not PICTURES, reason="pictures are taken where TUPPENCE_PICTURES names a folder for them")
def test_the_picture_of_the_readme(bench: Bench) -> None:
    session = Neovim(program("nvim-0.10"), f"vim.o.termguicolors = true\n{advice(bench)}", bench, size=(112, 24))
    try:
        bench.write("stats.py", SOURCE)
        session.visit(Path("stats.py"))
        bench.upstream.says(
            "Adds the numbers up and divides by **how many there are**.\n\n"
            "- It starts at `1`, so every mean is too high: `mean([2])` is 3.\n"
            "- `value` is the last number, not the list: `len(value)` raises a `TypeError`.\n"
            "- An empty list would divide by zero."
        )
        session.command("4")
        session.command("Tuppence explain")
        until(lambda: "Explained `mean`" in session.lua(PANEL), "the closing line")
        bench.upstream.script(Gate(ANSWER).reply())
        session.command("Tuppence fix")
        becomes(session, HALF)
        until(lambda: "⋯ Fix" in session.terminal.screen(), "the run in the status line")
        session.terminal.picture(Path(PICTURES) / "neovim.svg", "nvim stats.py")
    finally:
        end(session)
