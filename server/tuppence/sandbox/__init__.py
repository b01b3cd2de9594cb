"""Run generated tests in a copy of the project, isolated and with resource limits."""

from __future__ import annotations

from tuppence.sandbox.runner import TrialInput
from tuppence.sandbox.trial import prove, runs

__all__ = ["TrialInput", "prove", "runs"]
