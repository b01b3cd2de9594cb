"""The language of code whose language is not given, guessed from the words and marks that begin its statements.

Each sign counts once for each line that has it, up to a limit. The language with the most points wins; with too few
points there is no guess. The guess only decides how the code is read for routing, never what is sent or shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

GIVEN_AS_UNKNOWN = frozenset({"", "plaintext", "text", "plain text"})
"""Names of a language that say nothing."""
_READ = 2000
"""Characters that are looked at."""
_MOST = 3
"""Lines with one sign that count: a long run of alike lines must not outweigh everything else."""


_LEAST = 2
"""Points that a guess needs: one weak sign may be a word in a comment."""


def _signs(*weighted: tuple[int, str]) -> tuple[tuple[int, re.Pattern[str]], ...]:
    return tuple((weight, re.compile(pattern, re.MULTILINE)) for weight, pattern in weighted)


_SIGNS: Mapping[str, tuple[tuple[int, re.Pattern[str]], ...]] = {
    "python": _signs(
        (3, r"^[ \t]{0,40}(?:async )?def \w{1,80}\("),
        (3, r"^[ \t]{0,40}(?:elif|except|with|for|if|while|else|try|class)\b[^{;]{0,200}:[ \t]{0,9}(?:#|$)"),
        (2, r"\bself\.\w|\bNone\b|\bTrue\b|\bFalse\b"),
        (2, r"^(?:from [\w.]{1,80} )?import [\w., ]{1,200}$"),
    ),
    "rust": _signs(
        (3, r"^[ \t]{0,40}(?:pub(?:\(\w{1,20}\))? )?(?:const |async |unsafe )?fn \w"),
        (3, r"\blet mut \b|\bimpl\b[^;]{0,80}\{|&mut |&self|->[ \t]?(?:Result|Option|Self|&|u\d|i\d|bool|Vec)"),
        (3, r"\busize\b|\bimpl\b|\bfn \w|\benum \w{1,80} \{|\bOrdering::"),
        (2, r"\w!\(|\.unwrap\(\)|::<|\bmatch \w[^;]{0,80}\{"),
    ),
    "go": _signs(
        (4, r"^[ \t]{0,40}func (?:\(\w{1,40} \*?\w{1,40}\) )?\w{0,80}\("),
        (3, r":= |^package \w|\bchan \w|\bdefer \w|\bgo func\b|^type \w{1,80} (?:struct|interface)\b"),
        (2, r"\berr != nil\b|\[\]\w{1,40}\b|\bmap\[\w"),
    ),
    "java": _signs(
        (3, r"\b(?:public|private|protected)(?: \w{1,40}){0,3} [\w<>\[\], ]{1,80} \w{1,80} ?\("),
        (3, r"^import java|^package [\w.]{1,80};|\bSystem\.out\.|@Override|\bthrows \w|\bfinal \w"),
        (2, r"\bnew [A-Z]\w{0,80}[<(]|\bString\b|\bboolean\b|\bimplements\b|\bextends\b"),
    ),
    "cpp": _signs(
        (
            3,
            r"^[ \t]{0,40}#include\b|\bstd::(?!\w{1,40}::)|\btemplate ?<|\bpublic:|\bprivate:|\bnullptr\b|\w::~?\w",
        ),
        (2, r"\bvector<|\bauto [&*]?\w|\bconst \w{1,40}[&*]|\w& \w{1,40}[,)]|\bcout\b"),
    ),
    "c": _signs(
        (2, r"^[ \t]{0,40}#(?:include <\w{1,40}\.h>|define\b|ifdef\b)|\bstruct \w{1,80} \*|\bNULL\b|\bsizeof\b"),
        (2, r"^(?:static )?(?:inline )?(?:unsigned )?(?:int|void|char|size_t|long|double|uint\d\d?_t) \*?\w{1,80}\("),
        (1, r"->\w|\bmalloc\(|\bfree\(|\bprintf\("),
    ),
    "typescript": _signs(
        (3, r"^[ \t]{0,40}(?:export )?(?:interface|type|enum) \w{1,80}[^;(]{0,80}[={]"),
        (3, r"\w\??: (?:string|number|boolean|any|void|unknown|Promise<|\w{1,40}\[\])"),
        (1, r"\bconst \w|=> ?[{(]|\bfunction\b"),
    ),
    "javascript": _signs(
        (3, r"\bfunction ?\*?\w{0,80} ?\(|\bmodule\.exports\b|\brequire\(|\bconsole\.\w"),
        (2, r"\b(?:const|let|var) [\w{\[][^;]{0,80} = |=== |!== |=> ?[{(\w]"),
        (1, r"\basync \w|\bawait \w|\bundefined\b|\bthis\.\w"),
    ),
}


def guess(code: str) -> str:
    """Return the editor's name of the most likely language of some code; empty if there is too little evidence."""
    text = code[:_READ]
    points = {
        name: sum(weight * min(_MOST, len(sign.findall(text))) for weight, sign in signs)
        for name, signs in _SIGNS.items()
    }
    best = max(points, key=lambda name: points[name])
    return best if points[best] >= _LEAST else ""
