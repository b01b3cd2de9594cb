"""The command line: each public module of this folder is one command, found by its name.

A command's module has ``HELP`` (one line), ``arguments(parser)`` and ``run(arguments) -> int``. Only the module of the
requested command is imported, so ``tuppence serve`` starts without loading the others. Errors meant for the user are
printed as one sentence on stderr; any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from tuppence import __version__
from tuppence.errors import TuppenceError
from tuppence.terminal import protect

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as shells report it."""
BROKEN_PIPE = 141
"""The exit code of a program whose reader closed the pipe, as shells report it."""


class Command(Protocol):
    """The interface of a command's module."""

    HELP: str

    def arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""
        ...

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the command and return the exit code."""
        ...


def names() -> tuple[str, ...]:
    """Return the names of all commands, without importing them."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


def main(words: Sequence[str] | None = None) -> int:
    """Run the command line (``sys.argv`` by default) and return the exit code."""
    protect(_hide)
    try:
        code = _dispatch(list(sys.argv[1:] if words is None else words))
        if not sys.stdout.closed:
            sys.stdout.flush()
    except TuppenceError as error:
        from tuppence.cli._terminal import say

        say(f"tuppence: {error}", errors=True)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout again at exit, which would print an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return code


def _hide(text: str) -> str:
    from tuppence.core.text.key_scan import environment_scan

    return environment_scan(os.environ).hide(text)


def _dispatch(words: list[str]) -> int:
    if words and words[0] in names():
        command = _load(words[0])
        parser = argparse.ArgumentParser(prog=f"tuppence {words[0]}", description=command.HELP, allow_abbrev=False)
        command.arguments(parser)
        return _parse(parser, words[1:], command)
    return _parse(_overview(words), words, None)


def _parse(parser: argparse.ArgumentParser, words: list[str], command: Command | None) -> int:
    try:
        arguments = parser.parse_args(words)
    except SystemExit as end:  # After --help, --version or a mistake, which were already printed.
        return int(end.code or 0)
    if command is None:
        parser.print_help()
        return 0
    return command.run(arguments)


def _overview(words: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser with every command's name and help line, but none of their options."""
    parser = argparse.ArgumentParser(
        prog="tuppence",
        description="LLM code actions for any editor, from the cheapest adequate model, with exact accounts.",
        epilog="An editor starts: tuppence serve. For a command's options: tuppence COMMAND --help.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tuppence {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in names() if words != ["--version"] else ():
        commands.add_parser(name, help=_load(name).HELP)
    return parser


def _load(name: str) -> Command:
    return cast("Command", importlib.import_module(f"{__name__}.{name}"))
