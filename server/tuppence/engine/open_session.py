"""Open a session: build everything a run depends on, from a configuration file and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from tuppence import clock
from tuppence.cache import Answers, Traces
from tuppence.config import Watched
from tuppence.config.project import Narrowing
from tuppence.core.text.document import Document
from tuppence.credentials import Keys
from tuppence.engine.prompt_cache import Prefixes
from tuppence.engine.session import House
from tuppence.ledger import Ledger
from tuppence.local.registry import FIRST_EVENT, Neighbourhood
from tuppence.upstream import Patience, Upstream
from tuppence.workspace import Workspace


def open_house(
    watched: Watched,
    roots: Sequence[Path],
    buffer: Callable[[str], Document | None],
    handed: dict[str, str],
) -> tuple[House, Neighbourhood]:
    """Return everything that runs stand on, and the models on the user's own machine.

    :param roots: the project's folders.
    :param buffer: gives the document that is open at an absolute path.
    :param handed: keys that the editor's client handed over, by the variable's name; filled further as servers start.
    """
    neighbourhood = Neighbourhood(handed)
    answers = Answers()
    house = House(
        config=lambda: watched.current,
        keys=Keys(os.environ, handed),
        upstream=Upstream(Patience(first_event=FIRST_EVENT)),
        ledger=Ledger(watched.current.ledger),
        answers=answers,
        prefixes=Prefixes(Traces(answers.file)),
        workspace=Workspace(roots),
        neighbours=neighbourhood.rows,
        embedded=neighbourhood.embedded,
        buffer=buffer,
        session=uuid4().hex,
        known=neighbourhood.known,
        dormant=neighbourhood.dormant,
        now=clock.now,
    )
    house.narrowing = Narrowing(roots, house.trouble)
    house.begin()
    return house, neighbourhood
