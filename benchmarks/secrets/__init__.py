"""How much ordinary code is taken for secrets."""
