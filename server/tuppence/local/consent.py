"""The one yes that a server found on this machine needs.

Whoever holds a port that a model server usually holds would be given the user's source, so a found server is used only
after the user said yes to that kind at that address. This file remembers the answer and asks nobody.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from tuppence.errors import Broken
from tuppence.local import private_files
from tuppence.local.discovery import DiscoveredServer


class Consent:
    """The user's answers, kept in one file in the user's state folder."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or _default_path()

    def given(self, found: DiscoveredServer) -> bool | None:
        """Return the user's answer about this server, or None where the user was never asked."""
        return self._answers().get(_name(found))

    def remember(self, found: DiscoveredServer, answer: Literal["yes", "no"]) -> None:
        """Keep the user's answer.

        :raises Broken: the file cannot be written.
        """
        self._write(self._answers() | {_name(found): answer == "yes"})

    def forget(self, kind: str) -> int:
        """Drop the answers about a kind of server, and return how many there were.

        :raises Broken: the file cannot be written.
        """
        before = self._answers()
        after = {name: answer for name, answer in before.items() if name.partition(" ")[0] != kind}
        if len(after) < len(before):
            self._write(after)
        return len(before) - len(after)

    def _answers(self) -> dict[str, bool]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}  # Whoever cannot be shown to have said yes has not been asked.
        items = kept.items() if isinstance(kept, dict) else ()
        return {name: answer for name, answer in items if isinstance(answer, bool)}

    def _write(self, answers: dict[str, bool]) -> None:
        private_files.folder(self._path.parent)
        try:
            private_files.write(self._path, json.dumps(answers, indent=2, sort_keys=True) + "\n")
        except OSError as error:
            remedy = "Make the folder writable for you."
            raise Broken(f"Your answer cannot be kept in {self._path}: {error.strerror}.", remedy) from error


def _name(found: DiscoveredServer) -> str:
    return f"{found.kind} {found.base_url}"


def _default_path() -> Path:
    import platformdirs

    return platformdirs.user_state_path("tuppence", appauthor=False) / "allowed-servers.json"
