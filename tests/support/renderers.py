"""Render texts with the Markdown renderers of VS Code, run by Node, and with markdown-it-py.

``html_of`` takes many texts at once, so that Node is started only once. ``alive`` finds anything in such HTML that
could load, link or run something.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

FOLDER = Path(__file__).parent / "markdown_renderers"
NAMES = ("marked of VS Code", "newest marked", "markdown-it with everything on", "markdown-it-py")
_PYTHON = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_TAG = re.compile(r"<([/!?]?)([^\s>/]*)([^>]*)>")
_TAGS = frozenset(
    """
    p h1 h2 h3 h4 h5 h6 pre code em strong del s ul ol li blockquote hr br table thead tbody tr th td
    """.split()  # noqa: SIM905
)
_ATTRIBUTES = re.compile(
    r'(?:\s+(?:class="language-[\w+#.-]*"|start="\d+"|align="(?:left|right|center)"'
    r'|style="text-align:(?:left|right|center)"))*\s*/?'
)
_BOX = re.compile(r'(?:\s+(?:type="checkbox"|disabled=""|checked=""))*\s*/?')


def html_of(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the HTML of each text from each renderer in ``NAMES``. Skip the test if Node is not installed."""
    if not shutil.which("node"):
        pytest.skip("node is not installed: marked and markdown-it, VS Code's renderers, were not tried")
    if not (FOLDER / "node_modules" / "marked").exists():
        pytest.skip(f"the renderers are not installed: npm ci in {FOLDER.name}, which `make test` does")
    lines = "".join(f"{json.dumps(text)}\n" for text in texts)
    done = subprocess.run(["node", "render.mjs"], cwd=FOLDER, input=lines, capture_output=True, text=True, check=True)
    found = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    assert len(found) == len(texts)
    return [(*each, str(_PYTHON.render(text))) for each, text in zip(found, texts, strict=True)]


def alive(html: str) -> str:
    """Return the first tag in the HTML that harmless text does not produce; empty if there is none."""
    for found in _TAG.finditer(html):
        slash, name, attributes = found.groups()
        allowed = _BOX if name == "input" else _ATTRIBUTES if name in _TAGS else None
        if slash in ("!", "?") or allowed is None or not allowed.fullmatch(attributes):
            return found[0]
    rest = re.search(r"<[^<>]*$", html)
    return rest[0] if rest else ""


def read(html: str) -> str:
    """Return the visible text of HTML, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())
