"""Generated JavaScript tests run with Node.js, as Python tests do with pytest; the message for each outcome."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tuppence.core.checks.generated_tests import fresh
from tuppence.core.checks.verdict import Verdict
from tuppence.core.syntax.languages import language
from tuppence.core.syntax.parser import parse
from tuppence.sandbox import TrialInput, trial

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node.js here")

RUNNERS = os.environ.get("TUPPENCE_RUNNERS", "")
SOURCE = "export function mean(xs) {\n  return xs.reduce((a, b) => a + b, 0) / xs.length;\n}\n"
COMMON = SOURCE.replace("export ", "") + "\nmodule.exports = { mean };\n"
HEAD = "import test from 'node:test';\nimport assert from 'node:assert';\nimport { mean } from './stats.mjs';\n\n"
GOOD = f"{HEAD}test('the mean of two', () => {{\n  assert.strictEqual(mean([1, 3]), 2);\n}});\n"


def case(root: Path, text: str, code: str = SOURCE, source: str = "stats.mjs", before: str = "") -> TrialInput:
    """Return a trial of tests for the first function of a file."""
    path = root / source
    path.write_text("throw new Error('the file on disk is older than the editor');\n", encoding="utf-8")
    known = language("javascript")
    return TrialInput(
        language="javascript",
        root=root,
        source=path,
        code=code,
        target=parse(code, known).blocks()[0].span,
        tests=root / f"stats.test{path.suffix}",
        text=text,
        names=fresh(before, text, known),
        is_private=lambda path: path.name == ".env",
    )


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copies = tmp_path_factory.mktemp("copies")
    monkeypatch.setattr(tempfile, "tempdir", str(copies))
    return copies


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*"))


async def test_good_tests_pass_and_catch_a_mutant(tmp_path: Path, here: Path) -> None:
    assert await trial.prove(case(tmp_path, GOOD)) == Verdict(fit=True, proved="tests pass, mutant caught")
    assert names(tmp_path) == ["stats.mjs"]
    assert names(here) == []


async def test_modules_of_the_older_kind(tmp_path: Path) -> None:
    head = "const test = require('node:test');\nconst assert = require('node:assert');\n"
    text = f"{head}const {{ mean }} = require('./stats.js');\n\n{GOOD.partition(HEAD)[2]}"
    verdict = await trial.prove(case(tmp_path, text, COMMON, "stats.js"))
    assert verdict == Verdict(fit=True, proved="tests pass, mutant caught")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            GOOD.replace(", 2)", ", 3)"),
            "The tests fail on the code as it is: “Expected values to be strictly equal: 2 !== 3",
        ),
        (GOOD.replace("stats.mjs", "statz.mjs"), "The tests fail on the code as it is: “"),
        (GOOD.replace("import { mean }", "import { meen as mean }"), "The tests fail on the code as it is: “"),
        (
            GOOD.replace("strictEqual(mean([1, 3]), 2)", "ok(mean)"),
            "The tests pass, but they prove little: of the code they catch none of ",
        ),
        (f"{HEAD}assert.strictEqual(mean([1, 3]), 2);\n", "node finds no test in the answer."),
        (GOOD.replace("assert.", "while (true) {} assert."), "The tests did not end within 4 seconds."),
        (GOOD.replace("assert.", "process.abort(); assert."), "The tests fail on the code as it is"),
    ],
)
async def test_tests_that_are_to_blame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, why: str) -> None:
    monkeypatch.setattr(trial, "SECONDS", 4.0)
    verdict = await trial.prove(case(tmp_path, text))
    assert not verdict.fit
    assert verdict.reasons[0].startswith(why)


async def test_only_the_new_tests_count(tmp_path: Path) -> None:
    before = f"{HEAD}test('fails already', () => {{ assert.ok(false); }});\n"
    text = f"{before}test('the mean', () => {{\n  assert.strictEqual(mean([1, 3]), 2);\n}});\n"
    assert (await trial.prove(case(tmp_path, text, before=before))).proved == "tests pass, mutant caught"
    idle = f"{GOOD}test('is a function', () => {{\n  assert.strictEqual(typeof mean, 'function');\n}});\n"
    verdict = await trial.prove(case(tmp_path, idle, before=GOOD))
    assert verdict.reasons[0].startswith("The tests pass, but they prove little")


@pytest.mark.parametrize(
    ("text", "code", "doubt"),
    [
        (GOOD, f"import 'no-such-package';\n{SOURCE}", "no-such-package"),
        (GOOD.replace("'node:test'", "'vitest'"), SOURCE, "vitest is not in the project's node_modules"),
        (GOOD.replace("'node:test'", "'./own.mjs'"), SOURCE, "the project has no vitest or jest"),
    ],
)
async def test_a_project_that_does_not_run_is_not_the_tests_fault(
    tmp_path: Path, text: str, code: str, doubt: str
) -> None:
    verdict = await trial.prove(case(tmp_path, text, code))
    assert (verdict.fit, verdict.proved) == (True, "")
    assert "the tests were not run" in verdict.doubts[0]
    assert doubt in verdict.doubts[0]


async def test_typescript_is_not_given_to_nodes_own_runner(tmp_path: Path) -> None:
    verdict = await trial.prove(replace(case(tmp_path, GOOD), language="typescript"))
    assert verdict.doubts == ("the tests were not run: Node's own test runner is only given JavaScript",)


async def test_packages_of_the_project_are_there_to_be_read(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "two"
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"name": "two", "main": "index.js"}', encoding="utf-8")
    (package / "index.js").write_text("module.exports = 2;\n", encoding="utf-8")
    new = package / "new.js"
    write = f"assert.throws(() => fs.writeFileSync({str(new)!r}, ''), {{ code: /^(EACCES|EROFS)$/ }});"
    text = GOOD.replace("import test", "import two from 'two';\nimport fs from 'node:fs';\nimport test")
    text = text.replace(", 2);", f", two);\n  {write}")
    verdict = await trial.prove(case(tmp_path, text))
    assert verdict.proved == "tests pass, mutant caught", verdict
    assert "new.js" not in names(package)


async def test_no_key_is_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "GITHUB_TOKEN", "NODE_OPTIONS"):
        monkeypatch.setenv(name, "--secret")
    text = GOOD.replace("assert.", "assert.ok(!Object.values(process.env).includes('--secret'));\n  assert.")
    assert (await trial.prove(case(tmp_path, text))).proved == "tests pass, mutant caught"


TYPED = SOURCE.replace("(xs)", "(xs: number[]): number")
VITEST = """\
import { expect, test } from 'vitest';
import { mean } from './stats';

test('the mean of 1/3', () => {
  expect(mean([1, 3])).toBe(2);
});
"""
JEST = """\
const { mean } = require('./stats.js');

describe('mean', () => {
  jest.setTimeout(1000);
  it('is (two)', () => {
    expect(mean([1, 3])).toBe(2);
  });
});
"""


@pytest.mark.skipif(not RUNNERS, reason="wants a node_modules with vitest and jest")
@pytest.mark.parametrize(
    ("known", "source", "code", "text"),
    [("typescript", "stats.ts", TYPED, VITEST), ("javascript", "stats.js", COMMON, JEST)],
)
async def test_vitest_and_jest(tmp_path: Path, known: str, source: str, code: str, text: str) -> None:
    """``npm install vitest jest`` somewhere, and name its node_modules in TUPPENCE_RUNNERS."""
    (tmp_path / "package.json").write_text('{"name": "stats"}', encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(RUNNERS)

    async def tried(text: str, before: str = "") -> Verdict:
        given = case(tmp_path, text, code, source, before)
        return await trial.prove(replace(given, language=known))

    good = Verdict(fit=True, proved="tests pass, mutant caught")
    assert await tried(text) == good
    wrong = text.replace("toBe(2)", "toBe(3)")
    assert (await tried(wrong)).reasons[0].startswith("The tests fail on the code as it is: “")
    idle = text.replace("mean([1, 3])).toBe(2)", "mean).toBeDefined()")
    assert (await tried(idle)).reasons[0].startswith("The tests pass, but they prove little")
    assert "statz" in (await tried(text.replace("/stats", "/statz"))).reasons[0]
    more = text.partition("\n\n")[2].replace("the mean of", "more than").replace("is (two)", "is /more/")
    assert await tried(f"{wrong}\n{more}", wrong) == good


@pytest.mark.skipif(not RUNNERS, reason="wants a node_modules with vitest and jest")
async def test_a_configuration_of_vitest_is_read_though_nothing_outside_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "stats", "type": "module"}', encoding="utf-8")
    (tmp_path / "vitest.config.ts").write_text("export default { test: { globals: true } };\n", encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(RUNNERS)
    given = replace(case(tmp_path, VITEST, TYPED, "stats.ts"), language="typescript")
    before = names(Path(RUNNERS))
    assert (await trial.prove(given)).proved == "tests pass, mutant caught"
    assert names(Path(RUNNERS)) == before
