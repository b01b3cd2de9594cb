"""``tuppence neovim``: print where the Neovim client is, and the lines to add to a configuration.

Nothing is written: only the user edits the configuration.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import tuppence
from tuppence.cli._terminal import say
from tuppence.errors import TuppenceError

HELP = "print what to put into Neovim's configuration"
_PACKAGE = Path(tuppence.__file__).parent
_PLACES = (_PACKAGE / "clients" / "neovim", _PACKAGE.parents[1] / "clients" / "neovim")
"""The client's folder in an installed package, and in a checkout."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--path", action="store_true", help="print only the folder for 'runtimepath'")


def run(arguments: argparse.Namespace) -> int:
    """Print the lines and return the exit code."""
    say(str(client()) if arguments.path else f"{_advice()}\n\n{lines()}")
    return 0


def client() -> Path:
    """Return the folder to add to Neovim's ``runtimepath``."""
    for place in _PLACES:
        if (place / "lua" / "tuppence" / "init.lua").is_file():
            return place
    raise TuppenceError("The Neovim client is missing from this installation.", "Install tuppence again.")


def lines() -> str:
    """Return the three lines of Lua."""
    program = _program()
    settings = f"{{ cmd = {{ {', '.join(map(_lua, (*program, 'serve')))} }} }}" if program else ""
    return "\n".join(
        (
            f"vim.opt.runtimepath:append({_lua(str(client()))})",
            f'require("tuppence").setup({settings})',
            "vim.o.statusline = \"%<%f %h%m%r%=%{%v:lua.require'tuppence'.status()%}  %l,%c %P\"",
        )
    )


def _program() -> tuple[str, ...]:
    """Return the command that starts this installation; empty if ``tuppence`` alone does."""
    own = next((script for script in _scripts() if script.exists()), None)
    if own is None:
        # Without -P, Python searches the current folder for modules first: a repository's files.
        return (sys.executable, "-P", "-m", "tuppence")
    found = shutil.which("tuppence")
    return () if found is not None and Path(found).resolve() == own.resolve() else (str(own),)


def _scripts() -> Iterator[Path]:
    """Yield the folders that may hold this installation's script; ``pip install --user`` uses the user's own folder."""
    user = sysconfig.get_preferred_scheme("user")
    if _PACKAGE.parent == Path(sysconfig.get_path("purelib", user)):
        yield Path(sysconfig.get_path("scripts", user)) / "tuppence"
    yield Path(sysconfig.get_path("scripts")) / "tuppence"


def _advice() -> str:
    """Return what to do with the lines, as Lua comments: the output may be appended to a configuration as it is."""
    return (
        "-- Put these lines into ~/.config/nvim/init.lua. The third shows runs and costs in the status line; where\n"
        "-- you have a status line of your own, put only the part between %{% and %} into it."
    )


def _lua(text: str) -> str:
    """Return a string as a Lua literal; for a path, JSON is equivalent."""
    return json.dumps(text, ensure_ascii=False)
