"""``tuppence serve``: the language server, over stdio, a socket or a loopback port."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_SWITCH = 0.001
"""Seconds after which a computing thread lets other threads run."""
HELP = "start the language server (an editor does this)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="the configuration (default: the platform's config folder)"
    )
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--socket",
        type=Path,
        metavar="PATH",
        help="listen at a socket that only you can reach, in a folder of your own, instead of stdio",
    )
    way.add_argument(
        "--tcp",
        metavar="HOST:PORT",
        help="listen on a loopback port instead of stdio; connections of other users are dropped, and where the system "
        "does not say whose a connection is, initializationOptions.token must be the text of the file that is named",
    )
    # Many editors' client libraries add this option by themselves.
    way.add_argument("--stdio", action="store_true", help="speak on stdin and stdout (the default)")


def run(arguments: argparse.Namespace) -> int:
    """Serve until the editor ends the session, and return the exit code."""
    import gc

    from tuppence.lsp.transport import serve

    # At each of its steps the event loop waits for a computing thread, by default up to 5 ms.
    sys.setswitchinterval(_SWITCH)
    code = serve(arguments.config, arguments.tcp, arguments.socket)
    # Otherwise Python searches all objects for cycles at exit, and an editor that waits for the exit waits longer.
    gc.freeze()
    return code
