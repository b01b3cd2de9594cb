"""Make foreign text in a report safe: visible on a page, and never a formula in a spreadsheet."""

from __future__ import annotations

import html
import re

from tuppence.core.text.shown_text import shown

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
# What a spreadsheet takes for the start of a formula, in a cell and after anything that it may take for the end of a
# cell. It may skip white space and quotation marks before it. Excel also accepts the full-width forms.
_FORMULA = re.compile(r"(^|[;,|])([\s\"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])")


def escape(text: str) -> str:
    """Escape a text for HTML and SVG, and make hidden characters in it visible."""
    return html.escape(shown(text))


def cell(text: str) -> str:
    """Return a text as a spreadsheet cell on one line; a leading apostrophe prevents a formula."""
    line = shown(text)
    return line if _NUMBER.fullmatch(line) else _FORMULA.sub(r"\1\2'", line)
