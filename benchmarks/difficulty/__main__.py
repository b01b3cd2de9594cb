"""``python -m benchmarks.difficulty``: prints RESULTS.md, how well the counts order the labeled functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

from benchmarks.difficulty.labeled import LabeledFunction, functions, kappa, order, pairs_in_order
from benchmarks.routing.measure import interval, spearman
from tuppence.core.actions import ACTIONS
from tuppence.core.routing.difficulty import rate
from tuppence.core.routing.features import profile

FAMILIES = {
    "C, C++": {"c", "cpp"},
    "Go": {"go"},
    "Java": {"java"},
    "JavaScript, TypeScript": {"js"},
    "Python": {"py"},
    "Rust": {"rs"},
}
"""The prefixes of ids by what their languages are called."""
LEVELS = ("simple", "moderate", "hard")
Number = Callable[[LabeledFunction], float]


@cache
def by_grammar(each: LabeledFunction) -> float:
    """Return the number that is shown."""
    return rate(profile(each.language, each.code), "explain").value


@cache
def by_words(each: LabeledFunction) -> float:
    """Return the number that is shown where the language is not known."""
    return rate(profile("", each.code), "explain").value


@cache
def by_lines(each: LabeledFunction) -> float:
    """Return the number of lines: what has to be beaten."""
    return float(sum(bool(line.strip()) for line in each.code.splitlines()))


NUMBERS: dict[str, Number] = {"counts": by_grammar, "counts, language unknown": by_words, "lines alone": by_lines}


def main() -> None:
    """Print the report."""
    every = functions()
    parts = {
        "chosen by": [each for each in every if not each.held_out],
        "held out": [each for each in every if each.held_out],
    }
    lines = [
        "# Difficulty: results",
        "",
        *_head(every),
        "",
        "| part | number | functions | Spearman | 95 % interval | trivial before hard |",
        "|---|---|--:|--:|--:|--:|",
        *(_row(part, own, name) for part, own in parts.items() for name in NUMBERS),
        "",
        "Trivial before hard on the held-out part, by action: "
        + ", ".join(f"{each.id} {_for_action(parts['held out'], each.id):.1%}" for each in ACTIONS)
        + ".",
        "",
        "| held out, by language | functions | Spearman | trivial before hard |",
        "|---|--:|--:|--:|",
        *_languages(parts["held out"]),
        "",
        "| held out: label \\ shown | simple | moderate | hard |",
        "|---|--:|--:|--:|",
        *_levels(parts["held out"]),
    ]
    print("\n".join(lines))


def _head(every: Sequence[LabeledFunction]) -> list[str]:
    first, second, third = zip(*((each.first, each.second, each.third) for each in every), strict=True)
    held_out = [each for each in every if each.held_out]
    theirs = spearman([by_grammar(each) for each in held_out], [each.third for each in held_out])
    made = "Written by `python -m benchmarks.difficulty > benchmarks/difficulty/RESULTS.md`"
    return [
        f"{made}; [README.md](README.md) says what is measured.",
        "",
        f"{len(every)} functions, labeled twice by their author and once by a reader who did not know them.",
        "",
        "| readings | alike | at most one label apart | kappa, weighted by squares |",
        "|---|--:|--:|--:|",
        _agreement("the author, twice", first, second),
        _agreement("the author and the other reader", first, third),
        "",
        f"Spearman of the counts with the other reader's labels, on the held-out part: {theirs:.2f}.",
    ]


def _agreement(who: str, one: Sequence[int], other: Sequence[int]) -> str:
    apart = [abs(a - b) for a, b in zip(one, other, strict=True)]
    return f"| {who} | {apart.count(0)} | {sum(each <= 1 for each in apart)} | {kappa(one, other):.2f} |"


def _row(part: str, own: Sequence[LabeledFunction], name: str) -> str:
    number = NUMBERS[name]
    rows = [(number(each), each.label) for each in own]
    low, high = interval(rows, _spearman_of)
    return (
        f"| {part} | {name} | {len(own)} | {order(own, number):.2f} | {low:.2f} to {high:.2f} | "
        f"{pairs_in_order(own, number):.1%} |"
    )


def _spearman_of(rows: Sequence[tuple[float, ...]]) -> float:
    return spearman([row[0] for row in rows], [row[1] for row in rows])


def _for_action(own: Sequence[LabeledFunction], action: str) -> float:
    return pairs_in_order(own, lambda each: rate(profile(each.language, each.code), action).value)


def _languages(own: Sequence[LabeledFunction]) -> list[str]:
    found = []
    for name, prefixes in FAMILIES.items():
        some = [each for each in own if each.id.split("-")[0] in prefixes]
        right = pairs_in_order(some, by_grammar)
        found.append(f"| {name} | {len(some)} | {order(some, by_grammar):.2f} | {right:.1%} |")
    return found


def _levels(own: Sequence[LabeledFunction]) -> list[str]:
    shown = Counter(f"{each.level} {rate(profile(each.language, each.code), 'explain').level}" for each in own)
    return [f"| {row} | " + " | ".join(str(shown[f"{row} {column}"]) for column in LEVELS) + " |" for row in LEVELS]


if __name__ == "__main__":
    main()
