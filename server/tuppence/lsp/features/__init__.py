"""What a user asks of the server: code actions, hover, commands, history."""
