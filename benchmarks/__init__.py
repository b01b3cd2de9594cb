"""Measurements that the product rests on. Nothing here is imported by the server."""
