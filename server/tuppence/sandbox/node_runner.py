"""Run JavaScript and TypeScript tests with Node.js: with its built-in runner, vitest or jest.

The runner is chosen by what the tests import, else by what the project's ``node_modules`` contains; vitest and jest
must be installed there already. TypeScript needs vitest, or jest if the project configures it. Node's built-in runner
is used for JavaScript only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from tuppence.sandbox.interpreter import passed_on
from tuppence.sandbox.order import Place
from tuppence.sandbox.programs import look, reach
from tuppence.sandbox.runner import End, TrialInput

_OWN = re.compile(r"""(?:from|require\()\s*["']node:test["']""")
_VITEST = re.compile(r"""from\s*["']vitest["']""")
_JEST = re.compile(r"""(?:from|require\()\s*["']@jest/globals["']|\bjest\.\w+\(""")
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_PASSED = re.compile(r"^# pass (\d+)$|^\s*Tests:?\s.*?(\d+) passed", re.MULTILINE)
_NONE = re.compile(r"No tests? found|No test files found|must contain at least one test|No test suite found")
_COMPLAINTS = (
    re.compile(r"^ *error: \|-\n((?: +\S.*\n|\s*\n){1,4})", re.MULTILINE),
    re.compile(r"^ *error: ['\"]?(.+?)['\"]?$", re.MULTILINE),
    re.compile(r"^\s*((?:\w*Error(?: \[\w+\])?: |expect\().*(?:\n\s*\n\s*Expected.*\n\s*Received.*)?)", re.MULTILINE),
    re.compile(r"^\s*(Cannot find (?:module|package) .+)$", re.MULTILINE),
)
"""Where each runner reports failures."""
_SPOILT = 'throw new Error("this file was loaded");'


class _Node:
    """One of the runners, in one copy of a project."""

    wants: Sequence[str] = ("node_modules",)
    addresses = 0  # vitest uses WebAssembly, which reserves gigabytes of address space.

    def __init__(self, name: str, node: str, case: TrialInput, place: Place) -> None:
        self.name = name
        self._node = node
        self._root = case.root
        self._place = place
        self._project = place.project
        self._source = place.project / case.source.relative_to(case.root)

    def command(self, tests: Path, names: Sequence[str]) -> list[str]:
        pattern = f"^(.* )?({'|'.join(re.escape(name).replace('/', chr(92) + '/') for name in names)})$"
        only = [pattern] if names else []
        tool = str(self._project / "node_modules" / self.name)
        match self.name:
            case "vitest":
                run = ["run", str(tests), "--root", str(self._project), "--no-cache", "--coverage.enabled=false"]
                return [self._node, f"{tool}/vitest.mjs", *run, *(("-t", *only) if only else ())]
            case "jest":
                run = ["--runTestsByPath", str(tests), "--rootDir", str(self._project), "--ci", "--watchman=false"]
                return [self._node, f"{tool}/bin/jest.js", *run, "--coverage=false", *(("-t", *only) if only else ())]
            case _:
                named = [f"--test-name-pattern={each}" for each in only]
                return [self._node, "--test-reporter=tap", *named, str(tests)]

    def environment(self) -> Mapping[str, str]:
        return passed_on(self._root, self._place) | {"NODE_ENV": "test", "NO_COLOR": "1"}

    def visible(self) -> Mapping[Path, Path]:
        return {each: each for each in reach(self._node, self._root)}

    def stub(self, tests: Path) -> tuple[Path, str]:
        source = json.dumps(str(self._source))
        head = {"vitest": 'import { test } from "vitest";\n', "jest": "", "node": 'import test from "node:test";\n'}
        load = f"require({source})" if self.name == "jest" else f"await import({source})"
        text = f'{head[self.name]}test("that the tested file can be loaded", async () => {{ {load}; }});\n'
        # vitest and jest find tests by file name, so the stub has the name of the test file.
        return tests.with_name("tuppence_stub.mjs" if self.name == "node" else f"tuppence_{tests.name}"), text

    def ended(self, status: int, said: str) -> End:
        if status != 0:
            return "no test" if _NONE.search(said) else "failed"
        passed = _PASSED.search(_COLOURS.sub("", said))
        return "passed" if passed and (passed[1] or passed[2]) != "0" else "no test"

    def complaint(self, said: str) -> str:
        plain = _COLOURS.sub("", said)
        return next((found[1] for each in _COMPLAINTS if (found := each.search(plain))), "")

    def spoilt(self, code: str) -> str:
        first, rest = code.partition("\n")[::2] if code.startswith("#!") else ("", code)
        return f"{first}\n{_SPOILT}\n{rest}" if first else f"{_SPOILT}\n{rest}"

    def is_own(self, said: str) -> str:
        missing = re.search(r"Cannot find (?:module|package) ['\"]([^'\"]+)['\"]", said)
        if missing is None or missing[1].startswith("."):
            return ""
        path = Path(missing[1])
        # A missing file inside the copy is the answer's mistake; a missing package is not.
        return (
            "" if path.is_absolute() or not (self._place.origin / "package.json").is_file() else self._had(missing[1])
        )

    def _had(self, package: str) -> str:
        text = (self._place.origin / "package.json").read_text(encoding="utf-8", errors="replace")
        return package if f'"{package}"' in text else ""


def node(case: TrialInput, place: Place) -> _Node | str:
    """Return the runner for a project's JavaScript or TypeScript tests, or a sentence that says why there is none."""
    program = look("node", case.root)
    if program is None:
        return "there is no Node.js to run them with"
    name = _name(case)
    if name != "node" and not (case.root / "node_modules" / name).is_dir():
        return f"{name} is not in the project's node_modules" if name else "the project has no vitest or jest"
    if name == "node" and case.language != "javascript":
        return "Node's own test runner is only given JavaScript"
    return _Node(name, program, case, place)


def _name(case: TrialInput) -> str:
    """Return the name of the runner that the tests are written for; empty if unknown."""
    for pattern, name in ((_OWN, "node"), (_VITEST, "vitest"), (_JEST, "jest")):
        if pattern.search(case.text):
            return name
    there = (each for each in ("vitest", "jest") if (case.root / "node_modules" / each).is_dir())
    return next(there, "")
