"""The structure of code: languages, grammars, definitions, imports, targets."""
