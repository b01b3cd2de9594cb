"""Real editors with a real model: the answers are not judged, but every run ends, and one undo removes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_provider import in_thread
from tests.editors.conftest import end
from tests.editors.neovim import Neovim, advice
from tests.editors.scene import SOURCE
from tests.editors.session import Bench, Session, program
from tests.editors.tally import Tally
from tests.editors.terminal import until

from tuppence.local import Embedded, Endpoint

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]

CONFIG = """
[providers.own]
wire = "openai"
base_url = "{base}"
key_env = "OWN_KEY"
[[models]]
id = "smollm2-135m"
provider = "own"
tier = "local"
price = {{ input = 1, output = 2, cache_read = 0.1 }}
context = 8192
max_output = 256
quirks = {{ temperature = 0.0, brief = true }}
"""
COUNTED = """
local stream = require("tuppence.stream")
local apply = stream.apply
batches = 0
stream.apply = function(...)
  batches = batches + 1
  return apply(...)
end
return true
"""
ANSWERING = 180.0
"""Seconds that the model may take on two busy cores; it takes about five."""


@pytest.fixture(scope="module")
def endpoint(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    embedded = Embedded(home, state=tmp_path_factory.mktemp("state"))
    yield asyncio.run(embedded.start())
    embedded.release()
    embedded.stop()


@pytest.fixture
def bench(tmp_path: Path, endpoint: Endpoint) -> Iterator[Bench]:
    """Return a project with the real model server."""
    root, home = tmp_path / "project", tmp_path / "home"
    (root / ".git").mkdir(parents=True)
    home.mkdir(exist_ok=True)
    with in_thread() as unused:
        bench = Bench(root, home, unused, {"OWN_KEY": endpoint.key})
        bench.configure("tuppence", "config.toml", CONFIG.format(base=endpoint.base_url))
        yield bench


def test_a_fix_ends_and_one_undo_leaves_no_trace(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    plain.pick(4, "Fix `mean`")
    until(lambda: _ended(plain, "Fixed `mean`", "Could not fix `mean`"), "the end of the fix", ANSWERING)
    (entry,) = bench.settled(1)
    assert entry.usage is not None
    assert entry.usage.output > 0
    assert not entry.estimated
    text = plain.text()
    assert (text != SOURCE) == (entry.outcome == "kept"), "only an answer that was kept changes the text"
    if text != SOURCE:
        plain.undo()
        until(lambda: plain.text() != text, "the undo")
    tally.check(plain.text(), SOURCE)


def test_an_answer_streams_and_one_undo_leaves_no_trace(bench: Bench, tally: Tally) -> None:
    nvim = Neovim(program("nvim-0.10"), advice(bench), bench)
    try:
        nvim.visit(bench.write("stats.py", SOURCE))
        nvim.lua(COUNTED)
        nvim.pick(4, "Fix `mean`")
        until(lambda: _ended(nvim, "Fixed `mean`", "Could not fix `mean`"), "the end of the fix", ANSWERING)
        (entry,) = bench.settled(1)
        batches, text = nvim.lua("return batches"), nvim.text()
        print(f"{batches} batches of edits, {entry.outcome}")
        assert batches > 0 or entry.outcome != "kept", "what was kept has streamed"
        assert (text != SOURCE) == (entry.outcome == "kept"), "only an answer that was kept changes the text"
        if text != SOURCE:
            nvim.undo()
            until(lambda: nvim.text() != text, "the undo")
        tally.check(nvim.text(), SOURCE)
    finally:
        end(nvim)


def test_an_explanation_ends_and_touches_nothing(plain: Session, bench: Bench, tally: Tally) -> None:
    plain.visit(bench.write("stats.py", SOURCE))
    plain.pick(4, "Explain `mean`")
    until(lambda: _ended(plain, "Explained `mean`", "Could not explain `mean`"), "the end", ANSWERING)
    (entry,) = bench.settled(1)
    assert entry.cost is not None
    assert entry.cost > 0
    plain.visit(bench.root / "stats.py")
    tally.check(plain.text(), SOURCE)


def _ended(session: Session, *sentences: str) -> bool:
    said = session.terminal.screen() + session.told()
    return any(sentence in said for sentence in sentences)
