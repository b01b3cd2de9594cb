"""The project around a document, on real files: used definitions, conventions, tests, private files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tuppence.core.answer.insert_tests import TestLocation
from tuppence.core.prompt.context import Surroundings
from tuppence.core.syntax.languages import by_suffix
from tuppence.core.syntax.parser import parse
from tuppence.core.syntax.target import find_target
from tuppence.core.text.document import Document, Span
from tuppence.workspace import Workspace
from tuppence.workspace.conventions import MOST


def _project(root: Path, files: Mapping[str, str]) -> Workspace:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return Workspace([root])


def _surroundings(root: Path, files: Mapping[str, str], name: str, cursor: str) -> Surroundings:
    workspace = _project(root, files)
    row = by_suffix(name)
    document = Document((root / name).as_uri(), row.ids[0], 1, files[name])
    tree = parse(document.text, row)
    start = document.text.index(cursor)
    target = find_target(document, tree, Span(start, start))
    assert target is not None
    return workspace.surroundings(document, tree, target, root / name)


def _used(root: Path, files: Mapping[str, str], name: str, cursor: str) -> dict[str, str]:
    found = _surroundings(root, files, name, cursor).definitions
    return {f"{each.path}:{each.name}": each.text for each in found}


PYTHON = {
    "src/shop/__init__.py": "from .money import total\nfrom .deep import hidden\n",
    "src/shop/money.py": "RATE = 2\n\n\ndef total(items: list[int]) -> int:\n"
    '    """Sum up."""\n    return sum(items)\n\n\n'
    "def unused():\n    pass\n",
    "src/shop/deep.py": "def hidden():\n    pass\n",
    "src/shop/basket.py": "class Basket:\n    size: int\n\n    def add(self, item: int) -> None:\n        pass\n",
    "src/shop/text/__init__.py": "def label(x):\n    pass\n",
    "src/shop/main.py": "import json\nfrom . import text\nfrom .basket import Basket as Bag\nimport shop.money\n"
    "from shop import hidden\n\n\ndef run():\n    bag = Bag()\n    bag.add(1)\n    bag2 = Bag()\n"
    "    return shop.money.total([1]), text.label(bag), hidden(), json.dumps(bag2)\n\n\ndef other():\n    return 1\n",
}


def test_python_definitions_are_found_through_imports_most_used_first(tmp_path: Path) -> None:
    found = _used(tmp_path, PYTHON, "src/shop/main.py", "bag = Bag")
    assert list(found) == [
        "src/shop/basket.py:Basket",
        "src/shop/deep.py:hidden",
        "src/shop/money.py:total",
        "src/shop/text/__init__.py:label",
    ]
    assert found["src/shop/money.py:total"] == 'def total(items: list[int]) -> int:\n    """Sum up."""'
    assert found["src/shop/basket.py:Basket"] == "class Basket:\n    def add(self, item: int) -> None:"


def test_a_target_that_uses_nothing_gets_nothing(tmp_path: Path) -> None:
    assert _used(tmp_path, PYTHON, "src/shop/main.py", "return 1") == {}


def test_typescript_follows_relative_imports_and_passed_on_exports(tmp_path: Path) -> None:
    files = {
        "package.json": "{}",
        "src/api/index.ts": 'export { load } from "./load";\nexport * from "./types";\n',
        "src/api/load.ts": "/** Loads. */\nexport async function load(id: string): Promise<Item> {\n  return x;\n}\n",
        "src/api/types.ts": "export interface Item {\n  id: string;\n}\n",
        "src/view.tsx": "export const View = (p: Props) => <b>{p.x}</b>;\n",
        "src/main.ts": 'import { load, Item } from "./api";\n'
        'import { View } from "./view.js";\nimport React from "react";\n\n'
        "export async function main(): Promise<Item> {\n  return View(await load('1'));\n}\n",
    }
    found = _used(tmp_path, files, "src/main.ts", "return View")
    assert set(found) == {"src/api/load.ts:load", "src/api/types.ts:Item", "src/view.tsx:View"}
    assert found["src/api/load.ts:load"].startswith("/** Loads. */\nexport async function load(id: string)")


def test_go_sees_its_package_and_its_module(tmp_path: Path) -> None:
    files = {
        "go.mod": "module x.com/shop\n\ngo 1.22\n",
        "main.go": 'package main\n\nimport (\n\t"fmt"\n\t"x.com/shop/money"\n'
        ")\n\nfunc main() {\n\tfmt.Println(money.Total(help()))\n}\n",
        "help.go": "package main\n\nfunc help() int {\n\treturn 1\n}\n",
        "help_test.go": "package main\n\nfunc help() {}\n",
        "money/money.go": "package money\n\n// Total sums.\nfunc Total(n int) int {\n\treturn n\n}\n",
    }
    assert _used(tmp_path, files, "main.go", "fmt.Println") == {
        "help.go:help": "func help() int",
        "money/money.go:Total": "// Total sums.\nfunc Total(n int) int",
    }


def test_rust_follows_mod_and_use(tmp_path: Path) -> None:
    files = {
        "Cargo.toml": "[package]\n",
        "src/lib.rs": "mod money;\npub mod basket;\n\nuse crate::basket::Basket;\n"
        "\npub fn run(b: &Basket) -> i32 {\n    money::total(b)\n}\n",
        "src/money.rs": "use super::basket::Basket;\n\n/// Sums.\npub fn total(b: &Basket) -> i32 {\n    b.size\n}\n",
        "src/basket/mod.rs": "pub struct Basket {\n    pub size: i32,\n}\n",
    }
    assert set(_used(tmp_path, files, "src/lib.rs", "money::total(b)")) == {
        "src/basket/mod.rs:Basket",
        "src/money.rs:total",
    }
    assert set(_used(tmp_path, files, "src/money.rs", "b.size")) == {"src/basket/mod.rs:Basket"}


def test_java_sees_its_package_and_imports(tmp_path: Path) -> None:
    files = {
        "src/main/java/a/Main.java": "package a;\n\nimport a.b.Money;\n\nclass Main {\n    int run() {\n"
        "        return new Money().total(new Near());\n    }\n}\n",
        "src/main/java/a/Near.java": "package a;\n\nclass Near {\n}\n",
        "src/main/java/a/b/Money.java": "package a.b;\n\npublic class Money {\n"
        "    public int total(Object x) {\n        return 1;\n    }\n}\n",
    }
    found = _used(tmp_path, files, "src/main/java/a/Main.java", "return new")
    assert found["src/main/java/a/b/Money.java:Money"] == "public class Money\n    public int total(Object x)"
    assert set(found) == {"src/main/java/a/b/Money.java:Money", "src/main/java/a/Near.java:Near"}


@pytest.mark.parametrize("suffix", [".c", ".cpp"])
def test_c_sees_its_headers(tmp_path: Path, suffix: str) -> None:
    files = {
        "include/list.h": "#ifndef L\n#define L\nstruct list { int size; };\n/* Counts. */\n"
        "int length(struct list *l);\nint other(void);\n#endif\n",
        f"src/main{suffix}": '#include <stdio.h>\n#include "list.h"\n\nint main(void) {\n'
        "    struct list l;\n    return length(&l);\n}\n",
    }
    assert _used(tmp_path, files, f"src/main{suffix}", "return") == {
        "include/list.h:list": "struct list { int size; }",
        "include/list.h:length": "/* Counts. */\nint length(struct list *l);",
    }


def test_nothing_is_read_outside_the_roots_or_from_private_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("def secret():\n    pass\n")
    root = tmp_path / "root"
    files = {
        "main.py": "from .linked import secret\nfrom .ignored import hidden\n"
        "from ..outside.secret import secret as s\n\n"
        "def run():\n    return secret(), hidden(), s()\n",
        "ignored.py": "def hidden():\n    pass\n",
        ".gitignore": "ignored.py\n",
    }
    root.mkdir()
    (root / "linked.py").symlink_to(outside / "secret.py")
    assert _used(root, files, "main.py", "return secret") == {}


def test_a_document_outside_the_roots_has_no_surroundings(tmp_path: Path) -> None:
    workspace = Workspace([tmp_path / "root"])
    document = Document("untitled:1", "python", 1, "def f():\n    pass\n")
    tree = parse(document.text, by_suffix("a.py"))
    target = find_target(document, tree, Span(0, 0))
    assert target is not None
    assert workspace.surroundings(document, tree, target, None) == Surroundings()
    assert workspace.surroundings(document, tree, target, tmp_path / "elsewhere.py") == Surroundings()


def test_binary_huge_and_broken_files_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"def a():\0\n    pass\n")
    (tmp_path / "latin.py").write_bytes(b"def b(): # \xe9\n    pass\n")
    (tmp_path / "huge.py").write_text("def c():\n    pass\n" + "#" * 400_000)
    files = {
        "main.py": "from binary import a\nfrom latin import b\nfrom huge import c\n\ndef run():\n    a(), b(), c()\n"
    }
    assert _used(tmp_path, files, "main.py", "a(), b") == {}


def test_conventions_are_short_ordered_and_without_copies(tmp_path: Path) -> None:
    files = {
        "main.py": "def f():\n    pass\n",
        "CONTRIBUTING.md": "Write tests.\n" * 1000,
        "AGENTS.md": "Be terse.\r\n",
        "CLAUDE.md": "Be terse.\n",
        ".editorconfig": "root = true\n",
    }
    shown = _surroundings(tmp_path, files, "main.py", "pass").conventions
    assert shown.startswith("AGENTS.md:\nBe terse.\n\nCONTRIBUTING.md:\nWrite tests.\n")
    assert "CLAUDE.md" not in shown
    assert shown.endswith("...\n\n.editorconfig:\nroot = true")
    assert len(shown) < MOST
    assert shown == _surroundings(tmp_path, files, "main.py", "pass").conventions


def _place(root: Path, files: Mapping[str, str], name: str) -> TestLocation:
    place = _project(root, {name: "x\n", **files}).test_location(root / name, by_suffix(name))
    assert place.document.language == by_suffix(name).id
    return _at(Path(place.path), place.document.text, exists=not place.is_new, block=place.block)


def _at(path: Path, text: str = "", *, exists: bool = True, block: str = "") -> TestLocation:
    """Return the location of tests in a file with this text on disk."""
    document = Document(path.as_uri(), by_suffix(path.name).id, None, text)
    return TestLocation(str(path), document, is_new=not exists, block=block)


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        ("pkg/x.py", [], "tests/test_x.py"),
        ("pkg/__init__.py", [], "tests/test_pkg.py"),
        ("src/x.ts", [], "src/x.test.ts"),
        ("src/x.tsx", [], "src/x.test.tsx"),
        ("src/x.js", [], "src/x.test.js"),
        ("a/x.go", [], "a/x_test.go"),
        ("src/main/java/a/X.java", [], "src/test/java/a/XTest.java"),
        ("src/x.c", [], "tests/test_x.c"),
        ("src/x.h", [], "tests/test_x.c"),
        ("src/x.cpp", [], "tests/test_x.cpp"),
        ("lib/x.ex", [], "test/x_test.exs"),
        ("lib/x.rb", [], "spec/x_spec.rb"),
        ("src/pkg/x.py", ["src/pkg/y.py", "tests/unit/pkg/test_y.py"], "tests/unit/pkg/test_x.py"),
        ("src/pkg/x.py", ["src/pkg/y.py", "src/pkg/y_test.py"], "src/pkg/x_test.py"),
        ("src/pkg/x.py", ["src/pkg/y.py", "src/pkg/tests/test_y.py"], "src/pkg/tests/test_x.py"),
        ("src/pkg/x.py", ["checks/test_all.py"], "checks/test_x.py"),
        ("src/pkg/x.py", ["node_modules/z/test_z.py"], "tests/test_x.py"),
        ("src/a/x.ts", ["src/b/y.ts", "src/b/__tests__/y.spec.ts"], "src/a/__tests__/x.spec.ts"),
        ("src/a/x.ts", ["src/a/y.ts", "test/a/y.spec.ts"], "test/a/x.spec.ts"),
        ("src/a/X.java", ["src/a/Y.java", "test/a/YTests.java"], "test/a/XTests.java"),
        ("src/x.cc", ["src/y.cc", "src/y_test.cc"], "src/x_test.cc"),
    ],
)
def test_new_tests_go_where_the_project_keeps_them(tmp_path: Path, name: str, others: list[str], expected: str) -> None:
    place = _place(tmp_path, dict.fromkeys(others, "x\n"), name)
    assert place == _at(tmp_path / expected, exists=False)


@pytest.mark.parametrize(
    ("name", "test"),
    [
        ("src/pkg/x.py", "tests/deep/test_x.py"),
        ("src/x.ts", "src/__tests__/x.spec.ts"),
        ("src/x.tsx", "src/x.test.ts"),
        ("a/x.go", "a/x_test.go"),
        ("src/main/java/a/X.java", "src/it/java/a/XTest.java"),
        ("src/x.h", "tests/x_test.c"),
    ],
)
def test_tests_that_exist_are_extended(tmp_path: Path, name: str, test: str) -> None:
    place = _place(tmp_path, {test: "old tests\n", "tests/test_other.py": ""}, name)
    assert place == _at(tmp_path / test, "old tests\n")


def test_of_two_files_of_that_name_the_nearer_is_extended(tmp_path: Path) -> None:
    files = dict.fromkeys(("tests/a/test_x.py", "tests/b/test_x.py"), "x")
    assert _place(tmp_path, files, "src/b/x.py").path == str(tmp_path / "tests/b/test_x.py")


def test_a_test_file_is_its_own_place(tmp_path: Path) -> None:
    assert _place(tmp_path, {}, "tests/test_x.py") == _at(tmp_path / "tests/test_x.py", "x\n")


def test_rust_tests_stand_inline_unless_a_file_is_declared(tmp_path: Path) -> None:
    assert _place(tmp_path, {}, "src/x.rs") == _at(tmp_path / "src/x.rs", "x\n", block="tests")
    place = _place(tmp_path, {"src/y.rs": "#[cfg(test)]\nmod tests;\n", "src/y/tests.rs": "old\n"}, "src/y.rs")
    assert place == _at(tmp_path / "src/y/tests.rs", "old\n")
    assert not _place(tmp_path, {}, "tests/it.rs").block


def test_each_package_of_a_monorepo_keeps_its_own_tests(tmp_path: Path) -> None:
    files = {"packages/a/package.json": "{}", "packages/b/test/z.spec.ts": "", "packages/b/src/z.ts": ""}
    assert _place(tmp_path, files, "packages/a/src/x.ts").path == str(tmp_path / "packages/a/src/x.test.ts")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".env", "a file named .env may hold secrets"),
        ("config/.env.local", "a file named .env.local may hold secrets"),
        (".env.example", None),
        ("server.PEM", "a file named *.pem may hold secrets"),
        ("id_rsa", "a file named id_rsa may hold secrets"),
        ("id_rsa.py", None),
        ("a/.ssh/config", "files in .ssh hold secrets"),
        ("keys.py", None),
        ("secrets.py", None),
        ("settings.json", None),
        ("build/out.py", ".gitignore leaves it out"),
        ("build/keep.py", None),
        ("deep/skip.py", "deep/.gitignore leaves it out"),
        ("private/a/b.py", ".tuppenceignore leaves it out"),
        ("a/b.py", None),
    ],
)
def test_private_files_are_known_by_name_and_by_ignore_files(tmp_path: Path, name: str, why: str | None) -> None:
    files = {
        ".gitignore": "build/*\n!build/keep.py\n",
        "deep/.gitignore": "/skip.py\n",
        ".tuppenceignore": "private/\n",
    }
    workspace = _project(tmp_path, files)
    assert workspace.why_private(tmp_path / name) == why
    assert workspace.private(tmp_path / name) == (why is not None)


def test_a_link_to_a_secret_is_a_secret(tmp_path: Path) -> None:
    workspace = _project(tmp_path, {".env": "A=1\n"})
    (tmp_path / "plain.py").symlink_to(tmp_path / ".env")
    assert workspace.private(tmp_path / "plain.py")


def test_a_changed_ignore_file_counts_at_once(tmp_path: Path) -> None:
    workspace = _project(tmp_path, {".gitignore": "a.py\n"})
    assert workspace.private(tmp_path / "a.py")
    (tmp_path / ".gitignore").write_text("other.py\n")
    assert not workspace.private(tmp_path / "a.py")


def test_paths_are_shown_from_the_innermost_root(tmp_path: Path) -> None:
    workspace = Workspace([tmp_path, tmp_path / "inner"])
    assert workspace.relative(tmp_path / "a" / "b.py") == "a/b.py"
    assert workspace.relative(tmp_path / "inner" / "b.py") == "b.py"
    assert workspace.relative(Path("/elsewhere/c.py")) == "c.py"
