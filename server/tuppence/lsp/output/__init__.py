"""Output to the editor: edits, findings, explanations, new tests."""
