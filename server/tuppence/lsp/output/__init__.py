"""What is written into the editor: edits, findings, explanations, new tests."""
