"""Does an explanation name what is really there? The names that it marks as code are held against the code.

Only a name that can be nothing else is counted: in back quotes, and written as names in code are (``read_all``,
``readAll``, ``a.read``, ``read()``). It is there when the file, or what the model was shown beside it, has that word,
or the language has it built in. One name that is nowhere is no fault, because a colleague may mention another library;
mostly such names are the sign of an explanation of other code.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from tuppence.core.language import ImportStyle, Language

_LEAST = 3
"""Names that are nowhere, below which an explanation is believed."""
_SHORTEST = 3
"""Characters of a name's last word, below which it may be anything."""
_MARKED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NAME = re.compile(r"(?:[^\W\d]|[$@#])[\w$]*(?:(?:\.|::|->|#)[^\W\d][\w$]*)*(\(.*\))?")
_WORD = re.compile(r"[^\W\d][\w$]*")
_CALLED_SO = re.compile(r"(?:Error|Exception|Warning)(?:\(\))?$|(?:^|\.)__\w+__")
"""Names that need not stand in code that has to do with them: what it may raise, what the language calls."""
_BROUGHT: Mapping[ImportStyle, str] = {
    "es": (
        "array object promise json math number string boolean map set weakmap weakset symbol error date regexp bigint "
        "intl proxy reflect console process window document globalthis fetch url abortcontroller settimeout "
        "setinterval cleartimeout clearinterval queuemicrotask structuredclone parseint parsefloat isnan buffer module "
        "exports require prototype"
    ),
    "go": "fmt strings strconv errors context sync time io os bytes sort math http json testing",
    "rust": "std core alloc vec option result some none ok err string box rc arc iterator clone copy send sync drop",
    "java": "string object list map set optional stream integer long double boolean math system",
}
"""What a language brings along and an explanation may name though the code does not, in lower case."""
_FENCED = re.compile(r"^(`{3,}|~{3,}).*?^\1|``.+?``", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Named:
    """The names that an explanation marks as code."""

    there: frozenset[str]
    nowhere: frozenset[str]

    @property
    def is_invented(self) -> bool:
        """Report whether most of them, and not only one or two, are nowhere."""
        return len(self.nowhere) >= _LEAST and len(self.nowhere) > len(self.there)


def named(explanation: str, given: str, known: Language) -> Named:
    """Return the names in an explanation of code that is part of what was given."""
    words = {word.casefold() for word in _WORD.findall(given)}
    if known.import_style == "python":
        words |= _python()
    words |= {*_BROUGHT.get(known.import_style, "").split()}
    there: set[str] = set()
    nowhere: set[str] = set()
    for name in _names(explanation):
        parts = [part.casefold() for part in _WORD.findall(name.partition("(")[0])]
        # The owner may be a value that the explanation names in its own way; the last part, or the first, tells.
        is_there = bool({parts[0], parts[-1]} & words) or _CALLED_SO.search(name) is not None
        (there if is_there else nowhere).add(name)
    return Named(frozenset(there), frozenset(nowhere))


def _names(explanation: str) -> Iterator[str]:
    for marked in _MARKED.findall(_FENCED.sub("", explanation)):
        found = _NAME.fullmatch(marked.strip())
        if found is None:
            continue
        name = marked.strip().partition("(")[0]
        last = _WORD.findall(name)[-1:] or [""]
        is_code = found[1] is not None or re.search(r"[_.]|::|->|[a-z][A-Z]", name) is not None
        if is_code and len(last[0]) >= _SHORTEST:
            yield marked.strip()


@cache
def _python() -> frozenset[str]:
    types = (str, bytes, int, float, list, dict, set, tuple, object, type, BaseException)
    members = (name for each in types for name in dir(each))
    return frozenset(name.casefold() for name in (*dir(builtins), *keyword.kwlist, *keyword.softkwlist, *members))
