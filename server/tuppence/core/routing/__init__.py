"""Which model answers: expected quality, difficulty, candidates, the choice."""
