"""The VS Code extension, from its package, in a real VS Code: what is read there, keys, money, and where its server is.

The window has two folders, which are not trusted and whose settings name another server; ours is on the path.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from tests.editors.tally import Tally
from tests.editors.vscode.stagehand import AFTER, CONFIG, FIXED, LINE, SOURCE, Cue, Desk, fenced, set_out
from tests.editors.vscode.window import CODE, HERE, HOVER, ITEM, NOTICE, STATUS, Window, until

from tuppence.core.billing.entry import add, money

pytestmark = [pytest.mark.editors, pytest.mark.timeout(600)]

FETCH = """new Promise((say) => {
  document.addEventListener("securitypolicyviolation", (event) => say(event.effectiveDirective));
  fetch("http://127.0.0.1:1/").catch(() => setTimeout(() => say("it went out"), 2000));
})"""
"""Tries to leave a page, and says what kept it in."""


CODE_OF_TESTS = """from worth import total


def test_nothing_is_worth_nothing():
    assert total([], None) == 0
"""
EXPLANATION = """## What it does

It adds up what **orders** are worth, [see](command:workbench.action.quit) <script>window.evil = 1</script>
![x](https://example.com/x.png).

```python
sum = 0
```

The end."""
FINDING = """severity: error
line: `    return round(sum)`
problem: Cents are lost.
```
    return round(sum, 2)
```"""
INSTALLED = 400.0
"""Seconds for the server's environment, most of them pip's."""
BUDGET = """
[budget]
day = 5.00
"""
TRACED = {"tuppence.trace.server": "verbose"}
"""Where somebody sets the log to its finest level, whole messages are written down."""
UNTRUSTED = {"security.workspace.trust.enabled": True, "security.workspace.trust.startupPrompt": "never"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Return a window on two folders that nobody trusts."""
    folder = tmp_path_factory.mktemp("vscode-views")
    with set_out(folder) as bench:
        bench.configure("tuppence", "config.toml", CONFIG.format(base=bench.upstream.openai) + BUDGET)
        # VS Code takes the path that a login shell gives.
        (bench.home / ".profile").write_text(f'PATH="{Path(sys.executable).parent}:$PATH"\n', encoding="utf-8")
        (folder / "second").mkdir()
        both = folder / "both.code-workspace"
        named = json.loads((bench.root / ".vscode" / "settings.json").read_text(encoding="utf-8"))
        folders = [{"path": "project"}, {"path": "second"}]
        both.write_text(json.dumps({"folders": folders, "settings": named}), encoding="utf-8")
        with Window(both, folder / "profile", bench.environment, TRACED, settings=UNTRUSTED) as window:
            yield Desk(window, bench)


@pytest.fixture(autouse=True)
def _tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave nothing open for the next test."""
    yield
    if "desk" in request.fixturenames:
        request.getfixturevalue("desk").tidy(request.node.name)


def test_every_folder_of_a_workspace_is_served(desk: Desk, tally: Tally) -> None:
    path = desk.bench.root.parent / "second" / "elsewhere.py"
    path.write_text(SOURCE, encoding="utf-8")
    desk.window.open(path)
    desk.settle()
    desk.bench.upstream.says(fenced(AFTER))
    desk.fix()
    desk.answered()
    tally.check(desk.window.saved(path), FIXED)
    desk.window.wait(ITEM, "Restricted Mode")


def test_an_explanation_streams_into_a_harmless_page(desk: Desk) -> None:
    desk.visit("explain.py")
    desk.forget()
    cue = Cue(EXPLANATION, before="```python")
    desk.bench.upstream.script(cue.reply())
    desk.pick("Explain")
    until(lambda: "It adds up what orders are worth" in desk.window.page(), "the first words")
    assert "The end." not in desk.window.page()
    cue.give()
    until(lambda: "The end." in desk.window.page(), "the last words")
    until(lambda: "kimi-k2.6" in desk.window.page("footer"), "the line below it")
    assert desk.window.call("attempt", "main", "document.querySelectorAll('main a, main img, main script').length") == 0
    policy = desk.window.call("attempt", "main", "document.querySelector('meta[http-equiv]').content")
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert desk.window.call("attempt", "main", FETCH) == "connect-src"
    desk.window.press("Control+1")
    desk.window.go(LINE, 6)
    assert "kimi-k2.6, kept" in desk.window.hover("orders are worth")


def test_an_offer_is_a_link_that_asks_and_its_page_outlives_a_reload(desk: Desk) -> None:
    desk.visit("offer.py", SOURCE.replace("round(sum)", "round(sum, 4)"))
    desk.forget()
    asked = len(desk.bench.upstream.requests)
    desk.window.go(LINE, 6)
    hover = desk.window.hover("Explain total")
    assert re.search(r"10 lines, (?:simple|moderate)\b.*about \$0\.\d+ at kimi-k2\.6", hover), hover
    assert len(desk.bench.upstream.requests) == asked
    desk.bench.upstream.says("It adds up `orders` [see](command:workbench.action.quit).\n\nThe very end.")
    desk.window.click(f"{HOVER} a", "Explain total")
    until(lambda: "The very end." in desk.window.page(), "the explanation")
    until(lambda: "kimi-k2.6" in desk.window.page("footer"), "the line below it")
    # In a browser the editor writes down what is open every five seconds.
    until(lambda: desk.window.call("remembers", "The very end."), "the page to be written down")
    desk.window.command("Developer: Reload Window")
    until(lambda: desk.window.page() == "", "the window to go")
    until(lambda: "The very end." in desk.window.page(), "the explanation after the reload")
    until(lambda: "kimi-k2.6" in desk.window.page("footer"), "the line below it after the reload")
    assert desk.window.call("attempt", "main", "document.querySelectorAll('main a, main img, main script').length") == 0
    desk.settle()


def test_the_walkthrough_ticks_what_was_done_before_it_was_opened(desk: Desk) -> None:
    desk.visit("walk.py")
    desk.settle()
    desk.window.command("Welcome: Open Walkthrough...")
    desk.window.click(".quick-input-list .monaco-list-row", "Start with Tuppence")
    desk.window.wait(".getting-started-step", "Get the server")
    desk.window.wait(".codicon.complete[data-done-step-id$='#server']")


def test_generated_tests_go_to_their_file(desk: Desk, tally: Tally) -> None:
    path = desk.bench.root / "tests" / "test_worth.py"
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    (desk.bench.root / "tests" / "test_other.py").write_text("def test_other():\n    assert True\n")
    desk.visit("worth.py")
    desk.bench.upstream.says(fenced(CODE_OF_TESTS))
    desk.pick("Generate tests")
    desk.window.wait(".tab", "test_worth.py")
    desk.settle()
    desk.window.open(path)
    tally.check(desk.window.saved(path), CODE_OF_TESTS)


def test_a_review_asks_with_the_key_of_the_secret_store(desk: Desk, tally: Tally) -> None:
    path = desk.visit("review.py")
    desk.forget()
    desk.window.command("Tuppence: Set Provider Key")
    desk.window.wait(".quick-input-list .monaco-list-row", "ANTHROPIC_API_KEY")
    desk.window.call("insert", "GUARDED")
    desk.window.click(".quick-input-list .monaco-list-row", "GUARDED_API_KEY")
    desk.window.wait(".quick-input-widget input[type=password]")
    desk.window.call("insert", "sk-of-the-secret-store")
    desk.window.press("Enter")
    desk.window.gone(STATUS, "saved")
    desk.settle()
    desk.bench.upstream.says(FINDING)
    desk.pick("Review")
    desk.window.wait(".squiggly-error")
    assert desk.bench.upstream.requests[-1].headers["authorization"] == "Bearer sk-of-the-secret-store"
    desk.window.command("Tuppence: Clear Findings")
    desk.window.gone(".squiggly-error")
    asked = len(desk.bench.upstream.requests)
    desk.window.command("Tuppence: Review")
    desk.window.wait(".squiggly-error")
    assert len(desk.bench.upstream.requests) == asked, "a review is kept, with its findings"
    desk.window.go(LINE + 9, 8)
    desk.window.pick("Apply: Cents are lost")
    desk.window.wait(CODE, "round(sum, 2)")
    desk.window.gone(".squiggly-error")
    tally.check(desk.window.saved(path), SOURCE.replace("round(sum)", "round(sum, 2)"))
    kept = desk.window.profile / "data" / "User"
    assert not [file for file in kept.rglob("*.json") if "sk-of-the-secret-store" in file.read_text(encoding="utf-8")]
    _restart_traced(desk)
    until(lambda: "initializationOptions" in _log(desk), "the start to be logged")
    assert "sk-of-the-secret-store" not in _log(desk)


def _restart_traced(desk: Desk) -> None:
    """Start the server anew with all logged that ever is."""
    desk.window.command("Developer: Set Log Level")
    desk.window.call("insert", "Tuppence")
    desk.window.click(".quick-input-list .monaco-list-row.focused", "Tuppence")
    desk.window.click(".quick-input-list .monaco-list-row", "Trace")
    desk.window.command("Tuppence: Restart Server")


def _log(desk: Desk) -> str:
    """Return what the extension logged so far."""
    files = (desk.window.profile / "data" / "logs").rglob("*Tuppence.log")
    return "".join(file.read_text(encoding="utf-8", errors="replace") for file in files)


def test_kept_answers_are_forgotten_when_the_palette_says_so(desk: Desk) -> None:
    desk.visit("kept.py")
    desk.forget()
    desk.window.go(LINE, 6)
    before = len(desk.bench.upstream.requests)
    desk.bench.upstream.says("It adds up `orders`, and is kept.")
    for said in ("kimi-k2.6, $", "kimi-k2.6, kept, $0"):
        desk.window.command("Tuppence: Explain")
        until(functools.partial(_ends, desk, said), f"{said!r} below the text")
        desk.window.press("Control+1")
    assert len(desk.bench.upstream.requests) == before + 1
    desk.window.command("Notifications: Clear All")
    desk.window.gone(NOTICE)
    desk.window.command("Tuppence: Forget Kept Answers")
    desk.window.wait(NOTICE, "Forgot 1 kept answer.")
    desk.bench.upstream.says("It adds up `orders`, and was asked anew.")
    desk.window.press("Control+1")
    desk.window.command("Tuppence: Explain")
    until(lambda: "was asked anew" in desk.window.page(), "the new answer")
    assert len(desk.bench.upstream.requests) == before + 2


def _ends(desk: Desk, said: str) -> bool:
    """Report whether a line below the explanation says so."""
    return said in desk.window.page("footer")


def test_the_cost_is_shown_and_reported(desk: Desk) -> None:
    desk.visit("cost.py")
    desk.bench.upstream.says(fenced(AFTER))
    desk.fix()
    desk.answered()
    desk.settle()
    spent = money(add(entry.cost for entry in desk.bench.entries()))
    until(lambda: desk.window.status().startswith(f"{spent}, saved $"), f"{spent} in the status bar")
    desk.window.call("hover", STATUS, "")
    desk.window.wait(HOVER, "Last: fix by kimi-k2.6")
    tooltip = " ".join(desk.window.texts(HOVER))
    assert re.search(r"Why: .*fix rated", tooltip)
    assert "Cached tokens: 0" in tooltip
    left = money(Decimal(5) - (add(entry.cost for entry in desk.bench.entries()) or 0))
    assert f"Budget: {left} of $5.0000 left today." in tooltip
    desk.window.press("Escape")
    desk.window.click(STATUS)
    until(lambda: "By model" in desk.window.page(), "the report")
    page = desk.window.page()
    for said in ("Spend by day", "mine/kimi-k2.6", spent):
        assert said in page


def test_the_server_is_installed_after_asking(tmp_path: Path, tally: Tally) -> None:
    with set_out(tmp_path) as bench:
        environment = bench.environment | {"PATH": "/usr/local/bin:/usr/bin:/bin"}
        with Window(bench.root, tmp_path / "profile", environment) as window:
            desk = Desk(window, bench)
            window.wait(NOTICE, "Tuppence needs its server")
            window.wait(STATUS, "Tuppence")
            own = window.profile / "data" / "User" / "globalStorage" / "tuppence.tuppence"
            assert not list(own.glob("server-*")), "it was installed before anybody said so"
            window.command("Tuppence: Forget Kept Answers")
            window.wait(NOTICE, "Tuppence has no server yet.")
            window.command("Notifications: Clear All")
            window.click(STATUS)
            window.click(f"{NOTICE} .monaco-button", "Install")
            window.wait(STATUS, "saved", INSTALLED)
            window.command("Tuppence: Open Configuration")
            window.wait(CODE, "The settings of tuppence, each with its default.")
            window.press("Control+w")
            window.click(".monaco-dialog-box .monaco-button", "Don't Save")
            bench.configure("tuppence", "config.toml", CONFIG.format(base=bench.upstream.openai))
            path = desk.visit("installed.py")
            bench.upstream.says(fenced(AFTER))
            desk.fix()
            desk.answered()
            tally.check(window.saved(path), FIXED)
            assert list(own.glob("server-*/tuppence-is-ready"))


def test_the_server_learns_what_other_servers_say_of_a_region(tmp_path: Path) -> None:
    with set_out(tmp_path) as bench:
        said, program = tmp_path / "said.json", tmp_path / "asker"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} {HERE / "asker.py"} {said} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        path = bench.write("broken.json", '{"first": ,\n"second": ,\n"third": 3}\n')
        settings = {"tuppence.server.path": str(program)}
        with Window(bench.root, tmp_path / "profile", bench.environment, settings) as window:
            window.open(path)
            until(said.exists, "the reply")
        found, nothing = json.loads(said.read_text(encoding="utf-8"))
        assert [(each["source"], each["range"]["start"]["line"]) for each in found["diagnostics"]] == [("json", 1)]
        assert found["version"] == 1
        assert found["judged"] in (None, 1)
        assert nothing == {"version": None, "judged": None, "diagnostics": []}
