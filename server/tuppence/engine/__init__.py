"""One request from question to receipt: the only layer that puts the core and the outside world together."""
