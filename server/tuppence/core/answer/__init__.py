"""Interpret a model's reply for a document: fences, patches, tests, findings, Markdown."""
