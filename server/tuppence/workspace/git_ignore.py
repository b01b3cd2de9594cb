"""Decide whether a file is private: git ignores it, or a ``.tuppenceignore`` names it.

Git's verdict is that of ``git check-ignore --no-index``, for tracked files too. It includes each ``.gitignore`` from
the top of the repository down (also above the open folder), ``info/exclude`` and the user's global excludes. A file in
an excluded folder cannot be re-included. For nested repositories, each one up to that of the open folder is consulted.
Each ``.tuppenceignore`` is a separate verdict, so no file can undo another.

If an ignore file is not a regular file, is too large, or cannot be read, everything in its folder is private, because
its patterns are unknown. An unchanged file is not read again.
"""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tuppence import regular_files
from tuppence.regular_files import Missing, Unreadable
from tuppence.workspace import git_repository, ignore_patterns
from tuppence.workspace.git_repository import GitSettings, Repository, UnreadableConfiguration
from tuppence.workspace.ignore_patterns import Patterns, TooMany
from tuppence.workspace.recently_read import RecentlyRead

GIT, OURS = ".gitignore", ".tuppenceignore"
_LONGEST = 2_000
"""Maximum bytes of a path relative to the top of its repository; a longer path is private."""
_DEEPEST = 100
_HEAVIEST = 8_000_000
"""Maximum total weight of the ignore files that one ``Look`` reads."""
_HEAVIEST_FOR_ONE = 4_000_000
"""Maximum weight of the ignore files that apply to one file."""
_LIMITS = f"a regular file of at most {ignore_patterns.LARGEST:,} bytes and {ignore_patterns.MOST_PATTERNS:,} patterns"
_ANY_CASE = sys.platform in {"darwin", "win32"}
"""Whether file names are usually case-insensitive on this platform."""
_read: RecentlyRead[tuple[str, bool], Patterns] = RecentlyRead(4_000_000)


class Closed(Exception):
    """An ignore file of a folder cannot be read. The message is a clause that says why."""


@dataclass(frozen=True, slots=True)
class _List:
    """The patterns of one ignore file and the folder that they apply to."""

    file: Path
    folder: Path
    patterns: Patterns
    takes_back: bool
    """Whether a re-inclusion (``!``) in it overrides the lists that follow."""

    def verdict(self, path: Path, *, is_folder: bool) -> bool | None:
        """Return whether a path is excluded, in any Unicode normalization form; None where no pattern matches."""
        inner = os.fsencode(path)[len(os.fsencode(self.folder)) :].replace(os.fsencode(os.sep), b"/").lstrip(b"/")
        said = self.patterns.verdict(inner, is_folder=is_folder)
        if said or inner.isascii():
            return said
        text = os.fsdecode(inner)
        others = (os.fsencode(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))
        return any(self.patterns.verdict(other, is_folder=is_folder) for other in others) or said


@dataclass(frozen=True, slots=True)
class _Inside:
    """What applies to everything in a folder."""

    why: str | None = None
    """Why the whole folder is private; None where it is not."""
    lists: tuple[_List, ...] = ()
    """The ignore files in the folder and in its parents, innermost first."""


class Look:
    """A snapshot of the ignore files. It reads each file once, so make a new one for each request."""

    def __init__(self, roots: Sequence[Path]) -> None:
        """Use these resolved workspace folders."""
        self._roots = roots
        self._files: dict[tuple[Path, bool], Patterns | Closed | None] = {}
        self._repositories: dict[Path, Repository | None] = {}
        self._insides: dict[tuple[Path, Path, str, bool], _Inside] = {}
        self._said: dict[Path | None, GitSettings] = {}
        self._weight = 0

    def why(self, path: Path) -> str | None:
        """Return why a file or folder with a resolved path is private; None where it is not."""
        tops = self._tops(path)
        inner = path.relative_to(tops[0])
        if len(inner.parts) > _DEEPEST or len(os.fsencode(inner)) > _LONGEST:
            return "its path is too long for the ignore files to be asked"
        try:
            is_folder = stat.S_ISDIR(path.lstat().st_mode)
        except (OSError, ValueError):
            is_folder = False
        try:
            return self._why(path, tops, is_folder=is_folder)
        except Closed as error:
            return str(error)

    def _why(self, path: Path, tops: list[Path], *, is_folder: bool) -> str | None:
        for top in (*tops, *self._elsewhere(path, tops)):
            repository = self._repository(top)
            any_case = _ANY_CASE or self._settings(repository).ignore_case
            for ignore_case in (False, True) if any_case else (False,):
                for name in (OURS, GIT) if top == tops[0] else (GIT,):
                    inside = self._inside(path.parent, top, name, ignore_case)
                    if why := inside.why or self._decided(path, inside, is_folder=is_folder):
                        return why
        return None

    def _tops(self, path: Path) -> list[Path]:
        """Return the tops of the repositories to consult, outermost first."""
        holding = [root for root in self._roots if path.is_relative_to(root) and path != root]
        start = min(holding, key=lambda root: len(root.parts)) if holding else path.parent
        found = [folder for folder in path.parents if self._repository(folder) is not None]
        around = next((each for each in found if start.is_relative_to(each)), start)
        return [around, *(each for each in reversed(found) if each != start and each.is_relative_to(start))]

    def _elsewhere(self, path: Path, tops: list[Path]) -> list[Path]:
        """Return the folders above a path that ``core.worktree`` makes the top of one of its repositories.

        :raises Closed: a git configuration cannot be read.
        """
        found: list[Path] = []
        for repository in filter(None, map(self._repository, tops)):
            for top in git_repository.tops(repository, self._settings(repository)):
                if path.is_relative_to(top) and path != top and top not in tops:
                    found.append(top)
                    if self._repository(top) is None:
                        self._repositories[top] = replace(repository, top=top)
        return found

    def _inside(self, folder: Path, top: Path, name: str, ignore_case: bool) -> _Inside:  # noqa: FBT001 - part of a key
        """Return what the ignore files with one name say about the contents of a folder.

        :raises Closed: one of them cannot be read.
        """
        key = (folder, top, name, ignore_case)
        if key not in self._insides:
            why = None
            if folder == top:
                lists = self._users(top, ignore_case=ignore_case) if name == GIT else ()
            else:
                above = self._inside(folder.parent, top, name, ignore_case)
                why = above.why or self._decided(folder, above, is_folder=True)
                lists = above.lists
            own = None if why else self._patterns(folder / name, ignore_case=ignore_case, follow=False)
            if own is not None:
                lists = (_List(folder / name, folder, own, takes_back=name == GIT), *lists)
                if sum(each.patterns.weight for each in lists) > _HEAVIEST_FOR_ONE:
                    raise Closed(f"{self._shown(folder / name)} and the ignore files above it hold too much")
            self._insides[key] = _Inside(why, lists)
        return self._insides[key]

    def _decided(self, path: Path, inside: _Inside, *, is_folder: bool) -> str | None:
        """Return the ignore file that excludes an entry of a folder that is not excluded itself; None for none."""
        for each in inside.lists:
            verdict = each.verdict(path, is_folder=is_folder)
            if verdict:
                return f"{self._shown(each.file)} leaves it out"
            if verdict is False and each.takes_back:
                return None
        return None

    def _users(self, top: Path, *, ignore_case: bool) -> tuple[_List, ...]:
        """Return the lists outside the working tree: the repository's ``info/exclude``, then the user's."""
        repository = self._repository(top)
        said = self._settings(repository)
        files = [(each, False) for each in git_repository.excludes_files(repository, said)]
        if repository is not None:
            files.insert(0, (repository.common / "info" / "exclude", True))
        found = ((each, flag, self._patterns(each, ignore_case=ignore_case, follow=True)) for each, flag in files)
        return tuple(_List(file, top, own, takes_back=flag) for file, flag, own in found if own is not None)

    def _repository(self, folder: Path) -> Repository | None:
        if folder not in self._repositories:
            self._repositories[folder] = git_repository.repository_at(folder)
        return self._repositories[folder]

    def _settings(self, repository: Repository | None) -> GitSettings:
        """Return the settings from git's configuration files.

        :raises Closed: one of them cannot be read.
        """
        top = repository.top if repository else None
        if top not in self._said:
            try:
                self._said[top] = git_repository.settings(repository)
            except UnreadableConfiguration as error:
                where = self._shown(error.path)
                raise Closed(
                    f"{where} cannot be read ({error}), so nothing in its repository is sent until it can"
                ) from None
        return self._said[top]

    def _patterns(self, file: Path, *, ignore_case: bool, follow: bool) -> Patterns | None:
        """Return the patterns in an ignore file; None where the file does not exist.

        :raises Closed: the file cannot be read.
        """
        key = (file, ignore_case)
        if key not in self._files:
            try:
                self._files[key] = self._loaded(file, ignore_case=ignore_case, follow=follow)
            except (Unreadable, TooMany) as error:
                why = f"{self._shown(file)} cannot be read ({error}), so nothing in its folder is sent until"
                self._files[key] = Closed(f"{why} it is {_LIMITS}")
        found = self._files[key]
        if isinstance(found, Closed):
            raise found
        return found

    def _loaded(self, file: Path, *, ignore_case: bool, follow: bool) -> Patterns | None:
        """Return the current patterns of an ignore file; an unchanged file is not read again.

        :raises Unreadable: the file is not a regular file, is too large, or cannot be read.
        :raises TooMany: the file, or all files so far, have more patterns than the limit.
        """
        try:
            facts = regular_files.identity(file.stat(follow_symlinks=follow))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise Unreadable(str(getattr(error, "strerror", "") or error)) from None
        key = (str(file), ignore_case)
        found = _read.get(key, facts)
        if found is None:
            try:
                data = regular_files.read_here(file, ignore_patterns.LARGEST, follow=follow)
            except Missing:
                return None
            found = ignore_patterns.read(data, ignore_case=ignore_case)
            _read.put(key, facts, found, found.weight)
        self._weight += found.weight
        if self._weight > _HEAVIEST:
            raise TooMany("with those before it, it holds too much")
        return found

    def _shown(self, file: Path) -> str:
        """Return a path for messages: relative to the workspace folder, else to the home folder."""
        above = file.parent if file.name in {GIT, OURS} else file
        for root in self._roots:
            if file.is_relative_to(root) or root.is_relative_to(above):
                return Path(os.path.relpath(file, root)).as_posix()
        home = Path.home()
        return f"~/{file.relative_to(home).as_posix()}" if file.is_relative_to(home) else file.as_posix()
