"""Real editors, driven as a person drives them."""
