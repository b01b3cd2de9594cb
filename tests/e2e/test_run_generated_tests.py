"""Generated tests are run with the user's consent, through the whole server; the result decides which are kept."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from scenario import lines, messages
from server import Stage, pick, stage

SOURCE = "def mean(values):\n    return sum(values) / len(values)\n"
GOOD = "def test_mean():\n    assert mean([1, 3]) == 2\n"
WRONG = GOOD.replace("== 2", "== 3")
IDLE = "def test_idle():\n    assert mean is not None\n"
PYTHON = {"VIRTUAL_ENV": sys.prefix}


def reply(code: str) -> str:
    return f"```python\n{code}```\n```imports\nfrom stats import mean\n```\n"


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


async def generate(s: Stage, *codes: str) -> str:
    """Ask for tests, the models answering with these; return the closing message."""
    path = s.write("stats.py", "raise RuntimeError('not saved yet')\n")
    buffer = s.editor.buffers.get(path.as_uri()) or s.editor.open(path, "python", SOURCE)
    for code in codes:
        s.upstream.says(reply(code))
    await s.editor.run(pick(await s.editor.menu(buffer, 5), "Generate tests"))
    return messages(s)[-1]


async def test_tests_are_run_and_the_better_model_is_asked_where_they_do_not_hold(tmp_path: Path) -> None:
    trust = f'run_tests = true\ntrusted = ["{tmp_path}"]\n'
    async with stage(tmp_path, extra=trust, keys=PYTHON) as s:
        said = await generate(s, WRONG, GOOD)
        assert said.startswith("Wrote tests for `mean`: big, ")
        assert "(tests pass, mutant caught); asked after small, whose answer was rejected" in said
        assert "The tests fail on the code as it is: “assert 2.0 == 3”" in said
        assert "Running the tests" in lines(s)
        assert [each.outcome for each in s.entries()] == ["failed check", "kept"]
        assert not any("2.0" in each.reason for each in s.entries()), "what a run printed is not entered"
        assert files(s.root) == ["stats.py", "tests/test_stats.py"], "only the editor wrote the test file"
        again = GOOD.replace("test_mean", "test_again").replace("== 2", "== 4")
        said = await generate(s, IDLE, again)
        assert said.startswith("Could not generate tests for `mean`. small: The tests pass, but they prove little")


async def test_nothing_is_run_where_it_is_not_switched_on_and_trusted(tmp_path: Path) -> None:
    for name, extra in (
        ("neither", ""),
        ("not trusted", 'run_tests = true\ntrusted = ["/nowhere"]\n'),
        ("switched off", f'trusted = ["{tmp_path}"]\n'),
    ):
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        async with stage(folder, extra=extra, keys=PYTHON) as s:
            said = await generate(s, WRONG)
            assert said.startswith("Wrote tests for `mean`: small, ")
            assert said.endswith("(it parses; nothing else was checked).")
            assert "Running the tests" not in lines(s)


SCRIPT = "export function mean(values) {\n  return values.reduce((a, b) => a + b, 0) / values.length;\n}\n"
PASSES = "test('the mean of two', () => {\n  assert.strictEqual(mean([1, 3]), 2);\n});\n"
SAYS_LITTLE = "test('mean', () => {\n  assert.strictEqual(typeof mean, 'function');\n});\n"
IMPORTS = "import test from 'node:test';\nimport assert from 'node:assert';\nimport { mean } from './stats.mjs';\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")
async def test_tests_in_javascript_are_run_too(tmp_path: Path) -> None:
    trust = f'run_tests = true\ntrusted = ["{tmp_path}"]\n'
    async with stage(tmp_path, extra=trust) as s:
        path = s.write("stats.mjs", "throw new Error('not saved yet');\n")
        buffer = s.editor.open(path, "javascript", SCRIPT)

        async def ask(*codes: str) -> str:
            for code in codes:
                s.upstream.says(f"```javascript\n{code}```\n```imports\n{IMPORTS}```\n")
            await s.editor.run(pick(await s.editor.menu(buffer, 20), "Generate tests"))
            return messages(s)[-1]

        said = await ask(SAYS_LITTLE, PASSES)
        assert said.startswith("Wrote tests for `mean`: big, ")
        assert "(tests pass, mutant caught); asked after small, whose answer was rejected" in said
        assert "The tests pass, but they prove little: of the code they catch none of" in said
        assert [each.outcome for each in s.entries()] == ["failed check", "kept"]
        assert files(s.root) == ["stats.mjs", "stats.test.mjs"], "only the editor wrote the test file"
        wrong = PASSES.replace("of two", "of more").replace(", 2)", ", 4)")
        said = await ask(wrong, wrong)
        assert said.startswith("Could not generate tests for `mean`. small: The tests fail on the code as it is: “")
        assert "2 !== 4" in said
