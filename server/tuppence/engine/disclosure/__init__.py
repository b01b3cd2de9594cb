"""What leaves this machine, shown before it is sent and stripped of secrets."""
