"""Hypothesis strategies for documents, targets and replies. ``EXAMPLES`` sets their number for the long mode."""

from __future__ import annotations

import os
import random

from hypothesis import strategies as st
from tests.editors.tally import Tally

from tuppence.core.answer.patch import Patch
from tuppence.core.text.document import Document, Span
from tuppence.core.text.lines import split

EXAMPLES = int(os.environ.get("EXAMPLES", "0"))
"""The number of examples per property; 0 for the number that fits an ordinary test run."""
TALLY = Tally()
"""Counts of the documents on which the whole engine was tried."""
LINES = st.sampled_from(
    [
        "",
        "x = 1",
        "    x = 1",
        "\tx",
        "  }",
        "}",
        "    return é",
        "😀 = '👩‍👩‍👧'",
        "e\u0301",
        "else:",
        "   ",
        "pass",
        "a\u2028b",
        "c\x0cd",
    ]
)
Case = tuple[Document, Span, str, int]
"""A document, its target, a reply, and the length of the reply's chunks."""

_documents = st.tuples(
    st.lists(LINES, max_size=6), st.lists(LINES, min_size=1, max_size=14), st.lists(LINES, max_size=6)
)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    head, block, tail = draw(_documents)
    dice = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311 - lines, no secrets
    is_long = draw(st.integers(0, 3)) == 3
    block = grown(dice) if is_long else block
    endings = draw(st.sampled_from([("\n",), ("\r\n",), ("\n", "\r\n", "\r")]))
    ending = st.sampled_from(endings)

    def joined(lines: list[str]) -> str:
        return "".join(line + draw(ending) for line in lines)

    before, inside = joined(head), joined(block[:-1]) + block[-1]
    after = "".join(draw(ending) + line for line in tail)
    # A target consists of whole lines, so neither of its ends may split a CR LF. Deleting it must not create one
    # either: text between a lone CR and an LF can only be emptied by merging the two into one line ending.
    if before.endswith("\r") and f"{inside}{after}".startswith("\n"):
        before = f"{before[:-1]}\n"
    if (before.endswith("\r") or inside.endswith("\r")) and after.startswith("\n"):
        after = f"\r{after}"
    document = Document("file:///a.py", "python", 1, before + inside + after)
    reply = draw(fenced(st.just(worked_on(dice, block)), block)) if is_long else draw(replies(block))
    size = draw(st.sampled_from([7, 30, 200, 5000])) if is_long else draw(st.integers(1, 30))
    return document, Span(len(before), len(before + inside)), reply, size


def grown(dice: random.Random) -> list[str]:
    """Return a long block: lines of any length, some of which repeat often."""
    often = ["}", "", "    return x", "    " + "and so on, " * 8]
    width = dice.choice([0, 20, 90])
    return [
        dice.choice(often) if dice.random() < 0.25 else f"    line {number} {'x' * dice.randint(0, width)}"
        for number in range(dice.randint(15, 120))
    ]


def worked_on(dice: random.Random, block: list[str]) -> list[str]:
    """Return a block with parts of it deleted, moved or repeated, or with new lines between them."""
    lines: list[str] = []
    at = 0
    few, many = dice.choice([1, 3]), dice.choice([3, 31, 50])
    deeds = dice.sample(["keep", "drop", "drop", "add", "alter", "move", "again"], dice.randint(2, 7))
    while at < len(block):
        deed, size = dice.choice(deeds), dice.randint(1, dice.choice([few, many]))
        match deed:
            case "drop":
                at += size
                continue
            case "add":
                lines += [f"    new {dice.random()}"] * min(size, 5)
            case "alter":
                lines += [f"    {line.strip()}, too" for line in block[at : at + size]]
            case "move":
                place = dice.randrange(len(block))
                lines += block[place : place + min(size, 20)]
                continue
            case "again":
                lines += block[at : at + size]
        lines += [] if deed in ("alter", "add") else block[at : at + size]
        at += 0 if deed == "add" else size
        if len(lines) > 3 * len(block):
            break
    return lines or ["pass"]


@st.composite
def replies(draw: st.DrawFn, block: list[str]) -> str:
    kept = draw(st.lists(st.sampled_from(block), max_size=6))
    fresh = draw(st.lists(st.one_of(LINES, st.sampled_from(block)), max_size=10))
    start = draw(st.integers(0, len(block)))
    return draw(
        fenced(st.sampled_from([[*fresh, *block[start:]], [*block[:start], *fresh], [*kept, *fresh], block]), block)
    )


@st.composite
def fenced(draw: st.DrawFn, codes: st.SearchStrategy[list[str]], block: list[str]) -> str:
    """Return a reply that answers with one of the codes."""
    reply = draw(codes)
    text = draw(st.sampled_from(["\n", "\r\n"])).join(reply)
    fence = draw(st.sampled_from(["```python\n{}\n```\n", "Sure!\n~~~\n{}\n~~~\nbye", "```\n{}\n```", "```\n{}"]))
    return draw(besides(block)).replace("{}", fence.replace("{}", text))


@st.composite
def besides(draw: st.DrawFn, block: list[str]) -> str:
    """Return a template for the text around the code: often empty, else with a quote of the target or another fence."""
    first = draw(st.integers(0, len(block) - 1))
    quoted = block[first : draw(st.integers(first + 1, len(block)))]
    lines = draw(st.sampled_from([quoted, [line.strip() for line in quoted], draw(st.lists(LINES, max_size=3))]))
    other = "```\n{}\n```\n".replace("{}", "\n".join(lines))
    return draw(st.sampled_from(["{}", "{}", "{}", f"So:\n{other}is now:\n{{}}", f"{{}}\nAs in:\n{other}"]))


def expect_sent(patch: Patch, document: Document, target: Span) -> None:
    """Assert that the patched target is what the model sent, except for the repairs that the patch names."""
    sent = [line for line, _ in split(patch.parts.fences[0].text)] if patch.parts.fences else []
    stands = [line for line, _ in split(patch.replacement)]
    if not sent:
        assert patch.replacement == document.slice(target)
        return
    if "final newline" in patch.repairs:
        assert not document.text
        sent = [*sent, ""]
    if "indentation" in patch.repairs:
        sent, stands = [line.strip() for line in sent], [line.strip() for line in stands]
    assert stands == sent
    if not patch.repairs:
        assert patch.replacement == patch.parts.fences[0].text
