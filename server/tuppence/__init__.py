"""A language server with code actions from the cheapest adequate language model, and exact accounts of the money."""

__version__ = "0.1.0"
