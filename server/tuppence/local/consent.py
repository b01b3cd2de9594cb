"""The user's consent to a model server found on this machine.

Any program may listen at a model server's usual port and would receive the user's source code. So a found server is
used only after the user allowed that kind at that address. This module stores the answer; it does not ask.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from tuppence.errors import Broken
from tuppence.local import private_files
from tuppence.local.discovery import DiscoveredServer


class Consent:
    """The user's answers, stored in one file in the user's state folder."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or _default_path()

    def given(self, found: DiscoveredServer) -> bool | None:
        """Return the user's answer about this server, or None if the user was not asked."""
        return self._answers().get(_name(found))

    def remember(self, found: DiscoveredServer, answer: Literal["yes", "no"]) -> None:
        """Store the user's answer.

        :raises Broken: the file cannot be written.
        """
        self._write(self._answers() | {_name(found): answer == "yes"})

    def forget(self, kind: str) -> int:
        """Remove the answers about a kind of server, and return their number.

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
            return {}  # Without a readable answer, the user counts as not asked.
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
