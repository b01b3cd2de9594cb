"""Count test cases by kind, and print how many were tried and how many passed.

A counted test is marked ``@pytest.mark.<marker>(section, kind)``, where ``section`` is one of the table's sections and
``kind`` a few words. A test counts as one case, unless it reports another number with ``record_property("cases", n)``.
If a test fails, none of its cases counts as passed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class _Count:
    tried: int = 0
    held: int = 0
    skipped: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CaseTable:
    """A pytest plugin that counts the tests with one marker, and prints the table if its option is given.

    A plugin must be hashable, hence ``eq=False``: pytest puts plugins into sets where a folder has a ``conftest.py``.
    """

    marker: str
    heading: str
    sections: tuple[str, ...]
    """The sections, in the order of the table."""
    counts: dict[tuple[str, str], _Count] = field(default_factory=dict)

    @property
    def option(self) -> str:
        """The option of pytest that prints the table, such as ``--attacks``."""
        return f"--{self.marker}s"

    def record(self, item: Any) -> None:
        """Pass a test's marker on to the process that counts.

        :raises ValueError: the marker does not name a section and a kind.
        """
        marker = item.get_closest_marker(self.marker)
        if marker is None:
            return
        if len(marker.args) != len(("section", "kind")) or marker.args[0] not in self.sections:
            known = ", ".join(self.sections)
            raise ValueError(f"{item.nodeid}: @pytest.mark.{self.marker}(section, kind), with a section of {known}")
        item.user_properties.append((self.marker, tuple(marker.args)))

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Count a test that ended, was skipped, or failed during setup."""
        properties = dict(report.user_properties)
        marked = properties.get(self.marker)
        if marked is None or (report.when != "call" and report.passed) or report.when == "teardown":
            return
        count = self.counts.setdefault(tuple(marked), _Count())
        if report.skipped:
            count.skipped.append(report.nodeid)
            return
        cases = int(properties.get("cases", 1))
        count.tried += cases
        count.held += cases if report.passed else 0

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print how many cases of each kind were tried and passed, with totals by section."""
        if not terminalreporter.config.getoption(self.option):
            return
        for line in self.lines():
            terminalreporter.write_line(line)

    def lines(self) -> list[str]:
        """Return the lines of the table: the kinds of each section, then the totals."""
        lines = [f"{self.heading:<60}{'tried':>8}{'held':>8}"]
        for section in self.sections:
            rows = {kind: count for (where, kind), count in self.counts.items() if where == section}
            lines.append(_line(section, *_sums(rows.values())))
            lines += [_line(f"  {kind}", count.tried, count.held) for kind, count in sorted(rows.items())]
        tried, held = _sums(self.counts.values())
        share = f"{1000 * held // tried / 10:.1f} %" if tried else "nothing was tried"  # 100.0 % is all of them.
        lines.append(f"{_line('all', tried, held)}  {share}")
        skipped = sorted(name for count in self.counts.values() for name in count.skipped)
        return lines + [f"not tried: {name}" for name in skipped]


def _line(name: str, tried: int, held: int) -> str:
    return f"{name:<60}{tried:>8,}{held:>8,}"


def _sums(counts: Iterable[_Count]) -> tuple[int, int]:
    counts = list(counts)
    return sum(count.tried for count in counts), sum(count.held for count in counts)
