"""The VS Code extension, from its package, in a real VS Code: edits that stream, stop and go back.

One window serves all tests, each with a file of its own. Texts are compared as they are on the disk after saving.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from tests.editors.tally import Tally
from tests.editors.vscode.stagehand import (
    AFTER,
    BEFORE,
    CONFIG,
    FIXED,
    HALF,
    HEAD,
    LINE,
    NOTE,
    PICTURES,
    SOURCE,
    TAIL,
    Cue,
    Desk,
    fenced,
    machine,
    set_out,
)
from tests.editors.vscode.window import CODE, HOVER, ITEM, LENS, NOTICE, REGION, STATUS, Window, until

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

STALE = "ctrl+alt+f9"
"""A key that asks for something about a version that is not there."""
EXPLANATION = """Adds up what a list of orders is worth, with a surcharge.

- **`orders`** is a list of dictionaries, each with a `price` and a `count`; their products are added up.
- **`rate`** is a share of the sum that is added at the end; left out or `None`, nothing is added.
- The result is rounded to cents, and for an empty list it is `0`.

```python
>>> total([{"price": 2.5, "count": 4}], 0.1)
11.0
```

Prices are floats here, so a sum of very many orders may be off by a cent."""
BETTER = AFTER.replace("round(worth, 2)", "round(worth, ndigits=2)")
BROKEN = AFTER.replace("round(worth, 2)", "round(worth, 2")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a window in which one fix was made, right after the start from an empty profile."""
    folder = tmp_path_factory.mktemp("vscode")
    with set_out(folder) as bench:
        config = bench.configure("elsewhere", "config.toml", CONFIG.format(base=bench.upstream.openai))
        path = bench.write("first.py", SOURCE)
        place = {"line": LINE - 1, "character": 5}
        stale = {"action": "fix", "uri": path.as_uri(), "version": 1000, "range": {"start": place, "end": place}}
        keys = [{"key": STALE, "command": "tuppence.run", "args": stale}]
        bench.upstream.says(fenced(AFTER))
        began = time.monotonic()
        with Window(bench.root, folder / "profile", bench.environment, machine(config), keys) as window:
            desk = Desk(window, bench)
            window.open(path)
            window.wait(STATUS)
            desk.alone = time.monotonic() - began
            desk.settle()
            desk.fix()
            window.wait(CODE, "round(worth, 2)")
            desk.seconds = time.monotonic() - began
            desk.answered()
            assert window.saved(path) == FIXED
            yield desk


@pytest.fixture(autouse=True)
def _tidy(desk: Desk, request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave nothing open for the next test."""
    yield
    desk.tidy(request.node.name)


def test_a_fresh_profile_needs_one_request_for_a_fix(desk: Desk) -> None:
    print(f"from an empty profile to a fix in the text: {desk.seconds:.1f} s, {desk.alone:.1f} of them the editor's")
    assert len(desk.bench.upstream.requests) == 1


@pytest.mark.skipif(not PICTURES, reason="pictures are taken where TUPPENCE_PICTURES names a folder for them")
def test_the_pictures_of_the_readme(desk: Desk) -> None:
    desk.visit("orders.py")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    desk.window.wait(LENS, "is answering")
    desk.shot("vscode-stream")
    cue.give()
    desk.answered()
    desk.bench.upstream.says(EXPLANATION)
    desk.pick("Explain")
    until(lambda: "an empty list" in desk.window.page() and "mentions" in desk.window.page("footer"), "the explanation")
    desk.settle()
    desk.window.call("hover", STATUS, "")
    desk.window.wait(HOVER, "Last: explain")
    desk.shot("vscode-explain")


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_streamed_fix_is_one_step_of_undo(desk: Desk, tally: Tally, ending: str) -> None:
    source, fixed = SOURCE.replace("\n", ending), FIXED.replace("\n", ending)
    path = desk.visit(f"undo{len(ending)}.py", source)
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    desk.window.wait(LENS, "Stop")
    cue.give()
    desk.answered()
    tally.check(desk.window.saved(path), fixed)
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), source)
    desk.window.press("Control+y")
    tally.check(desk.window.saved(path), fixed)


def test_imports_come_in_the_same_step(desk: Desk, tally: Tally) -> None:
    path = desk.visit("imports.py")
    desk.bench.upstream.says(f"{fenced(AFTER)}\n\n```imports\nimport math\n```", delay=0.01)
    desk.fix()
    desk.answered()
    tally.check(desk.window.saved(path), FIXED.replace('."""\n\n', '."""\n\nimport math\n\n', 1))
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), SOURCE)


def test_a_climb_is_in_the_same_step(desk: Desk, tally: Tally) -> None:
    path = desk.visit("climb.py")
    desk.bench.upstream.says(fenced(BROKEN), delay=0.01)
    desk.bench.upstream.says(fenced(BETTER), delay=0.01)
    desk.fix()
    desk.answered()
    tally.check(desk.window.saved(path), HEAD + BETTER + TAIL)
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), SOURCE)


def test_what_another_server_says_of_an_answer_counts(desk: Desk, tally: Tally) -> None:
    text = '{\n  "first": 1,\n  "second": ,\n  "third": 3\n}\n'
    path = desk.visit("broken.json", text)
    before = len(desk.bench.entries())
    fixed = text.replace('"second": ,', '"second": 2,')
    for value in ("2 two,", "2,"):  # The first one's brackets match, which is all that we can tell of it.
        desk.bench.upstream.says(fenced(text.replace('"second": ,', f'"second": {value}').strip()), delay=0.01)
    desk.window.go(3, 5)
    desk.window.press("Control+a")
    desk.window.pick("Fix the selection")
    desk.answered()
    tally.check(desk.window.saved(path), fixed)
    first, second = desk.bench.entries()[before:]
    assert (first.outcome, second.outcome) == ("failed check", "kept")
    assert "It adds a new problem in line 3" in first.reason
    assert second.reason.endswith("no new error in the editor")
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), text)


def test_what_is_typed_after_an_answer_is_a_step_of_its_own(desk: Desk, tally: Tally) -> None:
    path = desk.visit("after.py")
    desk.bench.upstream.says(fenced(AFTER))
    desk.fix()
    desk.answered()
    desk.window.go(NOTE, 30)
    desk.window.type("x")
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), FIXED)
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), SOURCE)


def test_typing_after_an_answer_without_moving_is_a_step_of_its_own(desk: Desk, tally: Tally) -> None:
    path = desk.visit("unmoved.py")
    before = SOURCE.replace("rate):\n", "rate):  # now\n")
    desk.window.go(LINE, 100)
    desk.window.type("  # now")
    desk.bench.upstream.says(fenced(AFTER))
    desk.window.pick("Fix")
    desk.answered()
    # Saving would end a step by itself.
    desk.window.type("xyz")
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), FIXED)
    desk.window.press("Control+z")
    tally.check(desk.window.saved(path), before)


def test_the_lines_are_highlighted_while_an_answer_streams_into_them(desk: Desk) -> None:
    desk.visit("highlighted.py")
    assert desk.window.call("count", REGION) == 0
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    lines = BEFORE.count("\n")
    until(lambda: desk.window.call("count", REGION) == lines, f"{lines} lines to be highlighted")
    cue.give()
    desk.answered()
    until(lambda: desk.window.call("count", REGION) == 0, "the highlight to go")


def test_a_final_answer_comes_as_one_edit(desk: Desk, tally: Tally) -> None:
    path = desk.visit("final.py")
    live = CONFIG.format(base=desk.bench.upstream.openai)
    desk.bench.configure("elsewhere", "config.toml", f'edits = "final"\n{live}')
    try:
        cue = Cue(fenced(AFTER))
        desk.bench.upstream.script(cue.reply())
        desk.fix()
        until(cue.reached.is_set, "the first half to be sent")
        desk.window.wait(LENS, "Stop")
        tally.check(desk.window.saved(path), SOURCE)
        cue.give()
        desk.answered()
        tally.check(desk.window.saved(path), FIXED)
        desk.window.press("Control+z")
        tally.check(desk.window.saved(path), SOURCE)
    finally:
        desk.bench.configure("elsewhere", "config.toml", live)


def test_no_keystroke_is_lost_while_an_answer_streams(desk: Desk, tally: Tally) -> None:
    path = desk.visit("typing.py")
    cue = Cue(fenced(AFTER), before="price = order", pace=0.05)
    desk.bench.upstream.script(cue.reply())
    desk.fix()
    # Only then is the line where it is looked for.
    desk.window.wait(CODE, "worth = 0")
    desk.window.gone(CODE, "sum = 0")
    desk.window.go(NOTE, 12)
    typed = "the quick brown fox jumps over the lazy dog and back again "
    goes_on = threading.Timer(1.0, cue.give)
    goes_on.start()
    began = time.monotonic()
    rate = desk.window.type(typed, 10)
    typed_by = time.monotonic()
    print(f"typed {rate:.1f} characters a second; the answer went on after {cue.resumed - began:.1f} s and ended")
    print(f"after {cue.ended - began:.1f} s, the typing after {typed_by - began:.1f} s")
    assert began < cue.resumed < cue.ended < typed_by, "the answer streamed while somebody typed"
    desk.answered()
    line = FIXED.splitlines()[NOTE - 1]
    expected = FIXED.replace(line, line[:10] + typed + line[10:])
    tally.check(desk.window.saved(path), expected)
    desk.window.click(LENS, "Put back")
    desk.window.gone(LENS, "Put back")
    tally.check(desk.window.saved(path), expected.replace(AFTER, BEFORE))


def test_typing_in_the_target_stops_the_answer_and_stays(desk: Desk, tally: Tally) -> None:
    path = desk.visit("inside.py")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    tally.check(desk.window.saved(path), HALF)
    desk.window.go(LINE, 100)
    desk.window.type("  # mine")
    desk.window.wait(ITEM, "stays as you left it")
    desk.closed(cue)
    cue.give()
    first = "def total(orders, rate=None):"
    tally.check(desk.window.saved(path), HALF.replace(first, f"{first}  # mine"))


@pytest.mark.parametrize("way", ["status item", "in the text", "palette", "key", "notification", "menu"])
def test_a_run_is_stopped(desk: Desk, tally: Tally, way: str) -> None:
    path = desk.visit(f"stop-{way.replace(' ', '-')}.py")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    match way:
        case "status item":
            desk.window.click(STATUS, "Fix")
        case "in the text":
            desk.window.click(LENS, "Stop")
        case "palette":
            desk.window.command("Tuppence: Stop")
        case "key":
            desk.window.press("Control+Alt+Backspace")
        case "menu":
            desk.window.pick("Stop")
        case _:
            desk.window.wait(NOTICE, "Fix `total`")
            desk.window.click(f"{NOTICE} .monaco-button", "Cancel")
    desk.closed(cue)
    desk.window.gone(LENS, "Stop")
    desk.window.go(NOTE, 30)
    desk.window.type("!")
    line = SOURCE.splitlines()[NOTE - 1]
    tally.check(desk.window.saved(path), SOURCE.replace(line, line[:28] + "!" + line[28:]))


def test_put_back_is_exact_whatever_lies_between(desk: Desk, tally: Tally) -> None:
    path = desk.visit("back.py")
    desk.bench.upstream.says(fenced(AFTER))
    desk.fix()
    desk.answered()
    desk.window.go(NOTE, 12)
    desk.window.type("typed ")
    kept = desk.window.saved(path)
    # Seen from another file it stays: what is not seen is not changed.
    other = desk.bench.write("elsewhere.py", "x = 1\n")
    desk.window.open(other)
    desk.window.command("Tuppence: Put Back")
    desk.window.wait(NOTICE, "This file holds no answer to put back.")
    desk.window.open(path)
    tally.check(desk.window.saved(path), kept)
    desk.window.command("Tuppence: Put Back")
    desk.window.gone(LENS, "Put back")
    line = SOURCE.splitlines()[NOTE - 1]
    tally.check(desk.window.saved(path), SOURCE.replace(line, line[:10] + "typed " + line[10:]))


def test_keep_ends_the_offers(desk: Desk, tally: Tally) -> None:
    path = desk.visit("keep.py")
    desk.bench.upstream.says(fenced(AFTER))
    desk.fix()
    desk.answered()
    desk.window.wait(ITEM, f"Ln {LINE}, Col 6")
    desk.window.click(LENS, "Keep")
    desk.window.gone(LENS, "Put back")
    tally.check(desk.window.saved(path), FIXED)


def test_the_cursor_stays_in_its_line_while_an_answer_comes_slowly(desk: Desk, tally: Tally) -> None:
    path = desk.visit("slowly.py")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    desk.window.wait(ITEM, f"Ln {LINE}, Col 6")
    cue.give()
    desk.answered()
    desk.window.wait(ITEM, f"Ln {LINE}, Col 6")
    tally.check(desk.window.saved(path), FIXED)


def test_a_better_model_is_asked_again(desk: Desk, tally: Tally) -> None:
    path = desk.visit("again.py")
    desk.bench.upstream.says(fenced(AFTER))
    desk.fix()
    desk.answered()
    cue = Cue(fenced(BETTER), before="ndigits")
    desk.bench.upstream.script(cue.reply())
    desk.window.click(LENS, "Again with a better model (claude-opus-5-5, about $")
    desk.window.gone(LENS, "Keep")
    cue.give()
    desk.answered()
    tally.check(desk.window.saved(path), HEAD + BETTER + TAIL)
    assert desk.bench.upstream.requests[-1].body["model"] == "claude-opus-5-5"


def test_a_stale_version_changes_nothing(desk: Desk, tally: Tally) -> None:
    path = desk.bench.root / "first.py"
    desk.window.open(path)
    before = path.read_bytes().decode()
    asked = len(desk.bench.upstream.requests)
    desk.window.press("Control+Alt+F9")
    desk.window.wait(NOTICE, "The document changed after the menu was opened")
    assert len(desk.bench.upstream.requests) == asked
    tally.check(desk.window.saved(path), before)


def test_an_answer_arrives_in_a_tab_that_is_not_shown(desk: Desk, tally: Tally) -> None:
    path = desk.visit("behind.py")
    other = desk.bench.write("other.py", "x = 1\n")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    desk.window.open(other)
    cue.give()
    desk.settle()
    tally.check(desk.window.saved(other), "x = 1\n")
    desk.window.open(path)
    desk.answered()
    tally.check(desk.window.saved(path), FIXED)
    desk.window.command("Tuppence: Put Back")
    desk.window.gone(LENS, "Put back")
    tally.check(desk.window.saved(path), SOURCE)


def test_saving_meanwhile_saves_what_stands_there_and_the_answer_goes_on(desk: Desk, tally: Tally) -> None:
    path = desk.visit("saving.py")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    tally.check(desk.window.saved(path), HALF)
    cue.give()
    desk.answered()
    tally.check(desk.window.saved(path), FIXED)


def test_undo_meanwhile_takes_it_back_and_stops(desk: Desk, tally: Tally) -> None:
    path = desk.visit("undoing.py")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    tally.check(desk.window.saved(path), HALF)
    desk.window.press("Control+z")
    desk.closed(cue)
    tally.check(desk.window.saved(path), SOURCE)


def test_closing_the_file_ends_it(desk: Desk, tally: Tally) -> None:
    path = desk.visit("closing.py")
    cue = Cue(fenced(AFTER))
    desk.begin(cue)
    desk.window.press("Control+w")
    desk.window.click(".monaco-dialog-box .monaco-button", "Don't Save")
    desk.closed(cue)
    tally.check(path.read_bytes().decode(), SOURCE)
