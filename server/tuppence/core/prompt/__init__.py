"""The prompt of a request: its context, its excerpts, its text."""
