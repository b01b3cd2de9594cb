"""One request from question to receipt: the only layer that combines the core with I/O."""
