"""What a model's reply means for a document: fences, patches, tests, findings, Markdown."""
