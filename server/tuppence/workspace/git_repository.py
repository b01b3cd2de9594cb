"""Find the git repositories around a file and read the settings that affect ignored files, without running git.

Running git could execute programs that a repository's configuration names, or block on a pipe that it includes. This
module has its own reader, with a size limit, for two settings only. Where git picks one value (the last of several, or
an include that depends on a folder or branch), all values count, so that a file is rather too private than too public.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tuppence import regular_files
from tuppence.regular_files import Identity, Missing, Unreadable, identity
from tuppence.workspace.recently_read import RecentlyRead

_LARGEST = 1_000_000
"""Maximum bytes of a configuration file."""
_LARGEST_TOGETHER = 4_000_000
_MOST_FILES = 40
"""Maximum number of configuration files, includes counted."""
_SYSTEM = (
    "/etc/gitconfig",
    "/usr/local/etc/gitconfig",
    "/opt/homebrew/etc/gitconfig",
    "/Library/Developer/CommandLineTools/usr/share/git-core/gitconfig",
    "/Applications/Xcode.app/Contents/Developer/usr/share/git-core/gitconfig",
    "C:/Program Files/Git/etc/gitconfig",
    "C:/ProgramData/Git/config",
)
"""Where common git installations have the system-wide configuration."""
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)\s*(?:"((?:[^"\\\n]|\\.)*)")?\s*\]')
_BLANK = re.compile(r"\s*")
_PLAIN = re.compile(r'([^\n"\\#;]*)(?=\n|\Z)')
_KEY = re.compile(r"([A-Za-z][\w-]*)[ \t]*(=?)[ \t]*")
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\\": "\\", '"': '"'}
_HEAD = re.compile(rb"ref:[ \t\n\v\f\r]*refs/|[0-9A-Fa-f]{40}")
_NUMBERED = "GIT_CONFIG_KEY_"
_VARIABLES = ("GIT_CONFIG", "XDG_CONFIG_HOME")
_NO = frozenset({"false", "no", "off", "0", ""})


class UnreadableConfiguration(Unreadable):
    """A git configuration file exists but cannot be read."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(why)
        self.path = path


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository."""

    top: Path
    folder: Path
    """The git directory of this working tree: ``.git``, or ``.git/worktrees/NAME`` of the main repository."""
    common: Path
    """The git directory that all working trees share."""


@dataclass(slots=True)
class GitSettings:
    """The settings that affect ignored files."""

    excludes: list[str] = field(default_factory=list)
    """All values of ``core.excludesFile``."""
    ignore_case: bool = False
    tops: list[str] = field(default_factory=list)
    """All values of ``core.worktree``: the top of the working tree, relative to the git directory."""
    looked_at: list[tuple[Path, Identity | None]] = field(default_factory=list)
    """Each configuration file, existing or not, with its identity. The settings are valid while these are unchanged."""
    weight: int = 0
    """Total bytes of the configuration files."""


_said: dict[object, GitSettings] = {}
_heads: RecentlyRead[Path, bool] = RecentlyRead(1_000)


def repository_at(top: Path) -> Repository | None:
    """Return the repository whose working tree has this top folder; None where git recognizes none."""
    entry = top / ".git"
    if entry.is_dir():
        folder = entry
    elif entry.is_file():
        try:
            said = _text(entry)
        except Unreadable:
            return None
        if not said.startswith("gitdir:"):
            return None
        folder = top / said.removeprefix("gitdir:").strip("\r\n ")
    else:
        return None
    if not _has_head(folder):
        return None
    try:
        common = folder / _text(folder / "commondir").strip("\r\n ")
    except Unreadable:
        common = folder
    has_objects = "GIT_OBJECT_DIRECTORY" in os.environ or (common / "objects").is_dir()
    return Repository(top, folder, common) if has_objects and (common / "refs").is_dir() else None


def settings(repository: Repository | None) -> GitSettings:
    """Return the system's, the user's and a repository's settings; unchanged files are not read again.

    :raises UnreadableConfiguration: a file that git would read cannot be read.
    """
    variables = tuple((name, value) for name, value in os.environ.items() if name.startswith(_VARIABLES))
    key = (repository, str(Path.home()), variables)
    found = _said.get(key)
    if found is None or any(identity_of(path) != facts for path, facts in found.looked_at):
        found = _settings(repository)
        if len(_said) >= _MOST_FILES:
            _said.clear()
        _said[key] = found
    return found


def _settings(repository: Repository | None) -> GitSettings:
    found = GitSettings()
    for path in _users_configurations():
        try:
            _read(path, found)
        except UnreadableConfiguration as error:
            if not isinstance(error.__cause__, PermissionError):
                raise
    if repository is not None:
        _read(repository.common / "config", found)
        _read(repository.folder / "config.worktree", found)
    for key, value in _from_environment():
        if key == "include.path" or (key.startswith("includeif.") and key.endswith(".path")):
            _read(_path(value, Path.home()), found)
        else:
            _enter(key, value, found)
    return found


def _from_environment() -> Iterator[tuple[str, str]]:
    """Yield the settings in environment variables (``GIT_CONFIG_*`` and those of ``git -c``), keys in lower case."""
    for name, key in os.environ.items():
        if name.startswith(_NUMBERED):
            yield key.lower(), os.environ.get(f"GIT_CONFIG_VALUE_{name.removeprefix(_NUMBERED)}", "")
    try:
        words = shlex.split(os.environ.get("GIT_CONFIG_PARAMETERS", ""))
    except ValueError:  # Git would not run with it.
        return
    for word in words:
        key, _, value = word.partition("=")
        yield key.lower(), value


def tops(repository: Repository, said: GitSettings) -> Iterator[Path]:
    """Yield the other folders that git uses as the top of a repository's working tree, resolved."""
    for each in said.tops:
        top = Path(os.path.realpath(repository.folder / each))
        if top != repository.top:
            yield top


def excludes_files(repository: Repository | None, said: GitSettings) -> Iterator[Path]:
    """Yield the user's global excludes files, whether they exist or not."""
    top = repository.top if repository else Path.home()
    yield from (_path(each, top) for each in said.excludes if each)
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    yield Path(base, "git", "ignore")


def _users_configurations() -> Iterator[Path]:
    if os.environ.get("GIT_CONFIG_NOSYSTEM", "").lower() in _NO:
        own = os.environ.get("GIT_CONFIG_SYSTEM")
        yield from (Path(each) for each in ((own,) if own else _SYSTEM))
    if own := os.environ.get("GIT_CONFIG_GLOBAL"):
        yield Path(own)
        return
    yield Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config", "git", "config")
    yield Path.home() / ".gitconfig"


def _read(path: Path, found: GitSettings) -> None:
    """Add the settings of a configuration file and of the files that it includes.

    :raises UnreadableConfiguration: one of them exists but cannot be read.
    """
    found.looked_at.append((path, identity_of(path)))
    if len(found.looked_at) > _MOST_FILES or found.weight > _LARGEST_TOGETHER:
        raise UnreadableConfiguration(path, "it includes too many others")
    try:
        text = _text(path)
        found.weight += len(text)
    except Missing:
        return
    except Unreadable as error:
        raise UnreadableConfiguration(path, str(error)) from error.__cause__
    for key, value in _values(text):
        if key == "include.path":
            _read(_path(value, path.parent), found)
        else:
            _enter(key, value, found)


def _enter(key: str, value: str, found: GitSettings) -> None:
    if key == "core.excludesfile":
        found.excludes.append(value)
    elif key == "core.ignorecase":
        found.ignore_case = found.ignore_case or value.lower() not in _NO
    elif key == "core.worktree":
        found.tops.append(value)


def _has_head(folder: Path) -> bool:
    """Return whether a folder has a valid ``HEAD``; without one, git looks in the parent folder."""
    head = folder / "HEAD"
    try:
        if head.is_symlink():
            return os.readlink(head).startswith("refs/")  # noqa: PTH115 - the text of the link is wanted as it is
        facts = identity(head.lstat())
        found = _heads.get(head, facts)
        if found is None:
            found = _HEAD.match(regular_files.read_here(head, _LARGEST, follow=False)) is not None
            _heads.put(head, facts, found, 1)
    except (OSError, ValueError, Unreadable):
        return False
    return found


def identity_of(path: Path) -> Identity | None:
    """Return the metadata that changes with a file (links are followed); None where the file does not exist."""
    try:
        return regular_files.identity(path.stat())
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str:
    """Return the contents of a small file.

    :raises Unreadable: the file cannot be read.
    """
    return regular_files.read_here(path, _LARGEST, follow=True).decode("utf-8", "surrogateescape")


def _path(value: str, base: Path) -> Path:
    """Return the path that a value names; a relative path starts at ``base``."""
    value = value.removeprefix(":(optional)")
    if value.startswith("~"):
        return base / os.path.expanduser(value)  # noqa: PTH111 - a user that there is not is no error
    bare = value.removeprefix("%(prefix)/")
    return base / value if bare == value else Path("/usr", bare)


def _values(text: str) -> Iterator[tuple[str, str]]:
    """Yield a configuration file's settings, keys in lower case with their section; ``includeIf`` as ``include``."""
    section, at = "", text.startswith("\ufeff") + 0
    while at < len(text):
        at = _skipped(text, at)
        if heading := _SECTION.match(text, at):
            name = heading[1].lower()
            section = {"includeif": "include"}.get(name, name if heading[2] is None else "")
            at = heading.end()
        elif key := _KEY.match(text, at):
            value, at = _value(text, key.end()) if key[2] else ("true", key.end())
            yield f"{section}.{key[1].lower()}", value
        else:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end + 1


def _skipped(text: str, at: int) -> int:
    """Return the index of the next character that is not blank."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _value(text: str, at: int) -> tuple[str, int]:
    """Return a value (quotes, escapes, comments and continued lines resolved) and the index after it."""
    if plain := _PLAIN.match(text, at):
        return plain[1].strip(), plain.end()
    said: list[str] = []
    kept, quoted = 0, False
    while at < len(text) and text[at] != "\n":
        one = text[at]
        if one in "#;" and not quoted:
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
            break
        if one == "\\" and at + 1 < len(text):
            at += 2 + text.startswith("\r\n", at + 1)
            if text[at - 1] != "\n":
                said.append(_ESCAPES.get(text[at - 1], text[at - 1]))
                kept = len(said)
            continue
        if one == '"':
            quoted = not quoted
            kept = len(said)
        else:
            said.append(one)
            kept = len(said) if quoted or not one.isspace() else kept
        at += 1
    return "".join(said[:kept]), at
