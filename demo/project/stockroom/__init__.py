"""What is on the shelves, what it is worth, and what has to be ordered."""
