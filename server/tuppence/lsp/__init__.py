"""The editor: the only folder that knows the Language Server Protocol."""
