"""Find secrets in text, replace them by placeholders, and restore them in answers."""
