"""Write a budget limit into the user's configuration, and change nothing else there.

The text is edited rather than generated, so that comments and layout stay. The result is parsed before it is saved. A
file that sets the limit in an unsupported form is left alone, and the user is shown the line.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

from tuppence.config.file_text import UnreadableConfig, read_bytes
from tuppence.core.billing.budget import Period
from tuppence.core.billing.entry import exact
from tuppence.errors import TuppenceError

_HEADER = re.compile(r"\ufeff?[ \t]*\[[ \t]*budget[ \t]*\][ \t]*(#.*)?")
_TABLE = re.compile(r"[ \t]*\[")
_BOM = "\ufeff"


def write(path: Path, period: Period, limit: Decimal | None) -> None:
    """Set a limit in a configuration file, which need not exist; None removes the limit.

    :raises TuppenceError: the file cannot be read or written, or the limit cannot be set in it.
    """
    try:
        before = read_bytes(path).decode("utf-8") if path.exists() else ""
        after = changed(before, period, limit)
        if not _as_wanted(before, after, period, limit):
            what = f"The budget in {path} could not be changed: it is not written as a [budget] table of plain lines."
            line = f"Take the line `{period} = ...` out" if limit is None else f"Write `{period} = {exact(limit)}`"
            raise TuppenceError(what, f"{line} there by hand.")
        _put(path.resolve(), after)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TuppenceError(f"{path} could not be changed: {reason}.", "Check its permissions.") from None
    except UnreadableConfig as error:
        raise TuppenceError(f"{path} could not be changed: {error.mistake.what}", error.mistake.remedy) from None
    except UnicodeDecodeError:
        raise TuppenceError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None


def changed(text: str, period: Period, limit: Decimal | None) -> str:
    """Return a configuration's text with a limit set or removed."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    header = next((number for number, line in enumerate(lines) if _HEADER.fullmatch(line.rstrip("\r\n"))), None)
    if header is None:
        if limit is None:
            return text
        gap = "" if not text.strip(_BOM + " \t\r\n") else end if text.endswith("\n") else 2 * end
        return f"{text}{gap}[budget]{end}{period} = {exact(limit)}{end}"
    key = re.compile(rf"([ \t]*{period}[ \t]*=[ \t]*)[^#\r\n]*?([ \t]*(#[^\r\n]*)?(\r?\n)?)")
    for number in range(header + 1, len(lines)):
        if _TABLE.match(lines[number]):
            break
        if found := key.fullmatch(lines[number]):
            lines[number] = "" if limit is None else f"{found[1]}{exact(limit)}{found[2]}"
            return "".join(lines)
    if limit is not None:
        if not lines[header].endswith("\n"):
            lines[header] += end
        lines.insert(header + 1, f"{period} = {exact(limit)}{end}")
    return "".join(lines)


def _as_wanted(before: str, after: str, period: Period, limit: Decimal | None) -> bool:
    """Report whether the new text is equivalent to the old one except for the limit."""
    try:
        old, new = (tomllib.loads(each.removeprefix(_BOM), parse_float=Decimal) for each in (before, after))
    except (tomllib.TOMLDecodeError, ArithmeticError, RecursionError):
        return False
    budget = old.get("budget", {})
    if not isinstance(budget, dict):
        return False
    wanted = {name: each for name, each in budget.items() if name != period}
    if limit is not None:
        wanted[period] = limit
    return {**old, "budget": wanted} == {"budget": {}, **new}


def _put(path: Path, text: str) -> None:
    """Write the file atomically, with its previous mode."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
        Path(part).chmod(mode)
        Path(part).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(part).unlink()
        raise
