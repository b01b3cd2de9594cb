"""Words of others in a report: safe to look at on a page, and no formula in a sheet."""

from __future__ import annotations

import html
import re

from tuppence.core.text.shown_text import shown

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
# What a spreadsheet takes for the beginning of a formula, in a cell and after whatever it may take for a cell's end;
# it may skip white space and quotation marks before it. Excel knows the full-width forms too.
_FORMULA = re.compile(r"(^|[;,|])([\s\"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20\u2212])")


def escape(text: str) -> str:
    """Return a text for HTML and SVG, with what is hidden in it visible."""
    return html.escape(shown(text))


def cell(text: str) -> str:
    """Return a text as the cell of a sheet, on one line; an apostrophe says that what follows it is no formula."""
    line = shown(text)
    return line if _NUMBER.fullmatch(line) else _FORMULA.sub(r"\1\2'", line)
