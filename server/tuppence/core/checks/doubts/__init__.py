"""What new code may hide or bring along: hidden characters, imports, less security. One check a module."""
