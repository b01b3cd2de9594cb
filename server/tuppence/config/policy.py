"""What the configuration wishes of one choice: the action's own settings before the language's, these before all."""

from __future__ import annotations

from pathlib import Path

from tuppence.config.config import Config
from tuppence.config.settings import PRESETS
from tuppence.core.actions import Action
from tuppence.core.routing.candidates import RoutingPolicy


def routing_policy(config: Config, action: Action, language_id: str, above: str = "") -> RoutingPolicy:
    """Return what the configuration says of an action in a language.

    :param above: the name of the model whose answer was not good enough; a pin does not hold then.
    """
    per = [each for each in (config.actions.get(action.id), config.languages.get(language_id)) if each is not None]
    pins = [each.model for each in per if each.model]
    qualities = [each.quality for each in per if each.quality is not None]
    return RoutingPolicy(
        quality=qualities[0] if qualities else _general(config),
        pin=pins[0] if pins and not above else None,
        exclude=config.exclude,
        above=above or None,
        premium=config.premium,
        own=config.own,
    )


def is_public(config: Config, root: Path | None) -> bool:
    """Report whether the user's own file says that all of an open folder is public.

    :param root: the folder, resolved; None where there is none, and then nothing is known to be public.
    """
    return is_within(root, config.public)


def is_within(root: Path | None, folders: tuple[str, ...]) -> bool:
    """Return whether a resolved folder lies in one of the configured folders, where ``~`` is the user's home."""
    return root is not None and any(root.is_relative_to(Path(each).expanduser().resolve()) for each in folders)


def _general(config: Config) -> float:
    return PRESETS[config.preset] if config.quality is None else config.quality
