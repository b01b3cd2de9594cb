"""The user's configuration: read one TOML file and the built-in tier table, and collect all mistakes.

A file with mistakes still gives a ``Config``: valid parts apply, invalid parts are left out and reported with their
line. If a file is not TOML, nothing is known about it, so no model is used (``is_unread``). Nothing in a workspace is
read here, so a repository cannot redirect a key or code. credentials.py handles the keys themselves.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal

from tuppence.config import model_table
from tuppence.config.file_text import UnreadableConfig, decoded, read_text
from tuppence.config.pasted_keys import without_keys
from tuppence.config.readers import (
    choice,
    fields,
    flag,
    folder,
    items,
    number,
    setting,
    settings_of,
    stranded,
    text,
)
from tuppence.config.settings import (
    ASK_ABOVE,
    OVERRIDE,
    PRESETS,
    allowed_secrets,
    budget,
    check_name,
    ledger,
    narrower,
    quality,
    spoken_of,
    timeouts,
    usd,
)
from tuppence.config.toml_locations import Bad, MistakeReport, TomlLocation
from tuppence.core.actions import ACTIONS
from tuppence.core.billing.budget import NO_LIMITS, Limits
from tuppence.core.models.model import Model, Premium, Provider
from tuppence.core.models.time_limits import USUAL, TimeLimits
from tuppence.core.text.shown_text import short
from tuppence.errors import ConfigError, Mistake

_BUILT_IN = Path(__file__).parents[1] / "models.toml"
_NUMBER = re.compile(r"[0-9A-Fa-f_]{4300,}|\d[eE][+-]?\d{7,}")
_POSITION = re.compile(r"\(at (?:line (\d+), column \d+|end of document)\)")


@dataclass(frozen=True)
class Override:
    """Settings for one action or language, in place of the general ones."""

    quality: float | None = None
    """How good an answer is wanted, 0 to 1; None leaves the general figure."""
    model: str | None = None
    """The only model to use, ``provider/id``; None to let the router choose."""


@dataclass(frozen=True)
class Config:
    """The user's settings, combined with the built-in tables.

    A ``setting`` field is read from the key with its name above the first table of the file; it is declared only here.
    """

    path: Path
    """The path of the file, whether it exists or not."""
    models: tuple[Model, ...]
    """The tier table, including retired rows."""
    providers: Mapping[str, Provider]
    """Providers by name."""
    quality: float | None = setting(quality, None)
    """How good an answer is wanted, 0 to 1; None: as the preset says."""
    preset: str = setting(choice(tuple(PRESETS)), "balanced")
    """One of PRESETS."""
    exclude: frozenset[str] = setting(None, frozenset())
    """Models never to use, ``provider/id``."""
    premium: Premium = setting(choice(("use", "ask", "never")), "use")
    """Whether premium models are used, used only after asking the user, or never used."""
    ask_above: Decimal = setting(usd, ASK_ABOVE)
    """USD; the user is asked before a request whose expected cost is higher."""
    pair_above: float = setting(number(0, 1), 1.0)
    """The difficulty above which a strong model may plan an edit for a cheaper one to write; 1 means never."""
    own: frozenset[str] = frozenset()
    """Names of the providers that the file itself mentions."""
    actions: Mapping[str, Override] = field(default_factory=dict)
    """By action id."""
    languages: Mapping[str, Override] = field(default_factory=dict)
    """By the editor's language id."""
    timeouts: TimeLimits = setting(timeouts, USUAL)
    """Time limits of model calls, for providers without limits of their own; all of them are set."""
    edits: Literal["live", "final"] = setting(choice(("live", "final")), "live")
    """Whether edits are streamed, if the client supports it, or always applied at once."""
    keep_answers: bool = setting(flag, default=True)
    """Whether explanations and reviews are cached, for repeated questions about unchanged code."""
    hover: Literal["kept", "offer", "auto", "off"] = setting(choice(("kept", "offer", "auto", "off")), "offer")
    """What hovers show: cached explanations only, also an offer with its price, also answers that hovers request, or
    nothing."""
    hover_cap: Decimal = setting(usd, Decimal("0.005"))
    """Maximum cost in USD of a request made by a hover."""
    keep_alive: Decimal = setting(usd, Decimal(0))
    """USD per day for keeping providers' prompt caches warm; 0 turns that off."""
    budget: Limits = NO_LIMITS
    """The spending limits."""
    ledger: str = setting(ledger, "")
    """The address of a team's ledger; empty for the user's own file."""
    run_tests: bool = setting(flag, default=False)
    """Whether generated tests in trusted folders are run before they are accepted."""
    trusted: tuple[str, ...] = setting(items(folder), ())
    """Folders whose projects' tests may be run, ``~`` for the user's home."""
    public: tuple[str, ...] = setting(items(folder), ())
    """Folders with public code, which models with ``public_only`` may receive."""
    allowed_secrets: tuple[str, ...] = ()
    """RE2 patterns of values that look like secrets but are not; ``allow`` of ``[secrets]``."""
    is_unread: bool = False
    """Whether the file exists but could not be read at all, so that its exclusions and limits are unknown."""
    mistakes: tuple[Mistake, ...] = ()
    """All mistakes in the file, in the order of its lines."""
    warnings: tuple[str, ...] = ()
    """Sentences about valid settings with surprising effects."""


_READERS = settings_of(Config)
SETTINGS = tuple(_READERS)
"""The settings above the first table."""
_GENERAL = {name: reader for name, reader in _READERS.items() if reader is not None}
"""The settings that hold a single value."""


class Watched:
    """A configuration that is reloaded when its file changes."""

    def __init__(self, path: Path | None) -> None:
        self._path = path or default_path()
        self._stamp = _stamp(self._path)
        self._config = load(path)

    @property
    def current(self) -> Config:
        """The current configuration."""
        return self._config

    def refresh(self) -> ConfigError | None:
        """Read the file again if it changed; return what is wrong with it, once per change.

        If the file was deleted or is not TOML, the previous configuration stays, because the defaults might use what
        the user has excluded.
        """
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return None
        self._stamp = stamp
        if stamp is None:
            remedy = "Its settings stay in force until it is back or the server restarts."
            return ConfigError(str(self._path), (Mistake(0, "The file is gone.", remedy),))
        try:
            self._config = _assemble(self._path, *_parse(self._path), _today())
        except ConfigError as error:
            return error
        return ConfigError(str(self._path), self._config.mistakes) if self._config.mistakes else None


def default_path() -> Path:
    """Return the platform's path for the user's configuration file."""
    from platformdirs import user_config_path

    return user_config_path("tuppence", appauthor=False) / "config.toml"


def load(path: Path | None = None, *, today: date | None = None) -> Config:
    """Return the configuration in a file; the defaults without one. If it is not TOML, ``is_unread`` is set."""
    file, day = path or default_path(), today or _today()
    if not file.exists():
        absent = (f"There is no file {file}; the defaults apply.",) if path else ()
        return _assemble(file, {}, MistakeReport(), day, absent)
    try:
        return _assemble(file, *_parse(file), day)
    except ConfigError as error:
        return replace(_assemble(file, {}, MistakeReport("", list(error.mistakes)), day), is_unread=True)


def narrowing(path: Path, raw: bytes) -> tuple[Limits, tuple[Mistake, ...]]:
    """Return the budget in a project's file, which may contain nothing else, and its mistakes.

    :param raw: the content of the file.
    :raises ConfigError: it is not TOML.
    """
    data, report = _parsed(path, lambda: decoded(raw))
    found = narrower(data, TomlLocation(report))
    return found, tuple(sorted(report.mistakes))


def _parse(path: Path) -> tuple[dict[str, object], MistakeReport]:
    """Return a file's data, and a report for its mistakes.

    :raises ConfigError: it cannot be read, or is not TOML.
    """
    return _parsed(path, lambda: read_text(path))


def _parsed(path: Path, read: Callable[[], str]) -> tuple[dict[str, object], MistakeReport]:
    """Return the data in a file's text, and a report for its mistakes.

    :raises ConfigError: it cannot be read, or is not TOML.
    """
    try:
        content = read()
    except UnreadableConfig as error:
        raise ConfigError(str(path), (error.mistake,)) from None
    try:
        return tomllib.loads(content, parse_float=Decimal), MistakeReport(content, settings=SETTINGS)
    except tomllib.TOMLDecodeError as error:
        found = _POSITION.search(str(error))
        line = int(found[1]) if found and found[1] else content.rstrip().count("\n") + 1
        what = short(without_keys(_POSITION.sub("", str(error)).strip()))
        raise _unreadable(path, line, f"This is not TOML: {what}.", "Correct the line; see https://toml.io.") from None
    except (RecursionError, ArithmeticError, ValueError):
        line, what = _senseless(content)
        raise _unreadable(path, line, f"This is not TOML that makes sense: {what}.", "Correct the line.") from None


def _senseless(content: str) -> tuple[int, str]:
    """Return the line at which Python's TOML parser stops, and the probable mistake there."""
    if (found := _NUMBER.search(content)) is not None:
        return content.count("\n", 0, found.start()) + 1, "a number has too many digits"
    depths = [line.count("[") + line.count("{") for line in content.split("\n")]
    return depths.index(max(depths)) + 1, "its tables or arrays are nested too deeply"


def _unreadable(path: Path, line: int, what: str, remedy: str) -> ConfigError:
    return ConfigError(str(path), (Mistake(line, what, remedy),))


def _assemble(
    path: Path, data: dict[str, object], report: MistakeReport, today: date, notes: tuple[str, ...] = ()
) -> Config:
    """Return the configuration from a file's data.

    :raises ConfigError: it has more mistakes than are listed.
    """
    place = TomlLocation(report)
    for key in data:
        if key not in _SECTIONS and key not in SETTINGS and not report.is_full:
            place.key(key).unknown((*SETTINGS, *_SECTIONS))
    table = model_table.read(data, place, builtin(), today)
    settings = fields({key: data[key] for key in _GENERAL if key in data}, place, _GENERAL)
    actions = _overrides(data.get("actions", {}), place.key("actions"), table)
    languages = _overrides(data.get("languages", {}), place.key("languages"), table)
    exclude = _exclude(data.get("exclude", []), place.key("exclude"), table)
    if isinstance(name := data.get("quality"), str) and name in PRESETS:
        settings = {**settings, "preset": name, "quality": None}
    if report.is_full:  # The rest was not examined, and may contain a limit.
        raise ConfigError(str(path), tuple(report.mistakes))
    return Config(
        path=path,
        models=table.models,
        providers=table.providers,
        exclude=exclude,
        own=spoken_of(data.get("providers"), table),
        actions=actions,
        languages=languages,
        budget=budget(data.get("budget"), place.key("budget")),
        allowed_secrets=allowed_secrets(data.get("secrets"), place.key("secrets")),
        **settings,
        mistakes=tuple(sorted(report.mistakes)),
        warnings=(*notes, *_warnings(table, (*actions.values(), *languages.values()), today)),
    )


def _overrides(value: object, place: TomlLocation, table: model_table.Table) -> dict[str, Override]:
    found: dict[str, Override] = {}
    if not isinstance(value, dict):
        name = place.name
        place.wrong(f'"{name}" must hold tables.', f"Write [{name}.{'fix' if name == 'actions' else 'rust'}].")
        return found
    for key, raw in value.items():
        if place.report.is_full:
            break
        inner = place.key(key)
        if key in SETTINGS and not isinstance(raw, dict):
            stranded(inner)
        elif place.name == "actions" and key not in _ACTIONS:
            inner.unknown(_ACTIONS, "action")
        else:
            row = fields(raw, inner, OVERRIDE)
            if "model" in row:
                # A pin on an unknown row is preserved: it stops the request, whereas ignoring it would send code to a
                # model that the user did not choose.
                check_name(row["model"], inner.key("model"), table)
            found[key] = Override(**row)
    return found


def _exclude(value: object, place: TomlLocation, table: model_table.Table) -> frozenset[str]:
    if not isinstance(value, list):
        place.wrong('"exclude" must be an array.', 'Write exclude = ["provider/id"].')
        return frozenset()
    found: set[str] = set()
    for index, each in enumerate(value):
        if place.report.is_full:
            break
        try:
            found.add(text(each, place.key(index)))
        except Bad:
            continue
        check_name(each, place.key(index), table)
    return frozenset(found)


def _warnings(table: model_table.Table, overrides: tuple[Override, ...], today: date) -> tuple[str, ...]:
    said = table.named | {override.model for override in overrides if override.model}
    found: list[str] = []
    for model in (each for each in table.models if each.name in said):
        if model.retired(today):
            found.append(f"{model.name} retired on {model.retires_on}; it is not used.")
        elif model.price is None:
            found.append(f"The price of {model.name} is unknown; it is used only if it is pinned.")
    return tuple(found)


@cache
def builtin() -> model_table.Table:
    """Return the built-in tier table, regardless of the file."""
    data = tomllib.loads(_BUILT_IN.read_text("utf-8"), parse_float=Decimal)
    report = MistakeReport()
    table = model_table.read(data, TomlLocation(report), model_table.Table(), _today())
    assert not report.mistakes, report.mistakes
    return table


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _today() -> date:
    return datetime.now(UTC).date()


_ACTIONS = tuple(action.id for action in ACTIONS)
_SECTIONS = ("actions", "languages", "providers", "models", "budget", "secrets")
