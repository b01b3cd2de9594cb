"""A person's sitting: thirty actions over four files, with ten edits in between, the same on every machine.

Two kinds. *Moving on*: a file is stayed with, now and then the one before is looked into again, and what is edited is
what the last action was about, as a fix that was kept does, or what the next one is about. *Jumping*: any file may be
next, and half of the edits are anywhere in it. Gaps are from 15 to 90 seconds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from tuppence.core.actions import EXPLAIN, FIX, REVIEW, TESTS, Action

WORDS = ("order", "total", "stock", "price", "shelf", "label", "count", "limit", "batch", "entry", "queue", "ratio")
FILES = 4
FUNCTIONS = 40
"""Of a file."""
ASKED = (FIX, EXPLAIN, TESTS, REVIEW)
"""What is asked for: named, so that a further action in the menu leaves the sittings as they were."""
_LEAVE = 0.35
_LOOK_BACK = 0.25


@dataclass(frozen=True)
class Deed:
    """One action, and what was done just before it."""

    seconds: float
    """Since the one before."""
    file: int
    """Which file, from 0."""
    function: int
    """Which function it is about, from 0."""
    action: Action
    edits: int | None
    """The function of this file in which a line is added first; None for no edit."""


def plan(kind: Literal["moving on", "jumping"], seed: int = 1, actions: int = 30, edits: int = 10) -> list[Deed]:
    """Return a sitting."""
    chance = random.Random(seed)  # noqa: S311 - it must be the same each time
    edited = set(chance.sample(range(FILES, actions), edits))
    about = [chance.randrange(FUNCTIONS) for _ in range(FILES)]
    deeds: list[Deed] = []
    for number in range(actions):
        file = _file(kind, number / actions, deeds, chance)
        last, about[file] = about[file], chance.choice((about[file], chance.randrange(FUNCTIONS)))
        where = chance.choice((last, last, about[file]))
        if kind == "jumping":
            where = chance.choice((where, chance.randrange(FUNCTIONS)))
        edit = where if number in edited and any(deed.file == file for deed in deeds) else None
        deeds.append(Deed(chance.uniform(15, 90), file, about[file], chance.choice(ASKED), edit))
    return deeds


def _file(kind: str, done: float, deeds: list[Deed], chance: random.Random) -> int:
    if kind == "jumping":
        return chance.randrange(FILES) if not deeds or chance.random() < _LEAVE else deeds[-1].file
    now = int(done * FILES)
    return now - 1 if now and chance.random() < _LOOK_BACK else now


def source(name: str, size: int, functions: int = FUNCTIONS) -> str:
    """Return a Python file of so many tokens and functions."""
    chance = random.Random(name)  # noqa: S311 - it must be the same each time
    head = f'"""The {name} of the stock room."""\n\nimport math\n\n'
    room = int(size * 3.4) - len(head)
    text = head + "\n\n".join(_function(name, number, room // functions, chance) for number in range(functions))
    return f"{text}\n\n# {'.' * max(int(size * 3.4) - len(text) - 6, 3)}\n"


def edit(text: str, function: int) -> str:
    """Return the text with a line more at the beginning of one function's body."""
    start = text.index(f"_{function}(")
    at = text.index("\n", start) + 1
    return f"{text[:at]}    total = {text.count('total')}\n{text[at:]}"


def _function(name: str, number: int, room: int, chance: random.Random) -> str:
    first, second = chance.sample(WORDS, 2)
    lines = [f"def {first}_{name}_{number}({second}s, {first}=0):"]
    while sum(map(len, lines)) + len(lines) < room - 80:
        one, other = chance.sample(WORDS, 2)
        lines.append(
            chance.choice(
                (
                    f"    {one} = {other}_{chance.randrange(100)} = {first} * {chance.randrange(1, 99)}",
                    f"    # The {one} of each {other} is what its {second} was before.",
                    f"    for {one} in {second}s:\n        {first} += {one} - {chance.randrange(9)}",
                    f"    if {first} > {chance.randrange(500)}:\n        {first} = math.floor({first} / 2)",
                )
            )
        )
    lines.append(f"    return {first}\n")
    return "\n".join(lines)
