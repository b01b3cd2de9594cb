"""VS Code: how it is set up, and how it is driven."""
