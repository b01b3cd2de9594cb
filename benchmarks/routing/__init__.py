"""Fits and measures the router's prior on public results of real models. Nothing here is imported by the server."""
