"""Secrets in text: what they look like, what takes their place on the way out, and what may come back."""
