"""Open documents: their text, versions and positions, and the editor's capabilities."""
