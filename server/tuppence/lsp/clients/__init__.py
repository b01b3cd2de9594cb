"""Admit clients of a listening server: only the user who started it."""
