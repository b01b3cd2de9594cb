"""Open documents: their text, versions, positions, and what the editor can do."""
