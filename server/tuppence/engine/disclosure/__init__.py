"""Control what is sent to a provider: preview it, replace secrets, and restore them in the answer."""
