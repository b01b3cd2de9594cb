"""What a project has: found when it is first asked for, once, and what is its own by another name."""

from __future__ import annotations

import pytest

from tuppence.core.syntax.languages import language
from tuppence.core.syntax.packages import DeferredPackages, Packages, is_new


def test_a_project_is_looked_at_once_and_only_when_it_is_asked_for() -> None:
    asked: list[None] = []

    def find() -> Packages:
        asked.append(None)
        return Packages(frozenset({"react"}), complete=True, aliases=("@/*",))

    packages = DeferredPackages(find)
    assert asked == []
    assert (packages.names, packages.complete, packages.aliases) == (frozenset({"react"}), True, ("@/*",))
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("module", "new"),
    [
        ("@/store/users", False), ("app", False), ("app/x", True), ("lib/deep/b.css", False), ("lib/b.js", True),
        ("react", False), ("@types/react", True), ("left-pad", True), ("./own", False), ("node:fs", False),
    ],
)  # fmt: skip
def test_what_a_project_calls_by_an_alias_is_its_own(module: str, *, new: bool) -> None:
    packages = Packages(frozenset({"react"}), complete=True, aliases=("@/*", "app", "lib/*.css"))
    assert is_new(module, language("typescript"), packages) is new
