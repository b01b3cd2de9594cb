"""Who may talk to a server that listens: the user whose server it is, and nobody else."""
