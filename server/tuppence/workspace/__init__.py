"""The files of a project that a request may read."""

from __future__ import annotations

from tuppence.workspace.workspace import Workspace

__all__ = ["Workspace"]
