"""What leaves this machine and what comes back: secrets are replaced on the way out, and restored in their place."""
