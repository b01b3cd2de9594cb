"""How a model is asked for SEARCH/REPLACE blocks inside of the target instead of all of its new text.

The words go to the end of the tail, so that what requests share is one text for every model and either form. Which form
is asked for is decided in core/routing/edit_form.py. A model may answer in the other form, so the output limit is that
of a whole answer.
"""

from __future__ import annotations

import re
from dataclasses import replace

from tuppence.core.prompt.compose import Prompt

BLOCKS = """For this task do not write the complete new text of the target: it is long. Answer with one fenced code \
block that holds only the changes, for each place that changes a part of exactly this form:

<<<<<<< SEARCH
the lines that change, copied from the target
=======
the lines that take their place
>>>>>>> REPLACE

Copy the lines to search for exactly: whole lines, with their indentation, nothing left out. Together they must be in \
one place of the target only, whatever their indentation, so add a line that stays above or below where they are not. \
Keep each part as short as that allows, and write the parts in the target's order. Import lines still go into a fenced \
block of their own, whose info word is `imports`."""
"""What is added to a prompt."""
_SPACE = r"[^\S\r\n]*"
_LINE = rf"(?:\A|[\r\n]){_SPACE}"
_OPENING = re.compile(rf"{_LINE}[<-]{{5,}}{_SPACE}(?:SEARCH|ORIGINAL)", re.IGNORECASE)
"""A line that begins a block, whichever of the usual words it has."""
_MARK = re.compile(
    rf"{_LINE}(?:<{{5,}}|>{{5,}}|={{5,}}{_SPACE}(?:[\r\n]|\Z)|[+-]{{5,}}{_SPACE}(?:SEARCH|ORIGINAL|REPLACE|UPDATED))",
    re.IGNORECASE,
)
"""A line that could be taken for any mark of a block."""


def in_blocks(prompt: Prompt) -> Prompt:
    """Return the prompt that asks for blocks; only its tail is another."""
    return replace(prompt, tail=f"{prompt.tail}\n\n{BLOCKS}")


def takes_blocks(target: str, document: str) -> bool:
    """Report whether blocks can edit a target, given the text of all of its document.

    There must be some code, no line of it like a mark of a block, and no line of the document like one that begins a
    block: such lines in an answer could be code.
    """
    if not target.strip() or (_has_any(target, "<>=+-") and _MARK.search(target)):
        return False
    return not (_has_any(document, "<-") and _OPENING.search(document))


def _has_any(text: str, marks: str) -> bool:
    """Report whether there are five such characters in a row: most code has none, and a search takes a moment."""
    return any(mark * 5 in text for mark in marks)
