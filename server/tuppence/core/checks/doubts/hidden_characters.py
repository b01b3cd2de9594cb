"""Find invisible characters in new code, and names that look like other names.

An edit that adds invisible or bidirectional control characters is rejected, because code that reads differently from
how it runs is never intended. Characters that emoji and joining scripts need are allowed in strings and comments
(:mod:`tuppence.core.text.joiners`). A name of mixed scripts, or one that looks like an existing name, is a doubt.
Characters are counted one by one; a character is new if the old text has fewer of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator

from tuppence.core.checks.doubts.import_tables import FAMILIES
from tuppence.core.checks.edited_text import EditedText
from tuppence.core.syntax.tree import Tree
from tuppence.core.text.document import Span
from tuppence.core.text.hidden import called, hidden
from tuppence.core.text.joiners import is_needed
from tuppence.core.text.scripts import is_mixed, scripts, signs, skeleton

_NAMED = 3
"""Maximum number of names or characters in one sentence."""
_PARTS = re.compile(r"[\W\d_]+")
_ESCAPE = re.compile(r"\\u+\{?([0-9A-Fa-f]{1,6})\}?|\\U([0-9A-Fa-f]{8})")
_JAVA = re.compile(r"\\u+(00[2-7][0-9A-Fa-f]|000[AaDd])")
"""An ASCII character or line ending as a Unicode escape, which Java decodes before it parses."""


def refused(edited: EditedText) -> str:
    """Return a sentence that names the invisible characters an edit adds; empty if there are none."""
    come = Counter(found[0] for found in hidden(edited.lines[1]))
    if come:
        was, now = _unneeded(edited.old), _unneeded(edited.new)
        fresh = sorted(each for each in come if now[each] > was[each])
        if fresh:
            more = f" and {len(fresh) - _NAMED} more" if len(fresh) > _NAMED else ""
            return f"The answer contains characters that do not show: {', '.join(map(called, fresh[:_NAMED]))}{more}."
    if edited.language.id == "java" and (escaped := _new(_JAVA, edited)):
        return f"The answer writes code as an escape, which Java reads as the character itself: “{escaped}”."
    return ""


def doubts(edited: EditedText) -> Iterator[str]:
    """Yield the doubts about an edit's names, as clauses whose subject is the answer."""
    come = edited.lines[1]
    if come.isascii() and "\\" not in come:
        return
    old, new = edited.old, edited.new
    fresh = new.names(Span(0, len(new.text))) - old.names(Span(0, len(old.text)))
    odd = sorted(name for name in fresh if not name.isascii() or "\\" in name)
    if not odd:
        return
    family = FAMILIES.get(edited.language.import_style.name)
    given = family.given if family else ()
    there = {name for name in (*old.names(Span(0, len(old.text))), *fresh, *given) if name.isascii()}
    shown = 0
    for name in odd:
        plain = _ESCAPE.sub(lambda found: _character(found[1] or found[2]), name)
        if clause := _clause(name, plain, there):
            yield clause
            shown += 1
        if shown == _NAMED:
            return


def _clause(name: str, plain: str, there: set[str]) -> str:
    """Return a clause about a suspicious name; empty if there is nothing suspicious.

    :param plain: the name without escapes.
    :param there: the other ASCII names.
    """
    if plain != name:
        return f"writes the name “{plain}” with escapes"
    if (read := unicodedata.normalize("NFKC", name)) != name and read.isascii():
        return f"writes “{name}”, which reads as `{read}`"
    if any(is_mixed(part) for part in _PARTS.split(name)):
        names = " and ".join(sorted(each.title() for each in scripts(name)))
        return f"mixes the scripts {names} in the name “{name}”"
    if likes := signs(name):
        return f"writes the name “{name}”, in which “{likes}” looks like a sign"
    looks = skeleton(name)
    if looks in there and looks != unicodedata.normalize("NFKD", name):
        return f"writes the name “{name}”, which looks like `{looks}`"
    return ""


def _unneeded(tree: Tree) -> Counter[str]:
    """Count the invisible characters of a text that are not needed where they are."""
    places = list(hidden(tree.text))
    if not places:
        return Counter()
    around = Span(places[0].start(), places[-1].end())
    words = iter((*tree.strings(around), *tree.comments(around)))
    ordered = sorted(words)
    found: Counter[str] = Counter()
    at = 0
    for each in places:
        start = each.start()
        while at < len(ordered) and ordered[at].end <= start:
            at += 1
        is_said = at < len(ordered) and ordered[at].start <= start
        if not (is_said and is_needed(tree.text, start)):
            found[each[0]] += 1
    return found


def _new(pattern: re.Pattern[str], edited: EditedText) -> str:
    """Return the first match of a pattern that the new lines have more often than the old ones; empty if none."""
    old, new = edited.lines
    was = Counter(found[0] for found in pattern.finditer(old))
    now = Counter(found[0] for found in pattern.finditer(new))
    return next(iter(now - was), "")


def _character(code: str) -> str:
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF else ""  # noqa: PLR2004 - the last code point
