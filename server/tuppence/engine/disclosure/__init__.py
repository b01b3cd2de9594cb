"""What leaves this machine: shown before it is sent, with secrets replaced, which come back in their place only."""
