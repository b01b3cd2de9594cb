"""Checks for suspicious new code: hidden characters, imports, weaker security, URLs. One check per module."""
