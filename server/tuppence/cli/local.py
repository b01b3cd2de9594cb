"""``tuppence local``: install, find, allow and stop models on this machine."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from datetime import datetime

from rich.prompt import Confirm

from tuppence.cli._terminal import console
from tuppence.local import Consent, DiscoveredServer, Embedded, find_servers
from tuppence.local.discovery import TITLES

HELP = "find, install and end models of your own, on this machine"
_GOOD_FOR = (
    "A model of 135 million parameters is good for trying the wiring; do not trust what it says about your code."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(f"  {name:<8} {command.__doc__}" for name, command in _COMMANDS.items())
    parser.add_argument(
        "what", nargs="?", default="status", choices=tuple(_COMMANDS), help="see below; status if left out"
    )
    parser.add_argument("name", nargs="?", choices=tuple(TITLES), help="the server, for allow and forget")


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand and return the exit code."""
    return _COMMANDS[arguments.what](arguments.name)


def _status(_: str | None) -> int:
    """Show the state of local models (this changes nothing)."""
    embedded = Embedded()
    state = embedded.running()
    if not embedded.installed():
        _say("The embedded model is not installed. Install it with: tuppence local install")
    elif state is None:
        _say("The embedded model is installed. Its server is not running; it starts with the first request.")
    else:
        since = datetime.fromtimestamp(state.started).astimezone()
        _say(f"The embedded model is installed and runs since {since:%H:%M} (port {state.port}, process {state.pid}).")
    consent = Consent()
    for found in asyncio.run(find_servers()):
        answer = {True: "allowed", False: "not allowed", None: "not asked yet: tuppence local find"}[
            consent.given(found)
        ]
        _say(f"{_describe(found)} - {answer}.")
    return 0


def _install(_: str | None) -> int:
    """Install the embedded model and check that it answers."""
    embedded = Embedded()
    embedded.install(_say)
    try:
        speed = asyncio.run(_prove(embedded))
    finally:
        embedded.release()
    _say(f"It answers, at {speed:.0f} tokens a second. {_GOOD_FOR}")
    return 0


async def _prove(embedded: Embedded) -> float:
    return await embedded.speed(await embedded.start())


def _find(_: str | None) -> int:
    """Show the model servers on this machine, and ask whether to use them."""
    servers = asyncio.run(find_servers())
    if not servers:
        _say(f"None of {', '.join(TITLES.values())} answers at its usual port on this machine.")
        return 0
    consent = Consent()
    for found in servers:
        _say(_describe(found))
        if consent.given(found) is not None:
            said = "yes" if consent.given(found) else "no"
            _say(f"  You said {said}. To change that: tuppence local forget {found.kind}")
        elif sys.stdin.isatty():
            allowed = Confirm.ask("  It would be given the source that you ask about. Use it?", default=False)
            consent.remember(found, "yes" if allowed else "no")
        else:
            _say(f"  It would be given the source that you ask about. To use it: tuppence local allow {found.kind}")
    return 0


def _allow(name: str | None) -> int:
    """Allow a model server on this machine: allow NAME."""
    if name is None:
        return _nameless("allow")
    chosen = [found for found in asyncio.run(find_servers()) if found.kind == name]
    if not chosen:
        _say(
            f"{_title(name)} does not answer at its usual port on this machine. Start it, then try again.",
            errors=True,
        )
        return 1
    for found in chosen:
        Consent().remember(found, "yes")
        _say(f"{_describe(found)} - allowed.")
    return 0


def _forget(name: str | None) -> int:
    """Forget your answer about a server: forget NAME."""
    if name is None:
        return _nameless("forget")
    dropped = Consent().forget(name)
    _say(f"Your answer about {_title(name)} is forgotten." if dropped else f"You gave no answer about {_title(name)}.")
    return 0


def _stop(_: str | None) -> int:
    """Stop the embedded model's server."""
    stopped = Embedded().stop()
    _say("The embedded model's server has ended." if stopped else "The embedded model's server was not running.")
    return 0


def _remove(_: str | None) -> int:
    """Delete the embedded model's weights."""
    removed = Embedded().remove()
    _say("The embedded model's weights are deleted." if removed else "The embedded model was not installed.")
    return 0


def _nameless(what: str) -> int:
    _say(f"Say which server: tuppence local {what} {{{','.join(TITLES)}}}", errors=True)
    return 2


def _describe(found: DiscoveredServer) -> str:
    count = len(found.models)
    names = ", ".join(found.models[:3]) + (f" and {count - 3} more" if count > 3 else "")  # noqa: PLR2004 - three fit a line
    return f"{found.title} at {found.base_url}: {names or 'no model for text yet'}"


def _title(name: str) -> str:
    return next((title for kind, title in TITLES.items() if kind == name), name)


def _say(text: str, *, errors: bool = False) -> None:
    console(errors=errors).print(text, soft_wrap=True)


_COMMANDS: dict[str, Callable[[str | None], int]] = {
    "status": _status,
    "install": _install,
    "find": _find,
    "allow": _allow,
    "forget": _forget,
    "stop": _stop,
    "remove": _remove,
}
