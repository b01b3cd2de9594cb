"""Nothing outside the open folder is opened, listed or shown, whatever a project's files name or link to."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span
from tuppence.errors import Unfit
from tuppence.workspace import Workspace
from tuppence.workspace.git_ignore import Look
from tuppence.workspace.tests_placement import describe, find_test_location

CANARY = "canaryinthemine"
OUTSIDE = {
    "rates.py": f"def stolen():\n    '''{CANARY}'''\n",
    "__init__.py": f"def stolen():\n    '''{CANARY}'''\n",
    "test_app.py": f"def test_stolen():\n    '''{CANARY}'''\n",
    "rates.ts": f"/** {CANARY} */\nexport function stolen(): void {{}}\n",
    "index.ts": f"/** {CANARY} */\nexport function stolen(): void {{}}\n",
    "rates.h": f"/* {CANARY} */\nint stolen(int {CANARY});\n",
    "rates.go": f"package outside\n\n// Stolen {CANARY}.\nfunc Stolen() {{}}\n",
    "go.mod": f"module x.com/{CANARY}\n",
    "rates.rs": f"/// {CANARY}\npub fn stolen() {{}}\n",
    "Cargo.toml": f'[package]\nname = "{CANARY}"\n',
    "package.json": f'{{"name": "{CANARY}", "dependencies": {{"{CANARY}": "1"}}}}',
    "tsconfig.json": f'{{"compilerOptions": {{"paths": {{"{CANARY}/*": ["x"]}}}}}}',
    "pyproject.toml": f'[project]\nname = "{CANARY}"\ndependencies = ["{CANARY}"]\n',
    "requirements.txt": f"{CANARY}==1\n",
    "rules.md": f"{CANARY}\n",
    f"{CANARY}.py": "",
    f"lib/python3/site-packages/{CANARY}/__init__.py": "",
    "pyvenv.cfg": "",
}
_watching: list[tuple[Path, list[str]]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if (
        not _watching
        or event not in {"open", "os.listdir", "os.scandir"}
        or not isinstance(arguments[0], (str, os.PathLike))
    ):
        return
    outside, seen = _watching[-1]
    if not Path(arguments[0]).is_absolute():
        return  # a name in a folder that is open already, which no link can be
    if os.path.realpath(arguments[0]).startswith(str(outside)):
        seen.append(f"{event} {os.fspath(arguments[0])}")


sys.addaudithook(_audit)


@contextmanager
def watched(outside: Path) -> Iterator[list[str]]:
    """Give the list of what is opened or listed in a folder meanwhile."""
    seen: list[str] = []
    _watching.append((outside, seen))
    try:
        yield seen
    finally:
        _watching.pop()


def project(tmp_path: Path, files: Mapping[str, str], links: Mapping[str, str]) -> Path:
    """Write a project, and the folder outside of it that no one may look into."""
    outside, root = tmp_path.resolve() / "outside", tmp_path.resolve() / "root"
    for base, each in ((outside, OUTSIDE), (root, files)):
        for name, text in each.items():
            path = base / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("{outside}", str(outside)), encoding="utf-8")
    for name, goal in links.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(goal.replace("{outside}", str(outside)))
    return root


def everything(root: Path, name: str) -> str:
    """Return all that the project around a file gives to a request, as one text."""
    workspace, row, path = Workspace([root]), by_suffix(name), root / name
    document = Document(path.as_uri(), row.ids[0], 1, path.read_text(encoding="utf-8"))
    tree = parse(document.text, row)
    start = document.text.index("stolen")
    target = find_target(
        document, tree, Span(document.text.rindex("stolen"), document.text.rindex("stolen"))
    ) or find_target(document, tree, Span(start, start))
    assert target is not None
    said = [repr(workspace.surroundings(document, tree, target, path)), repr(workspace.packages(path, row))]
    try:
        place = find_test_location(path, document, tree, workspace, lambda _: None)
        said += [place.document.text, repr(describe(place, path, tree, workspace, 4_000))]
    except Unfit as error:
        said.append(str(error))
    return "\n".join(said)


PY = "from {module} import stolen\n\n\ndef run():\n    return stolen()\n"
TS = 'import {{ stolen }} from "{module}";\n\nexport function run() {{\n  return stolen();\n}}\n'
C = '#include "{module}"\n\nint run(void) {{\n    return stolen(1);\n}}\n'
GO = 'package main\n\nimport "{module}"\n\nfunc run() {{\n\toutside.stolen()\n}}\n'
RS = "use {module}::stolen;\n\npub fn run() {{\n    stolen()\n}}\n"
GO_MOD, MOD = "go.mod", "module x.com/m\n"


def py(module: str) -> str:
    return PY.format(module=module)


def ts(module: str) -> str:
    return TS.format(module=module)


def c(module: str) -> str:
    return C.format(module=module)


def go(module: str) -> str:
    return GO.format(module=module)


def rs(module: str) -> str:
    return RS.format(module=module)


CASES: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "python: dots": ("p/main.py", {"p/main.py": py("...outside.rates")}, {}),
    "python: many dots": ("main.py", {"main.py": py("." * 40 + "rates")}, {}),
    "python: linked module": ("main.py", {"main.py": py("rates")}, {"rates.py": "../outside/rates.py"}),
    "python: linked package": ("main.py", {"main.py": py("pkg")}, {"pkg": "../outside"}),
    "python: linked src": ("main.py", {"main.py": py("rates")}, {"src": "{outside}"}),
    "es: dots": ("src/a.ts", {"src/a.ts": ts("../../outside/rates")}, {}),
    "es: many dots": ("src/a.ts", {"src/a.ts": ts("./" + "../" * 60 + "etc/passwd")}, {}),
    "es: dots behind an alias": ("src/a.ts", {"src/a.ts": ts("@/../../outside/rates")}, {}),
    "es: absolute": ("src/a.ts", {"src/a.ts": ts("{outside}/rates")}, {}),
    "es: absolute behind an alias": ("src/a.ts", {"src/a.ts": ts("~/{outside}/rates")}, {}),
    "es: a file's address": ("src/a.ts", {"src/a.ts": ts("file://{outside}/rates.ts")}, {}),
    "es: encoded dots": ("src/a.ts", {"src/a.ts": ts("./%2e%2e/%2e%2e/outside/rates")}, {}),
    "es: linked index": ("src/a.ts", {"src/a.ts": ts("./lib")}, {"src/lib": "../../outside"}),
    "c: dots": ("src/a.c", {"src/a.c": c("../../outside/rates.h")}, {}),
    "c: absolute": ("src/a.c", {"src/a.c": c("{outside}/rates.h")}, {}),
    "c: linked include": ("src/a.c", {"src/a.c": c("rates.h")}, {"include": "../outside"}),
    "c: its own header": ("src/a.c", {"src/a.c": c("b.h")}, {"src/a.h": "{outside}/rates.h"}),
    "go: dots": ("a.go", {"a.go": go("x.com/m/../outside"), GO_MOD: MOD}, {}),
    "go: linked package": ("a.go", {"a.go": go("x.com/m/o"), GO_MOD: MOD}, {"o": "../outside"}),
    "go: linked neighbor": ("a.go", {"a.go": go("fmt"), GO_MOD: MOD}, {"b.go": "../outside/rates.go"}),
    "go: a workspace": (
        "a.go",
        {"a.go": go("fmt"), "go.mod": "module m\n", "go.work": "use ../outside\nuse {outside}\n"},
        {},
    ),
    "go: linked manifest": ("a.go", {"a.go": go("fmt")}, {"go.mod": "../outside/go.mod", "vendor": "../outside"}),
    "rust: a path": (
        "src/lib.rs",
        {
            "src/lib.rs": rs("crate::rates"),
            "Cargo.toml": '[workspace]\nmembers = ["../outside", "{outside}", "../*"]\n',
        },
        {"src/rates.rs": "../../outside/rates.rs"},
    ),
    "rust: many supers": ("src/lib.rs", {"src/lib.rs": rs("super::super::super::outside::rates")}, {}),
    "js: manifests": (
        "src/a.ts",
        {
            "src/a.ts": ts("./b"),
            "package.json": '{"main": "../outside/index.ts", "workspaces": ["../outside", "../*", "../../**"]}',
            "tsconfig.json": '{"extends": "../outside/tsconfig", "compilerOptions": {"baseUrl": "../outside"}}',
            "pnpm-workspace.yaml": "packages:\n  - '../outside'\n",
            "lerna.json": '{"packages": ["../outside"]}',
        },
        {"node_modules": "../outside", "jsconfig.json": "../outside/tsconfig.json"},
    ),
    "js: linked manifest": ("src/a.ts", {"src/a.ts": ts("./b")}, {"package.json": "../outside/package.json"}),
    "python: manifests": (
        "main.py",
        {"main.py": py("x"), "pyproject.toml": '[tool.uv.workspace]\nmembers = ["../outside", "../*"]\n'},
        {
            "requirements.txt": "{outside}/requirements.txt",
            "requirements": "../outside",
            ".venv": "../outside",
            "venv": "{outside}",
        },
    ),
    "python: linked manifest": ("main.py", {"main.py": py("x")}, {"pyproject.toml": "../outside/pyproject.toml"}),
    "conventions": (
        "main.py",
        {"main.py": py("x")},
        {
            "AGENTS.md": "../outside/rules.md",
            "CLAUDE.md": "{outside}/rules.md",
            ".github": "../outside",
            "CONTRIBUTING.md": "/proc/self/cwd/../outside/rules.md",
            ".editorconfig": "../outside/rules.md",
        },
    ),
    "tests: linked file": ("app.py", {"app.py": py("x")}, {"tests/test_app.py": "../../outside/rates.py"}),
    "tests: linked folder": ("app.py", {"app.py": py("x")}, {"tests": "../outside"}),
    "tests: linked example": (
        "app.py",
        {"app.py": py("x"), "tests/test_b.py": "", "b.py": ""},
        {"tests/test_a.py": "../../outside/test_app.py"},
    ),
    "tests: declared elsewhere": (
        "src/lib.rs",
        {"src/lib.rs": "mod tests;\n" + rs("x")},
        {"src/tests.rs": "../../outside/rates.rs"},
    ),
    "ignore files": (
        "main.py",
        {"main.py": py("x")},
        {"src/.gitignore": "../../outside/rules.md", "src/.tuppenceignore": "../../outside/rules.md"},
    ),
}


@pytest.mark.attack("workspace files", "what a project names or links to")
@pytest.mark.parametrize("case", list(CASES))
def test_nothing_outside_is_opened_or_shown(tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, files, links = CASES[case]
    root = project(tmp_path, files, links)
    monkeypatch.chdir(root)
    with watched(root.parent / "outside") as seen:
        said = everything(root, name)
    assert CANARY not in said
    assert not seen


def test_the_watch_sees_what_is_opened(tmp_path: Path) -> None:
    root = project(tmp_path, {}, {"tests": "../outside"})
    with watched(root.parent / "outside") as seen:
        (root / "tests/rates.py").read_text(encoding="utf-8")
        list((root / "tests").iterdir())
    assert len(seen) == 2


@pytest.mark.attack("workspace files", "tests that are written through a link")
@pytest.mark.parametrize(
    ("link", "goal"),
    [
        ("tests/test_app.py", "../../outside/rates.py"),
        ("tests/test_app.py", "../../outside/not_yet.py"),
        ("tests", "../outside"),
        ("tests", "../nowhere/at/all"),
        ("tests", "/"),
        ("tests", "tests"),
        ("tests/test_app.py", "test_app.py"),
    ],
)
def test_tests_that_a_link_leads_out_are_refused(tmp_path: Path, link: str, goal: str) -> None:
    root = project(tmp_path, {"app.py": "def run():\n    pass\n", "pyproject.toml": ""}, {link: goal})
    path, row = root / "app.py", by_suffix("app.py")
    document = Document(path.as_uri(), "python", 1, path.read_text(encoding="utf-8"))
    workspace = Workspace([root])
    for opened in (lambda _: None, lambda _: Document("x", "python", 1, "open")):
        with pytest.raises(
            Unfit, match=r"tests belong in test_app\.py, but (a symbolic link leads out|its symbolic links)"
        ):
            find_test_location(path, document, parse(document.text, row), workspace, opened)
    with pytest.raises(Unfit):
        workspace.stored(root / "tests/test_app.py", path)


@pytest.mark.attack("workspace files", "tests that are written through a link")
def test_tests_that_a_link_leads_to_a_private_file_are_refused(tmp_path: Path) -> None:
    files = {"app.py": "def run():\n    pass\n", ".gitignore": "hidden.py\n", "hidden.py": CANARY, ".env": CANARY}
    for goal in ("../hidden.py", "../.env"):
        root = project(tmp_path / goal[3:], files, {"tests/test_app.py": goal})
        document = Document("", "python", 1, files["app.py"])
        with pytest.raises(Unfit, match="is never sent to a model"):
            find_test_location(
                root / "app.py", document, parse(document.text, by_suffix("a.py")), Workspace([root]), lambda _: None
            )


@pytest.mark.attack("workspace files", "tests that are written through a link")
def test_a_pipe_in_the_place_of_tests_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path, {"app.py": "def run():\n    pass\n", "tests/conftest.py": ""}, {})
    os.mkfifo(root / "tests/test_app.py")
    document = Document("", "python", 1, "def run():\n    pass\n")
    with pytest.raises(Unfit, match="which cannot be read: it is not a regular file"):
        find_test_location(
            root / "app.py", document, parse(document.text, by_suffix("a.py")), Workspace([root]), lambda _: None
        )


@pytest.mark.attack("workspace files", "links that are put there in between")
@pytest.mark.parametrize("name", ["lib.py", "AGENTS.md", "tests/test_app.py", "tests/test_b.py"])
def test_what_was_judged_is_what_is_read(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "app.py": py("lib"),
        "lib.py": "def stolen(): ...\n",
        "AGENTS.md": "x\n",
        "tests/test_b.py": "x\n",
        "b.py": "",
    }
    files |= {"tests/test_app.py": "x\n"} if name == "tests/test_app.py" else {}
    root = project(tmp_path, {**files, ".env": OUTSIDE["rates.py"]}, {})
    judged = Look.why

    def swap(self: Look, path: Path) -> str | None:
        said = judged(self, path)
        if path == root / name and not path.is_symlink():
            path.unlink()
            path.symlink_to(root / ".env")
        return said

    monkeypatch.setattr(Look, "why", swap)
    assert CANARY not in everything(root, "app.py")
    assert (root / name).is_symlink()


def test_links_inside_are_followed(tmp_path: Path) -> None:
    """As pnpm and Bazel lay projects out, and where the editor opened a folder that is a link."""
    root = project(
        tmp_path,
        {
            "packages/lib/index.ts": "/** Within. */\nexport function stolen(): void {}\n",
            "src/a.ts": ts("./lib"),
            "AGENTS.md": "Be brief.\n",
            "real_tests/other.test.ts": "test();\n",
        },
        {"src/lib": "../packages/lib", "CLAUDE.md": "AGENTS.md", "tests": "real_tests"},
    )
    (tmp_path / "alias").symlink_to(root)
    for opened in (root, tmp_path / "alias"):
        said = everything(opened, "src/a.ts")
        assert "Within." in said
        assert "Be brief." in said
        path = opened / "src/a.ts"
        document = Document(path.as_uri(), "typescript", 1, path.read_text(encoding="utf-8"))
        place = find_test_location(
            path, document, parse(document.text, by_suffix("a.ts")), Workspace([opened]), lambda _: None
        )
        assert Path(place.path).is_relative_to(opened)


def test_a_file_that_the_editor_opened_outside_is_worked_on(tmp_path: Path) -> None:
    root = project(tmp_path, {"a.py": ""}, {"linked.py": "../outside/rates.py"})
    workspace = Workspace([root])
    assert workspace.why_private(root / "linked.py") is None
    assert workspace.why_private(root.parent / "outside/rates.py") is None
    assert workspace.root(root / "linked.py") is None
