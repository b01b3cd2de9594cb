"""The features of the server: code actions, hover, commands, history."""
