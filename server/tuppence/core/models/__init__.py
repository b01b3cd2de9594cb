"""A model, what it costs, and the tokens that a request used."""
