"""What a provider's prompt cache probably holds, and where to mark what is shared."""
