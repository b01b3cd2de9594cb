"""The thinking: pure functions over frozen values; no await, clock, file, network or randomness in this folder."""
