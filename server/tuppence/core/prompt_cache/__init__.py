"""Estimate the contents of a provider's prompt cache, and mark the shared part of a prompt."""
