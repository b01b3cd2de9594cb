"""A line that `make coverage` leaves out says why: the only ways to leave one out are listed here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from paths import PACKAGE, ROOT

PRAGMA = re.compile(r"#\s*pragma:\s*no\s*(?:cover|branch)\b(?P<rest>[^\n]*)")
REASON = re.compile(r" - (?:\S+ ){3,}\S+")
"""What follows a pragma: a dash, and four words at least."""
FILES = sorted(PACKAGE.rglob("*.py"))


def without_reason(text: str) -> list[str]:
    """Return the pragmas of a text that give no reason."""
    return [found[0] for found in PRAGMA.finditer(text) if not REASON.match(found["rest"])]


@pytest.mark.parametrize(
    ("line", "bare"),
    [
        ("return 1  # pragma: no cover", True),
        ("return 1  # pragma: no cover - Windows", True),
        ("return 1  #pragma:no branch: never", True),
        ("return 1  # pragma: no cover - only a kernel without Landlock comes here", False),
        ("return 1  # pragmatic", False),
    ],
)
def test_a_pragma_without_a_reason_is_found(line: str, bare: bool) -> None:  # noqa: FBT001
    assert bool(without_reason(line)) == bare


def test_each_pragma_gives_its_reason() -> None:
    found: dict[Path, list[str]] = {path: without_reason(path.read_text(encoding="utf-8")) for path in FILES}
    assert {path: bare for path, bare in found.items() if bare} == {}


def test_no_lines_are_left_out_but_imports_for_types_and_the_bodies_of_protocols() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]
    assert settings["run"]["branch"] is True
    assert set(settings["run"]) == {"branch", "parallel", "patch", "source_pkgs"}
    assert settings["report"]["exclude_also"] == ["if TYPE_CHECKING:", r": \.\.\.$"]
    assert settings["report"]["include"] == ["server/*"]
    assert set(settings["report"]) == {"fail_under", "include", "show_missing", "skip_covered", "exclude_also"}


def test_a_line_or_branch_without_a_test_and_without_a_reason_fails_the_command() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["coverage"]
    assert settings["report"]["fail_under"] == 100
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^coverage:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
    assert recipe.splitlines()[-1] == "\t$(BIN)/python -m coverage report", "with what pyproject.toml says, and last"
