"""Check whether the names that an explanation marks as code occur in the code.

Only unambiguous names count: in backquotes, and in the form of code (``read_all``, ``readAll``, ``a.read``,
``read()``). A name is known if the file, or other context shown to the model, contains the word, or if it is built into
the language. A name qualified by a well-known module or package (``statistics.fmean``) is a suggestion and does not
count. A single unknown name is acceptable, because an explanation may mention another library. If most names are
unknown, the explanation is about other code.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tuppence.core.syntax.import_statements import StyleName
from tuppence.core.syntax.languages import Language

_LEAST = 3
"""Minimum number of unknown names for an explanation to be rejected."""
_SHORTEST = 3
"""Minimum length of a name's last word; a shorter word is ambiguous."""
_MARKED = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NAME = re.compile(r"(?:[^\W\d]|[$@#])[\w$]*(?:(?:\.|::|->|#)[^\W\d][\w$]*)*(\(.*\))?")
_WORD = re.compile(r"[^\W\d][\w$]*")
_CALLED_SO = re.compile(r"(?:Error|Exception|Warning)(?:\(\))?$|(?:^|\.)__\w+__")
"""Matches names that need not occur in the code: exceptions that it may raise, and special names of the language."""
_PYTHON_TYPES = (str, bytes, int, float, list, dict, set, tuple, object, type, BaseException)
_PYTHON_WORDS = (
    *dir(builtins),
    *keyword.kwlist,
    *keyword.softkwlist,
    *(name for each in _PYTHON_TYPES for name in dir(each)),
)
_BUILTINS: Mapping[StyleName, str] = {
    "python": " ".join(_PYTHON_WORDS).casefold(),
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
"""Names that are built into a language, so that an explanation may use them although the code does not; in lower
case."""
_KNOWN: Mapping[StyleName, str] = {
    "python": (
        "numpy np pandas pd scipy sklearn matplotlib plt seaborn sns torch tensorflow tf keras jax polars pl requests "
        "httpx aiohttp flask django fastapi starlette pydantic sqlalchemy alembic celery redis boto3 click typer rich "
        "attr attrs yaml toml orjson dateutil pytz arrow pendulum pytest hypothesis mock tqdm joblib numba cython PIL "
        "cv2 bs4 lxml selenium playwright jinja2 markdown cryptography bcrypt jwt psutil more_itertools toolz networkx "
        "sympy statsmodels nltk spacy transformers openai anthropic structlog loguru tenacity cachetools anyio trio"
    ),
    "es": (
        "fs path os http https crypto util events stream child_process worker_threads url zlib react reactdom vue "
        "angular svelte lodash _ underscore ramda r axios express koa fastify rxjs moment dayjs datefns luxon zod yup "
        "jest vitest vi chai sinon jquery $ d3 three redux immer next nuxt prisma mongoose sequelize webpack vite"
    ),
    "go": (
        "bufio bytes cmp container context crypto database embed encoding errors expvar flag fmt hash html http io "
        "iter log maps math mime net os path rand reflect regexp runtime slices slog sort sql strconv strings sync "
        "atomic template testing time unicode utf8 filepath exec ioutil errgroup zap cobra viper"
    ),
    "rust": (
        "std core alloc tokio serde serde_json anyhow thiserror rayon itertools regex chrono rand reqwest hyper axum "
        "clap tracing log futures hashmap hashset btreemap vec string option result iter mem fs io thread"
    ),
    "java": (
        "arrays collections collectors objects optional stream intstream files paths path list map set string math "
        "system thread executors completablefuture duration instant localdate stringbuilder comparator java javax "
        "spring guava lists maps sets strings stringutils junit mockito"
    ),
    "include": "std boost fmt absl",
}
"""Modules and packages, in lower case, from which an explanation may suggest names that are not in the code."""
_FENCED = re.compile(r"^(`{3,}+|~{3,}+).*?^\1|``.+?``", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Named:
    """The names that an explanation marks as code."""

    there: frozenset[str]
    nowhere: frozenset[str]

    @property
    def is_invented(self) -> bool:
        """Report whether at least ``_LEAST`` names are unknown, and more than are known."""
        return len(self.nowhere) >= _LEAST and len(self.nowhere) > len(self.there)


def named(explanation: str, given: str, known: Language) -> Named:
    """Return the names in an explanation.

    :param given: all text that was shown to the model, including the explained code.
    """
    words = {word.casefold() for word in _WORD.findall(given)}
    words |= {*_BUILTINS.get(known.import_style.name, "").split()}
    there: set[str] = set()
    nowhere: set[str] = set()
    for name in _names(explanation):
        parts = [part.casefold() for part in _WORD.findall(name.partition("(")[0])]
        # The owner may be a value that the explanation renames; the first or the last part decides.
        is_there = bool({parts[0], parts[-1]} & words) or _CALLED_SO.search(name) is not None
        if is_there or not _is_suggested(parts, known):
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


def _is_suggested(parts: Sequence[str], known: Language) -> bool:
    """Report whether a name is qualified by a well-known module or package."""
    if len(parts) == 1:
        return False
    style = known.import_style
    is_own = style.is_python and parts[0] in style.standard_modules
    return is_own or parts[0] in _KNOWN.get(style.name, "").casefold().split()
