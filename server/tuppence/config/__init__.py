"""The user's configuration: the file, the model table, the project's own narrowing file."""

from __future__ import annotations

from tuppence.config.config import Config, Override, Watched, builtin, default_path, load

__all__ = ["Config", "Override", "Watched", "builtin", "default_path", "load"]
