"""Generated tests reach the file that the project would put them in, through a real client, and hurt nothing there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from server import Stage, pick, stage

import editor
from editor import Buffer

SOURCE = "def mean(values):\n    return sum(values) / len(values)\n"
TEST = "def test_mean_of_two():\n    assert mean([1, 2]) == 1.5\n"
OPEN = "from stats import mean\n\n\ndef test_open():\n    assert True\n"
REPLY = f"```python\n{TEST}```\n```imports\nfrom stats import mean\n```\n"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def s(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all of them; each works in a project of its own inside the folder that is open."""
    async with stage(tmp_path_factory.mktemp("generated")) as running:
        yield running


async def generate(s: Stage, path: Path, at: str = "mean", reply: str = REPLY, language: str = "python") -> str:
    """Ask for tests of what ``at`` names; return what the model was shown."""
    buffer = s.editor.buffers.get(path.as_uri()) or s.editor.open(path, language)
    s.editor.seen.edits.clear()
    s.editor.seen.messages.clear()
    entry = pick(await s.editor.menu(buffer, buffer.text.index(at)), "Generate tests for")
    s.upstream.says(reply)
    await s.editor.run(entry)
    content: str = s.upstream.requests[-1].body["messages"][-1]["content"]
    return content


def project(s: Stage, name: str, files: dict[str, str]) -> Path:
    """Write a project of its own inside the open folder; return its source."""
    for file, text in {"pyproject.toml": "", "stats.py": SOURCE, **files}.items():
        s.write(f"{name}/{file}", text)
    return s.root / name / "stats.py"


def said(s: Stage) -> str:
    """Return the one message that the person saw."""
    [message] = s.editor.seen.messages
    return message.message


def changes(s: Stage) -> list[Any]:
    """Return the changes of the one edit that was sent."""
    [edit] = s.editor.seen.edits
    return list(edit.edit.document_changes or ())


def buffer_at(s: Stage, path: Path) -> Buffer:
    return s.editor.buffers[path.as_uri()]


async def test_a_new_file_is_placed_and_written_as_the_projects_other_tests(s: Stage) -> None:
    other = "from orders import total\n\n\nclass TestTotal:\n    def test_none(self):\n        assert total([]) == 0\n"
    source = project(s, "habits", {"orders.py": "def total(orders): ...\n", "checks/orders_test.py": other})
    shown = await generate(s, source)
    create, change = changes(s)
    path = s.root / "habits/checks/stats_test.py"
    assert isinstance(create, types.CreateFile)
    assert (create.uri, change.text_document.uri) == (path.as_uri(), path.as_uri())
    assert change.text_document.version is None
    assert buffer_at(s, path).text == f"from stats import mean\n\n\n{TEST}"
    assert "The target's file is habits/stats.py. The tests go into the new file habits/checks/stats_test.py;" in shown
    assert f"Another test of the project, habits/checks/orders_test.py, begins:\n\n```python\n{other}```" in shown


async def test_an_existing_file_is_extended_and_its_imports_joined(s: Stage) -> None:
    before = '"""Tests."""\n\nfrom stats import spread\n\n\ndef test_spread():\n    assert spread([1]) == 0\n'
    source = project(s, "existing", {"tests/test_stats.py": before})
    shown = await generate(s, source)
    [change] = changes(s)
    assert isinstance(change, types.TextDocumentEdit)
    assert buffer_at(s, s.root / "existing/tests/test_stats.py").text == (
        before.replace("import spread", "import spread, mean") + f"\n\n{TEST}"
    )
    holds = "The tests are added to the end of existing/tests/test_stats.py, which holds:"
    assert f"{holds}\n\n```python\n{before}```" in shown


async def test_a_test_file_that_is_open_and_not_saved_counts_as_it_stands_in_the_editor(s: Stage) -> None:
    source = project(s, "unsaved", {"tests/test_stats.py": "import stale\n"})
    path = s.root / "unsaved/tests/test_stats.py"
    now = "from stats import *\n\n\ndef test_unsaved():\n    assert True\n"
    buffer = s.editor.open(path, "python")
    s.editor.type(buffer, 0, len(buffer.text), now)
    version = buffer.version
    shown = await generate(s, source, reply=f"```python\n{TEST}```")
    [change] = changes(s)
    assert (change.text_document.uri, change.text_document.version) == (path.as_uri(), version)
    assert buffer.text == f"{now}\n\n{TEST}"
    assert buffer.undo[-1] == now, "one undo takes all of it back"
    assert now in shown
    assert "stale" not in shown


async def test_it_is_the_same_file_through_a_symbolic_link(s: Stage) -> None:
    project(s, "real", {"tests/test_stats.py": "import stale\n"})
    link = s.root / "link"
    link.symlink_to(s.root / "real")
    buffer = s.editor.open(link / "tests/test_stats.py", "python", OPEN)
    await generate(s, link / "stats.py", reply=f"```python\n{TEST}```")
    assert buffer.text == f"{OPEN}\n\n{TEST}"


async def test_what_is_typed_into_the_test_file_meanwhile_stays(s: Stage) -> None:
    source = project(s, "typing", {"tests/test_stats.py": "import os\n"})
    buffer = s.editor.open(s.root / "typing/tests/test_stats.py", "python")
    typed: list[bool] = []

    def type_at_once(_value: Any) -> None:
        if not typed:
            typed.append(True)
            s.editor.type(buffer, 0, 0, "# mine\n")

    s.editor.on_progress = type_at_once
    await generate(s, source)
    s.editor.on_progress = lambda _value: None
    assert buffer.text == f"# mine\nimport os\nfrom stats import mean\n\n\n{TEST}"


async def test_tests_that_would_hide_those_that_are_there_are_not_kept(s: Stage) -> None:
    before = "def test_mean_of_two():\n    assert True\n"
    source = project(s, "clash", {"tests/test_stats.py": before})
    s.upstream.says(REPLY)
    await generate(s, source)
    assert s.editor.seen.edits == []
    assert "The answer writes `test_mean_of_two` again, which the file has already." in said(s)


async def test_a_private_test_file_is_shown_to_nobody(s: Stage) -> None:
    source = project(s, "private", {"tests/test_stats.py": "SECRET = 1\n", ".tuppenceignore": "tests/\n"})
    count = len(s.upstream.requests)
    buffer = s.editor.open(source, "python")
    s.editor.seen.messages.clear()
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Generate tests for"))
    assert said(s).startswith("Could not generate tests for `mean`. The tests belong in test_stats.py, which is never")
    assert len(s.upstream.requests) == count


async def test_what_is_cut_of_a_long_test_file_is_said(s: Stage) -> None:
    long = "".join(f"def test_{n}():\n    a = {n}\n    b = {n}\n    c = a + b\n    assert c\n\n\n" for n in range(400))
    source = project(s, "long", {"tests/test_stats.py": long})
    shown = await generate(s, source)
    assert "test_399" in shown
    assert len(shown) < len(long)
    assert "of the 2801 lines of test_stats.py were left out." in said(s)
    assert buffer_at(s, s.root / "long/tests/test_stats.py").text.startswith("from stats import mean\n\ndef test_0()")


RUST = "pub fn mean(values: &[f64]) -> f64 {\n    values.iter().sum::<f64>() / values.len() as f64\n}\n"
RUST_TEST = "#[test]\nfn of_two() {\n    assert_eq!(mean(&[1.0, 2.0]), 1.5);\n}\n"


async def test_rust_tests_make_their_module_and_then_extend_it(s: Stage) -> None:
    source = s.write("crate/src/stats.rs", RUST)
    s.write("crate/Cargo.toml", "")
    shown = await generate(s, source, reply=f"```rust\n{RUST_TEST}```", language="rust")
    assert "The tests go into a test module at the end of the same file" in shown
    buffer = buffer_at(s, source)
    first = (
        f"{RUST}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n\n    #[test]\n    fn of_two() {{\n"
        "        assert_eq!(mean(&[1.0, 2.0]), 1.5);\n    }\n}\n"
    )
    assert buffer.text == first
    more = "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn of_none() {\n"
    more += "        assert!(mean(&[]).is_nan());\n    }\n}\n"
    shown = await generate(
        s, source, reply=f"```rust\n{more}```\n```imports\nuse std::f64::consts::PI;\n```", language="rust"
    )
    assert "added to the end of the test module that the file has" in shown
    assert shown.count("fn of_two()") == 1, "the module is in the file already, and not shown twice"
    assert buffer.text == first.replace(
        "    use super::*;\n", "    use super::*;\n    use std::f64::consts::PI;\n"
    ).replace(
        "1.5);\n    }\n",
        "1.5);\n    }\n\n    #[test]\n    fn of_none() {\n        assert!(mean(&[]).is_nan());\n    }\n",
    )
    [change] = changes(s)
    assert change.text_document.version == 2


async def test_a_go_file_has_one_package_clause(s: Stage) -> None:
    source = s.write(
        "gopher/stats.go", "package figures\n\nfunc mean(a, b float64) float64 {\n\treturn (a + b) / 2\n}\n"
    )
    s.write("gopher/go.mod", "module figures\n")
    test = "func TestMean(t *testing.T) {\n\tif mean(1, 2) != 1.5 {\n\t\tt.Fail()\n\t}\n}\n"
    head = 'package figures\n\nimport "testing"\n'
    await generate(s, source, reply=f"```go\n{head}\n{test}```", language="go")
    buffer = buffer_at(s, s.root / "gopher/stats_test.go")
    assert buffer.text == f"{head}\n{test}"
    again = test.replace("TestMean", "TestMeanAgain")
    # The whole file once more, as models like to answer: what is there is not written twice.
    await generate(s, source, reply=f"```go\n{head}\n{test}\n{again}```", language="go")
    assert buffer.text == f"{head}\n{test}\n{again}"


async def test_a_crlf_project_gets_crlf_tests(s: Stage) -> None:
    source = project(s, "crlf", {"stats.py": SOURCE.replace("\n", "\r\n")})
    await generate(s, source)
    text = buffer_at(s, s.root / "crlf/tests/test_stats.py").text
    assert text == f"from stats import mean\n\n\n{TEST}".replace("\n", "\r\n")


async def test_a_document_that_is_no_file_has_no_place_for_tests(s: Stage) -> None:
    buffer = s.editor.open("untitled:Untitled-1", "python", SOURCE)
    [entry] = [each for each in await s.editor.menu(buffer, 5) if each.title.startswith("Generate tests")]
    assert entry.disabled is not None
    assert "Save the document first" in entry.disabled.reason


@pytest.mark.parametrize("changes", ["document changes", "plain changes"])
async def test_a_client_that_creates_no_files_gets_a_plain_edit(
    changes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = editor.capabilities

    def old(encoding: str, *, streams: bool) -> types.ClientCapabilities:
        able = usual(encoding, streams=streams)
        assert able.workspace is not None
        able.workspace.workspace_edit = types.WorkspaceEditClientCapabilities(changes == "document changes")
        return able

    monkeypatch.setattr(editor, "capabilities", old)
    async with stage(tmp_path) as s:
        source = project(s, "old", {})
        await generate(s, source)
        [edit] = s.editor.seen.edits
        path = s.root / "old/tests/test_stats.py"
        if changes == "document changes":
            [change] = edit.edit.document_changes or ()
            assert isinstance(change, types.TextDocumentEdit)
            assert (change.text_document.uri, change.text_document.version) == (path.as_uri(), None)
        else:
            assert list(edit.edit.changes or {}) == [path.as_uri()]
        assert buffer_at(s, path).text == f"from stats import mean\n\n\n{TEST}"
