"""``tuppence preview``: show what would be sent, to which provider and at what cost; nothing is sent or started.

Information that only an editor has is missing: other servers' diagnostics, unsaved text. With ``--json``, only the
request body goes to stdout, byte for byte.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from rich.text import Text

from tuppence.cli._address import EXAMPLES, FORM, AddressError, locate
from tuppence.cli._offline import offline_session
from tuppence.cli._terminal import exact_console, say, say_body
from tuppence.cli.models import complaints
from tuppence.config import Config, load
from tuppence.core.actions import ACTIONS, find_action
from tuppence.engine.disclosure.preview import LineKind, Preview, preview
from tuppence.engine.request import Request
from tuppence.errors import ConfigError, Mistake, NoModel, OverBudget, TuppenceError, Unfit

HELP = "show exactly what would be sent, to whom and for how much"
_STYLES: dict[LineKind, str] = {
    "fact": "bold",
    "heading": "bold underline",
    "text": "",
    "replaced": "reverse",
    "mark": "dim",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("place", metavar=FORM, help=f"the code, such as {EXAMPLES}")
    parser.add_argument(
        "--action", choices=[each.id for each in ACTIONS], default="fix", help="what would be asked for (default fix)"
    )
    parser.add_argument("--json", action="store_true", help="print the request's body as it would be sent")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: the platform's config folder)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the preview and return the exit code: 1 if nothing would be sent, 2 for invalid arguments."""
    action = find_action(arguments.action)
    assert action is not None, "the command line knows the actions"
    try:
        config = _config(arguments.config)
        request = locate(arguments.place).request(action)
    except (AddressError, ConfigError) as error:
        name = "tuppence: " if isinstance(error, AddressError) else ""
        say(f"{name}{error}", errors=True)
        return 2
    for line in complaints(config):
        say(line, errors=True)
    try:
        found = asyncio.run(_preview(request, config))
    except (Unfit, NoModel, OverBudget) as error:
        raise TuppenceError(f"Nothing would be sent. {error.message}", error.remedy) from None
    if arguments.json:
        say_body(found.body)
    else:
        _print(found)
    return 0


def _config(path: Path | None) -> Config:
    """Return the configuration.

    :raises ConfigError: it cannot be read, or the named file does not exist.
    """
    config = load(path)
    if config.is_unread:
        raise ConfigError(str(config.path), config.mistakes)
    if path is not None and not path.exists():
        missing = Mistake(0, "There is no such file.", "Name the configuration file itself.")
        raise ConfigError(str(path), (missing,))
    return config


async def _preview(request: Request, config: Config) -> Preview:
    async with offline_session(config) as session:
        return await preview(request, session)


def _print(found: Preview) -> None:
    console = exact_console()
    for kind, line in found.lines():
        console.print(Text(line, style=_STYLES[kind]), soft_wrap=True)
