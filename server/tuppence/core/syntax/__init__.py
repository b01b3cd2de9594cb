"""What code says by its form: languages, grammars, definitions, imports, targets."""
