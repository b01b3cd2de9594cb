"""The user's configuration: the file, the model table, and the project's file that can narrow the budget."""

from __future__ import annotations

from tuppence.config.config import Config, Override, Watched, builtin, default_path, load

__all__ = ["Config", "Override", "Watched", "builtin", "default_path", "load"]
