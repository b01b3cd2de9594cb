"""``tuppence preview`` shows what a run sends, byte for byte, and sends nothing itself."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from sample_projects import CASES, PYTHON, Case
from server import Stage, environment, pick, stage

from tuppence.core.actions import ACTIONS

CONFIG = """
[providers.mine]
wire = "{wire}"
base_url = "{base}"
key_env = "KEY_OF_MINE"
[[models]]
id = "small"
provider = "mine"
tier = "budget"
price = {{ input = 3, output = 15, cache_read = 0.3, cache_write = 3.75 }}
context = 128000
max_output = 8192
cache = {{ mode = "explicit", minimum = 16 }}
"""
KEY = "key-of-a-test"
TOKEN = "ghp_" + "0Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9Jj0Kk1Ll"
"""A secret in the file: a placeholder goes out for it, and the preview shows that."""
TITLES = {"explain": "Explain `mean`", "review": "Review `mean`", "fix": "Fix `mean`", "tests": "Generate tests for"}


async def previewed(s: Stage, *words: str, key: str = KEY) -> tuple[int, bytes, str]:
    """Run the command in the project's folder; return the exit code, stdout and stderr."""
    env = environment(s.home) | ({"KEY_OF_MINE": key} if key else {})
    command = (sys.executable, "-m", "tuppence", "preview", *words, "--config", str(s.config))
    process = await asyncio.create_subprocess_exec(
        *command, cwd=s.root, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, complaint = await process.communicate()
    assert process.returncode is not None
    assert KEY.encode() not in out + complaint
    return process.returncode, out, complaint.decode()


def opened(s: Stage, case: Case) -> Any:
    for name, text in {**case.others, "AGENTS.md": "Figures are in cents.\n"}.items():
        s.write(name, text)
    mark = "#" if case.language == "python" else "//"
    source = f"{case.source}\n{mark} {TOKEN}\n"
    return s.editor.open(s.write(case.name, source), case.language)


@pytest.mark.attack("what leaves", "the preview against what is sent")
@pytest.mark.parametrize(("wire", "case"), [("anthropic", CASES[0]), ("openai", CASES[1])], ids=["anthropic", "openai"])
async def test_each_action_sends_the_bytes_that_were_shown(
    wire: str, case: Case, tmp_path: Path, record_property: Any
) -> None:
    record_property("cases", len(ACTIONS))
    async with stage(tmp_path, wire=wire, config=CONFIG, keys={"KEY_OF_MINE": KEY}) as s:
        buffer = opened(s, case)
        answers = {"explain": "`mean` adds up.", "review": "[]", "fix": case.fix, "tests": case.tests}
        for action in ("explain", "review", "tests", "fix"):
            before = len(s.upstream.requests)
            code, body, complaint = await previewed(s, f"{case.name}:mean", "--action", action, "--json")
            assert (code, complaint) == (0, "")
            assert len(s.upstream.requests) == before, "a preview sends nothing"
            cursor = buffer.text.index(case.wrong)
            s.upstream.says(answers[action])
            await s.editor.run(pick(await s.editor.menu(buffer, cursor), TITLES[action]))
            sent = s.upstream.requests[before]
            assert body == sent.raw
            assert TOKEN.encode() not in body
            assert b"ghp_" in body
            assert json.loads(body)["model"] == "small"
        assert {entry.outcome for entry in s.entries()} <= {"kept", "failed check"}
        assert len(s.entries()) == len(s.upstream.requests), "a preview enters nothing in the ledger"


async def test_the_editors_command_shows_the_same_and_sends_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, config=CONFIG, keys={"KEY_OF_MINE": KEY}) as s:
        buffer = opened(s, PYTHON)
        at = s.editor.range(buffer.text, *[buffer.text.index(PYTHON.wrong)] * 2)
        argument = {"action": "explain", "uri": buffer.uri, "range": at, "version": buffer.version}
        params = types.ExecuteCommandParams("tuppence.preview", [argument])
        told: Any = await s.editor.client.workspace_execute_command_async(params)
        _, out, _ = await previewed(s, f"{PYTHON.name}:mean", "--action", "explain")
        assert (told["title"], told["text"]) == ("Explain `mean`", out.decode())
        assert not s.upstream.requests
        assert not s.entries()
        params = types.ExecuteCommandParams("tuppence.preview", [{**argument, "action": "dance"}])
        assert await s.editor.client.workspace_execute_command_async(params) is None
        assert "There is no action `dance`." in s.editor.seen.messages[-1].message
