"""Files that git ignores are private, compared with git itself; ``.tuppenceignore`` is decided independently."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import git_oracle
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from watched import watch

from tuppence.core.syntax.languages import by_suffix
from tuppence.workspace import Workspace, ignore_patterns
from tuppence.workspace.git_ignore import Look

NAMES = ("a", "b", "ab", "A", "a b", "b ", "x.py", "[x", "é", "!a", "#a", "a\\b", "c-d")
FOLDERS = ("a", "b", "ab", "é", "d")
ATOMS = (
    *("a", "b", "ab", "A", "x.py", "é", "d", "*", "**", "?", "/", "/", "/", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]"),
    *(
        "[[:alpha:]]",
        "[[:nope:]]",
        "[a",
        "\\a",
        "\\*",
        "\\\\",
        "\\",
        " ",
        "\\ ",
        "-",
        "#",
        "!",
        "\t",
        "*.py",
        "**/",
        "/**",
    ),
)
LINES = st.tuples(
    st.sampled_from(("", "", "", "!", "!", "/")),
    st.lists(st.sampled_from(ATOMS), min_size=1, max_size=4).map("".join),
    st.sampled_from(("", "", "/")),
).map("".join)
IGNORES = st.tuples(
    st.sampled_from(("", "", "", "\ufeff")), st.lists(LINES, max_size=5), st.sampled_from(("\n", "\n", "\r\n"))
).map(lambda each: (each[0] + each[2].join(each[1]) + each[2]).encode())


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return git_oracle.own_home(monkeypatch, tmp_path / "home")


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")


def private(root: Path, name: str, *roots: Path) -> str | None:
    return Workspace(roots or [root]).why_private(root / name)


def tree(root: Path) -> list[Path]:
    """Make a tree of folders and files with odd names, and return all of it."""
    for outer in FOLDERS:
        for inner in FOLDERS[:3]:
            (root / outer / inner).mkdir(parents=True)
    for folder in (root, root / "a", root / "a/b", root / "d", root / "d/ab", root / "é"):
        for name in NAMES:
            if not (folder / name).exists():
                (folder / name).write_text("")
    return sorted(each for each in root.rglob("*") if ".git" not in each.parts)


@pytest.mark.attack("what leaves", "what git ignores")
def test_generated_trees_are_judged_as_git_does(
    tmp_path: Path, user: Path, record_property: Callable[[str, object], None]
) -> None:
    top = git_oracle.init(tmp_path / "top").resolve()
    paths = tree(top)
    places = (top, top / "a", top / "a/b", top / "d", top / "é/ab")
    (user / ".config/git").mkdir(parents=True)
    cases = 0

    @settings(
        max_examples=60,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    @given(st.lists(IGNORES, min_size=5, max_size=5), IGNORES, IGNORES, st.booleans())
    def judged(own: list[bytes], exclude: bytes, everywhere: bytes, folded: bool) -> None:  # noqa: FBT001 - Hypothesis names it
        nonlocal cases
        for folder, data in zip(places, own, strict=True):
            (folder / ".gitignore").write_bytes(data)
        (top / ".git/info/exclude").write_bytes(exclude)
        (user / ".config/git/ignore").write_bytes(everywhere)
        config = "[core]\n\tignorecase = true\n" if folded else ""
        (user / ".gitconfig").write_text(config, encoding="utf-8")
        theirs = git_oracle.ignored(top, paths)
        look = Look([top / "a"])
        ours = {each for each in paths if look.why(each) is not None}
        assert not theirs - ours, "git ignores it, and it would be sent"
        # Names in either case, or whose letters can be composed in two ways, are private where one of the two is.
        assert folded or {each for each in ours if str(each).isascii()} == {
            each for each in theirs if str(each).isascii()
        }
        cases += len(paths)

    judged()
    record_property("cases", cases)
    assert cases > 4_000


@pytest.mark.attack("what leaves", "what git ignores")
@pytest.mark.parametrize("folder", ["", "pkg", "pkg/src"], ids=["the top", "a subfolder", "a deeper one"])
def test_a_parents_ignore_file_counts_whichever_folder_is_open(tmp_path: Path, folder: str) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".gitignore": "local.py\npkg/src/build/\n", "pkg/src/local.py": "", "pkg/src/build/x.py": ""})
    write(top, {"pkg/src/main.py": ""})
    root = top / folder
    assert "leaves it out" in str(private(top, "pkg/src/local.py", root))
    assert "leaves it out" in str(private(top, "pkg/src/build/x.py", root))
    assert private(top, "pkg/src/main.py", root) is None


@pytest.mark.attack("what leaves", "what git ignores")
def test_a_folder_that_git_ignores_and_that_is_open_itself_is_private(tmp_path: Path) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".gitignore": "/private/\n", "private/deep/a.py": ""})
    assert private(top, "private/deep/a.py", top / "private/deep")


@pytest.mark.attack("what leaves", "what git ignores")
def test_without_an_open_folder_git_is_asked_too(tmp_path: Path) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".gitignore": "local.py\n", "src/local.py": "", "src/main.py": "", ".tuppenceignore": "own.py\n"})
    for name, left_out in (("local.py", True), ("own.py", True), ("main.py", False)):
        assert (Workspace([]).why_private(top / "src" / name) is not None) is left_out


@pytest.mark.attack("what leaves", "what git ignores")
def test_the_repositorys_and_the_users_excludes_count(tmp_path: Path, user: Path) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(user, {".config/git/ignore": "everywhere.py\n", "mine": "named.py\n"})
    write(top, {".git/info/exclude": "exclude.py\n", "src/main.py": ""})
    assert private(top, "src/exclude.py") == ".git/info/exclude leaves it out"
    assert private(top, "src/everywhere.py") == "~/.config/git/ignore leaves it out"
    assert private(top, "src/named.py") is None
    write(user, {".gitconfig": "[core]\n\texcludesFile = ~/mine\n"})
    assert private(top, "src/named.py") == "~/mine leaves it out"
    assert private(top, "src/main.py") is None


@pytest.mark.attack("what leaves", "what git ignores")
@pytest.mark.parametrize(
    "config",
    [
        {".gitconfig": "[core] excludesFile=~/mine"},
        {".gitconfig": '[CORE]\r\n  ExcludesFile = "~/mi\\\r\nne" ; the last word\r\n'},
        {
            ".gitconfig": "[include]\n path = more/one\n",
            "more/one": "[include]\npath=two\n",
            "more/two": "[core]\nexcludesfile=~/mine\n",
        },
        {".gitconfig": '[includeIf "gitdir:~/"]\n path = ~/one\n', "one": "[core]\nexcludesfile=~/mine\n"},
        {".config/git/config": "[core]\nexcludesfile = ~/mine # a word\n"},
        {".gitconfig": "\ufeff[core]\n\texcludesFile = ~/./mine\n"},
        {".gitconfig": '[core "sub"]\nexcludesfile = ~/none\n[core]\n\tbare = false\n\texcludesFile = ~/mine\n\tx\n'},
    ],
    ids=["one line", "quoted and continued", "included", "included for a folder", "xdg", "bom", "sections"],
)
def test_the_users_excludes_are_found_as_git_finds_them(tmp_path: Path, user: Path, config: Mapping[str, str]) -> None:
    top = git_oracle.init(tmp_path / "home" / "top")
    write(user, {"mine": "named.py\n", **config})
    write(top, {"named.py": "", "main.py": ""})
    assert git_oracle.ignored(top, [top / "named.py", top / "main.py"]) == {top / "named.py"}
    assert private(top, "named.py") == "~/mine leaves it out"
    assert private(top, "main.py") is None


@pytest.mark.attack("what leaves", "what git ignores")
def test_the_environments_configuration_counts(tmp_path: Path, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(user, {"mine": "named.py\n", "other": f"[core]\nexcludesFile = {user}/mine\n"})
    (top / "named.py").write_text("")
    assert private(top, "named.py") is None
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(user / "other"))
    assert git_oracle.ignored(top, [top / "named.py"])
    assert private(top, "named.py")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    assert private(top, "named.py") is None
    for name, value in (("COUNT", "1"), ("KEY_0", "core.excludesFile"), ("VALUE_0", str(user / "mine"))):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    assert git_oracle.ignored(top, [top / "named.py"])
    assert private(top, "named.py")


@pytest.mark.attack("what leaves", "what git ignores")
@pytest.mark.parametrize(
    "variables",
    [
        {"COUNT": "1", "KEY_0": "include.path", "VALUE_0": "{home}/other"},
        {"COUNT": "1", "KEY_0": "IncludeIf.gitdir:top/.path", "VALUE_0": "{home}/other"},
        {"COUNT": " 1", "KEY_0": "core.excludesfile", "VALUE_0": "{home}/mine"},
        {"COUNT": "+1", "KEY_0": "core.excludesfile", "VALUE_0": "{home}/mine"},
        {"COUNT": "51", "KEY_50": "core.excludesfile", "VALUE_50": "{home}/mine"},
        {"PARAMETERS": "'a.b'='c d' 'core.excludesfile'='{home}/mine'"},
        {"PARAMETERS": "'core.excludesfile={home}/mine'"},
        {"PARAMETERS": "'include.path'='{home}/other'"},
    ],
)
def test_every_way_to_set_it_by_a_variable_counts(
    tmp_path: Path, user: Path, monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]
) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(user, {"mine": "named.py\n", "other": f"[core]\nexcludesFile = {user}/mine\n"})
    write(top, {"named.py": "", "main.py": ""})
    if "KEY_50" in variables:
        for number in range(50):
            monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", "a.b")
            monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", "")
    for name, value in variables.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value.format(home=user))
    assert git_oracle.ignored(top, [top / "named.py", top / "main.py"]) == {top / "named.py"}
    assert private(top, "named.py")
    assert private(top, "main.py") is None


@pytest.mark.attack("what leaves", "what git ignores")
def test_what_is_in_an_excluded_folder_cannot_be_taken_back(tmp_path: Path) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".gitignore": "build/\n!build/keep.py\n", "build/keep.py": "", "build/.gitignore": "!*\n"})
    assert private(top, "build/keep.py") == ".gitignore leaves it out"


@pytest.mark.attack("what leaves", "what the user's own ignore file names")
@pytest.mark.parametrize("undoing", [".gitignore", ".tuppenceignore", "src/.gitignore", "src/.tuppenceignore"])
def test_no_ignore_file_undoes_the_users_own(tmp_path: Path, undoing: str) -> None:
    write(tmp_path, {".tuppenceignore": "own.py\nsrc/deep/\n", "src/own.py": "", "src/deep/a.py": "", "src/b.py": ""})
    if undoing != ".tuppenceignore":
        write(tmp_path, {undoing: "!*\n!own.py\n!deep/\n!deep/a.py\n"})
    for name in ("src/own.py", "src/deep/a.py"):
        assert private(tmp_path, name) == ".tuppenceignore leaves it out"
        assert private(tmp_path, name, tmp_path, tmp_path / "src") == ".tuppenceignore leaves it out"
    assert private(tmp_path, "src/b.py") is None


@pytest.mark.attack("what leaves", "what the user's own ignore file names")
def test_the_users_own_file_counts_from_the_top_of_the_repository(tmp_path: Path) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".tuppenceignore": "own.py\n", "src/own.py": ""})
    assert private(top, "src/own.py", top / "src") == "../.tuppenceignore leaves it out"


@pytest.mark.attack("what leaves", "what git ignores")
def test_worktrees_and_submodules_have_their_own_excludes(tmp_path: Path) -> None:
    inner, top = git_oracle.init(tmp_path / "inner"), git_oracle.init(tmp_path / "top")
    name = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always")
    for each in (inner, top):
        write(each, {"main.py": "", "local.py": ""})
        git_oracle.git(each, "add", "main.py")
        git_oracle.git(each, *name, "commit", "-qm", "x")
    git_oracle.git(top, *name, "submodule", "--quiet", "add", str(inner), "sub")
    git_oracle.git(top, "worktree", "add", "-q", str(tmp_path / "tree"))
    write(top, {".git/info/exclude": "local.py\n", ".git/modules/sub/info/exclude": "other.py\n"})
    sub, work = top / "sub", tmp_path / "tree"
    write(sub, {"other.py": "", "main.py": ""})
    write(work, {"local.py": "", "main.py": ""})
    for folder, left_out in ((work, "local.py"), (sub, "other.py")):
        assert git_oracle.ignored(folder, [folder / left_out, folder / "main.py"]) == {folder / left_out}
        for root in (folder, top):
            assert private(folder, left_out, root)
        assert private(folder, "main.py") is None


@pytest.mark.attack("what leaves", "what git ignores")
def test_of_nested_repositories_both_are_asked_up_to_the_one_that_is_open(tmp_path: Path) -> None:
    outer = git_oracle.init(tmp_path / "outer")
    inner = git_oracle.init(outer / "clones/inner")
    write(outer, {".gitignore": "clones/\n"})
    write(inner, {".gitignore": "local.py\n", "local.py": "", "main.py": ""})
    assert private(inner, "main.py", outer) == ".gitignore leaves it out"
    assert private(inner, "main.py", inner) is None
    assert private(inner, "local.py", inner) == ".gitignore leaves it out"


@pytest.mark.attack("what leaves", "what git ignores")
@pytest.mark.parametrize("kind", ["empty folder", "file", "file of nothing", "pipe", "link to nothing"])
def test_something_that_only_looks_like_a_repository_hides_no_parent(tmp_path: Path, kind: str) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".gitignore": "local.py\n", "src/local.py": ""})
    fake = top / "src/.git"
    if kind == "empty folder":
        fake.mkdir()
    elif kind == "pipe":
        os.mkfifo(fake)
    elif kind == "link to nothing":
        fake.symlink_to("nothing")
    else:
        fake.write_text("gitdir: ../nothing" if kind == "file of nothing" else "")
    assert private(top, "src/local.py", top / "src")


@pytest.mark.attack("what leaves", "what git ignores")
@pytest.mark.parametrize(
    "head",
    [
        *("", "garbage", "ref: nothing", "REF: refs/heads/x", "ref: refs/heads/x", "ref:refs/heads/x", "ref:\trefs/x"),
        *("0" * 39, "0" * 40, "F" * 64, "->nothing", "->refs/heads/x", "->../../HEAD", "folder", "pipe", "none"),
    ],
)
def test_a_repository_is_one_where_git_says_so(tmp_path: Path, head: str) -> None:
    top = git_oracle.init(tmp_path / "top")
    inner = git_oracle.init(top / "inner")
    write(top, {".gitignore": "local.py\n", "HEAD": "ref: refs/heads/x", "inner/local.py": "", "inner/main.py": ""})
    file = inner / ".git/HEAD"
    file.unlink()
    if head.startswith("->"):
        file.symlink_to(head[2:])
    elif head == "folder":
        file.mkdir()
    elif head == "pipe":
        os.mkfifo(file)
    elif head != "none":
        file.write_text(head)
    names = {"local.py", "main.py"}
    # Git would wait for the pipe.
    said = {inner / "local.py"} if head == "pipe" else git_oracle.ignored(inner, [inner / each for each in names])
    assert {inner / each for each in names if private(inner, each)} == said


@pytest.mark.attack("what leaves", "what git ignores")
@pytest.mark.parametrize("place", ["../..", "{top}", "{link}", "../../inner/.."])
@pytest.mark.parametrize("ignoring", [".gitignore", "inner/.git/info/exclude"])
def test_a_working_tree_that_begins_elsewhere_counts(tmp_path: Path, place: str, ignoring: str) -> None:
    top = tmp_path / "top"
    inner = git_oracle.init(top / "inner")
    (tmp_path / "link").symlink_to(top)
    git_oracle.git(inner, "config", "core.worktree", place.format(top=top, link=tmp_path / "link"))
    write(top, {ignoring: "/inner/local.py\n", "inner/local.py": "", "inner/main.py": ""})
    paths = [inner / each for each in ("local.py", "main.py")]
    assert git_oracle.ignored(inner, paths) == {path for path in paths if private(inner, path.name)} == {paths[0]}


@pytest.mark.attack("what leaves", "what git ignores")
def test_links_are_judged_by_every_name_and_by_their_place(tmp_path: Path) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".gitignore": "by_name.py\nhidden/\nstep.py\n", "hidden/a.py": "", "seen.py": "", ".git/x.py": ""})
    for name, goal in (
        ("by_name.py", "seen.py"),
        ("to_hidden.py", "hidden/a.py"),
        ("folder", "hidden"),
        ("step.py", "seen.py"),
        ("over.py", "step.py"),
        ("git", ".git"),
        ("fine.py", "seen.py"),
    ):
        (top / name).symlink_to(goal)
    for name in ("by_name.py", "to_hidden.py", "folder/a.py", "over.py", "git/x.py", "hidden/../by_name.py"):
        assert private(top, name), name
    assert private(top, "fine.py") is None


@pytest.mark.attack("hostile sizes", "ignore files that cannot be read")
@pytest.mark.parametrize("name", [".gitignore", ".tuppenceignore"])
@pytest.mark.parametrize(
    "kind", ["zeros", "pipe", "socketless device", "folder", "circle", "link", "large", "many", "long", "wild"]
)
def test_an_ignore_file_that_cannot_be_read_closes_its_folder(tmp_path: Path, name: str, kind: str) -> None:
    write(tmp_path, {"src/a.py": "", "b.py": "", "elsewhere": "x\n"})
    file = tmp_path / "src" / name
    text = {
        "large": "#" + "x" * ignore_patterns.LARGEST,
        "many": "a\n" * 300_000,
        "long": "*a" * 50_000,
        "wild": "*a*b?[c]\n" * 10_000,
    }
    if kind in text:
        file.write_text(text[kind])
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    else:
        goals = {"zeros": "/dev/zero", "socketless device": "/dev/full", "circle": name, "link": "../elsewhere"}
        file.symlink_to(goals[kind])
    why = private(tmp_path, "src/a.py")
    assert why is not None
    assert why.startswith(f"src/{name} cannot be read (it")
    assert "so nothing in its folder is sent until it is a regular file of at most 256,000 bytes" in why
    assert private(tmp_path, "b.py") is None


@pytest.mark.attack("hostile sizes", "ignore files that cannot be read")
@pytest.mark.parametrize(
    "config",
    [
        "[core]\nexcludesFile = /dev/zero\n",
        "[core]\nexcludesFile = pipe\n",
        "[include]\npath = ../pipe\n",
        "[include]\npath = /dev/zero\n",
        "[include]\npath = config\n",
        '[includeIf "gitdir:/"]\npath = ../pipe\n',
    ],
)
def test_a_repositorys_configuration_that_cannot_be_read_closes_it(tmp_path: Path, config: str) -> None:
    top = git_oracle.init(tmp_path / "top")
    os.mkfifo(top / "pipe")
    write(top, {".git/config": config, "a.py": ""})
    assert "cannot be read (it" in str(private(top, "a.py"))


@pytest.mark.attack("hostile sizes", "ignore files that cannot be read")
def test_a_configuration_runs_nothing(tmp_path: Path) -> None:
    top = git_oracle.init(tmp_path / "top")
    program = f"touch {tmp_path}/ran"
    write(
        top,
        {
            ".git/config": f'[core]\nfsmonitor = "{program}"\nsshCommand = "{program}"\npager = "{program}"\n'
            f'[alias]\ncheck-ignore = "!{program}"\n[filter "x"]\nsmudge = "{program}"\n',
            ".gitattributes": "* filter=x\n",
            "a.py": "",
        },
    )
    assert private(top, "a.py") is None
    assert not (tmp_path / "ran").exists()


def test_a_working_tree_without_git_is_judged_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(top, {".git/info/exclude": "local.py\n", "local.py": ""})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert private(top, "local.py")


@pytest.mark.attack("what leaves", "what git ignores")
def test_names_count_however_their_letters_are_composed(tmp_path: Path) -> None:
    write(tmp_path, {".gitignore": "caf\u00e9.py\n", "cafe\u0301.py": "", "caf\u00e9.py": ""})
    assert private(tmp_path, "cafe\u0301.py")
    assert private(tmp_path, "caf\u00e9.py")


@pytest.mark.attack("hostile sizes", "long paths")
def test_a_path_that_is_too_long_is_not_sent(tmp_path: Path) -> None:
    assert "too long" in str(private(tmp_path, "a/" * 101 + "x.py"))
    assert "too long" in str(private(tmp_path, "a" * 2_001))
    assert "too long" in str(private(tmp_path, "a/" * 500_000))
    assert private(tmp_path, "a/" * 90 + "x.py") is None


@pytest.mark.attack("hostile sizes", "many ignore files")
def test_ignore_files_together_have_a_limit(tmp_path: Path) -> None:
    heavy = "a\n" * 9_000 + "#" + "x" * 230_000
    deep = tmp_path / "deep"
    for _ in range(18):
        write(deep, {".gitignore": heavy})
        deep /= "d"
    assert private(tmp_path, "deep/x.py") is None
    assert "and the ignore files above it hold too much" in str(private(deep, "x.py", tmp_path))
    look = Look([tmp_path])
    for number in range(40):
        write(tmp_path, {f"wide/{number}/.gitignore": heavy})
    said = [look.why(tmp_path / f"wide/{number}/x.py") for number in range(40)]
    assert said[0] is None
    assert "with those before it, it holds too much" in str(said[-1])


def test_what_stays_as_it_is_is_not_read_again(tmp_path: Path, user: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = git_oracle.init(tmp_path / "top")
    write(user, {".gitconfig": "[core]\nexcludesFile = ~/mine\n", "mine": "m\n"})
    write(top, {".gitignore": "x.py\n", "src/.gitignore": "y.py\n", "src/.tuppenceignore": "z.py\n", "src/a.py": ""})
    opened = watch(monkeypatch, os, "open")
    assert private(top, "src/a.py") is None
    first = len(opened)
    assert first
    for _ in range(100):
        assert private(top, "src/a.py") is None
    assert len(opened) == first
    write(top, {"src/.gitignore": "a.py\n"})
    assert private(top, "src/a.py") == "src/.gitignore leaves it out"
    assert len(opened) == first + 1


def test_listing_many_folders_reads_each_ignore_file_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = git_oracle.init(tmp_path / "top").resolve()
    for number in range(1_500):
        (top / f"{number % 10}/{number // 10}").mkdir(parents=True)
    write(top, {".gitignore": "9/\n", "1/.gitignore": "5\n", "pyproject.toml": "", "0/0/m.py": ""})
    workspace, opened = Workspace([top]), watch(monkeypatch, os, "open")
    asked = watch(monkeypatch, Path, "lstat")
    for _ in range(2):
        workspace.packages(top / "0/0/m.py", by_suffix("m.py"))
    ignore_files = [path for path, *_ in opened if str(path).endswith(("ignore", "exclude"))]
    assert len(ignore_files) == 2 + 1, "two in the tree, and the repository's own"
    assert len(asked) <= 2 * 1_600


def test_ordinary_projects_are_read_as_before(tmp_path: Path) -> None:
    """A tracked file, a link inside, a folder that is open through a link, and no repository at all."""
    top = git_oracle.init(tmp_path / "top")
    write(
        top,
        {
            ".gitignore": "node_modules/\n*.log\n/dist/\n.venv/\n__pycache__/\n!keep.log\n",
            "src/main.py": "",
            "packages/a/index.ts": "",
            "keep.log": "",
            "docs/dist/x.md": "",
        },
    )
    (top / "linked").symlink_to("packages/a")
    (tmp_path / "alias").symlink_to(top)
    for name in ("src/main.py", "packages/a/index.ts", "keep.log", "docs/dist/x.md", "linked/index.ts"):
        assert private(top, name) is None
        assert Workspace([tmp_path / "alias"]).why_private(tmp_path / "alias" / name) is None
    shutil.rmtree(top / ".git")
    assert private(top, "src/main.py") is None
